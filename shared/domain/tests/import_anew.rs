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
    anew::make(&mut shipment, &made(&order(), &FIVE), &order(), "", later(), "hanako");
    assert_eq!(shipment.status, Status::Ready);
    assert!(anew::is_same(&before, &shipment), "but for its history");
    // After a crash it is done again, and nothing is said twice.
    assert!(!anew::unchanged(&mut shipment, later(), "hanako"));
    let mut held = made(&without_postal_code(), &FIVE);
    assert!(!anew::wish(&mut held, now(), "hanako") && anew::unchanged(&mut held, later(), "hanako"));
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
