//! Orders that are cancelled at the shop between their reading and their import.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId, TenantId};
use renkei_domain::work::{Fetched, ImportOrder, VERSION};
use renkei_e2e::{World, aws, store};
use renkei_store::called_off::Gone;
use serde_json::{Value, json};

use crate::{edit, order, plain, runs_of, status};

/// What became of an order; nothing if nothing is known of it.
fn became(world: &World, order: u64) -> String {
    let found = world.list("orders").into_iter().find(|line| line["order_id"] == json!(order)).unwrap_or_default();
    found["outcome"].as_str().unwrap_or_default().to_owned()
}

fn ids(world: &World) -> (TenantId, ConnectionId) {
    let name = &world.shop.name;
    (TenantId::parse(name).expect("an id"), ConnectionId::parse(name).expect("an id"))
}

/// Puts a message onto the queue of orders to import, and waits until it is worked on.
async fn import(world: &World, message: &ImportOrder) {
    aws().send("import-orders", &serde_json::to_string(message).expect("JSON"), &world.shop.name).await;
    world.until("it is worked on", async || aws().messages("import-orders").await == 0).await;
}

fn apply_with_product(world: &World, sku: &str) {
    let with = |document: &mut Value| {
        document["products"].as_array_mut().expect("products").push(json!({ "sku": sku, "name": "新商品" }));
    };
    let applied = world.apply_with(10_000, None, with);
    assert_eq!(applied.code, 0, "{applied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_cancelled_after_it_was_read_is_not_imported_as_it_was_read() {
    let world = World::new("called-off", plain(0), 10_000).await;
    let (robot, name) = ("called-off/hints", "called-off");
    let of = |sku: &str| json!({ "payment_state": "authed", "order_items": [{ "variant_sku": sku, "quantity": 1 }] });
    let announced = order(&world, of("LATER-1")).await;
    let seen = order(&world, of("LATER-1")).await;
    let stays = order(&world, of("LATER-1")).await;
    assert_eq!(world.run("fetch-orders").code, 4, "they wait for a product");

    // As they were read: such messages may lie in the queue.
    let (tenant, connection) = ids(&world);
    let tenant = store().await.tenant(tenant);
    let mut as_read = Vec::new();
    for id in [announced, seen] {
        let kept = tenant.not_imported_order(&connection, OrderId(id)).await.expect("an answer").expect("it waits");
        as_read.push(kept.message);
    }

    // By their state alone, one under a name that the settings do not know: of that one a webhook says it.
    edit(&world, announced, json!({ "state": "withdrawn" })).await;
    edit(&world, seen, json!({ "state": "canceled" })).await;
    let ended = || runs_of(&world, robot).into_iter().filter(|run| run["state"] != "running").collect::<Vec<_>>();
    let hint = |ids: Vec<u64>, topic: &str| {
        json!({ "v": 1, "tenant": name, "connection": name, "order_ids": ids, "topic": topic,
                "received_at": "2026-11-24T00:00:00Z" })
        .to_string()
    };
    aws().send("sync-payments", &hint(vec![seen, stays], "order_updated"), name).await;
    // Last: a look at it waits for no distance from the one before.
    aws().send("sync-payments", &hint(vec![announced], "order_canceled"), name).await;
    let called_off = || ended().iter().filter_map(|run| run["counts"]["called-off"].as_u64()).sum::<u64>();
    world.until("both are seen", async || called_off() == 2).await;

    // The product comes, and then what was read before they were cancelled.
    assert_eq!([announced, seen, stays].map(|id| became(&world, id)), ["", "", "quarantined"], "nobody waits for them");
    apply_with_product(&world, "LATER-1");
    world.until("the one that stays is imported", async || world.list("shipments").len() == 1).await;
    assert_eq!(status(&world, stays), "ready");
    for message in &as_read {
        import(&world, message).await;
    }
    assert_eq!([announced, seen, stays].map(|id| became(&world, id)), ["", "", "imported"]);
    assert_eq!(world.run("state-working").code, 0);
    for (id, state) in [(announced, "withdrawn"), (seen, "canceled"), (stays, "working")] {
        assert_eq!(world.simulator.order(name, id).await.expect("the order").brief.state, state, "{id}");
    }

    // One that is put back at the shop comes.
    edit(&world, announced, json!({ "state": "complete" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!((status(&world, announced), became(&world, seen)), ("ready".to_owned(), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_reads_what_changed_sees_it_too() {
    let world = World::new("called-off-seen", plain(120), 10_000).await;
    let waits = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "LATER-2", "quantity": 1 }] });
    let gone = order(&world, waits).await;
    assert_eq!(world.run("fetch-orders").code, 4, "one waits for a product");
    assert_eq!(world.run("status-sync").code, 0);
    edit(&world, gone, json!({ "state": "canceled" })).await;
    let synced = world.run("status-sync");
    assert_eq!((synced.code, &synced.lines()[0]["counts"]["called-off"]), (0, &json!(1)), "{synced:?}");
    assert_eq!((became(&world, gone), world.list("shipments").len()), (String::new(), 120), "nobody waits for it");
}

/// An import looks at the notes before it decides, and once it has stored. Here it finds that it had stored the order already,
/// as one that died before its second look does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_before_it_was_noted_is_cancelled_by_the_import_that_stored_it() {
    let world = World::new("called-off-late", plain(1), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let (tenant, connection) = ids(&world);
    let tenant = store().await.tenant(tenant);
    let id = world.list("shipments")[0]["order_id"].as_u64().expect("an id");
    let lead = tenant.shipments(&[ShipmentId::lead(connection.clone(), OrderId(id))]).await.expect("it").remove(0);
    let detail = tenant.details(std::slice::from_ref(&lead)).await.expect("its detail").remove(0);
    let message = |fetched_at: Timestamp| ImportOrder {
        v: VERSION,
        tenant: tenant.id().clone(),
        connection: connection.clone(),
        run: lead.run.clone(),
        place: lead.place,
        conversion_robot: None,
        fetched_at,
        order: Fetched::Order(Box::new(detail.source.clone())),
    };
    let noted = Timestamp::now();
    let gone = [Gone { order: OrderId(id), changed_at: None }];
    assert_eq!(tenant.call_off(&connection, &gone, noted).await.expect("a note"), [OrderId(id)]);
    // Read since, it is alive.
    import(&world, &message(noted)).await;
    assert_eq!(status(&world, id), "ready");
    import(&world, &message(noted - jiff::SignedDuration::from_secs(1))).await;
    world.until("it is cancelled", async || status(&world, id) == "cancelled").await;
    assert_eq!(world.run("state-working").code, 0);
    assert_eq!(
        world.simulator.order(&world.shop.name, id).await.expect("the order").brief.state,
        "complete",
        "not told"
    );
}
