//! Status sync: what an order read again means, and that both ways of reading come to the same end.

mod processing_support;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use processing_support::{Case, settings};
use proptest::prelude::*;
use renkei_domain::handover::{Cancelled, claim};
use renkei_domain::ids::OrderId;
use renkei_domain::money::Yen;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::settings::Connection;
use renkei_domain::shipment::{CancellationState, Difference, HoldReason, Shipment, Status};
use renkei_domain::sync::reading::{self, AHEAD, OVERLAP, Reading, Window};
use renkei_domain::sync::{Rules, observe};
use serde_json::json;

type End = (Status, Payment, String, Vec<HoldReason>, Vec<Difference>, Option<CancellationState>);

fn connection() -> Connection {
    settings(&[], &json!([])).connections.remove(0)
}

fn at(second: i64) -> Timestamp {
    "2026-11-24T14:00:00Z".parse::<Timestamp>().unwrap() + second.seconds()
}

fn imported(payment_state: &str, status: Status) -> (Shipment, SourceOrder) {
    let case = Case::new().paying(payment_state);
    let mut shipment = case.shipment;
    shipment.status = Status::Hold;
    if status == Status::Hold {
        shipment.hold(HoldReason::AwaitingPayment);
    } else {
        shipment.status = status;
        shipment.payment = Payment::Paid;
    }
    (shipment, case.detail.source)
}

fn see(shipment: &mut Shipment, imported: &SourceOrder, order: &SourceOrder) -> renkei_domain::sync::Seen {
    let connection = connection();
    let rules = Rules { connection: &connection, hold_unpaid: true };
    observe(shipment, Some(imported), order, rules, at(0), "status-sync")
}

#[test]
fn paid_is_paid_and_stays_on_hold_until_a_robot_releases_it() {
    let (mut shipment, source) = imported("pending", Status::Hold);
    let order = SourceOrder { payment_state: "captured".into(), ..source.clone() };
    let seen = see(&mut shipment, &source, &order);
    assert!(seen.paid && seen.changed);
    assert_eq!((shipment.payment, shipment.status), (Payment::Paid, Status::Hold));
    assert_eq!(shipment.payment_state, "captured");
    let once = shipment.clone();
    assert!(!see(&mut shipment, &source, &order).changed);
    assert_eq!(shipment, once);
}

#[test]
fn a_payment_that_goes_back_is_not_releasable() {
    for state in ["pending", "auth_failed", "brand_new"] {
        let (mut shipment, source) = imported("authed", Status::Ready);
        let order = SourceOrder { payment_state: state.into(), ..source.clone() };
        let seen = see(&mut shipment, &source, &order);
        assert!(seen.payment_lost && seen.unknown_payment == (state == "brand_new"));
        assert_eq!((shipment.payment, shipment.status), (Payment::Unpaid, Status::Hold));
        assert_eq!(shipment.holds, [HoldReason::AwaitingPayment]);
        // Also where unpaid ones are not held, nobody can take it.
        let (mut shipment, source) = imported("authed", Status::Ready);
        let connection = connection();
        let rules = Rules { connection: &connection, hold_unpaid: false };
        observe(&mut shipment, Some(&source), &order, rules, at(0), "status-sync");
        assert!(claim(&mut shipment, at(1)).is_err());
    }
}

#[test]
fn cancelled_by_state_or_by_payment() {
    for (state, payment_state) in [("canceled", "authed"), ("complete", "voided"), ("working", "void")] {
        for (status, became) in [
            (Status::Hold, Cancelled::Now),
            (Status::Ready, Cancelled::Now),
            (Status::Picking, Cancelled::Requested),
            (Status::Shipped, Cancelled::TooLate),
        ] {
            let (mut shipment, source) = imported("authed", status);
            let order = SourceOrder { state: state.into(), payment_state: payment_state.into(), ..source.clone() };
            assert_eq!(see(&mut shipment, &source, &order).cancelled, Some(became));
            assert_eq!(see(&mut shipment, &source, &order).cancelled, None);
        }
    }
}

#[test]
fn a_request_is_withdrawn_when_the_shop_shows_it_no_more() {
    let (mut shipment, source) = imported("authed", Status::Picking);
    let cancelled = SourceOrder { state: "canceled".into(), ..source.clone() };
    see(&mut shipment, &source, &cancelled);
    assert_eq!(shipment.cancellation.unwrap().state, CancellationState::Requested);
    assert!(see(&mut shipment, &source, &source.clone()).withdrawn);
    assert_eq!(shipment.cancellation, None);
}

