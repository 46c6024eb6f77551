//! Documents bent by faults: wrong totals, repeated rows, keys lost, numbers as strings.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Content};
use super::faults::Strike;
use crate::api::FaultKind;

/// Keys without which an order cannot be shipped; kept unless a fault asks for them by `vital`.
const VITAL: [&str; 22] = [
    "id",
    "number",
    "state",
    "payment_state",
    "times",
    "kind",
    "total",
    "shipping_carrier_id",
    "shipping_carrier_name",
    "variant_sku",
    "quantity",
    "name01",
    "name02",
    "zip01",
    "zip02",
    "prefecture_name",
    "addr01",
    "addr02",
    "tel01",
    "tel02",
    "tel03",
    "created_at",
];

/// Bends an answer that has been made as usual.
pub fn bend(answer: &mut Answer, strike: &Strike, row_before: Option<Value>) {
    let Content::Json(document) = &mut answer.content else {
        return;
    };
    let mut dice = strike.dice();
    match &strike.kind {
        FaultKind::TruncatedJson => answer.content = Content::Torn(document.take()),
        FaultKind::WrongTotals => wrong_totals(document, &mut dice),
        FaultKind::DuplicateRows => answer.rows = repeat_row(document, row_before, &mut dice),
        FaultKind::HugeBody { bytes } => document["padding"] = "余白".repeat(bytes / 6 + 1).into(),
        FaultKind::ShuffledIncluded => {
            if let Some(included) = document["included"].as_array_mut() {
                included.shuffle(&mut dice);
            }
        }
        FaultKind::MissingKeys { percent, vital } => {
            lose_keys(document, *percent, *vital, &mut dice);
        }
        // These act before, around or instead of the answer.
        FaultKind::TooManyRequestsSeconds { .. }
        | FaultKind::TooManyRequestsDate { .. }
        | FaultKind::TooManyRequestsPlain
        | FaultKind::ServerError { .. }
        | FaultKind::Html503 { .. }
        | FaultKind::ResetBefore
        | FaultKind::ResetAfter
        | FaultKind::Slow { .. }
        | FaultKind::SilentNoOp
        | FaultKind::DroppedNumbers
        | FaultKind::PartialFailure { .. }
        | FaultKind::RefusedWhole { .. }
        | FaultKind::RevokedToken
        | FaultKind::StandingList
        | FaultKind::LimitRefused { .. } => {}
    }
}

fn wrong_totals(document: &mut Value, dice: &mut StdRng) {
    let Some(meta) = document.get_mut("meta") else {
        return;
    };
    let (total, page) = (meta["total_count"].as_u64().unwrap_or(0), meta["page"].as_u64().unwrap_or(1));
    let (count, pages) = match dice.random_range(0..4) {
        0 => (0, 0),
        1 => (meta["count"].as_u64().unwrap_or(0), page),
        2 => (total.saturating_mul(3) + 1, page + 1_000),
        _ => (total / 2, 1),
    };
    meta["total_count"] = count.into();
    meta["total_pages"] = pages.into();
}

/// Repeats a row, keeping the page's length within `per`; the number of rows then.
fn repeat_row(document: &mut Value, row_before: Option<Value>, dice: &mut StdRng) -> u64 {
    let per = document["meta"]["per"].as_u64().and_then(|per| usize::try_from(per).ok()).unwrap_or(100);
    let Some(rows) = document["data"].as_array_mut() else {
        return 1;
    };
    if let Some(before) = row_before.filter(|_| dice.random()) {
        rows.insert(0, before);
    } else if !rows.is_empty() {
        let from = dice.random_range(0..rows.len());
        let copy = rows[from].clone();
        rows.insert(from + 1, copy);
    }
    rows.truncate(per);
    let count = rows.len() as u64;
    document["meta"]["count"] = count.into();
    count
}

fn lose_keys(document: &mut Value, percent: u64, vital: bool, dice: &mut StdRng) {
    for part in ["data", "included"] {
        match document.get_mut(part) {
            Some(Value::Array(resources)) => {
                for resource in resources {
                    lose_keys_of(resource, percent, vital, dice);
                }
            }
            Some(resource @ Value::Object(_)) => lose_keys_of(resource, percent, vital, dice),
            _ => {}
        }
    }
}

fn lose_keys_of(resource: &mut Value, percent: u64, vital: bool, dice: &mut StdRng) {
    let Some(attributes) = resource.get_mut("attributes").and_then(Value::as_object_mut) else {
        return;
    };
    let mut kept = Map::new();
    for (key, value) in std::mem::take(attributes) {
        if dice.random_range(0..100) >= percent {
            kept.insert(key, value);
            continue;
        }
        let may_be_lost = vital || !VITAL.contains(&key.as_str());
        match dice.random_range(0..3) {
            0 if may_be_lost => {}
            1 if may_be_lost => {
                kept.insert(key, Value::Null);
            }
            _ => {
                let changed = in_other_clothes(value, dice);
                kept.insert(key, changed);
            }
        }
    }
    kept.insert("unknown_key".to_owned(), json!({"since": "without notice"}));
    *attributes = kept;
}

fn in_other_clothes(value: Value, dice: &mut dyn Rng) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        Value::Bool(flag) => match dice.random_range(0..3) {
            0 => u8::from(flag).into(),
            1 => u8::from(flag).to_string().into(),
            _ => flag.to_string().into(),
        },
        other => other,
    }
}
