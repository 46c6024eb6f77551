//! Over arbitrary documents and settings: no panic, bounded answers, and what is written is read back the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use renkei_domain::document::{self, Document, Problem};
use renkei_domain::ids::{ConnectionId, RobotId, RuleId, Sku};
use renkei_domain::payment::PaymentStates;
use renkei_domain::processing::{Condition, Literal, Operator, Test};
use renkei_domain::settings::{
    Action, ApplyProcessing, Connection, ConversionRobot, CustomAction, CustomRobot, EasySetup, Every, OneOrMany,
    OrderStates, Product, SecretSource, ShippingMethod, ShopApi, StatusSync, Temperature, TenantSettings, Trigger,
};

const MIDORI: &str = include_str!("fixtures/midori.yaml");

fn read(text: &str) -> Result<Document, Vec<Problem>> {
    document::read(text, &|url| Ok(url.to_owned()))
}

/// What a test of panics asks besides: each problem is inside the text and says something.
fn well_formed(text: &str) {
    if let Err(problems) = read(text) {
        assert!(!problems.is_empty());
        let lines = text.chars().filter(|c| matches!(c, '\n' | '\r')).count() + 2;
        for problem in problems {
            assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
            assert!(problem.column >= 1 && !problem.sentence.is_empty(), "{problem:?}");
        }
    }
}

/// Texts that YAML readers like to take for something else, and those of the trade.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "true",
            "no",
            "~",
            "null",
            "1",
            "007",
            "1e3",
            ".5",
            "0x1F",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "{{ x }}",
            "[a]",
            "{a}",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%",
            "@",
            "`",
            "'",
            "\"",
            "\\",
            "\\n",
            "a\nb",
            "\ta",
            "a\t",
            "2026-11-24",
            "03-0000-0000",
            "東京都",
            "髙﨑",
            "a\u{85}b",
            "\u{2028}",
            "\u{feff}a",
            "---",
            "...",
            "?",
            "? a",
            ":",
            "a:",
            ",",
            "a, b",
            "\u{7f}",
            "\r\n",
            "12:30",
            "=",
            "<<",
            "yes",
            "Off",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,40}",
        any::<String>(),
    ]
    // Empty texts are refused where a text is needed.
    .prop_map(|text| if text.trim().is_empty() { format!("{text}x") } else { text })
}

fn slug() -> impl Strategy<Value = String> {
    "[a-z0-9][a-z0-9-]{0,20}"
}

/// A key that people put into the table of payment states, which must not stand there twice.
fn states() -> impl Strategy<Value = PaymentStates> {
    (proptest::collection::btree_set(text(), 0..6), 0..4usize, 0..4usize).prop_map(|(all, paid, wait)| {
        let mut all = all.into_iter();
        PaymentStates {
            paid: all.by_ref().take(paid).collect(),
            wait: all.by_ref().take(wait).collect(),
            cancelled: all.collect(),
        }
    })
}

fn connection(id: ConnectionId) -> impl Strategy<Value = Connection> {
    let credential = prop_oneof![Just((true, false)), Just((false, true))];
    (
        (
            text(),
            credential,
            proptest::option::of(Just("robot@midori.example".to_owned())),
            proptest::option::of(text()),
        ),
        (1..u32::MAX, 0..=60_000u32, 1..=100u16, any::<bool>()),
        (proptest::collection::btree_set(text(), 3..6), states()),
    )
        .prop_map(
            move |((url, credential, email, location), (limit, interval, batch, automated), (names, states))| {
                let source = || SecretSource { env: "SHOP_SECRET".into() };
                let mut names = names.into_iter();
                let mut name = || names.next().unwrap_or_else(|| "unreachable".into());
                let order_states = OrderStates { fetch: name(), working: name(), shipped: name(), cancelled: vec![] };
                let cancelled = names.collect();
                Connection {
                    id: id.clone(),
                    api: ShopApi::Ecforce,
                    api_url: url.trim().to_owned(),
                    ship_from: "a".parse().unwrap(),
                    email,
                    password: credential.0.then(source),
                    token: credential.1.then(source),
                    stock_location_code: location,
                    daily_call_limit: limit,
                    call_interval_ms: interval,
                    batch_size: batch,
                    automation_option: automated,
                    capture_payment_on_shipping: automated,
                    captured_payment_states: vec!["captured".into(), "completed".into(), "paid".into()],
                    stock_buffer: limit % 7,
                    states: OrderStates { cancelled, ..order_states },
                    payment_states: states,
                    status_sync: StatusSync::default(),
                }
            },
        )
}

