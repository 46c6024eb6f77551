//! Conversion robots of a merchant's own: what templates make, what they refuse, and that they always end.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use renkei_domain::convert::{ConversionRobots, ConvertError, Converted, FIELDS, FILTERS, Field, convert, samples};
use renkei_domain::document::{Problem, Warning, read};
use renkei_domain::ids::RuleId;
use renkei_domain::order::SourceOrder;
use renkei_domain::settings::TenantSettings;
use serde_json::{Value, json};

fn settings(fields: &Value) -> TenantSettings {
    serde_json::from_value(json!({
        "tenant": "hanako",
        "conversion_robots": [{ "id": "own", "name": "独自", "copy_of": 14448, "fields": fields }],
    }))
    .unwrap()
}

fn own() -> RuleId {
    RuleId::parse("own").unwrap()
}

fn sample(place: usize) -> SourceOrder {
    samples::all()[place].order.clone()
}

fn converted(fields: &Value, order: &SourceOrder) -> Result<Vec<Converted>, ConvertError> {
    let robots = ConversionRobots::compile(&settings(fields)).unwrap();
    convert(&samples::all()[0].connection, order, robots.get(Some(&own())).as_ref())
}

/// What `template` puts into the delivery note of an ordinary order with these attributes.
fn note(template: &str, attributes: &Value) -> String {
    let mut order = sample(0);
    order.attributes.extend(attributes.as_object().unwrap().clone());
    converted(&json!({ "delivery_note": template }), &order).unwrap().remove(0).detail.delivery_note
}

/// What is said of a template.
fn refused(template: &str) -> String {
    let problems = ConversionRobots::check(&settings(&json!({ "delivery_note": template }))).unwrap_err();
    assert_eq!(problems[0].path, "conversion_robots[0].fields.delivery_note");
    problems[0].message.clone()
}

#[test]
fn filters_give_the_forms_of_the_trade() {
    let order = json!({
        "remark": "ＡＢＣ　ガレージ前", "kana": "はなこ", "half": "ﾊﾅｺ ｶﾞ", "zip": "１３５００６４", "tel": "０９０００００００００",
        "at": "2026/11/24 23:30:00", "utc": "2026-11-24T15:30:00Z", "amount": 12345, "amount_text": "980.0",
    });
    for (template, made) in [
        ("{{ order.remark | truncate(60) }}", "ＡＢＣ　ガレージ前"),
        ("{{ order.remark | truncate(7) }}", "ＡＢＣ"),
        ("{{ order.remark | half_width }}", "ABC ガレージ前"),
        ("{{ order.half | full_width }}", "ハナコ　ガ"),
        ("{{ order.half | full_kana }}", "ハナコ ガ"),
        ("{{ order.kana | katakana }}", "ハナコ"),
        ("{{ order.half | hiragana }}", "はなこ が"),
        ("{{ order.kana | half_kana }}", "ﾊﾅｺ"),
        ("{{ order.zip | postal_code }}", "135-0064"),
        ("{{ order.tel | phone }}", "090-0000-0000"),
        ("{{ order.at | date }}", "2026/11/24"),
        ("{{ order.utc | date }}", "2026/11/25"),
        ("{{ order.utc | date('%m月%d日 %H:%M') }}", "11月25日 00:30"),
        ("{{ order.amount | yen }}", "12,345円"),
        ("{{ order.amount_text | yen }}", "980円"),
        ("{{ order.total | yen }} {{ order.number }}", "7,930円 SAMPLE-1"),
        ("{{ shipment.ship_to.name | half_width }} 様 {{ address.addr02 }}", "見本 花子 様 1-2-3"),
        ("{% for line in order.lines %}{{ line.sku }}×{{ line.quantity }} {% endfor %}", "SAMPLE-A×1 SAMPLE-B×2"),
        ("{% for line in order.lines %}{{ loop.index }}{% endfor %}", "12"),
        ("{{ order.carrier.name }} {{ order.updated_at | date('%H:%M') }}", "ネコポス 09:00"),
        ("{{ shipment.items | map(attribute='sku') | join('、') }}", "SAMPLE-A、SAMPLE-B"),
        ("{% if order.total > 5000 %}大口{% else %}小口{% endif %}@{{ connection.id }}", "大口@sample-shop"),
    ] {
        assert_eq!(note(template, &order), made, "{template}");
    }
}

