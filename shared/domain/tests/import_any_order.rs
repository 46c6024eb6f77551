//! Import decides about whatever a shop sends: any order that can be read ends somewhere, and twice in the same place.

mod processing_support;

use processing_support::{FIVE, now, settings};
use proptest::prelude::*;
use renkei_domain::convert::{ConversionRobots, samples};
use renkei_domain::ids::RuleId;
use renkei_domain::import::{Context, Verdict, decide, unknown_skus};
use renkei_domain::order::SourceOrder;
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::shipment::Status;
use renkei_domain::work::Place;
use serde_json::{Value, json};

/// What may stand anywhere in an order.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        "[\u{ff66}-\u{ff9f}髙﨑①㈱\u{1f600}0-9０-９\\- ]{0,40}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({ "a": [1, { "b": null }] })),
        Just(json!("9999-99-99 99:99:99")),
        Just(json!("x".repeat(5_000))),
    ]
}

/// Every place of a value that holds a plain one.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| leaves(inner, &format!("{at}/{key}"), found)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, inner)| leaves(inner, &format!("{at}/{n}"), found)),
        _ => found.push(at.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn any_order_is_decided_about_and_twice_alike(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), odd()), 0..8),
    ) {
        let mut order = serde_json::to_value(&which.get(samples::all()).order).unwrap();
        for (place, value) in edits {
            let mut places = Vec::new();
            leaves(&order, "", &mut places);
            *order.pointer_mut(place.get(places.as_slice()).as_str()).unwrap() = value;
        }
        // What is no order is set aside when it is read.
        let Ok(order) = serde_json::from_value::<SourceOrder>(order) else { return Ok(()) };
        let mut own = settings(&FIVE, &json!([
            { "id": "cool", "name": "c", "when": { "field": "items.sku", "contains": "B" }, "do": [{ "split": { "skus": ["SAMPLE-B"] } }] },
            { "id": "leaflet", "name": "l", "do": [{ "add_item": { "sku": "LEAFLET-1", "quantity": 1 } }, { "tag": "新" }] },
        ]));
        own.conversion_robots[0].fields.insert(
            "delivery_note".into(),
            "{% if order.remark %}{{ order.remark | truncate(20) }}{% endif %}{{ order.scheduled_to_be_delivered_at }}".into(),
        );
        let robots = RobotSet::compile(&own).unwrap();
        let conversions = ConversionRobots::compile(&own).unwrap();
        let conversion = RuleId::parse("ecforce-own").unwrap();
        let leaflet = RuleId::parse("leaflet").unwrap();
        let goods = Goods::new();
        let context = Context {
            settings: &own,
            connection: &own.connections[0],
            robots: &robots,
            conversions: &conversions,
            goods: &goods,
            conversion_robot: Some(&conversion),
            run: "run",
            place: Place { page: 1, row: 0 },
            now: now(),
        };
        let unknown = unknown_skus(&order, &goods);
        for unknown in [unknown.as_slice(), &[]] {
            let (once, twice) = (decide(&context, &order, unknown, false), decide(&context, &order, unknown, false));
            let Verdict::Store { parcels, .. } = &once else {
                prop_assert_eq!(format!("{once:?}"), format!("{twice:?}"));
                continue;
            };
            let Verdict::Store { parcels: again, .. } = &twice else { panic!("{twice:?}") };
            prop_assert_eq!(parcels, again);
            prop_assert!(!parcels.is_empty());
            for (place, (shipment, detail)) in (1..).zip(parcels) {
                prop_assert_eq!((shipment.id.parcel, usize::from(shipment.parcels)), (place, parcels.len()));
                prop_assert!(shipment.status != Status::Hold || !shipment.holds.is_empty(), "on hold without a reason");
                // Robots that are applied again change nothing any more.
                let facts = renkei_domain::processing::Facts {
                    connection: context.connection,
                    conversion_robot: context.conversion_robot,
                    unknown_skus: &[],
                    duplicate_number: false,
                    now: context.now,
                };
                let (mut later, mut later_detail) = (shipment.clone(), detail.clone());
                robots.apply_later(&goods, &leaflet, &facts, &mut later, &mut later_detail);
                let (once, once_detail) = (later.clone(), later_detail.clone());
                robots.apply_later(&goods, &leaflet, &facts, &mut later, &mut later_detail);
                prop_assert_eq!((later, later_detail), (once, once_detail));
            }
        }
    }
}
