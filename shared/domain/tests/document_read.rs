//! Documents as merchants write them: accepted as they are, or refused with the line and a sentence that helps.

use renkei_domain::document::{self, Document, Problem};

const MIDORI: &str = include_str!("fixtures/midori.yaml");

/// A stand-in for the check of addresses: what counts here is that its answers are used.
fn address(text: &str) -> Result<String, String> {
    if text.contains(' ') {
        return Err("this is not an address of a shop".into());
    }
    let bare = text.trim_start_matches("https://").trim_end_matches('/').trim_end_matches("/api");
    Ok(format!("https://{bare}"))
}

fn read(text: &str) -> Result<Document, Vec<Problem>> {
    document::read(text, &address)
}

/// The merchant's document with one text in it replaced.
fn with(old: &str, new: &str) -> String {
    assert!(MIDORI.contains(old), "{old:?} is not in the document");
    MIDORI.replacen(old, new, 1)
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part:?} is not in the text")) + 1
}

#[test]
fn a_merchants_document_is_accepted_as_it_is() {
    let document = read(MIDORI).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(document.warnings, []);
    let settings = document.settings;
    assert_eq!(settings.tenant.as_str(), "midori");
    assert_eq!(settings.connections[0].api_url, "https://api.midori.example");
    assert_eq!(settings.products[2].sku.as_str(), "00450", "a SKU is text, letter by letter");
    assert_eq!(settings.shipping_methods[1].carrier_ids.values().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(settings.integration_robots.easy_setup.iter().count(), 1);
    assert_eq!(document.places.line("connections[0].daily_call_limit"), line_of(MIDORI, "daily_call_limit"));
}

/// Codes keep what is written, as SKUs of products do; what is written as a number is one.
#[test]
fn codes_are_taken_letter_by_letter_in_conditions_and_fields_too() {
    let tests = "{ field: items.sku, in: [00450, 12E4, 1.50, 450] }, { field: order.remark, contains: 0120 }, \
                 { field: order.times, equals: 1.5 }, { field: order.total, greater: 10000 }";
    let action = "{ set_field: { field: ship_to.phone, value: 0312345678 } }";
    let robot = format!("{{ id: codes, name: コード, when: {{ all: [ {tests} ] }}, do: [ {action} ] }}");
    let text =
        with("    - id: first-subscription-leaflet", &format!("    - {robot}\n    - id: first-subscription-leaflet"));
    let document = read(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let robot = serde_json::to_value(&document.settings.processing_robots.custom[0]).unwrap();
    let all = &robot["when"]["all"];
    assert_eq!(all[0]["in"], serde_json::json!(["00450", "12E4", "1.50", 450]));
    assert_eq!(all[1]["contains"], "0120");
    assert_eq!((&all[2]["equals"], &all[3]["greater"]), (&serde_json::json!(1.5), &serde_json::json!(10_000)));
    assert_eq!(robot["do"][0]["set_field"]["value"], "0312345678");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_no_problem() {
    let text = format!("\u{feff}{}", MIDORI.replace('\n', "\r\n"));
    assert_eq!(read(&text).unwrap().settings, read(MIDORI).unwrap().settings);
}

#[test]
fn every_mistake_is_said_at_once_in_the_order_of_lines() {
    let text = with("daily_call_limit: 10000", "daly_call_limit: \"0\"")
        .replace("prefecture: 東京都", "prefecture: 東京")
        .replace("keywords: [宅配便, 宅急便]", "keywords: [宅配便, メール便]")
        .replace("copy_of: 14448", "copy_of: 1")
        .replace("to_status: awaiting-payment", "to_status: paid");
    let problems = read(&text).unwrap_err();
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "ship_froms[0].prefecture",
            "connections[0].daly_call_limit",
            "connections[0].daily_call_limit",
            "connections[0].daily_call_limit",
            "shipping_methods[1].keywords[1]",
            "conversion_robots[0].copy_of",
            "integration_robots.custom[0].do.to_status",
        ],
        "{problems:#?}"
    );
    assert!(problems.is_sorted_by_key(|problem| problem.line));
}

#[test]
fn the_automation_option_and_our_write_back_exclude_each_other() {
    let automated = with("automation_option: false", "automation_option: true");
    let document = read(&automated).unwrap();
    let setup = document.settings.integration_robots.easy_setup.iter().next().unwrap();
    let robots: Vec<String> = document.settings.easy_robots(setup).into_iter().map(|(id, _)| id.to_string()).collect();
    assert!(!robots.contains(&"midori-ecforce/state-shipped".to_owned()), "{robots:?}");
    let both = automated.replace("inventory: true", "inventory: true, shipped: true");
    let problems = read(&both).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "integration_robots.easy_setup.shipped");
    assert!(problems[0].sentence.starts_with("it would run twice"), "{}", problems[0]);
    assert!(problems[0].sentence.contains("二重に実行"), "{}", problems[0]);
    let after = automated.replace("after: status-sync", "after: state-shipped");
    let problems = read(&after).unwrap_err();
    assert!(problems[0].sentence.contains("this one would never start"), "{}", problems[0]);
}

#[test]
fn a_list_of_easy_setups_names_its_element() {
    let text = with(
        "easy_setup: { connection: midori-ecforce, conversion_robot: ecforce-own, every: 15 minutes, inventory: true }",
        "easy_setup:\n    - { connection: midori-ecforce, every: 15 minutes }\n    - { connection: midori-ecforce, every: 1 hour }",
    );
    let problems = read(&text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].path, "integration_robots.easy_setup[1].connection");
    assert_eq!(problems[0].line, line_of(&text, "every: 1 hour"));
    assert!(problems[0].sentence.contains("run twice"), "{}", problems[0]);
}

