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
    /// Writes of ours that took a cancellation away.
    pub overwritten: Vec<Overwritten>,
}

/// A write of ours that took a cancellation away. Times are by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overwritten {
    /// When it was written.
    pub at: Timestamp,
    /// Since when the shop had shown the order cancelled; None is the beginning.
    pub cancelled_since: Option<Timestamp>,
    /// Was it "shipped"? What has left in spite of its cancellation is told so.
    pub is_shipped: bool,
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
        let mut cancelled_since = None;
        for change in &order.history {
            let to = change.to.as_str().unwrap_or_default();
            match change.field.as_str() {
                "state" => {
                    if change.by == Writer::Api && current.state == "canceled" && to != "canceled" {
                        overwritten.push(Overwritten {
                            at: ours(change.at),
                            cancelled_since,
                            is_shipped: to == "shipped",
                        });
                    }
                    if current.state != "canceled" && to == "canceled" {
                        cancelled_since = Some(ours(change.at));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(history: &serde_json::Value) -> OrderTruth {
        serde_json::from_value(json!({
            "id": 1, "number": "R1", "state": "working", "payment_state": "authed", "shipping_slips": [null],
            "written_working": 1, "written_shipped": 0, "written_slips": 0, "attributes": {}, "shipping_addresses": [], "order_items": [],
            "history": history,
        }))
        .unwrap()
    }

    /// A second write of ours takes nothing away, and whether the shop's people did it is not ours.
    #[test]
    fn a_write_of_ours_over_a_cancellation_is_known_with_the_time_since_which_it_stood() {
        let change = |second: u8, by: &str, from: &str, to: &str| json!({ "at": format!("2026-11-28T00:00:{second:02}Z"), "by": by, "field": "state", "from": from, "to": to });
        let history = json!([
            change(1, "staff", "complete", "canceled"),
            { "at": "2026-11-28T00:00:05Z", "by": "staff", "field": "payment_state", "from": "authed", "to": "voided" },
            change(10, "api", "canceled", "working"),
            change(20, "api", "working", "working"),
            change(30, "staff", "working", "canceled"),
            change(40, "staff", "canceled", "complete"),
        ]);
        let timeline = Timeline::of(&order(&history), 1, &PaymentStates::default());
        let at = |second: i64| Timestamp::from_second(1_795_824_000 + second).unwrap();
        assert_eq!(timeline.overwritten, [Overwritten { at: at(9), cancelled_since: Some(at(0)), is_shipped: false }]);
        assert!(timeline.was_cancelled() && timeline.ends_cancelled(), "the payment is voided");
    }
}
