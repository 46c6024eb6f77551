//! What a robot that is tried makes of a shipment, as people read it: fields and values by what people call them, and
//! what it did in sentences. In English the keys stay, as the command line has them.

use renkei_domain::settings::TenantSettings;
use renkei_setup::try_robot::{ChangeLine, TrialLine};
use renkei_words::fields;

use super::{sentences, words};
use crate::lang::Lang;

/// What would become of a new order like the one that it was tried on.
const ON_IMPORT: [(&str, &str); 3] = [
    ("not imported: ", "取り込みません: "),
    ("quarantined: ", "取込保留: "),
    ("a parcel of its own for ", "別の荷物に分かれます: "),
];

/// What a trial found.
pub fn line(lang: Lang, settings: &TenantSettings, line: TrialLine) -> TrialLine {
    TrialLine {
        changes: line.changes.iter().map(|it| change(lang, settings, it)).collect(),
        actions: line.actions.iter().map(|what| action(lang, settings, what)).collect(),
        on_import: line.on_import.as_deref().map(|what| on_import(lang, what)),
        ..line
    }
}

/// A field that changes. What is empty is said to be.
pub fn change(lang: Lang, settings: &TenantSettings, change: &ChangeLine) -> ChangeLine {
    let value = |value: &str| match value {
        "" => lang.of("なし", "nothing").to_owned(),
        value => words::value(lang, settings, &change.field, value),
    };
    ChangeLine {
        field: fields::label(lang, &change.field).to_owned(),
        before: value(&change.before),
        after: value(&change.after),
    }
}

/// What it says it did.
fn action(lang: Lang, settings: &TenantSettings, what: &str) -> String {
    match (lang, what.strip_prefix("shipping method ")) {
        (Lang::Ja, Some(id)) => format!("配送方法: {}", words::value(lang, settings, "shipping_method", id)),
        (Lang::Ja | Lang::En, _) => sentences::history::event(lang, what),
    }
}

fn on_import(lang: Lang, what: &str) -> String {
    if lang == Lang::En {
        return what.to_owned();
    }
    let said = ON_IMPORT.into_iter().find_map(|(before, said)| {
        let rest = what.strip_prefix(before)?;
        Some(format!("{said}{rest}"))
    });
    said.unwrap_or_else(|| what.to_owned())
}

#[cfg(test)]
mod tests {
    use renkei_domain::ids::ShipmentId;
    use serde_json::json;

    use super::super::sentences::sources::texts_of;
    use super::*;

    fn settings() -> TenantSettings {
        let method = json!({ "id": "mail", "name": "ネコポス", "warehouse_code": "NEKO" });
        serde_json::from_value(json!({ "tenant": "a", "shipping_methods": [method] })).unwrap()
    }

    fn trial() -> TrialLine {
        let changes = [
            ("status", "ready", "hold"),
            ("hold_reasons", "", "bad-address, awaiting-payment"),
            ("payment", "paid", "unpaid"),
            ("shipping_method", "", "mail"),
            ("items", "ICE×1", "ICE×1 SOAP×2"),
            ("delivery_note", "status", ""),
        ];
        let changes = changes.map(|(field, before, after)| {
            let [field, before, after] = [field, before, after].map(str::to_owned);
            ChangeLine { field, before, after }
        });
        TrialLine {
            robot: "gift".to_owned(),
            kind: "processing",
            shipment: ShipmentId::try_from("a.88111.1".to_owned()).unwrap(),
            matches: Some(true),
            changes: changes.into(),
            actions: ["hold awaiting-payment", "shipping method mail", "notice: 要連絡"].map(str::to_owned).into(),
            on_import: Some("quarantined: 商品マスタに登録がありません".to_owned()),
        }
    }

    #[test]
    fn a_trial_is_told_in_peoples_words() {
        let told = line(Lang::Ja, &settings(), trial());
        let changes: Vec<String> =
            told.changes.iter().map(|it| format!("{}: {} → {}", it.field, it.before, it.after)).collect();
        assert_eq!(
            changes,
            [
                "ステータス: 出荷待ち → 保留",
                "保留理由: なし → 住所不備・入金確認",
                "入金ステータス: 入金済み → 未入金",
                "配送方法: なし → ネコポス",
                "出荷明細: ICE×1 → ICE×1 SOAP×2",
                "備考: status → なし",
            ]
        );
        assert_eq!(told.actions, ["保留（入金確認）へ", "配送方法: ネコポス", "メモ: 要連絡"]);
        assert_eq!(told.on_import.unwrap(), "取込保留: 商品マスタに登録がありません");
    }

    #[test]
    fn in_english_the_keys_stay() {
        let (told, found) = (line(Lang::En, &settings(), trial()), trial());
        assert_eq!((&told.actions, &told.on_import), (&found.actions, &found.on_import));
        let first = &told.changes[1];
        let [field, before, after] = [&first.field, &first.before, &first.after].map(String::as_str);
        assert_eq!((field, before, after), ("hold_reasons", "nothing", "bad-address, awaiting-payment"));
    }

    /// In the words that stand in its source.
    #[test]
    fn what_becomes_of_a_new_order_has_its_japanese() {
        let source = texts_of(include_str!("../../../../shared/setup/src/try_robot.rs"));
        let told: Vec<String> =
            source.into_iter().filter(|text| text.follows("Some(format!(")).map(|text| text.said).collect();
        assert_eq!(told.len(), ON_IMPORT.len(), "{told:?}");
        for what in told {
            let said = on_import(Lang::Ja, &what);
            assert!(!said.bytes().any(|byte| byte.is_ascii_lowercase()), "{what}: {said}");
        }
    }
}
