//! How a sync reads orders: by id in hundreds, or what changed since the last sync; whichever costs fewer calls.
//!
//! Both go up the orders' ids, so a reading can stop anywhere and go on after the last id, in either way: what is above
//! it is still to be read. What changed is read in a window on the shop's own times. The window reaches back before the
//! last sync, and ahead of now, because the shop's clock and ours may be minutes apart; orders that are read twice for
//! that change nothing the second time.

use std::time::Duration;

use jiff::Timestamp;

/// Rows of a page.
const PAGE: u64 = 100;
/// How far a window reaches back before the last sync. Clocks may be 5 minutes apart, and a shop may take a while from
/// stamping a change to showing it.
pub const OVERLAP: Duration = Duration::from_mins(15);
/// How far a window reaches ahead of now, for a shop whose clock is ahead of ours.
pub const AHEAD: Duration = Duration::from_mins(15);

/// The shop's times `[from, before)` of changes to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Changes from here on …
    pub from: Timestamp,
    /// … and before this.
    pub before: Timestamp,
}

impl Window {
    /// What may have changed since a sync that began at `last`, for one that reads at `now`.
    #[must_use]
    pub fn since(last: Timestamp, now: Timestamp) -> Self {
        let from = last.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        let before = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        Self { from, before }
    }
}

/// A way of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Nothing is open: no call.
    Nothing,
    /// The open orders by id, a hundred a call.
    ByIds,
    /// What changed, a hundred a call.
    ByChanges,
}

/// How to begin: with `open` orders still to be looked at, after a sync (or never). How much changed is not known before
/// the first page is read, but a page of ids is never worse than a page of changes.
#[must_use]
pub fn begin(open: usize, synced_before: bool) -> Reading {
    match open as u64 {
        0 => Reading::Nothing,
        1..=PAGE => Reading::ByIds,
        _ if synced_before => Reading::ByChanges,
        _ => Reading::ByIds,
    }
}

/// How to go on after a page of changes: `changed` rows of which are still to be read, by the shop's count, and `open`
/// orders above the last id that was read.
#[must_use]
pub fn go_on(changed: Option<u64>, open: usize) -> Reading {
    let open = open as u64;
    match changed {
        _ if open == 0 => Reading::Nothing,
        // Of two that are alike, ids: their last page is known to be the last.
        Some(changed) if changed.div_ceil(PAGE) >= open.div_ceil(PAGE) => Reading::ByIds,
        Some(_) | None => Reading::ByChanges,
    }
}

/// Does a listing by id stand still: its page of orders above `after` had none higher than that? Read again it would be
/// the same, for as long as there are calls. None is the page's highest id if it had no order.
#[must_use]
pub fn stands(after: u64, highest: Option<u64>) -> bool {
    highest.is_none_or(|highest| highest <= after)
}

/// The fewest and the most calls that a sync spends which begins this way, with `open` orders to look at. `stale` of them are
/// perhaps to be read by id besides ([`may_be_stale`]). Holds where the shop says how much changed: each page of changes after
/// the first is one that saves a page of ids.
#[must_use]
pub fn calls(way: Reading, open: usize, stale: usize) -> (u64, u64) {
    let by_ids = (open as u64).div_ceil(PAGE);
    match way {
        Reading::Nothing => (0, 0),
        Reading::ByIds => (by_ids, by_ids),
        Reading::ByChanges => (1, 1 + by_ids + (stale as u64).div_ceil(PAGE)),
    }
}

/// How far clocks may be apart: so much of the overlap is theirs.
const CLOCKS_APART: Duration = Duration::from_mins(5);

/// How long cancellations of what has left may stay unread where only open orders are read.
pub const LATE_WITHIN: Duration = Duration::from_hours(6);
/// The most calls a day that reading them costs where all syncs go by ids: one for cancelled states and one for cancelled
/// payments, each time.
pub const LATE_CALLS: u32 = 8;

/// What a sync does about cancellations of orders that have left: they come too late, and are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Nothing: they are known up to when it began.
    Known,
    /// Nothing yet: they are known up to this time, not long ago.
    KnownTo(Timestamp),
    /// It looks for them in this window.
    Look(Window),
}

/// Reading all that changed shows what was cancelled after it left; reading open orders by id does not, so that it is
/// looked for now and then. `last` is when the last sync began, `known` up to when these were known at its end if not as
/// far; `all_changes` says whether this sync, which began at `now`, has read all changes since.
#[must_use]
pub fn late(last: Timestamp, known: Option<Timestamp>, all_changes: bool, now: Timestamp) -> Late {
    if all_changes && known.is_none() {
        return Late::Known;
    }
    let known = known.unwrap_or(last);
    if known.saturating_add(LATE_WITHIN).is_ok_and(|due| due <= now) {
        Late::Look(Window::since(known, now))
    } else {
        Late::KnownTo(known)
    }
}

/// Was a shipment imported so late after its order was read that a change may lie before the window? Then it is read by
/// its id. `fetch_began` is when the run began that read it, which is never after the reading.
#[must_use]
pub fn may_be_stale(last_sync: Timestamp, imported_at: Timestamp, fetch_began: Option<Timestamp>) -> bool {
    // Listings follow the records a moment behind; what was imported shortly before a sync may have been missed by it.
    let new = imported_at.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX) >= last_sync;
    let reaches = last_sync.saturating_sub(OVERLAP.saturating_sub(CLOCKS_APART)).unwrap_or(Timestamp::MIN);
    new && fetch_began.is_none_or(|began| began < reaches)
}
