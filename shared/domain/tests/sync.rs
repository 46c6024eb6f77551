//! Status sync: what an order read again means.

mod processing_support;

use jiff::{Timestamp, ToSpan};
use processing_support::{Case, settings};
use renkei_domain::handover::{Cancelled, ShippingResult, cancel_by_person, claim, ship};
use renkei_domain::money::Yen;
use renkei_domain::needs::{Need, Needs};
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::settings::Connection;
use renkei_domain::shipment::{
    CancellationState, Difference, HoldReason, Shipment, ShopError, ShopSync, ShopWork, Status,
};
use renkei_domain::sync::{Rules, differences, note_announced, observe};
use serde_json::json;

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
fn a_cancellation_that_only_a_webhook_knows_of_is_on_record_once_and_keeps_what_nobody_has() {
    for (status, after) in
        [(Status::Ready, Status::Hold), (Status::Hold, Status::Hold), (Status::Picking, Status::Picking)]
    {
        let (mut shipment, _) = imported("authed", status);
        assert!(note_announced(&mut shipment, at(0), "hints"));
        assert_eq!(shipment.status, after);
        assert_eq!(shipment.holds.contains(&HoldReason::NeedsReview), after == Status::Hold);
        let once = shipment.clone();
        assert!(!note_announced(&mut shipment, at(1), "hints") && shipment == once);
    }
}

#[test]
fn a_payment_that_is_not_captured_needs_a_person_though_its_number_is_told() {
    let (mut shipment, _) = imported("authed", Status::Shipped);
    shipment.shop_sync = ShopSync::Completed;
    assert_eq!(Needs::of(&shipment), None);
    shipment.shop_error = Some(ShopError { code: ShopError::CAPTURE_UNPROVEN.into(), message: "not captured".into() });
    assert!(Needs::of(&shipment).is_some_and(|needs| needs.has(Need::WriteBack, &connection(), at(0))));
}

