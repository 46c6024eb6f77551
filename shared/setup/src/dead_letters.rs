//! Messages that failed at every attempt: whose they are, why, and back again; the same for the command line and the
//! console.
//!
//! A queue can be looked through only by taking its messages: each is in hand meanwhile, and given back at once. So two
//! who look in the same moment may each see a part, and nothing gets lost: what nobody gives back comes back by itself.
//! Queues are all merchants' together. A message belongs to whom it names in a form that can be read; one that cannot
//! be read belongs to nobody, and only an operator on the command line sees it.

mod letter;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use futures::future::{join_all, try_join_all};
use renkei_domain::ids::TenantId;
use renkei_domain::processing::RobotSet;
use renkei_platform::aws::{AwsFailure, Late, late};
use renkei_platform::queue::{Queue, QueueError};
use renkei_store::settings::AppliedSettings;
use renkei_store::{Store, StoreError};

pub use self::letter::{DeadLetter, Reason, Wanted};
use self::letter::{group_of, read_all, split, unreadable};

/// How long a message that is being looked at is nobody else's.
const IN_HAND_SECONDS: i32 = 30;
/// How long SQS looks for messages before it answers that there are none. Without that it asks some of its servers only, and
/// misses what the others have; whoever waits for a page waits for this once.
const LOOK_SECONDS: i32 = 1;
/// So many answers in a row that bring nothing new end a look: what was in hand for too long comes again and again.
const MOST_REPEATED: usize = 2;
const AT_ONCE: usize = 8;
/// What SQS counts of a queue: messages that whoever looks may see, and those that somebody has taken and not given back yet.
const WAITING: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessages;
const IN_HAND: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
/// Queues with dead letters, by the functions that read them.
pub const QUEUES: [&str; 5] = ["fetch-orders", OF_ORDERS, "push-statuses", "sync-payments", "sync-inventory"];
/// The queue whose messages are orders. All others hold starts of robots, one of them hints of webhooks besides.
const OF_ORDERS: &str = "import-orders";

/// Why dead letters could not be looked at or put back.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    /// A queue of dead letters. Passing or not as the failure is.
    #[error(transparent)]
    Aws(#[from] AwsFailure),
    /// The queue that one goes back to. What was not put back is still a dead letter.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A queue, and that of what failed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadQueue {
    /// Its name, one of [`QUEUES`]: the function that reads it.
    pub name: &'static str,
    /// Its URL.
    pub url: String,
    /// The URL of its dead letters.
    pub dead_letters: String,
}

/// What was found among the dead letters.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Those that were wanted, queue by queue.
    pub letters: Vec<DeadLetter>,
    /// There are more than were looked at.
    pub more: bool,
}

/// What was put back of dead letters.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Those that are back on their queues.
    pub letters: Vec<DeadLetter>,
    /// There are more than were looked at.
    pub more: bool,
    /// Why others that were wanted are not. They are still dead letters.
    pub failure: Option<DeadLettersError>,
}

impl Replayed {
    fn and(mut self, other: Self) -> Self {
        self.letters.extend(other.letters);
        self.more |= other.more;
        self.failure = self.failure.or(other.failure);
        self
    }
}

/// What was removed of dead letters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Removed {
    /// So many.
    pub count: usize,
    /// Others that cannot be read, so that nobody knows whose they are. They stay.
    pub unreadable: usize,
    /// There are more than were looked at.
    pub more: bool,
}

/// The dead letters of a stack.
pub struct DeadLetters {
    client: Late<Client>,
    store: Store,
    queues: Vec<(DeadQueue, Queue)>,
    most: usize,
}

impl DeadLetters {
    /// Of these queues. Of each at most `most` messages are looked at in one go.
    #[must_use]
    pub fn new(aws: &SdkConfig, store: Store, queues: Vec<DeadQueue>, most: usize) -> Self {
        let queues = queues.into_iter().map(|queue| {
            let back = Queue::new(aws, &queue.url);
            (queue, back)
        });
        let (queues, aws) = (queues.collect(), aws.clone());
        Self { client: late(move || Client::new(&aws)), store, queues, most }
    }

    /// How many dead letters each queue has, about: waiting and in hand.
    pub async fn counts(&self) -> Result<Vec<(&'static str, u64)>, DeadLettersError> {
        try_join_all(self.queues.iter().map(|(queue, _)| self.count(queue))).await
    }