#[test]
fn what_is_allowed_but_odd_is_a_warning_with_its_line() {
    for (old, new, at, sentence) in [
        ("every: 15 minutes", "every: 5 minutes", "every: 5", "every 5 minutes spends"),
        ("paid: [cash_on", "paid: [pending, cash_on", "pending", "counts as paid here"),
        ("call_interval_ms: 1000", "call_interval_ms: 0", "call_interval_ms", "almost without a pause"),
        ("call_interval_ms: 1000", "batch_size: 500", "batch_size", "more than the 100 that are proven"),
        ("    default: true\n", "", "shipping_methods:", "no method has `default: true`"),
        ("    # email: defaults", "    email: robot@midori.example # ", "email: robot", ""),
        ("inventory: true", "inventory: true, shipped: false", "shipped: false", "nobody tells the shop"),
        (", ecforce-release]", "]", "apply_processing_robot", "is not on"),
        ("add_item: { sku: LEAFLET-1", "add_item: { sku: LEAFLET-2", "LEAFLET-2", "did you mean \"LEAFLET-1\"?"),
    ] {
        let text = with(old, new);
        let document = read(&text).unwrap_or_else(|problems| panic!("{new:?}: {problems:#?}"));
        let line = line_of(&text, at);
        let found = document.warnings.iter().any(|w| w.line == line && w.sentence.contains(sentence));
        assert_eq!(found, !sentence.is_empty(), "{new:?}: {:#?}", document.warnings);
    }
}

#[test]
fn bombs_are_refused() {
    for (text, sentence) in [
        (String::new(), "the document is empty"),
        ("# nothing but a comment\n".into(), "the document is empty"),
        ("- a\n- b\n".into(), "this must be a mapping"),
        ("tenant: a\n---\ntenant: b\n".into(), "a second document begins here"),
        (format!("tenant: a\nproducts: {}{}", "[".repeat(40), "]".repeat(40)), "more than 32 levels"),
        (format!("tenant: a\nproducts: [{}]", "1,".repeat(250_000)), "more than 200000 values"),
        (format!("tenant: {}", "a".repeat(1_000_001)), "more than 1000000"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n".into(), "anchors and aliases"),
        ("tenant: \"a\n".into(), "this is not YAML"),
        ("tenant: [a\n".into(), "this is not YAML"),
    ] {
        let problems = read(&text).expect_err(sentence);
        assert!(problems.iter().any(|p| p.sentence.contains(sentence)), "{sentence:?}: {:?}", &problems[..1]);
        assert!(problems.len() <= 1_000, "{}", problems.len());
    }
}

/// The examples of the published reference are documents that are accepted.
#[test]
fn the_references_examples_are_accepted() {
    for reference in [include_str!("../../../docs/document.md"), include_str!("../../../docs/document.ja.md")] {
        let smallest = reference
            .split("```yaml\n")
            .filter_map(|part| part.split("```").next())
            .find(|example| example.starts_with("tenant:"))
            .unwrap();
        let document = read(smallest).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(document.warnings, []);
        // Each condition and each action of the tables is one that robots take.
        let mut sections = reference
            .split("\n### ")
            .filter(|section| section.contains("{ field: order.remark") || section.contains("{ hold: remark }"));
        let (conditions, actions) = (sections.next().unwrap(), sections.next().unwrap());
        let examples = |section: &'static str| {
            let rows =
                section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
            rows.map(|row| row.rsplit('|').nth(1).unwrap().trim().trim_matches('`')).collect::<Vec<_>>()
        };
        let tried: Vec<String> = examples(conditions)
            .into_iter()
            .map(|when| format!("{{ id: tried, name: 試し, when: {when}, do: [to_ready] }}"))
            .chain(examples(actions).into_iter().map(|action| format!("{{ id: tried, name: 試し, do: [ {action} ] }}")))
            .collect();
        assert_eq!(tried.len(), 8 + 15);
        for robot in tried {
            let text = MIDORI
                .replace("sku: LEAFLET-1, name", "sku: ICE-1, name")
                .replace(
                    "shipping_methods:\n",
                    "shipping_methods:\n  - { id: cool, name: クール便, warehouse_code: COOL }\n",
                )
                .replace("  custom:\n    - id: first", &format!("  custom:\n    - {robot}\n    - id: first"));
            read(&text).unwrap_or_else(|problems| panic!("{robot}: {problems:#?}"));
        }
    }
}

/// Very many mistakes are told up to a number, and do not take long.
#[test]
fn very_many_mistakes_end_with_a_last_word() {
    use std::fmt::Write as _;
    let (mut unknown, mut twice, mut lost) = (String::new(), String::new(), String::new());
    for n in 0..10_000 {
        let _ = writeln!(unknown, "key-{n}: 1");
        let _ = writeln!(twice, "  - {{ sku: A, name: B }}");
        let _ = writeln!(lost, "  - {{ id: m{n}, name: B, warehouse_code: C, carrier_ids: {{ x{n}: 1 }} }}");
    }
    for text in [unknown, format!("tenant: a\nproducts:\n{twice}"), format!("tenant: a\nshipping_methods:\n{lost}")] {
        let problems = read(&text).unwrap_err();
        assert_eq!(problems.len(), 1_001);
        assert!(problems[1_000].sentence.starts_with("there are more problems"), "{}", problems[1_000]);
    }
}
