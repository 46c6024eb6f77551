//! Claims, cancellations, answers and results in every order: each way ends in one end, never in two.

mod processing_support;

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use processing_support::Case;
use proptest::prelude::*;
use renkei_domain::handover::{
    AnswerRefused, Cancelled, ClaimRefused, ShipRefused, Shipped, ShippingResult, answer_cancellation, cancel,
    cancel_by_person, claim, give_back, is_changed, is_overdue, needs_person, ship, withdraw_cancellation,
};
use renkei_domain::ids::{ShipmentId, ShippingMethodId};
use renkei_domain::payment::Payment;
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShopError, ShopSync, ShopWork, Status};

const PATIENCE: Duration = Duration::from_hours(24);

fn at(minute: i64) -> Timestamp {
    "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn ready() -> Shipment {
    let mut shipment = Case::new().shipment;
    shipment.payment = Payment::Paid;
    shipment.status = Status::Ready;
    shipment.holds.clear();
    shipment
}

fn result(tracking: &str) -> ShippingResult {
    ShippingResult { tracking_number: tracking.into(), shipped_at: at(600), method: None }
}

fn state(shipment: &Shipment) -> Option<CancellationState> {
    shipment.cancellation.map(|asked| asked.state)
}

#[test]
fn only_a_paid_and_ready_shipment_is_claimed_and_only_once() {
    let mut shipment = ready();
    assert_eq!(claim(&mut shipment, at(1)), Ok(()));
    assert_eq!((shipment.status, shipment.claimed_at), (Status::Picking, Some(at(1))));
    assert_eq!(claim(&mut shipment, at(2)), Err(ClaimRefused::AlreadyClaimed));
    assert_eq!(shipment.claimed_at, Some(at(1)));

    let mut unpaid = ready();
    unpaid.payment = Payment::Unpaid;
    assert_eq!(claim(&mut unpaid, at(1)), Err(ClaimRefused::Unpaid));
    let mut held = ready();
    held.hold(HoldReason::Remark);
    assert_eq!(claim(&mut held, at(1)), Err(ClaimRefused::OnHold));
    let mut cancelled = ready();
    assert_eq!(cancel(&mut cancelled, at(1), "state canceled", "status-sync"), Cancelled::Now);
    assert_eq!(claim(&mut cancelled, at(1)), Err(ClaimRefused::Cancelled));
}

#[test]
fn a_cancellation_in_picking_waits_for_the_warehouses_answer() {
    let mut shipment = ready();
    claim(&mut shipment, at(1)).unwrap();
    assert_eq!(answer_cancellation(&mut shipment, true, at(2)), Err(AnswerRefused::NotRequested));
    assert_eq!(cancel(&mut shipment, at(3), "state canceled", "status-sync"), Cancelled::Requested);
    assert_eq!((shipment.status, state(&shipment)), (Status::Picking, Some(CancellationState::Requested)));
    // The next sync sees the same.
    assert_eq!(cancel(&mut shipment, at(4), "state canceled", "status-sync"), Cancelled::Known);

    let mut refused = shipment.clone();
    assert_eq!(answer_cancellation(&mut refused, false, at(5)), Ok(true));
    assert_eq!(answer_cancellation(&mut refused, false, at(6)), Ok(false));
    assert_eq!((refused.status, state(&refused)), (Status::Picking, Some(CancellationState::Refused)));
    assert!(needs_person(&refused, at(7), PATIENCE));
    assert_eq!(ship(&mut refused, &result("1234"), at(8)), Ok(Shipped::Now));
    assert_eq!(state(&refused), Some(CancellationState::Refused));

    assert_eq!(answer_cancellation(&mut shipment, true, at(5)), Ok(true));
    assert_eq!((shipment.status, state(&shipment)), (Status::Cancelled, Some(CancellationState::Accepted)));
    assert_eq!(answer_cancellation(&mut shipment, true, at(6)), Ok(false));
    assert_eq!(answer_cancellation(&mut shipment, false, at(6)), Err(AnswerRefused::AlreadyCancelled));
    assert_eq!(ship(&mut shipment, &result("1234"), at(7)), Err(ShipRefused::LeftCancelled));
    assert!(needs_person(&shipment, at(10_000), PATIENCE));
}

