//! A call's way through the shop: into the ledger, past the day's limit, perhaps struck by a fault, past the token, to its
//! endpoint, and out again.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, header, request};
use serde_json::{Value, json};

use super::access::SignIn;
use super::answer::Answer;
use super::call::OpenCall;
use super::edit::variant_id;
use super::faults::Strike;
use super::line::Line;
use super::query::{Include, Listing};
use super::route::Route;
use super::writes::{self, Bend, MOST_RECORDS};
use super::{Shop, bent, documents};
use crate::api::{Endpoint, FaultKind};

/// Bytes of a request's body at most.
const MOST_BODY: usize = 8 << 20;

/// Answers one call.
pub async fn serve(
    State(shop): State<Arc<Shop>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let route = Route::of(&head.method, head.uri.path());
    let mut call = OpenCall::begin(&shop, &head, &route);
    if call.entry.beyond_limit {
        return call.end(Answer::limit_spent(429));
    }
    let strike = call.strike.take();
    let kind = strike.as_ref().map(|strike| strike.kind.clone());
    if kind == Some(FaultKind::ResetBefore) {
        return call.cut(&line);
    }
    let Ok(body) = axum::body::to_bytes(body, MOST_BODY).await else {
        return call.end(Answer::error(413, "AOR3001", "リクエストが大きすぎます。"));
    };
    // In a task of its own: a caller who hangs up does not undo what the shop has begun.
    let carried_out = tokio::spawn({
        let shop = Arc::clone(&shop);
        let wait = match kind {
            Some(FaultKind::Slow { ms, before: true }) => ms,
            _ => 0,
        };
        async move {
            if wait > 0 {
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            Visit {
                shop: &shop,
                head: &head,
                route: &route,
                body: &body,
                strike: strike.as_ref(),
                refusal: RefCell::default(),
            }
            .answer()
        }
    });
    let Ok(answer) = carried_out.await else {
        return call.end(Answer::server_error());
    };
    call.note(&answer);
    match kind {
        Some(FaultKind::ResetAfter) => return call.cut(&line),
        Some(FaultKind::Slow { ms, before: false }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        _ => {}
    }
    call.end(answer)
}

/// A call with all that its answer depends on.
struct Visit<'a> {
    shop: &'a Arc<Shop>,
    head: &'a request::Parts,
    route: &'a Route,
    body: &'a [u8],
    strike: Option<&'a Strike>,
    /// What a write is answered, whatever is carried out of it.
    refusal: RefCell<Option<Answer>>,
}

impl Visit<'_> {
    fn answer(&self) -> Answer {
        match self.strike.map(|strike| &strike.kind) {
            Some(FaultKind::TooManyRequestsSeconds { seconds }) => Answer::retry_later(Some(seconds.to_string())),
            Some(FaultKind::TooManyRequestsDate { seconds }) => Answer::retry_later(Some(http_date(*seconds))),
            Some(FaultKind::TooManyRequestsPlain) => Answer::retry_later(None),
            Some(FaultKind::LimitRefused { status }) => Answer::limit_spent(*status),
            Some(FaultKind::ServerError { applied: false }) => Answer::server_error(),
            Some(FaultKind::Html503 { applied: false }) => Answer::cdn_page(),
            Some(FaultKind::ServerError { applied: true }) => Answer::server_error().instead_of(&self.carry_out()),
            Some(FaultKind::Html503 { applied: true }) => Answer::cdn_page().instead_of(&self.carry_out()),
            Some(FaultKind::RevokedToken) => {
                self.shop.lock().access.replace_tokens(None);
                self.carry_out()
            }
            Some(
                FaultKind::ResetBefore
                | FaultKind::ResetAfter
                | FaultKind::Slow { .. }
                | FaultKind::TruncatedJson
                | FaultKind::SilentNoOp
                | FaultKind::DroppedNumbers
                | FaultKind::PartialFailure { .. }
                | FaultKind::RefusedWhole { .. }
                | FaultKind::WrongTotals
                | FaultKind::DuplicateRows
                | FaultKind::StandingList
                | FaultKind::HugeBody { .. }
                | FaultKind::ShuffledIncluded
                | FaultKind::MissingKeys { .. },
            )
            | None => self.carry_out(),
        }
    }

    fn carry_out(&self) -> Answer {
        let endpoint = self.route.endpoint;
        match endpoint {
            Endpoint::Unknown | Endpoint::Any => {
                return Answer::not_found("ページが見つかりません。");
            }
            Endpoint::SignIn => return self.sign_in(),
            Endpoint::OrdersList
            | Endpoint::Order
            | Endpoint::BulkUpdate
            | Endpoint::Shipping
            | Endpoint::StockItems
            | Endpoint::Carriers
            | Endpoint::Products => {}
        }
        let admitted = token(&self.head.headers).is_some_and(|token| self.shop.lock().access.admits(token));
        if !admitted {
            return Answer::unauthorized();
        }
        if self.shop.spec.forbidden.contains(&endpoint) {
            return Answer::error(403, "AOR1003", "この操作を行う権限がありません。");
        }
        match endpoint {
            Endpoint::OrdersList => self.list_orders(),
            Endpoint::Order => self.one_order(),
            Endpoint::BulkUpdate => self.bulk_update(),
            Endpoint::Shipping => self.ship(),
            Endpoint::StockItems if self.head.method == Method::PUT => self.put_stock(),
            Endpoint::StockItems => self.list_stock(),
            Endpoint::Carriers => self.list_plain("shipping_carriers", documents::carriers(&self.shop.spec)),
            Endpoint::Products => self.list_products(),
            Endpoint::SignIn | Endpoint::Unknown | Endpoint::Any => Answer::not_found("ページが見つかりません。"),
        }
    }

    fn sign_in(&self) -> Answer {
        let body = match self.json() {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let (Some(email), Some(password)) = (body["admin"]["email"].as_str(), body["admin"]["password"].as_str())
        else {
            return Answer::unprocessable("adminのemailとpasswordを入力してください。");
        };
        let spec = &self.shop.spec;
        let mut inner = self.shop.lock();
        let now = inner.now();
        match inner.access.sign_in(spec, email, password, now) {
            SignIn::Token(token) => Answer::ok(json!({"id": 1, "email": spec.email, "authentication_token": token})),
            SignIn::Refused => Answer::error(401, "AOR1001", "メールアドレスまたはパスワードが違います。"),
            SignIn::TooMany => Answer::error(429, "AOR4291", "サインインの回数が多すぎます。"),
        }
    }

    fn list_orders(&self) -> Answer {
        let query = self.head.uri.query().unwrap_or_default();
        let mut listing = match Listing::parse(query, self.shop.spec.ignore_unknown_conditions) {
            Ok(listing) => listing,
            Err(refusal) => return Answer::unprocessable(&refusal),
        };
        if self.strike.is_some_and(|strike| strike.kind == FaultKind::StandingList) {
            listing.begin_at_the_first();
        }
        let wants_before = self.strike.is_some_and(|strike| strike.kind == FaultKind::DuplicateRows);
        let (found, before) = {
            let inner = self.shop.lock();
            let found = listing.run(&inner.book);
            let before = found
                .orders
                .first()
                .filter(|_| wants_before)
                .and_then(|first| listing.row_before(&inner.book, first.id));
            (found, before)
        };
        let spec = &self.shop.spec;
        let document = documents::order_list(&found.orders, found.total, &listing, spec);
        let mut answer = Answer { rows: found.orders.len() as u64, ..Answer::ok(document) };
        if let Some(strike) = self.strike {
            let before = before.map(|order| documents::order_resource(&order, spec, listing.lighter));
            bent::bend(&mut answer, strike, before);
        }
        answer
    }

    fn one_order(&self) -> Answer {
        let id = self.route.id.unwrap_or_default();
        let mut include = Include::default();
        let mut lighter = false;
        for (key, value) in url::form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes()) {
            match key.as_ref() {
                "include" => match Include::parse(&value) {
                    Ok(named) => include = named,
                    Err(refusal) => return Answer::unprocessable(&refusal),
                },
                "lighter" => lighter = matches!(value.as_ref(), "1" | "true"),
                other => return Answer::unprocessable(&format!("不明なパラメータです: {other}")),
            }
        }
        let order = self.shop.lock().book.get(id).cloned();
        let Some(order) = order else {
            return Answer::not_found("orderが見つかりません。");
        };
        let document = documents::single_order(&order, include, lighter, &self.shop.spec);
        self.bent(Answer { rows: 1, ..Answer::ok(document) })
    }

    fn bulk_update(&self) -> Answer {
        let (records, _) = match self.records("orders") {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let bend = Bend::of(self.strike, records.len());
        let mut inner = self.shop.lock();
        let now = inner.now();
        let outcome = writes::bulk_update(&mut inner, &self.shop.spec, &records, &bend, now);
        drop(inner);
        self.written(outcome, records.len())
    }

    fn ship(&self) -> Answer {
        let (records, body) = match self.records("orders") {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let bend = Bend::of(self.strike, records.len());
        let with_sale = is_on(&body["with_sale"]);
        let count = records.len();
        if is_on(&body["with_async"]) {
            let job = self.shop.ship_later(records, with_sale, bend);
            let answer = Answer::ok(json!({"job_id": job.to_string()}));
            return self.bent(Answer { records: count as u64, ..answer });
        }
        let mut outcome = {
            let mut inner = self.shop.lock();
            let now = inner.now();
            writes::shipping(&mut inner, &self.shop.spec, &records, with_sale, &bend, now)
        };
        self.shop.automate(std::mem::take(&mut outcome.slipped));
        self.written(outcome, count)
    }

    fn put_stock(&self) -> Answer {
        let (records, _) = match self.records("stock_items") {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let bend = Bend::of(self.strike, records.len());
        let outcome = writes::stock_items(&mut self.shop.lock(), &self.shop.spec, &records, &bend);
        self.written(outcome, records.len())
    }

    fn written(&self, outcome: writes::Outcome, records: usize) -> Answer {
        let applied = outcome.applied;
        if let Some(refusal) = self.refusal.take() {
            return Answer { applied, ..refusal };
        }
        self.bent(Answer { records: records as u64, applied, ..Answer::ok(outcome.into_json()) })
    }

    fn list_stock(&self) -> Answer {
        let spec = &self.shop.spec;
        let inner = self.shop.lock();
        let mut rows = Vec::new();
        for (place, (location, items)) in spec.stock_locations.iter().zip(&inner.stock).enumerate() {
            for (index, (product, item)) in spec.products.iter().zip(items).enumerate() {
                let id = (place * spec.products.len() + index + 1) as u64;
                let location = (place as u64 + 1, location.as_str());
                rows.push(documents::stock_item(id, &product.sku, variant_id(index), location, item.stock));
            }
        }
        drop(inner);
        self.list_plain("stock_items", rows)
    }

    fn list_products(&self) -> Answer {
        let products = &self.shop.spec.products;
        let rows = products.iter().enumerate().map(|(index, product)| documents::product(product, index));
        self.list_plain("products", rows.collect())
    }

    /// A page of a list without conditions. Products bring their variants when asked.
    fn list_plain(&self, path: &str, rows: Vec<Value>) -> Answer {
        let (mut page, mut per, mut variants) = (1_u64, 25_u64, false);
        for (key, value) in url::form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes()) {
            match (key.as_ref(), value.as_ref()) {
                ("page", value) => page = value.parse().unwrap_or(1).max(1),
                ("per", value) => per = value.parse().unwrap_or(25).clamp(1, 100),
                ("include", "variants") if path == "products" => variants = true,
                (key, _) => return Answer::unprocessable(&format!("不明なパラメータです: {key}")),
            }
        }
        let total = rows.len() as u64;
        let skip = usize::try_from((page - 1).saturating_mul(per)).unwrap_or(usize::MAX);
        let take = usize::try_from(per).unwrap_or(usize::MAX);
        let included = variants.then(|| {
            let products = self.shop.spec.products.iter().enumerate().skip(skip).take(take);
            products.map(|(index, product)| documents::variant(product, index)).collect()
        });
        let rows: Vec<Value> = rows.into_iter().skip(skip).take(take).collect();
        let count = rows.len() as u64;
        let document = documents::list(path, rows, included, total, page, per);
        self.bent(Answer { rows: count, ..Answer::ok(document) })
    }

    fn bent(&self, mut answer: Answer) -> Answer {
        if let Some(strike) = self.strike {
            bent::bend(&mut answer, strike, None);
        }
        answer
    }

    fn json(&self) -> Result<Value, Answer> {
        let is_json = self
            .head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/json"));
        if !is_json {
            return Err(Answer::unprocessable("Content-Typeがapplication/jsonではありません。"));
        }
        serde_json::from_slice(self.body).map_err(|_| Answer::unprocessable("JSONを解釈できません。"))
    }

    /// The records of a write, and its whole body.
    fn records(&self, name: &str) -> Result<(Vec<Value>, Value), Answer> {
        let mut body = self.json()?;
        let mut records = match body.get_mut(name).map(Value::take) {
            Some(Value::Array(records)) if !records.is_empty() && records.iter().all(Value::is_object) => records,
            _ => {
                return Err(Answer::unprocessable(&format!("{name}を入力してください。")));
            }
        };
        if records.len() > MOST_RECORDS {
            let refusal = Answer::unprocessable("一度に更新できるのは100件までです。");
            return Err(Answer { records: records.len() as u64, ..refusal });
        }
        if let Some(FaultKind::RefusedWhole { records: refused, applied, status }) = self.strike.map(|it| &it.kind) {
            let name = |record: &Value| match (&record["id"], &record["variant_sku"]) {
                (Value::Null, sku) => sku.as_str().unwrap_or_default().to_owned(),
                (id, _) => id.to_string(),
            };
            let count = records.len();
            records.retain(|record| !refused.contains(&name(record)));
            if records.len() < count {
                let refusal = Answer { status: *status, ..Answer::ok(writes::refused_whole()) };
                let refusal = Answer { records: count as u64, ..refusal };
                if !applied {
                    return Err(refusal);
                }
                self.refusal.replace(Some(refusal));
            }
        }
        Ok((records, body))
    }
}

/// The token of `Authorization: Token token="…"`, written exactly so.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Token token=\"")?.strip_suffix('"').filter(|token| !token.is_empty())
}

/// Flags are 0/1, true/false, or their strings.
fn is_on(flag: &Value) -> bool {
    matches!(flag, Value::Bool(true)) || flag.as_u64() == Some(1) || matches!(flag.as_str(), Some("1" | "true"))
}

/// `Mon, 23 Nov 2026 09:00:00 GMT`, so many seconds from now by the real clock.
fn http_date(seconds: u64) -> String {
    let at = jiff::Timestamp::now().as_second() + i64::try_from(seconds).unwrap_or(i64::MAX / 2) + 1;
    jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::MAX).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
