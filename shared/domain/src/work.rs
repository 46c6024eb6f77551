//! The messages between the functions. Queues carry ids and orders, never secrets.
//!
//! Every message carries a version; a reader accepts the last two, so that what is in flight survives a deploy. Each is
//! delivered at least once and in any order: whatever reads it must be safe to repeat.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, RobotId, RuleId, TenantId};
use crate::order::SourceOrder;
use crate::settings::Action;

/// The version that is written.
pub const VERSION: u8 = 1;

/// Why a message cannot be worked on. It goes to the dead-letter queue with this reason in the log.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableMessage {
    /// Not JSON, or not of this shape.
    #[error("the message cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a release that this one does not know.
    #[error("the message has version {0}; this release reads version {VERSION}")]
    Version(u8),
}

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The robot's schedule.
    Schedule,
    /// A person.
    Hand,
    /// The end of another robot's run.
    After,
    /// The day's calls were spent; a one-time schedule woke the robot.
    WakeUp,
    /// A shop's webhooks named orders.
    Hint,
    /// The run itself: it stopped with time to spare and goes on.
    Continuation,
}

/// "Robot, start": one run of an integration robot.
///
/// A schedule sends it without `run`; the run then has the queue message's id, so that a message that is delivered twice
/// is one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRobot {
    /// Version of this shape.
    pub v: u8,
    /// Whose robot.
    pub tenant: TenantId,
    /// Of which shop.
    pub connection: ConnectionId,
    /// Which robot.
    pub robot: RobotId,
    /// What it does.
    pub action: Action,
    /// What started it.
    pub cause: Cause,
    /// The run, if its name is known already (started by hand, or going on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How often this run has come again after a passing failure.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl StartRobot {
    /// Reads a queue's message.
    pub fn read(body: &str) -> Result<Self, UnreadableMessage> {
        versioned(serde_json::from_str(body)?, |m: &Self| m.v)
    }
}

/// "Import this order": one fetched order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportOrder {
    /// Version of this shape.
    pub v: u8,
    /// Whose order.
    pub tenant: TenantId,
    /// Of which shop.
    pub connection: ConnectionId,
    /// The run that fetched it; the correlation id of everything that follows.
    pub run: String,
    /// Its place in that run: which page, and which row of it. Progress is a set of places, so that counting twice
    /// changes nothing.
    pub place: Place,
    /// 変換ロボット; the standard one if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_robot: Option<RuleId>,
    /// When it was read from the shop.
    pub fetched_at: Timestamp,
    /// The order, or what is known of a row that could not be read.
    pub order: Fetched,
}

/// Where in a run an order stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The page, from 1.
    pub page: u32,
    /// The row on the page, from 0.
    pub row: u16,
}

/// What fetching made of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fetched {
    /// An order.
    Order(Box<SourceOrder>),
    /// A row that is not an order as we know them; it goes to quarantine and never blocks its page.
    Unreadable {
        /// The shop's id, if even that could be read.
        id: Option<u64>,
        /// The order's number, likewise.
        number: Option<String>,
        /// What is wrong with it, in a sentence without personal data.
        reason: String,
    },
}

impl ImportOrder {
    /// Reads a queue's message.
    pub fn read(body: &str) -> Result<Self, UnreadableMessage> {
        versioned(serde_json::from_str(body)?, |m: &Self| m.v)
    }
}

/// "Look at these orders": a hint from a shop's webhook. The truth is read from the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Version of this shape.
    pub v: u8,
    /// Whose shop.
    pub tenant: TenantId,
    /// Which shop.
    pub connection: ConnectionId,
    /// Ids of orders that the hint names, as far as they could be told; may be wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_ids: Vec<u64>,
    /// Numbers of orders that it names, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_numbers: Vec<String>,
    /// The shop's topic, such as `order_canceled`, if it is one that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
}

impl Hint {
    /// Reads a queue's message.
    pub fn read(body: &str) -> Result<Self, UnreadableMessage> {
        versioned(serde_json::from_str(body)?, |m: &Self| m.v)
    }
}

fn versioned<T>(message: T, version: impl Fn(&T) -> u8) -> Result<T, UnreadableMessage> {
    match version(&message) {
        VERSION => Ok(message),
        other => Err(UnreadableMessage::Version(other)),
    }
}