#[test]
fn edits_are_noted_never_applied_and_held_only_where_wanted() {
    let (mut shipment, source) = imported("authed", Status::Ready);
    let mut order = SourceOrder { total: Yen(1), ..source.clone() };
    order.attributes.insert("payment_method_name".into(), "代金引換".into());
    order.lines[0].quantity += 1;
    order.addresses[0].parts.insert("addr01".into(), "千代田区".into());
    assert!(see(&mut shipment, &source, &order).new_difference);
    let all = [Difference::Address, Difference::Lines, Difference::PaymentMethod, Difference::Total];
    assert_eq!((shipment.differences.as_slice(), shipment.status), (all.as_slice(), Status::Ready));
    // Back as it was: no difference any more.
    assert!(!see(&mut shipment, &source, &source.clone()).new_difference);
    assert!(shipment.differences.is_empty());

    let mut connection = connection();
    connection.status_sync.hold_differences = true;
    let rules = Rules { connection: &connection, hold_unpaid: true };
    observe(&mut shipment, Some(&source), &order, rules, at(0), "status-sync");
    assert_eq!(shipment.holds, [HoldReason::NeedsReview]);
    // A person who released it is not overruled by the next sync.
    shipment.clear_hold(HoldReason::NeedsReview);
    shipment.release();
    assert!(!observe(&mut shipment, Some(&source), &order, rules, at(0), "status-sync").changed);
}

#[test]
fn a_reading_older_than_what_is_known_is_passed_over() {
    let (mut shipment, source) = imported("authed", Status::Ready);
    let order = |state: &str, second| SourceOrder {
        payment_state: state.into(),
        updated_at: Some(at(second)),
        ..source.clone()
    };
    assert!(see(&mut shipment, &source, &order("auth_failed", 60)).changed);
    assert!(!see(&mut shipment, &source, &order("authed", 59)).changed);
    assert_eq!(shipment.payment, Payment::Unpaid);
}

#[test]
fn windows_overlap_around_both_midnights() {
    // 00:00 UTC (09:00 in Japan) and 00:00 in Japan (15:00 UTC), and a leap year's last day.
    for midnight in ["2026-11-25T00:00:00Z", "2026-11-24T15:00:00Z", "2028-02-29T15:00:00Z"] {
        let midnight: Timestamp = midnight.parse().unwrap();
        let (before, after) = (midnight - 7.minutes(), midnight + 8.minutes());
        let (first, second) = (Window::since(before - 15.minutes(), before), Window::since(before, after));
        assert!(second.from < first.before && second.from <= before && second.before > after);
        // A shop whose clock is 5 minutes off in either direction stamps a change between the two syncs within.
        for change in [before, midnight, after - 1.second()] {
            for skew in [-300, 300] {
                let stamp = change + skew.seconds();
                assert!(stamp >= second.from && stamp < second.before, "{change} {skew}");
            }
        }
    }
    assert!(OVERLAP > Duration::from_mins(5) && AHEAD > Duration::from_mins(5));
}

#[test]
fn the_cheaper_way_is_taken() {
    assert_eq!(reading::begin(0, true), Reading::Nothing);
    assert_eq!(reading::begin(100, true), Reading::ByIds);
    assert_eq!(reading::begin(1_000, true), Reading::ByChanges);
    assert_eq!(reading::begin(1_000, false), Reading::ByIds);
    assert_eq!(reading::go_on(Some(5_000), 900), Reading::ByIds);
    assert_eq!(reading::go_on(Some(100), 900), Reading::ByChanges);
    assert_eq!(reading::go_on(None, 900), Reading::ByChanges);
    assert_eq!(reading::go_on(Some(5_000), 0), Reading::Nothing);
}

#[test]
fn what_was_imported_long_after_it_was_read_is_read_by_id() {
    let last = at(0);
    let stale = |imported: i64, began: Option<i64>| reading::may_be_stale(last, at(imported), began.map(at));
    assert!(stale(60, Some(-601)), "read long before the sync, imported after it");
    assert!(!stale(60, Some(-600)), "the window reaches back to its reading, whatever the clocks say");
    assert!(!stale(60, Some(10)), "read after the sync began: the window has what came later");
    assert!(!stale(-3_600, Some(-7_200)), "was open in the last sync");
    assert!(stale(60, None));
}

