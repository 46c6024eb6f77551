//! Golden files, and kinds of items as the store's own tables list them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The stack's tables, by the words that their names hold.
pub const TABLES: [&str; 6] = ["Gate", "Robots", "Runs", "Sessions", "Shipments", "Stock"];

/// One stored item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Of which table.
    pub table: String,
    /// As DynamoDB has it.
    pub item: Value,
    /// What its packed attributes hold: for people, and to compare by, for packing may change.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    unpacked: Map<String, Value>,
}

impl Stored {
    pub fn of(table: &str, item: &HashMap<String, AttributeValue>) -> Self {
        let mut unpacked = Map::new();
        for (name, value) in item {
            if let AttributeValue::B(packed) = value {
                let mut json = String::new();
                flate2::read::DeflateDecoder::new(packed.as_ref()).read_to_string(&mut json).unwrap();
                unpacked.insert(name.clone(), serde_json::from_str(&json).unwrap());
            }
        }
        let item = item.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        Self { table: table.to_owned(), item: Value::Object(item), unpacked }
    }

    /// As the database takes it.
    pub fn attributes(&self) -> HashMap<String, AttributeValue> {
        let item = self.item.as_object().unwrap().iter();
        item.map(|(name, value)| (name.clone(), attribute(value))).collect()
    }

    /// Its key, to be read by people.
    pub fn key(&self) -> String {
        let part = |name: &str| self.item[name]["S"].as_str().unwrap_or_default();
        format!("{} {} {}", self.table, part("pk"), part("sk"))
    }

    /// Its kind's pattern.
    pub fn kind(&self, kinds: &[Kind]) -> String {
        let found: Vec<String> = kinds.iter().filter(|kind| kind.fits(self)).map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{} is of these kinds: {found:?}", self.key());
        found[0].clone()
    }

    /// All of it but how it is packed, and but times that are the clock's.
    fn comparable(&self) -> Self {
        let mut same = self.clone();
        for (name, value) in same.item.as_object_mut().unwrap() {
            let clocked = name == "expires_at" && self.key().contains(" PAGE#");
            if self.unpacked.contains_key(name) || clocked {
                *value = Value::from("…");
            }
        }
        same
    }
}

/// In the form that DynamoDB's protocol has.
fn shown(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(is_null) => json!({ "NULL": is_null }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(shown).collect::<Vec<_>>() }),
        AttributeValue::M(map) => {
            json!({ "M": map.iter().map(|(name, value)| (name.clone(), shown(value))).collect::<Map<_, _>>() })
        }
        AttributeValue::Ns(set) => {
            // Sets have no order.
            let mut set = set.clone();
            set.sort_by_key(|number| number.parse::<u64>().ok());
            json!({ "NS": set })
        }
        other => panic!("no item has such a value: {other:?}"),
    }
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("an attribute");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text(value)),
        "N" => AttributeValue::N(text(value)),
        "BOOL" => AttributeValue::Bool(value == &json!(true)),
        "NULL" => AttributeValue::Null(true),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text(value)).unwrap())),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(
            value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
        ),
        "NS" => AttributeValue::Ns(value.as_array().unwrap().iter().map(text).collect()),
        other => panic!("no item has such a value: {other}"),
    }
}

/// All items of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden(pub Vec<Stored>);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/items")
}

impl Golden {
    /// These, by their keys.
    pub fn of(mut all: Vec<Stored>) -> Self {
        all.sort_by_key(Stored::key);
        Self(all)
    }

