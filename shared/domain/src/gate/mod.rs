//! The gate: may this run call the shop now?
//!
//! A shop grants so many calls a UTC day, wants them one at a time and not faster than its pace, and every robot of the
//! connection spends from that one allowance. So every call, of every function, first wins one change of one small
//! item, the [`GateState`]. The change counts the call, takes its time slot and proves that the run still holds the
//! gate. This module decides what the change is; the store carries it out. In an order's way the gate stands before
//! each word said to the shop: fetching it, telling its state, reading its payment, sending its tracking number.
//!
//! # How the store uses it
//! The item changes only by compare-and-set on [`GateState::seq`]:
//!
//! 1. take the item as last read or written (or [`GateState::fresh`] if there is none) and ask it for the next state;
//! 2. write that under the condition that `seq` is still the one that was asked;
//! 3. on a failed condition take the item that the store hands back. If [`adopt`] knows it, the write had succeeded and
//!    only its answer was lost; otherwise decide again from it, **with the same call id**;
//! 4. on an error or a time-out read the item (consistently) and go on as in 3.
//!
//! Nothing else is needed: a write that is late, repeated or lost meets another `seq` and changes nothing, or is known
//! by its call id and not counted twice. A bare `ADD` would count a repeated call twice.
//!
//! # What a run must keep to
//! - Its id is its own: a function's second try is another run.
//! - `now` comes from one clock that never goes back within the run: the wall clock once, then the monotonic clock on
//!   top. Other runs' clocks may differ by [`GateRules::clocks_apart`] from the true time, either way.
//! - A granted call is begun within [`GateRules::lease`] after the *first* time it was asked for with that call id
//!   (measured on the monotonic clock from before the write), and is over, by its own time limit, within the lease of
//!   the last granted call or renewal. Otherwise it is not begun at all: it stays counted, which is the safe side.
//! - After asking to leave, it does not call any more, whatever became of the write.
//!
//! # What follows, for any interleaving of runs, lost answers and late writes
//! - **One caller.** A lease is broken by *observation*, never by comparing two machines' clocks: whoever waits sees one
//!   and the same `seq` for a whole lease on its own monotonic clock ([`Observation`]), and then takes over with the
//!   next epoch. The lease of the one before began earlier than the observation, so it is over. A run that was paused
//!   finds another holder or epoch at its next change and is told [`LeaseLost`].
//! - **The pace.** Two calls begin at least one interval apart in true time, also across a change of holder: whoever
//!   enters waits an interval, unless by every clock it is over.
//! - **"Not before".** What the shop asked for is kept to within what clocks may be apart, either way, and ends, however
//!   often runs come and go meanwhile. A run that would have to wait for long leaves the gate
//!   ([`CallDecision::NotBefore`]); one that waits inside shows itself ([`GateRules::sign_of_life`]).
//! - **The day's limit.** The item's `day` never goes back, and no more than the limit is counted on it. Around
//!   midnight a clock that is off cannot tell the day, so calls near it count on both days (see [`GateState`]); with
//!   every clock within `clocks_apart` of the shop's, the shop sees at most the limit on every one of its own days.
//!   The price: a day that was spent wholly opens again `clocks_apart` after midnight, and calls made in the last
//!   minutes of a day are missing from the next.
//! - **Floors.** What stands reserved for a lane is never spent by another one ([`rules`]).
//! - **Nobody waits for ever.** When a holder dies, whoever keeps watching holds the gate after one lease. A closed gate
//!   says until when.

mod calls;
mod day;
mod holder;
pub mod rules;
mod state;

pub use calls::{Call, CallDecision, Kind};
pub use day::next_reset;
pub use holder::{Entry, LeaseLost, Observation};
pub use rules::{GateRules, Lane, PerLane};
pub use state::{Closure, GateState, Reason, VERSION, adopt};

use std::time::Duration;

use jiff::Timestamp;

/// `at` and `by` later; the end of time if that is past it.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// `at` and `by` earlier; the beginning of time if that is before it.
fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

/// How long it is from `from` to `to`; nothing if `to` has passed.
fn time_to(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
