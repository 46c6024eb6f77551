//! Scalars as shops send them: numbers as strings, flags in six spellings, times without a zone, blanks for nothing.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

/// A value is there, but it cannot be what its attribute means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Japan has had no summer time since 1951, so its zone is this offset and needs no time zone database.
pub(crate) const TOKYO: Offset = Offset::constant(9);

/// Text; blank is nothing. Numbers and flags become their text, a list of them is joined by commas.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().filter_map(text).collect();
            if parts.is_empty() { None } else { Some(parts.join(",")) }
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// A whole number, also from `"1,980"`, `"10.0"`, `"１０"` or `10.0`.
pub(crate) fn whole(value: &Value) -> Result<Option<i64>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Some(whole)),
            // Up to 2^53 a float without a fraction is exactly its whole number.
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => {
                Ok(Some(float as i64))
            }
            _ => Err(Unreadable),
        },
        Value::String(text) => whole_text(text),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(Unreadable),
    }
}

fn whole_text(text: &str) -> Result<Option<i64>, Unreadable> {
    let plain: String = text.nfkc().filter(|c| *c != ',').collect();
    let plain = plain.trim();
    if plain.is_empty() {
        return Ok(None);
    }
    let whole = match plain.split_once('.') {
        Some((whole, fraction)) if !whole.is_empty() && fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) => return Err(Unreadable),
        None => plain,
    };
    whole.parse().map(Some).map_err(|_| Unreadable)
}

/// An id: a whole number above 0. `0` and blanks are how "none" is written.
pub(crate) fn id(value: &Value) -> Result<Option<u64>, Unreadable> {
    match whole(value)? {
        None | Some(0) => Ok(None),
        Some(id) => u64::try_from(id).map(Some).map_err(|_| Unreadable),
    }
}

/// A flag: `0/1`, `true/false`, or either as text.
pub(crate) fn flag(value: &Value) -> Result<Option<bool>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(Some(false)),
            Some(1.0) => Ok(Some(true)),
            _ => Err(Unreadable),
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "1" | "true" | "t" | "yes" | "on" => Ok(Some(true)),
            "0" | "false" | "f" | "no" | "off" => Ok(Some(false)),
            _ => Err(Unreadable),
        },
        Value::Array(_) | Value::Object(_) => Err(Unreadable),
    }
}

/// A moment. Without a zone it means Japan; a date alone means its midnight there. An all-zero date is nothing.
pub(crate) fn time(value: &Value) -> Result<Option<Timestamp>, Unreadable> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.nfkc().collect::<String>().replace('/', "-"),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(Unreadable);
        }
    };
    let text = text.trim();
    if text.is_empty() || text.starts_with("0000-00-00") {
        return Ok(None);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Some(moment));
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M:%S", text))
        .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text))
        .or_else(|_| Date::strptime("%Y-%m-%d", text).map(DateTime::from))
        .map_err(|_| Unreadable)?;
    TOKYO.to_timestamp(civil).map(Some).map_err(|_| Unreadable)
}

/// A moment as requests take it: `YYYY-MM-DD HH:MM:SS` in Japan. Fractions of a second are cut off.
pub(crate) fn request_time(moment: Timestamp) -> String {
    TOKYO.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Moments in this crate's own JSON: with Japan's offset, so that a template that prints one shows Japan's date.
pub(crate) mod tokyo {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => serializer.collect_str(&moment.display_with_offset(super::TOKYO)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Option::<Timestamp>::deserialize(deserializer)
    }
}

#[cfg(test)]
#[path = "lenient_tests.rs"]
mod tests;
