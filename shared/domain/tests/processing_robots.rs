//! Robots of a merchant's own: conditions, actions, and how they work together.

mod processing_support;

use jiff::Timestamp;
use jiff::civil::date;
use processing_support::{Case, FIVE, compiled, hanako_custom, hanako_custom_json, one, rule, sku};
use renkei_domain::processing::{Facts, ImportDecision, Phase, divide};
use renkei_domain::shipment::{HoldReason, Status};
use serde_json::{Value, json};

#[test]
fn the_first_subscription_order_gets_its_leaflet_once() {
    let robots = compiled(&FIVE, &hanako_custom_json());
    let leaflets = |case: &Case| case.detail.items.iter().filter(|item| item.sku == sku("LEAFLET-1")).count();
    for times in [json!(1), json!("1"), json!(1.0), json!(" 1 ")] {
        let mut case = Case::new().attribute("times", times.clone());
        for _ in 0..3 {
            case.import(&robots);
        }
        assert_eq!(leaflets(&case), 1, "{times}");
        let leaflet = case.detail.items.last().unwrap();
        assert_eq!(leaflet.added_by, Some(rule("first-subscription-leaflet")));
        assert_eq!((leaflet.quantity, leaflet.price.0), (1, 0));
    }
    for (kind, times) in
        [("定期受注", json!(2)), ("通常受注", json!(1)), ("定期受注", Value::Null), ("定期受注", json!("01"))]
    {
        let mut case = Case::new().attribute("kind", kind).attribute("times", times);
        case.import(&robots);
        assert_eq!(leaflets(&case), 0);
    }
}

#[test]
fn a_leaflet_that_the_customer_ordered_is_not_the_bundled_one() {
    let robots = compiled(&FIVE, &hanako_custom_json());
    let mut case = Case::new();
    case.detail.items[0].sku = sku("LEAFLET-1");
    case.import(&robots);
    assert_eq!(case.detail.items.iter().filter(|item| item.sku == sku("LEAFLET-1")).count(), 2);
}

#[test]
fn okinawa_goes_by_yamato() {
    let robots = compiled(&FIVE, &hanako_custom_json());
    let method = |prefecture: &str, method: &str| {
        let mut case = Case::new();
        prefecture.clone_into(&mut case.detail.ship_to.prefecture);
        case.shipment.shipping_method = Some(method.parse().unwrap());
        case.import(&robots);
        case.shipment.shipping_method.unwrap().to_string()
    };
    assert_eq!(method("沖縄県", "nekopos"), "yamato");
    assert_eq!(method("沖縄県", "yamato"), "yamato");
    assert_eq!(method("東京都", "nekopos"), "nekopos");
}

#[test]
fn an_urgent_remark_holds_even_what_was_released_before() {
    let robots = compiled(&FIVE, &hanako_custom_json());
    let mut case = Case::new().attribute("remark", "なるべく至急お願いします");
    case.import(&robots);
    assert_eq!((case.shipment.status, case.shipment.holds.as_slice()), (Status::Hold, &[HoldReason::Remark][..]));

    let mut unpaid = Case::new().paying("pending").attribute("remark", "至急");
    unpaid.import(&robots);
    assert_eq!(unpaid.shipment.holds, [HoldReason::Remark, HoldReason::AwaitingPayment]);
}

#[test]
fn hanakos_robots_are_written_back_as_they_were_read() {
    assert_eq!(serde_json::to_value(hanako_custom()).unwrap(), hanako_custom_json());
}

/// A pattern takes its size times the text's, and nothing else bounds how long an order's remark is.
#[test]
fn a_pattern_looks_at_the_beginning_of_a_text() {
    let remark = |before: usize| Case::new().attribute("remark", format!("{}至急", "あ".repeat(before)));
    let matches = |before: usize| remark(before).holds(json!({ "field": "order.remark", "matches": "至急" }));
    assert_eq!([1_998, 1_999, 60_000].map(matches), [true, false, false]);
    assert!(remark(60_000).holds(json!({ "field": "order.remark", "contains": "至急" })), "which is quick");
}

