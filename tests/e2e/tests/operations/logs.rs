//! Logs, runs and dead letters hold no secret, and nothing of customers.

use renkei_e2e::{World, aws, run};
use serde_json::Value;

use crate::{ONE_AT_A_TIME, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_customers_and_no_secret_is_in_logs_runs_or_dead_letters() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let secret = "canary-password-7f3a";
    let world = World::new("silentium", plain(8), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    assert_eq!(world.run("status-sync").code, 0);
    let shipments = world.list("shipments");
    assert_eq!(shipments.len(), 8);
    // A wrong password is told in a sentence, without it.
    assert_eq!(world.apply(10_000, Some(secret)).code, 0);
    let failed = world.run("fetch-orders");
    let mut canaries = vec![secret.to_owned(), "only-for-tests".to_owned()];
    for shipment in &shipments {
        let id = shipment["id"].as_str().or_else(|| shipment["shipment"].as_str()).expect("an id");
        let whole = run(&["shipment", id, "--json", "--tenant", "silentium"], None).lines().remove(0);
        personal(&whole["ship_to"], &mut canaries);
    }
    canaries.sort();
    canaries.dedup();
    assert!(canaries.len() > 12, "{canaries:?}");
    let mut places: Vec<(String, String)> = vec![("the command line".to_owned(), format!("{failed:?}"))];
    places.extend(aws().log_lines().await.into_iter().map(|line| ("a log".to_owned(), line)));
    let stored = aws().everything().await;
    // Shipments hold customers' data, which is what they are for; no other table does.
    places.extend(
        stored.into_iter().filter(|(table, _)| !table.contains("-Shipments-")).map(|(t, i)| (t, i.to_string())),
    );
    let lines = places.len();
    for (place, text) in places {
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{canary:?} is in {place}: {text}");
        }
    }
    println!("{} canaries in none of {lines} lines and items", canaries.len());
}

/// Names, addresses and numbers, as far as they are long enough to be nobody else's.
fn personal(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().count() >= 5 => into.push(text.clone()),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| *name != "prefecture").for_each(|(_, v)| personal(v, into));
        }
        Value::Array(values) => values.iter().for_each(|value| personal(value, into)),
        _ => {}
    }
}
