//! What happened to a shipment, as its history has it: in a few words of English, often several parts with `; `
//! between; and by whom. What a processing robot says that it changed is worded likewise.

use renkei_domain::shipment::{Difference, HoldReason, Status};
use renkei_words::forms::{filled, first_of, slots};
use renkei_words::{fields, reasons};

use crate::lang::Lang;
use crate::pages::draft;

/// An event, or what a robot changed, in the page's language.
pub fn event(lang: Lang, what: &str) -> String {
    match lang {
        Lang::En => what.to_owned(),
        Lang::Ja => japanese(what),
    }
}

/// Who did it: what is ours by its name; a person, a robot or a run as it is.
pub fn by(lang: Lang, who: &str) -> &str {
    match (lang, who) {
        (Lang::Ja, "warehouse") => "倉庫",
        (Lang::Ja, "import-orders") => "取込",
        (Lang::Ja | Lang::En, who) => who,
    }
}

type Forms = &'static [(&'static str, &'static str)];
type Naming = fn(&str) -> String;

/// The forms of events, and what people call that which stands in their places. The first that fits counts, so what is
/// special stands before what is general.
const FORMS: [(Forms, Naming); 7] = [
    (AS_WRITTEN, str::to_owned),
    (OF_HOLDS, holds),
    (OF_DIFFERENCES, differences),
    (OF_REASONS, reason),
    (OF_PAYMENT, payment),
    (OF_ACTIONS, action_or_status),
    (OF_FIELDS, field),
];

const AS_WRITTEN: Forms = &[
    // The warehouse.
    ("claimed", "出荷準備中へ"),
    ("shipped", "出荷済み"),
    ("the cancellation came too late", "キャンセルは間に合いませんでした"),
    ("result corrected", "出荷実績を訂正"),
    ("shipping method corrected", "配送方法を訂正"),
    ("given back: {}", "倉庫から戻りました: {0}"),
    ("left although cancelled", "キャンセル済みですが出荷されました"),
    // Cancellations.
    ("cancelled", "キャンセル"),
    ("cancellation accepted", "キャンセル依頼を承諾"),
    ("cancellation refused", "キャンセル依頼を拒否"),
    ("cancellation request withdrawn: {}", "キャンセル依頼を取り下げ（ショップでキャンセルではなくなりました）"),
    ("cancellation overdue", "キャンセル依頼の回答期限切れ"),
    ("cancellation closed", "キャンセルを対応済みに"),
    ("differences seen", "差分を確認済みに"),
    ("to be made anew", "ショップの最新内容での作り直しを依頼（それまで保留）"),
    ("made anew: nothing is otherwise", "ショップの最新内容で作り直し: 変わったところはありません"),
    ("made anew: {}", "ショップの最新内容で作り直し: {0}"),
    ("the answer was entered in the console", "倉庫の回答をコンソールで入力"),
    // The shop.
    ("paid: {}", "入金済み: {0}"),
    ("not paid any more, and the warehouse has it in hand", "出荷準備中に未入金へ戻りました"),
    ("not paid any more: {}", "未入金へ戻りました: {0}"),
    (
        "the shop announced its cancellation, and has it as being worked on",
        "ショップからキャンセルの通知がありましたが、ショップでは作業中のままです（上書きされた可能性。ショップで確認）",
    ),
    ("the shop has it as imported again", "ショップの内容が取込時と同じに戻りました"),
    ("seen again in the fetch state", "取得対象に再び出現"),
    ("seen in the fetch state, although it has left", "出荷済みですが、ショップではまだ取得対象です"),
    ("told again", "もう一度通知します"),
    ("written back", "実績戻し済み"),
    ("shop refused: {}", "ショップ拒否: {0}"),
    ("tried again", "ショップへの通知をやり直し"),
    ("payment not captured", "売上処理がされていません"),
    ("payment may be captured again", "売上処理のやり直しを許可"),
    // People.
    ("release", "保留を解除して出荷待ちへ"),
    ("release-unpaid", "未入金でも出荷待ちへ"),
    // Processing robots.
    ("ready", "出荷待ちへ"),
    ("not imported", "取り込みません"),
    ("quarantined", "取込保留"),
    ("parcel of its own", "別の荷物に分割"),
    (
        "undone: together with other robots it never comes to rest",
        "ほかのロボットと変更を打ち消し合うため、取り消しました",
    ),
    (
        "{}: payment state {} is not in the connection's table and waits",
        "入金ステータス: 未入金（決済状況 {1} は対応表にないため入金待ち）",
    ),
    ("shipping method {}", "配送方法: {0}"),
    ("delivery date none", "お届け希望日: なし"),
    ("delivery date {}", "お届け希望日: {0}"),
    ("added {} × {}", "{0} を {1} 点同梱"),
    ("tag {}", "ラベル「{0}」を付与"),
];

