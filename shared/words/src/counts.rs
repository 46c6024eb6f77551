//! The words that runs count with, as people read them: on the list of runs, on a run's own page, in a dry run and in
//! chats. One that is not known is shown as it is.

use renkei_domain::run::Run;
use renkei_domain::settings::Action;
use renkei_domain::shipment::HoldReason;

use crate::lang::Lang;

const WORDS: &[(&str, &str)] = &[
    // Orders that are fetched and imported.
    ("pages", "取得したページ"),
    ("orders", "取得した受注"),
    ("imported", "取込"),
    ("duplicate", "取込済み（対象外）"),
    ("quarantined", "取込保留"),
    ("refused", "取込拒否"),
    ("queued-for-import", "取込へ回した受注"),
    // Where shipments stand.
    ("hold", "保留"),
    ("ready", "出荷待ち"),
    ("picking", "出荷準備中"),
    ("shipped", "出荷済み"),
    ("cancelled", "キャンセル"),
    // What the shop is told.
    ("told", "通知"),
    ("told-again", "再通知"),
    ("written-back", "実績戻し"),
    ("captured", "売上処理"),
    ("cancelled-not-told", "キャンセルのため通知なし"),
    ("later", "次回に通知"),
    ("unchanged", "変更なし"),
    ("sold-elsewhere", "ほかのショップの商品"),
    ("old-counts", "計数が古い商品"),
    // What the shop shows of open orders.
    ("open", "未出荷の受注"),
    ("read", "確認した出荷"),
    ("called-off", "取込前にショップでキャンセルされた受注"),
    ("hinted", "Webhook・コンソールから指定された受注"),
    ("made-anew", "作り直した受注"),
    ("not-made-anew", "作り直せなかった受注"),
    ("paid", "入金を確認"),
    ("payment-lost", "未入金へ戻った出荷"),
    ("payment-lost-in-picking", "出荷準備中に未入金へ戻った出荷"),
    ("unknown-payment-states", "決済状況の意味が未設定"),
    ("differences", "取込後にショップで変わった出荷"),
    ("cancellations-requested", "倉庫へのキャンセル依頼"),
    ("cancellations-overdue", "回答期限切れのキャンセル依頼"),
    ("cancellations-too-late", "キャンセル間に合わず"),
    ("cancellations-overwritten", "上書きされた可能性のあるキャンセル"),
    ("withdrawn", "取り下げたキャンセル依頼"),
    ("missing-at-shop", "ショップに見つからない受注"),
    // What a comparison finds.
    ("compared", "照合した受注"),
    ("lost", "未取込"),
    ("unknown-in-working", "未取込・作業中"),
    ("in-another-state", "未取込・別の対応状況"),
    ("doubled", "重複"),
    ("stuck", "滞留"),
    ("drifted", "不一致"),
    ("numbers-dropped", "お問い合わせ番号なし"),
    ("captures-without-effect", "売上処理なし"),
    ("for-a-person", "要対応"),
    // What a processing robot makes of shipments.
    ("looked-at", "確認した未出荷の出荷指示"),
    ("released", "出荷待ちへ"),
    ("changed", "変更"),
    ("stays", "ステータスはそのまま"),
];

/// What a run counted, in a line. In English it is in the record's own words, as the command line has them.
#[must_use]
pub fn counts(lang: Lang, run: &Run) -> String {
    let list: Vec<String> = run
        .counts
        .iter()
        .map(|(word, count)| match lang {
            Lang::Ja => format!("{} {count}", of_run(run.action, word)),
            Lang::En => format!("{word} {count}"),
        })
        .collect();
    list.join(" · ")
}

/// Of what a shop is told it refuses some; everywhere else it is an order that is refused, by a robot at import.
fn of_run(action: Action, word: &str) -> String {
    let tells = match action {
        Action::StateWorking | Action::StateShipped | Action::WriteBack | Action::Inventory => true,
        Action::FetchOrders | Action::StatusSync | Action::ApplyProcessing | Action::Reconcile => false,
    };
    if tells && word == "refused" { "ショップ拒否".to_owned() } else { counted(Lang::Ja, word) }
}

/// A word, as a dry run has it.
#[must_use]
pub fn counted(lang: Lang, word: &str) -> String {
    let reason = |name: &str| HoldReason::from_name(name).map(|reason| lang.of(reason.label(), reason.as_str()));
    if let Some(reason) = word.strip_prefix("hold-").and_then(reason) {
        return format!("{}{reason}", lang.of("保留: ", "on hold: "));
    }
    if let Some(reason) = word.strip_prefix("stays-").and_then(reason) {
        return format!("{}{reason}", lang.of("保留のまま: ", "stays on hold: "));
    }
    let ja = WORDS.iter().find(|(known, _)| *known == word).map_or(word, |(_, ja)| ja);
    let en = match word {
        "stays" => "status stays",
        "looked-at" => "open shipments looked at",
        "old-counts" => "SKUs counted long ago",
        other => other,
    };
    lang.of(ja, en).to_owned()
}

