//! From a shop's attributes to this crate's own form of them.
//!
//! Each resource lists its known attributes with their kinds; this module brings a row's attributes into their one
//! canonical spelling by that list, so that the typed structures can be read from it without further tolerance. What a
//! parcel or a payment depends on must be readable, or the row is set aside; the rest is dropped when unreadable.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::lenient::{self, Unreadable};

/// What an attribute holds. The `Must…` kinds refuse the row when the value is there but unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Id,
    Count,
    Flag,
    Time,
    /// Whole yen. A wrong amount is worse than none, and none is worse than a person looking.
    MustMoney,
    MustCount,
    MustTime,
}

pub(crate) type Known = [(&'static str, Kind)];

/// The known attributes of `attributes` in canonical spelling; blanks and nulls are left out. The error says what is
/// wrong, beginning with the attribute's name.
pub(crate) fn canonical(attributes: &Map<String, Value>, known: &Known) -> Result<Map<String, Value>, String> {
    let mut form = Map::new();
    for (name, kind) in known {
        let Some(value) = attributes.get(*name) else {
            continue;
        };
        if let Some(value) = canonical_value(value, *kind).map_err(|Unreadable| unreadable(name, *kind))? {
            form.insert((*name).to_owned(), value);
        }
    }
    Ok(form)
}

fn canonical_value(value: &Value, kind: Kind) -> Result<Option<Value>, Unreadable> {
    let count = |value| match lenient::whole(value)? {
        Some(count) => u32::try_from(count).map(Some).map_err(|_| Unreadable),
        None => Ok(None),
    };
    let moment = |value| Ok(lenient::time(value)?.map(|moment| Value::from(moment.to_string())));
    match kind {
        Kind::Text => Ok(lenient::text(value).map(Value::from)),
        Kind::Id => Ok(lenient::id(value).unwrap_or(None).map(Value::from)),
        Kind::Count => Ok(count(value).unwrap_or(None).map(Value::from)),
        Kind::Flag => Ok(lenient::flag(value).unwrap_or(None).map(Value::from)),
        Kind::Time => Ok(moment(value).unwrap_or(None)),
        Kind::MustMoney => Ok(lenient::whole(value)?.map(Value::from)),
        Kind::MustCount => Ok(count(value)?.map(Value::from)),
        Kind::MustTime => moment(value),
    }
}

fn unreadable(name: &str, kind: Kind) -> String {
    let meant = match kind {
        Kind::MustMoney => "an amount in whole yen",
        Kind::MustCount | Kind::Count => "a number of pieces",
        Kind::MustTime | Kind::Time => "a date or time",
        Kind::Text | Kind::Id | Kind::Flag => "readable",
    };
    format!("{name} is not {meant}")
}

/// The most unknown attributes that are kept.
const MOST_EXTRA: usize = 100;
/// The most bytes that the name and the value of one may take.
const LARGEST_EXTRA: usize = 2 * 1024;
/// The most bytes that all of them may take.
const LARGEST_EXTRAS: usize = 64 * 1024;

/// The attributes that nobody here knows, for templates that do: scalars only, blanks left out, within bounds (the
/// first in the order of their names are kept). Nothing under a name in `reserved`.
pub(crate) fn extra(attributes: &Map<String, Value>, known: &Known, reserved: &[&str]) -> BTreeMap<String, Value> {
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort_unstable();
    let mut kept = BTreeMap::new();
    let mut total = 0;
    for name in names {
        let taken = reserved.contains(&name.as_str()) || known.iter().any(|(known, _)| known == name);
        let Some((value, size)) = attributes.get(name).and_then(scalar) else {
            continue;
        };
        let size = size + name.len();
        if taken || size > LARGEST_EXTRA || total + size > LARGEST_EXTRAS || kept.len() == MOST_EXTRA {
            continue;
        }
        total += size;
        kept.insert(name.clone(), value.clone());
    }
    kept
}

/// A scalar that says something, and the bytes it takes.
fn scalar(value: &Value) -> Option<(&Value, usize)> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some((value, text.len())),
        Value::Number(_) | Value::Bool(_) => Some((value, 8)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
