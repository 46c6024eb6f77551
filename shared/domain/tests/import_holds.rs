//! What import holds for a person, whatever robots are on; and what it has to know of products before.

mod processing_support;

use std::collections::HashSet;

use jiff::ToSpan;
use processing_support::{FIVE, now, one, settings, sku};
use renkei_domain::convert::{ConversionRobots, samples};
use renkei_domain::ids::{ShippingMethodId, Sku};
use renkei_domain::import::{self, Context, Verdict, decide};
use renkei_domain::money::Yen;
use renkei_domain::order::SourceOrder;
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::settings::{Temperature, TenantSettings};
use renkei_domain::shipment::{HoldReason, Shipment, ShipmentDetail, Status};
use renkei_domain::work::Place;
use serde_json::{Value, json};

/// An order that is paid and complete, by a carrier that no method has for a keyword.
fn order() -> SourceOrder {
    SourceOrder { payment_state: "cash_on_delivery_authed".into(), carrier: None, ..samples::all()[0].order.clone() }
}

/// The merchant's settings without a default method.
fn without_default(custom: &Value) -> TenantSettings {
    let mut own = settings(&FIVE, custom);
    for method in &mut own.shipping_methods {
        method.default = false;
    }
    own
}

fn stored(own: &TenantSettings, goods: &Goods, order: &SourceOrder) -> Vec<(Shipment, ShipmentDetail)> {
    match decided(own, goods, order, false) {
        Verdict::Store { parcels, .. } => parcels,
        other => panic!("{other:?}"),
    }
}

fn decided(own: &TenantSettings, goods: &Goods, order: &SourceOrder, is_duplicate: bool) -> Verdict {
    decided_without(own, goods, order, &[], is_duplicate)
}

fn decided_without(
    own: &TenantSettings,
    goods: &Goods,
    order: &SourceOrder,
    unknown: &[Sku],
    is_duplicate: bool,
) -> Verdict {
    let context = Context {
        settings: own,
        connection: &own.connections[0],
        robots: &RobotSet::compile(own).unwrap(),
        conversions: &ConversionRobots::compile(own).unwrap(),
        goods,
        conversion_robot: None,
        run: "run",
        place: Place { page: 1, row: 0 },
        now: now(),
    };
    decide(&context, order, unknown, is_duplicate)
}

/// Whoever adds the product lets it go, and then it waits for the other reason alone.
#[test]
fn an_order_that_cannot_be_converted_waits_for_its_products_too() {
    let mut order = samples::all()[3].order.clone();
    order.lines[0].address = None;
    let own = settings(&FIVE, &json!([]));
    let waits = |unknown: &[Sku]| match decided_without(&own, &Goods::new(), &order, unknown, false) {
        Verdict::Quarantine { reason, missing_skus } => (reason.contains("does not say to which"), missing_skus),
        other => panic!("{other:?}"),
    };
    assert_eq!(waits(&[sku("SAMPLE-A")]), (true, vec![sku("SAMPLE-A")]));
    assert_eq!(waits(&[]), (true, Vec::new()));
}

/// Whoever switches the robot on that forbids equal numbers has those that came before known as well.
#[test]
fn a_number_is_noted_whether_it_is_looked_at_or_not() {
    let claims = |robots: &[&str], is_duplicate| match decided(
        &settings(robots, &json!([])),
        &Goods::new(),
        &order(),
        is_duplicate,
    ) {
        Verdict::Store { claim_number, .. } => Some(claim_number),
        Verdict::Quarantine { .. } | Verdict::Refuse { .. } => None,
    };
    let off = ["payment-check", "ecforce-release"];
    assert_eq!(claims(&FIVE, false), Some(true));
    assert_eq!(claims(&FIVE, true), None, "refused");
    assert_eq!((claims(&off, false), claims(&off, true)), (Some(true), Some(false)));
}