const OF_HOLDS: Forms =
    &[("hold {} cleared", "保留（{0}）を解除"), ("hold {}", "保留（{0}）へ"), ("stays on hold: {}", "保留のまま: {0}")];

const OF_DIFFERENCES: Forms = &[("the shop has otherwise: {}", "ショップの内容が取込時と違います: {0}")];

const OF_REASONS: Forms = &[
    ("cancelled: {}", "キャンセル: {0}"),
    ("cancelled as well: {}", "ショップでもキャンセル: {0}"),
    ("cancellation requested: {}", "倉庫へキャンセルを依頼: {0}"),
    ("cancelled at the shop after it left: {}", "出荷後にショップでキャンセル: {0}"),
];

/// Why it is cancelled, where that is not a robot's own text.
const REASONS: Forms = &[("asked for in the console", "コンソールでの操作"), ("{} at the shop", "ショップの状態 {0}")];

const OF_PAYMENT: Forms = &[("payment {}", "入金ステータス: {0}")];

const OF_ACTIONS: Forms = &[("{}: not any more, the shipment is {}", "{0}: {1}のためできません")];

const OF_FIELDS: Forms = &[("{} set", "「{0}」を書き換え")];

/// What robots that came to no end have to say to people.
const NOTICES: Forms = &[(
    "Robots undo each other's changes for ever, so none was made: {}",
    "ロボットが互いの変更を打ち消し合うため、どの変更も行いませんでした: {0}",
)];

/// Why a shipment was held on import.
const DETAILS: Forms = &[
    ("name", "お届け先名"),
    ("postal code", "郵便番号"),
    ("prefecture", "都道府県"),
    ("address", "住所"),
    ("no shipping method matches", "当てはまる配送方法なし"),
    ("the shop said no total", "合計金額なし"),
];

fn japanese(what: &str) -> String {
    // A text of people's, which may have a `; ` in it.
    if let Some(text) = what.strip_prefix("notice: ") {
        return format!("メモ: {}", first_of(NOTICES, text).as_deref().unwrap_or(text));
    }
    for (before, named) in [("imported: ", "取込"), ("made anew: ", "ショップの最新内容で作り直し")] {
        if let Some(said) = what.strip_prefix(before).and_then(imported) {
            return format!("{named}: {said}");
        }
    }
    if let Some(why) = what.strip_prefix("not made anew: ") {
        return format!("ショップの最新内容で作り直せませんでした: {}", reasons::not_anew(why));
    }
    let mut text = String::new();
    for part in what.split("; ") {
        let said = of_part(part);
        if !text.is_empty() {
            // What has no Japanese may be a part of people's text.
            text.push_str(if said.is_some() { "、" } else { "; " });
        }
        text.push_str(said.as_deref().unwrap_or(part));
    }
    text
}

fn of_part(part: &str) -> Option<String> {
    FORMS.iter().find_map(|(forms, name)| {
        forms.iter().find_map(|(form, said)| {
            let names: Vec<String> = slots(form, part)?.into_iter().map(name).collect();
            Some(filled(said, &names))
        })
    })
}

/// Status and reasons, each with its details: `hold bad-address (postal code) awaiting-payment`.
fn imported(text: &str) -> Option<String> {
    let (status, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let status = status_of(status)?;
    let mut reasons = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let reason = HoldReason::from_name(name)?.label();
        if let Some((details, after)) = after.strip_prefix('(').and_then(|details| details.split_once(')')) {
            let details: Vec<String> = details.split("; ").map(detail).collect();
            reasons.push(format!("{reason}: {}", details.join("・")));
            rest = after.trim_start();
        } else {
            reasons.push(reason.to_owned());
            rest = after;
        }
    }
    let held = if reasons.is_empty() { String::new() } else { format!("（{}）", reasons.join("、")) };
    Some(format!("{status}{held}"))
}

fn detail(text: &str) -> String {
    first_of(DETAILS, text).unwrap_or_else(|| text.to_owned())
}

fn reason(text: &str) -> String {
    first_of(REASONS, text).unwrap_or_else(|| text.to_owned())
}