    /// Each version that is kept: all of its files together.
    pub fn all() -> BTreeMap<u32, Self> {
        let mut versions: BTreeMap<u32, Vec<Stored>> = BTreeMap::new();
        for path in std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let version = name.strip_prefix('v').unwrap().split('.').next().unwrap().parse().unwrap();
            let golden = Self::of_file(name).unwrap();
            for stored in &golden.0 {
                // The part for people says what the packed part holds.
                assert_eq!(&Stored::of(&stored.table, &stored.attributes()), stored, "{name}");
            }
            versions.entry(version).or_default().extend(golden.0);
        }
        versions.into_iter().map(|(version, all)| (version, Self::of(all))).collect()
    }

    fn of_file(name: &str) -> Option<Self> {
        let text = std::fs::read_to_string(folder().join(name)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Keeps this as a version: what its first file has stays there, all else goes to the one beside it.
    pub fn write(&self, version: u32) {
        let (first, more) = (format!("v{version}.json"), format!("v{version}.more.json"));
        let had: Option<BTreeSet<String>> = Self::of_file(&first).map(|file| file.0.iter().map(Stored::key).collect());
        let is_first = |stored: &&Stored| had.as_ref().is_none_or(|had| had.contains(&stored.key()));
        for (name, all) in [
            (first, self.0.iter().filter(is_first).cloned().collect::<Vec<_>>()),
            (more, self.0.iter().filter(|stored| !is_first(stored)).cloned().collect()),
        ] {
            if !all.is_empty() {
                let text = serde_json::to_string_pretty(&Self(all)).unwrap() + "\n";
                std::fs::write(folder().join(name), text).unwrap();
            }
        }
    }

    /// The kinds that there is an item of.
    pub fn kinds(&self, kinds: &[Kind]) -> BTreeSet<String> {
        self.0.iter().map(|stored| stored.kind(kinds)).collect()
    }

    /// Fails if anything is stored otherwise.
    pub fn must_be(&self, golden: &Self) {
        let by_key = |all: &Self| -> BTreeMap<String, Stored> {
            let found: BTreeMap<_, _> = all.0.iter().map(|stored| (stored.key(), stored.comparable())).collect();
            assert_eq!(found.len(), all.0.len(), "an item stands in two files");
            found
        };
        let (mut written, golden) = (by_key(self), by_key(golden));
        for (key, golden) in golden {
            assert_eq!(
                written.remove(&key).as_ref(),
                Some(&golden),
                "{key} is stored otherwise than the newest golden file has it. If that version has been released, the release \
                 before this cannot be trusted to read it: raise the version (codec.rs), and keep a golden file of it. If it \
                 has not, or if all that changed is an attribute more that has a default, write the file anew with \
                 RENKEI_GOLDEN=write and look at what changed."
            );
        }
        assert!(written.is_empty(), "stored, and not in the golden file: {:?}", written.keys());
    }
}

/// A kind of item, as a table in the store's sources has it: `shipments`, `S#tenant#connection#order`, `P#parcel`.
pub struct Kind {
    table: String,
    pk: String,
    sk: String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

impl Kind {
    fn fits(&self, stored: &Stored) -> bool {
        let part = |name: &str| stored.item[name]["S"].as_str().unwrap_or_default().to_owned();
        stored.table.eq_ignore_ascii_case(&self.table) && fits(&self.pk, &part("pk")) && fits(&self.sk, &part("sk"))
    }
}

/// Words in capital letters stand for themselves, others for one part of a key; the last may hold separators.
fn fits(pattern: &str, key: &str) -> bool {
    let wanted: Vec<&str> = pattern.split('#').collect();
    let parts: Vec<&str> = key.splitn(wanted.len(), '#').collect();
    let literal = |word: &str| word.chars().all(|c| c.is_ascii_uppercase());
    // `gate` and `sku` alone may be anything but what other rows of the same partition say literally.
    wanted.len() == parts.len()
        && wanted.iter().zip(parts).all(|(word, part)| if literal(word) { *word == part } else { !part.is_empty() })
}

/// Every kind that the store's sources list.
pub fn kinds() -> Vec<Kind> {
    let cells = |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().to_owned()).collect() };
    let words = |cell: &str| -> Vec<String> {
        let cut: Vec<&str> = cell.split('`').collect();
        if cut.len() == 1 {
            vec![cell.to_owned()]
        } else {
            cut.into_iter().skip(1).step_by(2).map(str::to_owned).collect()
        }
    };
    let mut kinds = Vec::new();
    let (mut table, mut pk) = (String::new(), String::new());
    for line in include_str!("../../src/keys.rs").lines().filter(|line| line.starts_with("//! | ")).skip(1) {
        let cells = cells(line);
        if !cells[1].is_empty() {
            table.clone_from(&cells[1]);
        }
        if let Some(word) = words(&cells[2]).first().filter(|word| !word.is_empty()) {
            pk.clone_from(word);
        }
        kinds.extend(words(&cells[3]).into_iter().map(|sk| Kind { table: table.clone(), pk: pk.clone(), sk }));
    }
    for line in include_str!("../../src/sessions.rs").lines().filter(|line| line.starts_with("//! | ")).skip(1) {
        let cells = cells(line);
        let first = |cell: &str| words(cell).remove(0);
        kinds.push(Kind { table: "sessions".to_owned(), pk: first(&cells[1]), sk: first(&cells[2]) });
    }
    assert!(kinds.len() >= 30, "{}", kinds.len());
    kinds
}
