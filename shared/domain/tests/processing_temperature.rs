//! 温度帯: what must be kept cold goes into a parcel of its own.

mod processing_support;

use processing_support::{Case, compiled, now, one, problems, rule, sku};
use renkei_domain::processing::{Applied, Facts, Goods, Phase, RobotSet, divide};
use renkei_domain::settings::Temperature;
use serde_json::json;

fn goods() -> Goods {
    Goods::from([(sku("SERUM-30"), Temperature::Ambient), (sku("MASK-5"), Temperature::Chilled)])
}

fn apply(case: &mut Case, robots: &RobotSet, goods: &Goods, phase: Phase<'_>) -> Applied {
    let facts = Facts {
        connection: &case.connection,
        conversion_robot: None,
        unknown_skus: &[],
        duplicate_number: false,
        now: now(),
    };
    robots.apply_with(goods, phase, &facts, &mut case.shipment, &mut case.detail)
}

#[test]
fn chilled_items_get_a_parcel_of_their_own_with_its_method() {
    let split = json!([{ "split": { "temperature": "chilled", "shipping_method": "yamato" } }]);
    let robots = compiled(&[], &one(json!({ "all": [] }), split));
    let mut case = Case::new();
    let applied = apply(&mut case, &robots, &goods(), Phase::OnImport);
    let parcels = divide(case.detail.items.clone(), &applied.split);
    let held: Vec<Vec<&str>> =
        parcels.iter().map(|parcel| parcel.items.iter().map(|item| item.sku.as_str()).collect()).collect();
    assert_eq!(held, [vec!["SERUM-30"], vec!["MASK-5"]]);
    assert_eq!(parcels[1].shipping_method.as_ref().map(ToString::to_string).as_deref(), Some("yamato"));
    assert_eq!(applied.traces[0].changes, ["parcel of its own"]);

    // Without anything to be kept like this, or without knowing, nothing is split; nor after import.
    let ambient = Goods::from([(sku("MASK-5"), Temperature::Ambient)]);
    assert!(apply(&mut Case::new(), &robots, &ambient, Phase::OnImport).split.is_empty());
    assert!(apply(&mut Case::new(), &robots, &Goods::new(), Phase::OnImport).split.is_empty());
    assert!(apply(&mut Case::new(), &robots, &goods(), Phase::Only(&rule("mine"))).split.is_empty());
}

#[test]
fn a_condition_looks_at_how_items_are_kept() {
    let holds = |kept: &str, goods: &Goods| {
        let robots =
            compiled(&[], &one(json!({ "field": "items.temperature", "equals": kept }), json!([{ "tag": "x" }])));
        !apply(&mut Case::new(), &robots, goods, Phase::OnImport).traces.is_empty()
    };
    assert!(holds("chilled", &goods()) && holds("ambient", &goods()) && !holds("frozen", &goods()));
    assert!(!holds("ambient", &Goods::new()), "what is not known is no value");
}

#[test]
fn a_split_says_which_items_and_a_temperature_is_one_of_three() {
    let wrong = problems(&[], &one(json!({ "all": [] }), json!([{ "split": { "shipping_method": "yamato" } }])));
    assert!(wrong[0].1.contains("or a `temperature`"), "{wrong:?}");
    let test = json!({ "field": "items.temperature", "equals": "chiled" });
    let wrong = problems(&[], &one(test, json!([{ "tag": "x" }])));
    assert!(wrong[0].1.contains("`chilled`"), "{wrong:?}");
}

#[test]
fn conditions_on_temperature_hold_later_too() {
    let test = json!({ "field": "items.temperature", "equals": "chilled" });
    let robots = compiled(&[], &one(test, json!([{ "tag": "cool" }])));
    let mut case = Case::new();
    assert_eq!(apply(&mut case, &robots, &goods(), Phase::Only(&rule("mine"))).traces.len(), 1);
    assert_eq!(case.detail.tags, ["cool"]);
}
