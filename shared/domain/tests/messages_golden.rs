//! What lies on queues outlives a deploy: every message of every version that is read must go on being read, and what is
//! written today must be what the newest golden file holds. `tests/golden/messages/v1` is version 1 as it was released.
//!
//! Which kinds there are says the table in `src/work.rs`: one that it gains needs a golden file and a line in `read`. A new
//! version gets a folder of its own, written with `RENKEI_GOLDEN=write`; the files of the ones before stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use renkei_domain::ids::{AddressId, ConnectionId, OrderId, OrderNumber, RobotId, RuleId, Sku, TenantId};
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::settings::Action;
use renkei_domain::work::{Cause, Fetched, Hint, ImportOrder, Place, StartRobot, UnreadableMessage, VERSION};
use serde::Serialize;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/messages")
}

/// The kinds that `work.rs` lists.
fn kinds() -> BTreeSet<&'static str> {
    let rows = include_str!("../src/work.rs").lines().filter_map(|line| line.strip_prefix("//! | [`"));
    let kinds: BTreeSet<_> =
        rows.filter_map(|row| row.split('|').nth(1)?.trim().strip_prefix('`')?.strip_suffix('`')).collect();
    assert!(kinds.len() >= 3, "the table of messages is not found in work.rs: {kinds:?}");
    kinds
}

/// Versions by their golden messages of each kind.
fn goldens() -> BTreeMap<u8, BTreeMap<String, Vec<Value>>> {
    let mut found: BTreeMap<u8, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for version in std::fs::read_dir(folder()).unwrap() {
        let version = version.unwrap();
        let number = version.file_name().to_str().unwrap().strip_prefix('v').unwrap().parse().unwrap();
        for file in std::fs::read_dir(version.path()).unwrap() {
            let path = file.unwrap().path();
            let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let messages = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            found.entry(number).or_default().insert(kind, messages);
        }
    }
    found
}

