//! 配送方法 by keyword: the shop's carrier name decides which of the merchant's methods a shipment takes.

use unicode_normalization::UnicodeNormalization;

use crate::order::SourceCarrier;
use crate::settings::ShippingMethod;

/// The method whose keyword stands in the shop's carrier name: the longest keyword wins (宅急便コンパクト before 宅急便), then
/// the earlier method. Half and full width, upper and lower case are one. Without a match, the default method.
#[must_use]
pub fn choose<'a>(methods: &'a [ShippingMethod], carrier: Option<&SourceCarrier>) -> Option<&'a ShippingMethod> {
    let name = folded(carrier.and_then(|carrier| carrier.name.as_deref()).unwrap_or_default());
    let mut best: Option<(&ShippingMethod, usize)> = None;
    for method in methods {
        for keyword in method.keywords.iter().map(|keyword| folded(keyword)).filter(|keyword| !keyword.is_empty()) {
            let length = keyword.chars().count();
            if name.contains(&keyword) && best.is_none_or(|(_, longest)| length > longest) {
                best = Some((method, length));
            }
        }
    }
    best.map(|(method, _)| method).or_else(|| methods.iter().find(|method| method.default))
}

fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::ShippingMethodId;

    fn method(id: &str, keywords: &[&str], default: bool) -> ShippingMethod {
        ShippingMethod {
            id: ShippingMethodId::parse(id).unwrap(),
            name: id.to_owned(),
            warehouse_code: id.to_uppercase(),
            keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
            carrier_ids: BTreeMap::new(),
            default,
        }
    }

    fn chosen(carrier: Option<&str>) -> Option<String> {
        let methods = [
            method("nekopos", &["ネコポス"], false),
            method("yamato", &["ヤマト運輸", "宅急便"], true),
            method("compact", &["宅急便コンパクト"], false),
        ];
        let carrier = carrier.map(|name| SourceCarrier { id: Some(6), name: Some(name.to_owned()) });
        choose(&methods, carrier.as_ref()).map(|method| method.id.to_string())
    }

    #[test]
    fn the_longest_keyword_in_the_carriers_name_decides() {
        assert_eq!(chosen(Some("ネコポス")).as_deref(), Some("nekopos"));
        assert_eq!(chosen(Some("ﾈｺﾎﾟｽ（ポスト投函）")).as_deref(), Some("nekopos"));
        assert_eq!(chosen(Some("ヤマト 宅急便コンパクト")).as_deref(), Some("compact"));
        assert_eq!(chosen(Some("佐川急便")).as_deref(), Some("yamato"), "the default");
        assert_eq!(chosen(None).as_deref(), Some("yamato"), "the default");
        assert!(choose(&[method("nekopos", &["ネコポス"], false)], None).is_none());
    }
}
