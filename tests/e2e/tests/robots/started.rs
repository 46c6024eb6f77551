//! Integration robots: what starts them, by schedule or after another; what one does that is off or gone; and what they do
//! to shipments that are there.

use std::time::Instant;

use renkei_e2e::{World, aws, run};
use serde_json::json;

use crate::{apply, document, order, plain, shipment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_of_ones_own_starts_by_its_schedule() {
    let world = World::new("by-clock", plain(0), 10_000).await;
    let mut own = document(&world, &json!({}), &["SERUM-30"]);
    own["integration_robots"]["custom"] = json!([
        { "id": "each-minute", "name": "毎分の同期", "on": { "cron": "* * * * *", "connection": world.shop.name },
          "do": "status-sync" }
    ]);
    let applied = apply(&world, &own);
    assert_eq!(applied.code, 0, "{applied:?}");
    let began = Instant::now();
    let runs = || run(&["runs", "--tenant", &world.shop.name, "--json"], None).lines();
    let mine = || runs().into_iter().find(|run| run["robot"] == "each-minute" && run["cause"] == "schedule");
    world.until("the schedule starts its robot", async || mine().is_some_and(|run| run["state"] == "done")).await;
    println!("a robot of each minute ran {:?} after it was applied", began.elapsed());
    // Gone with its robot.
    own["integration_robots"]["custom"] = json!([]);
    let removed = apply(&world, &own);
    assert!(removed.code == 0 && removed.out.contains("is removed with its robot"), "{removed:?}");
}

/// Its schedule fired, or its wake-up was set, before somebody switched it off or took it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_that_is_off_or_gone_does_nothing_by_itself_and_what_a_person_starts_is_done() {
    let world = World::new("taken-out", plain(3), 10_000).await;
    let name = world.shop.name.clone();
    let applied = world.apply_with(10_000, None, |document| {
        document["integration_robots"]["custom"] = json!([
            { "id": "off-fetch", "name": "止めた取込", "enabled": false, "do": "fetch-orders",
              "on": { "every": "24 hours", "connection": name } }
        ]);
    });
    assert_eq!(applied.code, 0, "{applied:?}");
    let calls = async || world.simulator.ledger_summary(&name).await.expect("the ledger").calls;
    let before = calls().await;
    for (robot, cause) in [("off-fetch", "schedule"), ("gone-fetch", "wake-up"), ("gone-fetch", "after")] {
        let start = json!({ "v": 1, "tenant": name, "connection": name, "robot": robot, "action": "fetch-orders",
                            "cause": cause });
        aws().send("fetch-orders", &start.to_string(), &format!("{name}/{name}")).await;
        let ended = || {
            let runs = run(&["runs", "--tenant", &name, "--json"], None).lines();
            runs.into_iter().find(|it| it["robot"] == robot && it["cause"] == cause && it["state"] != "running")
        };
        world.until("its run is over", async || ended().is_some()).await;
        let over = ended().expect("a run");
        assert_eq!((&over["state"], &over["calls"]), (&json!("done"), &json!(0)), "{over}");
        assert!(over["notes"].to_string().contains("it did nothing"), "{over}");
    }
    assert_eq!(calls().await, before);
    assert!(world.list("shipments").is_empty());

    let by_hand = run(&["run", "off-fetch", "--tenant", &name, "--wait", "--json"], None);
    assert_eq!(by_hand.code, 0, "{by_hand:?}");
    assert_eq!(world.list("shipments").len(), 3);
}

/// Applied after a sync: what nothing holds any more may go, if it is paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_shipment_whose_last_hold_a_robot_takes_away_may_go() {
    let world = World::new("last-hold", plain(0), 10_000).await;
    let mut own = document(&world, &json!({}), &["SERUM-30"]);
    // On import the later one has the last word.
    own["processing_robots"]["custom"] = json!([
        { "id": "asked", "name": "備考を確認済み", "do": [{ "clear_hold": "remark" }] },
        { "id": "ask", "name": "備考を確認", "when": { "field": "order.remark", "contains": "至急" },
          "do": [{ "hold": "remark" }] },
        { "id": "standards", "name": "標準の変換だけ", "conversion_robots": ["14448"], "do": [{ "tag": "標準のみ" }] }
    ]);
    let applied_after_sync = |id: &str, robot: &str, to: &str| {
        json!({ "id": id, "name": id, "on": { "after": "status-sync", "connection": world.shop.name },
                "do": { "apply_processing_robot": robot, "to_status": to } })
    };
    own["integration_robots"]["custom"] = json!([
        applied_after_sync("last-hold-asked", "asked", "remark"),
        applied_after_sync("last-hold-standards", "standards", "awaiting-payment")
    ]);
    let applied = apply(&world, &own);
    assert_eq!(applied.code, 0, "{applied:?}");
    let paid = order(&world, json!({ "remark": "至急" })).await;
    let unpaid = order(&world, json!({ "remark": "至急", "payment_state": "pending" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(shipment(&world, paid)["hold_reasons"], json!(["remark"]));
    assert_eq!(shipment(&world, unpaid)["hold_reasons"], json!(["remark", "awaiting-payment"]));

    let synced = world.run("status-sync");
    assert_eq!((synced.code, synced.lines().len()), (0, 3), "{synced:?}");
    let gone = shipment(&world, paid);
    assert_eq!(gone["status"], "ready", "{gone}");
    assert!(gone["events"].to_string().contains("hold remark cleared; ready"), "{gone}");
    let waits = shipment(&world, unpaid);
    assert_eq!((&waits["status"], &waits["hold_reasons"]), (&json!("hold"), &json!(["awaiting-payment"])), "{waits}");
    assert!(!waits.to_string().contains("標準のみ"), "its shop's orders go through another conversion robot: {waits}");
}
