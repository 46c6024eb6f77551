//! Who may call: entering, staying, leaving, and what the holder reports of the shop.

use std::time::Duration;

use jiff::Timestamp;

use super::rules::{GateRules, Lane};
use super::state::{Closure, GateState, Reason};
use super::{later, time_to};

/// The longest that a shop's `Retry-After` is believed. Longer ones are dates of another year, or mistakes.
const LONGEST_PENALTY: Duration = Duration::from_hours(24);

/// What a waiting run saw: the item, unchanged for so long on its own monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The `seq` that stayed.
    pub seq: u64,
    /// The time since the answer to the *first* read that showed this `seq`.
    pub unchanged_for: Duration,
}

/// The answer to [`GateState::enter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The gate is this run's, once this state is written; its [`GateState::epoch`] goes with every later change.
    Entered(GateState),
    /// Another run is in. Read again after a while, and present an [`Observation`] of this `seq`.
    Held {
        /// The run that is in.
        holder: String,
        /// The item's version, to be watched.
        seq: u64,
        /// Until when it holds without showing itself, by its own clock: to be displayed.
        lease_until: Option<Timestamp>,
    },
    /// There is nothing to hold the gate for.
    Closed(Closure),
}

/// Another run holds the gate, or none: this run must neither call nor write any more. Passing: what is left of its
/// work is done by a run that enters anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this run no longer holds the gate of its connection")]
pub struct LeaseLost;

impl GateState {
    /// Asks for the gate on behalf of a run that wants to call in this lane.
    ///
    /// A run that is already in stays in, in the same epoch: so an answer that was lost costs nothing. Another one
    /// comes in when nobody holds the gate, or when it has observed the holder to be silent for a whole lease.
    #[must_use]
    pub fn enter(
        &self,
        rules: &GateRules,
        now: Timestamp,
        run: &str,
        lane: Lane,
        observed: Option<Observation>,
    ) -> Entry {
        if self.holder.as_deref() == Some(run) {
            return Entry::Entered(self.renewed(rules, now));
        }
        if let Some(closure) = self.closed_for(rules, now, lane) {
            return Entry::Closed(closure);
        }
        if let Some(holder) = &self.holder {
            let silent = observed.is_some_and(|seen| seen.seq == self.seq && seen.unchanged_for >= rules.lease);
            if !silent {
                return Entry::Held { holder: holder.clone(), seq: self.seq, lease_until: self.lease_until };
            }
        }
        let mut next = self.rolled(now);
        next.epoch = self.epoch.saturating_add(1);
        next.holder = Some(run.to_owned());
        next.set_clock_at_entry(rules, now);
        Entry::Entered(next.changed(rules, now))
    }

    /// Shows that the run is alive while it is busy with something else than calls, or with a slow one.
    pub fn renew(&self, rules: &GateRules, now: Timestamp, run: &str, epoch: u64) -> Result<GateState, LeaseLost> {
        self.must_be_held(run, epoch)?;
        Ok(self.renewed(rules, now))
    }

    /// The shop answered "not before": nobody calls for `wait` (at least the pace, at most a day). Counts no call.
    pub fn penalty(
        &self,
        rules: &GateRules,
        now: Timestamp,
        run: &str,
        epoch: u64,
        wait: Duration,
    ) -> Result<GateState, LeaseLost> {
        self.must_be_held(run, epoch)?;
        let mut next = self.rolled(now);
        // The answer came after its call had begun, so a pace counted from now is also kept from there.
        let wait = wait.min(LONGEST_PENALTY).max(rules.interval).max(time_to(now, self.next_call_at).min(self.gap()));
        next.hold_off(now, wait);
        Ok(next.changed(rules, now))
    }

    /// The shop refused because its day's limit is spent: nobody calls until its next day. Just after midnight, when it
    /// may still be speaking of the day before, only until that is past.
    pub fn close(&self, rules: &GateRules, now: Timestamp, run: &str, epoch: u64) -> Result<GateState, LeaseLost> {
        self.must_be_held(run, epoch)?;
        let mut next = self.rolled(now);
        next.closed = Some(Closure { until: next.reopening(rules, now), reason: Reason::RefusedByShop });
        Ok(next.changed(rules, now))
    }

    /// Hands the gate back. The run must have no call under way, and begin none after asking.
    pub fn leave(&self, rules: &GateRules, now: Timestamp, run: &str, epoch: u64) -> Result<GateState, LeaseLost> {
        self.must_be_held(run, epoch)?;
        let mut next = self.rolled(now);
        next.holder = None;
        let mut next = next.changed(rules, now);
        next.lease_until = None;
        Ok(next)
    }

    pub(super) fn must_be_held(&self, run: &str, epoch: u64) -> Result<(), LeaseLost> {
        if self.held_by(run, epoch) { Ok(()) } else { Err(LeaseLost) }
    }

    /// Every change ends here: the next version, with a lease from now on.
    pub(super) fn changed(mut self, rules: &GateRules, now: Timestamp) -> Self {
        self.seq = self.seq.saturating_add(1);
        self.lease_until = Some(later(now, rules.lease));
        // Our own count is judged by the rules of now: they may have changed since the last time.
        if self.closed.is_none_or(|closure| closure.reason != Reason::RefusedByShop) {
            self.closed = self.spent(rules, now);
        }
        self
    }

    fn renewed(&self, rules: &GateRules, now: Timestamp) -> Self {
        let mut next = self.rolled(now);
        // Only if the run's clock was set back can more be left to wait than was once to be waited.
        if time_to(now, self.next_call_at) > self.gap() {
            next.hold_off(now, self.gap());
        }
        next.changed(rules, now)
    }

    /// Sets how long a run that enters at `now` must wait before its first call.
    ///
    /// The stored time is by another clock, and the last call may have begun up to a lease after it was granted. So the
    /// pace is thought of as kept only when both together are over. The shop's "not before" is believed as it stands, by
    /// whatever clock: it is longer than what clocks are apart, or soon over, and an allowance that each entry added
    /// anew would never let it end.
    ///
    /// What still holds is left as it is, so that coming and going changes nothing of it. Only where more is left than
    /// was once to be waited, which is a matter of clocks, does the wait begin anew: each time by a slower clock, and
    /// so in all by no more than clocks are apart.
    fn set_clock_at_entry(&mut self, rules: &GateRules, now: Timestamp) {
        if self.seq == 0 {
            self.hold_off(now, Duration::ZERO);
            return;
        }
        let by_the_clocks = later(later(self.next_call_at, rules.between_machines()), rules.lease);
        let pace = time_to(now, by_the_clocks).min(rules.interval);
        let stored = time_to(now, self.next_call_at);
        let wait = stored.min(self.gap()).max(pace);
        if wait != stored {
            self.hold_off(now, wait);
        }
    }
}
