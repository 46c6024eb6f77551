//! The built-in robots, as the set-up article uses them: what becomes of an order on import, and later.

mod processing_support;

use processing_support::{Case, FIVE, compiled, now, rule, settings, sku};
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Applied, Facts, ImportDecision, Phase, RobotSet, built_in, settle};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{HoldReason, Status};
use renkei_domain::sync::Rules;
use serde_json::{Value, json};

use HoldReason::{AwaitingPayment, BadAddress, NeedsReview, Remark};

#[test]
fn each_payment_state_ends_where_the_table_says() {
    let robots = compiled(&FIVE, &json!([]));
    let paid = ["authed", "credit_exam_completed", "captured", "completed", "paid", "cash_on_delivery_authed"];
    let waits = ["pending", "auth_failed", "update_failed", "credit_exam_hold", "voided", "brand_new", ""];
    for state in paid {
        let mut case = Case::new().paying(state);
        let applied = case.import(&robots);
        assert_eq!(applied.import, ImportDecision::Accept);
        assert_eq!((case.shipment.status, case.shipment.payment), (Status::Ready, Payment::Paid), "{state}");
        assert_eq!(settle(&mut case.shipment), None);
        assert!(case.shipment.holds.is_empty());
    }
    for state in waits {
        let mut case = Case::new().paying(state);
        case.import(&robots);
        assert_eq!((case.shipment.status, case.shipment.payment), (Status::Hold, Payment::Unpaid), "{state}");
        assert_eq!(case.shipment.holds, [AwaitingPayment], "{state}");
        assert_eq!(settle(&mut case.shipment), None);
    }
}

#[test]
fn traces_say_which_robots_matched_and_what_they_changed() {
    let robots = compiled(&FIVE, &json!([]));
    let said = |case: &mut Case| -> Vec<(String, Vec<String>)> {
        case.import(&robots).traces.into_iter().map(|trace| (trace.robot.to_string(), trace.changes)).collect()
    };
    assert_eq!(
        said(&mut Case::new()),
        [("payment-check".into(), vec!["payment paid".into()]), ("ecforce-release".into(), vec!["ready".into()])]
    );
    assert_eq!(
        said(&mut Case::new().paying("brand_new")),
        [
            (
                "payment-check".into(),
                vec!["payment unpaid: payment state \"brand_new\" is not in the connection's table and waits".into()]
            ),
            ("hold-unpaid".into(), vec!["hold awaiting-payment".into()])
        ]
    );
}

#[test]
fn an_unknown_product_waits_and_a_duplicate_does_not() {
    let robots = compiled(&FIVE, &json!([]));
    let untouched = Case::new();

    let mut case = Case::new();
    case.unknown_skus = vec![sku("NEW-1")];
    let applied = case.import(&robots);
    assert!(matches!(&applied.import, ImportDecision::Quarantine { robot, .. } if *robot == rule("require-product")));
    assert_eq!(applied.traces.len(), 1);
    assert_eq!(case.shipment, untouched.shipment);

    // The duplicate is refused for good, whatever else the order waits for and whichever robot comes first.
    case.duplicate_number = true;
    let applied = case.import(&robots);
    assert!(matches!(&applied.import, ImportDecision::Refuse { robot, .. } if *robot == rule("reject-duplicate")));
    assert_eq!(case.shipment, untouched.shipment);
    assert_eq!(case.detail, untouched.detail);
    assert!(!applied.shipment_changed && !applied.detail_changed);

    // After import there is nothing left to refuse.
    let applied = case.apply(&robots, Phase::Only(&rule("reject-duplicate")));
    assert_eq!(applied.import, ImportDecision::Accept);
}

#[test]
fn paid_later_is_released_by_the_robot_that_the_status_sync_triggers() {
    let robots = compiled(&FIVE, &json!([]));
    let release = rule("ecforce-release");
    let mut case = Case::new().paying("pending");
    case.import(&robots);
    assert_eq!(case.shipment.holds, [AwaitingPayment]);

    // Not paid yet: nothing moves, and the shipment says why.
    let applied = case.apply(&robots, Phase::Only(&release));
    assert!(applied.traces.is_empty() && !applied.shipment_changed);

    // The status sync read `paid`.
    "paid".clone_into(&mut case.shipment.payment_state);
    case.shipment.payment = Payment::Paid;
    let applied = case.apply(&robots, Phase::Only(&release));
    assert_eq!(case.shipment.status, Status::Ready);
    assert_eq!(applied.traces[0].changes, ["hold awaiting-payment cleared", "ready"]);
    assert!(applied.shipment_changed && !applied.detail_changed);
}

