//! 未取込: orders that were not imported, why, and the way to try them again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::OrderId;
use renkei_setup::retry;
use renkei_store::audit::AuditOutcome;
use renkei_store::orders::NotImportedSummary;
use serde::Deserialize;

use super::{Page, chosen, words};
use crate::App;
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// Rows of the page; more than these are a matter for the command line.
const SHOWN: usize = 200;

/// What the address says.
#[derive(Deserialize)]
pub struct Filter {
    connection: Option<String>,
    done: Option<u32>,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    s: Shell,
    connections: Vec<String>,
    connection: String,
    rows: Vec<NotImportedSummary>,
    more: usize,
    done: Option<String>,
}

impl OrdersPage {
    fn outcome(&self, row: &NotImportedSummary) -> &'static str {
        words::outcome(self.s.lang, row.outcome)
    }
    fn skus(&self, row: &NotImportedSummary) -> String {
        let skus: Vec<&str> = row.missing_skus.iter().map(renkei_domain::ids::Sku::as_str).collect();
        skus.join(", ")
    }
}

/// Shows the list.
pub async fn list(Extension(caller): Extension<Caller>, Query(filter): Query<Filter>) -> Page {
    let settings = caller.settings().await?;
    let connection = chosen(&settings, filter.connection.as_deref())?;
    let mut rows = match &connection {
        Some(id) => caller.tenant.not_imported(id).await?.into_iter().map(|order| order.summary).collect(),
        None => Vec::new(),
    };
    rows.sort_by_key(|row: &NotImportedSummary| std::cmp::Reverse(row.at));
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let page = OrdersPage {
        connections: settings.settings.connections.iter().map(|connection| connection.id.to_string()).collect(),
        connection: connection.map(|id| id.to_string()).unwrap_or_default(),
        rows,
        more,
        done: filter.done.map(|count| match caller.shell.lang {
            Lang::Ja => format!("{count}件の取り込みをもう一度受け付けました。少し待って画面を更新してください。"),
            Lang::En => format!("{count} orders are tried again; reload in a moment."),
        }),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Puts orders onto the queue again, as they were read then: one by its id, or all. Importing is safe to repeat.
pub async fn try_again(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(&form).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let settings = caller.settings().await?;
    let connection = chosen(&settings, field("connection").as_deref())?.ok_or_else(Problem::not_found)?;
    let only = match field("order").filter(|order| !order.is_empty()) {
        None => None,
        Some(order) => Some(OrderId(order.parse().map_err(|_| Problem::not_found())?)),
    };
    let sent = retry::orders(&caller.tenant, &app.import_orders, &connection, only).await?;
    if sent == 0 {
        return Err(Problem::not_found());
    }
    let target = only.map_or_else(|| connection.to_string(), |order| format!("{connection}.{order}"));
    caller.audit("orders.retry", target, AuditOutcome::Done, format!("{sent} orders")).await?;
    let to = caller.shell.to(&format!("/orders?connection={connection}&done={sent}"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}
