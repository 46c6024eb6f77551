//! fetch-orders: a shop's confirmed orders, page by page, onto the queue of import-orders.
//!
//! A pass reads every order in the connection's fetch state, whatever its payment, by key: "the next hundred with an id
//! above the last". That stays right while orders leave the state under the reader's feet. Ids are not issued in order of
//! time, so each pass begins at the first; what was taken before has left the state by then, or is known to import.
//!
//! A page's orders are queued before the cursor moves: a crash repeats a page, and never skips one.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, RuleId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::work::{Fetched, ImportOrder, Place, VERSION};
use renkei_ecforce::{Direction, MAX_PER, OrderPage, OrderQuery, SortBy};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::order::{fetched, outgoing};
use renkei_shop::robot::{Told, Work};
use renkei_store::runs::Progress;

/// No shop has more orders waiting; a listing that goes on for longer is not a listing.
const MOST_PAGES: u32 = 10_000;

/// Reads one pass, and queues what it finds.
pub async fn fetch(work: Work<'_>, import: &Queue) -> Result<Told, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let conversion_robot = conversion_robot(settings, &message.connection);
    let mut at = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
    let mut orders = 0;
    loop {
        let query = OrderQuery::new()
            .state_eq(&connection.states.fetch)
            .id_gt(at.after)
            .sort(SortBy::Id, Direction::Ascending)
            .per(MAX_PER)
            .include_all();
        let page = session.call(async |client, token| client.orders(token, &query).await).await?;
        let fetched_at = Timestamp::now();
        let last = page.is_last(MAX_PER);
        let highest = highest_id(&page);
        let rows = new_rows(page, at.after, &connection.states.fetch);
        if !rows.is_empty() {
            let number = at.page + 1;
            tenant.announce_page(run, number, rows.len() as u64).await?;
            orders += rows.len() as u64;
            let messages = rows
                .into_iter()
                .map(|(row, order)| ImportOrder {
                    v: VERSION,
                    tenant: message.tenant.clone(),
                    connection: message.connection.clone(),
                    run: run.to_owned(),
                    place: Place { page: number, row },
                    conversion_robot: conversion_robot.clone(),
                    fetched_at,
                    order,
                })
                .map(outgoing)
                .collect::<Vec<_>>();
            import.send_batch(&messages).await?;
            at.page = number;
        }
        if let Some(highest) = highest.filter(|highest| *highest > at.after) {
            at.after = highest;
        } else if !last {
            // A full page that brings nothing new would be read for ever.
            return Ok(ended(at, orders, Some("the shop's listing does not go on after the last order it gave")));
        }
        if !tenant.advance_run(run, at, session.epoch()).await? {
            return Err(ShopError::LeaseLost);
        }
        if last || at.page >= MOST_PAGES {
            return Ok(ended(at, orders, None));
        }
    }
}

/// The pass is over: import ends the run once it is done with all that was queued.
fn ended(at: Progress, orders: u64, failure: Option<&str>) -> Told {
    let counts = BTreeMap::from([("pages".to_owned(), u64::from(at.page)), ("orders".to_owned(), orders)]);
    Told { counts, queued_pages: at.page, failure: failure.map(str::to_owned), ..Told::default() }
}

/// The conversion robot that this connection's orders go through.
fn conversion_robot(settings: &TenantSettings, connection: &ConnectionId) -> Option<RuleId> {
    settings
        .integration_robots
        .easy_setup
        .iter()
        .find(|setup| setup.connection == *connection)
        .and_then(|setup| setup.conversion_robot.clone())
}

fn highest_id(page: &OrderPage) -> Option<u64> {
    page.orders.iter().filter_map(|row| row.as_ref().map_or_else(|bad| bad.id, |order| Some(order.id))).max()
}

/// The page's rows that are to be imported, each with its place on the page: without what was there before (shops repeat
/// rows, and pass over conditions), and without orders that left the fetch state while the shop was reading.
fn new_rows(page: OrderPage, after: u64, fetch_state: &str) -> Vec<(u16, Fetched)> {
    let mut seen = HashSet::new();
    page.orders
        .into_iter()
        .enumerate()
        .filter(|(_, row)| {
            let (id, wanted) = match row {
                Ok(order) => (Some(order.id), order.state == fetch_state),
                Err(bad) => (bad.id, true),
            };
            wanted && id.is_none_or(|id| id > after && seen.insert(id))
        })
        .filter_map(|(place, row)| Some((u16::try_from(place).ok()?, fetched(row))))
        .collect()
}
