//! The shop's own people and customers: they pay, do not pay after all, cancel, edit, and put orders back, while everything
//! else goes on; some shops tell of it by webhook. Orders that were planted are left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_simulator::api::OrderBrief;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::world::{Place, World};
use crate::error::CliError;

/// States of payments that wait.
const WAITING: [&str; 3] = ["pending", "auth_failed", "credit_exam_hold"];
/// Orders that are changed at a time.
const AT_ONCE: usize = 4;

/// An address that was changed. Times are by our clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Of which order: its first.
    pub order: u64,
    /// What its second line became.
    pub line: String,
    /// It was not so before this moment,
    pub asked_at: Timestamp,
    /// and was from this on.
    pub done_at: Timestamp,
}

/// Works while it storms. Gives what was done, counted by word.
pub async fn work(
    world: &World,
    place: &Place,
    mut random: fastrand::Rng,
    until: Instant,
) -> Result<BTreeMap<&'static str, u64>, CliError> {
    let shop = place.found.id().as_str();
    let mut done = BTreeMap::new();
    let http = renkei_http::builder().no_proxy().timeout(Duration::from_secs(30)).build();
    let http = http.map_err(|error| CliError::said(error.to_string()))?;
    while Instant::now() < until {
        sleep(Duration::from_millis(random.u64(500..2_000))).await;
        let orders = but(&place.planted, world.simulator.orders(shop, None).await?);
        let mut named = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(order) = random.choice(&orders) else { break };
            // What was just done to it is not in what was read: put back now, a cancelled order would not stay cancelled.
            if named.contains(&order.id) {
                continue;
            }
            let Some((word, change)) = decide(order, place, &mut random) else { continue };
            let asked_at = Timestamp::now();
            world.simulator.change_order(shop, order.id, &change).await?;
            if let Some(line) = new_line(&change) {
                let line = line.to_owned();
                place.note_edit(Edit { order: order.id, line, asked_at, done_at: Timestamp::now() });
            }
            *done.entry(word).or_default() += 1;
            named.push(order.id);
        }
        if let (Some(hook), false) = (&place.hook, named.is_empty())
            && random.bool()
        {
            // Not every hook arrives, and nobody at the shop waits for its answer.
            let body = json!({ "orders": named.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
            if http.post(hook).json(&body).send().await.is_ok() {
                *done.entry("webhooks").or_default() += 1;
            }
        }
    }
    Ok(done)
}

/// Orders without those that nobody is to touch.
fn but(planted: &BTreeSet<u64>, orders: Vec<OrderBrief>) -> Vec<OrderBrief> {
    orders.into_iter().filter(|order| !planted.contains(&order.id)).collect()
}

/// What a change makes of an address' second line, if it is about that.
fn new_line(change: &Map<String, Value>) -> Option<&str> {
    change.get("shipping_address")?.get("addr02")?.as_str()
}

/// What is done to an order; None if nothing comes to mind. What is cancelled stays cancelled.
fn decide(order: &OrderBrief, place: &Place, random: &mut fastrand::Rng) -> Option<(&'static str, Map<String, Value>)> {
    if order.state == "canceled" {
        return None;
    }
    // Where the shop moves orders by itself, nobody brings such an order back to where it was.
    let moves_by_itself = place.found.connection.automation_option;
    let waits = WAITING.contains(&order.payment_state.as_str());
    let (word, change) = match random.u8(..100) {
        0..45 if waits => ("paid", json!({ "payment_state": "paid" })),
        0..10 if order.payment_state == "authed" => ("payments-lost", json!({ "payment_state": "pending" })),
        45..57 => ("cancelled", json!({ "state": "canceled" })),
        57..65 => ("voided", json!({ "payment_state": "voided" })),
        65..80 => ("edited", json!({ "shipping_address": { "addr02": format!("見本{}番", random.u16(..)) } })),
        // Somebody puts the order back to where it is fetched from.
        80..90 if order.state == "working" && order.shipping_slips.iter().all(Option::is_none) && !moves_by_itself => {
            ("put-back", json!({ "state": "complete" }))
        }
        _ => return None,
    };
    match change {
        Value::Object(change) => Some((word, change)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_planted_is_left_alone() {
        let order = |id: u64| {
            let brief = json!({
                "id": id, "number": "R1", "state": "complete", "payment_state": "authed", "shipping_slips": [null],
                "written_working": 0, "written_shipped": 0, "written_slips": 0,
            });
            serde_json::from_value::<OrderBrief>(brief).unwrap()
        };
        let left = but(&BTreeSet::from([1, 3]), vec![order(1), order(2), order(3)]);
        assert_eq!(left, [order(2)]);
    }

    #[test]
    fn a_change_of_an_address_is_told_from_others() {
        let change = |change: Value| change.as_object().cloned().unwrap();
        assert_eq!(new_line(&change(json!({ "shipping_address": { "addr02": "見本7番" } }))), Some("見本7番"));
        assert_eq!(new_line(&change(json!({ "state": "canceled" }))), None);
    }
}
