//! The two ways in which a sync reads, by id and by what changed: what each sees, which one is taken, and that both come to
//! the same end.

mod processing_support;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use processing_support::{Case, FIVE, compiled, rule, settings};
use proptest::prelude::*;
use renkei_domain::handover::{ShippingResult, claim, ship};
use renkei_domain::ids::OrderId;
use renkei_domain::money::Yen;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Facts, Goods, RobotSet, Target, as_known};
use renkei_domain::settings::Connection;
use renkei_domain::shipment::{CancellationState, Difference, HoldReason, Shipment, Status};
use renkei_domain::sync::reading::{self, AHEAD, LATE_WITHIN, Late, OVERLAP, Reading, Window};
use renkei_domain::sync::{Rules, observe};
use serde_json::json;

type End = (Status, Payment, String, Vec<HoldReason>, Vec<Difference>, Option<CancellationState>);

fn connection() -> Connection {
    settings(&[], &json!([])).connections.remove(0)
}

fn at(second: i64) -> Timestamp {
    "2026-11-24T14:00:00Z".parse::<Timestamp>().unwrap() + second.seconds()
}

/// An order as it was imported, paid and ready.
fn imported() -> (Shipment, SourceOrder) {
    let case = Case::new().paying("authed");
    let mut shipment = case.shipment;
    shipment.status = Status::Ready;
    shipment.payment = Payment::Paid;
    (shipment, case.detail.source)
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

#[test]
fn cancellations_of_what_has_left_are_looked_for_where_changes_were_not_read() {
    let (last, now) = (at(0), at(900));
    assert_eq!(reading::late(last, None, true, now), Late::Known);
    assert_eq!(reading::late(last, None, false, now), Late::KnownTo(last));
    // Only the whole time since they were known counts: changes since the last sync are not enough.
    let long_ago = last - SignedDuration::try_from(LATE_WITHIN).unwrap();
    for all_changes in [true, false] {
        let Late::Look(window) = reading::late(last, Some(long_ago), all_changes, now) else { panic!("{all_changes}") };
        assert!(window.from < long_ago && window.before > now);
        assert_eq!(reading::late(last, Some(at(-60)), all_changes, now), Late::KnownTo(at(-60)));
    }
}

/// What happens at the shop, or to a sync.
#[derive(Debug, Clone)]
enum Step {
    Pay(usize, &'static str),
    State(usize, &'static str),
    Edit(usize, i64),
    Claim(usize),
    Ship(usize),
    /// The release robot, to what awaits payment.
    Release,
    Wait(i64),
    /// A webhook names it: it is read by its id at once, whatever else is going on.
    Hint(usize),
    /// A sync that dies after this order was taken over; None comes to its end.
    Sync(Option<usize>),
}

const ORDERS: usize = 6;

/// 処理ロボット適用 of the release after a sync, as the function does it.
fn release(robots: &RobotSet, shipment: &mut Shipment, now: Timestamp) {
    if !Target::Held(HoldReason::AwaitingPayment).fits(shipment) {
        return;
    }
    let case = Case::new();
    let rule = rule("ecforce-release");
    let facts =
        Facts { connection: &case.connection, conversion_robot: None, unknown_skus: &[], duplicate_number: false, now };
    let mut detail = as_known(shipment, &case.detail);
    robots.apply_later(&Goods::new(), &rule, &facts, shipment, &mut detail);
}

fn gone(order: &SourceOrder) -> bool {
    order.state == "canceled" || matches!(order.payment_state.as_str(), "voided" | "void")
}

fn step() -> impl Strategy<Value = Step> {
    let payment = prop::sample::select(vec!["pending", "authed", "captured", "voided", "auth_failed", "new_one"]);
    let state = prop::sample::select(vec!["complete", "working", "canceled"]);
    prop_oneof![
        (0..ORDERS, payment).prop_map(|(order, state)| Step::Pay(order, state)),
        (0..ORDERS, state).prop_map(|(order, state)| Step::State(order, state)),
        (0..ORDERS, 0..3i64).prop_map(|(order, total)| Step::Edit(order, total)),
        (0..ORDERS).prop_map(Step::Claim),
        (0..ORDERS).prop_map(Step::Ship),
        Just(Step::Release),
        (0..1_200i64).prop_map(Step::Wait),
        (0..8 * 3_600i64).prop_map(Step::Wait),
        (0..ORDERS).prop_map(Step::Hint),
        prop::option::of(0..ORDERS).prop_map(Step::Sync),
    ]
}

/// One of two worlds with the same shop.
struct World {
    shipments: BTreeMap<OrderId, Shipment>,
    mark: Option<(Timestamp, Option<Timestamp>)>,
    by_ids: bool,
}

type Shop = BTreeMap<OrderId, SourceOrder>;

fn within(order: &SourceOrder, window: Window) -> bool {
    order.updated_at.is_some_and(|at| window.from <= at && at < window.before)
}

impl World {
    /// Reads the open orders by id, or what changed of open ones and of those that have left and are cancelled.
    fn sync(&mut self, shop: &Shop, imported: &SourceOrder, now: Timestamp, dies: Option<usize>) {
        let window = self.mark.filter(|_| !self.by_ids).map(|(last, _)| Window::since(last, now));
        let shown: Vec<OrderId> = shop
            .iter()
            .filter(|(id, order)| match window {
                Some(window) => within(order, window) && (self.is_open(**id) || gone(order)),
                None => self.is_open(**id),
            })
            .map(|(id, _)| *id)
            .collect();
        for id in shown {
            // Both ways go up the ids, so both die at the same one.
            if dies.is_some_and(|last| id.0 > last as u64) {
                return;
            }
            self.observe(shop, id, imported, now);
        }
        let late = self.mark.map(|(last, known)| reading::late(last, known, window.is_some(), now));
        if let Some(Late::Look(window)) = late {
            let late: Vec<OrderId> =
                shop.iter().filter(|(_, order)| gone(order) && within(order, window)).map(|(id, _)| *id).collect();
            for id in late {
                self.observe(shop, id, imported, now);
            }
        }
        if dies.is_none() {
            let known = if let Some(Late::KnownTo(known)) = late { Some(known) } else { None };
            self.mark = Some((now, known));
        }
    }

    fn observe(&mut self, shop: &Shop, id: OrderId, imported: &SourceOrder, now: Timestamp) {
        let connection = connection();
        let rules = Rules { connection: &connection, hold_unpaid: true };
        observe(self.shipments.get_mut(&id).unwrap(), Some(imported), &shop[&id], rules, now, "status-sync");
    }

    fn is_open(&self, id: OrderId) -> bool {
        matches!(self.shipments[&id].status, Status::Hold | Status::Ready | Status::Picking)
    }

    /// What has left may be known as cancelled later in one world than in the other; nothing else may.
    fn end_but_late(&self) -> Vec<End> {
        let mut end = self.end();
        for (_, _, _, _, _, cancellation) in end.iter_mut().filter(|end| end.0 == Status::Shipped) {
            cancellation.take_if(|state| *state == CancellationState::TooLate);
        }
        end
    }

    /// The end of all. A shop may have cancelled what had left and taken that back before anybody looked.
    fn end_at(&self, shop: &Shop) -> Vec<End> {
        let ends = self.shipments.keys().zip(self.end()).zip(self.end_but_late());
        ends.map(|((id, end), but_late)| if gone(&shop[id]) { end } else { but_late }).collect()
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
    /// Over random histories of pay, cancel, edit, claim and ship in any order, with syncs that die half-way, hints of
    /// webhooks between them and a clock of the shop that is up to 5 minutes off, both ways
    /// of reading end in the same state; and nothing is ever claimable whose latest reading is not paid.
    #[test]
    fn both_ways_of_reading_come_to_the_same_end(skew in -300..=300i64, steps in prop::collection::vec(step(), 0..40)) {
        let (shipment, source) = imported();
        let ids: Vec<OrderId> = (1..=ORDERS as u64).map(OrderId).collect();
        let mut shop: BTreeMap<OrderId, SourceOrder> = ids.iter().map(|id| {
            (*id, SourceOrder { id: *id, updated_at: Some(at(-100_000)), ..source.clone() })
        }).collect();
        let shipments: BTreeMap<OrderId, Shipment> = ids.iter().map(|id| (*id, shipment.clone())).collect();
        let mut worlds = [true, false].map(|by_ids| World { shipments: shipments.clone(), mark: None, by_ids });
        let mut now = at(0);
        let table = connection().payment_states;
        let robots = compiled(&FIVE, &json!([]));
        // At last so long that a cancellation after the parcel left is known in either way.
        let last = [Step::Wait(60), Step::Sync(None), Step::Wait(6 * 3_600), Step::Sync(None)];
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
                // What has left has left in both.
                Step::Ship(order) => {
                    let result = ShippingResult { tracking_number: "1234".into(), shipped_at: now, method: None };
                    for world in &mut worlds {
                        let _ = ship(world.shipments.get_mut(&ids[order]).unwrap(), &result, now);
                    }
                }
                Step::Release => {
                    for shipment in worlds.iter_mut().flat_map(|world| world.shipments.values_mut()) {
                        release(&robots, shipment, now);
                    }
                }
                Step::Hint(order) => {
                    for world in &mut worlds {
                        world.observe(&shop, ids[order], &source, now);
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
                        prop_assert_eq!(worlds[0].end_but_late(), worlds[1].end_but_late());
                        // What is cancelled at the shop is cancelled, asked for, or has left.
                        for (id, shipment) in worlds.iter().flat_map(|world| &world.shipments) {
                            let known = shipment.cancellation.is_some()
                                || matches!(shipment.status, Status::Cancelled | Status::Shipped);
                            prop_assert!(!gone(&shop[id]) || known, "the cancellation of {id} is lost");
                        }
                    }
                }
            }
            // Whatever happened, nobody can take what was not paid by the latest reading.
            for shipment in worlds.iter().flat_map(|world| world.shipments.values()) {
                let paid = table.meaning(&shipment.payment_state) == renkei_domain::payment::Meaning::Paid;
                prop_assert!(paid || claim(&mut shipment.clone(), now).is_err(), "{shipment:?}");
            }
        }
        prop_assert_eq!(worlds[0].end_at(&shop), worlds[1].end_at(&shop));
    }
}
