//! Shipments that a person has made anew: what comes of the order now, and all that happened before stays.

mod processing_support;

use jiff::{Timestamp, ToSpan};
use processing_support::{FIVE, now, settings};
use renkei_domain::convert::{ConversionRobots, samples};
use renkei_domain::import::{Context, Verdict, anew, decide};
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::shipment::{Difference, HoldReason, Shipment, ShopSync, Status};
use renkei_domain::work::Place;
use serde_json::json;

fn order() -> SourceOrder {
    SourceOrder { payment_state: "cash_on_delivery_authed".into(), ..samples::all()[0].order.clone() }
}

fn without_postal_code() -> SourceOrder {
    let mut order = order();
    for address in &mut order.addresses {
        address.parts.retain(|name, _| !name.contains("zip"));
    }
    order
}

/// The order's first shipment as import makes it with these robots.
fn made(order: &SourceOrder, robots: &[&str]) -> Shipment {
    let own = settings(robots, &json!([]));
    let context = Context {
        settings: &own,
        connection: &own.connections[0],
        robots: &RobotSet::compile(&own).unwrap(),
        conversions: &ConversionRobots::compile(&own).unwrap(),
        goods: &Goods::new(),
        conversion_robot: None,
        run: "run",
        place: Place { page: 1, row: 0 },
        now: now(),
    };
    match decide(&context, order, &[], false) {
        Verdict::Store { mut parcels, .. } => parcels.swap_remove(0).0,
        other => panic!("{other:?}"),
    }
}

fn later() -> Timestamp {
    now() + 60.minutes()
}

#[test]
fn an_address_that_was_mended_at_the_shop_takes_the_hold_away() {
    let mut shipment = made(&without_postal_code(), &FIVE);
    assert_eq!(shipment.holds, [HoldReason::BadAddress]);
    shipment.acknowledged(now());
    shipment.differences = vec![Difference::Address];
    shipment.differences_seen = true;
    let order = SourceOrder { updated_at: Some(later()), ..order() };
    let before = shipment.clone();
    anew::make(&mut shipment, &made(&order, &FIVE), &order, "2", later(), "hanako@shop.example");
    assert_eq!((shipment.status, shipment.holds.len(), shipment.payment), (Status::Ready, 0, Payment::Paid));
    assert!(shipment.differences.is_empty() && !shipment.differences_seen);
    assert_eq!((shipment.detail.as_str(), shipment.seen_at), ("2", Some(later())));
    // What happened stays.
    assert_eq!((shipment.shop_sync, shipment.told_at), (ShopSync::Acknowledged, before.told_at));
    assert_eq!((&shipment.run, shipment.imported_at, shipment.rev), (&before.run, before.imported_at, before.rev));
    let last = shipment.events.last().unwrap();
    assert_eq!((last.what.as_str(), last.by.as_str()), ("made anew: ready", "hanako@shop.example"));
    assert_eq!(shipment.events[0], before.events[0]);
}

#[test]
fn what_is_wrong_now_is_held_now() {
    let mut shipment = made(&order(), &FIVE);
    assert_eq!(shipment.status, Status::Ready);
    let order = without_postal_code();
    anew::make(&mut shipment, &made(&order, &FIVE), &order, "2", later(), "hanako");
    assert_eq!((shipment.status, shipment.holds.as_slice()), (Status::Hold, [HoldReason::BadAddress].as_slice()));
}

#[test]
fn what_was_read_as_paid_stays_so_where_no_robot_looks_on_import() {
    let robots = ["hold-unpaid", "ecforce-release"];
    let mut shipment = made(&order(), &robots);
    assert_eq!((shipment.payment, shipment.status), (Payment::Unpaid, Status::Hold));
    // The sync has read it as paid since, and the release robot let it go.
    shipment.payment = Payment::Paid;
    shipment.clear_hold(HoldReason::AwaitingPayment);
    assert!(shipment.release());
    anew::make(&mut shipment, &made(&order(), &robots), &order(), "2", later(), "hanako");
    assert_eq!((shipment.payment, shipment.status), (Payment::Paid, Status::Ready));
    // Paid by another word than the shop's present one is not known.
    let order = SourceOrder { payment_state: "pending".into(), ..order() };
    anew::make(&mut shipment, &made(&order, &robots), &order, "3", later(), "hanako");
    assert_eq!((shipment.payment, shipment.status), (Payment::Unpaid, Status::Hold));
}

