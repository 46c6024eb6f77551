//! The responder: takes a queue's delivery apart, has the story work on each message, and answers which ones failed.
//!
//! Only what failed is delivered again; after five times it goes to the dead letters. A message that cannot be read
//! fails too: nothing is ever dropped. One message's panic is that message's failure and nobody else's.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use renkei_domain::work::UnreadableMessage;
use tracing::Instrument;

use crate::emf::{Metric, Metrics};

/// A message that has been read. Does not print its content.
pub struct Message<T> {
    /// SQS's id, by which it is answered for.
    pub id: String,
    /// What to extend its visibility with.
    pub receipt_handle: String,
    /// The how manieth delivery this is, from 1.
    pub receive_count: u32,
    /// What it says.
    pub content: T,
}

impl<T> fmt::Debug for Message<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, delivery {})", self.id, self.receive_count)
    }
}

/// A message whose work failed, and why.
#[derive(Debug)]
pub struct Failed<E> {
    /// The message's id.
    pub id: String,
    /// Why.
    pub error: E,
}

/// Works on each message by itself, one after the other.
pub async fn run_batch<T, E, Work>(
    event: SqsEvent,
    read: impl Fn(&str) -> Result<T, UnreadableMessage>,
    metrics: &Metrics,
    story: impl Fn(Message<T>) -> Work,
) -> SqsBatchResponse
where
    E: std::error::Error,
    Work: Future<Output = Result<(), E>>,
{
    let (messages, mut answer) = take_apart(event, read, metrics);
    for message in messages {
        let (id, receive_count) = (message.id.clone(), message.receive_count);
        let span = tracing::info_span!("message", message_id = id, receive_count);
        // The call itself is inside: a story may panic before its first await.
        let work = AssertUnwindSafe(async { story(message).await }).catch_unwind();
        let outcome = work.instrument(span.clone()).await;
        let _inside = span.enter();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => fail(&mut answer, metrics, id, &error),
            Err(_panic) => fail_by_panic(&mut answer, metrics, [id]),
        }
    }
    answer
}

/// Hands all messages to one call of the story, which answers those that failed. If the call itself fails, or panics,
/// all of them have.
pub async fn run_together<T, E, Work>(
    event: SqsEvent,
    read: impl Fn(&str) -> Result<T, UnreadableMessage>,
    metrics: &Metrics,
    story: impl FnOnce(Vec<Message<T>>) -> Work,
) -> SqsBatchResponse
where
    E: std::error::Error,
    Work: Future<Output = Result<Vec<Failed<E>>, E>>,
{
    let (messages, mut answer) = take_apart(event, read, metrics);
    if messages.is_empty() {
        return answer;
    }
    let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
    match AssertUnwindSafe(async { story(messages).await }).catch_unwind().await {
        Ok(Ok(failed)) => {
            for Failed { id, error } in failed {
                fail(&mut answer, metrics, id, &error);
            }
        }
        Ok(Err(error)) => {
            for id in ids {
                fail(&mut answer, metrics, id, &error);
            }
        }
        Err(_panic) => fail_by_panic(&mut answer, metrics, ids),
    }
    answer
}

fn take_apart<T>(
    event: SqsEvent,
    read: impl Fn(&str) -> Result<T, UnreadableMessage>,
    metrics: &Metrics,
) -> (Vec<Message<T>>, SqsBatchResponse) {
    let mut answer = SqsBatchResponse::default();
    let mut messages = Vec::with_capacity(event.records.len());
    for record in event.records {
        let SqsMessage { message_id, receipt_handle, body, attributes, .. } = record;
        // Without an id, which SQS always gives, the empty one: for it the whole delivery is taken as failed.
        let id = message_id.unwrap_or_default();
        let receive_count = attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1);
        match read(body.as_deref().unwrap_or_default()) {
            Ok(content) => {
                let receipt_handle = receipt_handle.unwrap_or_default();
                messages.push(Message { id, receipt_handle, receive_count, content });
            }
            Err(error) => {
                tracing::error!(message_id = id, receive_count, reason = %error, "a message cannot be read");
                metrics.add(Metric::Unreadable, 1);
                answer.add_failure(id);
            }
        }
    }
    (messages, answer)
}

