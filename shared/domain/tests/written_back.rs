//! What the shop was told of a parcel that left, and what is left to tell.

use jiff::Timestamp;
use renkei_domain::handover::{Cancelled, cancel};
use renkei_domain::ids::{AddressId, OrderNumber, ShipFromId, ShippingMethodId};
use renkei_domain::payment::Payment;
use renkei_domain::shipment::{Shipment, ShopError, ShopSync, ShopWork, Status, is_partly_here, is_wholly_out};
use renkei_domain::work::Place;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Out, with a number, and the shop knows that we took the order.
fn out() -> Shipment {
    Shipment {
        id: "shop.1.1".parse().unwrap(),
        order_number: OrderNumber::parse("1").unwrap(),
        address_id: AddressId(1),
        parcels: 1,
        several_addresses: false,
        ship_from: ShipFromId::parse("dc").unwrap(),
        status: Status::Shipped,
        holds: vec![],
        payment: Payment::Paid,
        payment_state: "authed".into(),
        payment_unknown: false,
        released_unpaid: false,
        shop_sync: ShopSync::Acknowledged,
        shipping_method: None,
        tracking_number: Some("1111".into()),
        shipped_at: Some(at(5)),
        claimed_at: Some(at(4)),
        claim_key: None,
        seen_at: None,
        result_at: Some(at(5)),
        cancellation: None,
        cancelled_by_shop: false,
        differences: vec![],
        more_differences: Vec::new(),
        differences_of: None,
        differences_seen: false,
        tracking_told: None,
        told_at: Some(at(2)),
        shop_error: None,
        reappeared: 0,
        imported_at: at(1),
        updated_at: at(5),
        run: String::new(),
        place: Place { page: 1, row: 0 },
        rev: 0,
        detail: String::new(),
        events: vec![],
    }
}

/// The same as it was when the shop was told this number.
fn sent(number: &str) -> Shipment {
    Shipment { tracking_number: Some(number.into()), ..out() }
}

#[test]
fn a_carrier_or_date_corrected_while_the_number_is_told_is_told_again() {
    let read = out();
    let corrections: [fn(&mut Shipment); 2] = [
        |shipment| shipment.shipping_method = Some(ShippingMethodId::parse("yamato").unwrap()),
        |shipment| shipment.shipped_at = Some(at(3)),
    ];
    for correct in corrections {
        let mut parcel = out();
        correct(&mut parcel);
        assert!(parcel.told_result(&read, true, at(6), "robot"));
        assert_eq!((parcel.tracking_told.as_deref(), parcel.shop_work()), (Some(""), Some(ShopWork::WriteBack)));
        let now = parcel.clone();
        assert!(parcel.told_result(&now, true, at(7), "robot"));
        assert_eq!((parcel.tracking_told.as_deref(), parcel.shop_work()), (Some("1111"), Some(ShopWork::TellShipped)));
        // Together with the state: the order is told, and its parcel once more.
        let mut parcel = out();
        correct(&mut parcel);
        assert!(parcel.told_as_shipped(&read, at(6), "robot"));
        assert_eq!((parcel.shop_sync, parcel.shop_work()), (ShopSync::Completed, Some(ShopWork::WriteBack)));
    }
    let mut same = out();
    assert!(same.told_result(&read, true, at(6), "robot") && !same.told_result(&read, true, at(7), "robot"));
}

#[test]
fn only_the_number_that_was_told_counts_as_told() {
    let mut parcel = out();
    assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack));
    // Corrected between the shop's answer and our note.
    parcel.tracking_number = Some("2222".into());
    assert!(parcel.written_back("1111", true, at(6), "robot"));
    assert_eq!((parcel.tracking_told.as_deref(), parcel.shop_work()), (Some("1111"), Some(ShopWork::WriteBack)));
    assert!(parcel.written_back("2222", true, at(7), "robot"));
    assert_eq!(parcel.shop_work(), Some(ShopWork::TellShipped));
    assert!(!parcel.written_back("2222", true, at(8), "robot"), "noting it again changes nothing");
}

