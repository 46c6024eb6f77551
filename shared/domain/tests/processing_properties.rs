//! Over generated robots and orders: no panic, the same result for the same input, and applying again changes nothing.

mod processing_support;

use std::collections::HashSet;

use processing_support::{Case, compiled, problems, rule, sku};
use proptest::prelude::*;
use renkei_domain::payment::Payment;
use renkei_domain::processing::{
    Condition, ImportDecision, Literal, Phase, ProcessingRobot, RobotSet, STAYS, divide, settle,
};
use renkei_domain::shipment::{HoldReason, Status};
use serde_json::{Value, json};

/// Few values, so that robots meet: what one sets, another looks for.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "1"])
}

fn reason() -> impl Strategy<Value = &'static str> {
    prop::sample::select(HoldReason::ALL.map(HoldReason::as_str).to_vec())
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["nekopos", "yamato"])
}

fn code() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["SERUM-30", "MASK-5", "LEAFLET-1"])
}

fn kept() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["ambient", "chilled", "frozen"])
}

fn test() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "delivery_note",
        "delivery_time",
        "payment_method",
        "ship_to.name",
        "tags",
        "order.remark",
        "order.times",
        "order.kind",
    ]);
    let number =
        prop::sample::select(vec!["items.count", "items.quantity", "order.total", "order.times", "deliver_on"]);
    prop_oneof![
        (text.clone(), word()).prop_map(|(field, value)| json!({ "field": field, "equals": value })),
        (text.clone(), word(), word()).prop_map(|(field, a, b)| json!({ "field": field, "in": [a, b] })),
        (text.clone(), word()).prop_map(|(field, value)| json!({ "field": field, "contains": value })),
        (text.clone(), any::<bool>()).prop_map(|(field, flag)| json!({ "field": field, "exists": flag })),
        (text.clone(), any::<bool>()).prop_map(|(field, flag)| json!({ "field": field, "not_printable": flag })),
        (text, 0..4u32).prop_map(|(field, columns)| json!({ "field": field, "longer_than": columns })),
        (number.clone(), 0..5i64).prop_map(|(field, bound)| json!({ "field": field, "greater": bound })),
        (number, -2..3i64).prop_map(|(field, days)| json!({ "field": field, "less": format!("today{days:+}") })),
        reason().prop_map(|reason| json!({ "field": "holds", "equals": reason })),
        reason().prop_map(|reason| json!({ "field": "hold_reason", "equals": reason })),
        method().prop_map(|method| json!({ "field": "shipping_method", "equals": method })),
        code().prop_map(|code| json!({ "field": "items.sku", "equals": code })),
        kept().prop_map(|kept| json!({ "field": "items.temperature", "equals": kept })),
        prop::sample::select(Status::ALL.to_vec())
            .prop_map(|status| json!({ "field": "status", "equals": status.as_str() })),
        prop::sample::select(vec!["paid", "unpaid"])
            .prop_map(|payment| json!({ "field": "payment", "equals": payment })),
        Just(json!({ "field": "product.unknown_skus", "exists": true })),
        Just(json!({ "field": "import.duplicate_number", "equals": true })),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    test().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|all| json!({ "all": all })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({ "any": any })),
            inner.prop_map(|not| json!({ "not": not })),
        ]
    })
}

