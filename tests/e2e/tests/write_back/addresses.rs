//! Orders to several addresses: each parcel's number is told by its address, and the order is shipped when its last one is.

use renkei_e2e::ways::{Shop, number_of};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

use crate::{assert_all_shipped_and_told_once, faults, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_several_addresses_is_shipped_when_its_last_parcel_is() {
    let options = OrderOptions { multi_address_percent: 100.0, ..OrderOptions::plain() };
    let shop =
        Shop::new("wb-several", ShopSpec { orders: 30, order_options: options, ..ShopSpec::default() }, |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.claim();
    let shipments = shop.shipments();
    assert!(shipments.len() >= 60, "two parcels or more each");
    let is_first = |s: &&Value| s["id"].as_str().is_some_and(|id| id.ends_with(".1"));
    let results = |shipments: Vec<&Value>| -> Vec<(String, String)> {
        shipments.iter().map(|s| (s["id"].as_str().expect("an id").to_owned(), number_of(s))).collect()
    };
    shop.results(&results(shipments.iter().filter(is_first).collect()));
    shop.robot_does("state-shipped");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.orders().await.iter().all(|order| order.state == "working"), "a parcel is still here");

    shop.results(&results(shipments.iter().filter(|s| !is_first(s)).collect()));
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

/// The shop keeps numbers by address, and takes none without it; also where only one address gets a parcel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_two_addresses_of_which_one_gets_nothing_is_told_by_its_address() {
    let shop = Shop::new("wb-one-of-two", plain(0), |_| ()).await;
    let order = json!({
        "payment_state": "authed", "shipping_addresses": [{ "addr02": "1-1-1" }, { "addr02": "9-9-9" }],
        "order_items": [
            { "variant_sku": "MASK-5", "quantity": 0, "address": 0 },
            { "variant_sku": "SERUM-30", "quantity": 1, "address": 1 }
        ]
    });
    shop.simulator.add_order(shop.name, order).await.expect("an order");
    shop.robot_does("fetch-orders");
    assert_eq!(shop.shipments().len(), 1);
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
    let slips = shop.orders().await.remove(0).shipping_slips;
    assert!(slips[0].is_none() && slips[1].is_some(), "{slips:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_not_moved_is_told_again_after_its_first_parcel_left() {
    let options = OrderOptions { multi_address_percent: 100.0, ..OrderOptions::plain() };
    let spec = ShopSpec { orders: 4, order_options: options, ..ShopSpec::default() };
    let shop = Shop::new("wb-in-part", spec, |_| ()).await;
    shop.robot_does("fetch-orders");
    faults(&shop, json!([{ "kind": "silent_no_op", "endpoint": "bulk_update", "times": 1 }])).await;
    shop.robot_does("state-working");
    shop.claim();
    let (first, others): (Vec<_>, Vec<_>) = shop
        .shipments()
        .iter()
        .map(|s| (s["id"].as_str().expect("an id").to_owned(), number_of(s)))
        .partition(|(id, _)| id.ends_with(".1"));
    shop.results(&first);
    shop.robot_does("state-shipped");
    assert!(shop.orders().await.iter().all(|order| order.state == "complete"), "the shop dropped it");

    shop.robot_does("fetch-orders");
    let told = shop.robot_does("state-working");
    assert_eq!(told["counts"]["told"], 4, "{told}");
    assert!(shop.orders().await.iter().all(|order| order.state == "working"));
    shop.results(&others);
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}
