//! What is taken out of the document: a shop or a ship-from goes only when nothing is left that needs it.

use renkei_e2e::ways::Shop;
use renkei_e2e::{World, root, run};
use serde_json::{Value, json};

use crate::{apply, document, order, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_goes_only_without_open_shipments_and_takes_its_secret_along() {
    let world = World::new("dropped", plain(2), 10_000).await;
    let whole = document(&world, &json!({}), &["SERUM-30", "MASK-5", "SOAP-80"]);
    let mut two = whole.clone();
    let mut second = whole["connections"][0].clone();
    second["id"] = json!("dropped-second");
    two["connections"].as_array_mut().expect("a list").push(second);
    assert_eq!(apply(&world, &two).code, 0);
    let one = apply(&world, &whole);
    assert!(one.code == 0 && one.out.contains("secret of dropped-second is removed"), "{one:?}");
    let again = apply(&world, &whole);
    assert!(again.code == 0 && !again.out.contains("is removed"), "{again:?}");

    assert_eq!(world.run("fetch-orders").code, 0);
    let mut none = whole.clone();
    none["connections"] = json!([]);
    none["integration_robots"] = json!({});
    let refused = apply(&world, &none);
    assert!(refused.code == 1 && refused.err.contains("has open shipments"), "{refused:?}");
    assert!(refused.err.contains("2 orders that the shop has not been told of"), "{refused:?}");
    assert_eq!(world.list("shipments").len(), 2, "the shop is still set up");

    // An order in quarantine alone keeps a connection too, unless it may stay behind.
    let kept = World::new("dropped-kept", plain(0), 10_000).await;
    order(&kept, json!({ "order_items": [{ "variant_sku": "NEVER-2", "quantity": 1 }] })).await;
    let mut none = document(&kept, &json!({}), &["SERUM-30"]);
    assert_eq!(apply(&kept, &none).code, 0);
    assert_eq!(kept.run("fetch-orders").code, 4);
    none["connections"] = json!([]);
    none["integration_robots"] = json!({});
    let refused = apply(&kept, &none);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("dropped-kept.yaml");
    let path = path.to_str().expect("a path").to_owned();
    assert!(refused.code == 1 && refused.err.contains("1 orders in quarantine"), "{refused:?}");
    let gone = run(&["apply", &path, "--leave-quarantined"], None);
    assert!(gone.code == 0 && gone.out.contains("secret of dropped-kept is removed"), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ship_from_goes_only_when_nothing_is_to_leave_from_it() {
    let shop = Shop::new("moved-out", plain(2), |_| ()).await;
    shop.robot_does("fetch-orders");
    // All that comes from now on leaves from elsewhere; what is here carries the former.
    let elsewhere = |document: &mut Value| {
        document["ship_froms"][0]["id"] = json!("new-dc");
        document["connections"][0]["ship_from"] = json!("new-dc");
    };
    let text = std::fs::read_to_string(root().join("target/moved-out.yaml")).expect("the document");
    let mut moved: Value = serde_json::from_str(&text).expect("JSON");
    elsewhere(&mut moved);
    let path = shop.file("moved.yaml", &moved.to_string());
    let refused = run(&["apply", path.to_str().expect("a path")], None);
    let said = "ship_froms: dc is not in the document any more, but has open shipments: 2 ready";
    assert!(refused.code == 1 && refused.err.contains(said), "{refused:?}");
    // What has left is in nobody's way.
    shop.ship_all();
    shop.apply(elsewhere);
}