/// Each filter of the published reference makes what its example says.
#[test]
fn the_references_examples_of_filters_hold() {
    for reference in [include_str!("../../../docs/document.md"), include_str!("../../../docs/document.ja.md")] {
        let mut tried = Vec::new();
        for row in reference.lines().filter(|line| line.contains(" \\| ")) {
            let row = row.replace("\\|", "\u{1}");
            let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let template = cells[3].replace('\u{1}', "|");
            assert_eq!(note(&template, &json!({})), cells[4], "{template}");
            tried.push(cells[1].to_owned());
        }
        assert_eq!(tried, FILTERS);
    }
}

#[test]
fn what_is_missing_is_empty_and_no_error() {
    for template in [
        "{{ order.nothing }}",
        "{{ order.nothing.at.all }}",
        "{{ none }}",
        "{{ order.nothing | truncate(3) | half_kana | full_width | phone | postal_code | date | yen }}",
        "{{ order.nothing | upper | trim | replace('a', 'b') }}",
        "{% for line in order.nothing %}x{% endfor %}",
        "{% if order.nothing %}x{% endif %}",
        "{{ order.lines[9].sku }}{{ address.nothing }}{{ shipment.nothing }}{{ order.null }}",
    ] {
        assert_eq!(note(template, &json!({ "null": null })), "", "{template}");
    }
    assert_eq!(note("{{ order.nothing | default('なし') }}", &json!({})), "なし");
}

#[test]
fn every_field_can_be_made_otherwise_and_the_rest_stays() {
    let mut fields = serde_json::Map::new();
    for name in FIELDS {
        let template = if name.ends_with("_on") { "2027/01/02" } else { "{{ order.number }}\n,新" };
        fields.insert(name.to_owned(), template.into());
    }
    let made = converted(&Value::Object(fields), &sample(3)).unwrap();
    assert_eq!(made.len(), 2);
    for parcel in &made {
        for field in Field::all() {
            let expected = match field {
                Field::ShipOn | Field::DeliverOn => "2027-01-02",
                Field::DeliveryNote => "SAMPLE-4\n,新",
                Field::Tags => "SAMPLE-4, 新",
                _ => "SAMPLE-4 ,新",
            };
            assert_eq!(field.of(&parcel.detail), expected, "{}", field.name());
        }
        assert_eq!(parcel.bad_address, Some("postal code"), "a label is judged by what the robot made");
    }
    let standard = convert(&samples::all()[0].connection, &sample(3), None).unwrap();
    assert_eq!(standard[1].detail.items, made[1].detail.items);
    assert_eq!(standard[1].detail.ship_to.prefecture, "沖縄県");
}

#[test]
fn a_robot_that_is_off_or_gone_is_the_standard() {
    let mut settings = settings(&json!({ "delivery_note": "x" }));
    let robots = ConversionRobots::compile(&settings).unwrap();
    assert!(robots.get(Some(&own())).is_some());
    assert!(robots.get(None).is_none() && robots.get(Some(&RuleId::parse("gone").unwrap())).is_none());
    settings.conversion_robots[0].enabled = false;
    assert!(ConversionRobots::compile(&settings).unwrap().get(Some(&own())).is_none());
}

#[test]
fn a_template_that_cannot_work_is_refused_with_its_reason() {
    for (template, reason) in [
        ("{{ order.remark | truncate(60 }}", "cannot be read"),
        ("{% if order.total %}", "cannot be read"),
        ("{{ order.remark | truncatee(60) }}", "no such filter"),
        ("{{ order.remark | truncate }}", "number of columns"),
        ("{{ odrer.remark }}", "did you mean `order`?"),
        ("{{ secrets.password }}", "there are order, address, shipment, connection"),
        ("{{ order.remark | date }}", "no date"),
        ("{{ order.kind | yen }}", "no whole amount"),
        ("{{ order.created_at | date('%Q') }}", "pattern"),
        ("{{ order.lines | half_width }}", "list"),
        ("{{ order.remark.upper() }}", "no methods"),
        ("{% include 'x' %}", "cannot be read"),
        ("{{ '%099999d' | format(1) }}", "no such filter"),
        ("{{ debug() }}", "sees nothing of the name `debug`"),
    ] {
        let said = refused(template);
        assert!(said.contains(reason), "{template}: {said}");
    }
    let long = "x".repeat(4_001);
    assert!(refused(&long).contains("4000 is the most"));
    assert!(refused("one\n{{ order.remark | truncatee }}\n").contains("line 2 of the template"));
}

