//! The client: one method, one request, one answer.
//!
//! Calls to a shop are counted, paced and made one at a time by whoever calls this; so nothing here repeats a request,
//! waits, or asks twice. What an answer's status means is decided in one place, [`refused`].

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::address::ApiAddress;
use crate::error::{BadBody, Error, PASSING_CODE};
use crate::guard::ResolveError;
use crate::query::{Include, OrderQuery};
use crate::retry_after::retry_after;
use crate::sent::{Sent, SentLog, shown};
use crate::token::{SignedIn, Token};
use crate::wire::answer::WriteAnswer;
use crate::wire::catalog::{self, Product, ShippingCarrier, StockItem};
use crate::wire::document::{body_text, parse};
use crate::wire::failure::{shop_errors, short};
use crate::wire::lenient;
use crate::wire::order::Order;
use crate::wire::page::{BadRecord, OrderPage, Page, PageRequest, single_order};
use crate::wire::stock::{StockAnswer, StockLevel};
use crate::wire::write::{
    BulkUpdate, Credentials, Shipping, ShippingOptions, ShippingResult, SignIn, StateChange, StockUpdate,
};

/// The most bytes of an answer that are held, unless [`Client::with_body_limit`] says otherwise: 16 MiB. A full page
/// of orders has a few hundred KB.
pub const DEFAULT_BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Error answers are short; of the others (pages of a CDN) the beginning is enough to tell what they are.
const ERROR_BODY_LIMIT: usize = 64 * 1024;
/// A `Retry-After` up to this long means "slower", not "not today".
const SHORT_WAIT: Duration = Duration::from_hours(1);
/// What a 403 in English says of a limit of calls, in lower case. "Access is limited to" some addresses says nothing of it.
const LIMITS_OF_CALLS: [&str; 7] =
    ["rate limit", "daily limit", "request limit", "limit exceeded", "limit reached", "call limit", "api limit"];