#[test]
fn conditions_hold_as_written() {
    let table: [(Value, bool); 62] = [
        (json!({ "all": [] }), true),
        (json!({ "not": { "all": [] } }), false),
        (json!({ "field": "order.number", "equals": "H-1001" }), true),
        (json!({ "field": "order.id", "equals": 88111 }), true),
        (json!({ "field": "order.id", "equals": "88111" }), true),
        (json!({ "field": "order.state", "in": ["complete", "working"] }), true),
        (json!({ "field": "order.payment_state", "equals": "authed" }), true),
        (json!({ "field": "order.total", "greater": 4499 }), true),
        (json!({ "field": "order.total", "greater": "4500" }), false),
        (json!({ "field": "order.total", "less": 4500.5 }), true),
        (json!({ "field": "order.subtotal", "less": 4000 }), true),
        (json!({ "field": "order.subtotal", "equals": 3960 }), true),
        (json!({ "field": "totals.subtotal", "equals": 3960 }), true),
        (json!({ "field": "totals.points", "equals": 0 }), true),
        (json!({ "field": "order.kind", "greater": 1 }), false),
        (json!({ "field": "order.kind", "matches": "^定期" }), true),
        (json!({ "field": "order.kind", "matches": "^受注" }), false),
        (json!({ "field": "order.times", "matches": "^[0-9]$" }), true),
        (json!({ "field": "order.multiple_shipping", "equals": false }), true),
        (json!({ "field": "order.multiple_shipping", "equals": true }), false),
        (json!({ "field": "order.remark", "exists": true }), false),
        (json!({ "field": "order.remark", "exists": false }), true),
        (json!({ "field": "order.wrapping", "exists": false }), true),
        (json!({ "field": "order.never_heard_of", "exists": false }), true),
        (json!({ "field": "order.never_heard_of", "equals": "" }), false),
        (json!({ "not": { "field": "order.never_heard_of", "equals": 1 } }), true),
        (json!({ "field": "order.scheduled_to_be_delivered_at", "greater": "2026-11-30" }), true),
        (json!({ "field": "order.scheduled_to_be_delivered_at", "less": "today+7" }), false),
        (json!({ "field": "order.scheduled_to_be_delivered_at", "less": "today + 8" }), true),
        (json!({ "field": "order.carrier.name", "contains": "ネコ" }), true),
        (json!({ "field": "order.carrier.id", "in": [1, 6] }), true),
        (json!({ "field": "ship_to.prefecture", "in": ["東京都", "沖縄県"] }), true),
        (json!({ "field": "ship_to.name", "contains": "花子" }), true),
        (json!({ "field": "ship_to.name", "longer_than": 8 }), true),
        (json!({ "field": "ship_to.name", "longer_than": 9 }), false),
        (json!({ "field": "ship_to.company", "longer_than": 0 }), false),
        (json!({ "field": "ship_to.name", "not_printable": true }), false),
        (json!({ "field": "ship_to.name", "not_printable": false }), true),
        (json!({ "field": "ship_to.company", "not_printable": false }), true),
        (json!({ "field": "ship_to.phone", "equals": "098-000-0000" }), true),
        (json!({ "field": "status", "equals": "hold" }), true),
        (json!({ "field": "hold_reason", "exists": false }), true),
        (json!({ "field": "holds", "equals": "awaiting-payment" }), false),
        (json!({ "field": "payment", "equals": "unpaid" }), true),
        (json!({ "field": "payment.meaning", "equals": "paid" }), true),
        (json!({ "field": "payment_method", "contains": "クレジット" }), true),
        (json!({ "field": "shipping_method", "equals": "nekopos" }), true),
        (json!({ "field": "ship_from", "equals": "tokyo-dc" }), true),
        (json!({ "field": "connection.id", "equals": "hanako-ecforce" }), true),
        (json!({ "field": "parcels", "equals": 1 }), true),
        (json!({ "field": "items.sku", "equals": "MASK-5" }), true),
        (json!({ "field": "items.sku", "in": ["SOAP-80", "MASK-5"] }), true),
        (json!({ "not": { "field": "items.sku", "equals": "SOAP-80" } }), true),
        (json!({ "field": "items.sku", "matches": "^SERUM-" }), true),
        (json!({ "field": "items.quantity", "equals": 3 }), true),
        (json!({ "field": "items.count", "equals": 2 }), true),
        (json!({ "field": "deliver_on", "exists": true }), false),
        (json!({ "field": "tags", "exists": false }), true),
        (json!({ "field": "product.unknown_skus", "exists": true }), false),
        (json!({ "field": "import.duplicate_number", "equals": false }), true),
        (json!({ "any": [{ "field": "items.count", "equals": 9 }, { "field": "items.count", "equals": 2 }] }), true),
        (json!({ "all": [{ "field": "items.count", "equals": 9 }, { "field": "items.count", "equals": 2 }] }), false),
    ];
    for (when, expected) in table {
        assert_eq!(Case::new().holds(when.clone()), expected, "{when}");
    }
}

