//! What runs say: why one could not do its work, and what a person should know of; and what a shop's refusal says where
//! the words are ours. Records have it in English, some of it with a word of Japanese behind it.

mod table;

use self::table::{REASONS, SENTENCES, WITH_REASON};
use crate::checks::line;
use crate::forms::{filled, first_of, slots, times};
use crate::lang::Lang;

/// A note of a run, or its error, in the language of who reads it.
#[must_use]
pub fn said(lang: Lang, sentence: &str) -> String {
    match lang {
        Lang::En => sentence.to_owned(),
        Lang::Ja => japanese(sentence).map_or_else(|| sentence.to_owned(), |said| times(&said)),
    }
}

fn japanese(sentence: &str) -> Option<String> {
    first_of(SENTENCES, sentence).or_else(|| {
        WITH_REASON.iter().find_map(|(form, said)| {
            let mut found = slots(form, sentence)?;
            let reason = reason(found.pop()?);
            found.push(&reason);
            Some(filled(said, &found))
        })
    })
}

/// What stands behind another sentence; it may be one of the checks.
fn reason(text: &str) -> String {
    first_of(REASONS, text).or_else(|| japanese(text)).unwrap_or_else(|| line(Lang::Ja, text))
}

#[cfg(test)]
mod tests {
    use renkei_ecforce::{Error, RefusedAddress};
    use renkei_shop::ShopError;

    use super::*;
    use crate::sources::{Text, texts_of};

    fn ja(sentence: &str) -> String {
        said(Lang::Ja, sentence)
    }

    #[test]
    fn what_is_named_stays_and_the_word_of_japanese_stands_once() {
        assert_eq!(
            ja("2 orders stand still (滞留): H-1001, H-1002"),
            "長く動いていない受注が2件あります。出荷待ち・出荷準備中のものは倉庫に確認し、理由のない保留は解除するか\
             理由を付けてください。ショップへの通知が進まないものは「記録」でそのロボットの失敗を確認してください: H-1001, H-1002"
        );
        let gone = "3 orders are open here and the shop does not give them: look for them there, and cancel here what \
                    is gone (ショップに見つかりません): H-1, H-2, H-3";
        assert!(ja(gone).ends_with("ここでキャンセルしてください: H-1, H-2, H-3"), "{}", ja(gone));
        assert_eq!(ja(gone).matches("見つかりません").count(), 1);
        let state = "the shop has no order state \"working\": create it at the shop (対応状況管理), or name the shop's own \
                     under states.working in the document and apply it";
        assert!(ja(state).starts_with("ショップに対応状況 \"working\" がありません。"), "{}", ja(state));
        assert!(ja(state).contains("（states.working）"), "{}", ja(state));
        assert_eq!(ja("the shop refuses (AOR1)"), "the shop refuses (AOR1)");
        assert_eq!(said(Lang::En, "orders stand still (滞留)"), "orders stand still (滞留)");
    }

    #[test]
    fn a_time_stands_as_pages_show_it() {
        assert_eq!(ja("blocked until 2026-11-24 10:02 JST"), "2026/11/24 10:02 まで停止しています。");
        let anew = "2 orders could not be made anew from what the shop has: H-1 (the shop does not give it), \
                    H-2 (要確認)";
        assert!(ja(anew).ends_with(": H-1（ショップに見つかりません）、H-2（要確認）"), "{}", ja(anew));
    }

    #[test]
    fn why_a_call_failed_is_said_whole() {
        let source = RefusedAddress { ip: [10, 0, 0, 1].into(), network: "private network" };
        let refused = Error::AddressRefused { host: "api.shop.example".to_owned(), source };
        assert_eq!(
            ja(&ShopError::from(refused).to_string()),
            "api.shop.example を呼び出していません: 公開されていないアドレス 10.0.0.1 につながります。\
             API URLを確認してください。"
        );
        assert_eq!(
            ja("the API URL is wrong: the API URL is too long"),
            "API URLが正しくありません: API URLが長すぎます。"
        );
        assert_eq!(
            ja("3 of 10 messages were not sent: AWS SendMessageBatch failed: no answer in time"),
            "10件中3件をキューに送れませんでした: AWSの SendMessageBatch が失敗しました: 時間内に応答がありませんでした。"
        );
        assert_eq!(
            ja("the processing robots cannot be used: processing_robots.custom[0].name: the text is empty"),
            "処理ロボットに誤りがあるため実行できません: processing_robots.custom[0].name: 未入力です。入力してください。"
        );
        assert_eq!(
            ja("the shop does not have what was asked for (404: AOR1001 注文がありません)"),
            "ショップに該当するものがありません（404: AOR1001 注文がありません）。"
        );
    }

