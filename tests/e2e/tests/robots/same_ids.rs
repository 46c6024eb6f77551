//! Ids that are not an order's alone: shops count their orders by themselves, so two of them, or one and its trial, have the
//! same ones.

use renkei_e2e::{World, run};
use serde_json::{Value, json};

use crate::{order, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_is_tried_again_only_where_it_is_certain_which() {
    // Shops count their orders by themselves.
    let waiting = json!({ "id": 99_001, "order_items": [{ "variant_sku": "NEVER-3", "quantity": 1 }] });
    let one = World::new("same-id", plain(0), 10_000).await;
    let other = World::new("same-id-too", plain(0), 10_000).await;
    for world in [&one, &other] {
        order(world, waiting.clone()).await;
        assert_eq!(world.run("fetch-orders").code, 4, "it waits for its product");
    }
    let unsure = run(&["retry", "--order", "99001"], None);
    assert!(unsure.code == 1 && unsure.err.contains("--tenant") && unsure.err.contains("--connection"), "{unsure:?}");
    let sure = run(&["retry", "--order", "99001", "--tenant", "same-id"], None);
    assert!(sure.code == 0 && sure.out.contains("1 orders"), "{sure:?}");
}

/// Shops count their orders by themselves: after a trial shop, the real one has orders of ids that are known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_a_known_id_and_another_number_is_not_taken_for_that_one() {
    let world = World::new("another-shop", plain(0), 10_000).await;
    let name = world.shop.name.clone();
    let id = order(&world, json!({ "id": 300 })).await;
    assert_eq!((world.run("fetch-orders").code, world.run("state-working").code), (0, 0));
    let other = json!({ "number": "REAL-300", "state": "complete" });
    let other = world.simulator.change_order(&name, id, other.as_object().expect("attributes")).await;
    assert_eq!(other.expect("changed").brief.number, "REAL-300");
    assert_eq!(world.run("fetch-orders").code, 4, "it waits for a person");
    let waiting: Vec<Value> = world.list("orders").into_iter().filter(|it| it["outcome"] == "quarantined").collect();
    assert_eq!((waiting.len(), &waiting[0]["order_number"]), (1, &json!("REAL-300")), "{waiting:?}");
    assert!(waiting[0]["reason"].as_str().is_some_and(|why| why.contains("with another number")), "{waiting:?}");
    // Told as the one that is known, it would be gone from the shop's list, and nobody would ship it.
    assert_eq!(world.run("state-working").code, 0);
    let states = world.simulator.orders(&name, Some("complete")).await.expect("orders");
    assert_eq!(states.len(), 1);
}