#[test]
fn the_payment_state_is_the_one_last_read_from_the_shop() {
    let mut case = Case::new().paying("pending");
    "paid".clone_into(&mut case.shipment.payment_state);
    assert!(case.holds(json!({ "field": "order.payment_state", "equals": "paid" })));
    assert!(case.holds(json!({ "field": "payment.meaning", "equals": "paid" })));
}

#[test]
fn every_field_can_be_looked_at() {
    for name in renkei_domain::processing::field_names() {
        let mut case = Case::new();
        let exists = case.holds(json!({ "field": name, "exists": true }));
        assert_eq!(case.holds(json!({ "field": name, "exists": false })), !exists, "{name}");
    }
}

#[test]
fn a_label_that_cannot_be_printed_is_held() {
    let robots = compiled(
        &FIVE,
        &one(
            json!({ "any": [
                { "field": "ship_to.name", "not_printable": true },
                { "field": "ship_to.address2", "longer_than": 32 }
            ] }),
            json!([{ "hold": "bad-address" }]),
        ),
    );
    let status = |name: &str, building: &str| {
        let mut case = Case::new();
        name.clone_into(&mut case.detail.ship_to.name);
        building.clone_into(&mut case.detail.ship_to.address2);
        case.import(&robots);
        case.shipment.status
    };
    assert_eq!(status("髙橋 花子", "メゾン〜青海101"), Status::Ready);
    assert_eq!(status("𠮷田 花子", ""), Status::Hold);
    assert_eq!(status("花子🌸", ""), Status::Hold);
    assert_eq!(status("花子", &"棟".repeat(16)), Status::Ready);
    assert_eq!(status("花子", &"棟".repeat(17)), Status::Hold);
}

#[test]
fn actions_do_what_they_say() {
    let mut case = Case::new();
    let robots = compiled(
        &[],
        &one(
            json!({ "all": [] }),
            json!([
                { "set_field": { "field": "delivery_note", "value": "置き配可" } },
                { "set_field": { "field": "ship_to.company", "value": 24 } },
                { "set_delivery_time": "午前中" },
                { "set_delivery_date": "3 days after import" },
                { "tag": "vip" },
                { "notify": "見てください" },
                "derive_payment",
                "to_ready",
                { "add_item": { "sku": "LEAFLET-1", "name": "冊子" } }
            ]),
        ),
    );
    let applied = case.import(&robots);
    assert_eq!(case.detail.delivery_note, "置き配可");
    assert_eq!(case.detail.ship_to.company, "24");
    assert_eq!(case.detail.delivery_time, "午前中");
    assert_eq!(case.detail.deliver_on, Some(jiff::civil::date(2026, 11, 27)));
    assert_eq!(case.detail.tags, ["vip"]);
    assert_eq!(case.detail.items.last().unwrap().name, "冊子");
    assert_eq!(case.shipment.status, Status::Ready);
    assert_eq!(applied.notify, ["見てください"]);
    assert!(applied.shipment_changed && applied.detail_changed);
    assert_eq!(
        applied.traces[0].changes,
        [
            "delivery_note set",
            "ship_to.company set",
            "delivery_time set",
            "delivery date 2026-11-27",
            "tag vip",
            "payment paid",
            "ready",
            "added LEAFLET-1 × 1"
        ]
    );

    // Processed again, nothing is left to do, and nobody is told twice.
    let again = case.apply(&robots, Phase::Only(&rule("mine")));
    assert!(again.notify.is_empty() && !again.shipment_changed && !again.detail_changed);

    let mut case = Case::new();
    case.import(&compiled(&FIVE, &one(json!({ "all": [] }), json!([{ "cancel": "テスト注文" }]))));
    assert_eq!(case.shipment.status, Status::Cancelled);
}