#[test]
fn nobody_may_take_it_from_the_wish_on_and_then_it_is_as_it_was() {
    let mut shipment = made(&order(), &FIVE);
    let before = shipment.clone();
    assert!(anew::wish(&mut shipment, now(), "hanako") && !anew::wish(&mut shipment, now(), "hanako"));
    assert_eq!((shipment.status, shipment.holds.as_slice()), (Status::Hold, [HoldReason::NeedsReview].as_slice()));
    assert!(anew::is_wished(&shipment));
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "", later(), "hanako");
    assert_eq!(shipment.status, Status::Ready);
    assert!(anew::is_same(&before, &shipment), "but for its history");
    // After a crash it is done again, and nothing is said twice.
    assert!(!anew::unchanged(&mut shipment, later(), "hanako"));
    // Also what is on hold anyway: what it is held for may fall away meanwhile.
    let mut held = made(&without_postal_code(), &FIVE);
    assert!(anew::wish(&mut held, now(), "hanako") && !anew::wish(&mut held, now(), "hanako"));
    held.clear_hold(HoldReason::BadAddress);
    assert!(!held.release() && anew::unchanged(&mut held, later(), "hanako"));
    let mut gone = Shipment { status: Status::Picking, ..made(&order(), &FIVE) };
    assert!(!anew::wish(&mut gone, now(), "hanako"));
}

#[test]
fn a_hold_by_a_person_or_the_warehouse_stays() {
    let again = |mut shipment: Shipment| {
        anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
        shipment.holds
    };
    let held = |what: &str| {
        let mut shipment = made(&order(), &FIVE);
        shipment.hold(HoldReason::NeedsReview);
        shipment.note(now(), what, "somebody");
        shipment
    };
    assert_eq!(again(held("hold needs-review")), [HoldReason::NeedsReview]);
    assert_eq!(again(held("given back: no stock")), [HoldReason::NeedsReview]);
    // What a sync held for is what is read now; and what was let go since is let go.
    assert_eq!(again(held("the shop has otherwise: address; hold needs-review")), []);
    let mut released = held("hold needs-review");
    released.note(now(), "release", "somebody");
    assert_eq!(again(released), []);
    let mut wished = held("hold remark");
    anew::wish(&mut wished, now(), "hanako");
    assert_eq!(again(wished), [HoldReason::Remark]);
    // A sync's hold that came later hides none of a person's.
    let mut both = held("hold remark");
    both.note(now(), "not paid any more: auth_failed; hold awaiting-payment", "status-sync");
    both.note(now(), "the shop has otherwise: address; hold needs-review", "status-sync");
    assert_eq!(again(both), [HoldReason::Remark]);
    // Nor does a long history.
    let mut long = held("hold remark");
    long.hold(HoldReason::Remark);
    for _ in 0..10 {
        long.note(now(), "differences seen", "somebody");
    }
    assert_eq!(again(long), [HoldReason::Remark]);
}