#[test]
fn another_open_reason_keeps_it_and_is_named() {
    let robots = compiled(&FIVE, &json!([]));
    let mut case = Case::new().paying("pending");
    case.import(&robots);
    case.shipment.hold(BadAddress);
    case.shipment.hold(Remark);
    case.shipment.payment = Payment::Paid;
    let applied = case.apply(&robots, Phase::Only(&rule("ecforce-release")));
    assert_eq!(case.shipment.holds, [BadAddress, Remark]);
    assert_eq!(applied.traces[0].changes, ["hold awaiting-payment cleared", "stays on hold: bad-address, remark"]);

    // A person clears both; the robot that runs always lets it go.
    case.shipment.clear_hold(BadAddress);
    case.shipment.clear_hold(Remark);
    case.apply(&robots, Phase::Again(&rule("ecforce-release")));
    assert_eq!(case.shipment.status, Status::Ready);
}

/// Beside these, robots of a merchant's own for what is stored: one for each reason.
fn clearing(enable: &[&str]) -> RobotSet {
    let clears = |id: &str, reason: &str| json!({ "id": id, "name": id, "do": [{ "clear_hold": reason }] });
    let own = json!([
        clears("clear-remark", "remark"),
        clears("clear-review", "needs-review"),
        clears("clear-payment", "awaiting-payment"),
        { "id": "sold-out", "name": "s", "do": [{ "clear_hold": "remark" }, { "cancel": "販売終了" }] },
        { "id": "mark", "name": "m", "do": [{ "tag": "mark" }] },
        { "id": "always", "name": "a", "run": "always", "when": { "field": "tags", "equals": "mark" },
          "do": [{ "tag": "always" }] }
    ]);
    compiled(enable, &own)
}

/// Imported by the built-in robots alone.
fn stored(enable: &[&str], payment: &str) -> Case {
    let mut case = Case::new().paying(payment);
    case.import(&compiled(enable, &json!([])));
    case
}

fn said(applied: Applied) -> String {
    let said: Vec<String> = applied.traces.into_iter().flat_map(|trace| trace.changes).collect();
    said.join("; ")
}

#[test]
fn a_paid_shipment_whose_last_hold_a_robot_takes_away_is_ready() {
    let robots = clearing(&FIVE);
    let mut case = stored(&FIVE, "authed");
    case.shipment.hold(Remark);
    let applied = case.apply_later(&robots, "clear-remark");
    assert_eq!((case.shipment.status, applied.settled), (Status::Ready, None));
    assert_eq!(said(applied), "hold remark cleared; ready");
    let once = case.shipment.clone();
    assert_eq!(said(case.apply_later(&robots, "clear-remark")), "");
    assert_eq!(case.shipment, once);

    // What a person, or something else, holds it for besides stays.
    let mut case = stored(&FIVE, "authed");
    case.shipment.hold(Remark);
    case.shipment.hold(BadAddress);
    let applied = case.apply_later(&robots, "clear-remark");
    assert_eq!(case.shipment.holds, [BadAddress]);
    assert_eq!(said(applied), "hold remark cleared; stays on hold: bad-address");
}

#[test]
fn what_no_robot_releases_later_waits_for_a_reason_as_after_import() {
    // Unpaid: it awaits its payment, whichever hold fell away.
    let robots = clearing(&FIVE);
    let mut case = stored(&FIVE, "pending");
    case.shipment.clear_hold(AwaitingPayment);
    case.shipment.hold(Remark);
    let applied = case.apply_later(&robots, "clear-remark");
    assert_eq!((case.shipment.status, case.shipment.holds.as_slice()), (Status::Hold, &[AwaitingPayment][..]));
    assert_eq!(said(applied), "hold remark cleared; stays on hold: awaiting-payment");
    // Taken away and given again is no change, and said as such.
    let before = case.shipment.clone();
    let applied = case.apply_later(&robots, "clear-payment");
    assert!(!applied.shipment_changed && case.shipment == before);
    assert_eq!(said(applied), "stays on hold: awaiting-payment");

    // Paid, and nothing releases: a person decides.
    let robots = clearing(&["payment-check"]);
    let mut case = stored(&["payment-check"], "authed");
    case.shipment.hold(Remark);
    let applied = case.apply_later(&robots, "clear-remark");
    assert_eq!((applied.settled, case.shipment.holds.as_slice()), (Some(NeedsReview), &[NeedsReview][..]));
    let before = case.shipment.clone();
    assert_eq!(said(case.apply_later(&robots, "clear-review")), "stays on hold: needs-review");
    assert_eq!(case.shipment, before);
}