#[test]
fn a_parcel_that_leaves_first_makes_the_cancellation_too_late() {
    let mut shipment = ready();
    claim(&mut shipment, at(1)).unwrap();
    cancel(&mut shipment, at(2), "voided", "status-sync");
    assert_eq!(ship(&mut shipment, &result("1234"), at(3)), Ok(Shipped::Now));
    assert_eq!((shipment.status, state(&shipment)), (Status::Shipped, Some(CancellationState::TooLate)));
    assert_eq!(answer_cancellation(&mut shipment, true, at(4)), Err(AnswerRefused::AlreadyShipped));
    assert!(needs_person(&shipment, at(5), PATIENCE));

    // Cancelled at the shop only after it left.
    let mut late = ready();
    claim(&mut late, at(1)).unwrap();
    ship(&mut late, &result("1234"), at(2)).unwrap();
    assert_eq!(cancel(&mut late, at(3), "voided", "status-sync"), Cancelled::TooLate);
    assert_eq!(cancel(&mut late, at(4), "voided", "status-sync"), Cancelled::Known);
    assert_eq!((late.status, state(&late)), (Status::Shipped, Some(CancellationState::TooLate)));
}

#[test]
fn a_request_without_an_answer_is_overdue_and_can_be_withdrawn() {
    let mut shipment = ready();
    claim(&mut shipment, at(0)).unwrap();
    cancel(&mut shipment, at(0), "voided", "status-sync");
    assert!(!is_overdue(&shipment, at(24 * 60 - 1), PATIENCE));
    assert!(is_overdue(&shipment, at(24 * 60), PATIENCE) && needs_person(&shipment, at(24 * 60), PATIENCE));
    assert!(withdraw_cancellation(&mut shipment, at(24 * 60 + 1), "status-sync"));
    assert!(!needs_person(&shipment, at(30 * 60), PATIENCE) && shipment.status == Status::Picking);
    assert!(!withdraw_cancellation(&mut shipment, at(24 * 60 + 2), "status-sync"));
}

#[test]
fn results_may_be_corrected_and_need_a_claim() {
    let mut shipment = ready();
    assert_eq!(ship(&mut shipment, &result("1"), at(1)), Err(ShipRefused::NotClaimed));
    claim(&mut shipment, at(1)).unwrap();
    assert_eq!(ship(&mut shipment, &result("1"), at(2)), Ok(Shipped::Now));
    assert_eq!(ship(&mut shipment, &result("1"), at(3)), Ok(Shipped::Known));
    assert_eq!(ship(&mut shipment, &result("2"), at(4)), Ok(Shipped::Corrected));
    assert_eq!((shipment.tracking_number.as_deref(), shipment.result_at), (Some("2"), Some(at(2))));
    assert_eq!(shipment.tracking_told, None, "none was told yet: this one is the first");
    // The same number with another date is told to the shop again, too.
    shipment.shop_sync = ShopSync::Completed;
    shipment.tracking_told = Some("2".into());
    assert_eq!(shipment.shop_work(), None);
    let later = ShippingResult { shipped_at: at(60), ..result("2") };
    assert_eq!(ship(&mut shipment, &later, at(61)), Ok(Shipped::Corrected));
    assert_eq!(shipment.shop_work(), Some(ShopWork::WriteBack));
    // And no payment is captured with it, as with the first that the shop is told.
    assert!(shipment.tracking_told.is_some());
}

