//! What alarms look at is counted by the functions, when it happens.

use renkei_e2e::ways::Shop;
use renkei_e2e::{World, aws, run};
use renkei_simulator::api::{FaultRule, ShopSpec};
use serde_json::{Value, json};

use crate::{ONE_AT_A_TIME, plain};

/// The most that a function counted of a metric in one invocation for a merchant's shop; None if none counted it yet.
async fn highest(tenant: &str, metric: &str) -> Option<f64> {
    let shops = format!("{tenant}/");
    let lines = aws().log_lines().await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let theirs = lines.filter(|line| line["Connection"].as_str().is_some_and(|shop| shop.starts_with(&shops)));
    theirs.filter_map(|line| line[metric].as_f64()).max_by(f64::total_cmp)
}

/// How many invocations counted of a metric so much for a merchant's shop.
async fn invocations(tenant: &str, metric: &str, least: f64) -> usize {
    let shops = format!("{tenant}/");
    let lines = aws().log_lines().await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let theirs = lines.filter(|line| line["Connection"].as_str().is_some_and(|shop| shop.starts_with(&shops)));
    theirs.filter(|line| line[metric].as_f64().is_some_and(|value| value >= least)).count()
}

/// A warehouse was asked long ago to give up what is cancelled, and has not answered.
async fn age_cancellation(tenant: &str) {
    let of_it = |item: &Value| {
        let key = item["pk"]["S"].as_str().unwrap_or_default();
        key.starts_with(&format!("S#{tenant}#")) && item["cancellation"]["M"]["requested_at"]["S"].is_string()
    };
    let all = aws().everything().await;
    let (table, mut item) = all.into_iter().find(|(_, item)| of_it(item)).expect("a cancellation");
    item["cancellation"]["M"]["requested_at"]["S"] = "2026-01-01T00:00:00Z".into();
    aws().call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": item })).await;
}

/// What the shop refuses, a cancellation without an answer, and a payment state that nobody knows.
async fn a_shop_with_much_to_look_at(name: &'static str) -> Shop {
    let shop = Shop::new(name, plain(2), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.claim();
    let refusal = json!([{ "kind": "partial_failure", "endpoint": "bulk_update", "percent": 100, "code": "AOR2001" }]);
    let refusal: Vec<FaultRule> = serde_json::from_value(refusal).expect("fault rules");
    shop.simulator.set_faults(name, &refusal).await.expect("faults");
    let refused = shop.robot("state-working");
    assert_eq!(refused.code, 4, "{refused:?}");
    shop.simulator.clear_faults(name).await.expect("healed");
    let edits = [json!({ "state": "canceled" }), json!({ "payment_state": "brand_new_state" })];
    for (order, edit) in shop.orders().await.iter().zip(edits) {
        let edit = edit.as_object().expect("an object");
        shop.simulator.change_order(name, order.id, edit).await.expect("an edit");
    }
    let asked = shop.robot("status-sync");
    assert_eq!(asked.code, 4, "{asked:?}");
    age_cancellation(name).await;
    let overdue = shop.robot("status-sync");
    assert_eq!(overdue.code, 4, "{overdue:?}");
    shop
}

/// An alarm is worth what its metric is: each that a robot's run raises is seen in the lines of the function that ran it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alarms_look_at_is_counted_when_it_happens() {
    let _alone = ONE_AT_A_TIME.lock().await;
    // A sign-in and two pages are the day's calls.
    let tight = World::new("counted-tight", ShopSpec { daily_call_limit: 3, ..plain(250) }, 3).await;
    let blocked = tight.run("fetch-orders");
    assert_eq!(blocked.code, 3, "{blocked:?}");
    // One that makes no call finds the day as spent as the one that spent it.
    let spent = async |times: usize| invocations("counted-tight", "GateUsedShare", 100.0).await >= times;
    tight.until("the day counts as spent", async || spent(1).await).await;
    assert_eq!(tight.run("fetch-orders").code, 3);
    tight.until("it counts as spent still", async || spent(2).await).await;
    let failing = World::new("counted-failing", plain(1), 10_000).await;
    assert_eq!(failing.apply(10_000, Some("canary-wrong-password")).code, 0);
    for _ in 0..3 {
        let failed = failing.run("fetch-orders");
        assert_eq!(failed.code, 1, "{failed:?}");
    }
    let _shop = a_shop_with_much_to_look_at("counted").await;

    for (tenant, metric, least) in [
        ("counted-tight", "GateUsedShare", 80.0),
        ("counted-tight", "RunsBlocked", 1.0),
        ("counted-tight", "OrdersFetched", 200.0),
        ("counted-failing", "RobotsFailing", 1.0),
        ("counted-failing", "ShopErrors", 1.0),
        ("counted", "WriteBackErrors", 2.0),
        ("counted", "UnknownPayments", 1.0),
        ("counted", "CancellationsOverdue", 1.0),
    ] {
        let seen = async || highest(tenant, metric).await.is_some_and(|value| value >= least);
        tight.until(&format!("{metric} of {tenant}"), seen).await;
    }
    let quiet = highest("counted", "GateUsedShare").await;
    assert!(quiet.is_some_and(|share| share > 0.0 && share < 1.0), "a few calls of ten thousand: {quiet:?}");

    // As other tests expect to find the stack.
    tight.until("what was read is imported", async || aws().messages("import-orders").await == 0).await;
    for name in ["counted-tight", "counted-failing", "counted"] {
        let erased = run(&["tenant", "erase", name, "--confirm", name], None);
        assert_eq!(erased.code, 0, "{erased:?}");
    }
}