#[test]
fn what_is_cancelled_or_handed_over_is_processed_no_further() {
    let robots = clearing(&FIVE);
    let mut case = stored(&FIVE, "authed");
    case.shipment.hold(Remark);
    assert_eq!(said(case.apply_later(&robots, "sold-out")), "hold remark cleared; cancelled: 販売終了");
    assert_eq!(case.shipment.status, Status::Cancelled);

    case = stored(&FIVE, "authed");
    case.apply_later(&robots, "mark");
    assert_eq!(case.shipment.status, Status::Ready);
    assert_eq!(case.detail.tags, ["mark", "always"]);
    for status in [Status::Picking, Status::Shipped, Status::Cancelled] {
        let mut case = stored(&FIVE, "authed");
        case.shipment.status = status;
        let before = case.shipment.clone();
        case.apply_later(&robots, "mark");
        assert_eq!((case.shipment, case.detail.tags), (before, vec!["mark".to_owned()]), "{status:?}");
    }
}

#[test]
fn robots_that_run_always_keep_their_place_in_the_list() {
    // What comes later in the list has the last word, as on import: the release does not take its hold away.
    let dear = json!([{ "id": "dear", "name": "d", "do": [{ "hold": "awaiting-payment" }] }]);
    let robots = compiled(&["payment-check", "ecforce-release"], &dear);
    let mut case = Case::new();
    case.shipment.payment = Payment::Paid;
    case.shipment.status = Status::Ready;
    assert_eq!(said(case.apply_later(&robots, "dear")), "hold awaiting-payment");
    assert_eq!(case.shipment.holds, [AwaitingPayment]);
}

#[test]
fn the_generic_release_looks_at_reasons_only() {
    let mut case = Case::new().paying("pending");
    case.import(&compiled(&["payment-check", "release"], &json!([])));
    assert_eq!((case.shipment.status, case.shipment.payment), (Status::Ready, Payment::Unpaid));

    let robots = compiled(&["payment-check", "hold-unpaid", "release"], &json!([]));
    let mut case = Case::new().paying("pending");
    let applied = case.import(&robots);
    assert_eq!(case.shipment.holds, [AwaitingPayment]);
    assert_eq!(applied.traces.last().unwrap().changes, ["stays on hold: awaiting-payment"]);
}

#[test]
fn what_nothing_released_gets_a_reason_that_the_release_understands() {
    // Unpaid and no robot said anything: it awaits payment, and the release after a status sync finds and frees it.
    let robots = compiled(&["payment-check", "ecforce-release"], &json!([]));
    let mut case = Case::new().paying("pending");
    case.import(&robots);
    assert!(case.shipment.holds.is_empty());
    assert_eq!(settle(&mut case.shipment), Some(AwaitingPayment));
    case.shipment.payment = Payment::Paid;
    case.apply(&robots, Phase::Only(&rule("ecforce-release")));
    assert_eq!(case.shipment.status, Status::Ready);

    // Paid, and the merchant has no releasing robot: a person decides, and no robot decides instead.
    let mut case = Case::new();
    case.import(&compiled(&["payment-check"], &json!([])));
    assert_eq!(settle(&mut case.shipment), Some(NeedsReview));
    case.apply(&robots, Phase::Only(&rule("ecforce-release")));
    assert_eq!(case.shipment.holds, [NeedsReview]);

    for status in [Status::Ready, Status::Picking, Status::Shipped, Status::Cancelled] {
        case.shipment.status = status;
        case.shipment.holds.clear();
        assert_eq!(settle(&mut case.shipment), None);
        assert_eq!(case.shipment.status, status);
    }
}

#[test]
fn what_the_warehouse_has_taken_stays() {
    let robots = compiled(&FIVE, &json!([]));
    for status in [Status::Picking, Status::Shipped, Status::Cancelled] {
        for state in ["pending", "authed"] {
            let mut case = Case::new().paying(state);
            case.shipment.status = status;
            case.import(&robots);
            case.apply(&robots, Phase::Again(&rule("ecforce-release")));
            assert_eq!((case.shipment.status, case.shipment.holds.len()), (status, 0));
        }
    }
}