/// What happens at the shop, or to a sync.
#[derive(Debug, Clone)]
enum Step {
    Pay(usize, &'static str),
    State(usize, &'static str),
    Edit(usize, i64),
    Claim(usize),
    Wait(i64),
    /// A sync that dies after this order was taken over; None comes to its end.
    Sync(Option<usize>),
}

const ORDERS: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    let payment = prop::sample::select(vec!["pending", "authed", "captured", "voided", "auth_failed", "new_one"]);
    let state = prop::sample::select(vec!["complete", "working", "canceled"]);
    prop_oneof![
        (0..ORDERS, payment).prop_map(|(order, state)| Step::Pay(order, state)),
        (0..ORDERS, state).prop_map(|(order, state)| Step::State(order, state)),
        (0..ORDERS, 0..3i64).prop_map(|(order, total)| Step::Edit(order, total)),
        (0..ORDERS).prop_map(Step::Claim),
        (0..1_200i64).prop_map(Step::Wait),
        prop::option::of(0..ORDERS).prop_map(Step::Sync),
    ]
}

/// One of two worlds with the same shop.
struct World {
    shipments: BTreeMap<OrderId, Shipment>,
    mark: Option<Timestamp>,
    by_ids: bool,
}

impl World {
    fn sync(
        &mut self,
        shop: &BTreeMap<OrderId, SourceOrder>,
        imported: &SourceOrder,
        now: Timestamp,
        dies: Option<usize>,
    ) {
        let connection = connection();
        let rules = Rules { connection: &connection, hold_unpaid: true };
        let window = self.mark.filter(|_| !self.by_ids).map(|mark| Window::since(mark, now));
        let shown = shop.iter().filter(|(_, order)| {
            window.is_none_or(|window| order.updated_at.is_some_and(|at| window.from <= at && at < window.before))
        });
        for (id, order) in shown {
            // Both ways go up the ids, so both die at the same one.
            if dies.is_some_and(|last| id.0 > last as u64) {
                return;
            }
            let shipment = self.shipments.get_mut(id).unwrap();
            observe(shipment, Some(imported), order, rules, now, "status-sync");
        }
        if dies.is_none() {
            self.mark = Some(now);
        }
    }

    /// What counts: not when something was noticed, but what it is.
    fn end(&self) -> Vec<End> {
        self.shipments
            .values()
            .map(|s| {
                (
                    s.status,
                    s.payment,
                    s.payment_state.clone(),
                    s.holds.clone(),
                    s.differences.clone(),
                    s.cancellation.map(|asked| asked.state),
                )
            })
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Over random histories, with syncs that die half-way and a clock of the shop that is up to 5 minutes off, both ways
    /// of reading end in the same state; and nothing is ever claimable whose latest reading is not paid.
    #[test]
    fn both_ways_of_reading_come_to_the_same_end(skew in -300..=300i64, steps in prop::collection::vec(step(), 0..40)) {
        let (shipment, source) = imported("authed", Status::Ready);
        let ids: Vec<OrderId> = (1..=ORDERS as u64).map(OrderId).collect();
        let mut shop: BTreeMap<OrderId, SourceOrder> = ids.iter().map(|id| {
            (*id, SourceOrder { id: *id, updated_at: Some(at(-100_000)), ..source.clone() })
        }).collect();
        let shipments: BTreeMap<OrderId, Shipment> = ids.iter().map(|id| (*id, shipment.clone())).collect();
        let mut worlds = [true, false].map(|by_ids| World { shipments: shipments.clone(), mark: None, by_ids });
        let mut now = at(0);
        let table = connection().payment_states;
        let last = [Step::Wait(60), Step::Sync(None)];
        for step in steps.into_iter().chain(last) {
            now += SignedDuration::from_secs(1);
            let stamp = now + skew.seconds();
            match step {
                Step::Pay(order, state) => {
                    let order = shop.get_mut(&ids[order]).unwrap();
                    order.payment_state = state.into();
                    order.updated_at = Some(stamp);
                }
                Step::State(order, state) => {
                    let order = shop.get_mut(&ids[order]).unwrap();
                    order.state = state.into();
                    order.updated_at = Some(stamp);
                }
                Step::Edit(order, more) => {
                    let order = shop.get_mut(&ids[order]).unwrap();
                    order.total = Yen(4_500 + more);
                    order.updated_at = Some(stamp);
                }
                // The warehouse takes what both worlds offer: what one of them has not seen yet is not the other's fault.
                Step::Claim(order) => {
                    let id = ids[order];
                    let both = worlds.iter().all(|world| claim(&mut world.shipments[&id].clone(), now).is_ok());
                    if both {
                        for world in &mut worlds {
                            claim(world.shipments.get_mut(&id).unwrap(), now).unwrap();
                        }
                    }
                }
                Step::Wait(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Sync(dies) => {
                    for world in &mut worlds {
                        world.sync(&shop, &source, now, dies);
                    }
                    if dies.is_none() {
                        for world in &worlds {
                            for (id, shipment) in &world.shipments {
                                let paid = table.meaning(&shop[id].payment_state) == renkei_domain::payment::Meaning::Paid;
                                let gone = shop[id].state == "canceled";
                                if claim(&mut shipment.clone(), now).is_ok() {
                                    prop_assert!(paid && !gone, "{id} is claimable");
                                }
                            }
                        }
                        prop_assert_eq!(worlds[0].end(), worlds[1].end());
                    }
                }
            }
        }
    }
}