    /// Are there any of orders, whosever they are? One request.
    pub async fn has_orders(&self) -> Result<bool, DeadLettersError> {
        match self.queues.iter().find(|(queue, _)| queue.name == OF_ORDERS) {
            Some((queue, _)) => Ok(self.count(queue).await?.1 > 0),
            None => Ok(false),
        }
    }

    /// How many orders wait to be imported or are under way, about, whosever they are. Those that are dead letters do not
    /// count.
    pub async fn queued_orders(&self) -> Result<u64, DeadLettersError> {
        match self.queues.iter().find(|(queue, _)| queue.name == OF_ORDERS) {
            Some((queue, _)) => self.count_at(&queue.url, &[WAITING, IN_HAND]).await,
            None => Ok(0),
        }
    }

    /// How many dead letters are in somebody's hand, about, whosever they are: nobody else's look sees those.
    pub async fn in_hand(&self) -> Result<u64, DeadLettersError> {
        let of = [IN_HAND];
        let counts = self.queues.iter().map(|(queue, _)| self.count_at(&queue.dead_letters, &of));
        Ok(try_join_all(counts).await?.iter().sum())
    }

    async fn count(&self, queue: &DeadQueue) -> Result<(&'static str, u64), DeadLettersError> {
        Ok((queue.name, self.count_at(&queue.dead_letters, &[WAITING, IN_HAND]).await?))
    }

    async fn count_at(&self, url: &str, of: &[QueueAttributeName]) -> Result<u64, DeadLettersError> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(url)
            .set_attribute_names(Some(of.to_vec()))
            .send()
            .await
            .map_err(|error| AwsFailure::new("GetQueueAttributes", &error))?;
        let counts = answer.attributes.unwrap_or_default();
        Ok(counts.values().filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    /// Looks at dead letters, and leaves them where they are.
    pub async fn list(&self, wanted: Wanted<'_>) -> Result<Listed, DeadLettersError> {
        let found = try_join_all(self.queues_of(wanted).map(async |(queue, _)| {
            let (messages, more) = self.taken(queue).await?;
            self.give_back(queue, messages.iter()).await?;
            Ok::<_, DeadLettersError>((read_all(queue, &messages), more))
        }))
        .await?;
        let more = found.iter().any(|(_, more)| *more);
        let mut letters: Vec<DeadLetter> =
            found.into_iter().flat_map(|(letters, _)| letters).filter(|letter| wanted.is(letter)).collect();
        self.explain(&mut letters).await?;
        Ok(Listed { letters, more })
    }

    /// Puts dead letters back onto their queues. Each is sent first, then taken away, so that a crash in between doubles
    /// one, which is harmless, and loses none. What two put back in the same moment goes back once: a message is in one
    /// hand. Where a queue fails, what is back by then, there and on the others, is told all the same.
    pub async fn replay(&self, wanted: Wanted<'_>) -> Replayed {
        let each = join_all(self.queues_of(wanted).map(async |(queue, back)| {
            let mut replayed = Replayed::default();
            replayed.failure = self.replay_queue(queue, back, wanted, &mut replayed).await.err();
            replayed
        }));
        each.await.into_iter().fold(Replayed::default(), Replayed::and)
    }

    async fn replay_queue(
        &self,
        queue: &DeadQueue,
        back: &Queue,
        wanted: Wanted<'_>,
        replayed: &mut Replayed,
    ) -> Result<(), DeadLettersError> {
        let (messages, more) = self.taken(queue).await?;
        replayed.more = more;
        let (ours, others) = split(queue, &messages, wanted);
        self.give_back(queue, others.into_iter()).await?;
        for (message, letter) in ours {
            back.send(message.body().unwrap_or_default(), group_of(message).into(), Duration::ZERO).await?;
            // It is back, whether or not it is here as well.
            replayed.letters.push(letter);
            self.take_away(queue, message).await?;
        }
        Ok(())
    }

    /// Removes dead letters for good.
    pub async fn remove(&self, wanted: Wanted<'_>) -> Result<Removed, DeadLettersError> {
        let each = join_all(self.queues_of(wanted).map(|(queue, _)| self.remove_of(queue, wanted))).await;
        each.into_iter().try_fold(Removed::default(), |all, one| {
            let one = one?;
            Ok(Removed {
                count: all.count + one.count,
                unreadable: all.unreadable + one.unreadable,
                more: all.more || one.more,
            })
        })
    }

    async fn remove_of(&self, queue: &DeadQueue, wanted: Wanted<'_>) -> Result<Removed, DeadLettersError> {
        let (messages, more) = self.taken(queue).await?;
        let (ours, others) = split(queue, &messages, wanted);
        let unreadable = unreadable(queue, &others);
        self.give_back(queue, others.into_iter()).await?;
        for (message, _) in &ours {
            self.take_away(queue, message).await?;
        }
        Ok(Removed { count: ours.len(), unreadable, more })
    }

    fn queues_of<'a>(&'a self, wanted: Wanted<'a>) -> impl Iterator<Item = &'a (DeadQueue, Queue)> {
        self.queues.iter().filter(move |(queue, _)| wanted.queue.is_none_or(|name| queue.name == name))
    }

    /// Takes what is there in hand, and says whether there may be more than was looked at.
    async fn taken(&self, queue: &DeadQueue) -> Result<(Vec<Message>, bool), DeadLettersError> {
        let mut hand = Hand::default();
        let mut repeated = 0;
        while hand.messages.len() < self.most && repeated < MOST_REPEATED {
            let answer = self
                .client
                .receive_message()
                .queue_url(&queue.dead_letters)
                .max_number_of_messages(10)
                .visibility_timeout(IN_HAND_SECONDS)
                .wait_time_seconds(LOOK_SECONDS)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .map_err(|error| AwsFailure::new("ReceiveMessage", &error))?;
            let messages = answer.messages.unwrap_or_default();
            // All servers were asked: there is no more.
            if messages.is_empty() {
                return Ok((hand.messages, false));
            }
            repeated = if hand.take(messages) { 0 } else { repeated + 1 };
        }
        Ok((hand.messages, true))
    }

    /// Looked at, not taken.
    async fn give_back<'a>(
        &self,
        queue: &DeadQueue,
        messages: impl Iterator<Item = &'a Message>,
    ) -> Result<(), DeadLettersError> {
        let receipts: Vec<String> =
            messages.map(|message| message.receipt_handle().unwrap_or_default().to_owned()).collect();
        for some in receipts.chunks(AT_ONCE) {
            try_join_all(some.iter().map(async |receipt| {
                let back = self.client.change_message_visibility().queue_url(&queue.dead_letters);
                let back = back.receipt_handle(receipt).visibility_timeout(0).send().await;
                match back.map_err(|error| AwsFailure::new("ChangeMessageVisibility", &error)) {
                    // Where very many are looked at, the first of them have come back by themselves.
                    Err(failure) if is_of_none_in_hand(failure.code.as_deref()) => Ok(()),
                    answer => answer.map(|_| ()),
                }
            }))
            .await?;
        }
        Ok(())
    }

