//! What templates can do to a text that a label, a delivery note or a warehouse asks for: filters by their names.
//!
//! A value that is missing is an empty text to every filter, and comes out empty.

use std::fmt;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};

use super::{forms, width};

/// The filters' own names, for messages and documentation.
pub const FILTERS: [&str; 11] = [
    "half_width",
    "full_width",
    "half_kana",
    "full_kana",
    "katakana",
    "hiragana",
    "postal_code",
    "phone",
    "truncate",
    "date",
    "yen",
];

/// Longest text that a filter takes, in bytes. What a shop sends is far shorter; what a template heaps up is not.
const LONGEST: usize = 64 * 1_024;
/// Longest pattern of a date, in bytes.
const LONGEST_PATTERN: usize = 100;
/// Bytes that a filter works on for one unit of fuel.
const BYTES_A_FUEL: u64 = 16;

/// A sentence of ours about what went wrong. It holds nothing of the order, so it may be kept and shown anywhere.
#[derive(Debug)]
pub(super) struct Said(pub(super) String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

fn said(sentence: impl Into<String>) -> Error {
    let sentence = sentence.into();
    Error::new(ErrorKind::InvalidOperation, sentence.clone()).with_source(Said(sentence))
}

/// A text in another form.
type Plain = fn(&str) -> String;

/// Adds the filters.
pub(super) fn add(environment: &mut Environment<'static>) {
    let plain: [(&'static str, Plain); 8] = [
        ("half_width", width::half),
        ("full_width", width::full),
        ("half_kana", width::half_kana),
        ("full_kana", width::full_kana),
        ("katakana", width::katakana),
        ("hiragana", width::hiragana),
        ("postal_code", forms::postal_code),
        ("phone", forms::phone),
    ];
    for (name, filter) in plain {
        environment.add_filter(name, move |state: &State, value: Value| text(state, &value).map(|text| filter(&text)));
    }
    environment.add_filter("truncate", truncate);
    environment.add_filter("date", date);
    environment.add_filter("yen", yen);
}

/// A value as text, the work on it paid for.
fn text(state: &State, value: &Value) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let length = value.as_str().map_or(0, str::len);
    if length > LONGEST {
        return Err(said("the text is too long for a filter"));
    }
    // A list or an object would be written out in the engine's own form, which no label wants.
    if value.as_str().is_none() && value.len().is_some() {
        return Err(said("a filter of texts was given a list: name one of its values, or use `join`"));
    }
    state.consume_fuel(1 + length as u64 / BYTES_A_FUEL)?;
    Ok(value.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the engine passes values")]
fn truncate(state: &State, value: Value, columns: Option<usize>) -> Result<String, Error> {
    let columns = columns.ok_or_else(|| said("`truncate` needs the number of columns: `truncate(60)`"))?;
    Ok(width::truncate(&text(state, &value)?, columns).to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "the engine passes values")]
fn date(state: &State, value: Value, pattern: Option<String>) -> Result<String, Error> {
    let text = text(state, &value)?;
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let at = forms::local(&text).ok_or_else(|| said("`date` was given what is no date"))?;
    let pattern = pattern.as_deref().unwrap_or("%Y/%m/%d");
    if pattern.len() > LONGEST_PATTERN {
        return Err(said("the pattern of `date` is too long"));
    }
    let mut out = String::new();
    let written = jiff::fmt::strtime::BrokenDownTime::from(at).format(pattern, &mut out);
    written.map_err(|_| said("the pattern of `date` cannot be read: write for example `date(\"%m/%d %H:%M\")`"))?;
    Ok(out)
}

#[expect(clippy::needless_pass_by_value, reason = "the engine passes values")]
fn yen(state: &State, value: Value) -> Result<String, Error> {
    let text = text(state, &value)?;
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let amount = forms::whole(&width::half(text.trim()).replace(',', ""));
    amount.map(forms::yen).ok_or_else(|| said("`yen` was given what is no whole amount"))
}
