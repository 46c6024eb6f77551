//! Payments and cancellations: from what the shop shows to what may be shipped, on the deployed stack.

use std::time::{Duration, Instant};

use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Map, Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// The merchant's document with the article's release robot.
fn apply_with_release(world: &World, connection: &Value) {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(format!("{}.yaml", world.shop.name));
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("a document")).expect("JSON");
    for (key, value) in connection.as_object().expect("an object") {
        document["connections"][0][key] = value.clone();
    }
    document["integration_robots"]["custom"] = json!([
        { "id": release(world), "name": "入金済みになったら出荷待ちへ",
          "on": { "after": "status-sync", "connection": world.shop.name },
          "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } }
    ]);
    std::fs::write(&path, document.to_string()).expect("a file");
    let applied = run(&["apply", path.to_str().expect("a path")], None);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(!applied.out.contains("release-when-paid is kept"), "{applied:?}");
}

fn release(world: &World) -> String {
    format!("{}-release-when-paid", world.shop.name)
}

async fn order(world: &World, attributes: Value) -> u64 {
    world.simulator.add_order(&world.shop.name, attributes).await.expect("an order").id
}

async fn edit(world: &World, id: u64, attributes: Value) {
    let Value::Object(attributes): Value = attributes else { panic!("an object") };
    let attributes: Map<String, Value> = attributes;
    world.simulator.change_order(&world.shop.name, id, &attributes).await.expect("an edit");
}

fn shipment(world: &World, id: u64) -> Value {
    let shown = run(&["shipment", &format!("{}.{id}.1", world.shop.name), "--json"], None);
    assert_eq!(shown.code, 0, "{shown:?}");
    serde_json::from_str(&shown.out).expect("a shipment")
}

/// A field of the shipment, wherever the listing has it.
fn text(shipment: &Value, field: &str) -> String {
    let found = shipment.get(field).or_else(|| shipment.get("shipment").and_then(|inner| inner.get(field)));
    found.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}

fn status(world: &World, id: u64) -> String {
    text(&shipment(world, id), "status")
}

async fn calls(world: &World) -> u64 {
    world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger").calls
}

