//! One order that was not imported: why, the order as the shop gave it, and the way to try it again. An order that was
//! imported has its shipments; its address leads to the first of them.

use std::collections::HashSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::{ConnectionId, OrderId, Sku};
use renkei_domain::products::LONGEST_NAME;
use renkei_domain::settings::Product;
use renkei_domain::work::Fetched;
use renkei_products::{ProductsError, Released};
use renkei_setup::{SetupError, retry};
use renkei_store::audit::AuditOutcome;
use renkei_store::orders::{NotImported, NotImportedSummary};
use serde::Deserialize;

use super::{Form, chosen, orders, sentences, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// The order in the address.
#[derive(Deserialize)]
pub struct Which {
    connection: String,
    id: u64,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    /// It was tried again.
    done: Option<usize>,
    /// It comes with the next fetch.
    next: Option<usize>,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    s: Shell,
    connection: ConnectionId,
    order: OrderId,
    row: NotImportedSummary,
    source: Option<String>,
    /// What was done just before.
    done: Option<String>,
    /// Products that it waits for, with the names that the shop has for them.
    missing: Vec<(Sku, String)>,
}

impl OrderPage {
    fn outcome(&self) -> &'static str {
        words::outcome(self.s.lang, self.row.outcome)
    }
    /// Why: ours in the page's language, a robot's as the merchant wrote it.
    fn reason(&self) -> String {
        sentences::reasons::said(self.s.lang, &self.row.reason)
    }
}

/// The shop, which is one of the settings, and the order.
async fn named(caller: &Caller, which: &Which) -> Result<(ConnectionId, OrderId), Problem> {
    let settings = caller.settings().await?;
    let connection = chosen(&settings, Some(&which.connection))?.ok_or_else(Problem::not_found)?;
    Ok((connection, OrderId(which.id)))
}

/// Shows it.
pub async fn show(
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    Query(after): Query<After>,
) -> Result<Response, Problem> {
    let (connection, order) = named(&caller, &which).await?;
    let Some(kept) = caller.tenant.not_imported_order(&connection, order).await? else {
        let shipments = caller.tenant.shipments_of(&connection, order).await?;
        let first = shipments.first().ok_or_else(Problem::not_found)?;
        let to = caller.shell.to(&format!("/shipment/{}", first.id));
        return Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response());
    };
    let source = match &kept.message.order {
        Fetched::Order(order) => {
            Some(serde_json::to_string_pretty(order).map_err(|error| Problem::ours(&error.to_string()))?)
        }
        Fetched::Unreadable { .. } => None,
    };
    let done = after
        .done
        .map(|now| orders::tried(caller.shell.lang, Released { now, with_next_fetch: after.next.unwrap_or_default() }));
    let missing = missing(&kept);
    let page = OrderPage { s: caller.shell, connection, order, row: kept.summary, source, done, missing };
    Ok(Html(page.render()?).into_response())
}

/// What the order's lines call the products that are missing.
fn missing(kept: &NotImported) -> Vec<(Sku, String)> {
    let lines = match &kept.message.order {
        Fetched::Order(order) => order.lines.as_slice(),
        Fetched::Unreadable { .. } => &[],
    };
    let name = |sku: &Sku| lines.iter().find(|line| line.sku == *sku).map_or("", |line| line.name.as_str());
    kept.summary.missing_skus.iter().map(|sku| (sku.clone(), name(sku).to_owned())).collect()
}

/// Tries it again. Sent twice, it is imported once; an order that was imported meanwhile is shown.
pub async fn try_again(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
) -> Result<Response, Problem> {
    let (connection, order) = named(&caller, &which).await?;
    let tried = retry::orders(&caller.tenant, &app.import_orders, &connection, Some(order)).await?;
    let page = format!("/order/{connection}/{order}");
    if tried == Released::default() {
        return Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&page))]).into_response());
    }
    let note = format!("{} orders", tried.now);
    caller.audit("orders.retry", format!("{connection}.{order}"), AuditOutcome::Done, note).await?;
    let to = format!("{page}?done={}&next={}", tried.now, tried.with_next_fetch);
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&to))]).into_response())
}

/// Registers a product that an order waits for, by its code at the shop and a name. All orders that waited for it go on, as
/// when products come by a file.
pub async fn register(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let (connection, order) = named(&caller, &which).await?;
    let form = Form::read(&form);
    let kept = caller.tenant.not_imported_order(&connection, order).await?.ok_or_else(Problem::not_found)?;
    // Only what this order waits for: whoever registers others has the page for it.
    let wanted = form.get("sku");
    let sku = kept.summary.missing_skus.iter().find(|sku| sku.as_str() == wanted).ok_or_else(Problem::not_found)?;
    let name = form.get("name").trim().to_owned();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(Problem::bad(
            "商品名は1〜200文字、1行で入力してください。何も登録していません。",
            "A name has 1 to 200 characters, in one line. Nothing was registered.",
        ));
    }
    let product: Product = serde_json::from_value(serde_json::json!({ "sku": sku, "name": name }))
        .map_err(|error| Problem::ours(&error.to_string()))?;
    // Somebody may have registered it since, with a buffer of its own: that stays.
    let known = !caller.tenant.known_skus(&HashSet::from([sku.clone()])).await?.is_empty();
    let products: &[Product] = if known { &[] } else { std::slice::from_ref(&product) };
    let settings = caller.settings().await?.settings;
    let connections: Vec<&ConnectionId> = settings.connections.iter().map(|it| &it.id).collect();
    let released = renkei_products::put(&caller.tenant, connections, &app.import_orders, products).await;
    let outcome = if released.is_ok() { AuditOutcome::Done } else { AuditOutcome::Failed };
    caller
        .audit("products.import", caller.tenant.id().as_str(), outcome, format!("{} new, 0 changed", products.len()))
        .await?;
    let Released { now, with_next_fetch } =
        released.map_err(|error: ProductsError| Problem::from(SetupError::from(error)))?;
    let to = format!("/order/{connection}/{order}?done={now}&next={with_next_fetch}");
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&to))]).into_response())
}
