//! A robot goes from the document into a form, by a browser, and back, and is the same.

use proptest::prelude::*;
use renkei_domain::ids::{RuleId, Sku};
use renkei_domain::processing::{Action, AddItem, Condition, DeliveryDate, Literal, Operator, SetField, Split, Test};
use renkei_domain::settings::{Action as Task, ApplyProcessing, CustomAction, Every, Temperature, Trigger};

use super::*;

/// Texts that people write, and those that forms and documents like to take for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "true",
            "1",
            "007",
            "1e3",
            "-0",
            "~",
            "no",
            "\\n",
            "\\e",
            "\\",
            "a\\",
            " ",
            "a\nb",
            "\na",
            "a\n",
            "&amp;",
            "<b>",
            "\"",
            "東京都",
            "髙﨑",
            "2026-12-01",
            "today+3",
            "a, b",
            "+",
            "%41",
            "a&b=c",
            "\t",
        ])
        .prop_map(str::to_owned),
        "[^\\p{Cc}]{0,20}",
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        text().prop_map(|text| Literal::from_text(&text)),
        any::<i64>().prop_map(Literal::Integer),
        any::<bool>().prop_map(Literal::Flag),
        (-1.0e6..1.0e6f64).prop_map(|number| Literal::from_text(&number.to_string())),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let listed = prop_oneof![
        literal(),
        // Values of lists keep what their lines could not.
        proptest::sample::select(vec!["", "\r\n", "a\r", " \n", "\\\n"]).prop_map(Literal::from_text),
    ];
    let operator = prop_oneof![
        literal().prop_map(Operator::Equals),
        proptest::collection::vec(listed, 1..5).prop_map(Operator::In),
        literal().prop_map(Operator::Contains),
        text().prop_map(Operator::Matches),
        literal().prop_map(Operator::Greater),
        literal().prop_map(Operator::Less),
        any::<bool>().prop_map(Operator::Exists),
        any::<u32>().prop_map(Operator::LongerThan),
        any::<bool>().prop_map(Operator::NotPrintable),
    ];
    let field = proptest::sample::select(vec!["order.total", "items.sku", "order.memo01", "no such field"]);
    let test =
        (field, operator).prop_map(|(field, operator)| Condition::Test(Test { field: field.to_owned(), operator }));
    test.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn sku() -> impl Strategy<Value = Sku> {
    "[A-Za-z0-9-]{1,12}".prop_map(|text| Sku::parse(text).unwrap())
}

fn action() -> impl Strategy<Value = Action> {
    let date = prop_oneof![
        Just(DeliveryDate::None),
        (1..28i8).prop_map(|day| DeliveryDate::On(jiff::civil::date(2026, 12, day))),
        (0..=366u16).prop_map(DeliveryDate::AfterImport),
    ];
    let name = proptest::option::of(text().prop_filter("refused by the document", |name| !name.is_empty()));
    let temperature = proptest::option::of(proptest::sample::select(Temperature::ALL.to_vec()));
    let method = || "[a-z][a-z0-9-]{0,10}".prop_map(|text| text.parse().unwrap());
    prop_oneof![
        Just(Action::DerivePayment),
        Just(Action::ToReady),
        text().prop_map(Action::Hold),
        text().prop_map(Action::ClearHold),
        text().prop_map(Action::RefuseImport),
        text().prop_map(Action::Quarantine),
        text().prop_map(Action::Cancel),
        ("[a-z_.]{1,12}", literal()).prop_map(|(field, value)| Action::SetField(SetField { field, value })),
        method().prop_map(Action::SetShippingMethod),
        date.prop_map(Action::SetDeliveryDate),
        text().prop_map(Action::SetDeliveryTime),
        (sku(), any::<u32>(), name).prop_map(|(sku, quantity, name)| Action::AddItem(AddItem { sku, quantity, name })),
        (proptest::collection::vec(sku(), 0..4), temperature, proptest::option::of(method())).prop_map(
            |(skus, temperature, shipping_method)| Action::Split(Split { skus, temperature, shipping_method })
        ),
        text().prop_map(Action::Tag),
        text().prop_map(Action::Notify),
    ]
}

fn id() -> impl Strategy<Value = RuleId> {
    "[a-z0-9][a-z0-9-]{0,12}".prop_map(|text| RuleId::parse(text).unwrap())
}

