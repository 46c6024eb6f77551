//! The queues between the functions: sending the next messages, and keeping a message in hand while its work goes on.
//!
//! Sending is at least once: an answer that gets lost is sent for again, and whoever reads can take a message twice.
//! Queues are standard ones; the group of a message makes them fair, so that one shop's backlog does not stand before
//! everybody else's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use renkei_domain::ids::{ConnectionId, TenantId};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::aws::{AwsFailure, Late, late};

/// Most messages in one call.
const MOST_ENTRIES: usize = 10;
/// Most bytes of all bodies in one call, and of one body. SQS takes 1 MiB; a queue may be set to less, never below this.
const MOST_BYTES: usize = 256 * 1024;
/// The longest that SQS holds a message back.
pub const LONGEST_DELAY: Duration = Duration::from_mins(15);
/// How often the refused part of a batch is sent, the first time included.
const ATTEMPTS: u32 = 5;
/// Of what stands in JSON as it is, what SQS refuses, and with it all that would come after.
const NOT_TAKEN: [char; 2] = ['\u{fffe}', '\u{ffff}'];

/// A message to be sent. Does not print its body, which may hold an order.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whose backlog it belongs to: see [`group`].
    pub group: Group,
    /// What it says.
    pub body: String,
    /// How long nobody gets it. Longer than 15 minutes is cut to that: it then comes early, and whoever reads it looks
    /// at the time anyway.
    pub delay: Duration,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes for {}, after {:?})", self.body.len(), self.group.0, self.delay)
    }
}

/// Whose backlog a message belongs to. A type, so that it cannot change places with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(String);

/// As a message had it that is sent on, from a queue's dead letters for example.
impl From<String> for Group {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The group of a shop's messages. Two tenants may call their connections the same.
#[must_use]
pub fn group(tenant: &TenantId, connection: &ConnectionId) -> Group {
    Group(format!("{tenant}/{connection}"))
}

/// A text as a queue carries it: with U+FFFD for the two characters that stand for nothing, and that SQS does not take.
/// Whoever compares what came by a queue with what did not has both in this form.
#[must_use]
pub fn carried(text: &str) -> Cow<'_, str> {
    if text.contains(NOT_TAKEN) { text.replace(NOT_TAKEN, "\u{fffd}").into() } else { text.into() }
}

/// Why messages were not sent.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Passing or not as the failure is. What is not counted as not sent has been sent.
    #[error("{not_sent} of {of} messages were not sent: {failure}")]
    NotSent {
        /// How many are known not to be in the queue, or not known to be.
        not_sent: usize,
        /// Of how many.
        of: usize,
        /// The last failure.
        failure: AwsFailure,
    },
    /// Permanent: the queue does not take these. The code is SQS's.
    #[error("{not_sent} of {of} messages were not sent: the queue refuses them with {code}")]
    Refused {
        /// How many are not in the queue.
        not_sent: usize,
        /// Of how many.
        of: usize,
        /// SQS's code.
        code: String,
    },
    /// Passing: the queue is busy, and was so at every attempt.
    #[error("{not_sent} of {of} messages were not sent: the queue was busy at each of {ATTEMPTS} attempts")]
    Busy {
        /// How many are not known to be in the queue.
        not_sent: usize,
        /// Of how many.
        of: usize,
    },
    /// Permanent: nothing was sent.
    #[error(
        "a message of {bytes} bytes is larger than the {MOST_BYTES} that a queue takes; none of {of} were sent: tell the \
         operator"
    )]
    TooLarge {
        /// Size of the first that is too large.
        bytes: usize,
        /// How many there are in all.
        of: usize,
    },
    /// A message's visibility could not be changed. Passing or not as the failure is.
    #[error("the message could not be kept: {0}")]
    NotKept(AwsFailure),
}

impl QueueError {
    /// May the same succeed later, with nothing mended?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotSent { failure, .. } | Self::NotKept(failure) => failure.is_passing(),
            Self::Busy { .. } => true,
            Self::Refused { .. } | Self::TooLarge { .. } => false,
        }
    }
}

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Late<Client>,
    url: String,
}

