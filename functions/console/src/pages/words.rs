//! The trade's words in both languages, for what stands in records by a code.

use renkei_domain::gate::Lane;
use renkei_domain::needs::Need;
use renkei_domain::processing::{Action as Does, Condition, DeliveryDate, Literal, Operator, Split, Test};
use renkei_domain::run::{Outcome, RunState};
use renkei_domain::settings::{Temperature, TenantSettings};
use renkei_domain::shipment::{CancellationState, Difference, HoldReason, ShopSync, Status};
use renkei_words::fields;
pub use renkei_words::robots::action as robot;

use crate::lang::Lang;

pub fn status(lang: Lang, status: Status) -> &'static str {
    lang.of(status.label(), status.as_str())
}

pub fn hold(lang: Lang, reason: HoldReason) -> &'static str {
    lang.of(reason.label(), reason.as_str())
}

pub fn difference(lang: Lang, difference: Difference) -> &'static str {
    lang.of(difference.label(), difference.as_str())
}

pub fn sync(lang: Lang, sync: ShopSync) -> &'static str {
    let ja = match sync {
        ShopSync::Registered => "登・印刷待ち（通知前）",
        ShopSync::Acknowledged => "印刷済み（作業中を通知済み）",
        ShopSync::WrittenBack => "実績戻し済み",
        ShopSync::Completed => "出荷済み通知済み",
        ShopSync::Failed => "ショップ拒否",
    };
    lang.of(ja, sync.as_str())
}

pub fn cancellation(lang: Lang, state: CancellationState) -> &'static str {
    let ja = match state {
        CancellationState::Requested => "キャンセル依頼中",
        CancellationState::Accepted => "キャンセル承諾",
        CancellationState::Refused => "キャンセル拒否",
        CancellationState::TooLate => "キャンセル間に合わず",
    };
    let en = match state {
        CancellationState::Requested => "cancellation requested",
        CancellationState::Accepted => "cancellation accepted",
        CancellationState::Refused => "cancellation refused",
        CancellationState::TooLate => "cancelled too late",
    };
    lang.of(ja, en)
}

/// What of a shipment waits for a person.
pub fn need(lang: Lang, need: Need) -> &'static str {
    match need {
        Need::Cancellation => lang.of("キャンセルの対応待ち", "cancellations to see to"),
        Need::Asked => lang.of("キャンセル依頼の回答待ち", "cancellations that a warehouse was asked for"),
        Need::WriteBack => lang.of("ショップへの書き戻しエラー", "write-back errors"),
        Need::Payment => lang.of("決済状況の意味が未設定", "unknown payment states"),
        Need::Returned => lang.of("倉庫から戻った出荷", "given back by the warehouse"),
        Need::Difference => lang.of("取込後にショップで変わった出荷", "changed at the shop since import"),
    }
}

pub fn run_state(lang: Lang, state: RunState) -> &'static str {
    let ja = match state {
        RunState::Running => "実行中",
        RunState::Done => "完了",
        RunState::Blocked => "再開待ち",
        RunState::NeedsPerson => "要対応",
        RunState::Failed => "失敗",
    };
    // It waits for the day's calls, for the hour's sign-ins, or because the shop asked for that.
    let en = if state == RunState::Blocked { "waits" } else { state.as_str() };
    lang.of(ja, en)
}

/// How grave it is, as the style sheet says.
pub fn run_class(state: RunState) -> &'static str {
    match state {
        RunState::Running => "soft",
        RunState::Done => "good",
        RunState::Blocked | RunState::NeedsPerson => "warn",
        RunState::Failed => "bad",
    }
}

pub fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    let ja = match outcome {
        Outcome::Imported => "取込済み",
        Outcome::Duplicate => "重複",
        Outcome::Quarantined => "取込保留",
        Outcome::Refused => "取込拒否",
    };
    lang.of(ja, outcome.as_str())
}

/// A queue, by what its function does.
pub fn queue(lang: Lang, name: &str) -> &'static str {
    match name {
        "fetch-orders" => lang.of("受注取得", "fetch orders"),
        "import-orders" => lang.of("受注取込", "import orders"),
        "push-statuses" => lang.of("実績・ステータス通知", "tell the shop"),
        "sync-payments" => lang.of("入金・キャンセルの確認", "payments and cancellations"),
        _ => lang.of("在庫連携", "stock"),
    }
}

