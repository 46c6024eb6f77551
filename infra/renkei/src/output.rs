//! Tables for people, lines of JSON for scripts.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// One JSON object on a line of its own.
pub fn json_line(value: &impl Serialize) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(())
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

/// What came from outside, for a terminal: control characters could move the cursor or hide text.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
