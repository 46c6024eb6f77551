//! English sentences of records and checks, in Japanese: what is wrong with settings (here) and with a table of products
//! ([`goods`]), what applying settings changes ([`changes`]), what runs say ([`runs`]), why an order is not imported
//! ([`reasons`]), what happened to a shipment ([`history`]), and what people did ([`audit`]). Each sentence that can come
//! to stand on a page has its Japanese in a table. One that has none is shown as it is: a sentence that people have to
//! look up is better than none.

pub mod audit;
pub mod changes;
mod counted;
pub mod goods;
pub mod history;
pub mod reasons;
pub mod runs;
#[cfg(test)]
pub mod sources;
mod table;
mod written;

use renkei_domain::settings::Every;

use self::counted::COUNTED;
use self::table::{FOLLOWING, OUTCOMES, SENTENCES};
use self::written::WRITTEN;
use super::fields;
use crate::lang::Lang;

/// A sentence of the checks, in the page's language.
pub fn said(lang: Lang, sentence: &str) -> String {
    match lang {
        Lang::En => sentence.to_owned(),
        Lang::Ja => japanese(sentence).unwrap_or_else(|| sentence.to_owned()),
    }
}

/// A line of the document's findings: `line 3: processing_robots.custom[0].name: the sentence`.
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

/// What is wrong with a row of a file.
pub fn in_file(lang: Lang, problem: &renkei_files::Problem) -> String {
    if lang == Lang::En {
        return problem.to_string();
    }
    let what = OUTCOMES.iter().find(|(key, _)| *key == problem.what).map(|(_, said)| (*said).to_owned());
    let what = what.unwrap_or_else(|| said(lang, &problem.what));
    if problem.row == 0 {
        return format!("{}: {what}", problem.shipment);
    }
    let shipment = if problem.shipment.is_empty() { String::new() } else { format!("（{}）", problem.shipment) };
    format!("{}行目{shipment} {}: {what}", problem.row, column(&problem.column))
}

/// What became of a shipment in a file; the key itself where it has no sentence.
pub fn outcome(lang: Lang, key: &'static str) -> &'static str {
    lang.of(OUTCOMES.iter().find(|(known, _)| *known == key).map_or(key, |found| found.1), key)
}

/// Columns that are ours, and not the file's, have names in English.
fn column(name: &str) -> &str {
    match name {
        "file" => "ファイル",
        "row" => "行",
        "header" => "見出し",
        "shipment" => "出荷指示ID",
        "tracking number" => "お問い合わせ番号",
        "shipped on" => "出荷日",
        other => other,
    }
}

/// A sentence with its times as pages show them: `2026/11/24 10:02` where records have `2026-11-24 10:02 JST`.
pub fn times(text: &str) -> String {
    const ZONE: &str = " JST";
    const FORM: &str = "0000-00-00 00:00";
    let is_alike = |(sign, form): (u8, u8)| sign == form || form == b'0' && sign.is_ascii_digit();
    let is_time = |text: &str| text.bytes().zip(FORM.bytes()).all(is_alike);
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ZONE) {
        let begins = at.checked_sub(FORM.len()).filter(|begins| rest.get(*begins..at).is_some_and(is_time));
        if let Some(begins) = begins {
            said.push_str(&rest[..begins]);
            said.push_str(&rest[begins..at].replace('-', "/"));
        } else {
            said.push_str(&rest[..at + ZONE.len()]);
        }
        rest = &rest[at + ZONE.len()..];
    }
    said.push_str(rest);
    said
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "._-[]".contains(c))
}

fn japanese(sentence: &str) -> Option<String> {
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
    first_of(SENTENCES, sentence).or_else(|| first_of(WRITTEN, sentence)).or_else(|| first_of(COUNTED, sentence))
}

/// The Japanese of the first of these forms that a sentence has.
fn first_of(forms: &[(&str, &str)], sentence: &str) -> Option<String> {
    forms.iter().find_map(|(form, said)| Some(filled(said, &slots(form, sentence)?)))
}

