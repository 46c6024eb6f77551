//! Shops that move states by themselves, by the automation option: they are told numbers, and no state.

use renkei_e2e::run;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::ShopSpec;
use serde_json::json;

use crate::plain;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_automation_option_no_state_is_told() {
    let spec = ShopSpec { automation_option: true, automation_delay_ms: 200, ..plain(25) };
    let shop =
        Shop::new("wb-auto", spec, |document| document["connections"][0]["automation_option"] = json!(true)).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    shop.robot_does("write-back");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"));
    assert!(shop.orders().await.iter().all(|order| order.written_shipped == 0), "the shop does that itself");
}

/// Somebody has started it, and the document has said since then that the shop moves states by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_automation_option_a_robot_that_tells_states_tells_numbers_alone() {
    let spec = ShopSpec { automation_option: true, automation_delay_ms: 200, ..plain(5) };
    let shop =
        Shop::new("wb-auto-late", spec, |document| document["connections"][0]["automation_option"] = json!(true)).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let (name, robot) = (shop.name, format!("{}/state-shipped", shop.name));
    let start = json!({ "v": 1, "tenant": name, "connection": name, "robot": robot, "action": "state-shipped",
                        "cause": "hand" });
    renkei_e2e::aws().send("push-statuses", &start.to_string(), &format!("{name}/{name}")).await;
    let mut over = None;
    for _ in 0..300 {
        let runs = run(&["runs", "--tenant", name, "--json"], None).lines();
        over = runs.into_iter().find(|it| it["robot"] == robot && it["state"] != "running");
        if over.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let over = over.expect("the run comes to its end");
    assert_eq!(over["state"], "done", "{over}");
    assert_eq!((&over["counts"]["written-back"], &over["counts"]["told"]), (&json!(5), &json!(0)), "{over}");
    shop.assert_numbers_are_where_they_belong().await;
    assert!(shop.shipments().iter().all(|s| s["shop_sync"] == "completed"));
    assert!(shop.orders().await.iter().all(|order| order.written_shipped == 0), "the shop does that itself");
}
