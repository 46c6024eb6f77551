//! ステータス同期: what an order, read again, means for its shipments.
//!
//! [`observe`] decides about one shipment; [`reading`] decides how orders are read. Both are pure, and observing is safe
//! to repeat: an order that has not changed changes nothing.

mod difference;
pub mod reading;

use std::time::Duration;

use jiff::Timestamp;

pub use difference::differences;

use crate::handover::{self, Cancelled};
use crate::ids::RuleId;
use crate::order::SourceOrder;
use crate::payment::{Meaning, Payment};
use crate::settings::{Connection, STANDARD_CONVERSION, TenantSettings};
use crate::shipment::{Difference, HoldReason, Shipment, Status};

/// 照合 compares orders in so many states of the shop: fetch, working, shipped …
pub const RECONCILED_STATES: u32 = 3;
/// … and reads so many pages of each at most: 5,000 orders.
pub const RECONCILED_PAGES: u32 = 50;

/// The page that the night's comparison goes to after the first one of a state that the shop has `pages` pages of: more than
/// it reads in one night are read in as many nights as they need, and what is behind the last page is the first again.
#[must_use]
pub fn reconciled_from(pages: u64, night: u64) -> u64 {
    let a_night = u64::from(RECONCILED_PAGES) - 1;
    if pages <= u64::from(RECONCILED_PAGES) { 0 } else { (night % pages) * a_night % pages }
}

/// One in so many of a day's calls may be spent on looks at what webhooks name, however many they are.
const LOOKS: u64 = 10;
/// The longest time between two looks.
pub const MOST_BETWEEN_LOOKS: Duration = Duration::from_mins(5);

/// The least time from one look at what webhooks name to the next, at a shop of this daily limit.
#[must_use]
pub fn between_looks(daily_limit: u32) -> Duration {
    Duration::from_secs(LOOKS * 86_400 / u64::from(daily_limit.max(1))).min(MOST_BETWEEN_LOOKS)
}

/// The built-in robot that puts unpaid shipments on hold.
pub const HOLD_UNPAID: &str = "hold-unpaid";

/// What a merchant set up that matters here.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The shop's settings.
    pub connection: &'a Connection,
    /// Are unpaid shipments held?
    pub hold_unpaid: bool,
}

impl<'a> Rules<'a> {
    /// Of a merchant's settings.
    #[must_use]
    pub fn of(settings: &TenantSettings, connection: &'a Connection) -> Self {
        let standard = STANDARD_CONVERSION.to_string();
        let conversion = settings.conversion_robot_of(&connection.id).map_or(standard.as_str(), RuleId::as_str);
        let hold_unpaid = settings.processing_robots.enable.iter().any(|robot| {
            let tied = robot.conversion_robots();
            robot.id().as_str() == HOLD_UNPAID
                && (tied.is_empty() || tied.iter().any(|tied| tied.as_str() == conversion))
        });
        Self { connection, hold_unpaid }
    }
}

/// What was seen on a shipment's order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that may be seen")]
pub struct Seen {
    /// Did the shipment change?
    pub changed: bool,
    /// It is paid now.
    pub paid: bool,
    /// It was paid, and is not any more.
    pub payment_lost: bool,
    /// Likewise, and the warehouse has it in hand: a person has to stop it, or let it go.
    pub lost_in_hand: bool,
    /// The payment state is not in the connection's table: it waits.
    pub unknown_payment: bool,
    /// The shop shows it cancelled, and this became of it.
    pub cancelled: Option<Cancelled>,
    /// The shop shows it cancelled no more, and the request to the warehouse was taken back.
    pub withdrawn: bool,
    /// The shop has something otherwise that it had not before.
    pub new_difference: bool,
}

impl Seen {
    /// Does a person have to look at this?
    #[must_use]
    pub fn for_a_person(self) -> bool {
        matches!(self.cancelled, Some(Cancelled::TooLate)) || self.new_difference
    }
}

