//! One mistake each in a merchant's document: the line that is named, and the sentence that is said.

use renkei_domain::document::{self, Document, Problem, is_of_others};

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

/// What to replace, by what, a part of the line that is then named, and the sentence that must be said.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    // Keys.
    (
        "    daily_call_limit:",
        "    daly_call_limit:",
        "daly_call_limit",
        "connections[0].daly_call_limit: the key \"daly_call_limit\" is not known here: did you mean \"daily_call_limit\"?",
    ),
    (
        "ship_froms:",
        "shipfroms:",
        "shipfroms:",
        "the key \"shipfroms\" is not known here: did you mean \"ship_froms\"?",
    ),
    (
        "    call_interval_ms: 1000",
        "    colour: green",
        "colour",
        "the key \"colour\" is not known here; known are: api, api_url",
    ),
    (
        "    daily_call_limit: 10000\n",
        "",
        "- id: midori-ecforce",
        "connections[0].daily_call_limit: \"daily_call_limit\" is missing here: a whole number, 0 or more",
    ),
    ("tenant: midori\n", "", "ship_froms:", "tenant: \"tenant\" is missing here: an id"),
    (
        "    automation_option: false",
        "    daily_call_limit: 5",
        "    daily_call_limit: 5",
        "connections[0].daily_call_limit: the key \"daily_call_limit\" stands here a second time, first on line 19",
    ),
    (
        "{ fetch: complete, working: working, shipped",
        "{ fetch: complete, werking: working, shipped",
        "werking",
        "connections[0].states.werking: the key \"werking\" is not known here: did you mean \"working\"?",
    ),
    ("paid: [cash", "payed: [cash", "payed", "the key \"payed\" is not known here: did you mean \"paid\"?"),
    // Kinds of values.
    (
        "daily_call_limit: 10000",
        "daily_call_limit: many",
        "daily_call_limit",
        "connections[0].daily_call_limit: this must be a whole number, 0 or more, not \"many\"",
    ),
    (
        "daily_call_limit: 10000",
        "daily_call_limit: 10,000",
        "daily_call_limit",
        "this must be a whole number, 0 or more, not \"10,000\"",
    ),
    (
        "daily_call_limit: 10000",
        "daily_call_limit: \"10000\"",
        "daily_call_limit",
        "this must be a number: write 10000 without quotes",
    ),
    ("daily_call_limit: 10000", "daily_call_limit: 1.5", "daily_call_limit", "this must be a whole number"),
    (
        "daily_call_limit: 10000",
        "daily_call_limit: -1",
        "daily_call_limit",
        "\"-1\" is out of bounds: this must be a whole number, 0 or more",
    ),
    ("daily_call_limit: 10000", "daily_call_limit: 99999999999", "daily_call_limit", "is out of bounds"),
    ("daily_call_limit: 10000", "daily_call_limit:", "daily_call_limit", "there is nothing here: write a whole number"),
    (
        "automation_option: false",
        "automation_option: no",
        "automation_option",
        "this must be true or false, not \"no\": write false",
    ),
    ("automation_option: false", "automation_option: \"false\"", "automation_option", "write false without quotes"),
    (
        "keywords: [メール便]",
        "keywords: メール便",
        "keywords: メール便",
        "shipping_methods[0].keywords: this must be a list: write [\"メール便\"]",
    ),
    (
        "    name: 多摩物流センター",
        "    name: [多摩]",
        "name: [多摩]",
        "ship_froms[0].name: this must be text, not a list",
    ),
    ("    name: 多摩物流センター", "    name: true", "name: true", "put it in quotes if text is meant"),
    (
        "carrier_ids: { midori-ecforce: 6 }",
        "carrier_ids: { midori-ecforce: six }",
        "six",
        "shipping_methods[0].carrier_ids.midori-ecforce: this must be a whole number",
    ),
    (
        "carrier_ids: { midori-ecforce: 6 }",
        "carrier_ids: { Midori: 6 }",
        "Midori: 6",
        "connection \"Midori\" is not valid: use 1 to 63 lower-case letters",
    ),
    ("copy_of: 14448", "copy_of: standard", "copy_of", "conversion_robots[0].copy_of: this must be a whole number"),
    // Ids and words.
    (
        "tenant: midori",
        "tenant: Midori",
        "tenant: Midori",
        "tenant \"Midori\" is not valid: use 1 to 63 lower-case letters",
    ),
    ("  - id: parcel", "  - id: par cel", "par cel", "shipping method \"par cel\" is not valid"),
    ("sku: TEA-100", "sku: \" TEA-100\"", "TEA-100", "SKU \" TEA-100\" is not valid"),
    ("api: ecforce", "api: ecfroce", "ecfroce", "\"ecfroce\" is not one of ecforce: did you mean \"ecforce\"?"),
    ("after: status-sync", "after: status_sync", "status_sync", "did you mean \"status-sync\"?"),
    ("every: 15 minutes", "every: 15min", "15min", "is not a time: write for example `15 minutes` or `2 hours`"),
    ("every: 15 minutes", "every: 2 days", "2 days", "is not a time"),
    ("every: 15 minutes", "every: 48 hours", "48 hours", "every 1 minute to every 24 hours"),
    // Unions: only the branch that was meant speaks.
    (
        "equals: 定期受注",
        "equal: 定期受注",
        "equal: 定期受注",
        "processing_robots.custom[0].when.all[0].equal: the key \"equal\" is not known here: did you mean \"equals\"?",
    ),
    (
        "{ any: [ { field: order.remark, contains: 至急 } ] }",
        "{ any: { field: order.remark, contains: 至急 } }",
        "any: {",
        "processing_robots.custom[2].when.any: this must be a list: begin each entry with `- `",
    ),
    (
        "{ field: order.remark, contains: 至急 }",
        "{ field: order.remark }",
        "field: order.remark",
        "processing_robots.custom[2].when.any[0]: one of equals, in, contains, matches",
    ),
    (
        "{ field: order.remark, contains: 至急 }",
        "{ field: order.remark, contains: 至急, equals: x }",
        "至急, equals",
        "cannot stand beside",
    ),
    ("{ hold: remark }", "{ hold: remarks }", "hold: remarks", "did you mean \"remark\"?"),
    (
        "{ hold: remark }",
        "{ hodl: remark }",
        "hodl: remark",
        "the key \"hodl\" is not known here: did you mean \"hold\"?",
    ),
    ("{ hold: remark }", "{ hold: remark, tag: 至急 }", "tag: 至急", "\"tag\" cannot stand beside hold"),
    ("{ hold: remark }", "hold", "do: [ hold ]", "\"hold\" needs a value: write { hold: … }"),
    ("{ hold: remark }", "to_raedy", "to_raedy", "did you mean \"to_ready\"?"),
    (
        "{ sku: LEAFLET-1, quantity: 1 }",
        "{ quantity: 1 }",
        "add_item",
        "processing_robots.custom[0].do[0].add_item.sku: \"sku\" is missing here",
    ),
    (
        "easy_setup: { connection: midori-ecforce,",
        "easy_setup: { conection: midori-ecforce,",
        "conection",
        "integration_robots.easy_setup.conection: the key \"conection\" is not known here: did you mean \"connection\"?",
    ),
    (
        "easy_setup: { connection: midori-ecforce, conversion_robot: ecforce-own, every: 15 minutes, inventory: true }",
        "easy_setup: midori-ecforce",
        "easy_setup",
        "integration_robots.easy_setup: this must be",
    ),
    // Secrets do not show.
    (
        "{ env: MIDORI_ECFORCE_PASSWORD }",
        "hunter2",
        "hunter2",
        "a secret never stands in a document: write { env: NAME }",
    ),
    (
        "{ env: MIDORI_ECFORCE_PASSWORD }",
        "{ env: \"hunter2!\" }",
        "hunter2",
        "this is not the name of an environment variable",
    ),
    // YAML itself.
    ("    api: ecforce", "\tapi: ecforce", "\tapi: ecforce", "a tab stands where YAML needs spaces"),
    ("keywords: [メール便]", "keywords: &k [メール便]", "&k", "anchors and aliases"),
    ("keywords: [宅配便, 宅急便]", "keywords: *k", "*k", "anchors and aliases"),
    ("tenant: midori", "tenant: !!str midori", "!!str", "tags (`!`) are not used here"),
    (
        "\"{{ order.remark | truncate(60) }}\"",
        "{{ order.remark }}",
        "{{ order.remark }}",
        "a list or mapping stands where a key should be: put text with `{{ }}` in quotes",
    ),
    // Meaning: connections.
    (
        "ship_from: tama-dc",
        "ship_from: tama",
        "ship_from: tama",
        "no ship-from \"tama\" is set up: did you mean \"tama-dc\"?",
    ),
    (
        "    password: { env: MIDORI_ECFORCE_PASSWORD }",
        "    #",
        "- id: midori-ecforce",
        "connections[0]: the credential is missing",
    ),
    (
        "    automation_option: false",
        "    token: { env: T }",
        "token: { env: T }",
        "either `password` or `token`, not both",
    ),
    (
        "    # email: defaults to the service's own address",
        "    email: robot@example",
        "email: robot",
        "connections[0].email: \"robot@example\" is not an e-mail address",
    ),
    ("api_url: api.midori.example", "api_url: the shop", "api_url: the shop", "this is not an address of a shop"),
    ("api_url: api.midori.example", "api_url: \"\"", "api_url", "this is empty: write something"),
    ("daily_call_limit: 10000", "daily_call_limit: 0", "daily_call_limit", "with 0 calls a day nothing can be done"),
    (
        "call_interval_ms: 1000",
        "call_interval_ms: 60001",
        "call_interval_ms",
        "60001 ms between two calls is more than a minute",
    ),
    ("call_interval_ms: 1000", "batch_size: 0", "batch_size", "a write of 0 records does nothing"),
    (
        "fetch: complete, working: working",
        "fetch: complete, working: complete",
        "working: complete",
        "connections[0].states.working: \"complete\" is the state for `fetch` already",
    ),
    ("working: working, shipped: shipped", "working: shipped, shipped: shipped", "working: shipped", "states.shipped"),
    ("cancelled: [canceled]", "cancelled: [canceled, shipped]", "canceled, shipped", "orders in it would be cancelled"),
    ("fetch: complete, working", "fetch: \"\", working", "fetch: \"\"", "connections[0].states.fetch: this is empty"),
    (
        "paid: [cash_on_delivery_authed]",
        "{ paid: [later], wait: [later] }",
        "later",
        "connections[0].payment_states.wait[0]: \"later\" is named twice, first on line",
    ),
    (
        "prefecture: 東京都",
        "prefecture: 東京",
        "prefecture: 東京",
        "\"東京\" is not a prefecture: did you mean \"東京都\"?",
    ),
    ("\"206-0000\"", "\"206-000\"", "206-000", "it has seven digits"),
    // Meaning: shipping methods and products.
    (
        "  - id: parcel",
        "  - id: mailbin",
        "- id: mailbin",
        "id \"mailbin\" is used twice, first on line 26: each needs its own",
    ),
    (
        "keywords: [宅配便, 宅急便]",
        "keywords: [宅配便, メール便]",
        "宅配便, メール便",
        "the keyword \"メール便\" belongs to the shipping method \"mailbin\" already",
    ),
    ("keywords: [メール便]", "keywords: [\"\"]", "keywords: [\"\"]", "an empty keyword would match every carrier"),
    (
        "    keywords: [メール便]",
        "    keywords: [メール便]\n    default: true",
        "default: true",
        "the shipping method \"mailbin\" is the default already",
    ),
    (
        "carrier_ids: { midori-ecforce: 6 }",
        "carrier_ids: { midori-ec: 6 }",
        "midori-ec: 6",
        "no connection \"midori-ec\" is set up: did you mean \"midori-ecforce\"?",
    ),
    ("sku: TEA-BAG-20", "sku: TEA-100", "ティーバッグ", "sku \"TEA-100\" is used twice"),
    // Meaning: robots.
    ("copy_of: 14448", "copy_of: 14449", "copy_of", "there is no built-in conversion robot 14449"),
    (
        "      delivery_note:",
        "      delivery_notes:",
        "delivery_notes",
        "a shipment has no field \"delivery_notes\": did you mean \"delivery_note\"?",
    ),
    (
        "require-product,",
        "require-products,",
        "enable:",
        "there is no built-in robot `require-products`; did you mean `require-product`?",
    ),
    ("ecforce-release]", "ecforce-release, release]", "enable:", "cannot be on together"),
    (
        "field: ship_to.prefecture",
        "field: ship_to.prefectur",
        "prefectur,",
        "processing_robots.custom[1].when.all[0].field",
    ),
    ("set_shipping_method: parcel", "set_shipping_method: parsel", "parsel", "parcel"),
    (
        "      do: [ { hold: remark } ]",
        "      run: always\n      do: [ { hold: remark }, { split: { skus: [TEA-100] } } ]",
        "split:",
        "write `run: on_import`",
    ),
    (
        "easy_setup: { connection: midori-ecforce,",
        "easy_setup: { connection: midori,",
        "easy_setup",
        "no connection \"midori\" is set up",
    ),
    (
        "conversion_robot: ecforce-own",
        "conversion_robot: ecforce",
        "easy_setup",
        "no conversion robot \"ecforce\" is set up",
    ),
    (
        "    copy_of: 14448",
        "    copy_of: 14448\n    enabled: false",
        "easy_setup",
        "the conversion robot \"ecforce-own\" is not enabled",
    ),
    ("    stock_location_code: default\n", "", "easy_setup", "inventory needs to know whose stock to update"),
    (
        "after: status-sync, connection: midori-ecforce",
        "after: status-sync, connection: midori",
        "after: status-sync",
        "integration_robots.custom[0].on.connection: no connection \"midori\"",
    ),
    (
        "apply_processing_robot: ecforce-release",
        "apply_processing_robot: ecforce-relase",
        "ecforce-relase",
        "no processing robot \"ecforce-relase\" is set up: did you mean \"ecforce-release\"?",
    ),
    (
        "to_status: awaiting-payment",
        "to_status: awaiting_payment",
        "awaiting_payment",
        "\"awaiting_payment\" is not one of ready, error, bad-address, remark, needs-review, awaiting-payment: did you mean",
    ),
    ("- id: release-when-paid", "- id: midori-ecforce/release", "midori-ecforce/release", "use a name without `/`"),
];

