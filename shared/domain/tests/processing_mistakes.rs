//! What is wrong in a merchant's robots is said all at once, each with its place and a way out.

mod processing_support;

use processing_support::{compiled, one, problems, settings};
use renkei_domain::processing::{Condition, ProcessingRobot, RobotSet};
use serde_json::{Value, json};

/// The one problem of a robot with this condition: place below `when`, and sentence.
fn condition(when: Value) -> (String, String) {
    let mut found = problems(&[], &one(when, json!(["to_ready"])));
    assert_eq!(found.len(), 1, "{found:?}");
    let (path, message) = found.remove(0);
    (path.trim_start_matches("processing_robots.custom[0].").to_owned(), message)
}

fn action(action: Value) -> (String, String) {
    let mut found = problems(&[], &one(json!({ "all": [] }), Value::Array(vec![action])));
    assert_eq!(found.len(), 1, "{found:?}");
    let (path, message) = found.remove(0);
    (path.trim_start_matches("processing_robots.custom[0].").to_owned(), message)
}

#[test]
fn each_mistake_in_a_condition_has_its_place_and_sentence() {
    let table = [
        (
            json!({ "field": "ship_to.prefecure", "equals": "沖縄県" }),
            "when.field",
            "did you mean `ship_to.prefecture`?",
        ),
        (json!({ "field": "prefecture", "equals": "沖縄県" }), "when.field", "there is no field `prefecture`"),
        (json!({ "field": "order.Kind", "equals": 1 }), "when.field", "there is no field `order.Kind`"),
        (json!({ "field": "ship_to.prefecture", "equals": "沖縄" }), "when.equals", "did you mean `沖縄県`?"),
        (json!({ "field": "shipping_method", "in": ["yamato", "neko-pos"] }), "when.in[1]", "did you mean `nekopos`?"),
        (json!({ "field": "status", "equals": "redy" }), "when.equals", "did you mean `ready`?"),
        (json!({ "field": "holds", "equals": "awaiting_payment" }), "when.equals", "did you mean `awaiting-payment`?"),
        (json!({ "field": "payment", "equals": "Paid" }), "when.equals", "did you mean `paid`?"),
        (json!({ "field": "payment.meaning", "equals": "later" }), "when.equals", "never is `later`"),
        (json!({ "field": "import.duplicate_number", "equals": "yes" }), "when.equals", "never is `yes`"),
        (json!({ "field": "connection.id", "equals": "hanako" }), "when.equals", "did you mean `hanako-ecforce`?"),
        (json!({ "field": "order.total", "greater": "たくさん" }), "when.greater", "neither a number nor a day"),
        (
            json!({ "field": "deliver_on", "less": "tomorrow" }),
            "when.less",
            "write `5000`, `2026-12-01`, `today` or `today+3`",
        ),
        (json!({ "field": "order.remark", "matches": "(至急" }), "when.matches", "cannot be read"),
        (json!({ "field": "order.remark", "matches": r"\w{200}" }), "when.matches", "too large"),
        (json!({ "field": "order.remark", "matches": "あ".repeat(501) }), "when.matches", "501 characters"),
        (json!({ "field": "order.remark", "contains": " " }), "when.contains", "empty"),
        (json!({ "field": "order.remark", "equals": "x".repeat(1_001) }), "when.equals", "1001 characters"),
        (json!({ "field": "order.remark", "in": [] }), "when.in", "1 to 1000 values"),
        (json!({ "any": [] }), "when.any", "never holds"),
        (json!({ "all": [{ "not": { "field": "x", "exists": true } }] }), "when.all[0].not.field", "no field `x`"),
    ];
    for (when, place, part) in table {
        let (path, message) = condition(when.clone());
        assert_eq!(path, place, "{when}");
        assert!(message.contains(part), "{when}: {message}");
    }
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |depth: usize| {
        (1..depth).fold(json!({ "field": "status", "exists": true }), |inner, _| json!({ "not": inner }))
    };
    assert!(problems(&[], &one(nested(8), json!(["to_ready"]))).is_empty());
    assert!(condition(nested(9)).1.contains("nested more than 8 deep"));
    assert!(condition(nested(50)).1.contains("nested more than 8 deep"));

    let wide = |tests: usize| json!({ "all": vec![json!({ "field": "status", "exists": true }); tests] });
    assert!(problems(&[], &one(wide(99), json!(["to_ready"]))).is_empty());
    assert!(condition(wide(100)).1.contains("more than 100 tests"));

    let robots = |count: usize, when: &Value| -> Value {
        (0..count).map(|n| json!({ "id": format!("r{n}"), "name": "r", "when": when, "do": ["to_ready"] })).collect()
    };
    assert!(problems(&[], &robots(1_000, &json!({ "all": [] }))).is_empty());
    assert!(problems(&[], &robots(1_001, &json!({ "all": [] })))[0].1.contains("1000 is the most"));
    let pattern = json!({ "field": "order.remark", "matches": "至急|急ぎ" });
    assert!(problems(&[], &robots(100, &pattern)).is_empty());
    let found = problems(&[], &robots(103, &pattern));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("more than 100 `matches`"));
}

