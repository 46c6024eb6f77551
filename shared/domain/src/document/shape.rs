//! Nodes along the JSON Schema of the types: every key that is unknown or missing, every value of a wrong kind.
//!
//! The schema is the one that editors get, as it is published: a test holds it to the types that the functions read. So this
//! walk knows each key, each choice and each union without a second description of them, and what makes a schema of types
//! is in no function. What it finds it repairs where only one thing can have been meant (a slip in a key, a number in
//! quotes), so that the checks after it can speak in the same round.

mod scalar;
mod union;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::nearest::{listed, nearest, quoted};
use super::problem::{MOST_TOLD, Place, Places, Problem};
use super::tree::{Kind, Node};
use crate::ids::ConnectionId;
use crate::settings::TenantSettings;

/// What the walk made of a document.
pub(super) struct Shaped {
    /// The settings, if they could be made at all; not to be applied while there are problems.
    pub settings: Option<TenantSettings>,
    pub problems: Vec<Problem>,
    pub places: Places,
}

/// As `document_schema.rs` of the tests writes it.
const PUBLISHED: &str = include_str!("../../../../docs/document.schema.json");

/// Walks a document from its root.
pub(super) fn settings(root: &Node) -> Shaped {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    // The tests read it, so it can be read.
    let schema = SCHEMA.get_or_init(|| serde_json::from_str(PUBLISHED).unwrap());
    let mut walk =
        Walk { defs: &schema["$defs"], path: String::new(), problems: Vec::new(), places: Places::default() };
    let value = walk.value(root, root.place, schema);
    let Walk { mut problems, places, .. } = walk;
    let settings = value.and_then(|value| match serde_path_to_error::deserialize::<_, TenantSettings>(value) {
        Ok(settings) => Some(settings),
        Err(error) => {
            // A rule that a type has and its schema does not tell.
            if problems.is_empty() {
                let path = error.path().to_string();
                let path = if path == "." { String::new() } else { path };
                let Place { line, column } = places.of(&path);
                problems.push(Problem { line, column, path, sentence: error.into_inner().to_string() });
            }
            None
        }
    });
    Shaped { settings, problems, places }
}

/// A schema with what it refers to: the definition's name, if it has one, and the schema itself.
#[derive(Clone, Copy)]
struct Form<'s> {
    name: Option<&'s str>,
    schema: &'s Value,
}

struct Walk<'s> {
    defs: &'s Value,
    path: String,
    problems: Vec<Problem>,
    places: Places,
}

impl<'s> Walk<'s> {
    /// Follows references to the schema that says something.
    fn form(&self, schema: &'s Value) -> Form<'s> {
        let mut form = Form { name: None, schema };
        while let Some(reference) = form.schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            form = Form { name: Some(name), schema: &self.defs[name] };
        }
        form
    }

    fn problem(&mut self, place: Place, sentence: impl Into<String>) {
        let path = self.path.clone();
        self.problem_at(place, path, sentence);
    }

    fn problem_at(&mut self, place: Place, path: String, sentence: impl Into<String>) {
        let Place { line, column } = place;
        if self.problems.len() <= MOST_TOLD {
            self.problems.push(Problem { line, column, path, sentence: sentence.into() });
        }
    }

    /// Does something one step further down the path.
    fn below<T>(&mut self, step: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !step.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(step);
        let result = act(self);
        self.path.truncate(length);
        result
    }

    /// The value that a node holds by its schema; `None` if there is none that the checks after this could use.
    /// `place` is where a reader looks for it: at its key, if it has one.
    fn value(&mut self, node: &Node, place: Place, schema: &'s Value) -> Option<Value> {
        self.places.note(&self.path, place);
        let form = self.form(schema);
        let branches = self.branches(form);
        if !branches.is_empty() {
            return self.union(node, place, &branches);
        }
        self.single(node, place, form, &[])
    }

    /// The value by a schema that is not a union. `beside` are keys of the union's other branches.
    fn single(&mut self, node: &Node, place: Place, form: Form<'s>, beside: &[&str]) -> Option<Value> {
        match (&node.kind, Wanted::of(form)) {
            (_, Wanted::Anything) => Some(as_it_is(node)),
            (Kind::Scalar { text, quoted }, Wanted::Scalar) => self.scalar(text, *quoted, place, form),
            (Kind::List(items), Wanted::List) => self.list(items, form),
            (Kind::Map(entries), Wanted::Map) => self.map(entries, place, form, beside),
            (_, wanted) => {
                let sentence = self.mismatch(node, form, wanted);
                self.problem(place, sentence);
                None
            }
        }
    }