#[test]
fn the_two_releases_exclude_each_other_with_a_reason() {
    let problems = RobotSet::compile(&settings(&["ecforce-release", "release"], &json!([]))).unwrap_err();
    assert_eq!(problems.len(), 1);
    let said = problems[0].to_string();
    for part in ["ecforce-release", "エラーが無くなったら出荷待ちへ移動", "cannot be on together", "each would decide"]
    {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn order_is_given_by_enable_and_a_late_payment_check_is_noticed() {
    let set = compiled(&["hold-unpaid", "payment-check"], &json!([]));
    let order: Vec<&str> = set.robots().map(|robot| robot.id.as_str()).collect();
    assert_eq!(order, ["hold-unpaid", "payment-check"]);
    assert_eq!(set.warnings().len(), 1);
    assert!(set.warnings()[0].message.contains("enable `payment-check` before it"));
    assert!(compiled(&FIVE, &json!([])).warnings().is_empty());
}

#[test]
fn a_shop_whose_shipments_no_robot_would_release_is_noticed() {
    let mut own = settings(&[], &json!([]));
    let warned = |own: &TenantSettings| RobotSet::compile(own).unwrap().warnings().to_vec();
    let enable = |robots: Value| serde_json::from_value(robots).unwrap();
    own.processing_robots.enable =
        enable(json!(["payment-check", { "id": "ecforce-release", "conversion_robots": ["ecforce-own"] }]));
    let warnings = warned(&own);
    assert_eq!(warnings.len(), own.connections.len(), "{warnings:?}");
    let said = &warnings[0].message;
    for part in [own.connections[0].id.as_str(), "`14448`", "`ecforce-release` is tied to others"] {
        assert!(said.contains(part), "{said}");
    }
    // Another that is for all, or for this one, does; and where none releases at all, people are meant to.
    own.processing_robots.custom = serde_json::from_value(json!([
        { "id": "let-go", "name": "Let go", "do": ["to_ready"], "conversion_robots": ["14448"] }
    ]))
    .unwrap();
    assert!(warned(&own).is_empty());
    own.processing_robots.custom.clear();
    own.processing_robots.enable = enable(json!(["payment-check"]));
    assert!(warned(&own).is_empty());
}

#[test]
fn a_built_in_robot_can_be_tied_to_a_conversion_robot() {
    let mut own = settings(&[], &json!([]));
    own.processing_robots.enable = serde_json::from_value(json!([
        "payment-check", { "id": "hold-unpaid", "conversion_robots": ["ecforce-own"] }, { "id": "ecforce-release" }
    ]))
    .unwrap();
    let set = RobotSet::compile(&own).unwrap();
    for (conversion, holds) in [("ecforce-own", true), ("14448", false)] {
        let mut case = Case::new().paying("pending");
        let conversion = rule(conversion);
        let facts = Facts {
            connection: &case.connection,
            conversion_robot: Some(&conversion),
            unknown_skus: &[],
            duplicate_number: false,
            now: now(),
        };
        let applied = set.apply(Phase::OnImport, &facts, &mut case.shipment, &mut case.detail);
        assert_eq!(applied.traces.iter().any(|trace| trace.robot.as_str() == "hold-unpaid"), holds, "{conversion}");
    }
    // The status sync holds what is not paid any more by the same tie.
    let connection = own.connections[0].clone();
    assert!(!Rules::of(&own, &connection).hold_unpaid, "its orders go through the standard one");
    own.integration_robots.easy_setup = serde_json::from_value(
        json!({ "connection": "hanako-ecforce", "conversion_robot": "ecforce-own", "every": "1 hour" }),
    )
    .unwrap();
    assert!(Rules::of(&own, &connection).hold_unpaid);
    // So do robots that are applied later.
    assert_eq!(own.tie_of(&connection.id), Some(&rule("ecforce-own")));
    assert_eq!(settings(&[], &json!([])).tie_of(&connection.id), Some(&rule("14448")));

    own.processing_robots.enable[1] =
        serde_json::from_value(json!({ "id": "hold-unpaid", "conversion_robots": ["ecforce-onw"] })).unwrap();
    let problems = RobotSet::compile(&own).unwrap_err();
    assert_eq!(problems[0].path, "processing_robots.enable[1].conversion_robots[0]");
    assert!(problems[0].message.contains("did you mean `ecforce-own`?"), "{problems:?}");
}

#[test]
fn the_text_is_what_the_values_are_written_as() {
    let text: serde_json::Value = serde_json::from_str(built_in::TEXT).unwrap();
    assert_eq!(serde_json::to_value(built_in::all()).unwrap(), text);
    assert_eq!(built_in::all().len(), 6);
    insta::assert_snapshot!(serde_json::to_string_pretty(built_in::all()).unwrap());
}
