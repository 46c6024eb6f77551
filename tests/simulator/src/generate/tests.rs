//! What holds for every generated order, whatever the seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::{Generator, IdSource, UNKNOWN_SKUS};
use crate::api::{OrderOptions, ShopSpec};
use crate::shop::documents::{self, order_attributes};
use crate::shop::order::Order;
use crate::shop::query::Listing;
use crate::time::ShopTime;

fn now() -> ShopTime {
    ShopTime::from_request("2026-11-23 09:00:00").unwrap()
}

fn orders(options: &OrderOptions, seed: u64, count: u64) -> Vec<Order> {
    let shop = ShopSpec::default();
    Generator::new(&shop, options, seed).orders(count, now(), &mut IdSource::default())
}

fn odd() -> OrderOptions {
    OrderOptions {
        unknown_sku_percent: 20.0,
        multi_address_percent: 30.0,
        long_remark_percent: 10.0,
        missing_keys_percent: 30.0,
        tax_exclusive_percent: 30.0,
        late_id_percent: 20.0,
        states: [("complete", 3.0), ("working", 1.0), ("shipped", 1.0)].map(|(k, v)| (k.to_owned(), v)).into(),
        ..OrderOptions::default()
    }
}

fn document(orders: Vec<Order>) -> Value {
    let orders: Vec<_> = orders.into_iter().map(Arc::new).collect();
    let query = "per=100&include=customer,billing_address,shipping_address,shipping_addresses,order_items";
    let listing = Listing::parse(query, false).unwrap();
    documents::order_list(&orders, orders.len() as u64, &listing, &ShopSpec::default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_whole(seed: u64) {
        let document = document(orders(&odd(), seed, 30));
        let again: Value = serde_json::from_str(&document.to_string()).unwrap();
        prop_assert_eq!(&again, &document, "parses back to the same");
        let included = document["included"].as_array().unwrap();
        let names: BTreeSet<(String, String)> =
            included.iter().map(|one| (one["type"].to_string(), one["id"].to_string())).collect();
        prop_assert_eq!(names.len(), included.len(), "each resource once");
        let mut mentioned = BTreeSet::new();
        for order in document["data"].as_array().unwrap() {
            prop_assert_eq!(order["id"].as_str().unwrap(), order["attributes"]["id"].to_string());
            let related = &order["relationships"];
            let several = related["shipping_addresses"]["data"].as_array().unwrap();
            prop_assert_eq!(order["attributes"]["multiple_shipping"].as_bool().unwrap(), several.len() > 1);
            prop_assert_eq!(&related["shipping_address"]["data"], &several[0]);
            let mut served = BTreeSet::new();
            let items = related["order_items"]["data"].as_array().unwrap();
            prop_assert!(!items.is_empty());
            for item in items {
                let item = included.iter().find(|one| one["type"] == "order_item" && one["id"] == item["id"]).unwrap();
                prop_assert!(item["attributes"]["quantity"].as_u64().unwrap() > 0);
                let address = &item["relationships"]["shipping_address"]["data"];
                prop_assert_eq!(address.is_null(), several.len() == 1);
                if several.len() > 1 {
                    prop_assert!(several.contains(address));
                    served.insert(address["id"].to_string());
                }
            }
            prop_assert!(several.len() == 1 || served.len() == several.len(), "no address without a line");
            let lists = [items.as_slice(), several.as_slice()].concat();
            for reference in lists.iter().chain([&related["customer"]["data"], &related["billing_address"]["data"]]) {
                if !reference.is_null() {
                    mentioned.insert((reference["type"].to_string(), reference["id"].to_string()));
                }
            }
        }
        prop_assert_eq!(mentioned, names, "included is what is mentioned");
    }

    #[test]
    fn the_seed_decides(seed: u64) {
        let first = orders(&odd(), seed, 20);
        prop_assert!(first == orders(&odd(), seed, 20));
        prop_assert!(first != orders(&odd(), seed ^ 1, 20));
    }

    #[test]
    fn orders_add_up(seed: u64) {
        for order in orders(&odd(), seed, 30) {
            let money = order_attributes(&order, &ShopSpec::default(), false);
            let yen = |key: &str| money.get(key).and_then(Value::as_i64);
            let sum = order.lines.iter().map(|line| line.price * line.quantity.cast_signed()).sum::<i64>();
            prop_assert_eq!(yen("subtotal"), Some(sum));
            prop_assert!(yen("total").unwrap() >= 0);
            prop_assert_eq!(yen("total8").unwrap() + yen("total10").unwrap(), yen("total").unwrap());
            prop_assert!(order.created_at <= now());
            prop_assert!(order.remark.chars().count() <= 5_000);
            prop_assert!(order.email.ends_with(".example"));
            let shipped = order.state == "shipped";
            prop_assert_eq!(order.is_wholly_slipped(), shipped);
            prop_assert_eq!(order.shipped_at.is_some(), shipped);
        }
    }

    #[test]
    fn ids_are_unique_and_not_always_in_order_of_time(seed: u64) {
        let orders = orders(&odd(), seed, 300);
        let ids: BTreeSet<u64> = orders.iter().map(|order| order.id).collect();
        prop_assert_eq!(ids.len(), 300);
        prop_assert!(!orders.iter().map(|order| order.id).is_sorted());
        let numbers: BTreeSet<&str> = orders.iter().map(|order| order.number.as_str()).collect();
        prop_assert_eq!(numbers.len(), 300);
    }
}

#[test]
fn percentages_are_kept() {
    let share = |options: OrderOptions, is: fn(&Order) -> bool| {
        orders(&options, 7, 4_000).iter().filter(|order| is(order)).count() as f64 / 40.0
    };
    let unpaid = |order: &Order| {
        !matches!(order.payment_state.as_str(), "authed" | "credit_exam_completed" | "captured" | "completed" | "paid")
    };
    let unknown = |order: &Order| order.lines.iter().any(|line| UNKNOWN_SKUS.contains(&line.sku.as_ref()));
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 2.5, "{found} for {wanted}");
    near(share(OrderOptions { unpaid_percent: Some(30.0), ..OrderOptions::default() }, unpaid), 30.0);
    near(share(OrderOptions::default(), unpaid), 12.0);
    near(share(OrderOptions { unknown_sku_percent: 20.0, ..OrderOptions::default() }, unknown), 20.0);
    near(share(OrderOptions::default(), Order::is_multiple), 3.0);
    near(share(OrderOptions::default(), |order| order.subs_order_id.is_some()), 40.0);
    assert!(orders(&OrderOptions::plain(), 7, 500).iter().all(|order| order.payment_state == "authed"));
    assert!(share(OrderOptions { unpaid_percent: Some(100.0), ..OrderOptions::plain() }, unpaid) < 0.1, "weights win");
}

#[test]
fn a_shop_meets_every_awkward_thing() {
    let text = document(orders(&odd(), 3, 3_000)).to_string();
    for awkward in ["髙橋", "山﨑", "𠮷田", "ｱﾍﾞ", "<script>", "\u{202e}", "🎁", "至急", "㈱", "沖縄県", "\\n"]
    {
        assert!(text.contains(awkward), "{awkward}");
    }
    let states: BTreeSet<String> =
        orders(&OrderOptions::default(), 3, 3_000).into_iter().map(|order| order.payment_state).collect();
    assert_eq!(states.len(), 13, "{states:?}");
    let ordered_leaflets = orders(&odd(), 3, 3_000)
        .iter()
        .flat_map(|order| order.lines.clone())
        .filter(|line| line.sku == "LEAFLET-1")
        .count();
    assert_eq!(ordered_leaflets, 0);
}