fn processing() -> impl Strategy<Value = ProcessingRobot> {
    let ids = || proptest::collection::vec(id(), 0..3);
    let name = "[^\\p{Cc}]{1,20}";
    (id(), name, any::<(bool, bool)>(), ids(), ids(), condition(), proptest::collection::vec(action(), 0..6)).prop_map(
        |(id, name, (enabled, always), conversion_robots, excludes, when, actions)| ProcessingRobot {
            id,
            name,
            enabled,
            run: if always { Run::Always } else { Run::OnImport },
            conversion_robots,
            excludes,
            when,
            actions,
        },
    )
}

fn integration() -> impl Strategy<Value = CustomRobot> {
    let connection = || renkei_domain::ids::ConnectionId::parse("hanako-ecforce").unwrap();
    let tasks: Vec<Task> = Task::ALL.into_iter().filter(|task| *task != Task::ApplyProcessing).collect();
    let task = || proptest::sample::select(tasks.clone());
    let crons = proptest::sample::select(vec!["0 9-18 * * MON-FRI", "*/15 * * * *", "30 9 1,15 * *"]);
    let on = prop_oneof![
        proptest::sample::select(Task::ALL.to_vec())
            .prop_map(move |after| Trigger::After { after, connection: connection() }),
        (1..=1_440u32).prop_map(move |minutes| Trigger::Every {
            every: Every::minutes(minutes).unwrap(),
            connection: connection(),
        }),
        (0..24u8, 0..60u8).prop_map(move |(hour, minute)| Trigger::DailyAt {
            daily_at: renkei_domain::schedule::DailyAt::new(hour, minute).unwrap(),
            connection: connection(),
        }),
        crons.prop_map(move |cron| Trigger::Cron {
            cron: cron.to_owned().try_into().unwrap(),
            connection: connection()
        }),
        Just(Trigger::ByHand { by_hand: true, connection: connection() }),
    ];
    let status = proptest::sample::select(vec!["ready", "awaiting-payment", "nonsense"]);
    let does = prop_oneof![
        (id(), status).prop_map(|(rule, status)| CustomAction::Apply(ApplyProcessing {
            apply_processing_robot: rule,
            to_status: status.to_owned(),
        })),
        task().prop_map(CustomAction::Run),
    ];
    (id(), "[^\\p{Cc}]{1,20}", any::<bool>(), on, does).prop_map(|(id, name, enabled, on, action)| CustomRobot {
        id: id.as_str().parse().unwrap(),
        name,
        enabled,
        on,
        action,
    })
}

/// By a browser: it ends lines as the standard of forms says.
fn sent(draft: &Draft) -> Form {
    let fields = draft.fields();
    let fields = fields.iter().map(|(name, text)| (name, text.replace('\n', "\r\n")));
    Form::read(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().as_bytes())
}

/// Its fields, sent and read again, are the same form; what a document would say of it is given.
fn came_back(kind: Kind, draft: &Draft) -> Value {
    assert!(draft.fits_a_form(), "{draft:?}");
    let read = Draft::read(kind, &sent(draft));
    assert_eq!(read, *draft);
    read.json().unwrap()
}

proptest! {
    #[test]
    fn a_processing_robot_comes_back(robot in processing()) {
        let said = came_back(Kind::Processing, &Draft::of_processing(&robot));
        prop_assert_eq!(serde_json::from_value::<ProcessingRobot>(said).unwrap(), robot);
    }

    #[test]
    fn an_integration_robot_comes_back(robot in integration()) {
        let said = came_back(Kind::Integration, &Draft::of_integration(&robot));
        prop_assert_eq!(serde_json::from_value::<CustomRobot>(said).unwrap(), robot);
    }

    #[test]
    fn a_conversion_robot_comes_back(
        id in id(), name in "[^\\p{Cc}]{1,20}", enabled in any::<bool>(),
        fields in proptest::collection::btree_map("[a-z_.]{1,12}", text(), 0..6),
    ) {
        let robot = ConversionRobot { id, name, copy_of: 14_448, enabled, fields };
        let said = came_back(Kind::Conversion, &Draft::of_conversion(&robot));
        prop_assert_eq!(serde_json::from_value::<ConversionRobot>(said).unwrap(), robot);
    }

    /// Whatever is sent: no panic, and what comes of it is a form again.
    #[test]
    fn any_form_is_read(fields in proptest::collection::vec(("[caf](\\.[0-2]){0,5}(\\.(how|field|value|kind|text))?", text()), 0..40)) {
        let bytes = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        for kind in [Kind::Processing, Kind::Conversion, Kind::Integration] {
            let draft = Draft::read(kind, &Form::read(bytes.as_bytes()));
            drop(draft.json());
            prop_assert_eq!(&Draft::read(kind, &sent(&draft)), &draft);
        }
    }
}