/// Reads a message as its function does, and writes it down as today.
fn read(kind: &str, message: &Value) -> Result<Value, UnreadableMessage> {
    let body = message.to_string();
    Ok(match kind {
        "start-robot" => json(&StartRobot::read(&body)?),
        "import-order" => json(&ImportOrder::read(&body)?),
        "hint" => json(&Hint::read(&body)?),
        other => panic!("work.rs lists a message {other}: teach this test to read it"),
    })
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn tenant() -> TenantId {
    TenantId::parse("hanako").unwrap()
}

fn connection() -> ConnectionId {
    ConnectionId::parse("hanako-ecforce").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One of each kind with everything in it, and one with no more than it must have.
#[expect(clippy::too_many_lines, reason = "examples, one after the other")]
fn todays() -> BTreeMap<&'static str, Vec<Value>> {
    let start = StartRobot {
        v: VERSION,
        tenant: tenant(),
        connection: connection(),
        robot: RobotId::parse("hanako-ecforce/fetch-orders").unwrap(),
        action: Action::FetchOrders,
        cause: Cause::Schedule,
        run: None,
        attempt: 0,
    };
    let mut starts = vec![json(&start)];
    let all = [
        (Action::StateWorking, Cause::Hand),
        (Action::StateShipped, Cause::After),
        (Action::WriteBack, Cause::WakeUp),
        (Action::StatusSync, Cause::Hint),
        (Action::ApplyProcessing, Cause::Continuation),
        (Action::Reconcile, Cause::Schedule),
        (Action::Inventory, Cause::Schedule),
    ];
    for (action, cause) in all {
        let run = Some("3f1c0f6e-0d5a-4e0b-8f59-2f6f0c1d7a11".to_owned());
        starts.push(json(&StartRobot { action, cause, run, attempt: 2, ..start.clone() }));
    }

    let mut attributes = BTreeMap::from([
        ("remark".to_owned(), json!("置き配希望")),
        ("times".to_owned(), json!(3)),
        ("rate".to_owned(), json!(0.1)),
        ("subs".to_owned(), json!(true)),
    ]);
    attributes.insert("cancelled_at".to_owned(), Value::Null);
    let address = |id, name: &str| SourceAddress {
        id: AddressId(id),
        parts: [("name01", name), ("zip01", "135-0064"), ("prefecture_name", "東京都"), ("addr01", "江東区見本町1-1")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let line = SourceLine {
        sku: Sku::parse("SERUM-30").unwrap(),
        name: "美容液 30ml".to_owned(),
        quantity: 2,
        price: Yen(3_980),
        address: None,
        bundled: false,
    };
    let plain = SourceOrder {
        id: OrderId(88_111),
        number: OrderNumber::parse("E-88111").unwrap(),
        state: "complete".to_owned(),
        payment_state: "authed".to_owned(),
        total: Yen(7_960),
        updated_at: None,
        carrier: None,
        addresses: vec![address(1, "見本 花子")],
        billing: None,
        lines: vec![line.clone()],
        attributes: BTreeMap::new(),
    };
    let full = SourceOrder {
        updated_at: Some(at("2026-11-24T01:02:03.25Z")),
        carrier: Some(SourceCarrier { id: Some(6), name: Some("ネコポス".to_owned()) }),
        addresses: vec![address(1, "見本 花子"), address(2, "見本 太郎")],
        lines: vec![
            SourceLine { address: Some(AddressId(2)), bundled: true, price: Yen(-500), ..line.clone() },
            SourceLine { address: Some(AddressId(1)), ..line },
        ],
        attributes,
        ..plain.clone()
    };
    let gift = SourceOrder { billing: Some(address(3, "見本 贈")), ..plain.clone() };
    let import = ImportOrder {
        v: VERSION,
        tenant: tenant(),
        connection: connection(),
        run: "3f1c0f6e-0d5a-4e0b-8f59-2f6f0c1d7a11".to_owned(),
        place: Place { page: 12, row: 99 },
        conversion_robot: None,
        fetched_at: at("2026-11-24T01:02:03Z"),
        order: Fetched::Order(Box::new(plain)),
    };
    let unreadable = |id, number: Option<&str>| Fetched::Unreadable {
        id,
        number: number.map(str::to_owned),
        reason: "it has no lines".to_owned(),
    };
    let robot = Some(RuleId::parse("ecforce-own").unwrap());
    let imports = [
        import.clone(),
        ImportOrder { conversion_robot: robot, order: Fetched::Order(Box::new(full)), ..import.clone() },
        ImportOrder { order: unreadable(Some(88_112), Some("E-88112")), ..import.clone() },
        ImportOrder { order: unreadable(None, None), ..import.clone() },
        ImportOrder { order: Fetched::Order(Box::new(gift)), ..import },
    ];

    let hint = Hint {
        v: VERSION,
        tenant: tenant(),
        connection: connection(),
        order_ids: Vec::new(),
        order_numbers: Vec::new(),
        topic: None,
        anew_by: None,
        received_at: at("2026-11-24T01:02:03Z"),
    };
    let full = Hint {
        order_ids: vec![88_111, 88_112],
        order_numbers: vec!["E-88111".to_owned()],
        topic: Some("order_canceled".to_owned()),
        ..hint.clone()
    };

    let anew = Hint { order_ids: vec![88_111], anew_by: Some("hanako@shop.example".to_owned()), ..hint.clone() };

    BTreeMap::from([
        ("start-robot", starts),
        ("import-order", imports.iter().map(json).collect()),
        ("hint", [hint, full, anew].iter().map(json).collect()),
    ])
}

#[test]
fn every_message_of_every_version_is_read() {
    let goldens = goldens();
    let mut read_of: BTreeMap<u8, usize> = BTreeMap::new();
    for (version, kinds) in &goldens {
        for (kind, messages) in kinds {
            for message in messages {
                assert_eq!(message["v"], json!(version), "{kind}: a golden of another version");
                let again = read(kind, message).unwrap_or_else(|error| panic!("{kind} of version {version}: {error}"));
                if *version == VERSION {
                    assert_eq!(again, *message, "{kind}: something of version {version} is lost when it is read");
                }
                *read_of.entry(*version).or_default() += 1;
            }
        }
    }
    assert_eq!(read_of.get(&1), Some(&16), "version 1 is what was released, and stays");
}

#[test]
fn what_is_written_today_is_the_newest_golden_and_every_kind_has_one() {
    let (todays, goldens) = (todays(), goldens());
    assert_eq!(todays.keys().copied().collect::<BTreeSet<_>>(), kinds(), "work.rs lists other kinds than this writes");
    let newest = goldens.get(&VERSION).cloned().unwrap_or_default();
    for (kind, written) in todays {
        if std::env::var("RENKEI_GOLDEN").is_ok_and(|word| word == "write") {
            let place = folder().join(format!("v{VERSION}"));
            std::fs::create_dir_all(&place).unwrap();
            let text = serde_json::to_string_pretty(&written).unwrap() + "\n";
            std::fs::write(place.join(kind).with_extension("json"), text).unwrap();
            continue;
        }
        assert_eq!(
            newest.get(kind),
            Some(&written),
            "{kind} is written otherwise than the golden file of version {VERSION} has it. If that version has been released, \
             the release before this cannot be trusted to read it: raise VERSION in work.rs, and keep the new form in a folder \
             of its own. If it has not, write the file anew with RENKEI_GOLDEN=write and look at what changed."
        );
    }
    let unknown: Vec<_> = newest.keys().filter(|kind| !kinds().contains(kind.as_str())).collect();
    assert!(unknown.is_empty(), "golden files of no message: {unknown:?}");
}

/// Whatever else a newer release changed, its version is what is told.
#[test]
fn a_newer_version_is_named_before_the_shape_is_looked_at() {
    for kind in kinds() {
        for message in &goldens()[&VERSION][kind] {
            let mut same = message.clone();
            same["v"] = json!(u64::from(VERSION) + 1);
            let other = json!({ "v": 70_000, "wholly": ["other", "than 見本 花子"] });
            for (newer, version) in [(same, u64::from(VERSION) + 1), (other, 70_000)] {
                let error = read(kind, &newer).unwrap_err();
                assert!(matches!(error, UnreadableMessage::Version(v) if v == version), "{kind}: {error:?}");
                assert!(error.to_string().contains("deploy the release that wrote it"), "{error}");
            }
            let mut older = message.clone();
            older["v"] = json!(0);
            assert!(matches!(read(kind, &older), Err(UnreadableMessage::Version(0))), "{kind}");
        }
    }
}

/// Errors go into logs; what people bought, and where they live, does not.
#[test]
fn what_cannot_be_read_is_not_quoted() {
    let mut tried = 0;
    for kind in kinds() {
        for message in &goldens()[&VERSION][kind] {
            for name in message.as_object().unwrap().keys() {
                for odd in [json!("見本 花子"), json!(["見本 花子"]), json!({ "見本 花子": 1 })] {
                    let mut broken = message.clone();
                    broken[name] = odd;
                    if let Err(error) = read(kind, &broken) {
                        assert!(!format!("{error} {error:?}").contains("花子"), "{kind} {name}: {error:?}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 200, "only {tried} of these could not be read");
    for broken in ["", "{", "花子", r#"{"v":"花子"}"#, r#"{"v":-1}"#, "[1]", r#"{"v":1}"#] {
        let error = StartRobot::read(broken).unwrap_err();
        assert!(matches!(error, UnreadableMessage::Shape { .. }) && !error.to_string().contains("花子"), "{error:?}");
    }
}