fn runs_of(world: &World, robot: &str) -> Vec<Value> {
    let runs = run(&["runs", "--tenant", &world.shop.name, "--json"], None).lines();
    runs.into_iter().filter(|run| run["robot"] == robot).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_is_ready_within_one_run_and_the_rest_stays() {
    let world = World::new("paying", plain(0), 10_000).await;
    apply_with_release(&world, &json!({}));
    let paid = order(&world, json!({ "payment_state": "pending" })).await;
    let waits = order(&world, json!({ "payment_state": "pending" })).await;
    let odd = order(&world, json!({ "payment_state": "pending" })).await;
    let back = order(&world, json!({ "payment_state": "authed" })).await;
    let void = order(&world, json!({ "payment_state": "authed" })).await;
    let gone = order(&world, json!({ "payment_state": "pending" })).await;
    let edited = order(&world, json!({ "payment_state": "authed" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(status(&world, paid), "hold");
    assert_eq!(status(&world, back), "ready");

    edit(&world, paid, json!({ "payment_state": "paid" })).await;
    edit(&world, odd, json!({ "payment_state": "brand_new_state" })).await;
    edit(&world, back, json!({ "payment_state": "auth_failed" })).await;
    edit(&world, void, json!({ "payment_state": "voided" })).await;
    edit(&world, gone, json!({ "state": "canceled" })).await;
    edit(&world, edited, json!({ "total": 99_999 })).await;
    let before = calls(&world).await;
    let synced = world.run("status-sync");
    assert_eq!(calls(&world).await - before, 1, "seven orders are one page");
    let lines = synced.lines();
    assert_eq!(lines.len(), 2, "--wait waits for the release too: {synced:?}");
    assert_eq!(lines[1]["robot"], json!(release(&world)));
    assert_eq!((&lines[1]["cause"], &lines[1]["calls"]), (&json!("after"), &json!(0)));
    println!("status sync: {} / release: {}", lines[0]["counts"], lines[1]["counts"]);

    assert_eq!(status(&world, paid), "ready");
    for held in [waits, odd, back] {
        let shipment = shipment(&world, held);
        assert_eq!((text(&shipment, "status"), text(&shipment, "payment")), ("hold".into(), "unpaid".into()));
    }
    for cancelled in [void, gone] {
        assert_eq!(status(&world, cancelled), "cancelled");
    }
    assert_eq!(status(&world, edited), "ready");
    assert!(shipment(&world, edited).to_string().contains("the shop has otherwise: total"), "the difference is shown");
    assert_eq!(synced.code, 4, "a difference is for a person: {synced:?}");
    let notes = lines[0]["notes"].to_string();
    assert!(notes.contains("brand_new_state") && notes.contains("(1)"), "{notes}");

    // The same again: nothing moves, nothing is said twice, and the unknown state is reported once a day.
    let again = world.run("status-sync");
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(again.lines()[0]["notes"], json!([]), "{again:?}");
    assert_eq!(runs_of(&world, &release(&world)).len(), 2, "one release for each end of a sync");
    // By hand.
    let by_hand = run(&["run", &release(&world), "--wait", "--json"], None);
    assert_eq!((by_hand.code, by_hand.lines().len()), (0, 1), "{by_hand:?}");
    assert_eq!(status(&world, waits), "hold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_open_shipments_cost_10_calls_by_id_and_2_by_changes() {
    let world = World::new("thousandopen", plain(0), 10_000).await;
    // Orders that last changed an hour ago, before any window.
    let shop = &world.shop.name;
    world.simulator.set_clock(shop, -3_600).await.expect("a clock");
    world.simulator.generate_orders(shop, 1_000, OrderOptions::plain()).await.expect("orders");
    world.simulator.set_clock(shop, 0).await.expect("a clock");
    assert_eq!(world.run("fetch-orders").code, 0);
    let before = calls(&world).await;
    let by_ids = world.run("status-sync");
    assert_eq!(by_ids.code, 0, "{by_ids:?}");
    let after_ids = calls(&world).await;
    let by_changes = world.run("status-sync");
    assert_eq!(by_changes.code, 0, "{by_changes:?}");
    let after_changes = calls(&world).await;
    println!("1,000 open: {} calls by id, {} by changes", after_ids - before, after_changes - after_ids);
    assert!(after_ids - before <= 10, "{by_ids:?}");
    assert!(after_changes - after_ids <= 2, "{by_changes:?}");

    // One of them is cancelled: found by changes.
    let id = world.list("shipments")[700]["order_id"].as_u64().expect("an id");
    edit(&world, id, json!({ "state": "canceled" })).await;
    let found = world.run("status-sync");
    assert_eq!(found.code, 0, "{found:?}");
    assert!(calls(&world).await - after_changes <= 2);
    assert_eq!(status(&world, id), "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_hooks_cost_two_calls_and_pay_within_ten_seconds() {
    let world = World::new("hooked", plain(0), 10_000).await;
    apply_with_release(&world, &json!({ "call_interval_ms": 1_000 }));
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(order(&world, json!({ "payment_state": "pending" })).await);
    }
    assert_eq!(world.run("fetch-orders").code, 0);
    for id in &ids {
        edit(&world, *id, json!({ "payment_state": "paid" })).await;
    }
    // One that is not known yet.
    let new = order(&world, json!({ "payment_state": "paid" })).await;
    ids.push(new);
    let before = calls(&world).await;
    let began = Instant::now();
    for id in &ids {
        renkei_e2e::hint(&world.shop.name, &[*id]).await;
    }
    let sent = began.elapsed();
    let last = Instant::now();
    let ready = loop {
        let ready = world.list("shipments").iter().filter(|s| s["status"] == "ready").count();
        if ready == ids.len() || last.elapsed() > Duration::from_secs(40) {
            break ready;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let cost = calls(&world).await - before;
    println!("{} hooks in {sent:?}: {ready} ready {:?} after the last, {cost} calls", ids.len(), last.elapsed());
    assert_eq!(ready, ids.len());
    // A page of a hundred is one call, and 101 orders are two pages; a second look may find stragglers.
    assert!(cost <= 4, "{cost} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciliation_finds_what_was_lost_and_a_backfill_too() {
    let world = World::new("nightly", plain(3), 10_000).await;
    let reconciled = world.run("reconcile");
    assert_eq!(reconciled.code, 0, "{reconciled:?}");
    let line = &reconciled.lines()[0];
    assert_eq!((&line["counts"]["lost"], &line["counts"]["imported"]), (&json!(3), &json!(3)), "{line}");
    assert_eq!(world.list("shipments").len(), 3);
    let again = world.run("reconcile");
    assert_eq!(again.lines()[0]["counts"]["lost"], json!(0), "{again:?}");

    let lost = order(&world, json!({ "payment_state": "authed" })).await;
    let backfilled =
        run(&["backfill", &world.shop.name, "--from", "2020-01-01", "--to", "2030-01-01", "--wait", "--json"], None);
    assert_eq!(backfilled.code, 0, "{backfilled:?}");
    assert_eq!(status(&world, lost), "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_is_known_is_not_written_over_with_working() {
    let world = World::new("notover", plain(0), 10_000).await;
    let gone = order(&world, json!({ "payment_state": "authed" })).await;
    let two = json!({ "payment_state": "authed", "shipping_addresses": [{}, {}] });
    let both = order(&world, two).await;
    let taken = order(&world, json!({ "payment_state": "authed" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    edit(&world, gone, json!({ "state": "canceled" })).await;
    edit(&world, both, json!({ "state": "canceled" })).await;
    assert_eq!(world.run("status-sync").code, 0);
    let told = world.run("state-working");
    assert_eq!(told.lines()[0]["counts"]["cancelled-not-told"], json!(2), "{told:?}");
    for (id, state, written) in [(gone, "canceled", 0), (both, "canceled", 0), (taken, "working", 1)] {
        let truth = world.simulator.order(&world.shop.name, id).await.expect("the order");
        assert_eq!((truth.brief.state.as_str(), truth.brief.written_working), (state, written), "{id}");
    }
    // It stays so.
    assert_eq!(world.run("status-sync").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    assert_eq!(status(&world, gone), "cancelled");
    assert_eq!(status(&world, taken), "ready");
}
