//! What a warehouse gives back: it waits for a person, or is cancelled where that was asked for; and saying it again changes
//! nothing. Together with all else that can happen: `handover.rs` and `shipment_life.rs`.

mod processing_support;

use jiff::{Timestamp, ToSpan};
use processing_support::{Case, compiled, rule};
use renkei_domain::handover::{
    self, Cancelled, ClaimRefused, GiveBackRefused, ShipRefused, ShippingResult, answer_cancellation, cancel,
    cancel_by_person, claim, is_reason, ship,
};
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Phase, Target};
use renkei_domain::shipment::{CancellationState, Difference, HoldReason, Shipment, Status};
use serde_json::json;

fn at(minute: i64) -> Timestamp {
    "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn ready() -> Shipment {
    Shipment { payment: Payment::Paid, status: Status::Ready, ..Case::new().shipment }
}

fn result(tracking: &str) -> ShippingResult {
    ShippingResult { tracking_number: tracking.into(), shipped_at: at(600), method: None }
}

fn give_back(shipment: &mut Shipment, minute: i64) -> Result<bool, GiveBackRefused> {
    handover::give_back(shipment, " 在庫\nなし\u{7} ", at(minute), "warehouse")
}

#[test]
fn what_is_given_back_waits_for_a_person_and_can_be_claimed_anew() {
    let mut shipment = ready();
    assert_eq!(give_back(&mut shipment, 1), Err(GiveBackRefused::NotClaimed));
    claim(&mut shipment, at(2)).unwrap();
    let mut left = shipment.clone();
    assert_eq!(give_back(&mut shipment, 3), Ok(true));
    assert_eq!((shipment.status, shipment.claimed_at, shipment.updated_at), (Status::Hold, None, at(3)));
    assert_eq!(shipment.holds, [HoldReason::NeedsReview]);
    assert_eq!(shipment.events.last().unwrap().what, "given back: 在庫 なし", "in one line");
    // Whichever of a result and this comes first, counts.
    assert_eq!(ship(&mut shipment, &result("1"), at(4)), Err(ShipRefused::NotClaimed));
    ship(&mut left, &result("1"), at(3)).unwrap();
    assert_eq!(give_back(&mut left, 4), Err(GiveBackRefused::AlreadyShipped));

    // The answer was lost: it is said again, whatever people have made of it by then.
    let mut cancelled = shipment.clone();
    cancel_by_person(&mut cancelled, at(5), "asked for", "hanako");
    assert_eq!(give_back(&mut cancelled, 6), Ok(false));
    assert_eq!(claim(&mut shipment, at(5)), Err(ClaimRefused::OnHold));
    for _ in 0..2 {
        let once = shipment.clone();
        assert_eq!((give_back(&mut shipment, 6), &shipment), (Ok(false), &once));
        shipment.holds.clear();
        shipment.release();
    }
    // It is another claim that is given back now.
    claim(&mut shipment, at(7)).unwrap();
    assert_eq!(give_back(&mut shipment, 8), Ok(true));
}

#[test]
fn a_reason_is_a_line_of_a_hundred_characters() {
    let long = "破損".repeat(50);
    assert!(is_reason("x") && is_reason(&long) && !is_reason(&format!("{long}x")));
    assert!(!is_reason("") && !is_reason(" \u{3000}\n\u{0}"));
    let mut shipment = ready();
    claim(&mut shipment, at(1)).unwrap();
    handover::give_back(&mut shipment, &long.repeat(3), at(2), "hanako").unwrap();
    let event = shipment.events.last().unwrap();
    assert_eq!((event.what.chars().count(), event.by.as_str()), ("given back: ".len() + 100, "hanako"));
}

#[test]
fn what_is_given_back_although_its_cancellation_was_asked_for_is_cancelled() {
    let by_shop = |shipment: &mut Shipment| cancel(shipment, at(2), "voided", "status-sync");
    let by_person = |shipment: &mut Shipment| cancel_by_person(shipment, at(2), "asked for", "hanako");
    for asks in [&by_shop as &dyn Fn(&mut Shipment) -> Cancelled, &by_person] {
        for refuses in [false, true] {
            let mut shipment = ready();
            claim(&mut shipment, at(1)).unwrap();
            assert_eq!(asks(&mut shipment), Cancelled::Requested);
            let mut consented = shipment.clone();
            if refuses {
                answer_cancellation(&mut shipment, false, at(3)).unwrap();
            }
            assert_eq!(give_back(&mut shipment, 4), Ok(true));
            assert_eq!(
                (shipment.status, shipment.cancellation.unwrap().state),
                (Status::Cancelled, CancellationState::Accepted)
            );
            assert_eq!(give_back(&mut shipment, 5), Ok(false));
            // As by consent, to the shop and to what follows.
            answer_cancellation(&mut consented, true, at(4)).unwrap();
            consented.events.clone_from(&shipment.events);
            assert_eq!(shipment, consented);
        }
    }
    let mut consented = ready();
    claim(&mut consented, at(1)).unwrap();
    by_shop(&mut consented);
    answer_cancellation(&mut consented, true, at(3)).unwrap();
    assert_eq!(give_back(&mut consented, 4), Err(GiveBackRefused::Cancelled), "there is nothing left to give back");
}

#[test]
fn what_is_given_back_unpaid_awaits_its_payment_too() {
    // A person had let it go: it goes no more until a person says so again.
    let mut let_go = Shipment { payment: Payment::Unpaid, released_unpaid: true, ..ready() };
    claim(&mut let_go, at(1)).unwrap();
    give_back(&mut let_go, 2).unwrap();
    assert_eq!(let_go.holds, [HoldReason::NeedsReview, HoldReason::AwaitingPayment]);
    assert!(!let_go.released_unpaid);
    // Its payment was lost while it was in hand.
    let mut case = Case { shipment: ready(), ..Case::new() };
    claim(&mut case.shipment, at(1)).unwrap();
    case.shipment.payment = Payment::Unpaid;
    case.shipment.differences = vec![Difference::Payment];
    give_back(&mut case.shipment, 2).unwrap();
    assert!(case.shipment.differences.is_empty() && Target::Held(HoldReason::AwaitingPayment).fits(&case.shipment));
    // Paid again: the release robot takes its reason away, and a person the other.
    case.shipment.payment = Payment::Paid;
    case.apply(&compiled(&["ecforce-release"], &json!([])), Phase::Only(&rule("ecforce-release")));
    assert_eq!((case.shipment.status, case.shipment.holds), (Status::Hold, vec![HoldReason::NeedsReview]));
}
