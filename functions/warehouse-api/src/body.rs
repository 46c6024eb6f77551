//! Bodies of requests: read within their limit, and taken apart so that a bad record loses only itself.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use utoipa::ToSchema;

use crate::App;
use crate::limits;
use crate::problem::Problem;

/// A body's bytes, at most [`limits::BODY_BYTES`].
#[derive(Clone)]
pub struct Raw(pub Bytes);

impl FromRequest<App> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _app: &App) -> Result<Self, Problem> {
        // The gateway has read it whole already: all that can go wrong here is its size.
        to_bytes(request.into_body(), limits::BODY_BYTES).await.map(Self).map_err(|_| Problem::TooLarge)
    }
}

impl Raw {
    /// As a request of this form; `expected` says which that is.
    pub fn read<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, Problem> {
        // The error itself may quote the body.
        serde_json::from_slice(&self.0).map_err(|error| match error.classify() {
            Category::Data => Problem::BadBody(expected),
            Category::Io | Category::Syntax | Category::Eof => {
                Problem::NotJson { line: error.line(), column: error.column() }
            }
        })
    }
}

/// The records of a write, if they are not too many.
pub fn limited(records: Vec<Value>) -> Result<Vec<Value>, Problem> {
    if records.len() > limits::RECORDS { Err(Problem::TooManyRecords) } else { Ok(records) }
}

/// A record of a write that was not taken. The others were looked at all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refused {
    /// Where it stood in the request, counted from 0.
    pub index: usize,
    /// What it is about: the shipment's id, or the SKU; null where that could not be read.
    pub id: Option<String>,
    /// Why, as a word that stays the same.
    #[schema(example = "cancelled")]
    pub reason: &'static str,
    /// Why, as a sentence.
    pub message: &'static str,
}

/// Why a record was not taken, whatever it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// As a word that stays the same.
    pub word: &'static str,
    /// As a sentence.
    pub message: &'static str,
}

impl Reason {
    /// The record is not of the shape that is asked for.
    pub const MALFORMED: Self =
        Self { word: "malformed", message: "the record is not of the shape that is asked for; see /v1/openapi.json" };
    /// No such shipment, or not this warehouse's.
    pub const NOT_FOUND: Self =
        Self { word: "not-found", message: "there is no such shipment among those of this key's warehouse" };
    /// Not known to be done: it was not begun, or the store's answer was lost, perhaps after it was done.
    pub const UNAVAILABLE: Self =
        Self { word: "unavailable", message: "it is not known to be done; send this record again" };

    /// The refusal of a record.
    #[must_use]
    pub fn refuses(self, index: usize, id: Option<&str>) -> Refused {
        // What could not be read as an id is not sent back at length.
        let id = id.map(|id| id.chars().take(128).collect());
        Refused { index, id, reason: self.word, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ids {
        ids: Vec<Value>,
    }

    fn read(text: impl AsRef<[u8]>) -> Result<Ids, Problem> {
        Raw(Bytes::copy_from_slice(text.as_ref())).read("an object with `ids`")
    }

    #[test]
    fn more_than_a_thousand_records_are_refused_as_such() {
        assert_eq!(limited(vec![Value::Null; 1_000]).unwrap().len(), 1_000);
        assert_eq!(limited(vec![Value::Null; 1_001]), Err(Problem::TooManyRecords));
    }

    #[test]
    fn a_body_of_another_shape_says_what_is_expected() {
        for bad in
            ["[1]", "null", "\"ids\"", "{}", "{\"ids\":{}}", "{\"ids\":[],\"more\":1}", "{\"ids\":[],\"ids\":[]}"]
        {
            assert_eq!(read(bad), Err(Problem::BadBody("an object with `ids`")), "{bad}");
        }
        assert_eq!(read("{\"ids\":[1,null,{}]}").unwrap().ids.len(), 3, "records are looked at one by one");
    }

    #[test]
    fn what_is_not_json_is_told_by_place_and_not_quoted() {
        for bad in [&b"{\"ids\": \xff}"[..], b"", b"{", b"ids=1", b"{\"ids\":[]}x"] {
            assert!(matches!(read(bad), Err(Problem::NotJson { .. })), "{bad:?}");
        }
    }
}
