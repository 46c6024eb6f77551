//! A merchant leaves, with all that is stored of it.

use std::path::PathBuf;

use renkei_e2e::{World, aws, run};
use serde_json::{Value, json};

use crate::{ONE_AT_A_TIME, kept, plain};

/// A message that would start a robot of the merchant who leaves.
fn start_of_leaving() -> String {
    json!({ "v": 1, "tenant": "leaving", "connection": "leaving", "robot": "leaving/fetch-orders",
            "action": "fetch-orders", "cause": "schedule" })
    .to_string()
}

/// Something is counted in a ship-from, which is taken out of the document afterwards.
fn counted_where_nothing_leaves_from_any_more(world: &World) {
    world.add_ship_from("old-dc", "old-dc");
    let file = renkei_e2e::root().join("target/leaving-counts.csv");
    std::fs::write(&file, "sku,quantity\nSERUM-30,3\n").expect("a file");
    let file = file.to_str().expect("a path");
    let counted = run(&["files", "counts", "--tenant", "leaving", "--ship-from", "old-dc", file], None);
    assert_eq!(counted.code, 0, "{counted:?}");
    let applied = world.apply(10_000, None);
    assert_eq!(applied.code, 0, "{applied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_leaves_with_its_data_and_leaves_nothing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let leaving = World::new("leaving", plain(12), 10_000).await;
    let staying = World::new("staying", plain(5), 10_000).await;
    for world in [&leaving, &staying] {
        assert_eq!(world.run("fetch-orders").code, 0);
        let name = world.shop.name.as_str();
        for arguments in [
            ["warehouse-key", "create", "dc", "--tenant", name].as_slice(),
            &["webhook", "create", name, "--tenant", name],
            &["member", "add", "owner@both.example", "--tenant", name, "--role", "owner"],
        ] {
            let made = run(arguments, None);
            assert_eq!(made.code, 0, "{made:?}");
        }
    }
    counted_where_nothing_leaves_from_any_more(&leaving);
    let theirs = kept("staying").await;
    assert!(kept("leaving").await.len() > 30 && theirs.len() > 15);

    let to = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/exported");
    drop(std::fs::remove_dir_all(&to));
    let exported = run(&["tenant", "export", "leaving", "--to", to.to_str().expect("a path")], None);
    assert_eq!(exported.code, 0, "{exported:?}");
    let file = |name: &str| std::fs::read_to_string(to.join(name)).expect("an exported file");
    assert_eq!(file("shipments.jsonl").lines().count(), 12, "{exported:?}");
    let first: Value = serde_json::from_str(file("shipments.jsonl").lines().next().expect("a line")).expect("JSON");
    assert!(first["detail"].to_string().contains("postal_code"), "{first}");
    assert!(file("runs.jsonl").contains("fetch-orders") && file("document.yaml").contains("leaving"));
    assert!(file("members.jsonl").contains("owner@both.example"));
    assert!(file("counts.jsonl").contains("\"old-dc\""), "of a ship-from that was taken out: {exported:?}");
    let again = run(&["tenant", "export", "leaving", "--to", to.to_str().expect("a path")], None);
    assert!(again.code == 1 && again.err.contains("not empty"), "{again:?}");

    let unsure = run(&["tenant", "erase", "leaving", "--confirm", "staying"], None);
    assert!(unsure.code == 1 && unsure.err.contains("nothing was erased"), "{unsure:?}");
    aws().send("fetch-orders-dead-letters", &start_of_leaving(), "leaving").await;
    let erased = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert_eq!(erased.code, 0, "{erased:?}");
    println!("{}", erased.out);
    assert!(erased.out.contains("dead letters: 1") && erased.out.contains("secrets: 1"), "{erased:?}");

    assert_eq!(kept("leaving").await, Vec::<String>::new());
    assert_eq!(kept("staying").await, theirs, "the other merchant's data is as it was");
    let secrets =
        aws().call("secretsmanager", "secretsmanager.ListSecrets", json!({ "IncludePlannedDeletion": true })).await;
    assert!(!secrets.to_string().contains("leaving") && secrets.to_string().contains("staying"), "{secrets}");
    let schedules = aws().rest("scheduler", reqwest::Method::GET, "/schedules?ScheduleGroup=renkei", None).await;
    for schedule in schedules["Schedules"].as_array().expect("schedules") {
        let path = format!("/schedules/{}?groupName=renkei", schedule["Name"].as_str().expect("a name"));
        let schedule = aws().rest("scheduler", reqwest::Method::GET, &path, None).await;
        assert!(!schedule.to_string().contains("leaving"), "{schedule}");
    }
    // As an attempt leaves it that was stopped between the tables and the dead letters: the repeat goes on there.
    aws().send("fetch-orders-dead-letters", &start_of_leaving(), "leaving").await;
    let resumed = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert!(resumed.code == 0 && resumed.out.contains("dead letters: 1"), "{resumed:?}");
    assert_eq!(aws().messages("fetch-orders-dead-letters").await, 0);
    let repeated = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert!(repeated.code == 1 && repeated.err.contains("there is no tenant"), "{repeated:?}");
    assert_eq!(staying.run("fetch-orders").code, 0, "the other merchant goes on");

    // On-boarding is one document, and begins with nothing.
    let back = leaving.apply(10_000, None);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(leaving.run("fetch-orders").code, 0);
    assert_eq!(leaving.list("shipments").len(), 12);
}
