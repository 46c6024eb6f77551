//! One dead letter: whose it is, what it would do, and what stands in its way, as far as the message says it.

use std::fmt;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, RobotId, TenantId};
use renkei_domain::work::{Fetched, Hint, ImportOrder, StartRobot, UnreadableMessage};
use serde::{Serialize, Serializer};

use super::{DeadQueue, OF_ORDERS};

/// A message that failed at every attempt, by the stable keys of `docs/cli.md`. Its body, an order, is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The function that could not work on it.
    pub queue: &'static str,
    /// Its id, as SQS gave it.
    pub message_id: String,
    /// Whose it is; None if it cannot be read, as for all that follow.
    pub tenant: Option<TenantId>,
    /// Of which shop.
    pub connection: Option<ConnectionId>,
    /// Which robot it would start.
    pub robot: Option<RobotId>,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// The order that it would import; of a hint the first that it names.
    pub order_id: Option<OrderId>,
    /// Likewise, its number.
    pub order_number: Option<String>,
    /// How often it was taken, here or there.
    pub receive_count: Option<u32>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// What has to be mended before it is put back.
    pub reason: Reason,
}

/// What has to be mended before a message is put back, as far as that can be told from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It cannot be read. Says where, and nothing of what is in it.
    Unreadable(String),
    /// Its merchant has no settings.
    NoSettings(TenantId),
    /// The settings have no such shop.
    NoConnection(ConnectionId),
    /// The processing robots cannot be used.
    Robots,
    /// Nothing that shows here: the function's log has it, by the message's id.
    InLog(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(what) => f.write_str(what),
            Self::NoSettings(tenant) => write!(f, "tenant {tenant} has no settings; apply its document, then replay"),
            Self::NoConnection(connection) => {
                write!(f, "connection {connection} is not in the settings; apply a document with it, then replay")
            }
            Self::Robots => {
                f.write_str("the processing robots cannot be used; apply a document with right ones, then replay")
            }
            Self::InLog(queue) => write!(f, "the log of {queue} has the reason, by this message's id; then replay"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which dead letters are meant: all, or those that are all of this.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Of this merchant.
    pub tenant: Option<&'a TenantId>,
    /// Of this queue.
    pub queue: Option<&'a str>,
    /// With this id.
    pub id: Option<&'a str>,
}

impl Wanted<'_> {
    pub(super) fn is(&self, letter: &DeadLetter) -> bool {
        self.tenant.is_none_or(|wanted| letter.tenant.as_ref() == Some(wanted))
            && self.queue.is_none_or(|wanted| letter.queue == wanted)
            && self.id.is_none_or(|wanted| letter.message_id == wanted)
    }
}

/// What each of a queue's messages says of itself.
pub(super) fn read_all(queue: &DeadQueue, messages: &[Message]) -> Vec<DeadLetter> {
    messages.iter().map(|message| read(queue.name, message)).collect()
}