/// Conditions in every nesting, over fields that may hold any text.
fn condition() -> impl Strategy<Value = Condition> {
    let literal = || {
        prop_oneof![
            text().prop_map(|text| Literal::from_text(&text)),
            any::<i64>().prop_map(Literal::Integer),
            any::<bool>().prop_map(Literal::Flag),
            // Decimals have seventeen digits, and each of them must come back.
            (-1.0e6..1.0e6f64).prop_map(|number| Literal::from_text(&number.to_string())),
        ]
    };
    let operator = prop_oneof![
        literal().prop_map(Operator::Equals),
        proptest::collection::vec(literal(), 1..4).prop_map(Operator::In),
        text().prop_map(|text| Operator::Contains(Literal::from_text(&text))),
        any::<bool>().prop_map(Operator::Exists),
        (1..200u32).prop_map(Operator::LongerThan),
    ];
    let test = operator.prop_map(|operator| Condition::Test(Test { field: "order.memo01".into(), operator }));
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

/// An easy set-up for each connection, and a robot of the merchant's own if it is to have one.
fn integration(settings: &mut TenantSettings, one: bool, minutes: u32, own: Option<String>) {
    let setups: Vec<EasySetup> = settings
        .connections
        .iter()
        .map(|connection| EasySetup {
            connection: connection.id.clone(),
            conversion_robot: settings
                .conversion_robots
                .iter()
                .find(|robot| robot.enabled)
                .map(|robot| robot.id.clone()),
            every: Every::minutes(minutes).unwrap(),
            inventory: connection.stock_location_code.is_some(),
            shipped: (!connection.automation_option).then_some(true),
        })
        .collect();
    settings.integration_robots.custom.clear();
    if let (Some(first), Some(name)) = (settings.connections.first(), own) {
        settings.integration_robots.custom.push(CustomRobot {
            id: RobotId::parse("own").unwrap(),
            name,
            enabled: one,
            on: Trigger::After { after: Action::StatusSync, connection: first.id.clone() },
            action: CustomAction::Apply(ApplyProcessing {
                apply_processing_robot: RuleId::parse("ecforce-release").unwrap(),
                to_status: "ready".into(),
            }),
        });
    }
    settings.integration_robots.easy_setup = match <[EasySetup; 1]>::try_from(setups) {
        Ok([setup]) if one => OneOrMany::One(Box::new(setup)),
        Ok([setup]) => OneOrMany::Many(vec![setup]),
        Err(setups) => OneOrMany::Many(setups),
    };
}

fn settings() -> impl Strategy<Value = TenantSettings> {
    let ids = proptest::collection::btree_set(slug(), 0..4).prop_map(|ids| ids.into_iter().collect::<Vec<_>>());
    let connections = ids.prop_flat_map(|ids| {
        ids.into_iter().map(|id| connection(ConnectionId::parse(id).unwrap())).collect::<Vec<_>>()
    });
    (
        connections,
        proptest::collection::btree_map(slug(), (text(), proptest::collection::btree_set(text(), 0..3)), 0..4),
        proptest::collection::btree_map(
            "[A-Za-z0-9-]{1,12}",
            (text(), proptest::option::of(any::<u32>()), any::<bool>()),
            0..6,
        ),
        proptest::collection::btree_map(slug(), (text(), any::<bool>(), proptest::option::of(text())), 0..3),
        (any::<bool>(), 1..=1_440u32, any::<bool>(), text()),
        proptest::collection::vec(condition(), 0..4),
    )
        .prop_map(|(connections, methods, products, conversions, (one, minutes, custom, name), conditions)| {
            // The rest is the merchant's of the fixture: its processing robots among others.
            let mut settings = read(MIDORI).unwrap().settings;
            let ship_from: renkei_domain::ids::ShipFromId = "tama-dc".parse().unwrap();
            settings.connections = connections;
            settings.connections.iter_mut().for_each(|connection| connection.ship_from = ship_from.clone());
            let carriers: BTreeMap<ConnectionId, u64> = settings
                .connections
                .iter()
                .zip(0..)
                .map(|(connection, number)| (connection.id.clone(), number))
                .collect();
            let mut taken: Vec<String> = Vec::new();
            settings.shipping_methods.truncate(2);
            settings.shipping_methods.iter_mut().for_each(|method| {
                method.carrier_ids = carriers.clone();
                method.keywords.clear();
            });
            settings.shipping_methods.extend(
                methods.into_iter().filter(|(id, _)| !matches!(id.as_str(), "mailbin" | "parcel")).map(
                    |(id, (name, keywords))| {
                        let keywords: Vec<String> = keywords.into_iter().filter(|word| !taken.contains(word)).collect();
                        taken.extend(keywords.iter().cloned());
                        let id = id.parse().unwrap();
                        let warehouse_code = name.clone();
                        ShippingMethod {
                            id,
                            name,
                            warehouse_code,
                            keywords,
                            carrier_ids: BTreeMap::new(),
                            default: false,
                        }
                    },
                ),
            );
            settings.products = products
                .into_iter()
                .map(|(sku, (name, stock_buffer, not_for_sale))| Product {
                    sku: Sku::parse(sku).unwrap(),
                    name,
                    stock_buffer,
                    not_for_sale,
                    temperature: Temperature::default(),
                    made_of: vec![],
                })
                .collect();
            settings.conversion_robots = conversions
                .into_iter()
                .filter(|(id, _)| id != "14448")
                .map(|(id, (name, enabled, note))| ConversionRobot {
                    id: RuleId::parse(id).unwrap(),
                    name,
                    copy_of: 14_448,
                    enabled,
                    // Any text but one that begins a template.
                    fields: note.map(|note| ("delivery_note".into(), note.replace('{', "("))).into_iter().collect(),
                })
                .collect();
            for (robot, condition) in settings.processing_robots.custom.iter_mut().zip(conditions) {
                robot.when = condition;
            }
            integration(&mut settings, one, minutes, custom.then_some(name));
            settings
        })
}

/// One and a list of one say the same.
fn normal(mut settings: TenantSettings) -> TenantSettings {
    settings.integration_robots.easy_setup =
        OneOrMany::Many(settings.integration_robots.easy_setup.iter().cloned().collect());
    settings
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_text_is_answered(text in any::<String>()) {
        well_formed(&text);
    }

    #[test]
    fn text_of_yamls_own_marks_is_answered(text in "[-a-c:,\\[\\]{}&*!|>'\"%@`#? \t\r\n~\\\\01.]{0,120}") {
        well_formed(&text);
    }

    /// A line lost, doubled, moved in or out, a character put in: what editing does to a document.
    #[test]
    fn a_mutated_document_is_answered(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..6u8, "[-a-z:,\\[\\]{}&*!|>'\"%#? \t\n~0-9あ]{0,3}"), 1..6)
    ) {
        let mut lines: Vec<String> = MIDORI.lines().map(str::to_owned).collect();
        for (index, kind, insert) in edits {
            let at = index.index(lines.len());
            match kind {
                0 if lines.len() > 1 => { lines.remove(at); }
                1 => { let line = lines[at].clone(); lines.insert(at, line); }
                2 => lines[at].insert_str(0, "  "),
                3 => lines[at] = lines[at].trim_start().to_owned(),
                _ => {
                    let place = lines[at].char_indices().map(|(place, _)| place).nth(index.index(40)).unwrap_or(0);
                    lines[at].insert_str(place, &insert);
                }
            }
        }
        well_formed(&lines.join("\n"));
    }

    #[test]
    fn what_is_written_is_read_back(settings in settings()) {
        let text = document::write(&settings);
        let back = read(&text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).settings;
        prop_assert_eq!(normal(settings.clone()), normal(back.clone()), "{}", text);
        prop_assert_eq!(document::write(&back), text);
        prop_assert_eq!(document::difference(Some(&settings), &back), vec![]);
    }

    #[test]
    fn a_difference_is_told_exactly_when_there_is_one(old in settings(), new in settings()) {
        let same = normal(old.clone()) == normal(new.clone());
        prop_assert_eq!(document::difference(Some(&old), &new).is_empty(), same);
        for change in document::difference(Some(&old), &new) {
            prop_assert!(!change.path.is_empty() && !change.to_string().contains('\n'), "{}", change);
        }
    }
}
