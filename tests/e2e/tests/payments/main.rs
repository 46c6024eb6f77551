//! Payments and cancellations: from what the shop shows to what may be shipped, on the deployed stack.

mod called_off;
mod late;
mod nightly;

use std::time::{Duration, Instant};

use renkei_e2e::ways::Shop;
use renkei_e2e::{PASSWORD, World, aws, run};
use renkei_simulator::Simulator;
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
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

/// With so many open orders a sync reads what changed at the shop. Here nothing changes there, but what it means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_state_means_anew_reaches_orders_that_did_not_change() {
    let world = World::new("meaning", plain(0), 10_000).await;
    apply_with_release(&world, &json!({}));
    // Orders that last changed an hour ago, before any window.
    let shop = &world.shop.name;
    world.simulator.set_clock(shop, -3_600).await.expect("a clock");
    world.simulator.generate_orders(shop, 120, OrderOptions::plain()).await.expect("orders");
    let odd = order(&world, json!({ "payment_state": "brand_new_state" })).await;
    let trusted = order(&world, json!({ "payment_state": "authed" })).await;
    world.simulator.set_clock(shop, 0).await.expect("a clock");
    assert_eq!(world.run("fetch-orders").code, 0);
    let read = || world.run("status-sync").lines()[0]["counts"]["read"].clone();
    assert_eq!(read(), json!(122), "all by id");
    assert_eq!(read(), json!(0), "what changed");
    assert_eq!((status(&world, odd), status(&world, trusted)), ("hold".into(), "ready".into()));

    let tables = json!({ "payment_states": { "paid": ["brand_new_state"], "wait": ["authed"] } });
    apply_with_release(&world, &tables);
    assert_eq!(read(), json!(122), "all by id, once");
    assert_eq!((status(&world, odd), status(&world, trusted)), ("ready".into(), "hold".into()));
    apply_with_release(&world, &tables);
    assert_eq!(read(), json!(0), "the tables are the same");
}

