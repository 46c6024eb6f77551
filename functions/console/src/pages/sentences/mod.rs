//! English sentences of records and checks, in Japanese: what is wrong with settings (here), what runs say ([`runs`]),
//! and what happened to a shipment ([`history`]). Each sentence that can come to stand on a page has its Japanese in a
//! table. One that has none is shown as it is: a sentence that people have to look up is better than none.

pub mod history;
pub mod runs;
#[cfg(test)]
pub mod sources;
mod table;

use self::table::{FOLLOWING, OUTCOMES, SENTENCES};
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
    first_of(SENTENCES, sentence)
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
        let place =
            rest[at + 1..].split_once('}').and_then(|(number, after)| Some((number.parse::<usize>().ok()?, after)));
        if let Some((what, after)) = place.and_then(|(number, after)| Some((found.get(number)?, after))) {
            text.push_str(what.as_ref());
            rest = after;
        } else {
            text.push('{');
            rest = &rest[at + 1..];
        }
    }
    text.push_str(rest);
    text
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
        assert_eq!(ja("a tag has at most 60 characters"), "タグは60文字までです。");
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
        let mut missing = Vec::new();
        let mut met = 0;
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

    /// Sentences of a source that stand by themselves.
    fn sentences_of(source: &str) -> Vec<String> {
        let sentences =
            texts_of(source).into_iter().filter(|text| text.is_sentence() && !text.said.starts_with([';', ':']));
        sentences.map(|text| text.said).collect()
    }
}
