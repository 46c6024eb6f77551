//! What people call the fields that conditions look at, and that robots and templates set and change; and what else of a
//! document has another name in forms.

use renkei_domain::settings::Action;

use crate::lang::Lang;
use crate::robots;

/// By name, in Japanese. In English the names speak for themselves.
const LABELS: [(&str, &str); 48] = [
    ("order.id", "受注ID"),
    ("order.number", "受注番号"),
    ("order.state", "対応状況"),
    ("order.payment_state", "決済状況"),
    ("order.total", "注文の合計金額"),
    ("order.updated_at", "注文の更新日"),
    ("order.carrier.id", "配送業者ID"),
    ("order.carrier.name", "配送業者名"),
    ("ship_to.name", "お届け先名"),
    ("ship_to.kana", "お届け先名カナ"),
    ("ship_to.company", "会社名"),
    ("ship_to.postal_code", "郵便番号"),
    ("ship_to.prefecture", "都道府県"),
    ("ship_to.address1", "市区町村・町名"),
    ("ship_to.address2", "番地"),
    ("ship_to.address3", "建物名・部屋番号"),
    ("ship_to.phone", "電話番号"),
    ("status", "ステータス"),
    ("hold_reason", "保留理由（最初のもの）"),
    ("holds", "保留理由（すべて）"),
    ("hold_reasons", "保留理由"),
    ("payment", "入金ステータス"),
    ("payment.meaning", "決済状況の意味"),
    ("payment_method", "決済方法"),
    ("shipping_method", "配送方法"),
    ("ship_from", "発送元"),
    ("parcels", "荷物の数"),
    ("items", "出荷明細"),
    ("items.sku", "商品コード"),
    ("items.name", "商品名"),
    ("items.quantity", "数量の合計"),
    ("items.count", "明細の数"),
    ("items.temperature", "温度帯"),
    ("totals.total", "合計"),
    ("totals.subtotal", "小計"),
    ("totals.delivery_fee", "送料"),
    ("totals.charge", "手数料"),
    ("totals.discount", "値引き"),
    ("totals.points", "ポイント"),
    ("totals.tax", "消費税"),
    ("delivery_note", "備考"),
    ("tags", "ラベル"),
    ("ship_on", "出荷予定日"),
    ("deliver_on", "お届け希望日"),
    ("delivery_time", "お届け希望時間帯"),
    ("connection.id", "ショップ"),
    ("product.unknown_skus", "未登録の商品コード"),
    ("import.duplicate_number", "受注番号の重複"),
];

/// 対応状況 of a shop, by their keys in a document.
const STATES: [(&str, &str); 3] =
    [("fetch", "取得する対応状況"), ("working", "取得後の対応状況"), ("shipped", "出荷済みの対応状況")];

/// Fields that a processing robot can set.
pub const SETTABLE: [&str; 12] = [
    "delivery_note",
    "delivery_time",
    "payment_method",
    "ship_to.name",
    "ship_to.kana",
    "ship_to.company",
    "ship_to.postal_code",
    "ship_to.prefecture",
    "ship_to.address1",
    "ship_to.address2",
    "ship_to.address3",
    "ship_to.phone",
];

/// What people call it; its name where there is nothing else.
#[must_use]
pub fn label(lang: Lang, name: &str) -> &str {
    match lang {
        Lang::Ja => LABELS.iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| label),
        Lang::En => name,
    }
}

/// That with its name, where they differ.
#[must_use]
pub fn labelled(lang: Lang, name: &str) -> String {
    match label(lang, name) {
        same if same == name => name.to_owned(),
        label => format!("{label} ({name})"),
    }
}

/// A state of a shop as a form calls it, with its key.
pub(crate) fn state(key: &str) -> String {
    called(&STATES, key)
}

/// A list of what robots do, each as a form calls it, with its name.
pub(crate) fn actions(names: &str) -> String {
    let all: Vec<String> = names.split(", ").map(action).collect();
    all.join("、")
}

fn action(name: &str) -> String {
    match Action::ALL.into_iter().find(|action| action.as_str() == name) {
        Some(action) => format!("「{}」（{name}）", robots::action(Lang::Ja, action)),
        None => name.to_owned(),
    }
}

fn called(labels: &[(&str, &str)], key: &str) -> String {
    match labels.iter().find(|(known, _)| *known == key) {
        Some((_, label)) => format!("「{label}」（{key}）"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_label() {
        let all = renkei_domain::processing::field_names().chain(SETTABLE).chain(renkei_domain::convert::FIELDS);
        let tried = renkei_setup::try_robot::FIELDS.into_iter().chain([renkei_setup::try_robot::ITEMS]);
        for name in all.chain(tried) {
            assert_ne!(label(Lang::Ja, name), name, "{name}");
        }
        assert_eq!(labelled(Lang::Ja, "tags"), "ラベル (tags)");
        assert_eq!(labelled(Lang::En, "tags"), "tags");
    }

    #[test]
    fn what_robots_do_and_states_are_called_as_in_forms() {
        for action in renkei_domain::settings::Action::ALL {
            assert!(actions(action.as_str()).starts_with('「'), "{action:?}");
        }
        assert_eq!(actions("fetch-orders, reconcile"), "「出荷指示取得」（fetch-orders）、「夜間照合」（reconcile）");
        assert_eq!([state("working"), state("other")], ["「取得後の対応状況」（working）", "other"]);
    }

    #[test]
    fn what_is_offered_to_be_set_can_be_set() {
        for name in SETTABLE {
            let settings = format!(
                r#"{{"tenant":"a","processing_robots":{{"custom":[
                    {{"id":"a","name":"a","do":[{{"set_field":{{"field":"{name}","value":"x"}}}}]}}]}}}}"#
            );
            let settings = serde_json::from_str(&settings).unwrap();
            assert!(renkei_domain::processing::RobotSet::compile(&settings).is_ok(), "{name}");
        }
    }
}