#[test]
fn each_mistake_in_an_action_has_its_place_and_sentence() {
    let table = [
        (json!({ "hold": "remarks" }), "do[0].hold", "did you mean `remark`?"),
        (json!({ "hold": "" }), "do[0].hold", "there are error, bad-address"),
        (json!({ "clear_hold": "error" }), "do[0].clear_hold", "only a person"),
        (json!({ "refuse_import": "" }), "do[0].refuse_import", "empty"),
        (json!({ "set_shipping_method": "yamoto" }), "do[0].set_shipping_method", "did you mean `yamato`?"),
        (
            json!({ "set_field": { "field": "delivery_notes", "value": "" } }),
            "do[0].set_field.field",
            "did you mean `delivery_note`?",
        ),
        (
            json!({ "set_field": { "field": "shipping_method", "value": "yamato" } }),
            "do[0].set_field.field",
            "`set_shipping_method`",
        ),
        (json!({ "set_field": { "field": "status", "value": "ready" } }), "do[0].set_field.field", "`to_ready`"),
        (json!({ "add_item": { "sku": "A", "quantity": 0 } }), "do[0].add_item.quantity", "1 to 1000"),
        (json!({ "split": { "skus": [] } }), "do[0].split.skus", "1 to 1000"),
        (
            json!({ "split": { "skus": ["A"], "shipping_method": "cool" } }),
            "do[0].split.shipping_method",
            "no shipping method `cool`",
        ),
        (json!({ "tag": "あ".repeat(61) }), "do[0].tag", "at most 60"),
        (json!({ "notify": "  " }), "do[0].notify", "empty"),
    ];
    for (one, place, part) in table {
        let (path, message) = action(one.clone());
        assert_eq!(path, place, "{one}");
        assert!(message.contains(part), "{one}: {message}");
    }
}

#[test]
fn names_are_checked_across_robots() {
    let robot = |id: &str| json!({ "id": id, "name": id, "do": ["to_ready"] });
    let with = |id: &str, key: &str, value: Value| {
        let mut robot = robot(id);
        robot[key] = value;
        robot
    };
    let said = |enable: &[&str], custom: Value| problems(enable, &custom);

    let found = said(&["ecforce-relaese", "payment-check", "payment-check", "mine"], json!([robot("mine")]));
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].0, "processing_robots.enable[0]");
    assert!(found[0].1.contains("did you mean `ecforce-release`?"));
    assert!(found[1].1.contains("named twice"));
    assert!(found[2].1.contains("a robot of your own"));

    let found = said(&[], json!([robot("a"), robot("a"), robot("release")]));
    assert!(found[0].1.contains("another robot has the id `a`"));
    assert!(found[1].1.contains("a built-in robot"));

    let found = said(&[], json!([with("a", "conversion_robots", json!(["ecforce-onw", "14448"]))]));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("did you mean `ecforce-own`?"));

    let found = said(&[], json!([with("a", "excludes", json!(["a", "bb", "releas"]))]));
    assert_eq!(found.len(), 3);
    assert!(found[2].1.contains("did you mean `release`?"));

    // Declared by either of the two, and only where both are on.
    let pair = |enabled: bool| json!([with("a", "excludes", json!(["b"])), with("b", "enabled", json!(enabled))]);
    assert!(said(&[], pair(true))[0].1.contains("cannot be on together"));
    assert!(said(&[], pair(false)).is_empty());
    // Also beside other mistakes in the same robots.
    let mut broken = pair(true);
    broken[1]["when"] = json!({ "field": "x", "exists": true });
    assert_eq!(said(&[], broken).len(), 2);

    let found = said(&[], json!([with("a", "do", json!([])), with("b", "name", json!(""))]));
    assert!(found[0].1.contains("does nothing") && found[1].1.contains("empty"));

    let mut always = with("a", "do", json!([{ "notify": "x" }]));
    always["run"] = json!("always");
    assert!(said(&[], json!([always]))[0].1.contains("again and again"));
}

