//! 在庫 at the shop, on the deployed stack: the rule's value, after faults too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_e2e::ways::Shop;
use renkei_e2e::{Ended, PASSWORD, run, store};
use renkei_simulator::Simulator;
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use serde_json::{Value, json};

async fn shop(name: &'static str, change: impl FnOnce(&mut Value)) -> Shop {
    Shop::new(name, ShopSpec { order_options: OrderOptions::plain(), ..ShopSpec::default() }, change).await
}

/// Places an order of some pieces of a SKU, and imports it.
async fn sell(shop: &Shop, sku: &str, quantity: u32) {
    let order = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": sku, "quantity": quantity }] });
    shop.simulator.add_order(shop.name, order).await.expect("an order");
    shop.robot_does("fetch-orders");
}

fn count(shop: &Shop, rows: &[(&str, u32, &str)]) -> String {
    let ended = read_counts(shop, rows);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.out
}

fn read_counts(shop: &Shop, rows: &[(&str, u32, &str)]) -> Ended {
    let mut text = "sku,quantity,counted_at\n".to_owned();
    for (sku, quantity, at) in rows {
        writeln!(text, "{sku},{quantity},{at}").expect("a string takes all");
    }
    let file = shop.file("counts.csv", &text);
    let file = file.to_str().expect("a path");
    run(&["files", "counts", "--tenant", shop.name, "--ship-from", "dc", file], None)
}

/// What the shop has now.
async fn at_shop(shop: &Shop) -> BTreeMap<String, i64> {
    shop.simulator.stock(shop.name).await.expect("stock").into_iter().map(|stock| (stock.sku, stock.stock)).collect()
}

