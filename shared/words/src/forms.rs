//! How a sentence finds its Japanese: a form has `{}` for what is named in the English, and its Japanese has `{0}` and
//! `{1}` in their places.

use renkei_domain::settings::Every;

use crate::lang::Lang;
use crate::{fields, reasons};

/// The Japanese of the first of these forms that a sentence has.
#[must_use]
pub fn first_of(forms: &[(&str, &str)], sentence: &str) -> Option<String> {
    forms.iter().find_map(|(form, said)| Some(filled(said, &slots(form, sentence)?)))
}

/// What stands in the places of a sentence, if it is of this form.
#[must_use]
pub fn slots<'t>(form: &str, text: &'t str) -> Option<Vec<&'t str>> {
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
#[must_use]
pub fn filled(said: &str, found: &[impl AsRef<str>]) -> String {
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
/// a field, `{0状況}` which state of a shop, `{0アクション}` what robots do, `{0理由}` orders with why.
fn shown_as(kind: &str, what: &str) -> Option<String> {
    match kind {
        "" => Some(what.to_owned()),
        "件" => Some(counts(what)),
        "間隔" => Some(interval(what)),
        "項目" => Some(fields::label(Lang::Ja, what).to_owned()),
        "状況" => Some(fields::state(what)),
        "アクション" => Some(fields::actions(what)),
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

/// A sentence with its times as pages show them: `2026/11/24 10:02` where records have `2026-11-24 10:02 JST`.
#[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn counts_are_said_by_their_words() {
        assert_eq!(counts("5 hold (保留), nobody knows"), "保留 5件、nobody knows");
    }
}