#[test]
fn what_is_wrong_is_said_with_its_line() {
    assert!(BROKEN.len() >= 40);
    let mut wrong = Vec::new();
    for (old, new, at, sentence) in BROKEN {
        let text = with(old, new);
        let Err(problems) = read(&text) else {
            wrong.push(format!("{new:?} was accepted"));
            continue;
        };
        let found = problems.iter().any(|problem| {
            let line = text.lines().nth(problem.line.saturating_sub(1)).unwrap_or_default();
            line.contains(at) && problem.to_string().contains(sentence)
        });
        if !found || problems.iter().any(|problem| problem.to_string().contains("hunter2")) {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            wrong.push(format!("{new:?} must say {sentence:?} at {at:?}, says {said:#?}"));
        } else if problems.len() > 2 {
            wrong.push(format!("{new:?} is one mistake, but says {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_variable_of_the_machine_or_of_another_tool_is_read() {
    let named = |name: &str| with("MIDORI_ECFORCE_PASSWORD", name);
    for other in ["aws_profile", "Github_Token", "RENKEI_STACK", "CI_TOKEN", "KUBECONFIG", "LD_PRELOAD", "path"] {
        let document = read(&named(other)).unwrap();
        let said: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        let is_said = |text: &String| text.contains(&format!("\"{other}\" is not a merchant's"));
        assert_eq!(said.iter().filter(|text| is_said(text)).count(), 1, "{said:?}");
        assert!(is_of_others(other));
    }
    for own in ["AWSOME_PASSWORD", "CITRUS_TOKEN", "HOME_SHOP_PASSWORD", "USER_PASSWORD", "_PATH", "SHOP_AWS_1"] {
        let document = read(&named(own)).unwrap();
        let said: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        assert!(!is_of_others(own) && said.iter().all(|text| !text.contains("is not a merchant's")), "{said:?}");
    }
}
