//! What left, told to the shop: tracking numbers, then "shipped", on the deployed stack.

mod addresses;
mod automation;
mod captures;
mod refused_whole;

use renkei_e2e::run;
use renkei_e2e::ways::{Shop, number_of};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), ..ShopSpec::default() }
}

async fn faults(shop: &Shop, rules: Value) {
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("fault rules");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
}

async fn heal(shop: &Shop) {
    shop.simulator.clear_faults(shop.name).await.expect("healed");
}

async fn assert_all_shipped_and_told_once(shop: &Shop) {
    shop.assert_numbers_are_where_they_belong().await;
    for order in shop.orders().await {
        assert_eq!((order.state.as_str(), order.written_shipped), ("shipped", 1), "{order:?}");
    }
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed" && s["shop_error"].is_null()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_from_fetch_to_shipped_spend_at_most_44_calls() {
    let shop = Shop::new("wb-thousand", plain(1_000), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let told = shop.robot_does("state-shipped");
    assert_eq!((&told["counts"]["written-back"], &told["counts"]["told"]), (&json!(1_000), &json!(1_000)), "{told}");
    assert_all_shipped_and_told_once(&shop).await;
    let ledger = shop.simulator.ledger_summary(shop.name).await.expect("the ledger");
    println!("1,000 orders from fetch to shipped: {} calls, {:?}", ledger.calls, ledger.by_endpoint);
    assert!(ledger.calls <= 44, "{ledger:?}");
    assert_eq!((ledger.overlapping, ledger.beyond_limit), (0, 0), "{ledger:?}");

    // Nothing is left to tell, and nothing is told.
    shop.robot_does("state-shipped");
    let again = shop.simulator.ledger_summary(shop.name).await.expect("the ledger");
    assert_eq!(again.calls, ledger.calls);

    // A corrected number is told again; the state is not.
    let mut corrected = shop.shipments().swap_remove(500);
    shop.results(&[(corrected["id"].as_str().expect("an id").to_owned(), "999999999999".into())]);
    shop.robot_does("state-shipped");
    corrected = shop.shipments().into_iter().find(|s| s["id"] == corrected["id"]).expect("the shipment");
    assert_eq!(corrected["shop_sync"], "completed");
    assert_all_shipped_and_told_once(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_result_reaches_the_shop_under_its_faults() {
    let shop = Shop::new("wb-faults", plain(230), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let rules = json!([
        { "kind": "reset_after", "endpoint": "shipping", "times": 1 },
        { "kind": "partial_failure", "endpoint": "shipping", "percent": 30, "times": 1 },
        { "kind": "html503", "endpoint": "shipping", "applied": true, "times": 1 },
        { "kind": "server_error", "endpoint": "bulk_update", "times": 1 },
        { "kind": "partial_failure", "endpoint": "bulk_update", "percent": 30, "times": 1 },
        { "kind": "truncated_json", "endpoint": "bulk_update", "times": 1 }
    ]);
    faults(&shop, rules).await;
    let _under_fire = shop.robot("state-shipped");
    heal(&shop).await;
    shop.robot_does("state-shipped");
    shop.assert_numbers_are_where_they_belong().await;
    for order in shop.orders().await {
        assert_eq!(order.state, "shipped", "{order:?}");
    }
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_the_shop_stops_and_that_goes_on_tells_of_all_that_it_did() {
    let shop = Shop::new("wb-stopped", plain(230), |_| ()).await;
    shop.robot_does("fetch-orders");
    // The first hundred are taken but for a few that are refused; then the shop answers nothing for as long as an invocation asks.
    faults(
        &shop,
        json!([
            { "kind": "partial_failure", "endpoint": "bulk_update", "percent": 1, "code": "AOR2001", "times": 1 },
            { "kind": "too_many_requests_seconds", "seconds": 1, "endpoint": "bulk_update", "times": 4 }
        ]),
    )
    .await;
    let ended = shop.robot("state-working");
    assert_eq!(ended.code, 4, "what was refused in the first invocation needs a person after the last, too: {ended:?}");
    let run = ended.lines().remove(0);
    let count = |word: &str| run["counts"][word].as_u64().unwrap_or(0);
    assert!(count("refused") > 0, "{run}");
    assert_eq!((count("told"), count("for-a-person")), (230 - count("refused"), count("refused")), "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_shop_refuses_is_shown_and_can_be_replayed() {
    let shop = Shop::new("wb-refused", plain(20), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    faults(
        &shop,
        json!([{ "kind": "partial_failure", "endpoint": "shipping", "percent": 20, "code": "AOR2001", "times": 1 }]),
    )
    .await;
    assert_eq!(shop.robot("state-shipped").code, 4, "needs a person");
    heal(&shop).await;
    let failed: Vec<Value> = shop.shipments().into_iter().filter(|s| s["shop_sync"] == "failed").collect();
    assert!(!failed.is_empty() && failed.len() < 20, "{failed:?}");
    assert!(failed.iter().all(|s| s["shop_error"]["code"] == "AOR2001"), "{failed:?}");
    let shipped = shop.orders().await.iter().filter(|order| order.state == "shipped").count();
    assert_eq!(
        shipped,
        20 - failed.len(),
        "one bad record hinders no other, and none is told that is not written back"
    );

    let first = failed[0]["id"].as_str().expect("an id");
    assert_eq!(run(&["retry", "--shipment", first], None).code, 0);
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_corrected_after_the_shop_refused_it_is_told_by_the_next_run() {
    let shop = Shop::new("wb-corrected", plain(5), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let all =
        json!([{ "kind": "partial_failure", "endpoint": "shipping", "percent": 100, "code": "AOR2001", "times": 1 }]);
    faults(&shop, all).await;
    assert_eq!(shop.robot("state-shipped").code, 4, "needs a person");
    heal(&shop).await;
    let refused = shop.shipments();
    assert!(refused.iter().all(|s| s["shop_sync"] == "failed"), "{refused:?}");
    // The same again waits for a person; another is what nobody has refused.
    let id = |n: usize| refused[n]["id"].as_str().expect("an id").to_owned();
    shop.results(&[(id(0), number_of(&refused[0])), (id(1), "999999999999".into())]);
    shop.robot_does("state-shipped");
    let now = shop.shipments();
    for before in &refused {
        let after = now.iter().find(|s| s["id"] == before["id"]).expect("the shipment");
        let expected = if before["id"] == json!(id(1)) { "completed" } else { "failed" };
        assert_eq!(after["shop_sync"], expected, "{after}");
    }
    let told = shop.orders().await.into_iter().filter(|order| order.state == "shipped").count();
    assert_eq!(told, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_that_tells_numbers_leaves_the_state_to_the_one_that_tells_it() {
    let numbers = "wb-both-numbers";
    let shop = Shop::new("wb-both", plain(8), |document| {
        document["integration_robots"]["custom"] = json!([
            { "id": numbers, "name": "送り状番号だけ", "on": { "connection": "wb-both", "by_hand": true }, "do": "write-back" }
        ]);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let ended = run(&["run", numbers, "--tenant", shop.name, "--wait", "--json"], None);
    assert_eq!(ended.code, 0, "{ended:?}");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.orders().await.iter().all(|order| order.state == "working" && order.written_shipped == 0));
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "written-back"));
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parcel_that_left_before_the_shop_was_told_working_is_not_forgotten() {
    let shop = Shop::new("wb-early", plain(12), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.ship_all();
    shop.robot_does("state-shipped");
    shop.robot_does("state-working");
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_without_effect_is_seen_by_the_next_fetch_and_told_again() {
    let shop = Shop::new("wb-silent", plain(10), |_| ()).await;
    shop.robot_does("fetch-orders");
    // Neither "working" nor "shipped" has an effect: the orders are still where they are fetched from.
    faults(&shop, json!([{ "kind": "silent_no_op", "endpoint": "bulk_update", "times": 2 }])).await;
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("state-shipped");
    assert!(shop.orders().await.iter().all(|order| order.state == "complete"), "the shop dropped both");
    shop.robot_does("fetch-orders");
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_the_shop_took_and_dropped_is_seen_at_night_and_told_again() {
    let shop = Shop::new("wb-dropped", plain(10), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    faults(&shop, json!([{ "kind": "silent_no_op", "endpoint": "shipping", "times": 1 }])).await;
    shop.robot_does("state-shipped");
    for order in shop.orders().await {
        assert!(order.state == "shipped" && order.shipping_slips.iter().all(Option::is_none), "{order:?}");
    }
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"), "the shop said yes to all of it");

    let calls = async || shop.simulator.ledger_summary(shop.name).await.expect("the ledger").calls;
    let before = calls().await;
    let reconciled = shop.robot("reconcile");
    assert_eq!(reconciled.code, 4, "people are told: {reconciled:?}");
    let line = reconciled.lines().remove(0);
    let count = |line: &Value, word: &str| line["counts"][word].as_u64().unwrap_or(0);
    assert_eq!((count(&line, "numbers-dropped"), count(&line, "told-again")), (10, 10), "{line}");
    assert!(line["notes"].to_string().contains("no tracking number at the shop"), "{line}");
    assert_eq!(calls().await - before, 3, "a page of each state, as on every night");

    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
    let line = shop.robot_does("reconcile");
    assert_eq!((count(&line, "numbers-dropped"), count(&line, "told-again")), (0, 0), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_on_delivery_is_in_no_file_that_asks_for_no_money() {
    let shop = Shop::new("wb-delivery", plain(2), |_| ()).await;
    let order = json!({ "payment_state": "authed", "payment_method_name": "代金引換",
                        "order_items": [{ "variant_sku": "SERUM-30", "quantity": 1 }] });
    let order = shop.simulator.add_order(shop.name, order).await.expect("an order").id;
    shop.robot_does("fetch-orders");
    let export = |layout: &str, more: &[&str]| {
        let out = shop.path("delivery.csv");
        let _ = std::fs::remove_file(&out);
        let mut arguments = vec!["files", "export", "--connection", shop.name, "--layout", layout, "--out"];
        arguments.push(out.to_str().expect("a path"));
        arguments.extend(["--set", "slip_type=0", "--set", "billing_code=0312345678", "--set", "freight_code=01"]);
        arguments.extend(["--ship-until", "all"]);
        arguments.extend(more);
        let ended = run(&arguments, None);
        (ended, std::fs::read(&out).unwrap_or_default())
    };
    let holds = |file: &[u8], name: &str| file.windows(name.len()).any(|part| part == name.as_bytes());
    let (id, short) = (format!("{}.{order}.1", shop.name), format!("{order}-1"));

    // Nothing is claimed by a file that is not made.
    let (refused, _) = export("yamato-b2", &["--claim"]);
    assert!(refused.code == 1 && refused.err.contains(&id) && refused.err.contains("代引"), "{refused:?}");
    assert!(shop.shipments().iter().all(|shipment| shipment["status"] == "ready"));
    let (others, file) = export("yamato-b2", &["--claim", "--skip"]);
    assert!(others.code == 4 && others.out.starts_with("2 shipments claimed"), "{others:?}");
    assert!(!file.is_empty() && !holds(&file, &short));
    let (whole, file) = export("standard", &[]);
    assert!(whole.code == 0 && holds(&file, &id), "{whole:?}");

    // Of what is picking, what was claimed since a moment is told apart from the rest.
    let since = jiff::Timestamp::now().to_string();
    export("standard", &["--claim"]);
    let (again, file) = export("standard", &["--status", "picking", "--claimed-since", &since]);
    assert!(again.out.starts_with("1 shipments") && holds(&file, &id), "{again:?}");
    let (all, _) = export("standard", &["--status", "picking"]);
    assert!(all.out.starts_with("3 shipments"), "{all:?}");
    let (wrong, _) = export("standard", &["--claimed-since", &since]);
    assert!(wrong.code == 1 && wrong.err.contains("--status picking"), "{wrong:?}");
    let (wrong, _) = export("standard", &["--status", "picking", "--claimed-since", "yesterday"]);
    assert!(wrong.code == 1 && wrong.err.contains("2026-11-25T09:30"), "{wrong:?}");
}