#[test]
fn number_and_state_noted_in_one_are_the_two_notes_one_after_the_other() {
    let (mut together, mut apart) = (out(), out());
    assert!(together.told_as_shipped(&sent("1111"), at(6), "robot"));
    assert!(apart.written_back("1111", true, at(6), "robot") && apart.completed(at(6)));
    assert_eq!(together, apart);
    assert_eq!((together.shop_sync, together.shop_work()), (ShopSync::Completed, None));
    assert!(!together.told_as_shipped(&sent("1111"), at(7), "robot"), "noting it again changes nothing");
    // Where a former run noted the number, and did not live to tell the state.
    let mut half = out();
    half.written_back("1111", true, at(6), "robot");
    assert!(half.told_as_shipped(&sent("1111"), at(7), "robot"));
    assert_eq!((half.shop_sync, half.shop_work()), (ShopSync::Completed, None));
    // Corrected between the shop's answers and our note: the other number is still to be told.
    let mut corrected = Shipment { tracking_number: Some("2222".into()), ..out() };
    assert!(corrected.told_as_shipped(&sent("1111"), at(6), "robot"));
    assert_eq!((corrected.shop_sync, corrected.shop_work()), (ShopSync::Completed, Some(ShopWork::WriteBack)));
    assert!(corrected.told_as_shipped(&sent("2222"), at(7), "robot"));
    assert_eq!((corrected.tracking_told.as_deref(), corrected.shop_work()), (Some("2222"), None));
    // Refused meanwhile, or not acknowledged: neither is moved.
    for sync in [ShopSync::Failed, ShopSync::Registered] {
        let mut other = Shipment { shop_sync: sync, ..out() };
        other.told_as_shipped(&sent("1111"), at(6), "robot");
        assert_eq!(other.shop_sync, sync);
    }
}

#[test]
fn a_correction_after_the_end_tells_no_state_again() {
    let mut parcel = out();
    parcel.written_back("1111", true, at(6), "robot");
    assert!(parcel.completed(at(7)) && !parcel.completed(at(8)));
    parcel.tracking_number = Some("2222".into());
    assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack));
    parcel.written_back("2222", true, at(9), "robot");
    assert_eq!((parcel.shop_sync, parcel.shop_work()), (ShopSync::Completed, None));
}

#[test]
fn where_the_shop_moves_states_the_number_is_all() {
    let mut parcel = out();
    parcel.written_back("1111", false, at(6), "robot");
    assert_eq!((parcel.shop_sync, parcel.shop_work()), (ShopSync::Completed, None));
}

#[test]
fn a_parcel_that_left_early_is_written_back_once_the_order_is_acknowledged() {
    let mut parcel = Shipment { shop_sync: ShopSync::Registered, told_at: None, ..out() };
    assert_eq!(parcel.shop_work(), Some(ShopWork::TellWorking));
    assert!(parcel.acknowledged(at(6)) && !parcel.acknowledged(at(7)));
    assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack));
}

#[test]
fn working_without_effect_is_told_again_and_only_if_read_after_it_was_told() {
    let new = Shipment { status: Status::Ready, shop_sync: ShopSync::Registered, told_at: None, ..out() };
    let mut parcel = Shipment { tracking_number: None, shipped_at: None, claimed_at: None, result_at: None, ..new };
    assert!(parcel.acknowledged(at(6)) && !parcel.reappear(at(6)));
    assert_eq!((parcel.shop_work(), parcel.reappeared), (None, 0), "the reading may be older");
    assert!(parcel.reappear(at(7)));
    assert_eq!((parcel.shop_work(), parcel.reappeared), (Some(ShopWork::TellWorking), 1));
}

