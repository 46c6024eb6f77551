//! JSON:API documents: rows, and the related resources that stand beside them.
//!
//! A document is walked without building a tree of it: rows and included resources stay slices of the answer's text and
//! are decoded one at a time, so that a page costs little more memory than its bytes, and one damaged row costs only
//! itself.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::BadBody;
use crate::wire::lenient;

/// An answer's text. Bytes that are not UTF-8 are replaced, and the rows that contain them are refused later.
pub(crate) fn body_text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body)
}

/// Reads JSON, and tells the ways apart in which a body fails to be it.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadBody> {
    serde_json::from_str(text).map_err(|error| match text.trim_start().bytes().next() {
        None => BadBody::Empty,
        Some(b'<') => BadBody::Html,
        Some(b'{' | b'[') if error.is_eof() => BadBody::Truncated,
        Some(b'{' | b'[') => BadBody::Malformed,
        Some(_) => BadBody::Text,
    })
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    included: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

/// A decoded answer that still borrows its text.
pub(crate) struct Document<'a> {
    pub(crate) rows: Vec<&'a RawValue>,
    pub(crate) included: Included<'a>,
    pub(crate) meta: Option<Value>,
    /// The answer was not wholly UTF-8: a replacement character in it is damage.
    damaged: bool,
}

impl<'a> Document<'a> {
    /// A list.
    pub(crate) fn list(text: &'a Cow<'a, str>) -> Result<Self, BadBody> {
        Self::read(text, |data| serde_json::from_str(data.get()).map_err(|_| BadBody::Missing("list of rows")))
    }

    /// A single resource: a list of one.
    pub(crate) fn single(text: &'a Cow<'a, str>) -> Result<Self, BadBody> {
        Self::read(
            text,
            |data| {
                if data.get().starts_with('{') { Ok(vec![data]) } else { Err(BadBody::Missing("record")) }
            },
        )
    }

    fn read(
        text: &'a Cow<'a, str>,
        rows: impl FnOnce(&'a RawValue) -> Result<Vec<&'a RawValue>, BadBody>,
    ) -> Result<Self, BadBody> {
        let envelope: Envelope<'a> = parse(text)?;
        let rows = rows(envelope.data.ok_or(BadBody::Missing("data"))?)?;
        Ok(Self {
            rows,
            included: Included::read(envelope.included),
            meta: envelope.meta.and_then(|meta| serde_json::from_str(meta.get()).ok()),
            damaged: matches!(text, Cow::Owned(_)),
        })
    }

    /// One row with its attributes, or why it cannot be read.
    pub(crate) fn resource(&self, row: &RawValue) -> Result<Resource, String> {
        self.decode(row.get())
    }

    /// The included resource that a row refers to. `None` when it is not there.
    pub(crate) fn related(&self, key: &Key) -> Option<Result<Resource, String>> {
        self.included.0.get(key).map(|raw| self.decode(raw.get()))
    }

    fn decode(&self, text: &str) -> Result<Resource, String> {
        if self.damaged && text.contains(char::REPLACEMENT_CHARACTER) {
            return Err("it contains bytes that are not text".to_owned());
        }
        // serde_json's own words can quote the row, so they are not passed on.
        let value: Value = serde_json::from_str(text).map_err(|_| "it is not valid JSON".to_owned())?;
        Resource::read(value)
    }
}

/// What identifies a resource within a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) kind: String,
    pub(crate) id: u64,
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let id = lenient::id(value.get("id")?).ok()??;
        Some(Self { kind: value.get("type")?.as_str()?.to_owned(), id })
    }
}

pub(crate) struct Included<'a>(HashMap<Key, &'a RawValue>);

impl<'a> Included<'a> {
    fn read(raw: Option<&'a RawValue>) -> Self {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            id: &'a RawValue,
            #[serde(borrow, rename = "type")]
            kind: &'a RawValue,
        }
        let list: Vec<&'a RawValue> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let mut found = HashMap::with_capacity(list.len());
        for resource in list {
            let Ok(head) = serde_json::from_str::<Head<'_>>(resource.get()) else {
                continue;
            };
            let (Ok(kind), Ok(id)) = (serde_json::from_str(head.kind.get()), head.id.get().trim_matches('"').parse())
            else {
                continue;
            };
            found.entry(Key { kind, id }).or_insert(resource);
        }
        Self(found)
    }
}

/// A row or an included resource: its id, attributes and references.
pub(crate) struct Resource {
    pub(crate) id: Option<u64>,
    pub(crate) attributes: Map<String, Value>,
    relationships: Map<String, Value>,
}

impl Resource {
    fn read(value: Value) -> Result<Self, String> {
        let Value::Object(mut row) = value else {
            return Err("it is not a record".to_owned());
        };
        let mut take = |name: &str| match row.remove(name) {
            Some(Value::Object(map)) => Some(map),
            _ => None,
        };
        let attributes = take("attributes").ok_or("it has no attributes")?;
        let relationships = take("relationships").unwrap_or_default();
        let read_id = |id: Option<&Value>| id.and_then(|id| lenient::id(id).ok().flatten());
        let (outer, inner) = (read_id(row.get("id")), read_id(attributes.get("id")));
        if outer.is_some() && inner.is_some() && outer != inner {
            return Err("its two ids differ".to_owned());
        }
        Ok(Self { id: outer.or(inner), attributes, relationships })
    }

    /// The references under a relationship, whether it holds one, many or none; each once, in the shop's order.
    pub(crate) fn references(&self, relationship: &str) -> Vec<Key> {
        let data = self.relationships.get(relationship).and_then(|relation| relation.get("data"));
        let one = data.into_iter().filter(|data| data.is_object());
        let many = data.and_then(Value::as_array).into_iter().flatten();
        let mut keys = Vec::new();
        for key in one.chain(many).filter_map(Key::read) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}
