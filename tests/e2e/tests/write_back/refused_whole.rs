//! A shop that refuses a whole call for one record in it: the record waits for a person, and all others are told.

use renkei_e2e::run;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::Endpoint;
use serde_json::{Value, json};

use crate::captures::captures;
use crate::{assert_all_shipped_and_told_once, faults, heal, plain};

/// Every write that names one of these orders is refused whole.
async fn refuse(shop: &Shop, endpoint: &str, status: u16, orders: &[u64]) {
    let records: Vec<String> = orders.iter().map(u64::to_string).collect();
    let rule = json!({ "kind": "refused_whole", "endpoint": endpoint, "records": records, "status": status });
    faults(shop, json!([rule])).await;
}

/// A run that ended with something for a person.
fn for_a_person(shop: &Shop, robot: &str) -> Value {
    let ended = shop.robot(robot);
    assert_eq!(ended.code, 4, "{ended:?}");
    ended.lines().remove(0)
}

fn refused(shop: &Shop) -> Vec<u64> {
    let failed = shop.shipments().into_iter().filter(|shipment| shipment["shop_sync"] == "failed");
    let failed = failed.inspect(|shipment| assert_eq!(shipment["shop_error"]["code"], "AOR2001", "{shipment}"));
    let mut orders: Vec<u64> = failed.filter_map(|shipment| shipment["order_id"].as_u64()).collect();
    orders.sort_unstable();
    orders
}

async fn calls(shop: &Shop, endpoint: Endpoint) -> usize {
    let ledger = shop.simulator.ledger(shop.name).await.expect("the ledger");
    ledger.iter().filter(|call| call.endpoint == endpoint).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_keeps_no_other_from_being_told_on_any_of_its_ways() {
    let shop = Shop::new("wb-whole", plain(230), |_| ()).await;
    shop.robot_does("fetch-orders");
    let all: Vec<u64> = shop.orders().await.iter().map(|order| order.id).collect();
    let mut gone = [all[7], all[215]];
    gone.sort_unstable();

    refuse(&shop, "bulk_update", 404, &gone).await;
    let run_of_it = for_a_person(&shop, "state-working");
    assert_eq!(
        (&run_of_it["counts"]["told"], &run_of_it["counts"]["refused"]),
        (&json!(228), &json!(2)),
        "{run_of_it}"
    );
    assert_eq!(refused(&shop), gone);
    let spent = calls(&shop, Endpoint::BulkUpdate).await;
    assert!(spent <= 3 + 2 * 14, "{spent} calls");
    // Nobody asks for them again unasked.
    shop.robot_does("state-working");
    assert_eq!(calls(&shop, Endpoint::BulkUpdate).await, spent);
    heal(&shop).await;
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    shop.robot_does("state-working");
    assert!(refused(&shop).is_empty());

    // Its number, then its state.
    shop.ship_all();
    refuse(&shop, "shipping", 422, &gone[..1]).await;
    let told = for_a_person(&shop, "state-shipped");
    assert_eq!((&told["counts"]["written-back"], &told["counts"]["refused"]), (&json!(229), &json!(1)), "{told}");
    assert_eq!(refused(&shop), gone[..1]);
    heal(&shop).await;
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    refuse(&shop, "bulk_update", 422, &gone[..1]).await;
    for_a_person(&shop, "state-shipped");
    assert_eq!(refused(&shop), gone[..1], "that it is told alone changes nothing");
    heal(&shop).await;
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    shop.robot_does("state-shipped");
    assert_all_shipped_and_told_once(&shop).await;
}

/// A call that is wrong for all of its orders is the run's failure; but even then the next run comes to others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_shop_takes_nothing_not_all_of_a_hundred_are_asked_for() {
    let shop = Shop::new("wb-none", plain(120), |_| ()).await;
    shop.robot_does("fetch-orders");
    let all: Vec<u64> = shop.orders().await.iter().map(|order| order.id).collect();
    refuse(&shop, "bulk_update", 422, &all).await;
    for turn in 1..=2 {
        let failed = shop.robot("state-working");
        assert!(failed.code == 1 && failed.out.contains("AOR2001"), "{failed:?}");
        assert_eq!((refused(&shop).len(), calls(&shop, Endpoint::BulkUpdate).await), (2 * turn, 4 * turn));
    }
    heal(&shop).await;
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    assert_eq!(shop.robot_does("state-working")["counts"]["told"], 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payments_of_all_others_are_captured_once() {
    let shop = Shop::new("wb-whole-sale", plain(15), |document| {
        document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let gone = shop.orders().await[11].id;
    refuse(&shop, "shipping", 422, &[gone]).await;
    let told = for_a_person(&shop, "state-shipped");
    assert_eq!(told["counts"]["captured"], 14, "{told}");
    let expected =
        || async { shop.orders().await.iter().map(|order| usize::from(order.id != gone)).collect::<Vec<_>>() };
    assert_eq!(captures(&shop).await, expected().await);
    for order in shop.orders().await {
        assert_eq!(order.state, if order.id == gone { "working" } else { "shipped" }, "{order:?}");
    }
    // Nor is it captured by a later run, which asks for nothing.
    shop.robot_does("state-shipped");
    heal(&shop).await;
    assert_eq!(captures(&shop).await, expected().await);

    let id = format!("{}.{gone}.1", shop.name);
    assert_eq!(run(&["retry", "--shipment", &id, "--capture"], None).code, 0);
    assert_eq!(run(&["retry", "--refused", "--connection", shop.name], None).code, 0);
    shop.robot_does("state-shipped");
    assert!(captures(&shop).await.iter().all(|count| *count == 1));
    assert_all_shipped_and_told_once(&shop).await;
}

/// Nobody knows that a refusal means what it says: what was captured all the same is seen, and not asked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_that_a_shop_carried_out_and_refused_are_read_back() {
    let shop = Shop::new("wb-half-sale", plain(6), |document| {
        document["connections"][0]["capture_payment_on_shipping"] = json!(true);
    })
    .await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let gone = shop.orders().await[3].id;
    let rule = json!({
        "kind": "refused_whole", "endpoint": "shipping", "records": [gone.to_string()], "applied": true, "times": 1
    });
    faults(&shop, json!([rule])).await;
    let told = for_a_person(&shop, "state-shipped");
    assert_eq!(told["counts"]["captured"], 5, "{told}");
    heal(&shop).await;
    let expected =
        || async { shop.orders().await.iter().map(|order| usize::from(order.id != gone)).collect::<Vec<_>>() };
    assert_eq!(captures(&shop).await, expected().await);
    // Its number is told all the same, and its payment is a person's.
    shop.robot_does("state-shipped");
    shop.assert_numbers_are_where_they_belong().await;
    assert_eq!(captures(&shop).await, expected().await);
    assert_eq!(run(&["retry", "--shipment", &format!("{}.{gone}.1", shop.name), "--capture"], None).code, 0);
    shop.robot_does("state-shipped");
    assert!(captures(&shop).await.iter().all(|count| *count == 1));
}
