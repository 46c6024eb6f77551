use std::time::Duration;

use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_platform::queue::{Group, Outgoing, Queue, QueueError, group};
use serde_json::{Value, json};

use super::{Answer, Aws, error};

const BATCH: &str = "SendMessageBatch";

fn outgoing(bodies: usize) -> Vec<Outgoing> {
    (0..bodies).map(|n| Outgoing { group: main(), body: format!("body {n}"), delay: Duration::ZERO }).collect()
}

fn main() -> Group {
    group(&TenantId::parse("hanako").unwrap(), &ConnectionId::parse("main").unwrap())
}

/// The answer to a batch: these are taken, these refused, by their ids.
fn answer(taken: &[&str], refused: &[&str], sender_fault: bool) -> Answer {
    let taken: Vec<_> = taken.iter().map(|id| json!({ "Id": id, "MessageId": id, "MD5OfMessageBody": "" })).collect();
    let refused: Vec<_> = refused
        .iter()
        .map(|id| json!({ "Id": id, "Code": "InvalidMessageContents", "SenderFault": sender_fault }))
        .collect();
    (BATCH, 200, json!({ "Successful": taken, "Failed": refused }))
}

const TEN: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn queue(aws: &Aws) -> Queue {
    Queue::new(&aws.config(), "http://queue.example/000000000000/q")
}

fn bodies(request: &Value) -> Vec<&str> {
    request["Entries"].as_array().unwrap().iter().map(|entry| entry["MessageBody"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn only_what_was_not_taken_is_sent_again() {
    // One is refused for the moment, one is not answered for at all.
    let aws =
        Aws::answering([answer(&TEN[..8], &["8"], false), answer(&["8", "9"], &[], false), answer(&["0"], &[], false)])
            .await;
    queue(&aws).send_batch(&outgoing(11)).await.unwrap();
    let asked = aws.asked().await;
    assert_eq!(asked.len(), 3);
    assert_eq!(bodies(&asked[0].1).len(), 10);
    assert_eq!(bodies(&asked[1].1), ["body 8", "body 9"]);
    assert_eq!(bodies(&asked[2].1), ["body 10"]);
    assert_eq!(asked[0].1["Entries"][0]["MessageGroupId"], "hanako/main");
    assert_eq!(asked[0].1["QueueUrl"], "http://queue.example/000000000000/q");
    assert_eq!(asked[0].1["Entries"][0]["DelaySeconds"], Value::Null);
}

#[tokio::test]
async fn what_sqs_does_not_take_is_replaced() {
    let aws = Aws::answering([answer(&["0"], &[], false)]).await;
    queue(&aws).send("{\"花\u{fffe}\":\"子\u{ffff}\u{fffd}\"}", main(), Duration::ZERO).await.unwrap();
    assert_eq!(bodies(&aws.asked().await[0].1), ["{\"花\u{fffd}\":\"子\u{fffd}\u{fffd}\"}"]);
}

#[tokio::test]
async fn what_stays_refused_is_counted() {
    let busy = answer(&[], &["9"], false);
    let aws = Aws::answering([answer(&TEN[..9], &["9"], false), busy.clone(), busy.clone(), busy.clone(), busy]).await;
    let error = queue(&aws).send_batch(&outgoing(15)).await.unwrap_err();
    assert!(matches!(error, QueueError::Busy { not_sent: 6, of: 15 }), "{error}");
    assert!(error.is_passing());
}

#[tokio::test]
async fn what_is_our_fault_is_not_sent_again() {
    let aws = Aws::answering([answer(&["0"], &["1"], true)]).await;
    let error = queue(&aws).send_batch(&outgoing(2)).await.unwrap_err();
    assert!(
        matches!(&error, QueueError::Refused { not_sent: 1, of: 2, code } if code == "InvalidMessageContents"),
        "{error}"
    );
    assert!(!error.is_passing());
    assert_eq!(aws.operations().await, [BATCH]);
}

#[tokio::test]
async fn a_call_that_fails_says_how_many_were_not_sent() {
    let aws = Aws::answering([answer(&TEN, &[], false), (BATCH, 400, error("AccessDeniedException"))]).await;
    let error = queue(&aws).send_batch(&outgoing(12)).await.unwrap_err();
    assert!(matches!(&error, QueueError::NotSent { not_sent: 2, of: 12, .. }), "{error}");
    assert!(!error.is_passing() && error.to_string().contains("AccessDeniedException"), "{error}");
}

#[tokio::test]
async fn too_large_a_message_stops_all_of_them() {
    let aws = Aws::answering([]).await;
    let mut messages = outgoing(1);
    messages.push(Outgoing { group: main(), body: "x".repeat(256 * 1024 + 1), delay: Duration::ZERO });
    let error = queue(&aws).send_batch(&messages).await.unwrap_err();
    assert!(matches!(error, QueueError::TooLarge { bytes: 262_145, of: 2, .. }), "{error}");
    assert!(aws.operations().await.is_empty());
}

#[tokio::test]
async fn a_delay_is_kept_to_what_a_queue_can_do() {
    let aws = Aws::answering([answer(&["0"], &[], false), answer(&["0"], &[], false)]).await;
    let queue = queue(&aws);
    queue.send("later", main(), Duration::from_millis(1_500)).await.unwrap();
    queue.send("much later", main(), Duration::from_hours(1)).await.unwrap();
    let delays: Vec<Value> =
        aws.asked().await.iter().map(|(_, asked)| asked["Entries"][0]["DelaySeconds"].clone()).collect();
    assert_eq!(delays, [json!(2), json!(900)]);
}

#[tokio::test]
async fn a_message_is_kept_while_its_work_goes_on_and_no_longer() {
    let kept = ("ChangeMessageVisibility", 200, json!({}));
    let refused = ("ChangeMessageVisibility", 400, error("InvalidParameterValue"));
    let aws = Aws::answering([kept.clone(), refused, kept.clone(), kept]).await;
    let queue = queue(&aws);
    // Three beats: at once, and at a third and two thirds of 3 s. One that fails does not end the work.
    let work = async {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        "done"
    };
    assert_eq!(queue.keep_invisible("receipt", Duration::from_secs(3), work).await, "done");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = aws.asked().await;
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|(_, asked)| asked["VisibilityTimeout"] == 3 && asked["ReceiptHandle"] == "receipt"));
}