/// What stands in the places of a sentence, if it is of this form.
fn slots<'t>(form: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = form.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let parts: Vec<&str> = parts.collect();
    let mut found = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let is_last = place + 1 == parts.len();
        // The last part ends the sentence; one that is empty takes all that is left.
        let at = if is_last { rest.len().checked_sub(part.len())? } else { rest.find(part)? };
        if !rest.get(at..)?.starts_with(part) {
            return None;
        }
        found.push(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    rest.is_empty().then_some(found)
}

/// The Japanese with what is named put into its places: in one pass, so that what is named is never taken for a place.
fn filled(said: &str, found: &[impl AsRef<str>]) -> String {
    let mut text = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let place = rest[at + 1..].split_once('}').and_then(|(name, after)| {
            let digits = name.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(name.len());
            let (number, kind) = name.split_at(digits);
            let what = found.get(number.parse::<usize>().ok()?)?.as_ref();
            Some((shown_as(kind, what)?, after))
        });
        if let Some((what, after)) = place {
            text.push_str(&what);
            rest = after;
        } else {
            text.push('{');
            rest = &rest[at + 1..];
        }
    }
    text.push_str(rest);
    text
}

/// What stands in a place, as the place says what it is: `{0}` as it is, `{0件}` counts, `{0間隔}` how often, `{0項目}`
/// a field, `{0理由}` orders with why.
fn shown_as(kind: &str, what: &str) -> Option<String> {
    match kind {
        "" => Some(what.to_owned()),
        "件" => Some(counts(what)),
        "間隔" => Some(interval(what)),
        "項目" => Some(fields::label(Lang::Ja, what).to_owned()),
        "理由" => Some(reasons::listed(what)),
        _ => None,
    }
}

/// How often, as the document writes it: `15 minutes`, `2 hours`.
fn interval(text: &str) -> String {
    match Every::try_from(text.to_owned()).map(Every::as_minutes) {
        Ok(minutes) if minutes.is_multiple_of(60) => format!("{}時間", minutes / 60),
        Ok(minutes) => format!("{minutes}分"),
        Err(_) => text.to_owned(),
    }
}

/// A list such as `3 or more hold (保留), 2 ready (出荷待ち)`, by the Japanese that each of it has in brackets.
fn counts(list: &str) -> String {
    let count = |text: &str| {
        let number: String = text.chars().take_while(char::is_ascii_digit).collect();
        let (before, word) = text.strip_suffix(')')?.rsplit_once('(')?;
        let more = if before[number.len()..].starts_with(" or more") { "以上" } else { "" };
        (!number.is_empty()).then(|| format!("{word} {number}件{more}"))
    };
    let counts: Vec<String> = list.split(", ").map(|text| count(text).unwrap_or_else(|| text.to_owned())).collect();
    counts.join("、")
}

#[cfg(test)]
mod tests {
    use super::sources::texts_of;
    use super::*;

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
    fn times_stand_as_pages_show_them() {
        assert_eq!(times("2026-11-24 10:02 JST まで停止しています。"), "2026/11/24 10:02 まで停止しています。");
        assert_eq!(times("時 2026-11-24 10:02 JST、2026-11-25 09:00 JST"), "時 2026/11/24 10:02、2026/11/25 09:00");
        for other in ["", "JST", " JST", "いつか JST まで", "2026-11-24T10:02 JST", "日時の文字列の後ろ JST"]
        {
            assert_eq!(times(other), other);
        }
    }