#[test]
fn a_correction_is_told_though_the_shop_refused_what_it_corrects() {
    let refused = |told_at, tracking_told: Option<&str>| {
        let mut shipment = ready();
        claim(&mut shipment, at(1)).unwrap();
        ship(&mut shipment, &result("1"), at(2)).unwrap();
        shipment.told_at = told_at;
        shipment.tracking_told = tracking_told.map(str::to_owned);
        shipment.shop_sync = match (told_at, tracking_told) {
            (None, _) => ShopSync::Registered,
            (_, None) => ShopSync::Acknowledged,
            (_, Some(_)) => ShopSync::WrittenBack,
        };
        let error = ShopError { code: "AOR2001".into(), message: String::new() };
        let work = shipment.shop_work().expect("something to tell");
        assert!(shipment.refused(work, &error, at(3), "robot") && !shipment.refused(work, &error, at(3), "robot"));
        shipment
    };
    let method = ShippingResult { method: Some(ShippingMethodId::parse("yamato").unwrap()), ..result("1") };
    for correction in [result("2"), method, ShippingResult { shipped_at: at(60), ..result("1") }] {
        for told in [None, Some("1")] {
            let mut shipment = refused(Some(at(1)), told);
            assert_eq!(ship(&mut shipment, &result("1"), at(4)), Ok(Shipped::Known));
            assert_eq!(shipment.shop_work(), None, "the same again waits for a person");
            assert_eq!(ship(&mut shipment, &correction, at(5)), Ok(Shipped::Corrected));
            assert_eq!((shipment.shop_work(), &shipment.shop_error), (Some(ShopWork::WriteBack), &None), "{told:?}");
            assert_eq!(ship(&mut shipment, &correction, at(6)), Ok(Shipped::Known));
        }
        // What it refused was that we took the order: no number mends that.
        let mut shipment = refused(None, None);
        assert_eq!(ship(&mut shipment, &correction, at(5)), Ok(Shipped::Corrected));
        assert!(shipment.is_working_refused() && shipment.shop_work().is_none() && shipment.shop_error.is_some());
    }
    // A payment that was not captured waits for a person, whatever number follows.
    let mut shipment = refused(Some(at(1)), Some("1"));
    shipment.replay(at(4), "hanako");
    shipment.shop_error = Some(ShopError { code: ShopError::CAPTURE_UNPROVEN.into(), message: String::new() });
    ship(&mut shipment, &result("2"), at(5)).unwrap();
    assert!(shipment.is_not_captured());
    // Nor does another refusal hide it, nor trying that again.
    let told = shipment.shop_work().unwrap();
    let error = ShopError { code: "invalid-state".into(), message: String::new() };
    assert!(shipment.refused(told, &error, at(6), "robot") && shipment.is_not_captured());
    assert!(shipment.replay(at(7), "hanako") && shipment.is_not_captured());
    assert_eq!(shipment.shop_work(), Some(told), "and what was refused is told again");
}

#[test]
fn what_left_although_cancelled_is_noted_once_and_asks_a_person() {
    let left = |mut shipment: Shipment, known_at_shop: bool| {
        assert!(!needs_person(&shipment, at(9), PATIENCE));
        let before = shipment.shop_sync;
        let taken = ship(&mut shipment, &result("1"), at(10));
        assert_eq!(taken, Err(ShipRefused::LeftCancelled));
        assert!(is_changed(taken) && needs_person(&shipment, at(10), PATIENCE));
        assert_eq!((shipment.status, shipment.shop_sync, shipment.shop_work()), (Status::Cancelled, before, None));
        assert_eq!(shipment.tracking_number.as_deref(), Some("1"), "by which it can be followed");
        assert_eq!(shipment.is_known_as_cancelled_at_shop(), known_at_shop);
        // A person has seen to it; the warehouse, which heard no answer, says the same again.
        shipment.cancellation.as_mut().unwrap().closed_at = Some(at(11));
        let again = ship(&mut shipment, &result("1"), at(12));
        assert_eq!((again, is_changed(again)), (Err(ShipRefused::Cancelled), false));
        assert_eq!(answer_cancellation(&mut shipment, true, at(13)), Ok(false), "and its consent");
        assert!(!needs_person(&shipment, at(14), PATIENCE));
    };
    // With the warehouse's consent; before anybody took it; and by a person, while the order goes on.
    let mut consented = ready();
    claim(&mut consented, at(1)).unwrap();
    cancel(&mut consented, at(2), "voided", "status-sync");
    consented.acknowledged(at(2));
    answer_cancellation(&mut consented, true, at(3)).unwrap();
    left(consented, true);
    let mut untaken = ready();
    cancel(&mut untaken, at(2), "voided", "status-sync");
    left(untaken, true);
    let mut by_person = second();
    by_person.acknowledged(at(1));
    cancel_by_person(&mut by_person, at(2), "asked for", "hanako");
    left(by_person, false);
}

