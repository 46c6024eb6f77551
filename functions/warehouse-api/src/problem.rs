//! What is answered when a request cannot be carried out: `application/problem+json` (RFC 9457), with a `type` that stays
//! the same for good, so that a warehouse's program can tell one from another.
//!
//! Nothing of a request is quoted back except names of ours: an answer may end up in somebody's log.

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use renkei_platform::queue::QueueError;
use renkei_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Reason;
use crate::limits;

/// Why a request cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No key, one that was never handed out, is over, or was revoked. Which, is not said.
    #[error("send a key that is valid: Authorization: Bearer <key>")]
    Unauthorized,
    /// No such shipment, or not this warehouse's: the two look the same.
    #[error("there is no such shipment among those of this key's warehouse")]
    NoShipment,
    /// No such path, or a webhook's address that was never handed out.
    #[error("there is nothing at this address; see /v1/openapi.json")]
    NotFound,
    /// The path takes other methods only.
    #[error("this address does not take this method; the header Allow names those that it takes")]
    MethodNotAllowed,
    /// No such ship-from, or not this warehouse's.
    #[error("there is no such ship-from among those of this key's warehouse")]
    NoShipFrom,
    /// The body is larger than what is taken.
    #[error("the body is larger than {} bytes; send it in several", limits::BODY_BYTES)]
    TooLarge,
    /// The body is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The body is JSON of another shape than this call takes.
    #[error("the body is not of the shape that this call takes: {0}")]
    BadBody(&'static str),
    /// More records in a write than are taken.
    #[error("a write takes at most {} records; send them in several", limits::RECORDS)]
    TooManyRecords,
    /// The header `Idempotency-Key` has another form.
    #[error("Idempotency-Key takes 1 to 255 printable ASCII characters without spaces")]
    BadIdempotencyKey,
    /// A parameter of the query is unknown, doubled, or cannot have this value.
    #[error("the query is wrong: {0}")]
    BadQuery(&'static str),
    /// A cursor that was not given out for this warehouse and this query.
    #[error("this cursor was not given out for this list; begin the list again without it")]
    BadCursor,
    /// The answer to a cancellation request cannot be taken.
    #[error("the answer cannot be taken: {} ({})", .0.message, .0.word)]
    AnswerRefused(Reason),
    /// The shipment cannot be given back.
    #[error("it cannot be given back: {} ({})", .0.message, .0.word)]
    ReturnRefused(Reason),
    /// Something that we depend on does not answer; the same request succeeds later. A write may be done all the same.
    #[error(
        "this cannot be answered at the moment, and is not known to be done; send the same again in some seconds, it is \
         safe to repeat"
    )]
    Unavailable,
    /// A mistake of ours.
    #[error("a mistake on our side; it has been noted")]
    Internal,
}

/// A problem as it is written (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Which problem; stays the same for good.
    #[serde(rename = "type")]
    #[schema(example = "urn:renkei:problem:bad-cursor", format = "uri")]
    kind: String,
    /// The same in words.
    title: &'static str,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: String,
    /// Why, where one problem has several causes that a program tells apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::refusal)]
    reason: Option<&'static str>,
}

impl Problem {
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "No valid key"),
            Self::NoShipment => (StatusCode::NOT_FOUND, "no-such-shipment", "No such shipment"),
            Self::NoShipFrom => (StatusCode::NOT_FOUND, "no-such-ship-from", "No such ship-from"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Nothing here"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::NotJson { .. } => (StatusCode::BAD_REQUEST, "not-json", "Not JSON"),
            Self::BadBody(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-body", "Body of another shape"),
            Self::TooManyRecords => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-records", "Too many records"),
            Self::BadIdempotencyKey => (StatusCode::BAD_REQUEST, "bad-idempotency-key", "Wrong Idempotency-Key"),
            Self::BadQuery(_) => (StatusCode::BAD_REQUEST, "bad-query", "Wrong query"),
            Self::BadCursor => (StatusCode::BAD_REQUEST, "bad-cursor", "Wrong cursor"),
            Self::AnswerRefused(_) => (StatusCode::CONFLICT, "answer-refused", "Answer cannot be taken"),
            Self::ReturnRefused(_) => (StatusCode::CONFLICT, "return-refused", "Return cannot be taken"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not at the moment"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A mistake on our side"),
        }
    }

    fn body(&self) -> ProblemBody {
        let (status, name, title) = self.parts();
        let reason = match self {
            Self::AnswerRefused(why) | Self::ReturnRefused(why) => Some(why.word),
            _ => None,
        };
        let kind = format!("urn:renkei:problem:{name}");
        ProblemBody { kind, title, status: status.as_u16(), detail: self.to_string(), reason }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = serde_json::to_string(&self.body()).unwrap_or_default();
        let mut response = (self.parts().0, text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // The store's errors name operations and kinds of items, nothing that is in them.
        if error.is_passing() {
            tracing::warn!(%error, "the store did not answer");
            Self::Unavailable
        } else {
            tracing::error!(%error, "the store refused");
            Self::Internal
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        if error.is_passing() {
            tracing::warn!(%error, "the queue did not answer");
            Self::Unavailable
        } else {
            tracing::error!(%error, "the queue refused");
            Self::Internal
        }
    }
}

/// A wrong method's answer, with those that are right.
#[must_use]
pub fn method_not_allowed(allowed: &[&str]) -> Response {
    let mut response = Problem::MethodNotAllowed.into_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: Reason = Reason { word: "not-requested", message: "nobody asked" };

    #[test]
    fn each_problem_has_a_type_of_its_own() {
        let all = [
            Problem::Unauthorized,
            Problem::NoShipment,
            Problem::NoShipFrom,
            Problem::NotFound,
            Problem::MethodNotAllowed,
            Problem::TooLarge,
            Problem::NotJson { line: 1, column: 1 },
            Problem::BadBody("x"),
            Problem::TooManyRecords,
            Problem::BadIdempotencyKey,
            Problem::BadQuery("x"),
            Problem::BadCursor,
            Problem::AnswerRefused(WHY),
            Problem::ReturnRefused(WHY),
            Problem::Unavailable,
            Problem::Internal,
        ];
        let types: std::collections::BTreeSet<_> = all.iter().map(|problem| problem.parts().1).collect();
        assert_eq!(types.len(), all.len());
        for problem in all {
            let status = problem.parts().0;
            let response = problem.into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        }
    }

    #[test]
    fn a_refusal_says_why_to_programs_and_to_people() {
        let body = serde_json::to_value(Problem::AnswerRefused(WHY).body()).unwrap();
        assert_eq!(body["reason"], "not-requested");
        assert_eq!(body["detail"], "the answer cannot be taken: nobody asked (not-requested)");
        let body = serde_json::to_value(Problem::ReturnRefused(WHY).body()).unwrap();
        assert_eq!(body["reason"], "not-requested");
        assert_eq!(body["detail"], "it cannot be given back: nobody asked (not-requested)");
        let other = serde_json::to_value(Problem::BadCursor.body()).unwrap();
        assert!(other.get("reason").is_none(), "{other}");
    }
}