/// By UTC it is the 24th still.
#[test]
fn today_and_days_after_import_are_japans() {
    let now: Timestamp = "2026-11-24T15:30:00Z".parse().unwrap();
    let Case { connection, mut shipment, mut detail, .. } = Case::new();
    (shipment.imported_at, detail.ship_on) = (now, Some(date(2026, 11, 24)));
    let past = json!({ "field": "ship_on", "less": "today" });
    let robots = compiled(&[], &one(past, json!([{ "tag": "past" }, { "set_delivery_date": "3 days after import" }])));
    let facts =
        Facts { connection: &connection, conversion_robot: None, unknown_skus: &[], duplicate_number: false, now };
    robots.apply(Phase::OnImport, &facts, &mut shipment, &mut detail);
    assert_eq!((detail.tags, detail.deliver_on), (vec!["past".to_owned()], Some(date(2026, 11, 28))));
}

#[test]
fn nothing_that_the_warehouse_reads_changes_once_it_has_it() {
    let everything = json!([
        { "set_field": { "field": "ship_to.name", "value": "別人" } },
        { "set_shipping_method": "yamato" },
        { "set_delivery_date": "none" },
        { "set_delivery_time": "午前中" },
        { "add_item": { "sku": "LEAFLET-1" } },
        { "hold": "remark" },
        "to_ready",
        { "cancel": "やめる" }
    ]);
    let robots = compiled(&[], &one(json!({ "all": [] }), everything));
    for status in [Status::Picking, Status::Shipped, Status::Cancelled] {
        let mut case = Case::new();
        case.shipment.status = status;
        let (shipment, detail) = (case.shipment.clone(), case.detail.clone());
        let applied = case.apply(&robots, Phase::Only(&rule("mine")));
        assert_eq!(case.shipment, shipment);
        assert_eq!(case.detail, detail);
        assert!(applied.traces[0].changes.iter().all(|change| change.contains("not any more")));
    }
}

#[test]
fn traces_hold_no_personal_data() {
    let robots = compiled(
        &FIVE,
        &json!([
            {
                "id": "a", "name": "a", "when": { "field": "ship_to.name", "contains": "花子" },
                "do": [{ "set_field": { "field": "ship_to.name", "value": "鈴木" } }, { "hold": "bad-address" }]
            },
            { "id": "b", "name": "b", "do": [{ "set_field": { "field": "delivery_note", "value": "鈴木" } }] }
        ]),
    );
    let applied = Case::new().paying("pending").import(&robots);
    let said = format!("{applied:?}");
    for personal in ["花子", "鈴木", "那覇", "098", "900-0001"] {
        assert!(!said.contains(personal), "{said}");
    }
}

#[test]
fn ties_and_switches_decide_who_takes_part() {
    let custom = json!([
        { "id": "tied", "name": "t", "conversion_robots": ["ecforce-own"], "do": [{ "tag": "own" }] },
        { "id": "standard", "name": "s", "conversion_robots": ["14448"], "do": [{ "tag": "standard" }] },
        { "id": "off", "name": "o", "enabled": false, "do": [{ "tag": "off" }] },
        { "id": "later", "name": "l", "run": "always", "do": [{ "tag": "always" }] }
    ]);
    let robots = compiled(&[], &custom);
    let tags = |conversion: Option<&str>, phase: Phase<'_>| {
        let mut case = Case::new();
        case.conversion_robot = conversion.map(rule);
        case.apply(&robots, phase);
        case.detail.tags
    };
    assert_eq!(tags(Some("ecforce-own"), Phase::OnImport), ["own", "always"]);
    assert_eq!(tags(Some("14448"), Phase::OnImport), ["standard", "always"]);
    assert_eq!(tags(None, Phase::Only(&rule("tied"))), ["own"]);
    assert_eq!(tags(None, Phase::Again(&rule("tied"))), ["own", "always"]);
    assert_eq!(tags(None, Phase::Again(&rule("later"))), ["always"]);
    // Where it is known which one made the order, the tie holds whenever the robot is applied.
    assert!(tags(Some("14448"), Phase::Only(&rule("tied"))).is_empty());
    assert_eq!(tags(Some("14448"), Phase::Again(&rule("tied"))), ["always"]);
    assert_eq!(tags(Some("ecforce-own"), Phase::Again(&rule("tied"))), ["own", "always"]);
    assert!(tags(None, Phase::Only(&rule("off"))).is_empty());
    assert!(robots.get(&rule("off")).is_none() && robots.get(&rule("tied")).is_some());
}

