//! One call: whether it may be made, now or when, and what making it changes.

use std::time::Duration;

use jiff::Timestamp;

use super::rules::{GateRules, Lane};
use super::state::{Closure, GateState};
use super::{later, time_to};

/// A call that a run wants to make.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The run, and the epoch in which it entered.
    pub run: &'a str,
    /// See [`GateState::epoch`].
    pub epoch: u64,
    /// For what.
    pub lane: Lane,
    /// The robot whose count goes up.
    pub robot: &'a str,
    /// This call's own id, kept through every repetition of asking for it, and used for no other call.
    pub call_id: &'a str,
    /// A sign-in is a call, and has a limit of its own.
    pub kind: Kind,
    /// When this run's last call really began, by the same clock as `now`. A grant may take long to be written; the
    /// pace is kept between beginnings.
    pub last_began: Option<Timestamp>,
}

/// What kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any but a sign-in.
    Call,
    /// A sign-in: few are borne in an hour, and too many lock the merchant out.
    SignIn,
}

/// The answer to [`GateState::call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallDecision {
    /// The call may be made once this state is written.
    Granted(GateState),
    /// This very call was granted before, and its answer was lost: it may be made, without another change, if its time
    /// is not over (counted from when it was *first* asked for).
    AlreadyGranted,
    /// Another run holds the gate: see [`super::LeaseLost`].
    LeaseLost,
    /// The pace, or the shop's "not before": ask again after this time, with the gate in hand. A wait longer than
    /// [`GateRules::sign_of_life`] is interrupted so often by [`GateState::renew`], or others take the run for dead.
    Wait(Duration),
    /// The shop's "not before" is farther away than anybody should keep the gate for: leave, and come again after this
    /// time.
    NotBefore(Duration),
    /// Nothing calls in this lane until then.
    Closed(Closure),
    /// The hour's sign-ins are spent; other calls are not affected.
    SignInsSpent {
        /// When to come again.
        until: Timestamp,
    },
}

impl GateState {
    /// Decides one call. What is asked first is what ends the run's work soonest: the lease, the day, the pace.
    #[must_use]
    pub fn call(&self, rules: &GateRules, now: Timestamp, call: &Call<'_>) -> CallDecision {
        if self.must_be_held(call.run, call.epoch).is_err() {
            return CallDecision::LeaseLost;
        }
        if self.last_call.as_deref() == Some(call.call_id) {
            return CallDecision::AlreadyGranted;
        }
        if let Some(closure) = self.closed_for(rules, now, call.lane) {
            return CallDecision::Closed(closure);
        }
        let mut next = self.rolled(now);
        next.sign_ins.retain(|&at| now < later(at, rules.sign_in_window()));
        if call.kind == Kind::SignIn {
            if let Some(until) = next.sign_ins_spent(rules, now) {
                return CallDecision::SignInsSpent { until };
            }
            next.sign_ins.push(now);
            next.sign_ins.sort_unstable();
        }
        let wait = self.pace(rules, now, call.last_began);
        if wait > rules.patience() {
            return CallDecision::NotBefore(wait);
        }
        if !wait.is_zero() {
            return CallDecision::Wait(wait);
        }
        next.count(rules, now, call.lane, call.robot);
        next.last_call = Some(call.call_id.to_owned());
        next.hold_off(now, rules.interval);
        CallDecision::Granted(next.changed(rules, now))
    }

    /// How long until the holder's next call may begin.
    fn pace(&self, rules: &GateRules, now: Timestamp, last_began: Option<Timestamp>) -> Duration {
        // More than was once to be waited can only be left if the clock was set back.
        let by_gate = time_to(now, self.next_call_at).min(self.gap());
        let by_run = last_began.map_or(Duration::ZERO, |began| time_to(now, later(began, rules.interval)));
        by_gate.max(by_run.min(rules.interval))
    }

    /// When the next sign-in may be tried, if none may now. For a list of which the old ones are gone.
    fn sign_ins_spent(&self, rules: &GateRules, now: Timestamp) -> Option<Timestamp> {
        let limit = rules.sign_ins_per_hour as usize;
        let over = self.sign_ins.len().checked_sub(limit)?;
        let window = rules.sign_in_window();
        let latest = later(now, window);
        Some(self.sign_ins.get(over).map_or(latest, |&at| later(at, window).min(latest)))
    }
}