/// Takes what the shop shows now over to a shipment. `imported` is the order as the shipment was made from it, or None
/// where only states were read.
///
/// - Paid, by the connection's table → `paid`. Not paid any more → `unpaid`, so that nobody can take it; and on hold,
///   where unpaid ones are held. What the warehouse has in hand already shows it as a difference, and a person is asked.
///   Moving to `ready` is the release robot's.
/// - Cancelled, by order state or payment state → cancelled, requested or reported, as [`handover::cancel`] has it.
/// - Edited → the difference is noted, never applied; held where the merchant wants that.
///
/// A reading that is older than what is known already is passed over.
pub fn observe(
    shipment: &mut Shipment,
    imported: Option<&SourceOrder>,
    order: &SourceOrder,
    rules: Rules<'_>,
    now: Timestamp,
    by: &str,
) -> Seen {
    let mut seen = Seen::default();
    if shipment.seen_at.zip(order.updated_at).is_some_and(|(known, read)| read < known) {
        return seen;
    }
    let before = shipment.clone();
    let meaning = rules.connection.payment_states.meaning(&order.payment_state);
    let state_cancelled = rules.connection.states.cancelled.contains(&order.state);
    if state_cancelled || meaning == Meaning::Cancelled {
        let why = if state_cancelled { &order.state } else { &order.payment_state };
        let became = handover::cancel(shipment, now, &format!("{} at the shop", short(why)), by);
        seen.cancelled = (became != Cancelled::Known).then_some(became);
    } else {
        seen.withdrawn = handover::withdraw_cancellation(shipment, now, by);
    }
    if matches!(shipment.status, Status::Hold | Status::Ready | Status::Picking) {
        payment(shipment, &order.payment_state, meaning, rules, now, by, &mut seen);
        in_hand(shipment, meaning, now, by, &mut seen);
        if let Some(imported) = imported {
            edits(shipment, imported, order, rules, now, by, &mut seen);
        }
    }
    seen.changed = *shipment != before;
    if seen.changed {
        shipment.seen_at = order.updated_at.or(shipment.seen_at);
        shipment.updated_at = now;
    }
    seen
}

fn payment(
    shipment: &mut Shipment,
    state: &str,
    meaning: Meaning,
    rules: Rules<'_>,
    now: Timestamp,
    by: &str,
    seen: &mut Seen,
) {
    state.clone_into(&mut shipment.payment_state);
    seen.unknown_payment = meaning == Meaning::Unknown;
    shipment.payment_unknown = seen.unknown_payment;
    match (meaning, shipment.payment) {
        (Meaning::Paid, Payment::Unpaid) => {
            shipment.payment = Payment::Paid;
            shipment.released_unpaid = false;
            shipment.note(now, format!("paid: {}", short(state)), by);
            seen.paid = true;
        }
        (Meaning::Wait | Meaning::Unknown | Meaning::Cancelled, Payment::Paid) => {
            shipment.payment = Payment::Unpaid;
            seen.payment_lost = true;
            let held = rules.hold_unpaid && shipment.hold(HoldReason::AwaitingPayment);
            let then = if held { "; hold awaiting-payment" } else { "" };
            shipment.note(now, format!("not paid any more: {}{then}", short(state)), by);
        }
        (Meaning::Paid, Payment::Paid) | (Meaning::Wait | Meaning::Unknown | Meaning::Cancelled, Payment::Unpaid) => {}
    }
}

/// What the warehouse has taken cannot be put on hold. That it is not paid any more is shown as a difference; of a payment
/// that is cancelled, the warehouse is asked to give the parcel back instead.
fn in_hand(shipment: &mut Shipment, meaning: Meaning, now: Timestamp, by: &str, seen: &mut Seen) {
    let unpaid = shipment.status == Status::Picking
        && !shipment.released_unpaid
        && matches!(meaning, Meaning::Wait | Meaning::Unknown);
    let shown = shipment.differences.contains(&Difference::Payment);
    if unpaid && !shown {
        shipment.differences.push(Difference::Payment);
        shipment.differences_seen = false;
        shipment.note(now, "not paid any more, and the warehouse has it in hand", by);
        seen.lost_in_hand = true;
        seen.new_difference = true;
    } else if shown && !unpaid {
        shipment.differences.retain(|difference| *difference != Difference::Payment);
    }
}

