//! Orders that are cancelled at the shop between their reading and their import.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId, TenantId};
use renkei_domain::work::{Fetched, ImportOrder, VERSION};
use renkei_e2e::{World, aws, run, store};
use renkei_store::called_off::Gone;
use serde_json::{Value, json};

use crate::{edit, order, plain, runs_of, status};

/// What became of an order, as `outcome: reason`.
fn became(world: &World, order: u64) -> String {
    let found = world.list("orders").into_iter().find(|line| line["order_id"] == json!(order)).unwrap_or_default();
    format!("{}: {}", found["outcome"].as_str().unwrap_or_default(), found["reason"].as_str().unwrap_or_default())
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

    // By their state alone, one under a name that the settings do not know: of that one a webhook says it.
    edit(&world, announced, json!({ "state": "withdrawn" })).await;
    edit(&world, seen, json!({ "state": "canceled" })).await;
    let ended = || runs_of(&world, robot).into_iter().filter(|run| run["state"] != "running").collect::<Vec<_>>();
    let hint = |ids: Vec<u64>, topic: &str| {
        json!({ "v": 1, "tenant": name, "connection": name, "order_ids": ids, "topic": topic,
                "received_at": "2026-11-24T00:00:00Z" })
        .to_string()
    };
    aws().send("sync-payments", &hint(vec![announced], "order_canceled"), name).await;
    aws().send("sync-payments", &hint(vec![seen, stays], "order_updated"), name).await;
    let called_off = || ended().iter().filter_map(|run| run["counts"]["called-off"].as_u64()).sum::<u64>();
    world.until("both are seen", async || called_off() == 2).await;

    // The product comes, and with it what was read before they were cancelled.
    apply_with_product(&world, "LATER-1");
    world.until("the one that stays is imported", async || world.list("shipments").len() == 1).await;
    assert_eq!(status(&world, stays), "ready");
    for id in [announced, seen] {
        world
            .until("it is refused", async || became(&world, id).starts_with("refused: the shop shows it as cancelled"))
            .await;
    }
    assert_eq!(world.run("state-working").code, 0);
    for (id, state) in [(announced, "withdrawn"), (seen, "canceled"), (stays, "working")] {
        assert_eq!(world.simulator.order(name, id).await.expect("the order").brief.state, state, "{id}");
    }

    // One that somebody tries again as it was read stays out; one that is put back at the shop comes.
    let again = run(&["retry", "--order", &seen.to_string(), "--connection", name], None);
    assert!(matches!(again.code, 0 | 4), "{again:?}");
    edit(&world, announced, json!({ "state": "complete" })).await;
    assert!(matches!(world.run("fetch-orders").code, 0 | 4));
    assert_eq!(status(&world, announced), "ready");
    assert_eq!(became(&world, announced), "imported: ", "its refusal is forgotten");
    assert!(became(&world, seen).starts_with("refused: "), "{}", became(&world, seen));
    assert_eq!(world.list("shipments").len(), 2);
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
    apply_with_product(&world, "LATER-2");
    world
        .until("it is refused", async || became(&world, gone).starts_with("refused: the shop shows it as cancelled"))
        .await;
    assert_eq!(world.list("shipments").len(), 120);
}

/// An import looks at the notes before it decides, and once it has stored. Here it finds that it had stored the order already,
/// as one that died before its second look does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_before_it_was_noted_is_cancelled_by_the_import_that_stored_it() {
    let world = World::new("called-off-late", plain(1), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let connection = ConnectionId::parse(&world.shop.name).expect("an id");
    let id = world.list("shipments")[0]["order_id"].as_u64().expect("an id");
    let tenant = store().await.tenant(TenantId::parse(&world.shop.name).expect("an id"));
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
    let send = async |fetched_at| {
        let body = serde_json::to_string(&message(fetched_at)).expect("JSON");
        aws().send("import-orders", &body, &world.shop.name).await;
        world.until("it is taken", async || aws().messages("import-orders").await == 0).await;
    };
    // Read since, it is alive.
    send(noted).await;
    assert_eq!(status(&world, id), "ready");
    send(noted - jiff::SignedDuration::from_secs(1)).await;
    world.until("it is cancelled", async || status(&world, id) == "cancelled").await;
    assert_eq!(world.run("state-working").code, 0);
    assert_eq!(
        world.simulator.order(&world.shop.name, id).await.expect("the order").brief.state,
        "complete",
        "not told"
    );
}