fn fail(answer: &mut SqsBatchResponse, metrics: &Metrics, id: String, error: &dyn std::error::Error) {
    tracing::error!(message_id = id, %error, "a message failed and will be delivered again");
    metrics.add(Metric::MessagesFailed, 1);
    answer.add_failure(id);
}

/// What the panic said is not logged: the panic hook has logged where it was.
fn fail_by_panic(answer: &mut SqsBatchResponse, metrics: &Metrics, ids: impl IntoIterator<Item = String>) {
    metrics.add(Metric::Panics, 1);
    for id in ids {
        tracing::error!(message_id = id, "a message failed by a panic and will be delivered again");
        metrics.add(Metric::MessagesFailed, 1);
        answer.add_failure(id);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::telemetry::tests::{listen, logged};

    #[derive(Deserialize)]
    struct Note {
        say: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its reading matters")]
        count: u32,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("said no")]
    struct SaidNo;

    fn read(body: &str) -> Result<Note, UnreadableMessage> {
        Ok(serde_json::from_str(body)?)
    }

    fn event(bodies: &[&str]) -> SqsEvent {
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(n, body)| {
                json!({ "messageId": format!("m{n}"), "receiptHandle": format!("r{n}"), "body": body,
                        "attributes": { "ApproximateReceiveCount": "3" }, "messageAttributes": {} })
            })
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    fn failed(answer: &SqsBatchResponse) -> Vec<&str> {
        answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    const DELIVERY: [&str; 5] =
        [r#"{"say":"yes"}"#, r#"{"say":"no"}"#, r#"{"say":"panic"}"#, r#"{"say":"yes","count":"山田花子"}"#, "{\"say"];

    #[tokio::test]
    async fn each_message_answers_for_itself() {
        listen();
        let metrics = Metrics::begin("local", "fetch-orders", Clock::system());
        let answer = run_batch(event(&DELIVERY), read, &metrics, |message| {
            assert_ne!(message.content.say, "panic", "山田花子 is in hand");
            assert_eq!((message.receive_count, message.receipt_handle.len()), (3, 2));
            async move { if message.content.say == "no" { Err(SaidNo) } else { Ok(()) } }
        })
        .await;
        let mut ids = failed(&answer);
        ids.sort_unstable();
        assert_eq!(ids, ["m1", "m2", "m3", "m4"]);
        let log = logged();
        assert!(log.contains("it has another shape than expected, at line 1") && log.contains("it ends too early"));
        assert!(log.contains("said no") && log.contains(r#""message_id":"m2""#), "{log}");
        assert!(!log.contains("山田"), "{log}");
    }

    #[tokio::test]
    async fn together_only_those_named_fail() {
        let metrics = Metrics::begin("local", "import-orders", Clock::system());
        let answer = run_together(event(&DELIVERY), read, &metrics, |messages| async move {
            assert_eq!(messages.len(), 3);
            let no = messages.into_iter().filter(|message| message.content.say == "no");
            Ok(no.map(|message| Failed { id: message.id, error: SaidNo }).collect())
        })
        .await;
        assert_eq!(failed(&answer), ["m3", "m4", "m1"]);
    }

    #[tokio::test]
    async fn together_a_failed_call_or_a_panic_fails_all() {
        let metrics = Metrics::begin("local", "import-orders", Clock::system());
        let two = [r#"{"say":"yes"}"#; 2];
        let refused = run_together(event(&two), read, &metrics, |_| async { Err::<Vec<Failed<SaidNo>>, _>(SaidNo) });
        assert_eq!(failed(&refused.await), ["m0", "m1"]);
        let panicked = run_together(event(&two), read, &metrics, |messages| async move {
            assert!(messages.is_empty(), "a mistake");
            Ok::<Vec<Failed<SaidNo>>, SaidNo>(Vec::new())
        });
        assert_eq!(failed(&panicked.await), ["m0", "m1"]);
    }

    #[tokio::test]
    async fn nothing_to_read_calls_no_story() {
        let metrics = Metrics::begin("local", "import-orders", Clock::system());
        let answer = run_together(event(&["?"]), read, &metrics, |_| async { Err::<Vec<Failed<SaidNo>>, _>(SaidNo) });
        assert_eq!(failed(&answer.await), ["m0"]);
    }
}
