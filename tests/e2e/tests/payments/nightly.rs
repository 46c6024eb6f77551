//! 夜間照合 on the deployed stack: what the shop has against what we have.

use renkei_domain::handover::claim;
use renkei_domain::ids::TenantId;
use renkei_e2e::ways::Shop;
use renkei_e2e::{World, aws, store};
use renkei_simulator::api::OrderOptions;
use serde_json::{Map, Value, json};

use crate::{calls, plain};

/// A record of the stack's store, changed as only time could.
async fn set(table: &str, pk: &str, sk: &str, values: &[(&str, &str)]) {
    let aws = aws();
    let sets: Vec<String> = values.iter().map(|(name, _)| format!("{name} = :{name}")).collect();
    let given: Map<String, Value> =
        values.iter().map(|(name, value)| (format!(":{name}"), json!({ "S": value }))).collect();
    let update = json!({
        "TableName": aws.table(table).await, "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
        "UpdateExpression": format!("SET {}", sets.join(", ")), "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": given,
    });
    aws.call("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
}

const LONG_AGO: &str = "2026-01-01T00:00:00Z";

/// Every finding of the nightly comparison, and that it mends what is lost and what was told in vain, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciliation_reports_what_is_lost_doubled_stuck_and_drifted() {
    let shop = Shop::new("nightly-found", plain(0), |document| {
        document["processing_robots"]["enable"] =
            json!(["payment-check", "hold-unpaid", "require-product", "ecforce-release"]);
    })
    .await;
    let name = shop.name;
    let place = async |attributes: Value| {
        let mut order =
            json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "SERUM-30", "quantity": 1 }] });
        order.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
        shop.simulator.add_order(name, order).await.expect("an order").id
    };
    let change = async |id: u64, attributes: Value| {
        let attributes = attributes.as_object().expect("an object").clone();
        shop.simulator.change_order(name, id, &attributes).await.expect("an edit");
    };
    let pk = |id: u64| format!("S#{name}#{name}#{id}");

    // One that has left and was told.
    let told = place(json!({})).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("state-shipped");
    // Two of one number, one that nobody takes, one that is cancelled with us only, one that waits in quarantine.
    for _ in 0..2 {
        place(json!({ "number": "DOUBLE-1" })).await;
    }
    // What is to leave on a later day has a reason to stand.
    let stands = place(json!({ "scheduled_to_be_shipped_at": null })).await;
    let cancelled = place(json!({})).await;
    let waits = place(json!({ "order_items": [{ "variant_sku": "NEVER-3", "quantity": 1 }] })).await;
    assert_eq!(shop.robot("fetch-orders").code, 4, "one waits in quarantine");
    shop.robot_does("state-working");
    change(cancelled, json!({ "payment_state": "voided" })).await;
    shop.robot_does("status-sync");
    change(cancelled, json!({ "payment_state": "authed", "state": "working" })).await;
    assert!(shop.shipments().iter().all(|shipment| shipment["order_id"] != json!(waits)), "it waits in quarantine");
    // What was told had no effect, and a day has gone by; the one that stands has stood for long.
    change(told, json!({ "state": "working" })).await;
    set("Shipments", &pk(told), "P#00001", &[("told_at", LONG_AGO), ("updated_at", LONG_AGO)]).await;
    let listed = format!("{}#{stands}#1", LONG_AGO.replace('Z', ".000Z"));
    let old = [("imported_at", LONG_AGO), ("updated_at", LONG_AGO), ("status_sk", listed.as_str())];
    set("Shipments", &pk(stands), "P#00001", &old).await;
    // Lost: placed since, and never fetched.
    let lost = place(json!({})).await;

    let reconciled = shop.robot("reconcile");
    assert_eq!(reconciled.code, 4, "a person is asked: {reconciled:?}");
    let line = reconciled.lines().remove(0);
    println!("reconciliation: {} {}", line["counts"], line["notes"]);
    let count = |line: &Value, word: &str| line["counts"][word].as_u64().unwrap_or(0);
    for (word, expected) in
        [("lost", 1), ("imported", 1), ("doubled", 1), ("stuck", 1), ("drifted", 2), ("told-again", 1)]
    {
        assert_eq!(count(&line, word), expected, "{word}: {line}");
    }
    let notes = line["notes"].to_string();
    for words in ["unknown here", "DOUBLE-1", "stand still", "stand otherwise"] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    // Mended: the lost one is here, and what was told in vain is told again. Nothing else was touched.
    let of = |id: u64| shop.shipments().into_iter().find(|shipment| shipment["order_id"] == json!(id)).expect("one");
    assert_eq!(of(lost)["status"], "ready");
    shop.robot_does("state-shipped");
    let at_shop = async |id: u64| shop.simulator.order(name, id).await.expect("an order").attributes["state"].clone();
    assert_eq!(at_shop(told).await, "shipped");
    assert_eq!((of(cancelled)["status"].clone(), at_shop(cancelled).await), (json!("cancelled"), json!("working")));
    assert_eq!(of(stands)["status"], "ready");
    let again = shop.robot("reconcile").lines().remove(0);
    for (word, expected) in [("lost", 0), ("doubled", 1), ("stuck", 1), ("drifted", 1), ("told-again", 0)] {
        assert_eq!(count(&again, word), expected, "{word}: {again}");
    }

    // A cancellation after the parcel left: open orders are read by id, so it is looked for now and then.
    change(told, json!({ "state": "canceled" })).await;
    let sync = shop.robot_does("status-sync");
    assert_eq!(count(&sync, "cancellations-too-late"), 0, "{sync}");
    set("Robots", &format!("Y#{name}#{name}"), "MARK", &[("late_known", LONG_AGO)]).await;
    let sync = shop.robot("status-sync");
    assert_eq!((sync.code, count(&sync.lines()[0], "cancellations-too-late")), (4, 1), "{sync:?}");
    let sync = shop.robot_does("status-sync");
    assert_eq!(count(&sync, "cancellations-too-late"), 0, "known, and not looked for again: {sync}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciliation_looks_at_every_parcel_and_at_all_that_is_to_be_told() {
    let shop = Shop::new("nightly-parcels", plain(0), |_| ()).await;
    let name = shop.name;
    let place = async |attributes: Value| shop.simulator.add_order(name, attributes).await.expect("an order").id;
    let change = async |id: u64, attributes: Value| {
        let attributes = attributes.as_object().expect("an object").clone();
        shop.simulator.change_order(name, id, &attributes).await.expect("an edit");
    };
    // One with two parcels of which the warehouse takes the first; one that leaves, and whose number nobody tells.
    let several = OrderOptions { multi_address_percent: 100.0, ..OrderOptions::plain() };
    let half = shop.simulator.generate_orders(name, 1, several).await.expect("an order")[0].id;
    let untold = place(json!({ "payment_state": "authed" })).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    let tenant = store().await.tenant(TenantId::parse(name).expect("an id"));
    for id in [format!("{name}.{half}.1"), format!("{name}.{untold}.1")] {
        let claimed = tenant.change(&id.parse().expect("an id"), |it| claim(it, jiff::Timestamp::now()).is_ok()).await;
        assert!(claimed.expect("an answer").is_some());
    }
    shop.results(&[(format!("{name}.{untold}.1"), "123456789012".into())]);
    set("Shipments", &format!("S#{name}#{name}#{untold}"), "P#00001", &[("updated_at", LONG_AGO)]).await;
    // The shop cancels the order of two, and takes that back: the second parcel was nobody's and stays cancelled.
    change(half, json!({ "payment_state": "voided" })).await;
    shop.robot_does("status-sync");
    change(half, json!({ "payment_state": "authed", "state": "working" })).await;
    let synced = shop.robot_does("status-sync");
    assert_eq!(synced["counts"]["withdrawn"], json!(1), "{synced}");
    // The shop has one as worked on that nobody here knows.
    let strange = place(json!({ "payment_state": "authed", "state": "working", "number": "STRANGE-1" })).await;

    let reconciled = shop.robot("reconcile");
    assert_eq!(reconciled.code, 4, "a person is asked: {reconciled:?}");
    let line = reconciled.lines().remove(0);
    for word in ["stuck", "drifted", "unknown-in-working"] {
        assert_eq!(line["counts"][word], json!(1), "{word}: {line}");
    }
    let number = |id: u64| {
        let shipments = shop.shipments();
        let found = shipments.iter().find(|shipment| shipment["order_id"] == json!(id)).expect("a shipment");
        found["order_number"].as_str().expect("a number").to_owned()
    };
    let notes = line["notes"].to_string();
    for words in [number(half), number(untold), "STRANGE-1".to_owned()] {
        assert!(notes.contains(&words), "{words}: {notes}");
    }
    assert!(shop.shipments().iter().all(|shipment| shipment["order_id"] != json!(strange)), "reported, and not taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciliation_leaves_calls_to_the_robots_of_its_lane() {
    // Few enough to stop it even in the day's last hours, when what other lanes do not need is free for it.
    let world = World::new("nightly-tight", plain(150), 23).await;
    let reconciled = world.run("reconcile");
    assert_eq!(reconciled.code, 0, "{reconciled:?}");
    let line = &reconciled.lines()[0];
    assert!(line["notes"].to_string().contains("not everything was compared"), "{line}");
    let spent = calls(&world).await;
    println!("a limit of 23 calls: the reconciliation spent {spent}");
    assert!(spent <= 10, "{spent}");
    let fetched = world.run("fetch-orders");
    assert_eq!(fetched.code, 0, "what is left is enough to fetch: {fetched:?}");
    assert_eq!(world.list("shipments").len(), 150);
}

/// Its order stands as shipped, and only its payment says that it is cancelled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_cancelled_after_the_parcel_left_is_looked_for_now_and_then() {
    let shop = Shop::new("nightly-voided", plain(1), |_| ()).await;
    let name = shop.name;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("state-shipped");
    shop.robot_does("status-sync");
    let id = shop.orders().await[0].id;
    let voided = json!({ "payment_state": "voided", "state": "shipped" });
    shop.simulator.change_order(name, id, voided.as_object().expect("attributes")).await.expect("an edit");

    let count = |line: &Value| line["counts"]["cancellations-too-late"].as_u64().unwrap_or(0);
    assert_eq!(count(&shop.robot_does("status-sync")), 0, "nothing is open, and nothing is read");
    set("Robots", &format!("Y#{name}#{name}"), "MARK", &[("late_known", LONG_AGO)]).await;
    let sync = shop.robot("status-sync");
    assert_eq!((sync.code, count(&sync.lines()[0])), (4, 1), "{sync:?}");
    assert_eq!(count(&shop.robot_does("status-sync")), 0, "known, and not looked for again");
}