#[test]
fn a_filter_or_test_that_there_is_not_is_refused_wherever_it_stands() {
    // None of the samples reaches these places.
    for (template, reason) in [
        ("{% if order.times == 987 %}\n{{ order.remark | truncatee(60) }}{% endif %}", "truncatee"),
        ("{% if order.times == 987 %}\n{{ 'x' if order.remark is emptyish }}{% endif %}", "emptyish"),
        ("{% for line in [] %}\n{{ line | full_widht }}{% endfor %}", "full_widht"),
        (
            "{% set x %}{% if order.times == 987 %}\n{{ [order.remark] | map('upcase') | join }}{% endif %}{% endset %}",
            "upcase",
        ),
        ("{% if order.times == 987 %}\n{{ [1] | select('odder') | join }}{% endif %}", "odder"),
        ("{% if order.times == 987 %}\n{{ [order] | rejectattr('remark', 'emptyish') | join }}{% endif %}", "emptyish"),
        ("{% filter uper %}{% if false %}\nx{% endif %}{% endfilter %}", "uper"),
    ] {
        let said = refused(template);
        assert!(said.contains(reason) && said.contains("of the template"), "{template}: {said}");
    }
    // What there is is taken, in places that are not reached too.
    let template = "{% if order.times == 987 %}{{ [order.remark] | map('half_width') | select('string') | join | truncate(9) }}\
                    {{ [order] | selectattr('remark', 'defined') | map(attribute='remark') | join }}{% endif %}";
    assert!(ConversionRobots::check(&settings(&json!({ "delivery_note": template }))).is_ok());
}

#[test]
fn what_loops_or_grows_ends_soon_with_a_reason() {
    let doubling =
        "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}";
    let replacing = "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s | replace('a', 'aaaaaaaaaa') %}{% endfor %}{{ n.s }}";
    let joining = "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set n.s = [n.s, n.s, n.s, n.s] | join('') %}{% endfor %}{{ n.s }}";
    let kana = "{% set n = namespace(s='ｶﾞ') %}{% for i in range(60) %}{% set n.s = (n.s ~ n.s) | full_width %}{% endfor %}{{ n.s }}";
    for template in [
        "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
        "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
        "{{ range(100000000) | list | length }}",
        "{{ 'x' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 9 ** 999999999 }}",
        "{% for i in [[]] recursive %}{{ loop([i]) }}{% endfor %}",
        "{% set x %}{% for i in range(9999) %}{{ order.remark * 100 }}{% endfor %}{% endset %}",
        doubling,
        replacing,
        joining,
        kana,
    ] {
        let began = Instant::now();
        let said = refused(template);
        assert!(began.elapsed() < Duration::from_secs(2), "{template}: {:?}", began.elapsed());
        assert!(said.starts_with("on the sample") && said.len() < 400, "{template}: {said}");
    }
    let said = refused("{% for i in range(2001) %}x{% endfor %}");
    assert!(said.contains("more than 2000 characters"), "{said}");
    assert_eq!(note("{% for i in range(2000) %}x{% endfor %}", &json!({})).len(), 2_000);
}

#[test]
fn an_error_on_an_order_names_robot_and_field_and_tells_nothing_of_the_customer() {
    let mut order = sample(0);
    order.attributes.insert("memo01".into(), "山田 090-1111-2222".into());
    for template in [
        "{{ order.memo01 | date }}",
        "{{ order.memo01 | int }}",
        "{{ order.memo01 + 1 if order.memo01 }}",
        "{{ order.memo01 | default('1', true) | yen }}",
        "{% if order.memo01 %}{{ order.memo01 / 2 }}{% endif %}",
    ] {
        let guarded = format!("{{% if order.memo01 %}}{template}{{% endif %}}");
        let error = converted(&json!({ "ship_to.company": guarded }), &order).unwrap_err().to_string();
        assert!(error.contains("robot own cannot make ship_to.company"), "{error}");
        assert!(!error.contains("山田") && !error.contains("1111"), "{error}");
    }
    let error = converted(&json!({ "deliver_on": "{{ order.memo01 }}" }), &order).unwrap_err().to_string();
    assert!(error.contains("no day such as 2026-12-01") && !error.contains("山田"), "{error}");
}

#[test]
fn a_robot_that_should_not_have_been_applied_holds_up_its_own_orders() {
    let robots =
        ConversionRobots::of_applied(&settings(&json!({ "delivery_note": "{{ order.remark | ", "nothing": "x" })));
    let connection = &samples::all()[0].connection;
    let error = convert(connection, &sample(0), robots.get(Some(&own())).as_ref()).unwrap_err().to_string();
    assert!(error.contains("robot own cannot make delivery_note") && error.contains("apply the document"), "{error}");
    assert!(convert(connection, &sample(0), robots.get(None).as_ref()).is_ok());
}

