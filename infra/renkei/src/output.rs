//! Tables for people, lines of JSON for scripts.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// One JSON object on a line of its own.
pub fn json_line(value: &impl Serialize) -> Result<(), CliError> {
    let text = escaped(&serde_json::to_string(value)?);
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// JSON in which all that a terminal would act on is escaped. Such characters stand within strings only, so it says the
/// same.
fn escaped(json: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_acted_on(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// A line of text.
pub fn line(text: impl AsRef<str>) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{}", text.as_ref())?;
    Ok(())
}

/// A line of text that is not the result: beside it, on standard error.
pub fn aside(text: impl AsRef<str>) -> Result<(), CliError> {
    writeln!(io::stderr().lock(), "{}", text.as_ref())?;
    Ok(())
}

/// Text as it is.
pub fn text(text: &str) -> Result<(), CliError> {
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Rows under headings, in columns as wide as they need to be. Japanese characters take two columns.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let mut out = io::stdout().lock();
    let mut write = |cells: &[String]| -> io::Result<()> {
        let mut text = String::new();
        for (cell, widest) in cells.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(widest.saturating_sub(width(cell)) + 2));
        }
        writeln!(out, "{}", text.trim_end())
    };
    write(&headings.iter().map(|heading| (*heading).to_owned()).collect::<Vec<_>>())?;
    for row in rows {
        write(row)?;
    }
    Ok(())
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// What came from outside, for a terminal: without what it would act on.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_acted_on(c) { ' ' } else { c }).collect()
}

/// Control characters could move the cursor or hide text; those that turn the direction of what follows have it read as
/// what it is not. None of these takes more than four digits to escape.
fn is_acted_on(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delete, a control sequence's beginning of one character, and text that is turned round.
    const HOSTILE: &str = "a\u{7f}b\u{9b}2Jc\u{202e}d\u{2066}e\u{200f}髙橋";

    #[test]
    fn nothing_in_a_line_of_json_is_acted_on_and_it_says_the_same() {
        let value = serde_json::json!({ HOSTILE: HOSTILE, "line": "end\n" });
        let line = escaped(&serde_json::to_string(&value).unwrap());
        assert!(line.contains(r"a\u007fb\u009b2Jc\u202ed\u2066e\u200f髙橋"), "{line}");
        assert!(!line.chars().any(is_acted_on), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }

    #[test]
    fn plain_text_has_blanks_instead() {
        assert_eq!(plain(HOSTILE), "a b 2Jc d e 髙橋");
        assert_eq!(plain("\u{1b}[31m\r"), " [31m ");
        assert_eq!(plain("\u{200e}\u{202a}\u{202b}\u{2069}"), "    ");
        // Joiners are part of words, and of pictures.
        assert_eq!(plain("\u{200d}〜"), "\u{200d}〜");
    }
}