#[test]
fn of_several_none_is_let_go_before_all_are_made() {
    let mut shipment = made(&order(), &FIVE);
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(anew::keep(&mut shipment) && !anew::keep(&mut shipment));
    assert_eq!(shipment.status, Status::Hold);
    // After a crash in between it is the same once more.
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(anew::keep(&mut shipment) && anew::let_go(&mut shipment) && !anew::let_go(&mut shipment));
    assert_eq!(shipment.status, Status::Ready);
    let mut held = made(&order(), &FIVE);
    held.hold(HoldReason::NeedsReview);
    held.note(now(), "hold needs-review", "somebody");
    anew::make(&mut held, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(!anew::keep(&mut held), "it stays on hold by a person's word");
    // Somebody puts it on hold while the others are made.
    let mut meanwhile = made(&order(), &FIVE);
    anew::make(&mut meanwhile, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(anew::keep(&mut meanwhile));
    meanwhile.note(later(), "hold needs-review", "somebody");
    assert!(!anew::let_go(&mut meanwhile) && meanwhile.status == Status::Hold, "it stays on hold by their word");
}

#[test]
fn what_was_let_go_unpaid_stays_so_while_its_payment_stands_as_it_did() {
    let robots = ["payment-check", "release"];
    let unpaid = SourceOrder { payment_state: "pending".into(), ..order() };
    let mut shipment = made(&unpaid, &robots);
    assert_eq!((shipment.payment, shipment.status), (Payment::Unpaid, Status::Ready));
    shipment.released_unpaid = true;
    anew::make(&mut shipment, &made(&unpaid, &robots), &unpaid, "2", later(), "hanako");
    assert!(shipment.released_unpaid);
    let failed = SourceOrder { payment_state: "auth_failed".into(), ..order() };
    anew::make(&mut shipment, &made(&failed, &robots), &failed, "3", later(), "hanako");
    assert!(!shipment.released_unpaid);
}

#[test]
fn that_it_was_made_anew_is_known_by_its_history() {
    let mut shipment = made(&order(), &FIVE);
    assert!(!anew::is_made_since(&shipment, now()));
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(anew::is_made_since(&shipment, now()) && !anew::is_made_since(&shipment, later() + 1.second()));
}

#[test]
fn what_a_dead_function_left_on_hold_is_not_taken_for_done() {
    let mut shipment = made(&order(), &FIVE);
    assert!(!anew::is_settled_since(&shipment, now()), "not made anew at all");
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "2", later(), "hanako");
    assert!(anew::is_settled_since(&shipment, now()) && !anew::is_settled_since(&shipment, later() + 1.second()));
    // The function dies here, before it lets go of what it keeps.
    assert!(anew::keep(&mut shipment) && !anew::is_settled_since(&shipment, now()));
    assert!(anew::let_go(&mut shipment) && anew::is_settled_since(&shipment, now()));
    shipment.status = Status::Picking;
    assert!(anew::is_settled_since(&shipment, now()), "somebody has taken it");
}

#[test]
fn an_older_reading_is_known_as_one() {
    let shipment = Shipment { seen_at: Some(later()), ..made(&order(), &FIVE) };
    let read = |at: Option<Timestamp>| SourceOrder { updated_at: at, ..order() };
    assert!(anew::is_behind(&shipment, &read(Some(now()))));
    assert!(!anew::is_behind(&shipment, &read(Some(later()))) && !anew::is_behind(&shipment, &read(None)));
}

#[test]
fn only_what_is_in_nobodys_hands_is_made_anew() {
    for status in Status::ALL {
        let shipment = Shipment { status, ..made(&order(), &FIVE) };
        assert_eq!(anew::is_possible(&shipment), matches!(status, Status::Hold | Status::Ready), "{status:?}");
    }
}

/// The shop keeps the numbers of an order to two by address, also where nothing goes to one of them.
#[test]
fn the_one_parcel_of_an_order_to_two_addresses_is_told_by_its_address() {
    let sample = &samples::all()[3].order;
    let mut two = SourceOrder { payment_state: order().payment_state, ..sample.clone() };
    let second = two.addresses[1].id;
    two.lines.retain(|line| line.address == Some(second));
    let shipment = made(&two, &FIVE);
    assert_eq!((shipment.parcels, shipment.address_id), (1, second));
    assert!(shipment.is_told_by_address());
    let kept: Shipment = serde_json::from_value(json!(shipment)).unwrap();
    assert_eq!(kept, shipment);

    // Of an order to one nothing is kept of it, until it has another.
    let mut one = made(&order(), &FIVE);
    assert!(!one.is_told_by_address() && json!(one).get("several_addresses").is_none());
    anew::make(&mut one, &shipment, &two, "2", later(), "hanako");
    assert!(one.is_told_by_address());
    assert!(made(sample, &FIVE).is_told_by_address(), "a parcel of two");
}