#[cfg(test)]
mod tests {
    use renkei_domain::run::{FOR_A_PERSON, Outcome};
    use renkei_domain::shipment::Status;
    use serde_json::{Value, json};

    use super::*;
    use crate::sources::{Text, texts_of};

    fn run(action: &str, counts: &Value) -> Run {
        serde_json::from_value(json!({
            "id": "01HZX", "connection": "hanako-ecforce", "robot": "hanako-ecforce/any", "action": action,
            "cause": "schedule", "state": "done", "started_at": "2026-11-24T01:00:00Z", "counts": counts
        }))
        .unwrap()
    }

    #[test]
    fn a_runs_counts_are_in_peoples_words() {
        let fetched = run("fetch-orders", &json!({ "imported": 30, "refused": 2, "surprises": 1 }));
        assert_eq!(counts(Lang::Ja, &fetched), "取込 30 · 取込拒否 2 · surprises 1");
        assert_eq!(counts(Lang::En, &fetched), "imported 30 · refused 2 · surprises 1");
        let told = run("write-back", &json!({ "refused": 2, "written-back": 5 }));
        assert_eq!(counts(Lang::Ja, &told), "ショップ拒否 2 · 実績戻し 5");
        let applied = run("apply-processing", &json!({ "old-counts": 1, "stays-remark": 3 }));
        assert_eq!(counts(Lang::Ja, &applied), "計数が古い商品 1 · 保留のまま: 備考確認 3");
        assert_eq!(counts(Lang::En, &applied), "old-counts 1 · stays-remark 3");
    }

    #[test]
    fn a_dry_runs_counts_are_in_peoples_words() {
        assert_eq!(
            counted(Lang::Ja, "hold-awaiting-payment"),
            format!("保留: {}", HoldReason::AwaitingPayment.label())
        );
        assert_eq!(counted(Lang::En, "stays-remark"), "stays on hold: remark");
        assert_eq!(counted(Lang::Ja, "told"), "通知");
        assert_eq!(counted(Lang::Ja, "hold-nonsense"), "hold-nonsense");
        assert_eq!(counted(Lang::En, "looked-at"), "open shipments looked at");
    }

    /// Whatever a robot counts, in the words that stand in its source.
    #[test]
    fn every_word_that_is_counted_has_its_japanese() {
        let sources = [
            include_str!("../../../functions/fetch-orders/src/lib.rs"),
            include_str!("../../../functions/push-statuses/src/lib.rs"),
            include_str!("../../../functions/sync-inventory/src/lib.rs"),
            include_str!("../../../functions/sync-payments/src/anew.rs"),
            include_str!("../../../functions/sync-payments/src/backfill.rs"),
            include_str!("../../../functions/sync-payments/src/commit.rs"),
            include_str!("../../../functions/sync-payments/src/findings.rs"),
            include_str!("../../../functions/sync-payments/src/hints.rs"),
            include_str!("../../../functions/sync-payments/src/reconcile.rs"),
            include_str!("../../../functions/sync-payments/src/sync.rs"),
            include_str!("../../../shared/domain/src/processing/target.rs"),
            include_str!("../../../shared/setup/src/dry_run.rs"),
            include_str!("../../../shared/setup/src/dry_run/rule.rs"),
            include_str!("../../../shared/setup/src/dry_run/tell.rs"),
        ];
        let mut words: Vec<String> = Vec::new();
        for source in sources {
            let counted: Vec<Text> = texts_of(source).into_iter().filter(is_counted).collect();
            assert!(!counted.is_empty(), "a source that counts nothing: {source}");
            words.extend(counted.into_iter().map(|text| text.said));
        }
        words.extend(Outcome::ALL.map(|outcome| outcome.as_str().to_owned()));
        words.extend(Status::ALL.map(|status| status.as_str().to_owned()));
        words.extend(HoldReason::ALL.map(|reason| format!("hold-{}", reason.as_str())));
        words.extend(HoldReason::ALL.map(|reason| format!("stays-{}", reason.as_str())));
        words.push(FOR_A_PERSON.to_owned());
        assert!(words.len() > 60, "the sources are read: {words:?}");
        words.retain(|word| counted(Lang::Ja, word) == *word);
        assert_eq!(words, Vec::<String>::new());
    }

    /// A word that is handed to a tally, or stands first in a pair with its count.
    fn is_counted(text: &Text) -> bool {
        let is_word = !text.said.is_empty() && text.said.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_handed = [".add(", "Some(", "vec!["].iter().any(|code| text.follows(code));
        let is_first = text.before.trim_end().strip_suffix('(').is_some_and(|code| code.ends_with([' ', '[', '\n']));
        is_word && (is_handed || is_first)
    }
}
