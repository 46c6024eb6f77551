//! `renkei doctor` names what is broken, and nothing else.

use renkei_e2e::{Ended, World, aws, run};
use serde_json::{Value, json};

use crate::{ONE_AT_A_TIME, plain};

fn doctor() -> (Ended, Vec<Value>) {
    let ended = run(&["doctor", "--json"], None);
    let findings = ended.lines();
    (ended, findings)
}

fn found(findings: &[Value], check: &str, words: &[&str]) -> bool {
    findings.iter().any(|f| f["check"] == check && words.iter().all(|word| f.to_string().contains(word)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_what_was_broken_and_nothing_once_it_is_mended() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("ailing", plain(3), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let (healthy, _) = doctor();
    assert_eq!((healthy.code, healthy.out.as_str()), (0, ""), "{healthy:?}");

    let schedules = aws().rest("scheduler", reqwest::Method::GET, "/schedules?ScheduleGroup=renkei", None).await;
    let mut deleted = 0;
    for schedule in schedules["Schedules"].as_array().expect("schedules") {
        let path = format!("/schedules/{}?groupName=renkei", schedule["Name"].as_str().expect("a name"));
        let whole = aws().rest("scheduler", reqwest::Method::GET, &path, None).await;
        // Other tests have merchants of their own.
        if deleted == 0 && whole.to_string().contains("ailing/fetch-orders") {
            aws().rest("scheduler", reqwest::Method::DELETE, &path, None).await;
            deleted += 1;
        }
    }
    assert_eq!(deleted, 1, "{schedules}");
    aws().send("fetch-orders-dead-letters", "{}", "ailing").await;
    let secret = json!({ "SecretId": "renkei/renkei/ailing/ailing", "ForceDeleteWithoutRecovery": true });
    aws().call("secretsmanager", "secretsmanager.DeleteSecret", secret).await;
    aws().set_taking("push-statuses", false).await;

    let (ill, findings) = doctor();
    println!("doctor: {} findings\n{}", findings.len(), ill.out);
    assert_eq!(ill.code, 1, "{ill:?}");
    assert!(found(&findings, "schedules", &["ailing", "has no schedule", "renkei apply"]), "{ill:?}");
    assert!(found(&findings, "queues", &["fetch-orders-dead-letters", "1 messages", "dead-letters list"]), "{ill:?}");
    assert!(found(&findings, "secrets", &["ailing/ailing", "apply"]), "{ill:?}");
    assert!(found(&findings, "functions", &["push-statuses", "switched off"]), "{ill:?}");

    // As the findings advise.
    let applied = world.apply(10_000, None);
    assert_eq!(applied.code, 0, "{applied:?}");
    aws().set_taking("push-statuses", true).await;
    let queue = json!({ "QueueUrl": aws().queue("fetch-orders-dead-letters") });
    aws().call("sqs", "AmazonSQS.PurgeQueue", queue).await;
    let (mended, _) = doctor();
    assert_eq!((mended.code, mended.out.as_str()), (0, ""), "{mended:?}");
}
