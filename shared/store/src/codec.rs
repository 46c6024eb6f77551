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
    serde_dynamo::from_item(item).map_err(|e| StoreError::Unreadable { kind, reason: e.to_string() })
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
    fn what_is_not_packed_is_said_to_be() {
        let item = Item::from([("body".to_owned(), text("plain"))]);
        assert!(matches!(unpack::<String>("test", &item, "body"), Err(StoreError::Unreadable { .. })));
    }
}
