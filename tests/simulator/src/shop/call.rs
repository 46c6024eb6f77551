//! A call from its arrival to its end, as the ledger sees it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, header, request};
use axum::response::IntoResponse;

use super::Shop;
use super::answer::Answer;
use super::faults::Strike;
use super::line::Line;
use super::route::Route;
use super::writes::MOST_RECORDS;
use crate::api::{Endpoint, LedgerEntry};

/// A call in flight. Dropped without an end, it is noted as one whose caller hung up.
pub struct OpenCall {
    shop: Arc<Shop>,
    /// As the ledger will keep it.
    pub entry: LedgerEntry,
    /// The fault that strikes it.
    pub strike: Option<Strike>,
}

impl OpenCall {
    /// A call arrives.
    pub fn begin(shop: &Arc<Shop>, head: &request::Parts, route: &Route) -> Self {
        let mut inner = shop.lock();
        let started_us = shop.micros();
        let now = inner.now();
        let arrival = inner.ledger.begin(started_us);
        let beyond_limit = !inner.access.count_call(shop.spec.daily_call_limit, now);
        let too_fast = match (shop.spec.min_interval_ms, arrival.since_previous_us) {
            (Some(least), Some(since)) => since < least * 1000,
            _ => false,
        };
        let beyond_sign_ins =
            route.endpoint == Endpoint::SignIn && inner.access.is_signing_in_too_often(&shop.spec, now);
        let without_accept = !head
            .headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("application/json"));
        for (happened, kind) in [
            (beyond_limit, "beyond_limit"),
            (too_fast, "too_fast"),
            (arrival.in_flight > 0, "overlapping"),
            (beyond_sign_ins, "too_many_sign_ins"),
            (without_accept, "without_accept"),
        ] {
            if happened {
                inner.violate(kind);
            }
        }
        let strike = if beyond_limit { None } else { inner.faults.strike(route.endpoint, head.method.as_str()) };
        let entry = LedgerEntry {
            sequence: arrival.sequence,
            started_at: now.timestamp(),
            ended_at: now.timestamp(),
            started_us,
            ended_us: started_us,
            method: head.method.to_string(),
            endpoint: route.endpoint,
            path: route.template.to_owned(),
            query: shown_query(head.uri.query().unwrap_or_default()),
            status: None,
            fault: strike.as_ref().map(|strike| strike.kind.name().to_owned()),
            rows: 0,
            records: 0,
            applied: 0,
            in_flight: arrival.in_flight,
            overlap: false,
            since_previous_us: arrival.since_previous_us,
            too_fast,
            beyond_limit,
            beyond_sign_ins,
        };
        drop(inner);
        Self { shop: Arc::clone(shop), entry, strike }
    }

    /// Notes what an answer carries.
    pub fn note(&mut self, answer: &Answer) {
        self.entry.rows = answer.rows;
        self.entry.records = answer.records;
        self.entry.applied = answer.applied;
    }

    /// The call ends with an answer.
    pub fn end(mut self, answer: Answer) -> Response<Body> {
        self.note(&answer);
        self.entry.status = Some(answer.status);
        let response = answer.into_response();
        drop(self);
        response
    }

    /// The call ends with the connection reset.
    pub fn cut(mut self, line: &Line) -> Response<Body> {
        // Rows that nobody received were not given out.
        self.entry.rows = 0;
        drop(self);
        line.cut();
        ().into_response()
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut entry = self.entry.clone();
        let mut inner = self.shop.lock();
        entry.ended_us = self.shop.micros();
        entry.ended_at = inner.now().timestamp();
        if entry.records > MOST_RECORDS as u64 {
            inner.violate("too_many_records");
        }
        inner.ledger.end(entry);
    }
}

/// The query as the ledger keeps it: decoded, without e-mail addresses, not endless.
fn shown_query(query: &str) -> String {
    let pairs: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(key, value)| {
            let value = if key.contains("email") { "…" } else { value.as_ref() };
            format!("{key}={value}")
        })
        .collect();
    pairs.join("&").chars().take(2_000).collect()
}