#[test]
fn what_a_person_asked_for_is_not_the_shops_to_take_back() {
    let by_person = |shipment: &mut Shipment, minute| cancel_by_person(shipment, at(minute), "asked for", "hanako");
    let mut shipment = ready();
    claim(&mut shipment, at(0)).unwrap();
    assert_eq!(by_person(&mut shipment, 1), Cancelled::Requested);
    // The shop knows nothing of it: the order is told as any other.
    assert!(!withdraw_cancellation(&mut shipment, at(2), "status-sync") && !shipment.is_cancelled_at_shop());
    assert_eq!(
        (state(&shipment), shipment.shop_work()),
        (Some(CancellationState::Requested), Some(ShopWork::TellWorking))
    );
    assert_eq!(by_person(&mut shipment, 3), Cancelled::Known);
    assert!(is_overdue(&shipment, at(1 + 24 * 60), PATIENCE));
    // Cancelled at the shop as well: now it is the shop's, with all that follows.
    assert_eq!(cancel(&mut shipment, at(4), "voided", "status-sync"), Cancelled::Known);
    assert_eq!((shipment.shop_work(), shipment.cancellation.unwrap().requested_at), (None, at(1)));
    assert!(withdraw_cancellation(&mut shipment, at(5), "status-sync"));

    // The warehouse refused a person; the shop's cancellation is asked anew.
    by_person(&mut shipment, 6);
    answer_cancellation(&mut shipment, false, at(7)).unwrap();
    assert_eq!(cancel(&mut shipment, at(8), "voided", "status-sync"), Cancelled::Requested);
    assert_eq!(state(&shipment), Some(CancellationState::Requested));
}

/// The second of two parcels.
fn second() -> Shipment {
    let first = Shipment { parcels: 2, ..ready() };
    Shipment { id: ShipmentId { parcel: 2, ..first.id.clone() }, ..first }
}

#[test]
fn a_parcel_whose_order_nobody_tells_any_more_is_told_once_it_left() {
    // The order's first parcel is nobody's yet and cancelled with it, for good; then the shop takes that back.
    let (mut first, mut second) = (Shipment { parcels: 2, ..ready() }, second());
    claim(&mut second, at(1)).unwrap();
    assert_eq!(cancel(&mut first, at(2), "voided", "status-sync"), Cancelled::Now);
    assert_eq!(cancel(&mut second, at(2), "voided", "status-sync"), Cancelled::Requested);
    assert!(withdraw_cancellation(&mut second, at(3), "status-sync"));
    ship(&mut second, &result("1"), at(4)).unwrap();
    assert_eq!((first.shop_work(), second.shop_work()), (None, Some(ShopWork::WriteBack)));
    // Refused and tried again, its number is what is told.
    second.shop_sync = ShopSync::Failed;
    assert!(second.replay(at(5), "hanako"));
    assert_eq!(second.shop_work(), Some(ShopWork::WriteBack));

    // The first parcel tells its order as before.
    let mut in_hand = ready();
    claim(&mut in_hand, at(1)).unwrap();
    cancel(&mut in_hand, at(2), "voided", "status-sync");
    assert!(withdraw_cancellation(&mut in_hand, at(3), "status-sync"));
    assert_eq!(in_hand.shop_work(), Some(ShopWork::TellWorking));
}

