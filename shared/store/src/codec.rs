//! Between domain types and items: packed payloads, attribute maps, and the version that every item carries.
//!
//! Whatever reads an item looks at its version first ([`known_version`]): one that a newer release wrote is refused, not
//! guessed at. Errors quote nothing of an item.

use std::collections::HashMap;
use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The version that items are written with, and the newest that is read. A form changes only in ways that the last release
/// reads (a new attribute with a default); whatever cannot bear that is a new version.
pub(crate) const VERSION: u64 = 1;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// No stored payload is larger unpacked: orders are far below it, and a DynamoDB item holds 400 KB packed.
const UNPACKED_LIMIT: u64 = 16 * 1024 * 1024;

/// JSON, deflated: an order of 3 KB becomes about 1 KB, one write unit instead of three.
pub(crate) fn pack<T: Serialize>(kind: &'static str, value: &T) -> Result<AttributeValue, StoreError> {
    let unreadable = |reason: String| StoreError::Unreadable { kind, reason };
    let json = serde_json::to_vec(value).map_err(|e| unreadable(e.to_string()))?;
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(json.len() / 2), Compression::new(6));
    encoder.write_all(&json).map_err(|e| unreadable(e.to_string()))?;
    Ok(AttributeValue::B(Blob::new(encoder.finish().map_err(|e| unreadable(e.to_string()))?)))
}

pub(crate) fn unpack<T: DeserializeOwned>(kind: &'static str, item: &Item, name: &str) -> Result<T, StoreError> {
    let unreadable = |reason: String| StoreError::Unreadable { kind, reason };
    known_version(kind, item)?;
    let packed =
        item.get(name).and_then(|value| value.as_b().ok()).ok_or_else(|| unreadable(format!("it has no {name}")))?;
    let mut json = Vec::new();
    DeflateDecoder::new(packed.as_ref())
        .take(UNPACKED_LIMIT)
        .read_to_end(&mut json)
        .map_err(|e| unreadable(e.to_string()))?;
    // serde_json's messages name positions and expected shapes, not content beyond the offending token's kind.
    serde_json::from_slice(&json).map_err(|e| unreadable(format!("line {} column {}", e.line(), e.column())))
}

pub(crate) fn to_item<T: Serialize>(kind: &'static str, value: T) -> Result<Item, StoreError> {
    serde_dynamo::to_item(value).map_err(|e| StoreError::Unreadable { kind, reason: e.to_string() })
}

pub(crate) fn from_item<T: DeserializeOwned>(kind: &'static str, item: Item) -> Result<T, StoreError> {
    known_version(kind, &item)?;
    serde_dynamo::from_item(item).map_err(|e| StoreError::Unreadable { kind, reason: without_values(&e) })
}

/// Refuses an item of a newer release. One without a version is as old as they get: indexes and partial reads leave it out,
/// too.
pub(crate) fn known_version(kind: &'static str, item: &Item) -> Result<(), StoreError> {
    let Some(v) = item.get("v") else { return Ok(()) };
    match v.as_n().ok().and_then(|v| v.parse().ok()) {
        Some(0..=VERSION) => Ok(()),
        Some(version) => Err(StoreError::Newer { kind, version }),
        None => Err(StoreError::Unreadable { kind, reason: "its version is not a number".into() }),
    }
}

/// What is wrong with an item, without its values: only names of our own attributes are said.
fn without_values(error: &serde_dynamo::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(name) if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => format!("it has no {name}"),
        _ => "one of its values is not of the form that this release reads".to_owned(),
    }
}