fn now() -> String {
    // Whole seconds sort as they were.
    Timestamp::from_second(Timestamp::now().as_second()).expect("now is a time").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_offers_what_is_left_and_only_changes_are_sent() {
    let shop = shop("inv-rule", |document| {
        document["products"] = json!([
            { "sku": "SERUM-30", "name": "美容液", "stock_buffer": 5 },
            { "sku": "MASK-5", "name": "マスク" },
            { "sku": "SOAP-80", "name": "お試しセット", "made_of": [{ "sku": "SERUM-30", "quantity": 1 }, { "sku": "MASK-5", "quantity": 2 }] },
            { "sku": "LEAFLET-1", "name": "冊子", "not_for_sale": true }
        ]);
    })
    .await;
    let before = at_shop(&shop).await["LEAFLET-1"];
    count(
        &shop,
        &[
            ("SERUM-30", 100, "2026-01-01T00:00:00Z"),
            ("MASK-5", 41, "2026-01-01T00:00:00Z"),
            ("LEAFLET-1", 7, "2026-01-01T00:00:00Z"),
        ],
    );
    sell(&shop, "SERUM-30", 10).await;
    let told = shop.robot_does("inventory");
    assert_eq!(told["counts"]["told"], 3, "{told}");
    // Long ago by then; the leaflet, which nobody buys, is no matter.
    assert_eq!(told["counts"]["old-counts"], 2, "{told}");
    assert!(told["notes"].to_string().contains("count them again: MASK-5, SERUM-30"), "{told}");
    let stock = at_shop(&shop).await;
    assert_eq!((stock["SERUM-30"], stock["MASK-5"], stock["SOAP-80"], stock["LEAFLET-1"]), (85, 41, 20, before));

    // A set takes from its parts; nothing else changed, and one call tells it.
    sell(&shop, "SOAP-80", 3).await;
    shop.simulator.clear_ledger(shop.name).await.expect("cleared");
    shop.robot_does("inventory");
    let stock = at_shop(&shop).await;
    assert_eq!((stock["SERUM-30"], stock["MASK-5"], stock["SOAP-80"]), (82, 35, 17));
    shop.robot_does("inventory");
    let ledger = shop.simulator.ledger_summary(shop.name).await.expect("the ledger");
    assert_eq!((ledger.calls, ledger.applied), (1, 3), "{ledger:?}");

    // Taken and shipped after the count: still reserved, until the warehouse counts again.
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 82);
    std::thread::sleep(std::time::Duration::from_secs(2));
    count(&shop, &[("SERUM-30", 87, &now()), ("MASK-5", 35, &now())]);
    shop.robot_does("inventory");
    let stock = at_shop(&shop).await;
    assert_eq!((stock["SERUM-30"], stock["MASK-5"], stock["SOAP-80"]), (82, 35, 17), "the same, by the new count");
    assert_eq!(shop.robot_does("inventory")["counts"]["old-counts"], 0);

    // A count that comes late changes nothing.
    let said = count(&shop, &[("SERUM-30", 1, "2026-01-02T00:00:00Z")]);
    assert!(said.starts_with("0 counts kept, 1 older"), "{said}");
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 82);
    // Nor does one of a day that is still to come, which would keep all later ones out; the row beside it is taken.
    let said = read_counts(&shop, &[("SERUM-30", 9_999, "2100-01-01T00:00:00Z"), ("MASK-5", 35, &now())]);
    assert!(said.code == 4 && said.out.starts_with("1 counts kept, 0 older") && said.err.contains("row 2"), "{said:?}");
    // Nor is one of what no product is called: it would reserve nothing and offer nothing.
    let said = read_counts(&shop, &[("SERUM-3O", 5, &now()), ("MASK-5", 35, &now())]);
    assert!(said.code == 4 && said.out.starts_with("1 counts kept, 0 older") && said.err.contains("row 2"), "{said:?}");
    assert!(said.err.contains("no product has this SKU"), "{said:?}");
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 82);

    // The operator sees the same, and the shop's own values.
    let lines = run(&["stock", shop.name, "--drift", "--json"], None);
    assert_eq!(lines.code, 0, "{lines:?}");
    let serum = lines.lines().into_iter().find(|line| line["sku"] == "SERUM-30").expect("a line");
    assert_eq!(
        serum,
        json!({ "sku": "SERUM-30", "count": 87, "buffer": 5, "reserved": 0, "sellable": 82, "told": 82,
                              "uncertain": false, "refused": null, "at_shop": 82, "drift": false })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_location_is_told_everything_once() {
    let spec = ShopSpec {
        order_options: OrderOptions::plain(),
        stock_locations: vec!["default".to_owned(), "gift".to_owned()],
        ..ShopSpec::default()
    };
    let shop = Shop::new("inv-moved", spec, |_| ()).await;
    count(&shop, &[("SERUM-30", 12, &now()), ("MASK-5", 7, &now())]);
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 2);
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 0);

    shop.apply(|document| document["connections"][0]["stock_location_code"] = "gift".into());
    let lines = run(&["stock", shop.name, "--json"], None).lines();
    assert!(lines.iter().all(|line| line["told"].is_null()), "nothing is known of the other location: {lines:?}");
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 2);
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 0);
    let stock = shop.simulator.stock(shop.name).await.expect("stock");
    let has = |location: &str, sku: &str| {
        stock.iter().find(|stock| stock.location == location && stock.sku == sku).map(|stock| stock.stock)
    };
    assert_eq!((has("gift", "SERUM-30"), has("gift", "MASK-5")), (Some(12), Some(7)), "{stock:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_another_shop_sells_is_no_refusal_for_a_person() {
    // Two shops of one merchant; the second does not have the mask.
    let shop = shop("inv-two", |_| ()).await;
    let mut spec = ShopSpec { name: "inv-two-b".to_owned(), password: PASSWORD.into(), ..ShopSpec::default() };
    "renkei@service.example".clone_into(&mut spec.email);
    spec.products.retain(|product| !matches!(product.sku.as_str(), "MASK-5" | "LEAFLET-1"));
    let (_second, second) = Simulator::with_shop(&spec).await.expect("a shop");
    shop.apply(|document| {
        let mut other = document["connections"][0].clone();
        (other["id"], other["api_url"]) = (json!("inv-two-b"), json!(second.url));
        document["connections"].as_array_mut().expect("connections").push(other);
        let first = document["integration_robots"]["easy_setup"].clone();
        let other = json!({ "connection": "inv-two-b", "every": "24 hours", "inventory": true });
        document["integration_robots"]["easy_setup"] = json!([first, other]);
    });
    count(&shop, &[("SERUM-30", 50, "2026-01-01T00:00:00Z"), ("MASK-5", 50, "2026-01-01T00:00:00Z")]);
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 2);
    let second = || run(&["run", "inv-two-b/inventory", "--wait", "--timeout", "300", "--json"], None);
    let ended = second();
    let counts = &ended.lines()[0]["counts"];
    assert_eq!(ended.code, 0, "nobody is asked: {ended:?}");
    assert_eq!((&counts["told"], &counts["refused"], &counts["sold-elsewhere"]), (&json!(1), &json!(0), &json!(1)));
    // Sold there every day, and not tried here with every value.
    count(&shop, &[("MASK-5", 49, "2026-01-02T00:00:00Z")]);
    let line = second().lines().remove(0);
    assert_eq!((&line["calls"], &line["counts"]["sold-elsewhere"]), (&json!(0), &json!(0)), "{line}");
    // What no shop has is for a person.
    count(&shop, &[("LEAFLET-1", 9, "2026-01-02T00:00:00Z")]);
    let ended = second();
    assert_eq!((ended.code, &ended.lines()[0]["counts"]["refused"]), (4, &json!(1)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_that_include_what_is_claimed_reserve_it_until_it_leaves() {
    let shop = shop("inv-all", |document| document["ship_froms"][0]["counts_include_claimed"] = json!(true)).await;
    sell(&shop, "SERUM-30", 3).await;
    shop.claim();
    count(&shop, &[("SERUM-30", 10, &now())]);
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 7, "claimed, and still in the count");
    shop.ship_all();
    assert_eq!(shop.robot_does("inventory")["counts"]["told"], 0, "gone since, and not counted again");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    count(&shop, &[("SERUM-30", 7, &now())]);
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 7, "counted without it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_a_refusal_and_a_silent_drop_are_repaired_or_seen() {
    let shop = shop("inv-faults", |_| ()).await;
    let early = "2026-01-01T00:00:00Z";
    count(&shop, &[("SERUM-30", 50, early), ("MASK-5", 50, early), ("SOAP-80", 50, early)]);
    shop.robot_does("inventory");

    // Told 40, the answer lost for good; then the rule's value is 50 again, as it was told last.
    let rules = json!([{ "kind": "reset_after", "endpoint": "stock_items" }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    count(&shop, &[("SERUM-30", 40, "2026-01-01T00:00:01Z")]);
    let started = run(&["run", &format!("{}/inventory", shop.name)], None);
    assert_eq!(started.code, 0, "{started:?}");
    for _ in 0..100 {
        if at_shop(&shop).await["SERUM-30"] == 40 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(at_shop(&shop).await["SERUM-30"], 40, "it arrived, and nobody knows");
    count(&shop, &[("SERUM-30", 50, "2026-01-01T00:00:02Z")]);
    shop.simulator.clear_faults(shop.name).await.expect("healed");
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 50);

    // Refused for good: shown, and no other value is hindered.
    let rules =
        json!([{ "kind": "partial_failure", "percent": 1, "code": "AOR2001", "endpoint": "stock_items", "times": 1 }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    count(&shop, &[("SERUM-30", 60, "2026-01-02T00:00:00Z"), ("MASK-5", 60, "2026-01-02T00:00:00Z")]);
    assert_eq!(shop.robot("inventory").code, 4, "needs a person");
    let lines = run(&["stock", shop.name, "--json"], None).lines();
    assert_eq!(lines.iter().filter(|line| line["refused"] == "AOR2001").count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["told"] == 60).count(), 1, "{lines:?}");

    // A shop that refuses the whole call for it, likewise.
    let rules = json!([{ "kind": "refused_whole", "records": ["MASK-5"], "endpoint": "stock_items", "method": "PUT" }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    let later = "2026-01-02T12:00:00Z";
    count(&shop, &[("SERUM-30", 70, later), ("MASK-5", 70, later), ("SOAP-80", 70, later)]);
    assert_eq!(shop.robot("inventory").code, 4, "needs a person");
    let lines = run(&["stock", shop.name, "--json"], None).lines();
    let refused = lines.iter().find(|line| line["sku"] == "MASK-5").expect("a line");
    assert_eq!(refused["refused"], "AOR2001", "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["told"] == 70).count(), 2, "{lines:?}");
    shop.simulator.clear_faults(shop.name).await.expect("healed");

    // Dropped without a word: the drift report sees it.
    let rules = json!([{ "kind": "silent_no_op", "endpoint": "stock_items", "method": "PUT", "times": 1 }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    count(&shop, &[("SOAP-80", 33, "2026-01-03T00:00:00Z")]);
    shop.robot_does("inventory");
    let drift = run(&["stock", shop.name, "--drift", "--json"], None);
    assert_eq!(drift.code, 4, "{drift:?}");
    let soap = drift.lines().into_iter().find(|line| line["sku"] == "SOAP-80").expect("a line");
    assert_eq!((&soap["told"], &soap["at_shop"], &soap["drift"]), (&json!(33), &json!(70), &json!(true)));
}

/// Whoever waits for a page is told that it is too much, instead of waiting for longer than a page may take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shelf_is_reckoned_within_a_bound_only_where_no_more_shipments_are_to_be_looked_at() {
    let shop = shop("inv-bound", |_| ()).await;
    count(&shop, &[("SERUM-30", 100, &now())]);
    // One that has left since, and two that are to leave.
    sell(&shop, "SERUM-30", 1).await;
    shop.robot_does("state-working");
    shop.ship_all();
    sell(&shop, "SERUM-30", 1).await;
    sell(&shop, "SERUM-30", 1).await;
    let tenant = store().await.tenant(TenantId::parse(shop.name).expect("an id"));
    let settings = tenant.settings().await.expect("the store").expect("settings").settings;
    let products = tenant.products().await.expect("products");
    let from = &settings.ship_froms[0].id;
    for (most, is_reckoned) in [(1, false), (2, false), (3, true)] {
        let shelf = tenant.shelf_within(&settings, from, &products, Timestamp::now(), most).await.expect("the store");
        assert_eq!(shelf.is_some(), is_reckoned, "at most {most}: {shelf:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_leaves_from_where_it_was_counted_is_reserved() {
    // Two shops of one merchant; what the second sells leaves from elsewhere, where nobody has counted.
    let shop = shop("inv-from", |_| ()).await;
    let spec = ShopSpec {
        name: "inv-from-b".to_owned(),
        email: "renkei@service.example".to_owned(),
        password: PASSWORD.into(),
        order_options: OrderOptions::plain(),
        ..ShopSpec::default()
    };
    let (simulator, second) = Simulator::with_shop(&spec).await.expect("a shop");
    shop.apply(|document| {
        let mut annex = document["ship_froms"][0].clone();
        (annex["id"], annex["warehouse"]) = (json!("annex"), json!("annex"));
        document["ship_froms"].as_array_mut().expect("ship-froms").push(annex);
        let mut other = document["connections"][0].clone();
        (other["id"], other["api_url"], other["ship_from"]) = (json!("inv-from-b"), json!(second.url), json!("annex"));
        document["connections"].as_array_mut().expect("connections").push(other);
        let first = document["integration_robots"]["easy_setup"].clone();
        let other = json!({ "connection": "inv-from-b", "every": "24 hours" });
        document["integration_robots"]["easy_setup"] = json!([first, other]);
    });
    count(&shop, &[("SERUM-30", 100, &now())]);
    let order = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "SERUM-30", "quantity": 10 }] });
    simulator.add_order("inv-from-b", order).await.expect("an order");
    let fetched = run(&["run", "inv-from-b/fetch-orders", "--wait", "--timeout", "300", "--json"], None);
    assert_eq!((fetched.code, &fetched.lines()[0]["counts"]["imported"]), (0, &json!(1)), "{fetched:?}");
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 100);
    // As many that leave from here are.
    sell(&shop, "SERUM-30", 10).await;
    shop.robot_does("inventory");
    assert_eq!(at_shop(&shop).await["SERUM-30"], 90);
}