/// A shop's API. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: ApiAddress,
    body_limit: usize,
    now: fn() -> Timestamp,
    sent: Option<SentLog>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the shop at this address, over an HTTP client from [`http_client`](crate::http_client).
    #[must_use]
    pub fn new(http: reqwest::Client, address: ApiAddress) -> Self {
        Self { http, address, body_limit: DEFAULT_BODY_LIMIT, now: Timestamp::now, sent: None }
    }

    /// Holds at most this many bytes of an answer; a larger one is [`Error::BodyTooLarge`].
    #[must_use]
    pub const fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Takes the time from elsewhere. It is only used to read a `Retry-After` that is a date.
    #[must_use]
    pub const fn with_clock(mut self, now: fn() -> Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Notes every request that is made, without its body, in this log.
    #[must_use]
    pub fn with_log(mut self, log: SentLog) -> Self {
        self.sent = Some(log);
        self
    }

    /// Where this client calls.
    #[must_use]
    pub const fn address(&self) -> &ApiAddress {
        &self.address
    }

    /// Signs in. Shops allow about **five sign-ins an hour**: keep the token and share it.
    pub async fn sign_in(&self, email: &str, password: &SecretString) -> Result<SignedIn, Error> {
        let body = SignIn { admin: Credentials { email, password: password.expose_secret() } };
        let answer = self.send(Method::POST, "admins/sign_in.json", &[], None, Some(&body)).await?;
        Ok(signed_in(&body_text(&answer))?)
    }

    /// A page of orders.
    pub async fn orders(&self, token: &Token, query: &OrderQuery) -> Result<OrderPage, Error> {
        let answer = self.get("admin/orders.json", &query.pairs(), token).await?;
        Ok(OrderPage::read(&answer, query.wanted())?)
    }

    /// One order with everything that belongs to it.
    pub async fn order(&self, token: &Token, id: u64) -> Result<Result<Order, BadRecord>, Error> {
        let query = OrderQuery::new().include(Include::ALL);
        let include = query.pairs().into_iter().filter(|(name, _)| name == "include").collect::<Vec<_>>();
        let answer = self.get(&format!("admin/orders/{id}.json"), &include, token).await?;
        Ok(single_order(&answer, query.wanted())?)
    }

    /// Moves orders to states. Batches beyond 100 are unproven.
    pub async fn bulk_update(&self, token: &Token, changes: &[StateChange]) -> Result<WriteAnswer, Error> {
        let body = BulkUpdate { orders: some(changes)? };
        Ok(WriteAnswer::read(&self.put("admin/orders/bulk_update.json", &body, token).await?)?)
    }

    /// Tells the shop which parcels left. Batches beyond 100 are unproven.
    pub async fn shipping(
        &self,
        token: &Token,
        results: &[ShippingResult],
        options: ShippingOptions,
    ) -> Result<WriteAnswer, Error> {
        let body = Shipping::new(some(results)?, options);
        Ok(WriteAnswer::read(&self.put("admin/orders/shipping.json", &body, token).await?)?)
    }

    /// A page of the shop's stock.
    pub async fn stock_items(&self, token: &Token, page: PageRequest) -> Result<Page<StockItem>, Error> {
        let answer = self.get("admin/stock_items.json", &page_pairs(page), token).await?;
        Ok(Page::read(&answer, "stock item", catalog::stock_item)?)
    }

    /// Sets stock counts. Batches beyond 100 are unproven.
    pub async fn put_stock_items(&self, token: &Token, levels: &[StockLevel]) -> Result<StockAnswer, Error> {
        let body = StockUpdate { stock_items: some(levels)? };
        Ok(StockAnswer::read(&self.put("admin/stock_items.json", &body, token).await?)?)
    }

    /// A page of the shop's carriers.
    pub async fn shipping_carriers(&self, token: &Token, page: PageRequest) -> Result<Page<ShippingCarrier>, Error> {
        let answer = self.get("admin/shipping_carriers.json", &page_pairs(page), token).await?;
        Ok(Page::read(&answer, "shipping carrier", catalog::shipping_carrier)?)
    }

    /// A page of the shop's products, with or without their variants.
    pub async fn products(&self, token: &Token, page: PageRequest, variants: bool) -> Result<Page<Product>, Error> {
        let mut pairs = page_pairs(page);
        if variants {
            pairs.push(("include".to_owned(), "variants".to_owned()));
        }
        let answer = self.get("admin/products.json", &pairs, token).await?;
        Ok(Page::read(&answer, "product", catalog::product)?)
    }

    async fn get(&self, path: &str, pairs: &[(String, String)], token: &Token) -> Result<Vec<u8>, Error> {
        self.send(Method::GET, path, pairs, Some(token), None::<&()>).await
    }

    async fn put(&self, path: &str, body: &impl Serialize, token: &Token) -> Result<Vec<u8>, Error> {
        self.send(Method::PUT, path, &[], Some(token), Some(body)).await
    }

    /// One request, noted; the body of a success, or what its failure means.
    async fn send(
        &self,
        method: Method,
        path: &str,
        pairs: &[(String, String)],
        token: Option<&Token>,
        body: Option<&impl Serialize>,
    ) -> Result<Vec<u8>, Error> {
        let began = Instant::now();
        let name = match method {
            Method::GET => "GET",
            Method::PUT => "PUT",
            _ => "POST",
        };
        let mut status = None;
        let answer = self.answer(method, path, pairs, token, body, &mut status).await;
        if let Some(log) = &self.sent {
            log.note(Sent { method: name, path: shown(path, pairs), status, took: began.elapsed() });
        }
        answer
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        pairs: &[(String, String)],
        token: Option<&Token>,
        body: Option<&impl Serialize>,
        answered: &mut Option<u16>,
    ) -> Result<Vec<u8>, Error> {
        let mut url = self.address.endpoint(path);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut request = self.http.request(method, url).header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let header =
                token.header().map_err(|_| Error::Request { reason: "the token does not fit into a header" })?;
            request = request.header(AUTHORIZATION, header);
        }
        if let Some(body) = body {
            let body = serde_json::to_vec(body)
                .map_err(|_| Error::Request { reason: "the request could not be written as JSON" })?;
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        }
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        *answered = Some(status.as_u16());
        if status.is_success() {
            return self.body(response).await;
        }
        let headers = response.headers().clone();
        // The status is what matters; a body that cannot be read only means fewer words about it.
        let body = beginning(response, ERROR_BODY_LIMIT).await;
        Err(refused(status, &headers, &String::from_utf8_lossy(&body), (self.now)()))
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
        let limit = self.body_limit;
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if announced > limit {
            return Err(Error::BodyTooLarge { limit });
        }
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(Error::BodyTooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// A call that got no answer, or not all of it. The error's own text is not passed on: it can hold the URL.
    fn broken(&self, error: &reqwest::Error) -> Error {
        let host = self.address.host().to_owned();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
        let mut innermost = String::new();
        while let Some(inner) = cause {
            match inner.downcast_ref::<ResolveError>() {
                Some(ResolveError::Refused(refused)) => {
                    return Error::AddressRefused { host, source: refused.clone() };
                }
                Some(ResolveError::Unknown) => return Error::UnknownHost { host },
                None => {}
            }
            innermost = inner.to_string();
            cause = inner.source();
        }
        if error.is_builder() {
            return Error::Request { reason: "the HTTP client refuses the request; is it set up for this address?" };
        }
        if error.is_connect() {
            let reason = if error.is_timeout() { "it took too long".to_owned() } else { short(&innermost, 200) };
            return Error::Connect { host, reason };
        }
        if error.is_timeout() { Error::Timeout { host } } else { Error::Reset { host } }
    }
}

/// A write of nothing would spend a call for nothing.
const fn some<T>(records: &[T]) -> Result<&[T], Error> {
    if records.is_empty() { Err(Error::Request { reason: "there is nothing to send" }) } else { Ok(records) }
}

fn page_pairs(page: PageRequest) -> Vec<(String, String)> {
    vec![("per".to_owned(), page.per().to_string()), ("page".to_owned(), page.page().to_string())]
}

/// The first bytes of a body, as far as they come.
async fn beginning(mut response: reqwest::Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == limit {
            break;
        }
    }
    body
}