impl Queue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(config: &SdkConfig, url: impl Into<String>) -> Self {
        let config = config.clone();
        Self { client: late(move || Client::new(&config)), url: url.into() }
    }

    /// Sends one message.
    pub async fn send(&self, body: impl Into<String>, group: Group, delay: Duration) -> Result<(), QueueError> {
        self.send_batch(&[Outgoing { group, body: body.into(), delay }]).await
    }

    /// Sends all of them, or says how many were not sent. Stops at the first batch that cannot be sent: whoever sends
    /// has to repeat anyway.
    pub async fn send_batch(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        let of = messages.len();
        if let Some(large) = messages.iter().find(|message| message.body.len() > MOST_BYTES) {
            return Err(QueueError::TooLarge { bytes: large.body.len(), of });
        }
        let mut sent = 0;
        for batch in batches(messages) {
            let mut pending: BTreeMap<String, &Outgoing> =
                batch.iter().enumerate().map(|(place, message)| (place.to_string(), message)).collect();
            let outcome = self.send_pending(&mut pending).await;
            sent += batch.len() - pending.len();
            let not_sent = of - sent;
            match outcome {
                Ok(()) => {}
                Err(Stopped::Failed(failure)) => return Err(QueueError::NotSent { not_sent, of, failure }),
                Err(Stopped::Refused(code)) => return Err(QueueError::Refused { not_sent, of, code }),
                Err(Stopped::Busy) => return Err(QueueError::Busy { not_sent, of }),
            }
        }
        Ok(())
    }

    /// Sends one batch until nothing of it is pending. What the queue has taken leaves `pending`.
    async fn send_pending(&self, pending: &mut BTreeMap<String, &Outgoing>) -> Result<(), Stopped> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(back_off(attempt)).await;
            }
            let entries = pending.iter().map(|(id, message)| entry(id, message)).collect::<Result<_, _>>();
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.map_err(|error| failed(&error.into()))?))
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for taken in answer.successful() {
                pending.remove(taken.id());
            }
            if pending.is_empty() {
                return Ok(());
            }
            if let Some(refused) = answer.failed().iter().find(|entry| entry.sender_fault()) {
                return Err(Stopped::Refused(refused.code().to_owned()));
            }
        }
        Err(Stopped::Busy)
    }

    /// Nobody else gets this message for so long from now on. Zero gives it back at once.
    pub async fn extend_visibility(&self, receipt_handle: &str, invisible: Duration) -> Result<(), QueueError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds(invisible))
            .send()
            .await
            .map_err(|error| QueueError::NotKept(AwsFailure::new("ChangeMessageVisibility", &error)))?;
        Ok(())
    }

    /// Does the work, and meanwhile keeps the message in hand, `invisible` at a time.
    ///
    /// The queue itself keeps a message six times as long as its function may run, so a function that dies would hold
    /// its work back for an hour. This shortens that to `invisible` at the start, and renews it at each third of it: a
    /// message whose function died, or whose work failed, comes back that soon. If renewing fails the work goes on; the
    /// message may then be delivered twice, which all work here bears.
    pub async fn keep_invisible<W: Future>(&self, receipt_handle: &str, invisible: Duration, work: W) -> W::Output {
        let heartbeat = async {
            let mut beat = interval(invisible / 3);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                beat.tick().await;
                if let Err(error) = self.extend_visibility(receipt_handle, invisible).await {
                    tracing::warn!(%error, "a message could not be kept; it may be delivered twice");
                }
            }
        };
        tokio::select! {
            done = work => done,
            never = heartbeat => never,
        }
    }
}

enum Stopped {
    Failed(AwsFailure),
    Refused(String),
    Busy,
}

fn failed(error: &SdkError<SendMessageBatchError>) -> Stopped {
    Stopped::Failed(AwsFailure::new("SendMessageBatch", error))
}

fn entry(id: &str, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(id)
        .message_body(carried(&message.body))
        .message_group_id(&message.group.0)
        .set_delay_seconds((!message.delay.is_zero()).then(|| seconds(message.delay.min(LONGEST_DELAY))))
        .build()
}

/// Whole seconds, rounded up: half a second of waiting is not none.
fn seconds(duration: Duration) -> i32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

/// 50 ms at first, doubled each time, of which a random half is left away so that senders do not march in step.
fn back_off(attempt: u32) -> Duration {
    let most = Duration::from_millis(50 << attempt.min(6));
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Cuts what is to be sent into calls that SQS takes, in order.
fn batches(messages: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (place, message) in messages.iter().enumerate() {
        if place - start == MOST_ENTRIES || bytes + message.body.len() > MOST_BYTES {
            batches.push(&messages[start..place]);
            (start, bytes) = (place, 0);
        }
        bytes += message.body.len();
    }
    if start < messages.len() {
        batches.push(&messages[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sizes(sizes: &[usize]) -> Vec<Outgoing> {
        let message =
            |size: &usize| Outgoing { group: Group("g".into()), body: "x".repeat(*size), delay: Duration::ZERO };
        sizes.iter().map(message).collect()
    }

    #[test]
    fn batches_keep_to_both_limits_and_lose_nothing() {
        let lengths = |sizes: &[usize]| batches(&of_sizes(sizes)).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[1; 10]), [10]);
        assert_eq!(lengths(&[1; 21]), [10, 10, 1]);
        assert_eq!(lengths(&[MOST_BYTES, 1, MOST_BYTES - 1, 1]), [1, 2, 1]);
    }

    #[test]
    fn waiting_is_rounded_up() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_mins(1)), 60);
    }

    #[test]
    fn a_message_does_not_print_its_body() {
        let message =
            Outgoing { group: Group("hanako/main".into()), body: "山田花子".into(), delay: Duration::ZERO };
        assert_eq!(format!("{message:?}"), "Outgoing(12 bytes for hanako/main, after 0ns)");
    }
}