#[test]
fn robots_that_are_off_are_checked_and_all_is_said_at_once() {
    let mut bad = one(
        json!({ "all": [{ "field": "x", "exists": true }, { "field": "y", "exists": true }] }),
        json!([{ "hold": "z" }]),
    );
    bad[0]["enabled"] = json!(false);
    assert_eq!(problems(&["nobody"], &bad).len(), 4);
    let found = RobotSet::compile(&settings(&[], &bad)).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "processing_robots.custom[0].when.all[0].field (robot mine): there is no field `x`"
    );
}

#[test]
fn a_misspelt_attribute_is_noticed_but_allowed() {
    let warned = |name: &str| {
        let set = compiled(&[], &one(json!({ "field": name, "exists": true }), json!(["to_ready"])));
        set.warnings().iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    assert!(warned("order.remrak")[0].contains("was `order.remark` meant?"));
    assert!(warned("order.remark").is_empty());
    assert!(warned("order.something_of_this_shop").is_empty());
}

#[test]
fn forms_that_are_none_are_refused_when_read() {
    let table = [
        (json!({ "fields": "status", "equals": 1 }), "unknown field `fields`"),
        (json!({ "field": "status" }), "the test is missing"),
        (json!({ "field": "order.total", "greater": 1, "less": 5 }), "one test at a time"),
        (json!({ "all": [], "any": [] }), "a condition is one of"),
        (json!({ "all": [], "field": "status", "equals": 1 }), "a condition is one of"),
        (json!({}), "a condition is one of"),
        (json!({ "equals": 1 }), "a condition is one of"),
        (json!({ "field": "status", "equals": ["a"] }), "a text, a number, or true or false"),
    ];
    for (when, part) in table {
        let error = serde_json::from_value::<Condition>(when.clone()).unwrap_err().to_string();
        assert!(error.contains(part), "{when}: {error}");
    }
    let robot = |action: Value| {
        let robot = json!({ "id": "a", "name": "a", "do": [action] });
        serde_json::from_value::<ProcessingRobot>(robot).map(|_| ()).map_err(|error| error.to_string())
    };
    assert!(robot(json!({ "add_itm": {} })).unwrap_err().contains("unknown variant `add_itm`"));
    assert!(robot(json!({ "add_item": { "sku": "A", "qty": 1 } })).unwrap_err().contains("unknown field `qty`"));
    assert!(robot(json!({ "set_delivery_date": "soon" })).unwrap_err().contains("3 days after import"));
    for date in ["none", "2026-12-01", "1 day after import", "3 days after import"] {
        robot(json!({ "set_delivery_date": date })).unwrap();
    }
    assert!(serde_json::from_str::<Condition>(&format!("{}{}", "{\"not\":".repeat(5_000), "}".repeat(5_000))).is_err());
}

#[test]
fn values_keep_their_kind_when_written_back() {
    for value in [json!(1), json!(1.5), json!(true), json!("0123"), json!("至急"), json!("1.0"), json!("-0")] {
        let test = json!({ "field": "order.times", "equals": value });
        let condition: Condition = serde_json::from_value(test.clone()).unwrap();
        assert_eq!(serde_json::to_value(&condition).unwrap(), test);
    }
    // Quoted or not is the same.
    let read =
        |value: Value| serde_json::from_value::<Condition>(json!({ "field": "order.times", "equals": value })).unwrap();
    assert_eq!(read(json!("1")), read(json!(1)));
    assert_eq!(read(json!(1.0)), read(json!(1)));
    assert_eq!(read(json!("true")), read(json!(true)));
}

#[test]
fn the_schema_names_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(ProcessingRobot)).unwrap();
    let text = schema.to_string();
    for key in
        ["not_printable", "longer_than", "clear_hold", "set_delivery_date", "awaiting-payment", "on_import", "oneOf"]
    {
        assert!(text.contains(key), "{key}");
    }
}
