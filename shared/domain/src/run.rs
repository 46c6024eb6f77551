//! What a robot's run did: its counts, its end, and how far it has come.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gate::Lane;
use crate::ids::{ConnectionId, RobotId, TenantId};
use crate::settings::{Action, IntegrationRobots};
use crate::work::{Cause, StartRobot, VERSION};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// At work, or what it queued is.
    Running,
    /// Done, everything that it queued included.
    Done,
    /// The shop may not be called for now: the day's calls are spent, or the hour's sign-ins, or it asked to be left
    /// alone. Goes on by itself after [`Run::blocked_until`].
    Blocked,
    /// Done, with records that need a person.
    NeedsPerson,
    /// Could not do its work; the error says what to mend.
    Failed,
}

impl RunState {
    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Blocked => "blocked",
            Self::NeedsPerson => "needs-person",
            Self::Failed => "failed",
        }
    }
}

/// The word under which a run counts what a person has to look at, where what it queued ends it.
pub const FOR_A_PERSON: &str = "for-a-person";

/// How the name of the robot ends that looks at what webhooks name.
const HINTS: &str = "/hints";
/// What a sync counts of shipments that robots which start after it may act on. A shop sends webhooks for much else.
const MOVED: [&str; 6] = ["paid", "payment-lost", "withdrawn", "differences", "made-anew", "cancelled"];

/// One run of an integration robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its name; also the correlation id in logs.
    pub id: String,
    /// Whose shop.
    pub connection: ConnectionId,
    /// Which robot.
    pub robot: RobotId,
    /// What it does.
    pub action: Action,
    /// What started it.
    pub cause: Cause,
    /// How it stands.
    pub state: RunState,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Until when it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_until: Option<Timestamp>,
    /// Calls that it made to the shop.
    #[serde(default)]
    pub calls: u32,
    /// Pages of orders that it queued for import (fetching only); None while it is still reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<u64>,
    /// What it did, counted by word: `pages`, `told`, `failed`, ….
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// What went wrong, in a sentence that says what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a person should know of, in sentences; nothing that kept the run from its work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Its calls one by one, the first and the latest of them. Kept packed beside the rest; a list of runs has none.
    #[serde(skip)]
    pub called: Vec<CallMade>,
}

/// A call of a run to its shop, as it is kept: nothing of a body, and no value that names a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMade {
    /// When it began.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// For what, as the gate counts it.
    #[serde(rename = "l")]
    pub lane: Lane,
    /// `GET`, `PUT` or `POST`.
    #[serde(rename = "m")]
    pub method: String,
    /// Path below the API's address, with the harmless part of its query.
    #[serde(rename = "p")]
    pub path: String,
    /// Status of the answer; None if there was none.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From the request to the end of its answer, in milliseconds.
    #[serde(rename = "d")]
    pub milliseconds: u32,
}

/// So many of a run's first calls are kept,
const FIRST_CALLS: usize = 20;
/// and so many of its latest.
const LATEST_CALLS: usize = 60;

impl Run {
    /// Notes calls that were made. Of many the first and the latest are kept: how it began, and what it was at in the end.
    pub fn note_calls(&mut self, calls: Vec<CallMade>) {
        self.called.extend(calls);
        let over = self.called.len().saturating_sub(FIRST_CALLS + LATEST_CALLS);
        self.called.drain(FIRST_CALLS.min(self.called.len())..FIRST_CALLS.min(self.called.len()) + over);
    }

    /// The robots that this run's end starts. Each run has one end, and each of these messages names its run after it:
    /// sent twice, it is still one run. A run that could not do its work starts none; nor does a look at what webhooks name
    /// that found nothing for them, which the next status sync makes good where its count was lost with a function that died.
    #[must_use]
    pub fn triggers(&self, tenant: &TenantId, robots: &IntegrationRobots) -> Vec<StartRobot> {
        match self.state {
            RunState::Done | RunState::NeedsPerson => {}
            RunState::Running | RunState::Blocked | RunState::Failed => return Vec::new(),
        }
        let moved = || MOVED.iter().any(|word| self.counts.get(*word).is_some_and(|count| *count > 0));
        if self.robot.as_str().ends_with(HINTS) && !moved() {
            return Vec::new();
        }
        robots
            .after(&self.connection, self.action)
            .map(|robot| StartRobot {
                v: VERSION,
                tenant: tenant.clone(),
                connection: self.connection.clone(),
                robot: robot.id.clone(),
                action: robot.action.action(),
                cause: Cause::After,
                run: Some(format!("{}+{}", self.id, robot.id)),
                attempt: 0,
            })
            .collect()
    }
}

/// What became of an order at import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Stored as shipments.
    Imported,
    /// Known already, by its id or by its number.
    Duplicate,
    /// Not imported: waits until a product exists, or a person looks.
    Quarantined,
    /// Not imported, by a robot's decision.
    Refused,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Imported, Self::Duplicate, Self::Quarantined, Self::Refused];

    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn started(robot: &str, action: &str, counts: &[(&str, u64)]) -> Vec<String> {
        let counts: BTreeMap<&str, u64> = counts.iter().copied().collect();
        let run: Run = serde_json::from_value(json!({
            "id": "r", "connection": "shop", "robot": robot, "action": action, "cause": "hint", "state": "done",
            "started_at": "2026-11-24T00:00:00Z", "counts": counts
        }))
        .unwrap();
        let robots: IntegrationRobots = serde_json::from_value(json!({ "custom": [
            { "id": "release", "name": "r", "on": { "after": "status-sync", "connection": "shop" },
              "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } }
        ] }))
        .unwrap();
        let starts = run.triggers(&TenantId::parse("hanako").unwrap(), &robots);
        starts.into_iter().filter_map(|start| start.run).collect()
    }

    #[test]
    fn a_look_at_what_webhooks_name_starts_what_follows_a_sync_only_where_something_moved() {
        let nothing = [("hinted", 3), ("queued-for-import", 1), ("paid", 0), ("cancellations-requested", 1)];
        assert!(started("shop/hints", "status-sync", &nothing).is_empty());
        for word in MOVED {
            assert_eq!(started("shop/hints", "status-sync", &[("hinted", 3), (word, 1)]), ["r+release"], "{word}");
        }
        // A sync itself starts them each time: they may have been kept from something before.
        assert_eq!(started("shop/status-sync", "status-sync", &nothing), ["r+release"]);
        assert!(started("shop/reconcile", "reconcile", &[("paid", 1)]).is_empty());
    }
}