pub fn lane(lang: Lang, lane: Lane) -> &'static str {
    match lane {
        Lane::WriteBack => lang.of("実績・状態", "write-back"),
        Lane::Payment => lang.of("入金・キャンセル", "payment"),
        Lane::Fetch => lang.of("受注取得", "fetch"),
        Lane::Stock => lang.of("在庫", "stock"),
    }
}

/// How often, from so many minutes.
pub fn every(lang: Lang, minutes: u32) -> String {
    let hours = minutes.is_multiple_of(60).then_some(minutes / 60);
    match (lang, hours) {
        (Lang::Ja, Some(hours)) => format!("{hours}時間ごと"),
        (Lang::Ja, None) => format!("{minutes}分ごと"),
        (Lang::En, Some(hours)) => format!("{hours} h"),
        (Lang::En, None) => format!("{minutes} min"),
    }
}

/// A field's value, as people call it: what is ours by its label, what the settings name by that name. In English it stays
/// as documents and the command line have it.
pub fn value(lang: Lang, settings: &TenantSettings, field: &str, value: &str) -> String {
    if lang == Lang::En {
        return value.to_owned();
    }
    let label = match field {
        "status" => Status::ALL.into_iter().find(|it| it.as_str() == value).map(Status::label),
        "hold_reason" | "holds" | "hold_reasons" => return holds(value),
        "payment" | "payment.meaning" => match value {
            "paid" => Some("入金済み"),
            "unpaid" => Some("未入金"),
            "wait" => Some("入金待ち"),
            "cancelled" => Some("キャンセル"),
            "unknown" => Some("未設定"),
            _ => None,
        },
        "items.temperature" => Temperature::ALL.into_iter().find(|it| it.as_str() == value).map(Temperature::label),
        "import.duplicate_number" => match value {
            "true" => Some("はい"),
            "false" => Some("いいえ"),
            _ => None,
        },
        "shipping_method" => {
            settings.shipping_methods.iter().find(|it| it.id.as_str() == value).map(|it| it.name.as_str())
        }
        "ship_from" => settings.ship_froms.iter().find(|it| it.id.as_str() == value).map(|it| it.name.as_str()),
        _ => None,
    };
    label.unwrap_or(value).to_owned()
}

/// A list of reasons, by their labels.
fn holds(names: &str) -> String {
    let label = |name| if let Some(reason) = HoldReason::from_name(name) { reason.label() } else { name };
    let labels: Vec<&str> = names.split(", ").map(label).collect();
    labels.join("・")
}

/// A condition as a sentence.
pub fn condition(lang: Lang, settings: &TenantSettings, condition: &Condition) -> String {
    match condition {
        Condition::All(all) if all.is_empty() => lang.of("すべての出荷", "every shipment").to_owned(),
        Condition::All(all) => joined(lang, settings, all, lang.of(" かつ ", " and ")),
        Condition::Any(any) => joined(lang, settings, any, lang.of(" または ", " or ")),
        Condition::Not(not) => {
            let inner = self::condition(lang, settings, not);
            match lang {
                Lang::Ja => format!("（{inner}）ではない"),
                Lang::En => format!("not ({inner})"),
            }
        }
        Condition::Test(test) => tested(lang, settings, test),
    }
}