    #[test]
    fn what_releases_before_said_is_said_too() {
        for (sentence, said) in [
            ("a stored run cannot be read: it has no count", "保存データ（run）を読み取れません: it has no count。"),
            ("the order is not this tenant's", "この契約企業のデータではありません（order）。"),
            ("the shop's answer is larger than 9 bytes: ask for fewer rows at a time", "ショップの応答が大きすぎます"),
        ] {
            let said_now = ja(sentence);
            assert!(said_now.starts_with(said) && said_now.ends_with("運用者に連絡してください。"), "{said_now}");
        }
        let unreadable = renkei_store::StoreError::Unreadable { kind: "run", reason: "it has no count".to_owned() };
        assert_eq!(
            ja(&unreadable.to_string()),
            "保存データ（run）を読み取れません: it has no count。運用者に連絡してください。"
        );
    }

    #[test]
    fn a_capture_that_nobody_can_prove_is_said() {
        assert!(ja(&renkei_store::sales::not_captured().message).starts_with("売上処理を一度依頼しましたが"));
    }

    /// The robots' own words, and those of the errors that can end a run, as they stand in their sources.
    #[test]
    fn every_sentence_of_a_run_has_its_japanese() {
        let robots = [
            include_str!("../../../functions/fetch-orders/src/lib.rs"),
            include_str!("../../../functions/push-statuses/src/lib.rs"),
            include_str!("../../../functions/sync-inventory/src/lib.rs"),
            include_str!("../../../functions/sync-payments/src/backfill.rs"),
            include_str!("../../../functions/sync-payments/src/commit.rs"),
            include_str!("../../../functions/sync-payments/src/findings.rs"),
            include_str!("../../../functions/sync-payments/src/hints.rs"),
            include_str!("../../../functions/sync-payments/src/lib.rs"),
            include_str!("../../../functions/sync-payments/src/reconcile.rs"),
            include_str!("../../../functions/sync-payments/src/release.rs"),
            include_str!("../../../functions/sync-payments/src/sync.rs"),
            include_str!("../../../shared/shop/src/robot.rs"),
            include_str!("../../../shared/shop/src/robot/end.rs"),
            include_str!("../../../shared/shop/src/robot/metrics.rs"),
            include_str!("../../../shared/shop/src/robot/story.rs"),
            include_str!("../../../shared/shop/src/token.rs"),
            include_str!("../../../shared/ecforce/src/client.rs"),
        ];
        let errors = [
            include_str!("../../../shared/shop/src/error.rs"),
            include_str!("../../../shared/ecforce/src/error.rs"),
            include_str!("../../../shared/ecforce/src/http.rs"),
            include_str!("../../../shared/ecforce/src/token.rs"),
            include_str!("../../../shared/store/src/error.rs"),
            include_str!("../../../shared/platform/src/queue.rs"),
            include_str!("../../../shared/platform/src/secrets.rs"),
        ];
        // Neither what is logged nor what is noted on a shipment.
        let said = robots.iter().flat_map(|source| texts_of(source));
        let said = said.filter(|text| !text.is_given_to(".note(") && !text.is_given_to("tracing::warn!("));
        let errors = errors.iter().flat_map(|source| texts_of(source)).filter(|text| text.is_given_to("#[error("));
        let mut missing = Vec::new();
        let mut met = 0;
        for text in said.chain(errors).filter(Text::is_sentence) {
            met += 1;
            // What is said of orders, with how many and which.
            let sentence = if text.follows(".sentence(") { format!("7 {}: 7", text.said) } else { text.said };
            if japanese(&sentence).is_none() && first_of(REASONS, &sentence).is_none() {
                missing.push(sentence);
            }
        }
        assert!(met > 60, "the sources are read: {met}");
        assert_eq!(missing, Vec::<String>::new());
    }
}