#[test]
fn a_cancellation_that_a_warehouse_was_asked_for_is_seen_before_it_is_overdue_and_then_as_that() {
    let (mut shipment, _) = imported("authed", Status::Ready);
    claim(&mut shipment, at(0)).unwrap();
    assert_eq!(cancel_by_person(&mut shipment, at(0), "asked for", "hanako"), Cancelled::Requested);
    let needs = Needs::of(&shipment).unwrap();
    let has = |need, second| needs.has(need, &connection(), at(second));
    assert!(has(Need::Asked, 60) && !has(Need::Cancellation, 60));
    assert!(!has(Need::Asked, 100_000) && has(Need::Cancellation, 100_000));
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
    order.attributes.insert("scheduled_to_be_delivered_at".into(), "2027/01/05".into());
    order.attributes.insert("remark".into(), "玄関に".into());
    shipment.differences_seen = true;
    assert!(see(&mut shipment, &source, &order).new_difference && !shipment.differences_seen);
    let all = [
        Difference::Address,
        Difference::Lines,
        Difference::PaymentMethod,
        Difference::Total,
        Difference::Delivery,
        Difference::Remark,
    ];
    assert_eq!((shipment.all_differences().collect::<Vec<_>>(), shipment.status), (all.to_vec(), Status::Ready));
    assert_eq!(shipment.differences, all[..4], "as the first release reads it");
    // Another edit of the same kinds, which nobody has seen.
    shipment.differences_seen = true;
    assert!(!see(&mut shipment, &source, &order).changed);
    order.addresses[0].parts.insert("addr01".into(), "港区".into());
    assert!(see(&mut shipment, &source, &order).new_difference && shipment.has_unseen_differences());
    // As a release before kept it: it is not told anew.
    let mut before = Shipment { differences_of: None, ..shipment.clone() };
    let seen = see(&mut before, &source, &order);
    assert!(!seen.new_difference && seen.changed && before.differences_of == shipment.differences_of);
    // Back as it was: no difference any more.
    assert!(!see(&mut shipment, &source, &source.clone()).new_difference);
    assert!(shipment.all_differences().next().is_none() && shipment.differences_of.is_none());

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
fn each_part_of_an_address_is_a_difference_by_itself() {
    let parts = "name01 name02 kana01 kana02 company_name zip01 zip02 prefecture_name addr01 addr02 addr03 tel01 tel02";
    let parts: Vec<&str> = parts.split(' ').chain(["tel03"]).collect();
    let (_, mut source) = imported("authed", Status::Ready);
    source.addresses[0].parts = parts.iter().map(|part| ((*part).to_owned(), (*part).to_owned())).collect();
    let edited = |part: &str| {
        let mut order = source.clone();
        order.addresses[0].parts.insert(part.to_owned(), "another".to_owned());
        differences(&source, &order, source.addresses[0].id)
    };
    for part in parts {
        assert_eq!(edited(part), [Difference::Address], "{part}");
    }
    // The shop makes these of them.
    for whole in ["full_name", "full_zip", "full_tel"] {
        assert_eq!(edited(whole), [], "{whole}");
    }
}

#[test]
fn an_order_that_is_emptied_at_the_shop_is_an_edit() {
    let (mut shipment, source) = imported("authed", Status::Ready);
    let mut order = SourceOrder { total: Yen(0), ..source.clone() };
    for line in &mut order.lines {
        line.quantity = 0;
    }
    assert!(see(&mut shipment, &source, &order).for_a_person());
    assert_eq!(shipment.differences, [Difference::Lines, Difference::Total]);
    assert!(!see(&mut shipment, &source, &order).changed, "said once");
}

#[test]
fn an_address_is_the_same_wherever_its_prefecture_is_written() {
    let with = |parts: &[(&str, &str)]| {
        let (shipment, mut source) = imported("authed", Status::Ready);
        source.addresses[0].parts = parts.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        (shipment, source)
    };
    let forms: [&[(&str, &str)]; 5] = [
        // As earlier releases stored it, and as it is read now.
        &[("addr01", "大阪府 大阪市北区見本町")],
        &[("addr01", "大阪市北区見本町"), ("full_address", "大阪府大阪市北区見本町1-1")],
        &[("addr01", "大阪市北区見本町"), ("prefecture_name", "大阪府")],
        &[("addr01", "大阪府大阪市北区見本町"), ("prefecture_name", "大阪府")],
        &[("addr01", "大阪府大阪市北区見本町"), ("full_address", "大阪府大阪市北区見本町1-1")],
    ];
    let others: [&[(&str, &str)]; 3] = [
        &[("addr01", "京都府 大阪市北区見本町")],
        &[("addr01", "大阪市北区見本町")],
        &[("addr01", "大阪市西区見本町"), ("prefecture_name", "大阪府")],
    ];
    for stored in forms {
        let (shipment, source) = with(stored);
        for now in forms {
            assert!(!see(&mut shipment.clone(), &source, &with(now).1).changed, "{stored:?} {now:?}");
        }
        for now in others {
            let mut shipment = shipment.clone();
            assert!(see(&mut shipment, &source, &with(now).1).new_difference, "{stored:?} {now:?}");
            assert_eq!(shipment.differences, [Difference::Address], "{stored:?} {now:?}");
        }
    }
}

#[test]
fn a_payment_lost_in_the_warehouses_hands_is_shown_and_a_person_is_asked() {
    for (state, lost) in [("pending", true), ("auth_failed", true), ("brand_new", true), ("voided", false)] {
        let (mut shipment, source) = imported("authed", Status::Picking);
        let order = SourceOrder { payment_state: state.into(), ..source.clone() };
        let seen = see(&mut shipment, &source, &order);
        assert_eq!((seen.lost_in_hand, seen.for_a_person()), (lost, lost), "{state}");
        assert_eq!(shipment.differences.contains(&Difference::Payment), lost);
        // A cancelled payment is more than that: the warehouse is asked to give the parcel back.
        assert_eq!(shipment.cancellation.is_some(), !lost);
        assert_eq!((shipment.status, shipment.payment), (Status::Picking, Payment::Unpaid));
        assert!(!see(&mut shipment, &source, &order).changed, "said once");
        // An edit besides is one more difference, and none less when it is taken back.
        let edited = SourceOrder { total: Yen(1), ..order.clone() };
        assert!(see(&mut shipment, &source, &edited).new_difference);
        assert!(shipment.differences.contains(&Difference::Total));
        see(&mut shipment, &source, &order);
        assert_eq!(shipment.differences.contains(&Difference::Payment), lost);
        // Paid again: nothing is left of it.
        see(&mut shipment, &source, &source.clone());
        assert_eq!((shipment.payment, shipment.differences.len()), (Payment::Paid, 0));
    }
}

#[test]
fn what_a_person_let_go_unpaid_is_no_difference_and_ends_with_the_payment() {
    let (mut shipment, source) = imported("pending", Status::Ready);
    shipment.released_unpaid = true;
    claim(&mut shipment, at(1)).unwrap();
    let seen = see(&mut shipment, &source, &source.clone());
    assert!(!seen.lost_in_hand && !seen.for_a_person() && shipment.differences.is_empty());
    // Paid, and lost again: that is news.
    let paid = SourceOrder { payment_state: "captured".into(), ..source.clone() };
    assert!(see(&mut shipment, &source, &paid).paid && !shipment.released_unpaid);
    assert!(see(&mut shipment, &source, &source.clone()).lost_in_hand);
}

#[test]
fn what_the_shop_cancelled_is_not_told_working() {
    // Before anybody took it: nothing is left to tell, or the shop's own state would be lost.
    for status in [Status::Hold, Status::Ready] {
        let (mut shipment, source) = imported("authed", status);
        assert_eq!(shipment.shop_work(), Some(ShopWork::TellWorking));
        see(&mut shipment, &source, &SourceOrder { state: "canceled".into(), ..source.clone() });
        assert_eq!((shipment.status, shipment.shop_work()), (Status::Cancelled, None));
        assert!(!shipment.reappear(at(10_000)), "nor later");
    }
    // In the warehouse's hands: not while its answer is open, again if the shop takes the cancellation back …
    let (mut shipment, source) = imported("authed", Status::Picking);
    see(&mut shipment, &source, &SourceOrder { state: "canceled".into(), ..source.clone() });
    assert_eq!(shipment.shop_work(), None);
    let mut back = shipment.clone();
    see(&mut back, &source, &source.clone());
    assert_eq!(back.shop_work(), Some(ShopWork::TellWorking));
    // … and if it leaves all the same, its tracking number is what is told.
    let result = ShippingResult { tracking_number: "1234".into(), shipped_at: at(60), method: None };
    ship(&mut shipment, &result, at(60)).unwrap();
    assert_eq!(shipment.shop_work(), Some(ShopWork::WriteBack));
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