#[test]
fn an_order_is_told_for_its_other_parcels_where_a_person_cancels_one() {
    let mut one_of_three = Shipment { parcels: 3, ..ready() };
    assert_eq!(cancel_by_person(&mut one_of_three, at(1), "asked for", "hanako"), Cancelled::Now);
    assert_eq!((one_of_three.status, one_of_three.shop_work()), (Status::Cancelled, Some(ShopWork::TellWorking)));
    assert!(!one_of_three.is_known_as_cancelled_at_shop());
    // Then the shop cancels the order: it is not moved on any more.
    assert_eq!(cancel(&mut one_of_three, at(2), "voided", "status-sync"), Cancelled::Known);
    assert!(one_of_three.is_known_as_cancelled_at_shop() && one_of_three.shop_work().is_none());
    // Where all of it is cancelled here, nothing is told either.
    let mut only = ready();
    cancel_by_person(&mut only, at(1), "asked for", "hanako");
    assert_eq!(only.shop_work(), None);
    let mut last = Shipment { parcels: 3, ..ready() };
    cancel_by_person(&mut last, at(1), "asked for", "hanako");
    assert!(last.ended_untold(at(2)) && !last.ended_untold(at(3)) && last.shop_work().is_none());
}

#[test]
fn unpaid_goes_out_only_if_a_person_said_so_and_until_it_is_held_again() {
    let mut shipment = Shipment { payment: Payment::Unpaid, ..ready() };
    assert_eq!(claim(&mut shipment.clone(), at(1)), Err(ClaimRefused::Unpaid));
    shipment.released_unpaid = true;
    assert_eq!(claim(&mut shipment.clone(), at(1)), Ok(()));
    shipment.hold(HoldReason::NeedsReview);
    shipment.clear_hold(HoldReason::NeedsReview);
    assert!(shipment.release());
    assert_eq!(claim(&mut shipment, at(1)), Err(ClaimRefused::Unpaid));
}

/// What may be done to a shipment, by whom ever.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Claim,
    Cancel,
    CancelByPerson,
    Withdraw,
    Accept,
    Refuse,
    Ship,
    GiveBack,
    Release,
}

const DEEDS: [Deed; 9] = [
    Deed::Claim,
    Deed::Cancel,
    Deed::CancelByPerson,
    Deed::Withdraw,
    Deed::Accept,
    Deed::Refuse,
    Deed::Ship,
    Deed::GiveBack,
    Deed::Release,
];

fn perform(deed: Deed, shipment: &mut Shipment, now: Timestamp) {
    match deed {
        Deed::Claim => drop(claim(shipment, now)),
        Deed::Cancel => drop(cancel(shipment, now, "voided", "status-sync")),
        Deed::CancelByPerson => drop(cancel_by_person(shipment, now, "asked for", "hanako")),
        Deed::Withdraw => drop(withdraw_cancellation(shipment, now, "status-sync")),
        Deed::Accept => drop(answer_cancellation(shipment, true, now)),
        Deed::Refuse => drop(answer_cancellation(shipment, false, now)),
        Deed::Ship => drop(ship(shipment, &result("1"), now)),
        Deed::GiveBack => drop(give_back(shipment, "no stock", now, "warehouse")),
        Deed::Release => {
            shipment.holds.clear();
            shipment.release();
        }
    }
}

/// A record that two parties change by reading it, deciding, and writing on condition that nobody wrote meanwhile.
struct Record {
    shipment: Shipment,
}

impl Record {
    fn write(&mut self, read: &Shipment, mut next: Shipment) -> bool {
        if self.shipment.rev != read.rev {
            return false;
        }
        next.rev = read.rev + 1;
        self.shipment = next;
        true
    }
}

