//! Settings back into a document, for `renkei export`.
//!
//! What is written is read back as equal settings, and is what a person would have written: small things on one line,
//! text without quotes where YAML leaves no doubt.

use std::fmt::Write as _;

use super::ordered::Ordered;
use super::tree::Core;
use crate::settings::TenantSettings;

/// Columns up to which a mapping or list stays on one line. East Asian characters count twice.
const WIDTH: usize = 110;

/// The document of these settings: keys in the order of the reference, defaults left out, no comments.
#[must_use]
pub fn write(settings: &TenantSettings) -> String {
    let mut text = String::new();
    if let Ordered::Map(mut entries) = Ordered::of(settings) {
        for (key, value) in &mut entries {
            // One easy set-up is written as the reference shows it: without a list.
            if let ("integration_robots", Ordered::Map(robots)) = (key.as_str(), value) {
                for (_, setup) in robots.iter_mut().filter(|(key, _)| key == "easy_setup") {
                    single(setup);
                }
            }
        }
        map(&mut text, &entries, 0, "");
    }
    text
}

fn single(setup: &mut Ordered) {
    if let Ordered::List(list) = setup
        && list.len() == 1
        && let Some(only) = list.pop()
    {
        *setup = only;
    }
}

/// A mapping, one key a line. The first line goes on where the text stands (`lead` has been written there).
fn map(text: &mut String, entries: &[(String, Ordered)], indent: usize, lead: &str) {
    let mut first = true;
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_silent()) {
        if first {
            text.push_str(lead);
        }
        if !first || lead.is_empty() {
            text.push_str(&" ".repeat(indent));
        }
        first = false;
        text.push_str(&key_text(key));
        text.push(':');
        below(text, value, indent + 2, indent == 0);
    }
}

fn below(text: &mut String, value: &Ordered, indent: usize, root: bool) {
    // What is one value stands on one line, however long it is.
    let whole = !matches!(value, Ordered::Map(_) | Ordered::List(_));
    if let Some(line) = one_line(value, root).filter(|line| whole || indent + columns(line) <= WIDTH) {
        let _ = writeln!(text, " {line}");
        return;
    }
    text.push('\n');
    match value {
        Ordered::Map(entries) => map(text, entries, indent, ""),
        Ordered::List(items) => {
            for item in items {
                text.push_str(&" ".repeat(indent));
                match item {
                    // An element with an id is a chapter of its own, whatever its length.
                    Ordered::Map(entries) if one_line(item, false).is_none_or(|l| indent + columns(&l) > WIDTH) => {
                        map(text, entries, indent + 2, "- ");
                    }
                    _ => {
                        text.push('-');
                        below(text, item, indent + 2, false);
                    }
                }
            }
        }
        Ordered::Null | Ordered::Bool(_) | Ordered::Number(_) | Ordered::Text(_) => {}
    }
}

/// A value on one line, if it may stand on one: chapters (what has an id), and what the root holds, may not.
fn one_line(value: &Ordered, root: bool) -> Option<String> {
    match value {
        Ordered::Map(_) | Ordered::List(_) if root => None,
        Ordered::Map(_) if value.get("id").is_some() => None,
        Ordered::Map(entries) => {
            let mut parts = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                parts.push(format!("{}: {}", key_text(key), one_line(value, false)?));
            }
            Some(if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) })
        }
        Ordered::List(items) => {
            let parts: Option<Vec<String>> = items.iter().map(|item| one_line(item, false)).collect();
            let parts = parts?;
            let maps = items.iter().any(|item| matches!(item, Ordered::Map(_)));
            Some(if maps { format!("[ {} ]", parts.join(", ")) } else { format!("[{}]", parts.join(", ")) })
        }
        Ordered::Null => Some("null".into()),
        Ordered::Bool(flag) => Some(flag.to_string()),
        Ordered::Number(number) => Some(number.to_string()),
        Ordered::Text(text) => Some(scalar_text(text)),
    }
}

/// A key as YAML. Keys are always text, so a word such as `on` needs no quotes.
fn key_text(key: &str) -> String {
    let word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if word { key.to_owned() } else { scalar_text(key) }
}

/// Text as YAML: plain where no reader could take it for anything else, else in double quotes.
pub(super) fn scalar_text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Line separators and the byte order mark mean something to YAML readers; the rest is not printable.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_plain(text: &str) -> bool {
    let inner = |c: char| {
        c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '(' | ')' | '（' | '）' | '「' | '」' | '・' | ' ')
    };
    let first = text.chars().next().is_some_and(char::is_alphanumeric);
    // Other readers take `no`, dates, telephone numbers and the like for something else than text.
    let wordlike = text.chars().any(char::is_alphabetic)
        && !matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "y" | "n");
    first && wordlike && text.chars().all(inner) && !text.ends_with(' ') && Core::of(text) == Core::Text
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) < 0x1100 { 1 } else { 2 }).sum()
}
