//! One order that was not imported: why, the order as the shop gave it, and the way to try it again. An order that was
//! imported has its shipments; its address leads to the first of them.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::{ConnectionId, OrderId};
use renkei_domain::work::Fetched;
use renkei_setup::retry;
use renkei_store::audit::AuditOutcome;
use renkei_store::orders::NotImportedSummary;
use serde::Deserialize;

use super::{chosen, words};
use crate::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

/// The order in the address.
#[derive(Deserialize)]
pub struct Which {
    connection: String,
    id: u64,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    done: Option<u32>,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    s: Shell,
    connection: ConnectionId,
    order: OrderId,
    row: NotImportedSummary,
    source: Option<String>,
    is_tried: bool,
}

impl OrderPage {
    fn outcome(&self) -> &'static str {
        words::outcome(self.s.lang, self.row.outcome)
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
    let page =
        OrderPage { s: caller.shell, connection, order, row: kept.summary, source, is_tried: after.done.is_some() };
    Ok(Html(page.render()?).into_response())
}

/// Tries it again, as it was read then. Sent twice, it is imported once; an order that was imported meanwhile is shown.
pub async fn try_again(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
) -> Result<Response, Problem> {
    let (connection, order) = named(&caller, &which).await?;
    let sent = retry::orders(&caller.tenant, &app.import_orders, &connection, Some(order)).await?;
    let page = format!("/order/{connection}/{order}");
    if sent == 0 {
        return Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&page))]).into_response());
    }
    caller.audit("orders.retry", format!("{connection}.{order}"), AuditOutcome::Done, "1 orders").await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&format!("{page}?done={sent}")))]).into_response())
}
