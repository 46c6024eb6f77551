//! An answer of the shop before it goes onto the wire.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// An answer, with what the ledger wants to know about it.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, where there is one.
    pub retry_after: Option<String>,
    /// What it says.
    pub content: Content,
    /// Rows in it.
    pub rows: u64,
    /// Records in the request.
    pub records: u64,
    /// Records that the call changed.
    pub applied: u64,
}

/// What an answer says.
pub enum Content {
    /// JSON, whole.
    Json(Value),
    /// JSON that ends in the middle.
    Torn(Value),
    /// Plain text.
    Text(&'static str),
    /// A page of HTML.
    Html(&'static str),
}

const CDN_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>503 Service Temporarily Unavailable</title></head>\n\
    <body><center><h1>503 Service Temporarily Unavailable</h1></center><hr></body></html>\n";

impl Answer {
    /// 200 with a document.
    pub fn ok(document: Value) -> Self {
        Self { status: 200, retry_after: None, content: Content::Json(document), rows: 0, records: 0, applied: 0 }
    }

    /// A refusal in the shop's words.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, ..Self::ok(json!({"errors": [{"code": code, "message": message}]})) }
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::error(401, "AOR1001", "認証に失敗しました。")
    }

    /// 404 for what is not there.
    pub fn not_found(message: &str) -> Self {
        Self::error(404, "AOR2001", message)
    }

    /// 422 for what cannot be read.
    pub fn unprocessable(message: &str) -> Self {
        Self::error(422, "AOR3001", message)
    }

    /// The day's limit is spent.
    pub fn limit_spent(status: u16) -> Self {
        Self::error(status, "AOR4290", "APIの1日あたりの呼び出し回数の上限に達しました。")
    }

    /// 429 in plain text.
    pub fn retry_later(retry_after: Option<String>) -> Self {
        Self { status: 429, retry_after, content: Content::Text("Retry later\n"), ..Self::ok(Value::Null) }
    }

    /// 500 of the passing kind.
    pub fn server_error() -> Self {
        Self::error(500, "AOR9999", "サーバーエラーが発生しました。しばらくしてから再度お試しください。")
    }

    /// 503 of the CDN in front.
    pub fn cdn_page() -> Self {
        Self { status: 503, content: Content::Html(CDN_PAGE), ..Self::ok(Value::Null) }
    }

    /// The same answer in place of another, whose effects stand.
    pub fn instead_of(self, other: &Self) -> Self {
        Self { applied: other.applied, records: other.records, ..self }
    }

    /// Onto the wire.
    pub fn into_response(self) -> Response<Body> {
        let (kind, bytes) = match self.content {
            Content::Json(document) => ("application/json; charset=utf-8", document.to_string().into_bytes()),
            Content::Torn(document) => {
                let mut bytes = document.to_string().into_bytes();
                bytes.truncate(bytes.len() * 2 / 3);
                ("application/json; charset=utf-8", bytes)
            }
            Content::Text(text) => ("text/plain", text.as_bytes().to_vec()),
            Content::Html(page) => ("text/html", page.as_bytes().to_vec()),
        };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(value) = self.retry_after.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(header::RETRY_AFTER, value);
        }
        response
    }
}