#[test]
fn the_templates_of_one_order_have_a_limit_together() {
    let heavy = "{% for i in range(3000) %}{% endfor %}{{ order.number }}";
    let fields: serde_json::Map<String, Value> =
        FIELDS.into_iter().filter(|name| !name.ends_with("_on")).map(|name| (name.to_owned(), heavy.into())).collect();
    let fields = Value::Object(fields);
    assert!(converted(&fields, &sample(0)).is_ok());
    let mut order = sample(0);
    let (address, line) = (order.addresses[0].clone(), order.lines[0].clone());
    for line in &mut order.lines {
        line.address = Some(address.id);
    }
    for place in 0..80 {
        let mut address = address.clone();
        address.id.0 = 1_000 + place;
        let mut line = line.clone();
        line.address = Some(address.id);
        order.addresses.push(address);
        order.lines.push(line);
    }
    let began = Instant::now();
    let error = converted(&fields, &order).unwrap_err().to_string();
    assert!(error.contains("so many parcels") && began.elapsed() < Duration::from_secs(1), "{error}");
    let light = json!({ "delivery_note": "{{ order.remark | truncate(60) }}" });
    assert_eq!(converted(&light, &order).unwrap().len(), 81);
}

/// What was bought must not go to just any of several addresses; what the shop itself adds may.
#[test]
fn of_several_addresses_each_line_says_to_which_it_goes() {
    let mut order = sample(0);
    order.addresses.truncate(1);
    let mut second = order.addresses[0].clone();
    second.id.0 += 1;
    let mut bought = order.lines[0].clone();
    (bought.address, bought.bundled) = (Some(second.id), false);
    let leaflet = {
        let mut line = bought.clone();
        (line.address, line.bundled) = (None, true);
        line
    };
    let lost = {
        let mut line = bought.clone();
        line.address = None;
        line
    };
    order.lines = vec![bought, lost];
    assert_eq!(converted(&json!({}), &order).unwrap().len(), 1, "with one address there is nothing to tell apart");
    order.addresses.push(second);
    let error = converted(&json!({}), &order).unwrap_err().to_string();
    assert!(error.contains("2 addresses") && error.contains("does not say to which"), "{error}");
    order.lines[1] = leaflet;
    assert_eq!(converted(&json!({}), &order).unwrap().len(), 2);
}

fn document(fields: &str) -> Result<Vec<Warning>, Vec<Problem>> {
    let text = format!(
        "tenant: hanako\nconversion_robots:\n  - id: own\n    name: 独自\n    copy_of: 14448\n    fields:\n{fields}"
    );
    read(&text, &|url| Ok(url.to_owned())).map(|document| document.warnings)
}

#[test]
fn the_document_says_the_line_of_a_template_that_is_wrong() {
    let problems = document(
        "      delivery_note: \"{{ order.remark | truncate(60) }}\"\n      ship_to.nmae: x\n      ship_to.company: \"{{ order.x | shorten }}\"\n      deliver_on: \"{{ order.remark }}\"\n",
    )
    .unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(said[0].starts_with("line 8:") && said[0].contains("did you mean \"ship_to.name\"?"), "{said:?}");
    assert!(said[1].starts_with("line 9:") && said[1].contains("no such filter"), "{said:?}");
    let problems = document("      delivery_note: x\n      deliver_on: \"{{ order.remark }}\"\n").unwrap_err();
    let said = problems[0].to_string();
    assert!(said.starts_with("line 8:") && said.contains("on the sample \"an ordinary order\""), "{said}");
    let warnings = document("      delivery_note: \"{{ order.remrak }}\"\n").unwrap();
    assert!(warnings[0].to_string().contains("was `order.remark` meant?"), "{warnings:?}");
}

