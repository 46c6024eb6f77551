//! What was lost is brought back from a table that was restored beside the stack's own.

use std::path::PathBuf;

use renkei_e2e::{World, aws};
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

fn restore_tool(arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let port = std::env::var("RENKEI_TEST_PORT").unwrap_or_else(|_| "4596".to_owned());
    let ended = std::process::Command::new("python3")
        .arg(root.join("infra/tools/restore.py"))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_DEFAULT_REGION", "ap-northeast-1")
        .env("AWS_ACCESS_KEY_ID", "000000000000")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .output()
        .expect("Python");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}