/// What an answer means that is no success.
fn refused(status: StatusCode, headers: &HeaderMap, body: &str, now: Timestamp) -> Error {
    let errors = shop_errors(body);
    let wait = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| retry_after(value, now));
    let page = body.trim_start().starts_with('<');
    let code = status.as_u16();
    if errors.has_code(PASSING_CODE) {
        return Error::Server { status: code, errors, retry_after: wait };
    }
    match code {
        429 | 403 if speaks_of_the_limit(code, body, page, wait) => {
            Error::DailyLimit { status: code, errors, after: wait }
        }
        429 => Error::TooManyRequests { retry_after: wait },
        401 => Error::Unauthorized { errors },
        403 => Error::Forbidden { errors, page },
        404 => Error::NotFound { errors },
        422 => Error::Unprocessable { errors },
        300..=399 => Error::Redirect { status: code, to: target(headers) },
        408 | 425 | 500.. => Error::Server { status: code, errors, retry_after: wait },
        _ => Error::Refused { status: code, errors },
    }
}

/// Whether a refusal means the day's allowance and not the pace. How shops put it is not documented: 上限 is plain; the
/// English word is too, unless it stands in a web page (a CDN's own rate limit). A 429 with a short wait means the pace all
/// the same; a 403 is about something else as a rule, so that it has to say which limit it means.
fn speaks_of_the_limit(code: u16, body: &str, page: bool, wait: Option<Duration>) -> bool {
    let is_pace = code == 429 && wait.is_some_and(|wait| wait <= SHORT_WAIT);
    let names_it = || {
        let text = body.to_ascii_lowercase();
        if code == 429 { text.contains("limit") } else { LIMITS_OF_CALLS.iter().any(|limit| text.contains(limit)) }
    };
    !is_pace && (body.contains("上限") || (!page && names_it()))
}

/// Where a redirect points, without query: queries carry tokens.
fn target(headers: &HeaderMap) -> String {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match Url::parse(location) {
        Ok(url) => short(&format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path()), 200),
        // Relative to the shop itself, or nothing.
        Err(_) if location.starts_with('/') => short(location.split(['?', '#']).next().unwrap_or_default(), 200),
        Err(_) => "another address".to_owned(),
    }
}

/// What a sign-in's answer brings. It is wrapped in `data`, or not.
pub(crate) fn signed_in(text: &str) -> Result<SignedIn, BadBody> {
    let answer: Value = parse(text)?;
    let field = |name: &str| {
        let places = [answer.get(name), answer.pointer(&format!("/data/attributes/{name}"))];
        places.into_iter().flatten().find_map(lenient::text)
    };
    let token = field("authentication_token").ok_or(BadBody::Missing("token"))?;
    let token = Token::parse(&token.into()).map_err(|_| BadBody::Missing("usable token"))?;
    Ok(SignedIn { token, id: field("id").and_then(|id| id.parse().ok()) })
}
