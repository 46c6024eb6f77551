//! Orders flow: from a shop into shipments and back to "working", on the deployed stack.

use std::collections::BTreeSet;

use renkei_e2e::{World, aws, run};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn faults(rules: Value) -> Vec<FaultRule> {
    serde_json::from_value(rules).expect("fault rules")
}

/// Every order of the shop is stored exactly once, and the shop knows it.
async fn assert_each_order_once_and_told(world: &World, orders: usize) {
    let shipments = world.list("shipments");
    let ids: BTreeSet<u64> = shipments.iter().filter_map(|s| s["order_id"].as_u64()).collect();
    assert_eq!((shipments.len(), ids.len()), (orders, orders), "each order is one shipment");
    assert!(shipments.iter().all(|s| s["shop_sync"] == "acknowledged"), "each is acknowledged");
    let working = world.simulator.orders(&world.shop.name, Some("working")).await.expect("orders");
    assert_eq!(working.len(), orders, "each is in working at the shop");
    let dead: Vec<Value> = run(&["dead-letters", "list", "--json"], None).lines();
    assert!(dead.iter().all(|letter| letter["connection"] != world.shop.name.as_str()), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_spend_at_most_24_calls_and_applying_twice_is_nothing() {
    let world = World::new("thousand", plain(1_000), 10_000).await;
    let again = world.apply(10_000, None);
    assert!(again.code == 0 && again.out.contains("nothing"), "{again:?}");

    let fetched = world.run("fetch-orders");
    assert_eq!(fetched.code, 0, "{fetched:?}");
    let told = world.run("state-working");
    assert_eq!(told.code, 0, "{told:?}");
    assert_each_order_once_and_told(&world, 1_000).await;

    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    println!("1,000 orders from complete to working: {} calls", ledger.calls);
    assert!(ledger.calls <= 24, "{ledger:?}");
    assert_eq!((ledger.overlapping, ledger.beyond_limit, ledger.sign_ins), (0, 0, 1), "{ledger:?}");
    let quota = &world.list("quota")[0];
    assert_eq!(quota["used"], json!(ledger.calls), "our count is the shop's");

    // A second pass finds nothing new, and changes nothing.
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_each_order_once_and_told(&world, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_imported_once_under_every_fault_of_the_shop() {
    let world = World::new("faulty", plain(250), 10_000).await;
    let rules = faults(json!([
        { "kind": "too_many_requests_seconds", "seconds": 1, "endpoint": "orders_list", "times": 1 },
        { "kind": "too_many_requests_date", "seconds": 1, "endpoint": "bulk_update", "times": 1 },
        { "kind": "server_error", "endpoint": "orders_list", "skip": 1, "times": 1 },
        { "kind": "html503", "endpoint": "bulk_update", "skip": 1, "times": 1 },
        { "kind": "reset_before", "endpoint": "orders_list", "skip": 2, "times": 1 },
        { "kind": "reset_after", "endpoint": "bulk_update", "skip": 2, "times": 1 },
        { "kind": "revoked_token", "endpoint": "orders_list", "skip": 3, "times": 1 },
        { "kind": "truncated_json", "endpoint": "orders_list", "skip": 4, "times": 1 },
        { "kind": "duplicate_rows", "endpoint": "orders_list", "every": 2 },
        { "kind": "wrong_totals", "endpoint": "orders_list", "every": 3 },
        { "kind": "partial_failure", "endpoint": "bulk_update", "percent": 20, "code": "AOR9999", "skip": 3, "times": 1 }
    ]));
    world.simulator.set_faults(&world.shop.name, &rules).await.expect("faults");
    let fetched = world.run("fetch-orders");
    assert_eq!(fetched.code, 0, "{fetched:?}");
    let _under_fire = world.run("state-working");
    world.simulator.clear_faults(&world.shop.name).await.expect("healed");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    assert_each_order_once_and_told(&world, 250).await;
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    println!("250 orders under faults: {} calls, faults {:?}", ledger.calls, ledger.by_fault);
    assert_eq!((ledger.overlapping, ledger.beyond_limit), (0, 0), "{ledger:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_without_effect_is_seen_and_told_again() {
    let world = World::new("silent", plain(40), 10_000).await;
    let rules = faults(json!([{ "kind": "silent_no_op", "endpoint": "bulk_update", "times": 1 }]));
    world.simulator.set_faults(&world.shop.name, &rules).await.expect("faults");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    let working = world.simulator.orders(&world.shop.name, Some("working")).await.expect("orders");
    assert!(working.is_empty(), "the shop dropped it");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    assert_each_order_once_and_told(&world, 40).await;
    // It is counted: on each order, and in the lines of the function that saw it.
    for shipment in world.list("shipments").iter().step_by(13) {
        let id = shipment["id"].as_str().expect("an id");
        let whole = run(&["shipment", id, "--json"], None).lines().remove(0);
        assert_eq!(whole["reappeared"], 1, "{whole}");
    }
    let reappeared = async || {
        let lines = aws().log_lines().await;
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["OrdersReappeared"].as_u64()).sum::<u64>()
    };
    // Orders of the other tests that run meanwhile may be among them.
    world.until("the lines are written", async || reappeared().await >= 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_limit_nothing_calls_and_nothing_fails() {
    let spec = ShopSpec { daily_call_limit: 10, ..plain(2_000) };
    let world = World::new("limited", spec, 10).await;
    let blocked = world.run("fetch-orders");
    assert_eq!(blocked.code, 3, "{blocked:?}");
    assert_eq!(blocked.lines()[0]["state"], "blocked");
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    println!("a limit of 10: {} calls", ledger.calls);
    assert!(ledger.calls <= 10 && ledger.beyond_limit == 0, "{ledger:?}");
    assert!(ledger.calls >= 7, "the lane's share is used: {ledger:?}");
    let imported = world.list("shipments").len();
    assert!(imported >= 500, "what was read is imported: {imported}");
}

/// The shop answers one call with a `Retry-After`, and two robots want to call it meanwhile.
async fn two_robots_meet_a_shop_that_wants_no_call_for(seconds: u32, name: &'static str) {
    let world = World::new(name, plain(3), 10_000).await;
    let kind = "too_many_requests_seconds";
    let rules = faults(json!([{ "kind": kind, "seconds": seconds, "endpoint": "orders_list", "times": 1 }]));
    world.simulator.set_faults(name, &rules).await.expect("faults");
    world.start("fetch-orders");
    let ledger = async || world.simulator.ledger(name).await.expect("the ledger");
    world.until("the shop refuses", async || ledger().await.iter().any(|call| call.status == Some(429))).await;
    world.start("reconcile");
    let runs = || run(&["runs", "--tenant", name, "--json"], None).lines();
    world
        .until("both have done their work", async || {
            let runs = runs();
            let done = |robot: &str| {
                let robot = format!("{name}/{robot}");
                runs.iter().any(|run| run["robot"] == robot.as_str() && run["state"] == "done")
            };
            done("fetch-orders") && done("reconcile")
        })
        .await;
    let calls = ledger().await;
    let refused = calls.iter().position(|call| call.status == Some(429)).expect("the refusal");
    let pause = calls[refused + 1].started_us - calls[refused].ended_us;
    println!("asked for {seconds} s, called again after {} ms: {} calls, {:?}", pause / 1_000, calls.len(), runs());
    // Our clock and the shop's are one here.
    assert!(pause >= u64::from(seconds) * 999_000, "called again after {pause} µs");
    assert!(calls.len() <= 8, "each asks once for what it needs: {calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_that_a_shop_wants_to_be_left_alone_is_sat_out_with_another_robot_at_the_door() {
    two_robots_meet_a_shop_that_wants_no_call_for(62, "aminute").await;
}

// What the gate and a session do then is tested with every change; on the deployed stack it takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "waits for two and a half minutes: cargo test -p renkei-e2e --test orders_flow -- --ignored"]
async fn a_shop_that_wants_to_be_left_alone_for_longer_is_left_by_all_robots_and_called_again() {
    two_robots_meet_a_shop_that_wants_no_call_for(150, "minutes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_says_so_and_the_right_one_heals() {
    let world = World::new("secretive", plain(5), 1_000).await;
    assert_eq!(world.apply(1_000, Some("not-this-one-4711")).code, 0);
    let refused = world.run("fetch-orders");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("password"), "{refused:?}");
    assert!(!refused.out.contains("4711") && !refused.err.contains("4711"), "{refused:?}");
    assert_eq!(world.apply(1_000, None).code, 0);
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.list("shipments").len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_product_waits_and_hinders_no_other() {
    let world = World::new("unknown", plain(3), 1_000).await;
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] });
    world.simulator.add_order(&world.shop.name, odd).await.expect("an order");
    assert_eq!(world.run("fetch-orders").code, 4, "needs a person");
    assert_eq!(world.list("shipments").len(), 3);
    let orders = world.list("orders");
    let waiting: Vec<&Value> = orders.iter().filter(|order| order["outcome"] == "quarantined").collect();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0]["reason"].as_str().is_some_and(|reason| reason.contains("NOT-OURS")), "{waiting:?}");
}
