//! What was lost is brought back from a table that was restored beside the stack's own.

use std::path::PathBuf;

use renkei_e2e::{World, aws, run};
use serde_json::json;

use crate::{ONE_AT_A_TIME, kept, plain};

/// The runbook's restore, step by step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_comes_back_from_a_restored_table() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("restored", plain(6), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let table = aws().table("-Shipments-").await;
    let before = kept("S#restored").await;
    assert!(before.len() >= 12, "{before:?}");
    let beside = format!("{table}-restored");
    let restore = json!({ "SourceTableName": table, "TargetTableName": beside, "UseLatestRestorableTime": true });
    aws().call("dynamodb", "DynamoDB_20120810.RestoreTableToPointInTime", restore).await;
    let lost = aws().everything().await;
    let lost = lost
        .iter()
        .filter(|(of, item)| *of == table && item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("S#restored")));
    for (_, item) in lost.take(7) {
        let key = json!({ "pk": item["pk"], "sk": item["sk"] });
        let gone = json!({ "TableName": table, "Key": key });
        aws().call("dynamodb", "DynamoDB_20120810.DeleteItem", gone).await;
    }
    let ours =
        |all: Vec<String>| all.into_iter().filter(|text| text.starts_with(&format!("{table} "))).collect::<Vec<_>>();
    let before = ours(before);
    assert_eq!(ours(kept("S#restored").await).len(), before.len() - 7);
    let put_back = restore_tool(&["--from", &beside, "--to", &table, "--tenant", "restored"]);
    assert!(put_back.contains("7 missing items put back, 0 that differ left"), "{put_back}");
    assert_eq!(ours(kept("S#restored").await), before);
    aws().call("dynamodb", "DynamoDB_20120810.DeleteTable", json!({ "TableName": beside })).await;
}

/// A shop leaves the document, and what it was called by is revoked with it: a restore does not open it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_revoked_stays_revoked_after_a_restore() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("revoked", plain(0), 1_000).await;
    let made = run(&["webhook", "create", "revoked", "--json"], None).lines().remove(0);
    let url = made["url"].as_str().expect("an address").to_owned();
    let http = renkei_http::builder().no_proxy().build().expect("a client");
    let asked = async || http.post(&url).body("{}").send().await.expect("an answer").status().as_u16();
    assert_eq!(asked().await, 202);
    let table = aws().table("-Robots-").await;
    let beside = format!("{table}-restored");
    let restore = json!({ "SourceTableName": table, "TargetTableName": beside, "UseLatestRestorableTime": true });
    aws().call("dynamodb", "DynamoDB_20120810.RestoreTableToPointInTime", restore).await;

    let left = world.apply_with(1_000, None, |document| {
        document["connections"] = json!([]);
        document["integration_robots"] = json!({});
    });
    assert!(left.code == 0 && left.out.contains("webhook of revoked is revoked with its connection"), "{left:?}");
    assert_eq!(asked().await, 404);
    let put_back = restore_tool(&["--from", &beside, "--to", &table, "--tenant", "revoked"]);
    assert!(put_back.starts_with("0 missing items put back") && put_back.contains("1 missing keys"), "{put_back}");
    assert_eq!(asked().await, 404);
    let others = restore_tool(&["--from", &beside, "--to", &table, "--without", "revoked", "--access", "--dry-run"]);
    assert!(others.starts_with("0 missing items would be put back"), "{others}");
    let again = run(&["webhook", "revoke", "revoked"], None);
    assert!(again.code == 0 && again.out.contains("nothing was valid"), "found although its shop is gone: {again:?}");
    aws().call("dynamodb", "DynamoDB_20120810.DeleteTable", json!({ "TableName": beside })).await;
}

fn restore_tool(arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let port = std::env::var("RENKEI_TEST_PORT").unwrap_or_else(|_| "4596".to_owned());
    let ended = std::process::Command::new("python3")
        .arg(root.join("infra/tools/restore.py"))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_REGION", "ap-northeast-1")
        .env("AWS_ACCESS_KEY_ID", "000000000000")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .output()
        .expect("Python");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}