    async fn take_away(&self, queue: &DeadQueue, message: &Message) -> Result<(), DeadLettersError> {
        let gone = self.client.delete_message().queue_url(&queue.dead_letters);
        let gone = gone.receipt_handle(message.receipt_handle().unwrap_or_default()).send().await;
        gone.map_err(|error| AwsFailure::new("DeleteMessage", &error))?;
        Ok(())
    }

    /// Says what stands in each one's way, as far as the settings show it.
    async fn explain(&self, letters: &mut [DeadLetter]) -> Result<(), DeadLettersError> {
        let tenants: HashSet<TenantId> = letters.iter().filter_map(|letter| letter.tenant.clone()).collect();
        let settings = join_all(tenants.into_iter().map(async |tenant| {
            let settings = self.store.tenant(tenant.clone()).settings().await?;
            Ok::<_, StoreError>((tenant, settings))
        }))
        .await;
        let settings: HashMap<TenantId, Option<AppliedSettings>> = settings.into_iter().collect::<Result<_, _>>()?;
        for letter in letters {
            let (Some(tenant), Some(connection)) = (&letter.tenant, &letter.connection) else { continue };
            match settings.get(tenant).and_then(Option::as_ref) {
                None => letter.reason = Reason::NoSettings(tenant.clone()),
                Some(applied) if applied.settings.connection(connection).is_none() => {
                    letter.reason = Reason::NoConnection(connection.clone());
                }
                Some(applied) if RobotSet::compile(&applied.settings).is_err() => letter.reason = Reason::Robots,
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Messages in hand, each of them once.
#[derive(Default)]
struct Hand {
    messages: Vec<Message>,
    places: HashMap<String, usize>,
}

impl Hand {
    /// Takes these too. False if there is no new one among them: then they have come again, and it is their newest receipt
    /// that counts.
    fn take(&mut self, messages: Vec<Message>) -> bool {
        let before = self.messages.len();
        for message in messages {
            let id = message.message_id().unwrap_or_default().to_owned();
            if let Some(place) = self.places.get(&id).copied() {
                self.messages[place] = message;
            } else {
                self.places.insert(id, self.messages.len());
                self.messages.push(message);
            }
        }
        self.messages.len() > before
    }
}

/// Does SQS say with this that the message is in nobody's hand any more, or in another's? A receipt is all that can be wrong
/// with the request. Some codes come with the name of the service before them.
fn is_of_none_in_hand(code: Option<&str>) -> bool {
    let codes = ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"];
    code.is_some_and(|code| codes.iter().any(|known| code.ends_with(known)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use renkei_store::Tables;
    use serde_json::{Value, json};
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

    use super::*;

    /// An SQS with one dead letter. Whoever does not wait for it is told that there is none, and it has come back by itself
    /// before it is given back.
    #[derive(Default)]
    struct Sqs {
        taken: AtomicBool,
    }

    impl Respond for Sqs {
        fn respond(&self, request: &Request) -> ResponseTemplate {
            let target = request.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap());
            if target.ends_with(".ChangeMessageVisibility") {
                return ResponseTemplate::new(400)
                    .insert_header("x-amzn-query-error", "AWS.SimpleQueueService.MessageNotInflight;Sender")
                    .set_body_raw(
                        r#"{"__type":"com.amazonaws.sqs#MessageNotInflight"}"#,
                        "application/x-amz-json-1.0",
                    );
            }
            let asked: Value = serde_json::from_slice(&request.body).unwrap();
            let mut answer = json!({});
            if asked["AttributeNames"] == json!(["ApproximateNumberOfMessagesNotVisible"]) {
                answer = json!({ "Attributes": { "ApproximateNumberOfMessagesNotVisible": "2" } });
            } else if asked["WaitTimeSeconds"] == 1 && !self.taken.swap(true, Ordering::Relaxed) {
                answer = json!({ "Messages": [{ "MessageId": "7c0e", "ReceiptHandle": "r", "Body": "?" }] });
            }
            ResponseTemplate::new(200).set_body_raw(answer.to_string(), "application/x-amz-json-1.0")
        }
    }

    /// The dead letters of one queue, in such an SQS.
    async fn dead_letters(server: &MockServer) -> DeadLetters {
        Mock::given(any()).respond_with(Sqs::default()).mount(server).await;
        let config = renkei_platform::aws::of_variables(|name| match name {
            "AWS_REGION" => Some("ap-northeast-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(server.uri()),
            _ => None,
        })
        .unwrap();
        let queue = DeadQueue { name: "fetch-orders", url: server.uri(), dead_letters: server.uri() };
        let store = Store::new(&config, Tables::default());
        DeadLetters::new(&config, store, vec![queue], 10)
    }

    #[tokio::test]
    async fn a_look_waits_for_all_servers_and_takes_no_offence_at_what_has_come_back() {
        let server = MockServer::start().await;
        let listed = dead_letters(&server).await.list(Wanted::default()).await.unwrap();
        assert_eq!(listed.letters.iter().map(|letter| letter.message_id.as_str()).collect::<Vec<_>>(), ["7c0e"]);
        assert!(!listed.more);
    }

    #[tokio::test]
    async fn what_cannot_be_read_stays_and_is_told_as_is_what_others_have_in_hand() {
        let server = MockServer::start().await;
        let dead_letters = dead_letters(&server).await;
        let hanako = TenantId::parse("hanako").unwrap();
        let removed = dead_letters.remove(Wanted { tenant: Some(&hanako), ..Wanted::default() }).await.unwrap();
        assert_eq!((removed.count, removed.unreadable, removed.more), (0, 1, false));
        assert_eq!(dead_letters.in_hand().await.unwrap(), 2);
        let asked = server.received_requests().await.unwrap();
        let removes = |request: &Request| {
            let target = request.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap());
            target.ends_with(".DeleteMessage")
        };
        assert!(!asked.iter().any(removes), "it is nobody's to remove");
    }

    #[test]
    fn a_message_that_comes_again_is_one_with_its_newest_receipt() {
        let message = |id: &str, receipt: &str| Message::builder().message_id(id).receipt_handle(receipt).build();
        let mut hand = Hand::default();
        assert!(hand.take(vec![message("a", "1"), message("b", "2")]));
        assert!(hand.take(vec![message("a", "3"), message("c", "4")]), "one of them is new");
        assert!(!hand.take(vec![message("b", "5")]));
        let receipts: Vec<_> = hand.messages.iter().filter_map(Message::receipt_handle).collect();
        assert_eq!(receipts, ["3", "5", "4"]);
    }
}
