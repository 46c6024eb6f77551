//! fetch-orders: a shop's confirmed orders, page by page, onto the queue of import-orders.
//!
//! A pass reads every order in the connection's fetch state, whatever its payment, by key: "the next hundred with an id
//! above the last". That stays right while orders leave the state under the reader's feet. Ids are not issued in order of
//! time, so each pass begins at the first; what was taken before has left the state by then, or is known to import.
//!
//! A page's orders are queued before the cursor moves: a crash repeats a page, and never skips one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_domain::work::{ImportOrder, Place, VERSION};
use renkei_ecforce::MAX_PER;
use renkei_platform::queue::Queue;
use renkei_platform::{Metric, Metrics};
use renkei_shop::ShopError;
use renkei_shop::order::{self, outgoing};
use renkei_shop::robot::{Stopped, Told, Work};
use renkei_store::runs::Progress;

/// No shop has more orders waiting; a listing that goes on for longer is not a listing.
const MOST_PAGES: u32 = 10_000;

/// Reads one pass, and queues what it finds.
pub async fn fetch(work: Work<'_>, import: &Queue, metrics: &Metrics) -> Result<Told, Stopped> {
    let mut orders = 0;
    let ended = read_all(work, import, metrics, &mut orders).await;
    let mut counts = BTreeMap::from([("orders".to_owned(), orders)]);
    match ended {
        // Import ends the run once it is done with all that was queued.
        Ok((pages, failure)) => {
            counts.insert("pages".to_owned(), u64::from(pages));
            Ok(Told { counts, queued_pages: pages, failure: failure.map(str::to_owned), ..Told::default() })
        }
        Err(error) => Stopped::or_told(Err(error), Told { counts, ..Told::default() }),
    }
}

/// Gives the run's last page, and why it failed if it did. Counts orders whose page will not be read again.
async fn read_all(
    work: Work<'_>,
    import: &Queue,
    metrics: &Metrics,
    orders: &mut u64,
) -> Result<(u32, Option<&'static str>), ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let conversion_robot = settings.conversion_robot_of(&message.connection).cloned();
    let mut at = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
    loop {
        let query = order::waiting(connection, at.after);
        let page = session.call(async |client, token| client.orders(token, &query).await).await?;
        let fetched_at = Timestamp::now();
        let last = page.is_last(MAX_PER);
        let highest = page.ids().max();
        let rows = order::to_import(page, at.after, &connection.states.fetch);
        let of_page = rows.len() as u64;
        if !rows.is_empty() {
            let number = at.page + 1;
            tenant.announce_page(run, number, of_page).await?;
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
            metrics.add(Metric::OrdersFetched, messages.len() as u64);
            at.page = number;
        }
        if let Some(highest) = highest.filter(|highest| *highest > at.after) {
            at.after = highest;
        } else if !last {
            // A full page that brings nothing new would be read for ever.
            *orders += of_page;
            return Ok((at.page, Some("the shop's listing does not go on after the last order it gave")));
        }
        if !tenant.advance_run(run, at, session.epoch()).await? {
            return Err(ShopError::LeaseLost);
        }
        *orders += of_page;
        if last || at.page >= MOST_PAGES {
            return Ok((at.page, None));
        }
    }
}