proptest! {
    /// In any order and number: the record stays sound, and repeating the last deed changes nothing.
    #[test]
    fn every_way_ends_in_one_end(deeds in prop::collection::vec(0..DEEDS.len(), 0..12)) {
        let mut shipment = ready();
        let (mut claimed, mut given_back, mut shipped, mut cancelled) = (0, 0, 0, 0);
        for (minute, deed) in (1..).zip(deeds) {
            let before = shipment.clone();
            perform(DEEDS[deed], &mut shipment, at(minute));
            claimed += u8::from(before.status == Status::Ready && shipment.status == Status::Picking);
            given_back += u8::from(before.status == Status::Picking && shipment.status == Status::Hold);
            shipped += u8::from(before.status != Status::Shipped && shipment.status == Status::Shipped);
            cancelled += u8::from(before.status != Status::Cancelled && shipment.status == Status::Cancelled);
            prop_assert!(claimed <= 1 + given_back && shipped + cancelled <= 1, "{shipment:?}");
            // What nobody has in hand shows nothing of whoever had it.
            if matches!(shipment.status, Status::Hold | Status::Ready) {
                prop_assert!(shipment.claimed_at.is_none() && shipment.cancellation.is_none());
            }
            // Out of a last state there is no way.
            if matches!(before.status, Status::Shipped | Status::Cancelled) {
                prop_assert_eq!(before.status, shipment.status);
            }
            match state(&shipment) {
                Some(CancellationState::Requested) => prop_assert_eq!(shipment.status, Status::Picking),
                Some(CancellationState::Accepted) => prop_assert_eq!(shipment.status, Status::Cancelled),
                // Of what left although it is cancelled, too.
                Some(CancellationState::TooLate) => {
                    prop_assert!(matches!(shipment.status, Status::Shipped | Status::Cancelled));
                    prop_assert!(shipment.tracking_number.is_some() && needs_person(&shipment, at(minute), PATIENCE));
                }
                Some(CancellationState::Refused) => {
                    prop_assert!(matches!(shipment.status, Status::Picking | Status::Shipped));
                }
                None => {}
            }
            let once = shipment.clone();
            perform(DEEDS[deed], &mut shipment, at(minute));
            prop_assert_eq!(&once, &shipment, "{:?} twice", DEEDS[deed]);
        }
    }

    /// Once the shop has cancelled an order, its first parcel may tell nothing any more. Whatever happens to another parcel
    /// before and after that: if it left, the shop is told.
    #[test]
    fn a_parcel_that_left_is_told_whatever_became_of_the_first(deeds in prop::collection::vec(0..DEEDS.len(), 0..12)) {
        let mut parcel = second();
        let mut cancelled_at_shop = false;
        for (minute, deed) in (1..).zip(deeds) {
            cancelled_at_shop |= matches!(DEEDS[deed], Deed::Cancel);
            perform(DEEDS[deed], &mut parcel, at(minute));
        }
        if cancelled_at_shop && parcel.status == Status::Shipped {
            prop_assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack), "{:?}", parcel);
        }
    }

    /// A claim and a cancellation at the same moment, their reads and writes in any order: one of the two wins, and the
    /// loser, deciding anew, makes a request of a cancellation that came second and a refusal of a claim that did.
    #[test]
    fn a_claim_and_a_cancellation_at_once_end_in_one_of_the_two(steps in prop::collection::vec(any::<bool>(), 2..8)) {
        let mut record = Record { shipment: ready() };
        let mut reads: [Option<Shipment>; 2] = [None, None];
        let mut done = [false, false];
        // Steps in the given order, then each party until it is done.
        let order = steps.into_iter().chain([true, true, true, false, false, false]);
        for party in order.map(usize::from) {
            if done[party] {
                continue;
            }
            match reads[party].take() {
                None => reads[party] = Some(record.shipment.clone()),
                Some(read) => {
                    let mut next = read.clone();
                    if party == 0 {
                        done[0] = claim(&mut next, at(1)).is_err() || record.write(&read, next);
                    } else {
                        let known = cancel(&mut next, at(1), "voided", "status-sync") == Cancelled::Known;
                        done[1] = known || record.write(&read, next);
                    }
                }
            }
        }
        prop_assert!(done == [true, true]);
        let shipment = &record.shipment;
        let cancelled = shipment.status == Status::Cancelled && shipment.claimed_at.is_none();
        let requested = shipment.status == Status::Picking && state(shipment) == Some(CancellationState::Requested);
        prop_assert!(cancelled != requested, "{shipment:?}");
    }
}