/// What lay among the dead letters, or behind a queue that was mended, is not what the shop has by now.
#[test]
fn a_reading_of_long_ago_is_not_imported() {
    let read = now();
    assert!(import::too_old(read, read + 1.hour()).is_none() && import::too_old(read, read - 1.hour()).is_none());
    let late = import::too_old(read, read + 61.minutes());
    assert!(
        matches!(late, Some(Verdict::Quarantine { reason, .. }) if reason.contains("the next fetch reads it anew"))
    );
}

fn said(shipment: &Shipment) -> &str {
    &shipment.events[0].what
}

#[test]
fn a_method_that_a_robot_gives_is_a_method() {
    let none = stored(&without_default(&json!([])), &Goods::new(), &order());
    assert_eq!((none[0].0.status, none[0].0.holds.as_slice()), (Status::Hold, [HoldReason::NeedsReview].as_slice()));
    assert_eq!(said(&none[0].0), "imported: hold needs-review (no shipping method matches)");

    let robot =
        one(json!({ "field": "shipping_method", "exists": false }), json!([{ "set_shipping_method": "yamato" }]));
    let given = stored(&without_default(&robot), &Goods::new(), &order());
    assert_eq!((given[0].0.status, said(&given[0].0)), (Status::Ready, "imported: ready"));
}

/// What a merchant wrote who mends a missing method by the hold that it is.
fn mends_by_the_hold() -> Value {
    let mend = json!([{ "set_shipping_method": "yamato" }, { "clear_hold": "needs-review" }, "to_ready"]);
    one(json!({ "field": "holds", "equals": "needs-review" }), mend)
}

fn methods_of(parcels: &[(Shipment, ShipmentDetail)]) -> Vec<Option<&str>> {
    parcels.iter().map(|(shipment, _)| shipment.shipping_method.as_ref().map(ShippingMethodId::as_str)).collect()
}

#[test]
fn a_robot_that_looks_at_the_hold_for_a_missing_method_finds_it() {
    let mended = stored(&without_default(&mends_by_the_hold()), &Goods::new(), &order());
    assert_eq!((mended[0].0.status, methods_of(&mended)), (Status::Ready, vec![Some("yamato")]));
    assert_eq!(said(&mended[0].0), "imported: ready");

    // What it does not take away stands, and what it takes away is its own decision.
    let looked = one(json!({ "field": "holds", "equals": "needs-review" }), json!([{ "tag": "配送方法なし" }]));
    let looked = stored(&without_default(&looked), &Goods::new(), &order());
    assert_eq!(
        (looked[0].0.status, looked[0].1.tags.as_slice()),
        (Status::Hold, ["配送方法なし".to_owned()].as_slice())
    );
    assert_eq!(said(&looked[0].0), "imported: hold needs-review (no shipping method matches)");
    let released = one(json!({ "all": [] }), json!([{ "clear_hold": "needs-review" }, "to_ready"]));
    let released = stored(&without_default(&released), &Goods::new(), &order());
    assert_eq!((released[0].0.status, methods_of(&released)), (Status::Ready, vec![None]));
}

/// A robot that tells people of the hold has nothing to tell where another gives the method; and one that tells of what
/// may leave has nothing to tell where it may not.
#[test]
fn robots_see_an_order_as_it_comes_to_be() {
    let tells = |field: &str, value: &str, text: &str| json!({ "id": value, "name": text, "when": { "field": field, "equals": value }, "do": [{ "notify": text }] });
    let gives = json!({
        "id": "gives", "name": "gives", "when": { "field": "shipping_method", "exists": false },
        "do": [{ "set_shipping_method": "yamato" }]
    });
    let held = tells("holds", "needs-review", "no method");
    let ready = tells("status", "ready", "may leave");
    let notices = |custom: Value| {
        let parcels = stored(&without_default(&custom), &Goods::new(), &order());
        let events = parcels[0].0.events.iter().skip(1);
        (parcels[0].0.status, events.map(|event| event.what.clone()).collect::<Vec<_>>())
    };
    let with = notices(json!([gives, held, ready]));
    assert_eq!(with, (Status::Ready, vec!["notice: may leave".to_owned()]));
    let without = notices(json!([held, ready]));
    assert_eq!(without, (Status::Hold, vec!["notice: no method".to_owned()]));
}