fn action() -> impl Strategy<Value = Value> {
    let slot = prop::sample::select(vec!["delivery_note", "delivery_time", "payment_method", "ship_to.name"]);
    prop_oneof![
        4 => (slot, word()).prop_map(|(field, value)| json!({ "set_field": { "field": field, "value": value } })),
        2 => method().prop_map(|method| json!({ "set_shipping_method": method })),
        2 => reason().prop_map(|reason| json!({ "hold": reason })),
        2 => reason().prop_filter("no robot clears it", |reason| *reason != "error").prop_map(|reason| json!({ "clear_hold": reason })),
        2 => Just(json!("to_ready")),
        1 => Just(json!("derive_payment")),
        1 => (code(), 1..3u32).prop_map(|(sku, quantity)| json!({ "add_item": { "sku": sku, "quantity": quantity } })),
        1 => word().prop_map(|tag| json!({ "tag": tag })),
        1 => word().prop_map(|text| json!({ "notify": text })),
        1 => prop::sample::select(vec!["none", "2026-11-24", "2 days after import"]).prop_map(|date| json!({ "set_delivery_date": date })),
        1 => code().prop_map(|sku| json!({ "split": { "skus": [sku] } })),
        1 => kept().prop_map(|kept| json!({ "split": { "temperature": kept, "shipping_method": "yamato" } })),
        1 => Just(json!({ "cancel": "x" })),
        1 => Just(json!({ "refuse_import": "x" })),
        1 => Just(json!({ "quarantine": "x" })),
    ]
}

fn robots(most: usize) -> impl Strategy<Value = Value> {
    let robot = (condition(), prop::collection::vec(action(), 1..4), any::<bool>(), 0..3u8);
    prop::collection::vec(robot, 0..most).prop_map(|robots| {
        robots
            .into_iter()
            .enumerate()
            .map(|(place, (when, mut actions, always, tie))| {
                if always && actions.iter().all(|action| action.get("notify").is_some()) {
                    actions.push(json!("to_ready"));
                }
                json!({
                    "id": format!("r{place}"), "name": "r", "when": when, "do": actions,
                    "run": if always { "always" } else { "on_import" },
                    "conversion_robots": if tie == 0 { vec!["ecforce-own"] } else { vec![] },
                })
            })
            .collect()
    })
}

prop_compose! {
    fn case()(
        words in prop::collection::vec(word(), 4),
        status in prop::sample::select(Status::ALL.to_vec()),
        reasons in prop::collection::btree_set(prop::sample::select(HoldReason::ALL.to_vec()), 0..3),
        state in prop::sample::select(vec!["authed", "pending", "voided", "brand_new"]),
        paid in any::<bool>(),
        flags in any::<[bool; 3]>(),
        times in prop_oneof![Just(json!(1)), Just(json!("1")), Just(json!(null)), any::<f64>().prop_map(|n| json!(n)), any::<u64>().prop_map(|n| json!(n))],
        remark in any::<String>(),
    ) -> Case {
        let mut case = Case::new().paying(state).attribute("times", times).attribute("remark", remark);
        words[0].clone_into(&mut case.detail.delivery_note);
        words[1].clone_into(&mut case.detail.delivery_time);
        words[2].clone_into(&mut case.detail.ship_to.name);
        case.detail.tags = vec![words[3].to_owned()];
        case.shipment.status = status;
        if status == Status::Hold {
            case.shipment.holds = reasons.into_iter().collect();
        }
        case.shipment.payment = if paid { Payment::Paid } else { Payment::Unpaid };
        case.duplicate_number = flags[0];
        if flags[1] {
            case.unknown_skus = vec![sku("NEW-1")];
        }
        case.conversion_robot = Some(rule(if flags[2] { "ecforce-own" } else { "14448" }));
        case
    }
}