fn holds(names: &str) -> String {
    listed(names, |name| HoldReason::from_name(name).map(HoldReason::label))
}

fn differences(names: &str) -> String {
    listed(names, |name| serde_json::from_value::<Difference>(name.into()).ok().map(Difference::label))
}

fn listed(names: &str, label: fn(&str) -> Option<&'static str>) -> String {
    let labels: Vec<&str> = names.split(", ").map(|name| label(name).unwrap_or(name)).collect();
    labels.join("・")
}

fn payment(name: &str) -> String {
    let said = match name {
        "paid" => "入金済み",
        "unpaid" => "未入金",
        other => other,
    };
    said.to_owned()
}

fn action_or_status(name: &str) -> String {
    let action = draft::find(name).map(|kind| kind.ja);
    action.or_else(|| status_of(name)).unwrap_or(name).to_owned()
}

fn status_of(name: &str) -> Option<&'static str> {
    Status::ALL.into_iter().find(|status| status.as_str() == name).map(Status::label)
}

fn field(name: &str) -> String {
    fields::label(Lang::Ja, name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::sources::{Text, texts_of};
    use super::*;

    #[test]
    fn an_event_is_said_part_by_part_with_peoples_labels() {
        for (what, said) in [
            ("claimed", "出荷準備中へ"),
            ("cancellation requested: voided at the shop", "倉庫へキャンセルを依頼: ショップの状態 voided"),
            ("cancelled: asked for in the console", "キャンセル: コンソールでの操作"),
            (
                "not paid any more: auth_failed; hold awaiting-payment",
                "未入金へ戻りました: auth_failed、保留（入金確認）へ",
            ),
            (
                "the shop has otherwise: lines, payment-method; hold needs-review",
                "ショップの内容が取込時と違います: 明細・決済方法、保留（要確認）へ",
            ),
            (
                "payment paid; hold awaiting-payment cleared; ready",
                "入金ステータス: 入金済み、保留（入金確認）を解除、出荷待ちへ",
            ),
            ("stays on hold: bad-address, remark", "保留のまま: 住所不備・備考確認"),
            ("to_ready: not any more, the shipment is picking", "出荷待ちへ移動する: 出荷準備中のためできません"),
            ("delivery_note set", "「備考」を書き換え"),
            ("release-unpaid", "未入金でも出荷待ちへ"),
            ("shipping method corrected", "配送方法を訂正"),
            ("shipping method yamato", "配送方法: yamato"),
            ("imported: ready", "取込: 出荷待ち"),
            (
                "imported: hold bad-address (postal code) needs-review (no shipping method matches; \
                 the shop said no total) awaiting-payment",
                "取込: 保留（住所不備: 郵便番号、要確認: 当てはまる配送方法なし・合計金額なし、入金確認）",
            ),
        ] {
            assert_eq!(event(Lang::Ja, what), said);
            assert_eq!(event(Lang::En, what), what);
        }
    }

    #[test]
    fn what_people_wrote_stays_as_they_wrote_it() {
        for (what, said) in [
            ("notice: 要連絡; ready", "メモ: 要連絡; ready"),
            ("cancelled: 在庫切れ; 連絡済み; ready", "キャンセル: 在庫切れ; 連絡済み、出荷待ちへ"),
            ("tag gift set", "ラベル「gift set」を付与"),
            ("tag {1}", "ラベル「{1}」を付与"),
            ("imported: hold nonsense", "imported: hold nonsense"),
            ("nobody has said this", "nobody has said this"),
        ] {
            assert_eq!(event(Lang::Ja, what), said);
        }
        let people = ["warehouse", "import-orders", "hanako-ecforce/status-sync", "hanako@shop.example"];
        assert_eq!(people.map(|who| by(Lang::Ja, who)), ["倉庫", "取込", people[2], people[3]]);
        assert_eq!(people.map(|who| by(Lang::En, who)), people);
    }

    /// Whatever writes a shipment's history, in the words that stand in its source.
    #[test]
    fn every_event_has_its_japanese() {
        // All that is more than a word in these is said of a shipment.
        let telling = [
            include_str!("../../../../../shared/domain/src/handover.rs"),
            include_str!("../../../../../shared/domain/src/handover/returned.rs"),
            include_str!("../../../../../shared/domain/src/processing/apply.rs"),
            include_str!("../../../../../shared/domain/src/processing/effect.rs"),
            include_str!("../../../../../shared/domain/src/sync/mod.rs"),
        ];
        let noting = [
            include_str!("../../../../../shared/domain/src/import/mod.rs"),
            include_str!("../../../../../shared/domain/src/shipment/mod.rs"),
            include_str!("../../../../../shared/domain/src/shipment/again.rs"),
            include_str!("../../../../../shared/setup/src/retry.rs"),
            include_str!("../../../../../functions/import-orders/src/lib.rs"),
            include_str!("../../../../../shared/store/src/sales.rs"),
            include_str!("../../../../../functions/sync-payments/src/sync.rs"),
            include_str!("../../../../../shared/domain/src/import/anew.rs"),
            include_str!("../bulk.rs"),
            include_str!("../differences.rs"),
            include_str!("../shipment.rs"),
        ];
        let is_noted = |text: &Text| text.is_given_to(".note(");
        let is_told = |text: &Text| {
            text.said.contains(' ') || ["Changed(", "push(", "what ="].iter().any(|code| text.follows(code))
        };
        let is_reason = |text: &Text| text.is_given_to("cancel_by_person(");
        // Why an order is not imported is said of orders, which have no history.
        let is_of_orders = |text: &Text| super::reasons::said(Lang::Ja, &text.said) != text.said;
        let is_named = |text: &Text| text.follows("&str =") && text.said.contains(' ') && !is_of_orders(text);
        let telling = telling.iter().flat_map(|source| texts_of(source)).filter(|it| is_noted(it) || is_told(it));
        let noting = noting.iter().flat_map(|source| texts_of(source));
        let noting = noting.filter(|it| is_noted(it) || is_reason(it) || is_named(it));
        let mut missing = Vec::new();
        let mut met = 0;
        for text in telling.chain(noting) {
            met += 1;
            let said = text.said.trim_start_matches("; ");
            // One that goes on.
            let said = if said.ends_with(':') { &format!("{said} 7") } else { said };
            // A reason stands in an event, and so does what people are told; and beside it, who did it.
            let whole = ["", "cancelled: ", "notice: "].map(|before| format!("{before}{said}"));
            if by(Lang::Ja, said) == said && !whole.iter().any(|what| is_japanese(what)) {
                missing.push(said.to_owned());
            }
        }
        assert!(met > 45, "the sources are read: {met}");
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn why_an_order_is_not_made_anew_is_japanese() {
        let anew = texts_of(include_str!("../../../../../functions/sync-payments/src/anew.rs"));
        let own = anew.into_iter().filter(|text| text.is_sentence() && !text.said.contains("made anew"));
        let mut whys: Vec<String> = own.map(|text| text.said).collect();
        assert!(whys.len() >= 4, "the source is read: {whys:?}");
        // Those for which it would not be imported either.
        whys.extend([
            "the order goes to 95 addresses; at most 90 can be imported, split it at the shop".to_owned(),
            "the order has 300 KB; at most 200 can be imported".to_owned(),
            "order 7 cannot be read: it has no items".to_owned(),
            // As far as a note holds it.
            "the conversion robot 7 cannot make delivery_note of this order: the template does what cannot be done \
             with such a value (a number wanted where a text is, loops ne"
                .to_owned(),
        ]);
        for why in whys {
            let what = format!("not made anew: {why}");
            assert!(is_japanese(&what), "{what}");
        }
    }

    #[test]
    fn why_a_shipment_is_held_on_import_is_japanese() {
        for status in Status::ALL {
            for reason in HoldReason::ALL {
                let what = format!("imported: {} {}", status.as_str(), reason.as_str());
                assert!(is_japanese(&what), "{what}");
            }
        }
        let missing = include_str!("../../../../../shared/domain/src/convert/standard.rs");
        let missing = texts_of(missing).into_iter().filter(|text| text.follows("Some("));
        let review = include_str!("../../../../../shared/domain/src/import/mod.rs");
        let is_review =
            |text: &Text| text.before.lines().next_back().is_some_and(|line| line.starts_with("let review = ["));
        let review = texts_of(review).into_iter().filter(is_review);
        let details: Vec<String> = missing.chain(review).map(|text| text.said).collect();
        assert!(details.len() >= 6, "the sources are read: {details:?}");
        for detail in details {
            let what = format!("imported: hold needs-review ({detail})");
            assert!(is_japanese(&what), "{what}");
        }
    }

    /// Nothing of the English is left.
    fn is_japanese(what: &str) -> bool {
        !japanese(what).bytes().any(|byte| byte.is_ascii_lowercase())
    }
}
