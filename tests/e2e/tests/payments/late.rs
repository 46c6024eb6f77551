//! Cancellations of what has left, where a sync by changes ends before the last change.

use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_e2e::store;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::OrderOptions;
use serde_json::json;

use crate::plain;

/// More open orders than a page, none of which changed; and after them more changes than a page, of what has left. A sync is
/// done with what is open before it has read all of those, and must not say that it knows them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_a_sync_did_not_read_are_not_known_to_it() {
    let shop = Shop::new("late-changes", plain(0), |_| ()).await;
    let name = shop.name;
    shop.simulator.set_clock(name, -3_600).await.expect("a clock");
    shop.simulator.generate_orders(name, 110, OrderOptions::plain()).await.expect("orders");
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.robot_does("status-sync");
    let open: Vec<String> =
        shop.shipments().iter().map(|shipment| shipment["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(open.len(), 110);

    shop.simulator.set_clock(name, 0).await.expect("a clock");
    shop.simulator.generate_orders(name, 120, OrderOptions::plain()).await.expect("orders");
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    let mut new: Vec<u64> = shop
        .shipments()
        .iter()
        .filter(|shipment| !open.iter().any(|id| shipment["id"] == json!(id)))
        .filter_map(|shipment| shipment["order_id"].as_u64())
        .collect();
    new.sort_unstable();
    assert_eq!(new.len(), 120);
    shop.claim();
    let left: Vec<(String, String)> =
        new.iter().map(|order| (format!("{name}.{order}.1"), format!("4{order:0>11}"))).collect();
    shop.results(&left);
    shop.robot_does("state-shipped");
    let cancelled = json!({ "state": "canceled" });
    let attributes = cancelled.as_object().expect("attributes");
    shop.simulator.change_order(name, new[119], attributes).await.expect("cancelled");

    let tenant = store().await.tenant(TenantId::parse(name).expect("an id"));
    let connection = ConnectionId::parse(name).expect("an id");
    let known_to = async || tenant.sync_mark(&connection).await.expect("the store").expect("a mark").late_known;
    assert_eq!(known_to().await, None);
    let synced = shop.robot_does("status-sync");
    assert_eq!(synced["counts"]["cancellations-too-late"], json!(null), "it was not read: {synced}");
    assert!(known_to().await.is_some(), "what is behind the first page is looked for later");
}