/// A call that waits for its turn longer than a reading is taken for fresh does not make the reading old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_is_called_every_half_minute_is_read_as_any_other() {
    let world = World::new("seldom", plain(0), 10_000).await;
    let paid = order(&world, json!({ "payment_state": "pending" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(status(&world, paid), "hold");
    edit(&world, paid, json!({ "payment_state": "paid" })).await;
    apply_with_release(&world, &json!({ "call_interval_ms": 28_000 }));
    let before = calls(&world).await;
    let began = Instant::now();
    let synced = world.run("status-sync");
    println!("at a call in 28 s a sync took {:?}", began.elapsed());
    assert_eq!(synced.code, 0, "{synced:?}");
    assert_eq!(calls(&world).await - before, 1, "what was read is taken over, and not read again");
    assert_eq!(status(&world, paid), "ready");
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
        if ready == ids.len() || last.elapsed() > Duration::from_mins(2) {
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

    // One that is not waited for is named, in one object as all that `--json` prints.
    let day = "2020-01-01";
    let left = run(&["backfill", &world.shop.name, "--from", day, "--to", day, "--json"], None);
    assert_eq!(left.lines()[0]["tenant"], json!("nightly"), "{left:?}");
    assert!(left.lines()[0]["run"].is_string() && left.lines().len() == 1, "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_ends_where_the_listing_does_not_go_on() {
    let world = World::new("standing", plain(150), 10_000).await;
    let rules = json!([{ "kind": "standing_list", "endpoint": "orders_list" }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    world.simulator.set_faults("standing", &rules).await.expect("faults");
    let before = calls(&world).await;
    let range = ["backfill", "standing", "--from", "2020-01-01", "--to", "2030-01-01", "--wait", "--json"];
    let ended = run(&range, None);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.out.contains("does not go on"), "{ended:?}");
    let spent = calls(&world).await - before;
    assert!(spent <= 3, "a sign-in, the page, and the page again: {spent}");
    assert_eq!(world.list("shipments").len(), 100, "what was read is imported");

    // The next one reads all of it.
    world.simulator.clear_faults("standing").await.expect("healed");
    assert_eq!(run(&range, None).code, 0);
    assert_eq!(world.list("shipments").len(), 150);
}

/// More changes than a page, and more open orders behind that page than changes: by what it knows, a sync would go on with
/// changes. Their next page is the same again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_goes_on_by_ids_where_the_listing_of_changes_does_not_go_on() {
    let world = World::new("standing-sync", plain(0), 10_000).await;
    let shop = &world.shop.name;
    // Orders that last changed an hour ago, before any window.
    world.simulator.set_clock(shop, -3_600).await.expect("a clock");
    let placed = world.simulator.generate_orders(shop, 240, OrderOptions::plain()).await.expect("orders");
    world.simulator.set_clock(shop, 0).await.expect("a clock");
    let mut ids: Vec<u64> = placed.iter().map(|order| order.id).collect();
    ids.sort_unstable();
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("status-sync").code, 0, "all by id");

    for id in &ids[..120] {
        edit(&world, *id, json!({ "payment_state": "captured" })).await;
    }
    let cancelled = [ids[110], ids[230]];
    for id in cancelled {
        edit(&world, id, json!({ "state": "canceled" })).await;
    }
    let rules = json!([{ "kind": "standing_list", "endpoint": "orders_list" }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rules).expect("rules");
    world.simulator.set_faults(shop, &rules).await.expect("faults");
    let before = calls(&world).await;
    let synced = world.run("status-sync");
    assert_eq!(synced.code, 0, "{synced:?}");
    assert_eq!(calls(&world).await - before, 4, "changes, the same again, and two pages by id: {synced:?}");
    assert_eq!(cancelled.map(|id| status(&world, id)), ["cancelled", "cancelled"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ranges_that_wait_for_tomorrow_are_woken_each() {
    // So few calls that the first robot spends them all.
    let world = World::new("two-ranges", ShopSpec { daily_call_limit: 3, ..plain(350) }, 3).await;
    assert_eq!(world.run("fetch-orders").code, 3);
    let blocked = ["2026-11-01", "2026-11-02"].map(|day| {
        let ended = run(&["backfill", "two-ranges", "--from", day, "--to", day, "--wait", "--json"], None);
        assert_eq!(ended.code, 3, "{ended:?}");
        ended.lines()[0]["run"].as_str().expect("a run").to_owned()
    });
    let wakes = |run: &str, schedules: &[Value]| {
        let of_it = |schedule: &&Value| schedule["Target"]["Input"].as_str().is_some_and(|input| input.contains(run));
        schedules.iter().filter(of_it).count()
    };
    let schedules = aws().schedules().await;
    assert_eq!(blocked.each_ref().map(|run| wakes(run, &schedules)), [1, 1], "{schedules:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_orders_that_the_shop_does_not_give_are_named_once_a_day() {
    let shop = Shop::new("gone-there", plain(3), |_| ()).await;
    shop.robot_does("fetch-orders");
    let count = shop.orders().await.len();
    let number = shop.shipments()[0]["order_number"].as_str().expect("a number").to_owned();
    // The same connection, and a shop that has none of them: nobody does that by accident.
    let spec = ShopSpec { name: "gone-there-anew".to_owned(), email: "renkei@service.example".to_owned(), ..plain(0) };
    let (_other, anew) = Simulator::with_shop(&ShopSpec { password: PASSWORD.into(), ..spec }).await.expect("a shop");
    let elsewhere = |document: &mut Value| document["connections"][0]["api_url"] = json!(anew.url);
    let refused = shop.applied(elsewhere, &[]);
    assert!(
        refused.code == 1 && refused.err.contains("connections[0].api_url: gone-there has shipments"),
        "{refused:?}"
    );
    let sure = shop.applied(elsewhere, &["--same-shop"]);
    assert_eq!(sure.code, 0, "{sure:?}");
    let synced = shop.robot("status-sync");
    let line = synced.lines().remove(0);
    assert_eq!((synced.code, &line["counts"]["missing-at-shop"]), (4, &json!(count)), "a person is asked: {synced:?}");
    let notes = line["notes"].to_string();
    assert!(notes.contains("does not give them") && notes.contains(&number), "{notes}");
    let again = shop.robot_does("status-sync");
    assert_eq!(again["counts"]["missing-at-shop"], json!(count), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_lost_in_picking_is_shown_and_a_cancelled_order_is_not_told_working() {
    let shop = Shop::new("lost-in-hand", plain(3), |_| ()).await;
    let ids: Vec<u64> = shop.orders().await.iter().map(|order| order.id).collect();
    shop.robot_does("fetch-orders");
    // Cancelled between fetching and telling, and seen: the shop's own state stays.
    let attributes = json!({ "state": "canceled" });
    shop.simulator.change_order(shop.name, ids[0], attributes.as_object().expect("an object")).await.expect("an edit");
    shop.robot_does("status-sync");
    let told = shop.robot_does("state-working");
    assert_eq!(told["counts"]["told"], json!(2), "{told}");
    assert_eq!(shop.simulator.order(shop.name, ids[0]).await.expect("an order").attributes["state"], "canceled");
    shop.claim();
    let attributes = json!({ "payment_state": "auth_failed" });
    shop.simulator.change_order(shop.name, ids[1], attributes.as_object().expect("an object")).await.expect("an edit");
    let synced = shop.robot("status-sync");
    let line = synced.lines().remove(0);
    assert_eq!((synced.code, &line["counts"]["payment-lost-in-picking"]), (4, &json!(1)), "{synced:?}");
    assert!(line["notes"].to_string().contains("not paid any more"), "{line}");
    let id = format!("{}.{}.1", shop.name, ids[1]);
    let shown = run(&["shipment", &id, "--json"], None);
    assert!(shown.out.contains("the warehouse has it in hand"), "{shown:?}");
    assert_eq!(shop.robot("status-sync").code, 0, "a person is asked once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_telling_working_overwrote_is_asked_about_where_a_webhook_told_of_it() {
    let world = World::new("overwritten", plain(2), 10_000).await;
    let name = world.shop.name.clone();
    assert_eq!(world.run("fetch-orders").code, 0);
    let id = world.list("shipments")[0]["order_id"].as_u64().expect("an id");
    // Cancelled by its state alone, and told "working" before anybody looked.
    edit(&world, id, json!({ "state": "canceled" })).await;
    assert_eq!(world.run("state-working").code, 0);
    let hint = json!({ "v": 1, "tenant": name, "connection": name, "order_ids": [id], "topic": "order_canceled",
                       "received_at": "2026-11-24T00:00:00Z" });
    aws().send("sync-payments", &hint.to_string(), &name).await;
    let robot = format!("{name}/hints");
    world
        .until("the hint is looked at", async || runs_of(&world, &robot).iter().any(|run| run["state"] != "running"))
        .await;
    let run = runs_of(&world, &robot).remove(0);
    assert_eq!((&run["cause"], &run["counts"]["cancellations-overwritten"]), (&json!("hint"), &json!(1)), "{run}");
    let notes = run["notes"].to_string();
    // It is on record, and kept in, whatever becomes of the run's notes.
    let shown = shipment(&world, id).to_string();
    assert!(shown.contains("announced its cancellation") && shown.contains("\"needs-review\""), "{shown}");
    let number =
        world.list("shipments").iter().find(|s| s["order_id"] == json!(id)).expect("it")["order_number"].clone();
    let number = number.as_str().expect("a number");
    assert!(notes.contains(number), "{notes}");

    // By its number alone, as some webhooks name it.
    let hint = json!({ "v": 1, "tenant": name, "connection": name, "order_numbers": [number], "topic": "order_canceled",
                       "received_at": "2026-11-24T00:00:00Z" });
    aws().send("sync-payments", &hint.to_string(), &name).await;
    let ended = || runs_of(&world, &robot).into_iter().filter(|run| run["state"] != "running").collect::<Vec<_>>();
    world.until("the second hint is looked at", async || ended().len() == 2).await;
    for run in ended() {
        assert_eq!(run["counts"]["cancellations-overwritten"], json!(1), "{run}");
        assert!(run["notes"].to_string().contains(number), "{run}");
    }
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
    assert_eq!(told.code, 0, "{told:?}");
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