/// Those that are wanted, and all others.
pub(super) fn split<'a>(
    queue: &DeadQueue,
    messages: &'a [Message],
    wanted: Wanted<'_>,
) -> (Vec<(&'a Message, DeadLetter)>, Vec<&'a Message>) {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for message in messages {
        let letter = read(queue.name, message);
        if wanted.is(&letter) { ours.push((message, letter)) } else { others.push(message) }
    }
    (ours, others)
}

/// How many of these are nobody's, because they cannot be read.
pub(super) fn unreadable(queue: &DeadQueue, messages: &[&Message]) -> usize {
    messages.iter().filter(|message| read(queue.name, message).tenant.is_none()).count()
}

/// The group that a message was sent in: a merchant's shop.
pub(super) fn group_of(message: &Message) -> String {
    let group = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
    group.cloned().unwrap_or_else(|| "replayed".to_owned())
}

/// What a message says of itself.
fn read(queue: &'static str, message: &Message) -> DeadLetter {
    let attribute = |name| message.attributes().and_then(|all| all.get(&name)).map(String::as_str);
    let mut letter = DeadLetter {
        queue,
        message_id: message.message_id().unwrap_or_default().to_owned(),
        tenant: None,
        connection: None,
        robot: None,
        run: None,
        order_id: None,
        order_number: None,
        receive_count: attribute(MessageSystemAttributeName::ApproximateReceiveCount).and_then(|n| n.parse().ok()),
        sent_at: attribute(MessageSystemAttributeName::SentTimestamp)
            .and_then(|ms| ms.parse().ok())
            .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        reason: Reason::InLog(queue),
    };
    if let Err(error) = attribute_to(&mut letter, message.body().unwrap_or_default()) {
        letter.reason = Reason::Unreadable(error.to_string());
    }
    letter
}

/// Says whose it is, and what it would do.
fn attribute_to(letter: &mut DeadLetter, body: &str) -> Result<(), UnreadableMessage> {
    let (tenant, connection) = if letter.queue == OF_ORDERS {
        let read = ImportOrder::read(body)?;
        letter.run = Some(read.run);
        match read.order {
            Fetched::Order(order) => {
                letter.order_id = Some(order.id);
                letter.order_number = Some(order.number.to_string());
            }
            Fetched::Unreadable { id, number, .. } => {
                letter.order_id = id.map(OrderId);
                letter.order_number = number;
            }
        }
        (read.tenant, read.connection)
    } else {
        match (StartRobot::read(body), Hint::read(body)) {
            (Ok(read), _) => {
                letter.run = read.run;
                letter.robot = Some(read.robot);
                (read.tenant, read.connection)
            }
            (Err(_), Ok(read)) => {
                letter.order_id = read.order_ids.first().copied().map(OrderId);
                letter.order_number = read.order_numbers.into_iter().next();
                (read.tenant, read.connection)
            }
            (Err(error), Err(_)) => return Err(error),
        }
    };
    letter.tenant = Some(tenant);
    letter.connection = Some(connection);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(queue: &'static str, body: &str) -> DeadLetter {
        read(queue, &Message::builder().message_id("7c0e").body(body).build())
    }

    const START: &str = r#"{"v":1,"tenant":"hanako","connection":"shop","robot":"shop/fetch-orders","action":"fetch-orders","cause":"schedule"}"#;
    const HINT: &str =
        r#"{"v":1,"tenant":"hanako","connection":"shop","order_ids":[7],"received_at":"2026-11-24T00:00:00Z"}"#;

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let line = serde_json::to_string(&letter("fetch-orders", "?")).unwrap();
        assert_eq!(
            line,
            r#"{"queue":"fetch-orders","message_id":"7c0e","tenant":null,"connection":null,"robot":null,"run":null,"order_id":null,"order_number":null,"receive_count":null,"sent_at":null,"reason":"the message cannot be read: it is not JSON, at line 1, column 1"}"#
        );
    }

    #[test]
    fn a_poison_message_is_explained_without_its_content() {
        let letter = letter(OF_ORDERS, r#"{"v":1,"tenant":"髙橋 花子"}"#);
        let shown = letter.reason.to_string();
        assert!(!shown.contains("花子") && shown.contains("cannot be read"), "{shown}");
        assert_eq!(letter.tenant, None);
    }

    #[test]
    fn a_message_belongs_to_whom_it_names() {
        let [hanako, hana] = ["hanako", "hana"].map(|name| TenantId::parse(name).unwrap());
        for (queue, body) in [("fetch-orders", START), ("sync-payments", HINT)] {
            let letter = letter(queue, body);
            let of = |tenant| Wanted { tenant: Some(tenant), ..Wanted::default() }.is(&letter);
            assert!(of(&hanako) && !of(&hana), "{letter:?}");
        }
        assert_eq!(letter("sync-payments", HINT).order_id, Some(OrderId(7)));
    }

    #[test]
    fn what_cannot_be_read_is_no_merchants() {
        let hanako = TenantId::parse("hanako").unwrap();
        // It names one, in a form that this release does not know.
        let newer = START.replace(r#""v":1"#, r#""v":9"#);
        for body in ["", "hanako", r#"{"tenant":"hanako"}"#, &newer] {
            let letter = letter("fetch-orders", body);
            assert!(!Wanted { tenant: Some(&hanako), ..Wanted::default() }.is(&letter), "{body}");
            assert!(Wanted::default().is(&letter), "an operator sees it: {body}");
        }
        // An order's queue takes orders only.
        assert_eq!(letter(OF_ORDERS, START).tenant, None);
    }

    #[test]
    fn all_that_is_wanted_has_to_hold() {
        let letter = letter("fetch-orders", START);
        let with = |queue, id| Wanted { tenant: None, queue: Some(queue), id: Some(id) }.is(&letter);
        assert!(with("fetch-orders", "7c0e") && !with("push-statuses", "7c0e") && !with("fetch-orders", "x"));
    }
}
