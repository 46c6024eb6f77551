//! The way back, and what applying would change.

use renkei_domain::document::{self, ChangeKind};
use renkei_domain::settings::TenantSettings;

const MIDORI: &str = include_str!("fixtures/midori.yaml");
/// What the set-up article asks for, as a merchant wrote it. Never changed here: what it says has to go on being taken.
const HANAKO: &str = include_str!("fixtures/hanako.yaml");

fn settings(text: &str) -> TenantSettings {
    match document::read(text, &|url| Ok(url.to_owned())) {
        Ok(document) => document.settings,
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// What applying a changed document over the merchant's would change.
fn changes(edits: &[(&str, &str)]) -> Vec<String> {
    let mut text = MIDORI.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old:?} is not in the document");
        text = text.replacen(old, new, 1);
    }
    document::difference(Some(&settings(MIDORI)), &settings(&text)).iter().map(ToString::to_string).collect()
}

#[test]
fn an_export_looks_like_what_people_write() {
    let written = document::write(&settings(MIDORI));
    assert_eq!(settings(&written), settings(MIDORI));
    insta::assert_snapshot!(written);
}

#[test]
fn a_tied_built_in_robot_comes_back_as_it_was_written() {
    let tied = "enable: [{ id: payment-check, conversion_robots: [ecforce-own] }, hold-unpaid,";
    let told = changes(&[("enable: [payment-check, hold-unpaid,", tied)]);
    assert!(told.len() == 1 && told[0].contains("ecforce-own"), "{told:?}");
    let own = settings(&MIDORI.replacen("enable: [payment-check, hold-unpaid,", tied, 1));
    let written = document::write(&own);
    assert_eq!(settings(&written), own, "{written}");
    // Misspelt, it is told with its line.
    let wrong = MIDORI.replacen("enable: [payment-check,", "enable: [{ id: payment-check, conversion_robot: [x] },", 1);
    let problems = document::read(&wrong, &|url| Ok(url.to_owned())).unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("conversion_robots"), "the nearest key is named: {said:?}");
}

#[test]
fn an_empty_list_is_not_the_default() {
    let mut own = settings(MIDORI);
    own.connections[0].states.cancelled.clear();
    assert_eq!(settings(&document::write(&own)), own);
}

/// A template has a line of its own, and may be longer than any other line.
#[test]
fn a_text_that_is_longer_than_a_line_is_written_whole() {
    for length in [50, 100, 110, 120, 1_000] {
        let mut own = settings(MIDORI);
        let template = format!("{{{{ order.remark }}}} {}", "長い備考 ".repeat(length / 10).trim_end());
        own.products[0].name = "x".repeat(length);
        let fields = serde_json::json!({ "delivery_note": template });
        let mut robot = serde_json::to_value(&own.conversion_robots[0]).unwrap();
        robot["fields"] = fields;
        own.conversion_robots[0] = serde_json::from_value(robot).unwrap();
        let written = document::write(&own);
        assert_eq!(settings(&written), own, "{written}");
    }
}

#[test]
fn the_smallest_document_is_written_as_such() {
    assert_eq!(document::write(&settings("tenant: midori\n")), "tenant: midori\n");
}

#[test]
fn the_same_document_changes_nothing() {
    assert_eq!(changes(&[]), Vec::<String>::new());
    // Comments, the order of keys and of products, and one easy set-up or a list of one say nothing new.
    assert_eq!(
        changes(&[
            ("# An invented merchant", "# Another comment"),
            ("    api: ecforce\n", ""),
            ("    ship_from: tama-dc\n", "    ship_from: tama-dc\n    api: ecforce\n"),
            ("  - { sku: 00450, name: 急須 }\n", ""),
            ("products:\n", "products:\n  - { sku: 00450, name: 急須 }\n"),
            ("easy_setup: { connection", "easy_setup:\n    - { connection"),
        ]),
        Vec::<String>::new()
    );
}

#[test]
fn the_articles_merchant_is_taken_as_written_and_a_second_time_nothing_changes() {
    let first = document::read(HANAKO, &|url| Ok(url.to_owned())).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(first.warnings, []);
    let own = first.settings;
    assert_eq!(settings(&document::write(&own)), own, "an export is the same document");
    // What is applied is kept as JSON, and the second time compared with that.
    let kept: TenantSettings = serde_json::from_str(&serde_json::to_string(&own).unwrap()).unwrap();
    assert_eq!(document::difference(Some(&kept), &settings(HANAKO)), []);
    assert_eq!(kept, own);
}

#[test]
fn changes_are_told_with_their_values_in_the_order_of_the_document() {
    let told = changes(&[
        ("daily_call_limit: 10000", "daily_call_limit: 20000"),
        ("    # email: defaults to the service's own address", "    email: robot@midori.example"),
        ("cancelled: [canceled]", "cancelled: []"),
        ("name: 煎茶 100g, stock_buffer: 5", "name: 煎茶 100g"),
        ("  - { sku: 00450, name: 急須 }\n", "  - { sku: CUP-2, name: 湯呑み }\n"),
        ("delivery_note: \"{{ order.remark | truncate(60) }}\"", "delivery_note: \"{{ order.remark }}\""),
        ("every: 15 minutes", "every: 1 hour"),
        ("inventory: true", "inventory: false"),
    ]);
    assert_eq!(
        told,
        [
            "connections[midori-ecforce].email is added: \"robot@midori.example\"",
            "connections[midori-ecforce].daily_call_limit changes from 10000 to 20000",
            "connections[midori-ecforce].states.cancelled changes from [canceled] to []",
            "products[TEA-100].stock_buffer is removed: 5",
            "products[CUP-2] is added: 湯呑み",
            "products[00450] is removed: 急須",
            "conversion_robots[ecforce-own].fields.delivery_note changes from \"{{ order.remark | truncate(60) }}\" to \
             \"{{ order.remark }}\"",
            "integration_robots.easy_setup[midori-ecforce].every changes from 15 minutes to 1 hour",
            "integration_robots.easy_setup[midori-ecforce].inventory changes from true to false",
        ]
    );
}

#[test]
fn the_order_of_robots_and_of_shipping_methods_counts() {
    let told = changes(&[("enable: [payment-check, hold-unpaid,", "enable: [hold-unpaid, payment-check,")]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("processing_robots.enable changes from [payment-check, hold-unpaid,"), "{told:?}");
    let mut moved = settings(MIDORI);
    moved.processing_robots.custom.swap(0, 2);
    moved.shipping_methods.swap(0, 1);
    let told = document::difference(Some(&settings(MIDORI)), &moved);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|change| change.kind == ChangeKind::Reordered));
    assert_eq!(told[0].to_string(), "shipping_methods: the order changes from mailbin, parcel to parcel, mailbin");
}

#[test]
fn a_first_document_adds_everything() {
    let told = document::difference(None, &settings(MIDORI));
    assert!(told.iter().all(|change| change.kind == ChangeKind::Added), "{told:#?}");
    let paths: Vec<&str> = told.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(
        paths[..4],
        ["tenant", "ship_froms[tama-dc]", "connections[midori-ecforce]", "shipping_methods[mailbin]"]
    );
    assert!(paths.contains(&"integration_robots.easy_setup[midori-ecforce]"));
    let gone = document::difference(Some(&settings(MIDORI)), &settings("tenant: midori\n"));
    assert_eq!(gone.len(), told.len() - 1, "all but the tenant");
    assert!(gone.iter().all(|change| change.kind == ChangeKind::Removed));
}
