//! Scalars along a schema: numbers, yes or no, words to choose from, ids, text.

use serde_json::Value;

use super::super::nearest::{listed, nearest, quoted};
use super::super::problem::Place;
use super::super::tree::{Core, Kind, Node};
use super::{Form, Walk, Wanted};
use crate::ids::{
    ConnectionId, OrderNumber, RobotId, RuleId, ShipFromId, ShippingMethodId, Sku, TenantId, WarehouseId,
};
use crate::settings::Every;

impl<'s> Walk<'s> {
    pub(super) fn scalar(&mut self, text: &str, quotes: bool, place: Place, form: Form<'s>) -> Option<Value> {
        let core = if quotes { Core::Text } else { Core::of(text) };
        if core == Core::Null && nullable(form.schema) {
            return Some(Value::Null);
        }
        if core == Core::Null {
            let expected = self.expected(form);
            self.problem(place, format!("there is nothing here: write {expected}, or leave the key out"));
            return None;
        }
        let words = choices(form.schema);
        if !words.is_empty() {
            return self.choice(text, &words, place);
        }
        if is_open(form.schema) {
            return Some(as_it_is(text, quotes));
        }
        match kind(form.schema) {
            "integer" => self.integer(text, quotes, place, form),
            "number" => match Core::of(text) {
                Core::Whole(_) | Core::Float(_) if !quotes => Some(number(text)),
                Core::Whole(_) | Core::Float(_) => {
                    self.problem(place, format!("this must be a number: write {text} without quotes"));
                    Some(number(text))
                }
                Core::Null | Core::Bool(_) | Core::Text => {
                    self.problem(place, format!("this must be a number, not {}", quoted(text)));
                    None
                }
            },
            "boolean" => self.boolean(text, quotes, place),
            _ => self.text(text, &core, place, form),
        }
    }

    /// Takes a word, or the one that was meant.
    pub(super) fn choice(&mut self, text: &str, words: &[&str], place: Place) -> Option<Value> {
        if words.contains(&text) {
            return Some(Value::String(text.to_owned()));
        }
        let meant = nearest(text, words.iter().copied());
        let hint = meant.map(|word| format!(": did you mean {word:?}?")).unwrap_or_default();
        self.problem(place, format!("{} is not one of {}{hint}", quoted(text), listed(words)));
        meant.map(|word| Value::String(word.to_owned()))
    }

    fn integer(&mut self, text: &str, quotes: bool, place: Place, form: Form<'s>) -> Option<Value> {
        let Core::Whole(number) = Core::of(text) else {
            let expected = self.expected(form);
            self.problem(place, format!("this must be {expected}, not {}", quoted(text)));
            return None;
        };
        if quotes {
            self.problem(place, format!("this must be a number: write {text} without quotes"));
        }
        let (least, most) = bounds(form.schema);
        if number < least || number > most {
            let expected = self.expected(form);
            self.problem(place, format!("{} is out of bounds: this must be {expected}", quoted(text)));
            return None;
        }
        u64::try_from(number).map(Value::from).or_else(|_| i64::try_from(number).map(Value::from)).ok()
    }

    fn boolean(&mut self, text: &str, quotes: bool, place: Place) -> Option<Value> {
        match Core::of(text) {
            Core::Bool(flag) => {
                if quotes {
                    self.problem(place, format!("this must be true or false: write {text} without quotes"));
                }
                Some(Value::Bool(flag))
            }
            Core::Null | Core::Whole(_) | Core::Float(_) | Core::Text => {
                let meant = match text.to_lowercase().as_str() {
                    "yes" | "on" | "y" | "はい" | "有効" => Some(true),
                    "no" | "off" | "n" | "いいえ" | "無効" => Some(false),
                    _ => None,
                };
                let hint = meant.map(|flag| format!(": write {flag}")).unwrap_or_default();
                self.problem(place, format!("this must be true or false, not {}{hint}", quoted(text)));
                meant.map(Value::Bool)
            }
        }
    }

    fn text(&mut self, text: &str, core: &Core, place: Place, form: Form<'s>) -> Option<Value> {
        if let Core::Bool(flag) = core {
            self.problem(place, format!("{text} means yes or no ({flag}): put it in quotes if text is meant"));
            return Some(Value::String(text.to_owned()));
        }
        // A number where text belongs is taken letter by letter: a SKU `00123` keeps its zeros.
        if let Some(Err(sentence)) = form.name.and_then(|name| rule(name, text)) {
            self.problem(place, sentence);
            return None;
        }
        Some(Value::String(text.to_owned()))
    }

