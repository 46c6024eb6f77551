//! What a shop showed of an order, and since when: read from the shop's own books.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::payment::{Meaning, PaymentStates};
use renkei_simulator::api::{OrderTruth, Writer};

/// What the shop showed at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    /// By our clock; None is the beginning.
    since: Option<Timestamp>,
    state: String,
    payment: String,
}

/// What a shop showed of an order over time, by our clock.
#[derive(Debug)]
pub struct Timeline {
    shown: Vec<Shown>,
    table: PaymentStates,
    /// Writes of ours that took a cancellation away, by our clock.
    pub overwritten: Vec<Timestamp>,
}

/// A time in which an order was not to be shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotToShip {
    /// Since when; None if it had never been otherwise.
    pub since: Option<Timestamp>,
    /// What the shop showed: state and payment state.
    pub why: String,
}

impl Timeline {
    /// Of an order, of a shop whose clock is so many seconds ahead of ours.
    pub fn of(order: &OrderTruth, ahead: i64, table: &PaymentStates) -> Self {
        let ours = |at: Timestamp| at - SignedDuration::from_secs(ahead);
        let first = |field: &str, now: &str| {
            let change = order.history.iter().find(|change| change.field == field);
            change.and_then(|change| change.from.as_str()).unwrap_or(now).to_owned()
        };
        let mut current = Shown {
            since: None,
            state: first("state", &order.brief.state),
            payment: first("payment_state", &order.brief.payment_state),
        };
        let mut shown = vec![current.clone()];
        let mut overwritten = Vec::new();
        for change in &order.history {
            let to = change.to.as_str().unwrap_or_default();
            match change.field.as_str() {
                "state" => {
                    if change.by == Writer::Api && current.state == "canceled" && to != "canceled" {
                        overwritten.push(ours(change.at));
                    }
                    to.clone_into(&mut current.state);
                }
                "payment_state" => to.clone_into(&mut current.payment),
                _ => continue,
            }
            current.since = Some(ours(change.at));
            shown.push(current.clone());
        }
        Self { shown, table: table.clone(), overwritten }
    }

    fn is_cancelled(&self, shown: &Shown) -> bool {
        shown.state == "canceled" || self.table.meaning(&shown.payment) == Meaning::Cancelled
    }

    fn may_ship(&self, shown: &Shown) -> bool {
        !self.is_cancelled(shown) && self.table.meaning(&shown.payment) == Meaning::Paid
    }

    /// Did the shop ever show it cancelled?
    pub fn was_cancelled(&self) -> bool {
        self.shown.iter().any(|shown| self.is_cancelled(shown))
    }

    /// Does the shop show it cancelled in the end?
    pub fn ends_cancelled(&self) -> bool {
        self.shown.last().is_some_and(|shown| self.is_cancelled(shown))
    }

    /// Does the shop show it paid in the end?
    pub fn ends_paid(&self) -> bool {
        self.shown.last().is_some_and(|shown| self.table.meaning(&shown.payment) == Meaning::Paid)
    }

    /// If the shop did not let it be shipped at this moment: since when not.
    pub fn not_to_ship_at(&self, at: Timestamp) -> Option<NotToShip> {
        let before: Vec<&Shown> =
            self.shown.iter().filter(|shown| shown.since.is_none_or(|since| since <= at)).collect();
        let mut not = None;
        for shown in before.into_iter().rev() {
            if self.may_ship(shown) {
                break;
            }
            not = Some(NotToShip { since: shown.since, why: format!("{}, {}", shown.state, shown.payment) });
        }
        not
    }

    /// If the shop showed it cancelled at this moment: since when. None too if it always had: then it was never taken.
    pub fn cancelled_at(&self, at: Timestamp) -> Option<Timestamp> {
        let mut since = None;
        for shown in self.shown.iter().filter(|shown| shown.since.is_none_or(|since| since <= at)).rev() {
            if !self.is_cancelled(shown) {
                break;
            }
            since = shown.since;
        }
        since
    }
}
