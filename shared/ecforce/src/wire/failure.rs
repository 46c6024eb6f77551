//! Error documents: the shop's codes and messages, cut down to what may be shown and logged.

use serde_json::Value;

use crate::error::{ShopError, ShopErrors};
use crate::wire::lenient;

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 200;
const LONGEST_CODE: usize = 20;

/// The errors of a body that came with an error status. Anything but a JSON error document has none.
pub(crate) fn shop_errors(body: &str) -> ShopErrors {
    let mut found = ShopErrors::default();
    if let Ok(document) = serde_json::from_str::<Value>(body) {
        for name in ["errors", "error", "message"] {
            collect(document.get(name), &mut found);
        }
    }
    found
}

/// The errors that a list holds (or a single one), each followed by those nested in it.
pub(crate) fn collect(errors: Option<&Value>, found: &mut ShopErrors) {
    match errors {
        Some(Value::Array(list)) => list.iter().for_each(|error| collect(Some(error), found)),
        Some(Value::Object(error)) => {
            let code = error.get("code").and_then(lenient::text).map(|code| short(&harmless(&code), LONGEST_CODE));
            let message = error.get("message").and_then(lenient::text).map(|message| harmless(&message));
            if code.is_some() || message.is_some() {
                found.push(ShopError { code: code.unwrap_or_default(), message: message.unwrap_or_default() });
            }
            collect(error.get("errors"), found);
        }
        Some(Value::String(message)) if !message.trim().is_empty() => {
            found.push(ShopError { code: String::new(), message: harmless(message) });
        }
        _ => {}
    }
}

/// A message fit for logs and screens: one short line, with what looks like an e-mail address or a telephone number
/// taken out, for shops quote what they were sent.
pub(crate) fn harmless(message: &str) -> String {
    let line = short(message, LONGEST_MESSAGE);
    let mut kept = String::with_capacity(line.len());
    for word in line.split_inclusive(' ') {
        if word.contains(['@', '＠']) {
            kept.push('…');
            if word.ends_with(' ') {
                kept.push(' ');
            }
        } else {
            push_without_numbers(&mut kept, word);
        }
    }
    kept
}

/// Copies a word, but not runs of ten digits and more, of either width (hyphens between them do not end a run).
fn push_without_numbers(kept: &mut String, word: &str) {
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    let mut rest = word;
    while let Some(start) = rest.find(is_digit) {
        let run = &rest[start..];
        let end = run.find(|c: char| !is_digit(c) && !"-－−‐ー".contains(c)).unwrap_or(run.len());
        kept.push_str(&rest[..start]);
        if run[..end].chars().filter(|c| is_digit(*c)).count() >= 10 {
            kept.push('…');
        } else {
            kept.push_str(&run[..end]);
        }
        rest = &run[end..];
    }
    kept.push_str(rest);
}

/// One line of at most `most` characters, without control characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    let line = text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).chars();
    let mut kept: String = line.map(|c| if c.is_control() { ' ' } else { c }).take(most + 1).collect();
    if let Some((cut, _)) = kept.char_indices().nth(most) {
        kept.truncate(cut);
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_codes_follow_the_one_that_wraps_them() {
        let body = r#"{"errors":[{"id":1,"code":"AOR0000","message":"失敗","errors":[{"code":"AOR2001","message":"orderが見つかりません。"}]}]}"#;
        assert_eq!(shop_errors(body).to_string(), ": AOR0000 失敗; AOR2001 orderが見つかりません。");
    }

    #[test]
    fn other_shapes_are_read_or_passed_over() {
        assert_eq!(shop_errors(r#"{"error":"bad"}"#).to_string(), ": bad");
        assert_eq!(shop_errors(r#"{"errors":["a","b"]}"#).to_string(), ": a; b");
        assert_eq!(shop_errors(r#"{"message":"Limit Exceeded"}"#).to_string(), ": Limit Exceeded");
        for nothing in ["", "Retry later", "<html>", "[]", "{}", r#"{"errors":null}"#, r#"{"errors":[{}]}"#] {
            assert_eq!(shop_errors(nothing).to_string(), "", "{nothing}");
        }
    }

    #[test]
    fn a_message_cannot_carry_a_person_or_a_second_line() {
        let told = harmless("hanako@shop.example は\r\n登録済み 電話 03-1234-5678 受注 88111\u{7}");
        assert_eq!(told, "… は  登録済み 電話 … 受注 88111");
        assert_eq!(harmless("電話０３－１２３４－５６７８は使えません"), "電話…は使えません");
        let code = r#"{"errors":[{"code":"a@shop.example"},{"code":"03-1234-5678"},{"code":"AOR2001"},{"code":404}]}"#;
        assert_eq!(shop_errors(code).to_string(), ": …; …; AOR2001; 404");
        assert!(harmless(&"長".repeat(5000)).chars().count() <= LONGEST_MESSAGE + 1);
        let many = format!(r#"{{"errors":[{}]}}"#, vec![r#"{"code":"AOR1"}"#; 50].join(","));
        assert_eq!(shop_errors(&many).as_slice().len(), 10);
    }
}