/// The mark of the version, for an item that is being written.
pub(crate) fn version() -> AttributeValue {
    number(VERSION)
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_is_smaller_and_comes_back() {
        let order: Vec<String> = (0..60).map(|n| format!("attribute_{n}: 注文の値 {n}")).collect();
        let packed = pack("test", &order).unwrap();
        let json = serde_json::to_vec(&order).unwrap();
        assert!(packed.as_b().unwrap().as_ref().len() * 2 < json.len());
        let item = Item::from([("body".to_owned(), packed)]);
        assert_eq!(unpack::<Vec<String>>("test", &item, "body").unwrap(), order);
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Kind {
            Known,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Stored {
            count: u32,
            kind: Kind,
            sku: renkei_domain::ids::Sku,
        }
        let good = || {
            Item::from([
                ("count".to_owned(), number(1)),
                ("kind".to_owned(), text("known")),
                ("sku".to_owned(), text("A")),
            ])
        };
        let whole: Stored = from_item("test", good()).unwrap();
        assert!(matches!((whole.count, whole.kind, whole.sku.as_str()), (1, Kind::Known, "A")));
        let canary = "山田花子, expected 090-1111-2222";
        for (field, value) in [
            ("count", text(canary)),
            ("count", AttributeValue::N(canary.into())),
            ("count", AttributeValue::Bool(true)),
            ("kind", text(canary)),
            ("kind", AttributeValue::L(vec![text(canary)])),
            ("sku", text(format!("{canary}\n"))),
            ("sku", AttributeValue::B(Blob::new(canary))),
        ] {
            let mut item = good();
            item.insert(field.to_owned(), value);
            let error = from_item::<Stored>("test", item).unwrap_err().to_string();
            assert!(!error.contains("山田") && !error.contains("090-"), "{field}: {error}");
        }
        let mut item = good();
        item.remove("kind");
        let error = from_item::<Stored>("test", item).unwrap_err().to_string();
        assert!(error.contains("it has no kind"), "{error}");
    }

    #[test]
    fn what_is_not_packed_is_said_to_be() {
        let item = Item::from([("body".to_owned(), text("plain"))]);
        assert!(matches!(unpack::<String>("test", &item, "body"), Err(StoreError::Unreadable { .. })));
    }

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its reading matters")]
    struct Note {
        count: u32,
        said: String,
    }

    fn note() -> Item {
        Item::from([("v".into(), version()), ("count".into(), number(1)), ("said".into(), text("見本 花子"))])
    }

    #[test]
    fn an_item_of_a_newer_release_is_refused_whatever_else_it_holds() {
        for (v, read) in [(number(1), true), (number(0), true), (number(2), false), (number(u64::MAX), false)] {
            let item = Item::from([("v".to_owned(), v.clone())])
                .into_iter()
                .chain(note().into_iter().filter(|(k, _)| k != "v"));
            let answer = from_item::<Note>("note", item.collect());
            assert_eq!(answer.is_ok(), read, "{v:?}: {answer:?}");
            let packed = Item::from([("v".to_owned(), v), ("body".to_owned(), pack("note", &1).unwrap())]);
            assert_eq!(unpack::<u32>("note", &packed, "body").is_ok(), read);
        }
        let other = Item::from([("v".to_owned(), number(2)), ("something".to_owned(), text("見本 花子"))]);
        let error = from_item::<Note>("note", other).unwrap_err();
        assert!(matches!(error, StoreError::Newer { kind: "note", version: 2 }) && error.is_passing());
        assert!(error.to_string().contains("version 2") && error.to_string().contains("up to 1"), "{error}");
        let odd = Item::from([("v".to_owned(), text("見本 花子"))]);
        assert!(!from_item::<Note>("note", odd).unwrap_err().to_string().contains("花子"));
        let old = note().into_iter().filter(|(name, _)| name != "v").collect();
        from_item::<Note>("note", old).unwrap();
    }

    #[test]
    fn what_is_wrong_with_an_item_is_said_without_its_values() {
        let mut item = note();
        item.insert("count".into(), text("見本 花子"));
        let wrong = from_item::<Note>("note", item.clone()).unwrap_err().to_string();
        let said =
            "a stored note cannot be read: one of its values is not of the form that this release reads; tell the ";
        assert!(wrong.starts_with(said) && !wrong.contains("花子"), "{wrong}");
        item.insert("count".into(), AttributeValue::N("1.5".into()));
        assert!(from_item::<Note>("note", item.clone()).unwrap_err().to_string().contains("one of its values"));
        item.remove("count");
        let wrong = from_item::<Note>("note", item).unwrap_err().to_string();
        assert!(wrong.starts_with("a stored note cannot be read: it has no count; tell the operator"), "{wrong}");
    }
}
