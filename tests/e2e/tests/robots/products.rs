//! Products that appear, by the document, by a table and from the shop: orders that waited for them go on, each as the shop
//! has it by then.

use jiff::ToSpan;
use renkei_domain::ids::{ConnectionId, OrderId, TenantId};
use renkei_e2e::{World, aws, run, store};
use renkei_simulator::api::Product;
use serde_json::{Value, json};

use crate::{apply, awaited, document, order, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_appear_let_their_orders_go() {
    let world = World::new("appears", plain(0), 10_000).await;
    let name = world.shop.name.clone();
    for sku in ["DOC-1", "CSV-1", "NEVER-1"] {
        order(&world, json!({ "order_items": [{ "variant_sku": sku, "quantity": 1 }] })).await;
    }
    assert_eq!(world.run("fetch-orders").code, 4);
    assert!(world.list("shipments").is_empty());

    let applied = apply(&world, &document(&world, &json!({}), &["SERUM-30", "DOC-1"]));
    assert!(applied.code == 0 && applied.out.contains("1 orders that waited for products"), "{applied:?}");
    let shipments = awaited(&world, "shipments", 1);
    assert_eq!(shipments[0]["items"][0]["sku"], "DOC-1");

    // As Excel in Japan writes it.
    let csv = b"\x8f\xa4\x95i\x83R\x81[\x83h,\x8f\xa4\x95i\x96\xbc,\x89\xb7\x93x\x91\xd1\x0d\x0aCSV-1,\x95X\x89\xd9\x81i\x96\x95\x92\x83\x81j,\x97\xe2\x93\x80\x0d\x0a";
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("products.csv");
    std::fs::write(&path, csv).expect("a file");
    let path = path.to_str().expect("a path");
    let dry = run(&["products", "import", path, "--tenant", &name, "--dry-run"], None);
    assert!(dry.code == 0 && dry.out.contains("1 new"), "{dry:?}");
    let imported = run(&["products", "import", path, "--tenant", &name], None);
    assert!(imported.code == 0 && imported.out.contains("1 orders that waited"), "{imported:?}");
    awaited(&world, "shipments", 2);
    let listed = run(&["products", "list", "--tenant", &name, "--json"], None).lines();
    let ice = listed.iter().find(|product| product["sku"] == "CSV-1").expect("the product");
    assert_eq!((&ice["name"], &ice["temperature"]), (&json!("氷菓（抹茶）"), &json!("frozen")));

    std::fs::write(path, "sku,name,stock_buffer\nA,,many\n,x,1\n").expect("a file");
    let wrong = run(&["products", "import", path, "--tenant", &name], None);
    assert!(wrong.code == 1 && wrong.err.contains("line 2: ") && wrong.err.contains("line 3: "), "{wrong:?}");

    // The one that still waits stays, once.
    let waiting = world.list("orders").into_iter().filter(|order| order["outcome"] == "quarantined").count();
    assert_eq!(waiting, 1);

    // What was read long ago is not imported as it was then: the shop has cancelled it since.
    let ours = store().await.tenant(TenantId::parse(&name).expect("an id"));
    let connection = ConnectionId::parse(&name).expect("an id");
    let mut old = ours.not_imported(&connection).await.expect("those that wait");
    for waiting in &mut old {
        waiting.summary.at -= 20.minutes();
    }
    ours.keep_not_imported(&connection, &old).await.expect("kept");
    let cancelled = json!({ "state": "canceled" });
    let never = old[0].summary.order_id.expect("an id");
    let attributes = cancelled.as_object().expect("attributes");
    world.simulator.change_order(&name, never, attributes).await.expect("cancelled");
    std::fs::write(path, "sku,name\nNEVER-1,遅れて登録\n").expect("a file");
    let imported = run(&["products", "import", path, "--tenant", &name], None);
    assert!(imported.code == 0 && imported.out.contains("1 more were read long ago"), "{imported:?}");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.list("shipments").len(), 2, "the shop does not want it any more");
    // Nor where a person wants it, or where its message comes out of the dead letters.
    let tried = run(&["retry", "--all", "--connection", &name], None);
    assert!(tried.code == 0 && tried.out.contains("0 orders are tried again"), "{tried:?}");
    assert!(tried.out.contains("1 others were read more than 15 minutes ago"), "{tried:?}");
    let mut message = old[0].message.clone();
    message.fetched_at -= 2.hours();
    let body = serde_json::to_string(&message).expect("a message");
    aws().send("import-orders", &body, &format!("{name}/{name}")).await;
    let is_said = async || {
        let kept = ours.not_imported_order(&connection, OrderId(never)).await.expect("the order");
        kept.is_some_and(|kept| kept.summary.reason.contains("too long ago"))
    };
    world.until("its reading is too old", is_said).await;
    assert_eq!(world.list("shipments").len(), 2);
    // Where it is still to be fetched, the next fetch has it as it is by then.
    let wanted = json!({ "state": "complete" });
    let attributes = wanted.as_object().expect("attributes");
    world.simulator.change_order(&name, never, attributes).await.expect("changed");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.list("shipments").len(), 3);
    assert!(ours.not_imported(&connection).await.expect("those that wait").is_empty());

    let dead: Vec<Value> = run(&["dead-letters", "list", "--json"], None).lines();
    assert!(dead.iter().all(|letter| letter["connection"] != name.as_str()), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shops_products_come_at_a_known_number_of_calls() {
    let mut spec = plain(0);
    spec.products.push(Product::new("SHOP-1", "新商品", 1500, false));
    let world = World::new("shop-products", spec, 10_000).await;
    world.simulator.clear_ledger(&world.shop.name).await.expect("the ledger");
    let dropped = document(&world, &json!({}), &["SERUM-30"]);
    assert_eq!(apply(&world, &dropped).code, 0);
    let imported = run(&["products", "import", "--from-shop", &world.shop.name], None);
    assert!(imported.code == 0 && imported.out.contains("5 products read: 1 new"), "{imported:?}");
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    // The list, and a sign-in.
    assert_eq!(ledger.calls, 2, "{ledger:?}");
    assert!(imported.out.contains("2 calls spent"), "{imported:?}");
}
