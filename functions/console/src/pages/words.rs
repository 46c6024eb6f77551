//! The trade's words in both languages, for what stands in records by a code.

use renkei_domain::gate::Lane;
use renkei_domain::needs::Need;
use renkei_domain::processing::{Action as Does, Condition, Operator};
use renkei_domain::run::{Outcome, RunState};
use renkei_domain::settings::Action;
use renkei_domain::shipment::{CancellationState, Difference, HoldReason, ShopSync, Status};

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
        ShopSync::Registered => "登・印刷待ち",
        ShopSync::Acknowledged => "印刷済み",
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
        RunState::Blocked => "9時まで停止",
        RunState::NeedsPerson => "要対応",
        RunState::Failed => "失敗",
    };
    lang.of(ja, state.as_str())
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

pub fn robot(lang: Lang, action: Action) -> &'static str {
    let ja = match action {
        Action::FetchOrders => "出荷指示取得",
        Action::StateWorking => "ステータス変更（出荷作業中）",
        Action::StateShipped => "ステータス変更（出荷済み）",
        Action::StatusSync => "ステータス同期",
        Action::WriteBack => "実績戻し",
        Action::Inventory => "在庫連携",
        Action::ApplyProcessing => "処理ロボット適用",
        Action::Reconcile => "夜間照合",
    };
    lang.of(ja, action.as_str())
}

/// A queue, by what its function does.
pub fn queue(lang: Lang, name: &str) -> &'static str {
    match name {
        "fetch-orders" => lang.of("受注取得", "fetch orders"),
        "import-orders" => lang.of("受注取込", "import orders"),
        "push-statuses" => lang.of("実績・ステータス通知", "tell the shop"),
        "sync-payments" => lang.of("入金・取消の確認", "payments and cancellations"),
        _ => lang.of("在庫連携", "stock"),
    }
}

pub fn lane(lang: Lang, lane: Lane) -> &'static str {
    match lane {
        Lane::WriteBack => lang.of("実績・状態", "write-back"),
        Lane::Payment => lang.of("入金・取消", "payment"),
        Lane::Fetch => lang.of("受注取得", "fetch"),
        Lane::Stock => lang.of("在庫", "stock"),
    }
}

/// A condition as a sentence.
pub fn condition(lang: Lang, condition: &Condition) -> String {
    match condition {
        Condition::All(all) if all.is_empty() => lang.of("すべての出荷", "every shipment").to_owned(),
        Condition::All(all) => joined(lang, all, lang.of(" かつ ", " and ")),
        Condition::Any(any) => joined(lang, any, lang.of(" または ", " or ")),
        Condition::Not(not) => {
            let inner = self::condition(lang, not);
            match lang {
                Lang::Ja => format!("（{inner}）ではない"),
                Lang::En => format!("not ({inner})"),
            }
        }
        Condition::Test(test) => {
            let field = &test.field;
            let (ja, en) = match &test.operator {
                Operator::Equals(value) => {
                    (format!("{field} が「{}」と等しい", value.text()), format!("{field} is “{}”", value.text()))
                }
                Operator::In(values) => {
                    let list: Vec<_> = values.iter().map(|value| value.text().into_owned()).collect();
                    (
                        format!("{field} が「{}」のいずれか", list.join("・")),
                        format!("{field} is one of {}", list.join(", ")),
                    )
                }
                Operator::Contains(value) => {
                    (format!("{field} に「{}」を含む", value.text()), format!("{field} contains “{}”", value.text()))
                }
                Operator::Matches(pattern) => {
                    (format!("{field} が /{pattern}/ に一致"), format!("{field} matches /{pattern}/"))
                }
                Operator::Greater(value) => {
                    (format!("{field} が {} より大きい", value.text()), format!("{field} is above {}", value.text()))
                }
                Operator::Less(value) => {
                    (format!("{field} が {} より小さい", value.text()), format!("{field} is below {}", value.text()))
                }
                Operator::Exists(true) => (format!("{field} に値がある"), format!("{field} has a value")),
                Operator::Exists(false) => (format!("{field} に値がない"), format!("{field} has no value")),
                Operator::LongerThan(width) => {
                    (format!("{field} が半角{width}文字分より長い"), format!("{field} is wider than {width} columns"))
                }
                Operator::NotPrintable(true) => {
                    (format!("{field} に印字できない文字がある"), format!("{field} holds what cannot be printed"))
                }
                Operator::NotPrintable(false) => {
                    (format!("{field} はすべて印字できる"), format!("all of {field} can be printed"))
                }
            };
            match lang {
                Lang::Ja => ja,
                Lang::En => en,
            }
        }
    }
}

fn joined(lang: Lang, parts: &[Condition], between: &str) -> String {
    let texts: Vec<String> = parts
        .iter()
        .map(|part| {
            let text = condition(lang, part);
            if matches!(part, Condition::All(_) | Condition::Any(_)) { format!("（{text}）") } else { text }
        })
        .collect();
    texts.join(between)
}

/// What a robot does, as a sentence.
pub fn does(lang: Lang, action: &Does) -> String {
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
        Does::SetField(set) => (
            format!("{} を「{}」にする", set.field, set.value.text()),
            format!("set {} to “{}”", set.field, set.value.text()),
        ),
        Does::SetShippingMethod(id) => (format!("配送方法を {id} にする"), format!("ship by {id}")),
        Does::SetDeliveryDate(date) => {
            let date = String::from(*date);
            (format!("お届け希望日を {date} にする"), format!("set the delivery date: {date}"))
        }
        Does::SetDeliveryTime(time) => (format!("時間帯を {time} にする"), format!("set the delivery time: {time}")),
        Does::AddItem(item) => {
            (format!("{} を {} 点同梱する", item.sku, item.quantity), format!("add {} × {}", item.quantity, item.sku))
        }
        Does::Split(split) => {
            let skus: Vec<&str> = split.skus.iter().map(renkei_domain::ids::Sku::as_str).collect();
            (format!("{} を別の荷物に分ける", skus.join("・")), format!("split off {}", skus.join(", ")))
        }
        Does::Tag(tag) => (format!("ラベル「{tag}」を付ける"), format!("tag “{tag}”")),
        Does::Notify(text) => (format!("通知する: {text}"), format!("notify: {text}")),
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_as_sentences() {
        let read: Condition = serde_json::from_str(
            r#"{"all":[{"field":"status","equals":"hold"},{"any":[{"field":"payment","equals":"paid"},{"not":{"field":"order.total","greater":0}}]}]}"#,
        )
        .unwrap();
        assert_eq!(
            condition(Lang::Ja, &read),
            "status が「hold」と等しい かつ （payment が「paid」と等しい または （order.total が 0 より大きい）ではない）"
        );
        assert_eq!(condition(Lang::En, &Condition::default()), "every shipment");
    }
}
