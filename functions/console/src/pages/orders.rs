//! 未取込: orders that were not imported, why, and the way to try them again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::{ConnectionId, OrderId};
use renkei_products::Released;
use renkei_setup::retry;
use renkei_store::StoreError;
use renkei_store::audit::AuditOutcome;
use renkei_store::orders::NotImportedSummary;
use serde::Deserialize;

use super::{Page, chosen, sentences, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// Rows without an id that one click takes off the list.
const ROWS_AT_ONCE: usize = 1_000;
/// Rows of the page; more than these are a matter for the command line.
const SHOWN: usize = 200;

/// What the address says.
#[derive(Deserialize)]
pub struct Filter {
    connection: Option<String>,
    /// So many were tried again.
    done: Option<usize>,
    /// So many come with the next fetch.
    next: Option<usize>,
    /// So many were taken off the list.
    dismissed: Option<u64>,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    s: Shell,
    connections: Vec<String>,
    connection: String,
    rows: Vec<NotImportedSummary>,
    more: usize,
    /// Rows of which not even an id could be read.
    without_id: usize,
    done: Option<String>,
}

impl OrdersPage {
    fn outcome(&self, row: &NotImportedSummary) -> &'static str {
        words::outcome(self.s.lang, row.outcome)
    }
    /// Why: ours in the page's language, a robot's as the merchant wrote it.
    fn reason(&self, row: &NotImportedSummary) -> String {
        sentences::reasons::said(self.s.lang, &row.reason)
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
        Some(id) => caller.tenant.not_imported_summaries(id).await?,
        None => Vec::new(),
    };
    let without_id = rows.iter().filter(|row| row.order_id.is_none()).count();
    rows.sort_by_key(|row: &NotImportedSummary| std::cmp::Reverse(row.at));
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let page = OrdersPage {
        connections: settings.settings.connections.iter().map(|connection| connection.id.to_string()).collect(),
        connection: connection.map(|id| id.to_string()).unwrap_or_default(),
        rows,
        more,
        without_id,
        done: match (filter.done, filter.dismissed) {
            (Some(now), _) => {
                Some(tried(caller.shell.lang, Released { now, with_next_fetch: filter.next.unwrap_or_default() }))
            }
            (None, Some(dismissed)) => Some(off_the_list(caller.shell.lang, dismissed)),
            (None, None) => None,
        },
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// What became of orders that somebody wanted to be tried again.
pub fn tried(lang: Lang, tried: Released) -> String {
    let now = match (lang, tried.now) {
        (_, 0) => String::new(),
        (Lang::Ja, now) => format!("{now}件の取込をもう一度受け付けました。少し待って画面を更新してください。"),
        (Lang::En, now) => format!("{now} orders are tried again; reload in a moment. "),
    };
    let next = match (lang, tried.with_next_fetch) {
        (_, 0) => String::new(),
        (Lang::Ja, next) => format!(
            "{next}件は取得から15分以上たっているため、次の取得のときにショップの最新の内容で取り込みます（「取得する対応状況」でなくなった受注は取り込みません。ショップで対応済みなら、受注IDを押し、「一覧から外す」で外してください）。急ぐ場合は、「ロボット」の画面で出荷指示取得の「いま実行する」を押してください。"
        ),
        (Lang::En, next) => format!(
            "{next} were read more than 15 minutes ago: the next fetch takes them as the shop has them by then, if they are \
             still to be fetched. Robots › fetch orders › Run now does it at once."
        ),
    };
    format!("{now}{next}").trim_end().to_owned()
}

/// What a form names: a shop, and one of its orders, if it is one. Without a shop it is not found: for what changes something
/// none is guessed.
async fn named(caller: &Caller, form: &[u8]) -> Result<(ConnectionId, Option<OrderId>), Problem> {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(form).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let shop = field("connection").filter(|shop| !shop.is_empty()).ok_or_else(Problem::not_found)?;
    let settings = caller.settings().await?;
    let connection = chosen(&settings, Some(&shop))?.ok_or_else(Problem::not_found)?;
    let order = field("order").filter(|order| !order.is_empty());
    let order = order.map(|order| order.parse().map(OrderId).map_err(|_| Problem::not_found()));
    Ok((connection, order.transpose()?))
}

/// Takes an order off the list for which nobody waits any more, because it was seen to at the shop; or rows without an id, which
/// cannot be named, so many at a time. What is still to be fetched at the shop comes back with the next fetch, so that nothing is
/// lost.
pub async fn dismiss(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let (connection, only) = named(&caller, &form).await?;
    let (dismissed, target) = if let Some(order) = only {
        (dismiss_one(&caller, &connection, order).await, format!("{connection}.{order}"))
    } else {
        (caller.tenant.forget_rows_without_id(&connection, ROWS_AT_ONCE).await, connection.to_string())
    };
    let (outcome, note) = match &dismissed {
        Ok(dismissed) => (AuditOutcome::Done, format!("{dismissed} orders")),
        Err(_) => (AuditOutcome::Failed, String::new()),
    };
    caller.audit("orders.dismiss", target, outcome, note).await?;
    let to = caller.shell.to(&format!("/orders?connection={connection}&dismissed={}", dismissed?));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// Sent twice, the second finds it gone.
async fn dismiss_one(caller: &Caller, connection: &ConnectionId, order: OrderId) -> Result<u64, StoreError> {
    let is_there = caller.tenant.is_not_imported(connection, order).await?;
    if is_there {
        caller.tenant.forget_not_imported(connection, order.0).await?;
    }
    Ok(u64::from(is_there))
}

/// That orders are off the list, and what brings them back.
fn off_the_list(lang: Lang, dismissed: u64) -> String {
    match (lang, dismissed) {
        (Lang::Ja, 0) => "すでに一覧から外れています。".to_owned(),
        (Lang::En, 0) => "It was off the list already.".to_owned(),
        (Lang::Ja, dismissed) => format!(
            "{dismissed}件を一覧から外しました。ショップで「取得する対応状況」のままの受注は、次の取得のときに、あらためて取り込みます（取り込めなければ、この一覧に戻ります）。"
        ),
        (Lang::En, dismissed) => format!(
            "{dismissed} orders are off the list. What is still to be fetched at the shop comes again with the next fetch."
        ),
    }
}

/// Tries orders again: one by its id, or all. Importing is safe to repeat.
pub async fn try_again(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let (connection, only) = named(&caller, &form).await?;
    let Released { now, with_next_fetch } =
        retry::orders(&caller.tenant, &app.import_orders, &connection, only).await?;
    if now + with_next_fetch == 0 {
        return Err(Problem::not_found());
    }
    let target = only.map_or_else(|| connection.to_string(), |order| format!("{connection}.{order}"));
    caller.audit("orders.retry", target, AuditOutcome::Done, format!("{now} orders")).await?;
    let to = caller.shell.to(&format!("/orders?connection={connection}&done={now}&next={with_next_fetch}"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_tried_now_is_said() {
        let said = |now, with_next_fetch| tried(Lang::Ja, Released { now, with_next_fetch });
        assert!(said(3, 0).starts_with("3件の取込") && !said(3, 0).contains("次の取得"));
        assert!(said(0, 2).starts_with("2件は取得から15分") && said(1, 2).contains("2件は取得から"));
        assert_eq!(
            tried(Lang::En, Released { now: 1, with_next_fetch: 0 }),
            "1 orders are tried again; reload in a moment."
        );
    }
}