    /// What a schema wants, for a sentence.
    pub(super) fn expected(&self, form: Form<'s>) -> String {
        let branches = self.branches(form);
        if !branches.is_empty() {
            return self.expected_of(&branches);
        }
        let words = choices(form.schema);
        if !words.is_empty() {
            return if words.len() == 1 { words[0].to_owned() } else { format!("one of {}", listed(&words)) };
        }
        match Wanted::of(form) {
            Wanted::Anything => "a value".into(),
            Wanted::List => "a list".into(),
            Wanted::Map => match form.schema.get("properties").and_then(Value::as_object) {
                Some(properties) if properties.len() <= 6 => {
                    let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
                    format!("a mapping with {}", listed(&keys))
                }
                Some(_) | None => "a mapping (`key: value`)".into(),
            },
            Wanted::Scalar => match kind(form.schema) {
                "integer" => match bounds(form.schema) {
                    (0, most) if most > 65_535 => "a whole number, 0 or more".into(),
                    (least, most) => format!("a whole number from {least} to {most}"),
                },
                "number" => "a number".into(),
                "boolean" => "true or false".into(),
                _ if is_open(form.schema) => "a text, a number, true or false".into(),
                _ if form.name == Some("Every") => "a time such as `15 minutes` or `2 hours`".into(),
                _ if form.name.is_some_and(|name| name.ends_with("Id")) => "an id".into(),
                _ => "text".into(),
            },
        }
    }
}

/// The rule that a type has for its text beyond what its schema tells.
fn rule(name: &str, text: &str) -> Option<Result<(), String>> {
    macro_rules! parsed {
        ($type:ty) => {
            <$type>::parse(text).map(drop).map_err(|error| error.to_string())
        };
    }
    Some(match name {
        "TenantId" => parsed!(TenantId),
        "ConnectionId" => parsed!(ConnectionId),
        "ShipFromId" => parsed!(ShipFromId),
        "WarehouseId" => parsed!(WarehouseId),
        "ShippingMethodId" => parsed!(ShippingMethodId),
        "RuleId" => parsed!(RuleId),
        "RobotId" => parsed!(RobotId),
        "Sku" => parsed!(Sku),
        "OrderNumber" => parsed!(OrderNumber),
        "Every" => Every::try_from(text.to_owned()).map(drop),
        _ => return None,
    })
}

/// The words that a schema lets one choose from.
pub(super) fn choices(schema: &Value) -> Vec<&str> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(word), _) => word.as_str().into_iter().collect(),
        (None, Some(Value::Array(words))) => words.iter().filter_map(Value::as_str).collect(),
        (None, _) => Vec::new(),
    }
}

/// The schema's type, `null` aside.
pub(super) fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("string")
        }
        _ => "string",
    }
}

/// May a scalar be of several types, so that it means what it means by itself?
fn is_open(schema: &Value) -> bool {
    let Some(names) = schema.get("type").and_then(Value::as_array) else { return false };
    names.iter().filter(|name| *name != "null").count() > 1
}

fn nullable(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => false,
    }
}

fn bounds(schema: &Value) -> (i128, i128) {
    let (least, most): (i128, i128) = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    let limit = |key: &str| schema.get(key).and_then(Value::as_i64).map(i128::from);
    (limit("minimum").map_or(least, |own| own.max(least)), limit("maximum").map_or(most, |own| own.min(most)))
}

/// A scalar by its own meaning. A number that would be written in another way than it stands here is a code and stays
/// text, as it does in quotes: `0312345678` keeps its zero, and `12E4` its letter.
pub(super) fn as_it_is(text: &str, quotes: bool) -> Value {
    let core = if quotes { Core::Text } else { Core::of(text) };
    match core {
        Core::Null => Value::Null,
        Core::Bool(flag) => Value::Bool(flag),
        Core::Whole(whole) if whole.to_string() == text => number(text),
        Core::Float(float) if is_written_so(float, text) => number(text),
        Core::Whole(_) | Core::Float(_) | Core::Text => Value::String(text.to_owned()),
    }
}

/// Is this how the number is written? JSON, and so an export, writes the very large and the very small with an exponent.
fn is_written_so(float: f64, text: &str) -> bool {
    let as_json = Value::from(float).to_string();
    float.to_string() == text || (text.contains('e') && as_json == text)
}

/// The number that a text is, however it is written; the text itself where it is none that JSON can hold.
fn number(text: &str) -> Value {
    let number = match Core::of(text) {
        Core::Whole(whole) => {
            u64::try_from(whole).map(Value::from).or_else(|_| i64::try_from(whole).map(Value::from)).ok()
        }
        Core::Float(float) => serde_json::Number::from_f64(float).map(Value::Number),
        Core::Null | Core::Bool(_) | Core::Text => None,
    };
    number.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// What stands there, for a sentence.
pub(super) fn found(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => quoted(text),
        Kind::List(_) => "a list".into(),
        Kind::Map(_) => "a mapping".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_written_in_another_way_is_text() {
        for code in ["0312345678", "00450", "-0", "+5", "0x1F", "12E4", "12e4", "1.50", "1.0", ".5"] {
            assert_eq!(as_it_is(code, false), Value::from(code), "{code}");
        }
        assert_eq!(as_it_is("450", true), Value::from("450"));
        assert_eq!((as_it_is("450", false), as_it_is("-3", false)), (Value::from(450), Value::from(-3)));
    }

    #[test]
    fn what_an_export_writes_is_read_as_the_same_number() {
        for number in [0.5, -1_234.5, 1e19, 1.5e-7, f64::MAX] {
            let value = Value::from(number);
            assert_eq!(as_it_is(&value.to_string(), false), value);
        }
    }
}
