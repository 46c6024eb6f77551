//! What is wrong with settings and with files, and what to mind. The checks say it in English, as the command line has
//! it.

mod table;
mod written;

use self::table::{FOLLOWING, SENTENCES};
use self::written::WRITTEN;
use crate::forms::{filled, first_of, slots};
use crate::lang::Lang;

/// A sentence of the checks, in the language of who reads it.
#[must_use]
pub fn said(lang: Lang, sentence: &str) -> String {
    match lang {
        Lang::En => sentence.to_owned(),
        Lang::Ja => japanese(sentence).unwrap_or_else(|| sentence.to_owned()),
    }
}

/// A line of the document's findings: `line 3: processing_robots.custom[0].name: the sentence`.
#[must_use]
pub fn line(lang: Lang, line: &str) -> String {
    if lang == Lang::En {
        return line.to_owned();
    }
    let (number, rest) = match line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => (Some(number), rest),
        _ => (None, line),
    };
    let (path, sentence) = match rest.split_once(": ") {
        Some((path, sentence)) if is_path(path.split(" (robot ").next().unwrap_or_default()) => (Some(path), sentence),
        _ => (None, rest),
    };
    let mut text = String::new();
    if let Some(number) = number {
        text.push_str(number);
        text.push_str("行目: ");
    }
    if let Some(path) = path {
        text.push_str(path);
        text.push_str(": ");
    }
    text.push_str(&said(lang, sentence));
    text
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "._-[]".contains(c))
}