#[test]
fn each_parcel_is_held_for_its_own_method() {
    let split = json!([{ "split": { "skus": ["SAMPLE-B"], "shipping_method": "nekopos" } }]);
    let robot = one(json!({ "all": [] }), split);
    let parcels = stored(&without_default(&robot), &Goods::new(), &order());
    let status: Vec<Status> = parcels.iter().map(|(shipment, _)| shipment.status).collect();
    assert_eq!(status, [Status::Hold, Status::Ready]);

    let mut both = mends_by_the_hold();
    both.as_array_mut().unwrap().push(json!({ "id": "splits", "name": "splits", "do": robot[0]["do"] }));
    let parcels = stored(&without_default(&both), &Goods::new(), &order());
    let status: Vec<Status> = parcels.iter().map(|(shipment, _)| shipment.status).collect();
    assert_eq!(status, [Status::Ready, Status::Ready]);
    assert_eq!(methods_of(&parcels), [Some("yamato"), Some("nekopos")]);
}

#[test]
fn an_order_of_which_the_shop_said_no_total_is_held() {
    let own = settings(&FIVE, &json!([]));
    let without = SourceOrder { total: Yen(0), ..order() };
    let held = stored(&own, &Goods::new(), &without);
    assert_eq!((held[0].0.status, held[0].0.holds.as_slice()), (Status::Hold, [HoldReason::NeedsReview].as_slice()));
    assert_eq!(said(&held[0].0), "imported: hold needs-review (the shop said no total)");

    let mut free = without;
    free.attributes.insert("total".into(), json!(0));
    for order in [free, order()] {
        assert_eq!(stored(&own, &Goods::new(), &order)[0].0.status, Status::Ready);
    }
}

/// A shop may have voided the payment of an order that is still to be fetched. Being told "working" would take the cancellation
/// away there.
#[test]
fn an_order_whose_payment_is_cancelled_is_imported_as_cancelled_and_tells_the_shop_nothing() {
    let own = settings(&FIVE, &json!([]));
    for state in ["voided", "void"] {
        let (shipment, _) =
            stored(&own, &Goods::new(), &SourceOrder { payment_state: state.into(), ..order() }).remove(0);
        assert_eq!((shipment.status, shipment.shop_work()), (Status::Cancelled, None), "{state}");
        assert!(shipment.cancelled_by_shop && shipment.is_known_as_cancelled_at_shop());
        assert_eq!(said(&shipment), "imported: cancelled");
    }
}

/// A frozen sample that a robot adds goes with what is frozen.
#[test]
fn what_robots_add_is_known_as_it_is_kept() {
    let add = json!([
        { "add_item": { "sku": "ICE-SAMPLE" } },
        { "split": { "temperature": "frozen", "shipping_method": "yamato" } },
    ]);
    let own = settings(&FIVE, &one(json!({ "all": [] }), add));
    let robots = RobotSet::compile(&own).unwrap();
    let wanted = import::skus([&order()], &robots);
    assert_eq!(wanted, HashSet::from(["SAMPLE-A", "SAMPLE-B", "ICE-SAMPLE"].map(sku)));
    assert!(import::skus([], &robots).is_empty(), "nothing is read where there is no order");

    let kept = |sku: Sku| {
        let temperature = if sku.as_str() == "SAMPLE-A" { Temperature::Ambient } else { Temperature::Frozen };
        (sku, temperature)
    };
    let goods: Goods = wanted.into_iter().map(kept).collect();
    let parcels = stored(&own, &goods, &order());
    let items: Vec<Vec<&str>> =
        parcels.iter().map(|(_, detail)| detail.items.iter().map(|item| item.sku.as_str()).collect()).collect();
    assert_eq!(items, [vec!["SAMPLE-A"], vec!["SAMPLE-B", "ICE-SAMPLE"]]);
}
