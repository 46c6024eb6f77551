//! Back-fill: the orders of a range of dates, read again.
//!
//! What is unknown here and waits at the shop is queued for import, what is known is synced, and the rest is reported. A
//! run goes on after the last order that it looked at, on another day too.

use std::collections::BTreeSet;

use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::sync::{Rules, reading};
use renkei_ecforce::{BadRecord, Direction, MAX_PER, Order, OrderQuery, SortBy, id_of};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::order::shows_another_state;
use renkei_shop::robot::{Stopped, Told, Work};

use crate::commit::{self, Tally};
use crate::findings::Names;
use crate::missing::Missing;

/// The last part of the name of the robot that back-fills.
pub const BACKFILL: &str = "backfill";

/// Reads the orders that were made in a range of dates again: those that are unknown and in the fetch state are queued for
/// import, those that are known are synced, and the rest is reported.
pub async fn backfill(work: Work<'_>, import: &Queue) -> Result<Told, Stopped> {
    let (mut tally, mut elsewhere) = (Tally::default(), Names::default());
    let (ended, (queued_pages, failure)) = match read_all(work, import, &mut tally, &mut elsewhere).await {
        Ok(end) => (Ok(()), end),
        Err(error) => (Err(error), (0, None)),
    };
    tally.add("in-another-state", elsewhere.count);
    let mut notes = tally.notes();
    notes.extend(elsewhere.sentence("orders of these dates are unknown here and in another state at the shop by now"));
    let failure = failure.map(str::to_owned);
    Stopped::or_told(ended, Told { notes, queued_pages, failure, ..tally.told() })
}

/// Gives how many pages were queued for import, and why the run failed if it did.
async fn read_all(
    work: Work<'_>,
    import: &Queue,
    tally: &mut Tally,
    elsewhere: &mut Names,
) -> Result<(u32, Option<&'static str>), ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let Some(range) = tenant.backfill(&connection.id, run).await? else {
        return Ok((0, Some("no range of dates is noted for this run: start it with `renkei backfill`")));
    };
    let rules = Rules::of(settings, connection);
    let mut missing = Missing::begin(settings, tenant, message, run).await?;
    let mut after = missing.after;
    let failure = loop {
        let query = OrderQuery::new()
            .created_at(range.from, range.before)
            .id_gt(after)
            .sort(SortBy::Id, Direction::Ascending)
            .per(MAX_PER)
            .include_all();
        let (read, page) = commit::read(session, &query).await?;
        let last = page.is_last(MAX_PER);
        let highest = page.ids().max();
        // Each once: shops repeat rows.
        let shown: BTreeSet<u64> = page.ids().collect();
        let leads: Vec<ShipmentId> =
            shown.into_iter().map(|id| ShipmentId::lead(connection.id.clone(), OrderId(id))).collect();
        let known = tenant.shipments(&leads).await?;
        let parcels: Vec<ShipmentId> = known
            .iter()
            .flat_map(|lead| (1..=lead.parcels.max(1)).map(|parcel| ShipmentId { parcel, ..lead.id.clone() }))
            .collect();
        let known: BTreeSet<u64> = known.iter().map(|lead| lead.id.order.0).collect();
        commit::take_over(tenant, &parcels, &read, rules, message.robot.as_str(), tally).await?;
        tally.add("orders", page.orders.len() as u64);
        let mut lost = Vec::new();
        for row in page.orders.into_iter().filter(|row| id_of(row).is_none_or(|id| !known.contains(&id))) {
            if is_elsewhere(&row, &connection.states.fetch) {
                elsewhere.add(&name_of(&row));
            } else {
                lost.push(row);
            }
        }
        // Asked before the cursor moves: afterwards each page would seem to stand.
        let stands = reading::stands(after, highest);
        after = after.max(highest.unwrap_or(0));
        missing.after = after;
        tally.add("queued-for-import", missing.queue(tenant, import, (lost, read.sent_at), session.epoch()).await?);
        if last {
            break None;
        }
        if stands {
            break Some("the shop's listing does not go on after the last order it gave");
        }
    };
    Ok((missing.pages(), failure))
}

/// Is it in another state than the one that orders are taken in? A row that cannot be read and shows none may be an
/// order that waits: it is queued, and a person sees it.
fn is_elsewhere(row: &Result<Order, BadRecord>, fetch_state: &str) -> bool {
    match row {
        Ok(order) => order.state != fetch_state,
        Err(bad) => shows_another_state(bad, fetch_state),
    }
}

/// What people find an order by.
fn name_of(row: &Result<Order, BadRecord>) -> String {
    match row {
        Ok(order) => order.number.clone(),
        Err(BadRecord { number: Some(number), .. }) => number.clone(),
        Err(BadRecord { id: Some(id), .. }) => format!("id {id}"),
        Err(BadRecord { id: None, number: None, .. }) => "without a number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_row_that_shows_another_state_is_not_to_be_imported_whether_it_can_be_read_or_not() {
        let bad = |id, number: Option<&str>, state: Value| {
            let raw = json!({ "attributes": { "state": state } });
            Err(BadRecord { id, number: number.map(str::to_owned), reason: "it has no quantity".to_owned(), raw })
        };
        let read = Ok(serde_json::from_value::<Order>(json!({
            "id": 88_111, "number": "H-1001", "state": "shipped", "payment_state": null,
            "shipping_addresses": [], "order_items": []
        }))
        .unwrap());
        assert!(is_elsewhere(&read, "complete") && !is_elsewhere(&read, "shipped"));
        assert!(is_elsewhere(&bad(Some(1), None, json!("shipped")), "complete"));
        for waits in [json!("complete"), Value::Null] {
            assert!(!is_elsewhere(&bad(Some(1), None, waits), "complete"), "a person has to look");
        }
        let names = [(Some(1), Some("H-1")), (Some(1), None), (None, None)];
        let names = names.map(|(id, number)| name_of(&bad(id, number, Value::Null)));
        assert_eq!(names, ["H-1", "id 1", "without a number"]);
    }
}