/// A sentence of the checks in Japanese; None if it has none.
#[must_use]
pub fn japanese(sentence: &str) -> Option<String> {
    // On a sample, in a sentence of its own.
    if let Some([sample, what]) = slots("on the sample \"{}\": {}", sentence).as_deref() {
        let what = japanese(what).unwrap_or_else(|| (*what).to_owned());
        return Some(format!("見本「{sample}」で: {what}"));
    }
    for (english, said) in FOLLOWING {
        if let Some(found) = slots(english, sentence) {
            return Some(format!("{}{}", japanese(found.first()?)?, filled(said, &found)));
        }
    }
    // How to write it otherwise: names of actions only.
    if let Some(instead) = sentence.strip_prefix("use ").filter(|rest| rest.starts_with('`')) {
        return Some(format!("代わりに {} を使ってください。", instead.replace(" or ", ", ")));
    }
    // And on an order that the shop has sent.
    if let Some([order, what]) = slots("on the order {}: {}", sentence).as_deref() {
        let what = japanese(what).unwrap_or_else(|| (*what).to_owned());
        return Some(format!("受注 {order} で: {what}"));
    }
    // What a shop's robots will spend, with what that is reckoned from.
    if let Some([orders, rest]) = slots("at {} orders a day, {})", sentence).as_deref() {
        let (spent, robots) = rest.rsplit_once(" (")?;
        let said = first_of(WRITTEN, spent)?;
        return Some(format!("受注が1日{orders}件なら、{}（内訳: {robots}）。", said.trim_end_matches('。')));
    }
    first_of(SENTENCES, sentence).or_else(|| first_of(WRITTEN, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::texts_of;

    fn ja(sentence: &str) -> String {
        said(Lang::Ja, sentence)
    }

    #[test]
    fn what_is_named_stands_in_its_place() {
        assert_eq!(
            ja("there is no field `ordr.total`; did you mean `order.total`?"),
            "項目「ordr.total」はありません。「order.total」のことですか。"
        );
        assert_eq!(ja("a tag has at most 60 characters"), "ラベルは60文字までです。");
        assert_eq!(
            ja("use `hold`, `clear_hold`, `to_ready` or `cancel`"),
            "代わりに `hold`, `clear_hold`, `to_ready`, `cancel` を使ってください。"
        );
        assert_eq!(
            ja("there is no such test (`x`) (line 3 of the template)"),
            "そのテストはありません（`x`）。（テンプレートの3行目）"
        );
        assert_eq!(
            ja("on the sample \"平日\": the template makes more than 2000 characters"),
            "見本「平日」で: テンプレートの結果が2000文字を超えます。"
        );
        // What somebody wrote is never taken for a place.
        assert_eq!(
            ja("there is no hold reason `{1}` (there are a, b)"),
            "保留の理由「{1}」はありません。使えるもの: a, b"
        );
        assert_eq!(
            ja("the pattern is too large: use fewer"),
            "正規表現が大きすぎます。{1,20} のような繰り返しを減らすか、小さくしてください。"
        );
        assert_eq!(ja("nobody has said this"), "nobody has said this");
        assert_eq!(said(Lang::En, "the text is empty"), "the text is empty");
    }

    #[test]
    fn what_a_document_names_by_a_key_is_called_as_forms_call_it() {
        for id in ["payment-check", "ecforce-release"] {
            let all = renkei_domain::processing::built_in::all();
            let robot = all.iter().find(|robot| robot.id.as_str() == id).unwrap();
            let own = format!("「{}」（{id}）", robot.name);
            assert!(SENTENCES.iter().any(|(_, said)| said.contains(&own)), "{own}");
        }
        assert_eq!(
            ja("\"complete\" is the state for `fetch` already: orders in it would be cancelled"),
            "\"complete\" は「取得する対応状況」（fetch）と同じです。その注文がキャンセルになってしまいます。"
        );
        assert_eq!(
            ja(
                "there is no robot \"a/inventory\", so this one would never start: the easy set-up of this connection makes \
                fetch-orders, status-sync"
            ),
            "ロボット \"a/inventory\" がないため、起動することがありません。このショップにあるもの: \
             「出荷指示取得」（fetch-orders）、「ステータス同期」（status-sync）"
        );
        let often = "every 5 minutes spends the shop's calls of the day fast: see `renkei plan` for what these robots need \
                     a day";
        assert!(ja(often).starts_with("5分ごとでは1日のAPI呼び出しが"), "{}", ja(often));
    }

    #[test]
    fn a_line_of_the_document_keeps_its_number_and_its_path() {
        assert_eq!(
            line(Lang::Ja, "line 2: processing_robots.custom[0].name: the text is empty"),
            "2行目: processing_robots.custom[0].name: 未入力です。入力してください。"
        );
        assert_eq!(line(Lang::Ja, "name: the text is empty"), "name: 未入力です。入力してください。");
        assert_eq!(line(Lang::Ja, "設定の何か"), "設定の何か");
        assert_eq!(line(Lang::En, "line 2: x: the text is empty"), "line 2: x: the text is empty");
    }

    /// The checks' own words, as they stand in their sources: a check that is worded otherwise, or a new one, needs its
    /// Japanese here.
    #[test]
    fn every_sentence_of_the_checks_has_its_japanese() {
        let sources = [
            include_str!("../../../shared/domain/src/processing/compile.rs"),
            include_str!("../../../shared/domain/src/processing/compile/actions.rs"),
            include_str!("../../../shared/domain/src/processing/compile/conditions.rs"),
            include_str!("../../../shared/domain/src/document/check/robots.rs"),
            include_str!("../../../shared/domain/src/document/check/integration.rs"),
            include_str!("../../../shared/domain/src/document/check/connections.rs"),
            include_str!("../../../shared/domain/src/document/check/goods.rs"),
            include_str!("../../../shared/ecforce/src/address.rs"),
            include_str!("../../../shared/domain/src/convert/template.rs"),
            include_str!("../../../shared/domain/src/convert/field.rs"),
            include_str!("../../../shared/files/src/export.rs"),
            include_str!("../../../shared/files/src/results.rs"),
            include_str!("../../../shared/domain/src/lines.rs"),
        ];
        // Of what reads the document's text. What a value must be stands in sentences, and is none itself.
        let reading = [
            include_str!("../../../shared/domain/src/document/mod.rs"),
            include_str!("../../../shared/domain/src/document/tree.rs"),
            include_str!("../../../shared/domain/src/document/shape.rs"),
            include_str!("../../../shared/domain/src/document/shape/scalar.rs"),
            include_str!("../../../shared/domain/src/document/shape/union.rs"),
        ];
        let wants =
            ["one of ", "a mapping", "a whole number", "a number", "true or false", "a text, ", "a time such as"];
        let mut missing = Vec::new();
        let mut met = 0;
        for source in reading.iter().flat_map(|source| sentences_of(source)) {
            let is_one = !wants.iter().any(|want| source.starts_with(want)) || source.ends_with(" is missing here");
            met += usize::from(is_one);
            if is_one && japanese(&source).is_none() {
                missing.push(source);
            }
        }
        assert!(met > 25, "the sources are read: {met}");
        for source in sources {
            assert!(!sentences_of(source).is_empty(), "a source without a sentence: {source}");
        }
        for sentence in sources.iter().flat_map(|source| sentences_of(source)) {
            met += 1;
            if japanese(&sentence).is_none() {
                missing.push(sentence);
            }
        }
        assert!(met > 30, "the sources are read: {met}");
        assert_eq!(missing, Vec::<String>::new());
    }

    /// What stands against applying a document, and what its robots will spend.
    #[test]
    fn what_applying_says_has_its_japanese() {
        let mut met = 0;
        for source in
            [include_str!("../../../shared/setup/src/apply.rs"), include_str!("../../../shared/setup/src/leaving.rs")]
        {
            for text in texts_of(source).iter().filter(|text| text.said.contains("in the document any more")) {
                let said = line(Lang::Ja, &text.said);
                assert!(said.starts_with("7行目: ") && !said.contains("document"), "{said}");
                met += 1;
            }
        }
        assert_eq!(met, 3);
        let plan = texts_of(include_str!("../../../shared/domain/src/plan.rs"));
        let spent = plan.iter().find(|text| text.said.ends_with("that the shop bears")).unwrap();
        for advice in plan.iter().filter(|text| text.said.contains("agree on")) {
            let advice = advice.said.replacen('7', &spent.said, 1);
            let own = ja(&advice);
            assert!(own.starts_with("1日のAPI呼び出しは7回で、上限7回の7 %です。"), "{own}");
            assert!(own.ends_with("にしてください。") && !own.contains('{'), "{own}");
            let said = line(Lang::Ja, &format!("shop: at 7 orders a day, {advice} (a 1, b 2)"));
            assert_eq!(said, format!("shop: 受注が1日7件なら、{}（内訳: a 1, b 2）。", own.trim_end_matches('。')));
            met += 1;
        }
        assert_eq!(met, 6);
        let often = "900 calls a day are 90 % of the 1000 that the shop bears: write `every: 2 hours`, or agree on 1125 \
                     calls a day with the shop (上限を超えると翌日9時まで連携が止まります)";
        assert!(ja(often).ends_with("間隔を「2時間」にするか、ショップの契約を1日1125回にしてください。"));
        assert_eq!(
            line(Lang::Ja, "shop: at 90 orders a day, 900 calls a day of 1000 (90 %) (a 1, b 2)"),
            "shop: 受注が1日90件なら、1日のAPI呼び出しは900回で、上限1000回の90 %です（内訳: a 1, b 2）。"
        );
        let counted = "line 3: connections: a is not in the document any more, but has 3 orders in quarantine (取込保留), \
                       1000 or more tracking numbers to write back (実績戻し待ち). Take its easy set-up out";
        let said = line(Lang::Ja, counted);
        assert!(said.contains("（取込保留 3件、実績戻し待ち 1000件以上）"), "{said}");
    }

    /// Sentences of a source that stand by themselves.
    fn sentences_of(source: &str) -> Vec<String> {
        let sentences =
            texts_of(source).into_iter().filter(|text| text.is_sentence() && !text.said.starts_with([';', ':']));
        sentences.map(|text| text.said).collect()
    }
}
