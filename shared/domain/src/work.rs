//! The messages between the functions. Queues carry ids and orders, never secrets.
//!
//! | message | golden | who sends it | who works on it |
//! |---|---|---|---|
//! | [`StartRobot`] | `start-robot` | schedules, wake-ups, people, ends of runs | the robot's function |
//! | [`ImportOrder`] | `import-order` | fetch-orders, sync-payments, whoever adds products | import-orders |
//! | [`Hint`] | `hint` | warehouse-api, for a shop's webhook | sync-payments |
//!
//! Every message carries a version, which is looked at before anything else of it: a release reads the version that it
//! writes and the one before, so that what is in flight survives a deploy, and says of a newer one that it is newer. Such a
//! message stays on its queue, and then among the dead letters, until a release comes that reads it. Each message is
//! delivered at least once and in any order: whatever reads it must be safe to repeat.
//!
//! What each version looked like is kept below `tests/golden/messages`. A file there is never changed once its version has
//! been released.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::ids::{ConnectionId, RobotId, RuleId, TenantId};
use crate::order::SourceOrder;
use crate::settings::Action;

/// The version that is written.
pub const VERSION: u8 = 1;
/// The oldest version that is read.
const OLDEST: u8 = if VERSION > 1 { VERSION - 1 } else { 1 };

/// Why a message cannot be worked on. It stays on its queue and ends among the dead letters, with this reason in the log.
/// Neither text quotes anything of the message but its version.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableMessage {
    /// Not JSON, or not of this shape.
    #[error("the message cannot be read: it {what}, at line {line}, column {column}")]
    Shape {
        /// What is wrong with it.
        what: &'static str,
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
    },
    /// Written by a release that this one does not know.
    #[error(
        "the message has version {0}, and this release reads {OLDEST} to {VERSION}: deploy the release that wrote it, or a newer \
         one, then send it again with `renkei dead-letters replay`"
    )]
    Version(u64),
}

impl From<serde_json::Error> for UnreadableMessage {
    /// What the error itself says is left out: it prints the value that was not expected.
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Io | Category::Syntax => "is not JSON",
            Category::Eof => "ends too early",
            Category::Data => "has another shape than expected",
        };
        Self::Shape { what, line: error.line(), column: error.column() }
    }
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

impl Cause {
    /// Has a run that began so work of its own, which no other run of its robot does in its stead? A range of dates that
    /// somebody wants read again is noted for one run, and whoever started a run waits for that one to end. What starts by
    /// itself does what there is to do whenever it runs: of several that wait, one is enough.
    fn is_for_this_run_alone(self) -> bool {
        match self {
            Self::Hand => true,
            Self::Schedule | Self::After | Self::WakeUp | Self::Hint | Self::Continuation => false,
        }
    }
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
        versioned(body)
    }

    /// How long after a passing failure the run comes again: half a minute at first, each time twice as long, and not
    /// before the shop wants to be called, where it said so.
    #[must_use]
    pub fn comes_again_after(&self, not_before: Option<Duration>) -> Duration {
        let back_off = Duration::from_secs(30 << self.attempt.min(4));
        not_before.map_or(back_off, |wait| wait.max(back_off))
    }

    /// What it is known by while it waits for `due`: of those that are alike, one wake-up does for all. With the cause that
    /// its run began with, a run that has work of its own is alike to none.
    #[must_use]
    pub fn waits_as(&self, due: Timestamp) -> String {
        let robot = format!("{}#{}#{}#{}", self.tenant, self.connection, self.robot, due.as_second());
        match &self.run {
            Some(run) if self.cause.is_for_this_run_alone() => format!("{robot}#{run}"),
            Some(_) | None => robot,
        }
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
        versioned(body)
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
    /// No webhook: a person asks for the shipments of these orders to be made anew from what the shop has. Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anew_by: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
}

impl Hint {
    /// Reads a queue's message.
    pub fn read(body: &str) -> Result<Self, UnreadableMessage> {
        versioned(body)
    }
}

/// The version first: what a newer release wrote may have any shape besides, even one that looks like ours.
fn versioned<T: DeserializeOwned>(body: &str) -> Result<T, UnreadableMessage> {
    #[derive(Deserialize)]
    struct Head {
        v: u64,
    }
    let Head { v } = serde_json::from_str(body)?;
    if !(u64::from(OLDEST)..=u64::from(VERSION)).contains(&v) {
        return Err(UnreadableMessage::Version(v));
    }
    Ok(serde_json::from_str(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_again_later_each_time_and_never_before_the_shop_wants_it() {
        let start = |attempt| StartRobot {
            v: VERSION,
            tenant: TenantId::parse("hanako").unwrap(),
            connection: ConnectionId::parse("hanako-ecforce").unwrap(),
            robot: RobotId::parse("hanako-ecforce/fetch-orders").unwrap(),
            action: Action::FetchOrders,
            cause: Cause::Schedule,
            run: None,
            attempt,
        };
        let seconds =
            |attempt, wait: Option<u64>| start(attempt).comes_again_after(wait.map(Duration::from_secs)).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 255].map(|attempt| seconds(attempt, None)), [30, 60, 120, 240, 480, 480]);
        assert_eq!(seconds(0, Some(1_800)), 1_800, "at once it would only be told the same");
        assert_eq!(seconds(3, Some(5)), 240, "a shop that fails again and again is not called at its own pace");
    }

    #[test]
    fn runs_of_a_robot_wait_as_one_but_for_those_with_work_of_their_own() {
        let due: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let of = |cause, run: Option<&str>| {
            StartRobot {
                v: VERSION,
                tenant: TenantId::parse("hanako").unwrap(),
                connection: ConnectionId::parse("main").unwrap(),
                robot: RobotId::parse("main/backfill").unwrap(),
                action: Action::Reconcile,
                cause,
                run: run.map(str::to_owned),
                attempt: 0,
            }
            .waits_as(due)
        };
        // Two ranges that are to be read again wait each by itself; one that is told twice is one.
        assert_ne!(of(Cause::Hand, Some("run-1")), of(Cause::Hand, Some("run-2")));
        assert_eq!(of(Cause::Hand, Some("run-1")), of(Cause::Hand, Some("run-1")));
        for cause in [Cause::Schedule, Cause::After, Cause::WakeUp, Cause::Hint, Cause::Continuation] {
            assert_eq!(of(cause, Some("run-1")), of(cause, Some("run-2")), "{cause:?}");
        }
        // As every release has called it: a robot that waits while a release is deployed is not woken twice.
        assert_eq!(of(Cause::Schedule, Some("run-1")), "hanako#main#main/backfill#1795564800");
    }
}