fn form(text: &str) -> Draft {
    Draft::read(Kind::Processing, &Form::read(text.as_bytes()))
}

fn when(draft: &Draft) -> Value {
    draft.json().unwrap()["when"].clone()
}

#[test]
fn rows_come_and_go_and_the_rest_stays_as_it_was_typed() {
    let mut draft = form("id=a&name=b&run=on_import&c.how=all");
    assert_eq!(draft.step("add-test c", "").as_deref(), Some("c.0"));
    assert_eq!(draft.step("add-group c", "").as_deref(), Some("c.1"));
    assert_eq!(draft.step("add-test c.1", "").as_deref(), Some("c.1.1"));
    assert_eq!(draft.step("add a", "set_field").as_deref(), Some("a.0"));
    assert_eq!(draft.step("add a", "tag").as_deref(), Some("a.1"));
    assert_eq!(draft.step("up a.1", "").as_deref(), Some("a.0"));
    assert_eq!(draft.step("remove c.1.0", "").as_deref(), Some("c.1"));
    let empty = json!({ "field": "", "equals": "" });
    assert_eq!(when(&draft), json!({ "all": [empty, { "any": [empty] }] }));
    assert_eq!(draft.json().unwrap()["do"], json!([{ "tag": "" }, { "set_field": { "field": "", "value": "" } }]));
    // What nobody offers changes nothing.
    let before = draft.clone();
    for nonsense in [
        "remove a.9",
        "up a",
        "add-test c.7",
        "add-test x",
        "add a",
        "remove",
        "",
        "turn c.0",
        "remove c.9.9",
        "add-test c.-1",
    ] {
        draft.step(nonsense, "nonsense");
        assert_eq!(draft, before, "{nonsense}");
    }
    assert_eq!(draft.step("remove c", "").as_deref(), Some("c"));
    assert_eq!(when(&draft), json!({ "all": [] }), "every shipment");
}

#[test]
fn a_test_by_itself_becomes_a_group_with_the_next() {
    let mut draft = form("id=a&name=b&run=on_import&c.field=status&c.operator=equals&c.value=hold");
    assert_eq!(when(&draft), json!({ "field": "status", "equals": "hold" }));
    assert_eq!(draft.step("add-test c", "").as_deref(), Some("c.1"));
    assert_eq!(
        when(&draft),
        json!({ "all": [{ "field": "status", "equals": "hold" }, { "field": "", "equals": "" }] })
    );
}

#[test]
fn what_no_document_could_say_is_a_fault_with_its_place() {
    let faults = |text: &str| form(text).json().unwrap_err().into_iter().map(|fault| fault.at).collect::<Vec<_>>();
    assert_eq!(faults("c.how=all&c.0.how=not"), ["c.0"]);
    assert_eq!(faults("c.how=not&c.0.field=a&c.1.field=b"), ["c"]);
    let twice = Form::read(b"f.0.field=tags&f.0.template=a&f.1.field=tags&f.1.template=b");
    assert_eq!(Draft::read(Kind::Conversion, &twice).json().unwrap_err()[0].at, "f.1");
}

#[test]
fn what_a_form_would_change_in_silence_does_not_fit_it() {
    let draft = |name: &str, note: &str| {
        Draft::Conversion(Conversion {
            id: "a".to_owned(),
            name: name.to_owned(),
            enabled: true,
            copy_of: "14448".to_owned(),
            fields: vec![("delivery_note".to_owned(), note.to_owned())],
        })
    };
    assert!(draft("名前", "一行目\n二行目").fits_a_form());
    assert!(!draft("名\n前", "").fits_a_form());
    assert!(!draft("名前", "a\r\nb").fits_a_form());
    assert!(!draft("名前", "\u{7}").fits_a_form());
}

#[test]
fn deep_and_wide_forms_end() {
    let path = vec!["0"; 40].join(".");
    let deep: Vec<String> = (0..40).map(|depth| format!("c{}.how=all&", ".0".repeat(depth))).collect();
    let deep = deep.concat();
    let draft = form(&format!("{deep}c.{path}.field=x"));
    assert!(when(&draft).to_string().len() < 400, "{}", when(&draft));
}