fn tested(lang: Lang, settings: &TenantSettings, test: &Test) -> String {
    let field = match (lang, fields::label(lang, &test.field)) {
        // A name stands apart from the Japanese behind it.
        (Lang::Ja, name) if name == test.field => format!("{name} "),
        (Lang::Ja | Lang::En, label) => label.to_owned(),
    };
    let of = |literal: &Literal| value(lang, settings, &test.field, &literal.text());
    let (ja, en) = match &test.operator {
        Operator::Equals(value) => {
            let value = of(value);
            (format!("{field}が「{value}」と等しい"), format!("{field} is “{value}”"))
        }
        Operator::In(values) => {
            let list: Vec<String> = values.iter().map(of).collect();
            (format!("{field}が「{}」のいずれか", list.join("・")), format!("{field} is one of {}", list.join(", ")))
        }
        Operator::Contains(value) => {
            let value = of(value);
            (format!("{field}に「{value}」を含む"), format!("{field} contains “{value}”"))
        }
        Operator::Matches(pattern) => (format!("{field}が /{pattern}/ に一致"), format!("{field} matches /{pattern}/")),
        Operator::Greater(value) => {
            let value = of(value);
            (format!("{field}が {value} より大きい"), format!("{field} is above {value}"))
        }
        Operator::Less(value) => {
            let value = of(value);
            (format!("{field}が {value} より小さい"), format!("{field} is below {value}"))
        }
        Operator::Exists(true) => (format!("{field}に値がある"), format!("{field} has a value")),
        Operator::Exists(false) => (format!("{field}に値がない"), format!("{field} has no value")),
        Operator::LongerThan(width) => {
            (format!("{field}が半角{width}文字分より長い"), format!("{field} is wider than {width} columns"))
        }
        Operator::NotPrintable(true) => {
            (format!("{field}に印字できない文字がある"), format!("{field} holds what cannot be printed"))
        }
        Operator::NotPrintable(false) => {
            (format!("{field}はすべて印字できる"), format!("all of {field} can be printed"))
        }
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

fn joined(lang: Lang, settings: &TenantSettings, parts: &[Condition], between: &str) -> String {
    let texts: Vec<String> = parts
        .iter()
        .map(|part| {
            let text = condition(lang, settings, part);
            match (lang, part) {
                (Lang::Ja, Condition::All(_) | Condition::Any(_)) => format!("（{text}）"),
                (Lang::En, Condition::All(_) | Condition::Any(_)) => format!("({text})"),
                (Lang::Ja | Lang::En, Condition::Not(_) | Condition::Test(_)) => text,
            }
        })
        .collect();
    texts.join(between)
}

/// What a robot does, as a sentence.
pub fn does(lang: Lang, settings: &TenantSettings, action: &Does) -> String {
    let reason = |name: &str| HoldReason::from_name(name).map_or_else(|| name.to_owned(), |r| hold(lang, r).to_owned());
    let (ja, en) = match action {
        Does::DerivePayment => ("入金ステータスを確認する".into(), "derive the payment".into()),
        Does::ToReady => ("出荷待ちへ移動する".into(), "move to ready".into()),
        Does::Hold(name) => (format!("保留（{}）にする", reason(name)), format!("hold: {}", reason(name))),
        Does::ClearHold(name) => {
            (format!("保留理由（{}）を外す", reason(name)), format!("clear the reason {}", reason(name)))
        }
        Does::RefuseImport(why) => (format!("取り込まない: {why}"), format!("do not import: {why}")),
        Does::Quarantine(why) => (format!("取り込みを保留する: {why}"), format!("quarantine: {why}")),
        Does::Cancel(why) => (format!("キャンセルする: {why}"), format!("cancel: {why}")),
        Does::SetField(set) => {
            let (field, text) = (fields::label(lang, &set.field), set.value.text());
            let ja = if text.is_empty() {
                format!("{field}を空にする")
            } else {
                format!("{field}を「{}」にする", value(lang, settings, &set.field, &text))
            };
            (ja, format!("set {field} to “{text}”"))
        }
        Does::SetShippingMethod(id) => {
            let name = value(lang, settings, "shipping_method", id.as_str());
            (format!("配送方法を「{name}」にする"), format!("ship by {name}"))
        }
        Does::SetDeliveryDate(date) => {
            let ja = match date {
                DeliveryDate::None => "お届け希望日をなしにする".to_owned(),
                DeliveryDate::On(day) => format!("お届け希望日を {day} にする"),
                DeliveryDate::AfterImport(days) => format!("お届け希望日を取込日の{days}日後にする"),
            };
            (ja, format!("set the delivery date: {}", String::from(*date)))
        }
        Does::SetDeliveryTime(time) => {
            (format!("お届け希望時間帯を「{time}」にする"), format!("set the delivery time: {time}"))
        }
        Does::AddItem(item) => {
            (format!("{} を {} 点同梱する", item.sku, item.quantity), format!("add {} × {}", item.quantity, item.sku))
        }
        Does::Split(split) => split_off(settings, split),
        Does::Tag(tag) => (format!("ラベル「{tag}」を付ける"), format!("tag “{tag}”")),
        Does::Notify(text) => (format!("履歴にメモを残す: {text}"), format!("note in the history: {text}")),
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// What gets a parcel of its own, and how that is shipped; in Japanese and in English.
fn split_off(settings: &TenantSettings, split: &Split) -> (String, String) {
    let mut ja: Vec<String> = split.skus.iter().map(ToString::to_string).collect();
    let mut en = ja.clone();
    if let Some(temperature) = split.temperature {
        ja.push(format!("{}の商品", temperature.label()));
        en.push(format!("what is {}", temperature.as_str()));
    }
    let (ja, en) = (format!("{}を別の荷物に分ける", ja.join("・")), format!("split off {}", en.join(", ")));
    match &split.shipping_method {
        Some(method) => {
            let name = value(Lang::Ja, settings, "shipping_method", method.as_str());
            (format!("{ja}（配送方法: {name}）"), format!("{en} (ship by {method})"))
        }
        None => (ja, en),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings() -> TenantSettings {
        serde_json::from_value(json!({
            "tenant": "a",
            "shipping_methods": [{ "id": "mail", "name": "ネコポス", "warehouse_code": "NEKO" }],
        }))
        .unwrap()
    }

    #[test]
    fn conditions_read_as_sentences() {
        let said =
            |lang, written: Value| condition(lang, &settings(), &serde_json::from_value::<Condition>(written).unwrap());
        let read = json!({ "all": [
            { "field": "status", "equals": "hold" },
            { "any": [{ "field": "payment", "equals": "paid" }, { "not": { "field": "order.total", "greater": 0 } }] },
        ] });
        assert_eq!(
            said(Lang::Ja, read.clone()),
            "ステータスが「保留」と等しい かつ （入金ステータスが「入金済み」と等しい または \
             （注文の合計金額が 0 より大きい）ではない）"
        );
        assert_eq!(said(Lang::En, read), "status is “hold” and (payment is “paid” or not (order.total is above 0))");
        assert_eq!(condition(Lang::En, &settings(), &Condition::default()), "every shipment");
        for (field, mut written, words) in [
            ("shipping_method", json!({ "in": ["mail", "gone"] }), "配送方法が「ネコポス・gone」のいずれか"),
            ("holds", json!({ "equals": "bad-address" }), "保留理由（すべて）が「住所不備」と等しい"),
            ("items.temperature", json!({ "equals": "frozen" }), "温度帯が「冷凍」と等しい"),
            ("import.duplicate_number", json!({ "equals": true }), "受注番号の重複が「はい」と等しい"),
            ("delivery_note", json!({ "contains": "status" }), "備考に「status」を含む"),
            // An attribute of the shop's has no label.
            ("order.kind", json!({ "exists": false }), "order.kind に値がない"),
        ] {
            written["field"] = json!(field);
            assert_eq!(said(Lang::Ja, written), words);
        }
    }

    #[test]
    fn what_robots_do_reads_as_sentences() {
        for (written, ja, en) in [
            (json!("to_ready"), "出荷待ちへ移動する", "move to ready"),
            (json!({ "hold": "remark" }), "保留（備考確認）にする", "hold: remark"),
            (
                json!({ "set_field": { "field": "delivery_note", "value": "至急" } }),
                "備考を「至急」にする",
                "set delivery_note to “至急”",
            ),
            (
                json!({ "set_field": { "field": "ship_to.company", "value": "" } }),
                "会社名を空にする",
                "set ship_to.company to “”",
            ),
            (json!({ "set_shipping_method": "mail" }), "配送方法を「ネコポス」にする", "ship by mail"),
            (json!({ "set_delivery_date": "none" }), "お届け希望日をなしにする", "set the delivery date: none"),
            (
                json!({ "set_delivery_date": "3 days after import" }),
                "お届け希望日を取込日の3日後にする",
                "set the delivery date: 3 days after import",
            ),
            (
                json!({ "split": { "skus": ["ICE"], "temperature": "frozen", "shipping_method": "mail" } }),
                "ICE・冷凍の商品を別の荷物に分ける（配送方法: ネコポス）",
                "split off ICE, what is frozen (ship by mail)",
            ),
        ] {
            let action: Does = serde_json::from_value(written).unwrap();
            assert_eq!(does(Lang::Ja, &settings(), &action), ja);
            assert_eq!(does(Lang::En, &settings(), &action), en);
        }
    }

    #[test]
    fn an_interval_is_said_in_hours_where_it_is_whole_hours() {
        assert_eq!([15, 90].map(|it| every(Lang::Ja, it)), ["15分ごと", "90分ごと"]);
        assert_eq!([60, 1_440].map(|it| every(Lang::Ja, it)), ["1時間ごと", "24時間ごと"]);
        assert_eq!([15, 120].map(|it| every(Lang::En, it)), ["15 min", "2 h"]);
    }
}