#[test]
fn shipped_without_effect_is_told_again_and_only_if_read_after_it_was_told() {
    let mut parcel = out();
    parcel.written_back("1111", true, at(6), "robot");
    parcel.completed(at(7));
    assert!(!parcel.clone().still_unshipped(at(7)) && !parcel.clone().reappear(at(6)));
    assert!(parcel.reappear(at(8)));
    assert_eq!((parcel.shop_work(), parcel.reappeared), (Some(ShopWork::TellShipped), 1));
}

/// Its number is told after that, or the state once the others have left: the one record has room for both.
#[test]
fn an_order_of_which_the_first_parcel_has_left_is_told_again_that_it_was_taken() {
    let lead = || Shipment { parcels: 2, ..out() };
    let second = |status| Shipment { id: "shop.1.2".parse().unwrap(), status, tracking_number: None, ..lead() };
    for status in [Status::Hold, Status::Ready, Status::Picking] {
        assert!(is_partly_here(&[lead(), second(status)]));
    }
    for status in [Status::Shipped, Status::Cancelled] {
        assert!(!is_partly_here(&[lead(), second(status)]));
    }

    let mut untold = lead();
    assert!(!untold.reappear_in_part(at(2)), "the reading may be older");
    assert!(untold.reappear_in_part(at(3)) && !untold.reappear_in_part(at(3)));
    assert_eq!((untold.shop_work(), untold.reappeared), (Some(ShopWork::TellWorking), 1));
    assert!(untold.acknowledged(at(6)));
    assert_eq!(untold.shop_work(), Some(ShopWork::WriteBack));

    let mut numbered = lead();
    numbered.written_back("1111", true, at(3), "robot");
    assert!(numbered.reappear_in_part(at(4)));
    assert_eq!(numbered.shop_work(), Some(ShopWork::TellWorking));
    let mut cancelled = numbered.clone();
    assert!(numbered.acknowledged(at(6)));
    assert_eq!((numbered.shop_sync, numbered.shop_work()), (ShopSync::WrittenBack, Some(ShopWork::TellShipped)));
    // What the shop cancels meanwhile is not moved on there, and that it left is told all the same.
    assert_eq!(cancel(&mut cancelled, at(6), "canceled", "robot"), Cancelled::TooLate);
    assert_eq!(cancelled.shop_work(), Some(ShopWork::TellShipped));
    assert!(!cancelled.reappear_in_part(at(9)) && !is_partly_here(&[cancelled, second(Status::Picking)]));
    // A number that is corrected meanwhile is told after that.
    let mut corrected = lead();
    corrected.written_back("1111", true, at(3), "robot");
    assert!(corrected.reappear_in_part(at(4)));
    corrected.tracking_number = Some("2222".into());
    assert!(corrected.acknowledged(at(6)));
    assert_eq!(corrected.shop_work(), Some(ShopWork::WriteBack));
}

#[test]
fn a_number_without_effect_is_told_again_and_only_if_read_after_it_was_told() {
    let mut parcel = out();
    assert!(!parcel.clone().number_dropped(at(9)), "none was told yet");
    parcel.written_back("1111", true, at(6), "robot");
    assert!(!parcel.clone().number_dropped(at(6)), "the reading may be older");
    let mut half = parcel.clone();
    assert!(half.number_dropped(at(7)) && !half.number_dropped(at(7)));
    assert_eq!((half.shop_work(), half.reappeared), (Some(ShopWork::WriteBack), 1));
    assert!(half.tracking_told.is_some(), "a payment is captured with the first number alone");
    half.written_back("1111", true, at(8), "robot");
    assert_eq!(half.shop_work(), Some(ShopWork::TellShipped), "its state is still to be told");
    // Of an order that was told to its end the number is told again, and the state is not.
    parcel.completed(at(7));
    assert!(parcel.number_dropped(at(8)));
    assert_eq!((parcel.shop_sync, parcel.shop_work()), (ShopSync::Completed, Some(ShopWork::WriteBack)));
    parcel.written_back("1111", true, at(9), "robot");
    assert_eq!((parcel.shop_sync, parcel.shop_work()), (ShopSync::Completed, None));
    // One that was corrected meanwhile is told anyway.
    let corrected = Shipment { tracking_number: Some("2222".into()), ..parcel.clone() };
    assert!(!corrected.is_without_number(at(10)));
    // What the shop refused waits for a person.
    let mut failed = Shipment { shop_sync: ShopSync::Failed, tracking_told: Some("1111".into()), ..out() };
    assert!(!failed.number_dropped(at(9)));
}

