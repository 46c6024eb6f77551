//! The shop's own people and customers: they pay, do not pay after all, cancel, edit, and put orders back, while everything
//! else goes on; some shops tell of it by webhook.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use renkei_simulator::api::OrderBrief;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::world::{Place, World};
use crate::error::CliError;

/// States of payments that wait.
const WAITING: [&str; 3] = ["pending", "auth_failed", "credit_exam_hold"];
/// Orders that are changed at a time.
const AT_ONCE: usize = 4;

/// Works while it storms. Gives what was done, counted by word.
pub async fn work(
    world: &World,
    place: &Place,
    mut random: fastrand::Rng,
    until: Instant,
) -> Result<BTreeMap<&'static str, u64>, CliError> {
    let shop = place.found.id().as_str();
    let mut done = BTreeMap::new();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
    let http = http.map_err(|error| CliError::said(error.to_string()))?;
    while Instant::now() < until {
        sleep(Duration::from_millis(random.u64(500..2_000))).await;
        let orders = world.simulator.orders(shop, None).await?;
        let mut named = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(order) = random.choice(&orders) else { break };
            // What was just done to it is not in what was read: put back now, a cancelled order would not stay cancelled.
            if named.contains(&order.id) {
                continue;
            }
            let Some((word, change)) = decide(order, place, &mut random) else { continue };
            world.simulator.change_order(shop, order.id, &change).await?;
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
