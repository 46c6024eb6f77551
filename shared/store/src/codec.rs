//! Between domain types and items: packed payloads, and attribute maps.

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
    serde_dynamo::from_item(item)
        .map_err(|error| StoreError::Unreadable { kind, reason: without_values(&error.to_string()) })
}

/// Why an item cannot be read, without what is in it: messages of serde quote the value that did not fit, which may be a
/// name, an address or a secret. What was expected, and the name of a field that is missing, are the release's own words.
fn without_values(message: &str) -> String {
    const QUOTING: [&str; 4] = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if message.starts_with("missing field `") {
        return message.to_owned();
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if QUOTING.iter().any(|begin| message.starts_with(begin)) => {
            format!("a field is not what was expected: {expected}")
        }
        _ => "a field is not of the form that this release reads".to_owned(),
    }
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
        assert!(error.contains("missing field `kind`"), "{error}");
    }

    #[test]
    fn what_is_not_packed_is_said_to_be() {
        let item = Item::from([("body".to_owned(), text("plain"))]);
        assert!(matches!(unpack::<String>("test", &item, "body"), Err(StoreError::Unreadable { .. })));
    }
}