#[test]
fn number_and_state_without_effect_are_both_told_again() {
    let mut parcel = out();
    parcel.told_as_shipped(&sent("1111"), at(6), "robot");
    // The night finds both, in this order.
    assert!(parcel.number_dropped(at(9)) && parcel.still_unshipped(at(9)));
    assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack));
    parcel.written_back("1111", true, at(10), "robot");
    assert_eq!(parcel.shop_work(), Some(ShopWork::TellShipped));
    assert!(parcel.updated_at >= at(9), "since when it waits");
}

#[test]
fn a_number_that_the_shop_never_shows_is_told_again_so_often_and_no_more() {
    let mut parcel = out();
    parcel.told_as_shipped(&sent("1111"), at(6), "robot");
    for night in 1..=3 {
        assert!(parcel.number_dropped(at(night * 10)), "night {night}");
        assert_eq!(parcel.shop_work(), Some(ShopWork::WriteBack));
        assert!(parcel.told_result(&sent("1111"), true, at(night * 10 + 1), "robot"));
    }
    assert!(parcel.is_without_number(at(40)), "a person is told of it all the same");
    assert!(!parcel.number_dropped(at(40)));
    assert_eq!((parcel.shop_work(), parcel.reappeared), (None, 3));
}

#[test]
fn a_replay_goes_on_where_the_shop_refused() {
    let refuse = |mut parcel: Shipment| {
        parcel.shop_sync = ShopSync::Failed;
        parcel.shop_error = Some(ShopError { code: "AOR2001".into(), message: String::new() });
        assert_eq!(parcel.shop_work(), None);
        assert!(parcel.replay(at(9), "person") && !parcel.replay(at(9), "person"));
        assert!(parcel.shop_error.is_none());
        parcel.shop_work()
    };
    assert_eq!(refuse(Shipment { told_at: None, ..out() }), Some(ShopWork::TellWorking));
    assert_eq!(refuse(out()), Some(ShopWork::WriteBack));
    assert_eq!(refuse(Shipment { tracking_told: Some("1111".into()), ..out() }), Some(ShopWork::TellShipped));
    for other in ["0000", ""] {
        assert_eq!(refuse(Shipment { tracking_told: Some(other.into()), ..out() }), Some(ShopWork::WriteBack));
    }
    // Other parcels than the first do not tell that the order was taken: what was refused of them is their number, or the
    // state.
    let other = || Shipment { id: "shop.1.2".parse().unwrap(), parcels: 2, told_at: None, ..out() };
    assert_eq!(refuse(other()), Some(ShopWork::WriteBack));
    assert_eq!(refuse(Shipment { tracking_told: Some("1111".into()), ..other() }), Some(ShopWork::TellShipped));
}

#[test]
fn an_order_is_out_when_all_that_is_not_cancelled_is() {
    let told = Shipment { shop_sync: ShopSync::WrittenBack, ..out() };
    let cancelled = Shipment { status: Status::Cancelled, ..out() };
    let picking = Shipment { status: Status::Picking, ..out() };
    assert!(is_wholly_out(&[told.clone(), cancelled.clone()]));
    for not in [vec![], vec![cancelled], vec![told.clone(), picking], vec![told.clone(), out()]] {
        assert!(!is_wholly_out(&not), "{not:?}");
    }
    let failed = Shipment { shop_sync: ShopSync::Failed, ..out() };
    assert!(!is_wholly_out(&[told, failed]), "what is not written back keeps the order");
}