    #[test]
    fn a_line_of_the_document_keeps_its_number_and_its_path() {
        assert_eq!(
            line(Lang::Ja, "line 2: processing_robots.custom[0].name: the text is empty"),
            "2行目: processing_robots.custom[0].name: 文字がありません。入力してください。"
        );
        assert_eq!(line(Lang::Ja, "name: the text is empty"), "name: 文字がありません。入力してください。");
        assert_eq!(line(Lang::Ja, "設定の何か"), "設定の何か");
        assert_eq!(line(Lang::En, "line 2: x: the text is empty"), "line 2: x: the text is empty");
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said_with_its_place() {
        let problem = |row, shipment: &str, column: &str, what: &str| {
            let [shipment, column, what] = [shipment, column, what].map(str::to_owned);
            in_file(Lang::Ja, &renkei_files::Problem { row, shipment, column, what })
        };
        assert_eq!(
            problem(
                3,
                "88111-1",
                "tracking number",
                "not a tracking number: it has digits, letters and hyphens, at most 64"
            ),
            "3行目（88111-1） お問い合わせ番号: お問い合わせ番号として読めません。数字・英字・ハイフンで、64文字までです。"
        );
        assert_eq!(problem(2, "", "row", "it is not a line of CSV"), "2行目 行: CSVの行として読めません。");
        assert_eq!(problem(0, "shop.5.1", "", "on-hold"), "shop.5.1: 保留中です。");
        let amount = problem(2, "shop.5.1", "決済方法", renkei_files::export::NO_AMOUNT);
        assert!(amount.starts_with("2行目（shop.5.1） 決済方法: 代引ですが、"), "{amount}");
    }

    /// The checks' own words, as they stand in their sources: a check that is worded otherwise, or a new one, needs its
    /// Japanese here.
    #[test]
    fn every_sentence_of_the_checks_has_its_japanese() {
        let sources = [
            include_str!("../../../../../shared/domain/src/processing/compile.rs"),
            include_str!("../../../../../shared/domain/src/processing/compile/actions.rs"),
            include_str!("../../../../../shared/domain/src/processing/compile/conditions.rs"),
            include_str!("../../../../../shared/domain/src/document/check/robots.rs"),
            include_str!("../../../../../shared/domain/src/document/check/integration.rs"),
            include_str!("../../../../../shared/domain/src/document/check/connections.rs"),
            include_str!("../../../../../shared/domain/src/document/check/goods.rs"),
            include_str!("../../../../../shared/ecforce/src/address.rs"),
            include_str!("../../../../../shared/domain/src/convert/template.rs"),
            include_str!("../../../../../shared/domain/src/convert/field.rs"),
            include_str!("../../../../../shared/files/src/export.rs"),
            include_str!("../../../../../shared/files/src/results.rs"),
            include_str!("../../../../../shared/domain/src/lines.rs"),
        ];
        // Of what reads the document's text. What a value must be stands in sentences, and is none itself.
        let reading = [
            include_str!("../../../../../shared/domain/src/document/mod.rs"),
            include_str!("../../../../../shared/domain/src/document/tree.rs"),
            include_str!("../../../../../shared/domain/src/document/shape.rs"),
            include_str!("../../../../../shared/domain/src/document/shape/scalar.rs"),
            include_str!("../../../../../shared/domain/src/document/shape/union.rs"),
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
        for source in [
            include_str!("../../../../../shared/setup/src/apply.rs"),
            include_str!("../../../../../shared/setup/src/leaving.rs"),
        ] {
            for text in texts_of(source).iter().filter(|text| text.said.contains("in the document any more")) {
                let said = line(Lang::Ja, &text.said);
                assert!(said.starts_with("7行目: ") && !said.contains("document"), "{said}");
                met += 1;
            }
        }
        assert_eq!(met, 3);
        let plan = texts_of(include_str!("../../../../../shared/domain/src/plan.rs"));
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
        assert_eq!(counts("5 hold (保留), nobody knows"), "保留 5件、nobody knows");
    }

    /// Sentences of a source that stand by themselves.
    fn sentences_of(source: &str) -> Vec<String> {
        let sentences =
            texts_of(source).into_iter().filter(|text| text.is_sentence() && !text.said.starts_with([';', ':']));
        sentences.map(|text| text.said).collect()
    }
}