/// Applies twice and once more to a copy; answers with what the first did.
fn check(set: &RobotSet, case: &mut Case, phase: Phase<'_>) -> Result<ImportDecision, TestCaseError> {
    let (shipment, detail) = (case.shipment.clone(), case.detail.clone());
    let first = case.apply(set, phase);
    let (once_shipment, once_detail) = (case.shipment.clone(), case.detail.clone());
    prop_assert_eq!(first.shipment_changed, shipment != once_shipment);
    prop_assert_eq!(first.detail_changed, detail != once_detail);
    if first.import != ImportDecision::Accept {
        prop_assert!(!first.shipment_changed && !first.detail_changed);
    }
    if phase != Phase::OnImport {
        prop_assert_eq!(&first.import, &ImportDecision::Accept);
        prop_assert!(first.split.is_empty());
    }

    let second = case.apply(set, phase);
    prop_assert_eq!(&case.shipment, &once_shipment);
    prop_assert_eq!(&case.detail, &once_detail);
    prop_assert!(!second.shipment_changed && !second.detail_changed);
    prop_assert_eq!(&second.import, &first.import);
    if phase != Phase::OnImport {
        prop_assert!(second.notify.is_empty());
    }

    (case.shipment, case.detail) = (shipment, detail);
    let repeated = case.apply(set, phase);
    prop_assert_eq!(&repeated, &first);
    prop_assert_eq!(&case.shipment, &once_shipment);
    prop_assert_eq!(&case.detail, &once_detail);

    // What holds of every shipment.
    prop_assert!(case.shipment.status == Status::Hold || case.shipment.holds.is_empty());
    prop_assert!(case.shipment.holds.is_sorted());
    let added = case.detail.items.iter().filter(|item| item.added_by.is_some());
    let bundled: Vec<_> = added.map(|item| (&item.sku, &item.added_by)).collect();
    prop_assert_eq!(bundled.iter().collect::<HashSet<_>>().len(), bundled.len());
    let parcels = divide(case.detail.items.clone(), &first.split);
    prop_assert_eq!(parcels.iter().map(|parcel| parcel.items.len()).sum::<usize>(), case.detail.items.len());
    prop_assert!(parcels.iter().all(|parcel| parcel.items.iter().any(|item| item.added_by.is_none())));
    Ok(first.import)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn applying_again_changes_nothing(custom in robots(7), mut case in case()) {
        let set = compiled(&[], &custom);
        let handed_over = matches!(case.shipment.status, Status::Picking | Status::Shipped | Status::Cancelled);
        let status = case.shipment.status;
        check(&set, &mut case, Phase::OnImport)?;
        for id in set.robots().map(|robot| robot.id.clone()).collect::<Vec<_>>() {
            check(&set, &mut case, Phase::Only(&id))?;
            check(&set, &mut case, Phase::Again(&id))?;
        }
        if handed_over {
            prop_assert_eq!(case.shipment.status, status);
        }
        settle(&mut case.shipment);
        prop_assert!(case.shipment.status != Status::Hold || !case.shipment.holds.is_empty());
        prop_assert_eq!(settle(&mut case.shipment), None);
    }

    #[test]
    fn what_a_robot_changes_later_has_a_reason_to_wait_and_comes_to_rest(custom in robots(7), mut case in case()) {
        let set = compiled(&[], &custom);
        for id in set.robots().map(|robot| robot.id.clone()).collect::<Vec<_>>() {
            let (shipment, detail) = (case.shipment.clone(), case.detail.clone());
            let applied = case.apply_later(&set, id.as_str());
            let changed = applied.shipment_changed || applied.detail_changed;
            prop_assert_eq!(changed, (&shipment, &detail) != (&case.shipment, &case.detail));
            prop_assert!(!changed || !case.shipment.is_held_for_nothing());
            prop_assert!(case.shipment.status == Status::Hold || case.shipment.holds.is_empty());
            if matches!(shipment.status, Status::Picking | Status::Shipped | Status::Cancelled) {
                prop_assert_eq!((shipment.status, &shipment.holds), (case.shipment.status, &case.shipment.holds));
            }
            // Why it stays on hold is said once, and as it is.
            let said: Vec<String> = applied.traces.into_iter().flat_map(|trace| trace.changes).collect();
            let stays = said.iter().filter(|what| what.starts_with(STAYS)).collect::<Vec<_>>();
            if changed && !stays.is_empty() {
                let reasons: Vec<&str> = case.shipment.holds.iter().map(|reason| reason.as_str()).collect();
                let as_it_is = format!("{STAYS}{}", reasons.join(", "));
                prop_assert_eq!(stays, [&as_it_is]);
            }

            let (once, once_detail) = (case.shipment.clone(), case.detail.clone());
            let again = case.apply_later(&set, id.as_str());
            prop_assert!(!again.shipment_changed && !again.detail_changed && again.notify.is_empty());
            prop_assert_eq!((&case.shipment, &case.detail), (&once, &once_detail));
        }
    }

    #[test]
    fn robots_that_are_applied_later_never_release_an_unpaid_order(custom in robots(4), mut case in case()) {
        // Nor does one of them derive the payment anew once it is released.
        let is_theirs = |robot: &&Value| {
            let does = robot["do"].to_string();
            !does.contains("to_ready") && !does.contains("derive_payment")
        };
        let own: Value = custom.as_array().unwrap().iter().filter(is_theirs).cloned().collect();
        let set = compiled(&processing_support::FIVE, &own);
        for id in set.robots().map(|robot| robot.id.clone()).collect::<Vec<_>>() {
            let before = case.shipment.status;
            case.apply_later(&set, id.as_str());
            if before == Status::Hold && case.shipment.status == Status::Ready {
                prop_assert_eq!(case.shipment.payment, Payment::Paid);
            }
        }
    }

    #[test]
    fn the_built_in_robots_never_release_an_unpaid_order(custom in robots(4), mut case in case()) {
        // Own robots that move to ready or set the payment by themselves are the merchant's choice; here there are none.
        let own = custom.as_array().unwrap().iter();
        let own: Value = own.filter(|robot| !robot["do"].to_string().contains("to_ready")).cloned().collect();
        let set = compiled(&processing_support::FIVE, &own);
        let before = case.shipment.status;
        check(&set, &mut case, Phase::OnImport)?;
        if before == Status::Hold && case.shipment.status == Status::Ready {
            prop_assert_eq!(case.shipment.payment, Payment::Paid);
        }
    }

    #[test]
    fn robots_are_written_as_they_were_read(custom in robots(4)) {
        let read: Vec<ProcessingRobot> = serde_json::from_value(custom).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        prop_assert_eq!(serde_json::from_value::<Vec<ProcessingRobot>>(written).unwrap(), read);
    }

    #[test]
    fn any_text_is_a_value_and_is_kept(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
        let literal = Literal::from_text(&text);
        prop_assert_eq!(literal.text(), text.as_str());
        for value in [json!(text), json!(number), json!(whole), json!(whole.to_string()), json!(number.to_string())] {
            if let Ok(read) = serde_json::from_value::<Literal>(value) {
                prop_assert_eq!(&serde_json::from_value::<Literal>(serde_json::to_value(&read).unwrap()).unwrap(), &read);
            }
        }
    }

    #[test]
    fn any_text_anywhere_is_taken_or_refused_but_never_panics(
        texts in prop::collection::vec(any::<String>(), 6), field in "[a-z_.]{0,20}", pattern in r"[\(\)\[\]\\\*\+\?\{\}0-9,a-zあ|^$.pP]{0,30}", mut case in case()
    ) {
        let when = json!({ "any": [
            { "field": field, "equals": texts[0] },
            { "field": "order.remark", "matches": pattern },
            { "field": "order.remark", "less": texts[1] },
            { "field": "ship_to.name", "contains": texts[2] },
            { "field": "holds", "in": [texts[3], texts[4]] },
        ] });
        let one = processing_support::one(when.clone(), json!([{ "hold": texts[5] }, { "set_field": { "field": field, "value": texts[0] } }]));
        for (path, message) in problems(&[], &one) {
            prop_assert!(path.starts_with("processing_robots.custom[0]") && !message.is_empty());
        }
        // Those parts that can be read are also evaluated.
        for part in when["any"].as_array().unwrap() {
            let custom = processing_support::one(part.clone(), json!([{ "tag": "t" }]));
            if let Ok(set) = RobotSet::compile(&processing_support::settings(&[], &custom)) {
                case.import(&set);
            }
        }
        let _: Result<Condition, _> = serde_json::from_str(&texts[0]);
    }
}
