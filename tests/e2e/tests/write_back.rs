//! What left, told to the shop: tracking numbers, then "shipped", on the deployed stack.

use renkei_e2e::run;
use renkei_e2e::ways::{Shop, number_of};
use renkei_simulator::api::{Endpoint, FaultRule, OrderOptions, ShopSpec, Writer};
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
async fn with_the_automation_option_no_state_is_told() {
    let spec = ShopSpec { automation_option: true, automation_delay_ms: 200, ..plain(25) };
    let shop =
        Shop::new("wb-auto", spec, |document| document["connections"][0]["automation_option"] = json!(true)).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("write-back");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"));
    assert!(shop.orders().await.iter().all(|order| order.written_shipped == 0), "the shop does that itself");
}

/// Somebody has started it, and the document has said since then that the shop moves states by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_automation_option_a_robot_that_tells_states_tells_numbers_alone() {
    let spec = ShopSpec { automation_option: true, automation_delay_ms: 200, ..plain(5) };
    let shop =
        Shop::new("wb-auto-late", spec, |document| document["connections"][0]["automation_option"] = json!(true)).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let (name, robot) = (shop.name, format!("{}/state-shipped", shop.name));
    let start = json!({ "v": 1, "tenant": name, "connection": name, "robot": robot, "action": "state-shipped",
                        "cause": "hand" });
    renkei_e2e::aws().send("push-statuses", &start.to_string(), &format!("{name}/{name}")).await;
    let mut over = None;
    for _ in 0..300 {
        let runs = run(&["runs", "--tenant", name, "--json"], None).lines();
        over = runs.into_iter().find(|it| it["robot"] == robot && it["state"] != "running");
        if over.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let over = over.expect("the run comes to its end");
    assert_eq!(over["state"], "done", "{over}");
    assert_eq!((&over["counts"]["written-back"], &over["counts"]["told"]), (&json!(5), &json!(0)), "{over}");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"));
    assert!(shop.orders().await.iter().all(|order| order.written_shipped == 0), "the shop does that itself");
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
async fn a_capture_that_the_shop_took_and_dropped_is_seen_at_night_and_left_to_a_person() {
    let shop = Shop::new("wb-sale-dropped", plain(3), |document| {
        document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    faults(&shop, json!([{ "kind": "silent_no_op", "endpoint": "shipping", "times": 1 }])).await;
    let told = shop.robot_does("state-shipped");
    assert_eq!(told["counts"]["captured"], 3, "the shop said yes to all of it: {told}");
    assert!(captures(&shop).await.iter().all(|count| *count == 0));

    let count = |line: &Value, word: &str| line["counts"][word].as_u64().unwrap_or(0);
    let reconciled = shop.robot("reconcile");
    assert_eq!(reconciled.code, 4, "a person is asked: {reconciled:?}");
    let line = reconciled.lines().remove(0);
    assert_eq!((count(&line, "numbers-dropped"), count(&line, "captures-without-effect")), (3, 3), "{line}");
    let shipments = shop.shipments();
    assert!(shipments.iter().all(|s| s["shop_error"]["code"] == "capture-unproven"), "{shipments:?}");
    // The numbers are told all the same, and no payment is captured with them.
    shop.robot_does("state-shipped");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(captures(&shop).await.iter().all(|count| *count == 0));
    let line = shop.robot_does("reconcile");
    assert_eq!((count(&line, "numbers-dropped"), count(&line, "captures-without-effect")), (0, 0), "{line}");

    for shipment in &shipments {
        let id = shipment["id"].as_str().expect("an id");
        let taken_up = run(&["retry", "--shipment", id, "--capture"], None);
        assert_eq!(taken_up.code, 0, "{taken_up:?}");
    }
    shop.robot_does("state-shipped");
    assert!(captures(&shop).await.iter().all(|count| *count == 1));
    assert_all_shipped_and_told_once(&shop).await;
}

/// Per order: how often the API captured its payment.
async fn captures(shop: &Shop) -> Vec<usize> {
    let mut captures = Vec::new();
    for order in shop.orders().await {
        let truth = shop.simulator.order(shop.name, order.id).await.expect("an order");
        let by_api = truth.history.iter().filter(|c| c.by == Writer::Api && c.field == "payment_state");
        captures.push(by_api.count());
    }
    captures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_captured_once_although_the_answer_is_lost() {
    let shop = Shop::new("wb-capture", plain(15), |document| {
        document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    faults(&shop, json!([{ "kind": "reset_after", "endpoint": "shipping", "times": 1 }])).await;
    let told = shop.robot_does("state-shipped");
    assert_eq!(told["counts"]["captured"], 15, "{told}");
    heal(&shop).await;
    assert_all_shipped_and_told_once(&shop).await;
    assert!(captures(&shop).await.iter().all(|count| *count == 1));

    // A corrected number captures nothing.
    let id = shop.shipments()[0]["id"].as_str().expect("an id").to_owned();
    shop.results(&[(id, "888888888888".into())]);
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
    assert!(captures(&shop).await.iter().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_that_did_not_happen_waits_for_a_person() {
    let shop = Shop::new("wb-uncaptured", plain(3), |document| {
        document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    faults(&shop, json!([{ "kind": "reset_before", "endpoint": "shipping", "times": 1 }])).await;
    assert_eq!(shop.robot("state-shipped").code, 4, "needs a person");
    heal(&shop).await;
    // The numbers are told all the same; the shop was asked for the sale once, and is not asked again by itself.
    shop.assert_numbers_are_where_they_belong().await;
    shop.robot_does("state-shipped");
    assert!(captures(&shop).await.iter().all(|count| *count == 0));
    let shipments = shop.shipments();
    assert!(shipments.iter().all(|s| s["shop_error"]["code"] == "capture-unproven"), "{shipments:?}");
    let calls = |endpoint: Endpoint| {
        let shop = &shop;
        async move {
            let ledger = shop.simulator.ledger(shop.name).await.expect("the ledger");
            ledger.iter().filter(|call| call.endpoint == endpoint).count()
        }
    };
    assert_eq!(calls(Endpoint::Shipping).await, 2, "once with the sale, once without");

    for shipment in &shipments {
        let id = shipment["id"].as_str().expect("an id");
        // A slip: the order is right, and has no such parcel. Nothing is changed by it, and the right one is still taken.
        let (order, _) = id.rsplit_once('.').expect("a parcel");
        let slip = run(&["retry", "--shipment", &format!("{order}.9"), "--capture"], None);
        assert!(slip.code == 1 && slip.err.contains("there is no shipment"), "{slip:?}");
        for _twice in 0..2 {
            let taken_up = run(&["retry", "--shipment", id, "--capture"], None);
            assert_eq!(taken_up.code, 0, "{taken_up:?}");
        }
    }
    shop.robot_does("state-shipped");
    assert!(captures(&shop).await.iter().all(|count| *count == 1));
    assert!(shop.shipments().iter().all(|s| s["shop_error"].is_null()));
}

/// That it left is for a person to see to, and nobody is charged for it unasked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_payment_is_captured_for_what_the_shop_has_cancelled_and_that_left_all_the_same() {
    let capturing = |document: &mut Value| document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    let shop = Shop::new("wb-cancelled", plain(3), capturing).await;
    let orders: Vec<u64> = shop.orders().await.iter().map(|order| order.id).collect();
    let [by_state, by_payment, _] = orders[..] else { panic!("{orders:?}") };
    let change = async |order: u64, attributes: Value| {
        let attributes = attributes.as_object().expect("attributes");
        shop.simulator.change_order(shop.name, order, attributes).await.expect("an edit");
    };
    change(by_payment, json!({ "payment_state": "credit_exam_completed" })).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.claim();
    change(by_state, json!({ "state": "canceled" })).await;
    let synced = shop.robot_does("status-sync");
    assert_eq!(synced["counts"]["cancellations-requested"], 1, "{synced}");
    let left: Vec<(String, String)> =
        shop.shipments().iter().map(|s| (s["id"].as_str().expect("an id").to_owned(), number_of(s))).collect();
    shop.results(&left);
    // Of the other one it is known only now what its payment state means.
    shop.apply(|document| {
        capturing(document);
        document["connections"][0]["payment_states"] = json!({ "cancelled": ["credit_exam_completed"] });
    });
    let told = shop.robot_does("state-shipped");
    assert_eq!((&told["counts"]["captured"], &told["counts"]["written-back"]), (&json!(1), &json!(3)), "{told}");
    assert_all_shipped_and_told_once(&shop).await;
    let shown = run(&["shipment", &format!("{}.{by_state}.1", shop.name), "--json"], None).out;
    assert!(shown.contains("the cancellation came too late"), "{shown}");
    // Nor is it by a later run.
    shop.robot_does("state-shipped");
    assert_eq!(captures(&shop).await, [0, 0, 1]);
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
