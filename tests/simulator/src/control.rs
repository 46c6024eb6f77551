//! The control API: JSON over HTTP at a port of its own, for demos and tests in any language.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{FaultRule, Hidden, NewOrders, ShopSpec};
use crate::shop::{Shop, StaffError};

/// The shops that are open.
#[derive(Clone)]
pub(crate) struct Shops {
    open: Arc<Mutex<BTreeMap<String, Arc<Shop>>>>,
    epoch: Instant,
}

impl Shops {
    pub(crate) fn new() -> Self {
        Self { open: Arc::default(), epoch: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shop>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Result<Arc<Shop>, ControlError> {
        self.lock().get(name).cloned().ok_or_else(|| ControlError::NoSuchShop(name.to_owned()))
    }

    /// Opens a shop; its orders are there when this returns.
    pub(crate) async fn open(&self, spec: ShopSpec) -> Result<Arc<Shop>, ControlError> {
        let name = spec.name.clone();
        if self.lock().contains_key(&name) {
            return Err(ControlError::NameTaken(name));
        }
        let shop = Shop::open(spec, self.epoch).await.map_err(ControlError::Listen)?;
        if let Err(error) = in_background(&shop, Shop::place_initial).await {
            shop.close();
            return Err(error);
        }
        let other = self.lock().insert(name, Arc::clone(&shop));
        if let Some(other) = other {
            other.close();
        }
        Ok(shop)
    }

    /// Closes every shop.
    pub(crate) fn close_all(&self) {
        for shop in std::mem::take(&mut *self.lock()).into_values() {
            shop.close();
        }
    }
}

/// Generating many orders takes a while; other shops go on meanwhile.
async fn in_background<T: Send + 'static>(
    shop: &Arc<Shop>,
    work: impl FnOnce(&Shop) -> Result<T, StaffError> + Send + 'static,
) -> Result<T, ControlError> {
    let shop = Arc::clone(shop);
    let done = tokio::task::spawn_blocking(move || work(&shop)).await;
    Ok(done.map_err(|_| ControlError::Broken)??)
}

/// Why the control API refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("there is no shop `{0}`")]
    NoSuchShop(String),
    #[error("there already is a shop `{0}`")]
    NameTaken(String),
    #[error("cannot listen at the shop's port: {0}")]
    Listen(std::io::Error),
    #[error(transparent)]
    Staff(#[from] StaffError),
    #[error("the simulator failed at this; its log says more")]
    Broken,
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuchShop(_) | Self::Staff(StaffError::NoSuchOrder(_)) => StatusCode::NOT_FOUND,
            Self::NameTaken(_) | Self::Listen(_) | Self::Staff(StaffError::IdTaken(_)) => StatusCode::CONFLICT,
            Self::Staff(StaffError::BadAttribute(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

type Answer<T> = Result<Json<T>, ControlError>;

/// The control API's routes.
pub(crate) fn router(shops: Shops) -> Router {
    Router::new()
        .route("/shops", get(list).post(open))
        .route("/shops/{name}", get(status).delete(close))
        .route("/shops/{name}/orders", get(briefs).post(place))
        .route("/shops/{name}/orders/{id}", get(truth).patch(change))
        .route("/shops/{name}/stock", get(stock))
        .route("/shops/{name}/ledger", get(ledger).delete(clear_ledger))
        .route("/shops/{name}/faults", get(faults).put(set_faults).delete(heal))
        .route("/shops/{name}/clock", post(set_clock))
        .route("/shops/{name}/reset_quota", post(reset_quota))
        .route("/shops/{name}/begin_anew", post(begin_anew))
        .route("/shops/{name}/spend_quota", post(spend_quota))
        .route("/shops/{name}/token", post(replace_token))
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
        .with_state(shops)
}

async fn list(State(shops): State<Shops>) -> Json<Value> {
    let open: Vec<Arc<Shop>> = shops.lock().values().cloned().collect();
    Json(open.iter().map(|shop| json!(shop.status())).collect())
}

async fn open(State(shops): State<Shops>, Json(spec): Json<ShopSpec>) -> Result<Response, ControlError> {
    let shop = shops.open(spec).await?;
    Ok((StatusCode::CREATED, Json(shop.status())).into_response())
}

async fn status(State(shops): State<Shops>, Path(name): Path<String>) -> Answer<Value> {
    Ok(Json(json!(shops.find(&name)?.status())))
}

async fn close(State(shops): State<Shops>, Path(name): Path<String>) -> Result<StatusCode, ControlError> {
    let shop = shops.find(&name)?;
    shops.lock().remove(&name);
    shop.close();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct BriefsQuery {
    state: Option<String>,
}

async fn briefs(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Query(query): Query<BriefsQuery>,
) -> Answer<Value> {
    let shop = shops.find(&name)?;
    let briefs = in_background(&shop, move |shop| Ok(shop.briefs(query.state.as_deref()))).await?;
    Ok(Json(json!(briefs)))
}

async fn place(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Json(new): Json<NewOrders>,
) -> Result<Response, ControlError> {
    let shop = shops.find(&name)?;
    let added = in_background(&shop, move |shop| shop.place(&new)).await?;
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

async fn truth(State(shops): State<Shops>, Path((name, id)): Path<(String, u64)>) -> Answer<Value> {
    Ok(Json(json!(shops.find(&name)?.truth(id)?)))
}

async fn change(
    State(shops): State<Shops>,
    Path((name, id)): Path<(String, u64)>,
    Json(attributes): Json<Map<String, Value>>,
) -> Answer<Value> {
    Ok(Json(json!(shops.find(&name)?.change(id, &attributes)?)))
}

async fn stock(State(shops): State<Shops>, Path(name): Path<String>) -> Answer<Value> {
    Ok(Json(json!(shops.find(&name)?.stock())))
}

#[derive(Deserialize)]
struct LedgerQuery {
    #[serde(default)]
    summary: bool,
    format: Option<String>,
}

async fn ledger(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Query(query): Query<LedgerQuery>,
) -> Result<Response, ControlError> {
    let shop = shops.find(&name)?;
    if query.summary {
        return Ok(Json(shop.ledger_summary()).into_response());
    }
    let entries = shop.ledger();
    if query.format.as_deref() == Some("jsonl") {
        let mut lines = String::new();
        for entry in &entries {
            lines.push_str(&json!(entry).to_string());
            lines.push('\n');
        }
        return Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response());
    }
    Ok(Json(entries).into_response())
}

async fn clear_ledger(State(shops): State<Shops>, Path(name): Path<String>) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.clear_ledger();
    Ok(StatusCode::NO_CONTENT)
}

async fn faults(State(shops): State<Shops>, Path(name): Path<String>) -> Answer<Vec<FaultRule>> {
    Ok(Json(shops.find(&name)?.faults()))
}

async fn set_faults(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Json(rules): Json<Vec<FaultRule>>,
) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.set_faults(rules);
    Ok(StatusCode::NO_CONTENT)
}

async fn heal(State(shops): State<Shops>, Path(name): Path<String>) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.set_faults(Vec::new());
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Clock {
    offset_seconds: i64,
}

async fn set_clock(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Json(clock): Json<Clock>,
) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.set_clock_offset(clock.offset_seconds);
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_quota(State(shops): State<Shops>, Path(name): Path<String>) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.reset_quota();
    Ok(StatusCode::NO_CONTENT)
}

async fn begin_anew(State(shops): State<Shops>, Path(name): Path<String>) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.begin_anew();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Spend {
    calls: u64,
}

async fn spend_quota(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Json(spend): Json<Spend>,
) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.spend_quota(spend.calls);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Token {
    token: Option<Hidden>,
}

async fn replace_token(
    State(shops): State<Shops>,
    Path(name): Path<String>,
    Json(token): Json<Token>,
) -> Result<StatusCode, ControlError> {
    shops.find(&name)?.replace_tokens(token.token.as_ref());
    Ok(StatusCode::NO_CONTENT)
}