    fn list(&mut self, items: &[Node], form: Form<'s>) -> Option<Value> {
        let schema = form.schema.get("items").unwrap_or(&Value::Bool(true));
        // A union is left at the first value that cannot be made, a list only at its end: each item is looked at.
        let values: Vec<Option<Value>> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.below(&format!("[{at}]"), |walk| walk.value(item, item.place, schema)))
            .collect();
        values.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn map(
        &mut self,
        entries: &[(super::tree::Key, Node)],
        place: Place,
        form: Form<'s>,
        beside: &[&str],
    ) -> Option<Value> {
        let properties = form.schema.get("properties").and_then(Value::as_object);
        let property = |name: &str| properties.and_then(|properties| properties.get(name));
        let free = form.schema.get("additionalProperties").filter(|schema| !matches!(schema, Value::Bool(false)));
        let known: Vec<&str> = properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let written: BTreeSet<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
        let mut whole = true;
        let mut made = Map::new();
        for (key, node) in entries {
            let text = key.text.as_str();
            let (name, schema) = if let Some(schema) = property(text) {
                (text, schema)
            } else if let Some(schema) = free {
                whole &= self.free_key(text, key.place);
                (text, schema)
            } else {
                let meant = nearest(text, known.iter().copied().filter(|known| !written.contains(known)));
                let sentence = unknown_key(text, meant, &known, beside, &written);
                self.below(text, |walk| walk.problem(key.place, sentence));
                // The value is looked at as if the key that was meant stood here.
                let Some((meant, schema)) = meant.and_then(|meant| Some((meant, property(meant)?))) else {
                    continue;
                };
                if made.contains_key(meant) {
                    continue;
                }
                (meant, schema)
            };
            let at = if node.place.line == key.place.line { node.place } else { key.place };
            match self.below(name, |walk| walk.value(node, at, schema)) {
                Some(value) => {
                    made.insert(name.to_owned(), value);
                }
                None => whole = false,
            }
        }
        let required = form.schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            let meant = entries.iter().any(|(key, _)| {
                property(&key.text).is_none()
                    && nearest(&key.text, known.iter().copied().filter(|known| !written.contains(known))) == Some(name)
            });
            if !written.contains(name) && !meant {
                let about = property(name).map(|schema| self.expected(self.form(schema))).unwrap_or_default();
                self.below(name, |walk| walk.problem(place, format!("{name:?} is missing here: {about}")));
                whole = false;
            }
        }
        whole.then_some(Value::Object(made))
    }

    /// Keys that the merchant chooses are ids where the types say so, which a schema does not tell.
    fn free_key(&mut self, key: &str, place: Place) -> bool {
        if !self.path.ends_with(".carrier_ids") {
            return true;
        }
        match ConnectionId::parse(key) {
            Ok(_) => true,
            Err(error) => {
                self.below(key, |walk| walk.problem(place, error.to_string()));
                false
            }
        }
    }

    fn mismatch(&self, node: &Node, form: Form<'s>, wanted: Wanted) -> String {
        let expected = self.expected(form);
        if form.name == Some("SecretSource") {
            // Whatever stands here may be the secret itself.
            return "a secret never stands in a document: write { env: NAME }, the name of the environment variable that \
                    holds it when the document is applied"
                .into();
        }
        match (&node.kind, wanted) {
            (Kind::Scalar { .. }, Wanted::List) if node.core() != Some(super::tree::Core::Null) => {
                format!("this must be a list: write [{}]", scalar::found(node))
            }
            (Kind::Scalar { .. }, _) if node.core() == Some(super::tree::Core::Null) => {
                format!("there is nothing here: write {expected}, or leave the key out")
            }
            (Kind::List(_), Wanted::Map) => format!("this must be {expected}, not a list: take away the `-` or `[ ]`"),
            (Kind::Map(_), Wanted::List) => format!("this must be {expected}: begin each entry with `- `"),
            _ => format!("this must be {expected}, not {}", scalar::found(node)),
        }
    }
}

fn unknown_key(key: &str, meant: Option<&str>, known: &[&str], beside: &[&str], written: &BTreeSet<&str>) -> String {
    if beside.contains(&key) {
        let with: Vec<&str> = known.iter().copied().filter(|name| written.contains(name)).collect();
        return format!("{} cannot stand beside {}: make two entries of them", quoted(key), listed(&with));
    }
    match meant {
        Some(meant) => format!("the key {} is not known here: did you mean {meant:?}?", quoted(key)),
        None => format!("the key {} is not known here; known are: {}", quoted(key), listed(known)),
    }
}

/// Which kind of node a schema wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Scalar,
    List,
    Map,
    Anything,
}

impl Wanted {
    fn of(form: Form<'_>) -> Self {
        let schema = form.schema;
        let kind = |name: &str| match name {
            "object" => Some(Self::Map),
            "array" => Some(Self::List),
            "null" => None,
            _ => Some(Self::Scalar),
        };
        match schema.get("type") {
            Some(Value::String(name)) => kind(name).unwrap_or(Self::Scalar),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find_map(kind).unwrap_or(Self::Scalar),
            _ if schema.get("properties").is_some() => Self::Map,
            _ if schema.get("enum").is_some() || schema.get("const").is_some() => Self::Scalar,
            _ => Self::Anything,
        }
    }
}

/// A node by its own meaning, where the schema leaves it open.
fn as_it_is(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, quoted } => scalar::as_it_is(text, *quoted),
        Kind::List(items) => Value::Array(items.iter().map(as_it_is).collect()),
        Kind::Map(entries) => {
            Value::Object(entries.iter().map(|(key, node)| (key.text.clone(), as_it_is(node))).collect())
        }
    }
}