#[test]
fn nesting_and_length_exhaust_no_stack() {
    let repeated = |begin: &str, middle: &str, end: &str, times: usize| {
        format!("{{{{ {}{middle}{} }}}}", begin.repeat(times), end.repeat(times))
    };
    let blocks = |open: &str, close: &str, times: usize| format!("{}{}", open.repeat(times), close.repeat(times));
    for template in [
        repeated("(", "1", ")", 1_900),
        repeated("[", "1", "]", 1_900),
        repeated("{'a':", "1", "}", 650),
        repeated("not ", "1", "", 950),
        repeated("-", "1", "", 3_900),
        repeated("", "1", "+1", 1_900),
        repeated("", "order", ".a", 1_900),
        repeated("", "order", "|e", 1_900),
        repeated("", "order", "[0]", 1_300),
        repeated("", "1", " if 1", 750),
        repeated("1 if 1 else ", "1", "", 320),
        repeated("", "order", "()", 1_900),
        blocks("{%if 1%}", "{%endif%}", 230),
        blocks("{%for i in [1]%}", "{%endfor%}", 150),
        blocks("{%set x%}", "{%endset%}", 210),
        blocks("{%filter e%}", "{%endfilter%}", 150),
        blocks("{%with%}", "{%endwith%}", 200),
    ] {
        assert!(template.chars().count() <= 4_000, "{}", &template[..40]);
        let began = Instant::now();
        if let Err(problems) = ConversionRobots::check(&settings(&json!({ "delivery_note": template }))) {
            assert!(!problems.is_empty());
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{}: {:?}", &template[..40], began.elapsed());
    }
}

/// Pieces of templates, as they might be thrown together.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{{ order.remark }}".to_owned()),
        Just("{% for i in range(300) %}".to_owned()),
        Just("{% for line in order.lines %}".to_owned()),
        Just("{% endfor %}".to_owned()),
        Just("{% if order.total > 1 %}".to_owned()),
        Just("{% endif %}".to_owned()),
        Just("{% set n = namespace(s=order.remark) %}".to_owned()),
        Just("{% set n.s = n.s ~ n.s ~ order %}".to_owned()),
        "[a-z]{1,6}".prop_map(|name| format!("{{{{ order.{name} | {name} }}}}")),
        (prop::sample::select(FILTERS.to_vec()), any::<i64>(), "\\PC{0,4}")
            .prop_map(|(filter, n, text)| format!("{{{{ ('{text}' ~ order.remark) | {filter}({n}) }}}}")),
        (prop::sample::select(FILTERS.to_vec())).prop_map(|filter| format!("{{{{ order.remark | {filter} }}}}")),
        "\\PC{0,12}",
        "[{}%#|().\\-'\" ~*a-z0-9]{0,16}",
    ]
}

fn hostile_order() -> impl Strategy<Value = SourceOrder> {
    let scalar = prop_oneof![
        "\\PC{0,40}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1, { "a": [] }])),
        "[0-9０-９+() \\-ー]{0,16}".prop_map(Value::from),
        "[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,2}( [0-9:]{0,9})?".prop_map(Value::from),
    ];
    let attributes = prop::collection::btree_map(
        prop_oneof![Just("remark".to_owned()), Just("times".to_owned()), "[a-z_]{1,12}"],
        scalar,
        0..8,
    );
    let parts = prop::collection::btree_map(
        prop_oneof![Just("full_name".to_owned()), Just("full_zip".to_owned()), Just("full_tel".to_owned())],
        any::<String>(),
        0..4,
    );
    (attributes, parts, 0..4usize).prop_map(|(attributes, parts, from)| {
        let mut order = sample(from);
        order.attributes.extend(attributes);
        order.addresses[0].parts.extend(parts);
        order
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_template_panics_or_runs_on(pieces in prop::collection::vec(piece(), 1..8), order in hostile_order()) {
        let settings = settings(&json!({ "delivery_note": pieces.concat(), "tags": pieces.concat() }));
        let began = Instant::now();
        if let Ok(robots) = ConversionRobots::check(&settings) {
            let made = convert(&samples::all()[0].connection, &order, robots.get(Some(&own())).as_ref());
            if let Ok(made) = made {
                prop_assert!(made.iter().all(|parcel| parcel.detail.delivery_note.chars().count() <= 2_000));
            }
        }
        prop_assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn no_filter_panics_on_any_order(order in hostile_order(), columns in any::<usize>(), pattern in "[%a-zA-Z0-9:.]{0,8}") {
        for filter in FILTERS {
            let call = match filter {
                "truncate" => format!("truncate({columns})"),
                "date" => format!("date('{pattern}')"),
                other => other.to_owned(),
            };
            let template = format!("{{% if order.id > 4 %}}{{{{ order.remark | {call} }}}}{{{{ shipment.ship_to.phone | {call} }}}}{{% endif %}}");
            let mut order = order.clone();
            order.id.0 = 5;
            if let Ok(robots) = ConversionRobots::check(&settings(&json!({ "ship_to.name": template }))) {
                let connection = &samples::all()[0].connection;
                let once = convert(connection, &order, robots.get(Some(&own())).as_ref());
                let twice = convert(connection, &order, robots.get(Some(&own())).as_ref());
                let name = |made: Result<Vec<Converted>, ConvertError>| made.map(|made| made[0].detail.ship_to.name.clone());
                prop_assert_eq!(name(once), name(twice));
            }
        }
    }
}