#[test]
fn later_robots_see_what_earlier_ones_did_and_the_last_word_counts() {
    let robots = compiled(
        &[],
        &json!([
            { "id": "a", "name": "a", "do": [{ "set_shipping_method": "yamato" }] },
            {
                "id": "b", "name": "b", "when": { "field": "shipping_method", "equals": "yamato" },
                "do": [{ "set_shipping_method": "nekopos" }, { "tag": "b" }]
            }
        ]),
    );
    let mut case = Case::new();
    case.import(&robots);
    assert_eq!(case.shipment.shipping_method.unwrap().as_str(), "nekopos");
    assert_eq!(case.detail.tags, ["b"]);
}

#[test]
fn what_an_earlier_robot_waits_for_is_found_by_going_round_again() {
    let robots = compiled(
        &[],
        &json!([
            { "id": "b", "name": "b", "when": { "field": "tags", "equals": "a" }, "do": [{ "tag": "b" }] },
            { "id": "a", "name": "a", "do": [{ "tag": "a" }] }
        ]),
    );
    let mut case = Case::new();
    let applied = case.import(&robots);
    assert_eq!(case.detail.tags, ["a", "b"]);
    assert_eq!(applied.traces.len(), 2);
}

#[test]
fn robots_that_undo_each_other_for_ever_are_undone() {
    let step = |id: &str, when: Value, field: &str, value: &str| json!({ "id": id, "name": id, "when": when, "do": [{ "set_field": { "field": field, "value": value } }] });
    let is = |field: &str, value: &str| json!({ "field": field, "equals": value });
    let robots = compiled(
        &[],
        &json!([
            step("r1", is("delivery_note", "a"), "delivery_time", "p"),
            step("r2", is("delivery_note", "b"), "delivery_time", "q"),
            step("r3", is("delivery_time", "p"), "delivery_note", "b"),
            step("r4", is("delivery_time", "q"), "delivery_note", "a")
        ]),
    );
    let mut case = Case::new();
    "a".clone_into(&mut case.detail.delivery_note);
    let before = case.detail.clone();
    let applied = case.import(&robots);
    assert_eq!(case.detail, before);
    assert_eq!(case.shipment.holds, [HoldReason::Error]);
    assert!(applied.shipment_changed && !applied.detail_changed);
    assert_eq!(applied.notify.len(), 1);
    let again = case.import(&robots);
    assert!(!again.shipment_changed && again.traces.is_empty());
}

#[test]
fn chilled_items_get_a_parcel_of_their_own() {
    let robots = compiled(
        &FIVE,
        &json!([
            {
                "id": "chilled", "name": "冷蔵は別便",
                "do": [{ "split": { "skus": ["MASK-5", "ICE-1"], "shipping_method": "yamato" } }]
            },
            { "id": "leaflet", "name": "冊子", "do": [{ "add_item": { "sku": "LEAFLET-1" } }] }
        ]),
    );
    let mut case = Case::new();
    let applied = case.import(&robots);
    assert_eq!(applied.import, ImportDecision::Accept);
    let parcels = divide(case.detail.items.clone(), &applied.split);
    let skus = |place: usize| parcels[place].items.iter().map(|item| item.sku.as_str()).collect::<Vec<_>>();
    assert_eq!(parcels.len(), 2);
    assert_eq!((skus(0), skus(1)), (vec!["SERUM-30", "LEAFLET-1"], vec!["MASK-5"]));
    assert_eq!(parcels[0].shipping_method, None);
    assert_eq!(parcels[1].shipping_method.as_ref().unwrap().as_str(), "yamato");

    // All that was ordered is chilled: one parcel, the leaflet in it, by the chilled method.
    let mut case = Case::new();
    case.detail.items.remove(0);
    let applied = case.import(&robots);
    let parcels = divide(case.detail.items.clone(), &applied.split);
    assert_eq!(parcels.len(), 1);
    assert_eq!(parcels[0].items.len(), 2);
    assert_eq!(parcels[0].shipping_method.as_ref().unwrap().as_str(), "yamato");

    // Nothing chilled: no plan. After import: no plan.
    let mut case = Case::new();
    case.detail.items.remove(1);
    assert!(case.import(&robots).split.is_empty());
    assert!(Case::new().apply(&robots, Phase::Only(&rule("chilled"))).split.is_empty());
}
