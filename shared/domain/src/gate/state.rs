//! The gate's one stored item.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::rules::PerLane;
use crate::jst::quota_day;

/// The form in which this release writes the item. A release reads its own form and the one before.
///
/// What a field means never changes. A new field has a default and may be lost for one change while two releases run
/// side by side (unknown fields are passed over); whatever cannot bear that is a new version.
pub const VERSION: u16 = 1;

/// Everything the gate knows, as it is stored: one item per connection.
///
/// # The day's counts around midnight
/// Near midnight a clock that is off cannot tell on which of the shop's days a call will arrive, so it counts on both:
/// - a call made within `clocks_apart` and a lease before midnight (`late`) counts on its day, and once more on the
///   next (`carried`): it may arrive only then;
/// - a call made less than `clocks_apart` after midnight (or by a slow clock when a fast one has already turned the
///   day) counts on its day, and must still fit into the limit of the day before (`yesterday`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GateState {
    #[serde(deserialize_with = "known_version")]
    pub(super) v: u16,
    pub(super) seq: u64,
    pub(super) day: Date,
    pub(super) used: u32,
    #[serde(default)]
    pub(super) carried: u32,
    #[serde(default)]
    pub(super) late: u32,
    #[serde(default)]
    pub(super) yesterday: u32,
    #[serde(default)]
    pub(super) by_robot: BTreeMap<String, u32>,
    #[serde(default)]
    pub(super) by_lane: PerLane<u32>,
    /// By the clock of the run that set it: the one that was granted a call or a penalty last, or one that entered since
    /// and had reason to set it anew.
    pub(super) next_call_at: Timestamp,
    /// What was to be waited when `next_call_at` was set: the most that anybody has to wait after it, whatever their
    /// clock says. In milliseconds.
    #[serde(default)]
    pub(super) gap_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) holder: Option<String>,
    pub(super) epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_call: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) closed: Option<Closure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sign_ins: Vec<Timestamp>,
}

/// Why nothing calls, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Closure {
    /// When to come again.
    pub until: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Why a gate is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// By our own count the day's limit is spent.
    LimitReached,
    /// What is left of the day is kept for other lanes. Never stored: it holds for one lane only.
    LaneFloor,
    /// The shop itself said that the limit is spent; others may be spending from it.
    RefusedByShop,
}

impl GateState {
    /// The gate of a connection that was never called. Not stored: its first change is written under the condition
    /// that there is no item.
    #[must_use]
    pub fn fresh(now: Timestamp) -> Self {
        Self {
            v: VERSION,
            seq: 0,
            day: quota_day(now),
            used: 0,
            carried: 0,
            late: 0,
            yesterday: 0,
            by_robot: BTreeMap::new(),
            by_lane: PerLane::default(),
            next_call_at: now,
            gap_ms: 0,
            holder: None,
            epoch: 0,
            lease_until: None,
            last_call: None,
            closed: None,
            sign_ins: Vec::new(),
        }
    }

    /// The item's version: 0 where there is no item yet, and one more with every change.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The UTC date on which calls are counted. Never goes back.
    #[must_use]
    pub fn day(&self) -> Date {
        self.day
    }

    /// Calls counted on [`GateState::day`], without [`GateState::carried`]. Never more than the limit.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.used
    }

    /// Calls from the last minutes of the day before that may have reached the shop on this day, and so count on it
    /// too.
    #[must_use]
    pub fn carried(&self) -> u32 {
        self.carried
    }

    /// The day's calls by robot.
    #[must_use]
    pub fn by_robot(&self) -> &BTreeMap<String, u32> {
        &self.by_robot
    }

    /// The day's calls by lane.
    #[must_use]
    pub fn by_lane(&self) -> &PerLane<u32> {
        &self.by_lane
    }

    /// When the next call may begin, by the clock of whoever set it: the holder, or one before it.
    #[must_use]
    pub fn next_call_at(&self) -> Timestamp {
        self.next_call_at
    }

    /// The run that holds the gate.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// Counts the holders: one more at each change of holder. It stays when a holder leaves.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Until when the holder holds without showing itself, by its own clock. To be displayed, never decided by: see
    /// [`super::Observation`].
    #[must_use]
    pub fn lease_until(&self) -> Option<Timestamp> {
        self.lease_until
    }

    /// The id of the last call granted.
    #[must_use]
    pub fn last_call(&self) -> Option<&str> {
        self.last_call.as_deref()
    }

    /// Whether, at the last change, the gate was closed for all. [`GateState::closed_for`] is the one to decide by: it
    /// knows the present rules.
    #[must_use]
    pub fn closed(&self) -> Option<Closure> {
        self.closed
    }

    /// The sign-ins of the last hour and a bit, oldest first.
    #[must_use]
    pub fn sign_ins(&self) -> &[Timestamp] {
        &self.sign_ins
    }

    /// Whether this run, in this epoch, holds the gate. Whoever writes on a run's behalf elsewhere asks this.
    #[must_use]
    pub fn held_by(&self, run: &str, epoch: u64) -> bool {
        self.epoch == epoch && self.holder.as_deref() == Some(run)
    }

    pub(super) fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }

    /// Lets nothing begin before `wait` from `now` on, by the clock of the run that asks.
    pub(super) fn hold_off(&mut self, now: Timestamp, wait: Duration) {
        self.gap_ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.next_call_at = super::later(now, wait);
    }
}

/// Whether `returned`, handed back by the store, is what this run had `attempted` to write: then that write succeeded
/// and only its answer was lost.
///
/// Equality tells, because no two runs attempt the same state from the same `seq`: only one that enters names itself
/// holder, only the holder changes anything else, and each of its calls has an id of its own. Where this says no, the
/// run decides again from `returned`; a call that had been granted before later changes is then known by its call id
/// ([`super::CallDecision::AlreadyGranted`]).
#[must_use]
pub fn adopt(attempted: &GateState, returned: &GateState) -> bool {
    attempted == returned
}

fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let v = u16::deserialize(deserializer)?;
    let oldest = VERSION.saturating_sub(1).max(1);
    if (oldest..=VERSION).contains(&v) {
        Ok(v)
    } else {
        Err(de::Error::custom(format!(
            "the gate's item has version {v}, and this release reads {oldest} to {VERSION}: another release is at work"
        )))
    }
}
