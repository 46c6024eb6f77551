//! Payments that are captured when the shop hears of a parcel: once each, never unasked, and left to a person where nobody
//! knows whether it happened.

use renkei_e2e::run;
use renkei_e2e::ways::{Shop, number_of};
use renkei_simulator::api::{Endpoint, Writer};
use serde_json::{Value, json};

use crate::{assert_all_shipped_and_told_once, faults, heal, plain};

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
pub(crate) async fn captures(shop: &Shop) -> Vec<usize> {
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