fn edits(
    shipment: &mut Shipment,
    imported: &SourceOrder,
    order: &SourceOrder,
    rules: Rules<'_>,
    now: Timestamp,
    by: &str,
    seen: &mut Seen,
) {
    let found = differences(imported, order, shipment.address_id);
    let digest = (!found.is_empty()).then(|| difference::digest(order, shipment.address_id));
    let (mut first, more): (Vec<Difference>, Vec<Difference>) =
        found.into_iter().partition(|difference| difference.is_of_first_release());
    // Not an edit, and none that an edit takes back. It is the last by its order.
    first.extend(shipment.differences.iter().filter(|known| **known == Difference::Payment));
    let same_kinds = first == shipment.differences && more == shipment.more_differences;
    if same_kinds && (digest == shipment.differences_of || shipment.differences_of.is_none()) {
        // Of a release before it is kept from now on.
        shipment.differences_of = digest;
        return;
    }
    let known: Vec<Difference> = shipment.all_differences().collect();
    let all: Vec<Difference> = first.iter().chain(&more).copied().collect();
    seen.new_difference |= same_kinds || all.iter().any(|difference| !known.contains(difference));
    let names: Vec<&str> = all.iter().map(|difference| difference.as_str()).collect();
    let mut what = match names.as_slice() {
        [] => "the shop has it as imported again".to_owned(),
        names => format!("the shop has otherwise: {}", names.join(", ")),
    };
    (shipment.differences, shipment.more_differences, shipment.differences_of) = (first, more, digest);
    shipment.differences_seen &= !seen.new_difference;
    let holds = seen.new_difference && rules.connection.status_sync.hold_differences;
    if holds && shipment.hold(HoldReason::NeedsReview) {
        what.push_str("; hold needs-review");
    }
    shipment.note(now, what, by);
}

/// How an event says that a cancellation was announced which the shop does not show.
const ANNOUNCED: &str = "the shop announced its cancellation, and has it as being worked on";

/// Notes that the shop announced a cancellation, by a webhook, that it does not show: it may have been overwritten just before
/// we told that we took the order, and then nothing else says so any more. What nobody has taken is kept for a person to ask
/// at the shop. False if that is on record.
pub fn note_announced(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    if shipment.events.iter().any(|event| event.what.starts_with(ANNOUNCED)) {
        return false;
    }
    let mut what = ANNOUNCED.to_owned();
    if matches!(shipment.status, Status::Hold | Status::Ready) && shipment.hold(HoldReason::NeedsReview) {
        what.push_str("; hold needs-review");
    }
    shipment.note(now, what, by);
    true
}

/// A shop's code as it is shown in a history: codes are short, and what is not is cut.
fn short(code: &str) -> String {
    code.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_that_follow_each_other_look_at_every_page() {
        for pages in [1_u64, 50, 51, 98, 99, 100, 147, 148, 500, 1_000] {
            let mut seen = vec![false; usize::try_from(pages).unwrap()];
            for night in 20_000..=20_000 + pages.div_ceil(49) {
                let from = reconciled_from(pages, night);
                for page in from..from + if from == 0 { 50 } else { 49 } {
                    seen[usize::try_from(page % pages).unwrap()] = true;
                }
            }
            assert!(seen.iter().all(|seen| *seen), "{pages}");
        }
    }

    #[test]
    fn looks_spend_a_tenth_of_a_days_calls_at_most() {
        assert_eq!(between_looks(10_000), Duration::from_secs(86));
        assert_eq!(between_looks(100_000), Duration::from_secs(8));
        assert_eq!(between_looks(1_000), MOST_BETWEEN_LOOKS);
        assert_eq!(between_looks(0), MOST_BETWEEN_LOOKS);
    }
}
