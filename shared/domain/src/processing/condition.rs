//! 条件: the form in which a merchant writes one.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What must hold for a shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub enum Condition {
    /// Each of these holds. None at all holds always.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// A field passes a test.
    Test(Test),
}

impl Condition {
    /// Does it hold for every shipment, being empty?
    #[must_use]
    pub fn is_always(&self) -> bool {
        matches!(self, Self::All(all) if all.is_empty())
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// One field, one test. A field with several values (`items.sku`, `tags`, `holds`, `product.unknown_skus`) passes when
/// one of its values does; a field without a value passes `exists: false` and `not_printable: false` only.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Name of the field: `order.total`, `ship_to.prefecture`, ….
    pub field: String,
    /// The test that it must pass.
    pub operator: Operator,
}

/// How a field is tested. Numbers written as text count as numbers, and flags as `true`/`false`/`1`/`0`.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Equal to this.
    Equals(Literal),
    /// Equal to one of these.
    In(Vec<Literal>),
    /// This stands somewhere in it.
    Contains(Literal),
    /// This regular expression is found somewhere in it.
    Matches(String),
    /// Greater than this number, or later than this date (`2026-12-01`, `today`, `today+3`).
    Greater(Literal),
    /// Less than this number, or earlier than this date.
    Less(Literal),
    /// Has a value that is not empty, or has none.
    Exists(bool),
    /// Wider than this many columns of print, a kanji being two.
    LongerThan(u32),
    /// Holds a character that a label printer lacks: control characters, emoji, what is not in `Shift_JIS` (JIS X 0208
    /// with the extensions of code page 932).
    NotPrintable(bool),
}

/// A value in a document. One that reads as a number or a flag is one, whether it was quoted or not: `"1"` and `1` mean
/// the same, `"0123"` stays text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Literal {
    /// `true`, `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Another number; finite.
    Decimal(f64),
    /// Anything else.
    Text(String),
}

impl Literal {
    /// From its text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        if let Ok(flag) = text.parse() {
            return Self::Flag(flag);
        }
        if let Some(number) = text.parse::<i64>().ok().filter(|number| number.to_string() == text) {
            return Self::Integer(number);
        }
        match text.parse::<f64>() {
            // `-0` as well stays text: written back as a number it would be another text.
            Ok(number) if number.is_finite() && number != 0.0 && number.to_string() == text => Self::Decimal(number),
            Ok(_) | Err(_) => Self::Text(text.to_owned()),
        }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Decimal(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, or true or false")
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Literal, E> {
                Ok(Literal::Flag(flag))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Literal, E> {
                Ok(Literal::Integer(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Literal, E> {
                Ok(i64::try_from(number).map_or_else(|_| Literal::Text(number.to_string()), Literal::Integer))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Literal, E> {
                if !number.is_finite() {
                    return Err(E::custom("a number must be finite"));
                }
                Ok(Literal::from_text(&number.to_string()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Literal, E> {
                Ok(Literal::from_text(text))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

impl JsonSchema for Literal {
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// All keys that may stand in a condition. Read as one flat table, not as alternatives, so that a misspelt key is named
/// with its place instead of "matches no variant".
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<Condition>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any: Option<Vec<Condition>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not: Option<Box<Condition>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<Literal>,
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<Literal>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<Literal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matches: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greater: Option<Literal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    less: Option<Literal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    longer_than: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_printable: Option<bool>,
}

const ONE_FORM: &str = "a condition is one of `all: […]`, `any: […]`, `not: …`, or `field: …` with one test \
     (equals, in, contains, matches, greater, less, exists, longer_than, not_printable)";

impl TryFrom<Form> for Condition {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Self, &'static str> {
        let operators: Vec<Operator> = [
            form.equals.map(Operator::Equals),
            form.one_of.map(Operator::In),
            form.contains.map(Operator::Contains),
            form.matches.map(Operator::Matches),
            form.greater.map(Operator::Greater),
            form.less.map(Operator::Less),
            form.exists.map(Operator::Exists),
            form.longer_than.map(Operator::LongerThan),
            form.not_printable.map(Operator::NotPrintable),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut operators = operators.into_iter();
        match (form.all, form.any, form.not, form.field, operators.next(), operators.next()) {
            (Some(all), None, None, None, None, None) => Ok(Self::All(all)),
            (None, Some(any), None, None, None, None) => Ok(Self::Any(any)),
            (None, None, Some(not), None, None, None) => Ok(Self::Not(not)),
            (None, None, None, Some(field), Some(operator), None) => Ok(Self::Test(Test { field, operator })),
            (None, None, None, Some(_), Some(_), Some(_)) => {
                Err("one test at a time: put each test of the field into a condition of its own, below `all`")
            }
            (None, None, None, Some(_), None, None) => Err(
                "the test is missing: add one of equals, in, contains, matches, greater, less, exists, longer_than, \
                     not_printable",
            ),
            _ => Err(ONE_FORM),
        }
    }
}

impl From<Condition> for Form {
    fn from(condition: Condition) -> Self {
        let empty = Self::default();
        match condition {
            Condition::All(all) => Self { all: Some(all), ..empty },
            Condition::Any(any) => Self { any: Some(any), ..empty },
            Condition::Not(not) => Self { not: Some(not), ..empty },
            Condition::Test(Test { field, operator }) => {
                let field = Some(field);
                match operator {
                    Operator::Equals(value) => Self { field, equals: Some(value), ..empty },
                    Operator::In(values) => Self { field, one_of: Some(values), ..empty },
                    Operator::Contains(part) => Self { field, contains: Some(part), ..empty },
                    Operator::Matches(pattern) => Self { field, matches: Some(pattern), ..empty },
                    Operator::Greater(bound) => Self { field, greater: Some(bound), ..empty },
                    Operator::Less(bound) => Self { field, less: Some(bound), ..empty },
                    Operator::Exists(exists) => Self { field, exists: Some(exists), ..empty },
                    Operator::LongerThan(columns) => Self { field, longer_than: Some(columns), ..empty },
                    Operator::NotPrintable(flag) => Self { field, not_printable: Some(flag), ..empty },
                }
            }
        }
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Condition>();
        let literal = generator.subschema_for::<Literal>();
        let group = |key: &str, inner: serde_json::Value| {
            let mut properties = serde_json::Map::new();
            properties.insert(key.to_owned(), inner);
            serde_json::json!({
                "type": "object", "properties": properties, "required": [key], "additionalProperties": false
            })
        };
        let test = |key: &str, inner: serde_json::Value| {
            let mut properties = serde_json::Map::new();
            properties.insert(
                "field".to_owned(),
                serde_json::json!({
                    "type": "string", "description": "order.total, ship_to.prefecture, shipping_method, …"
                }),
            );
            properties.insert(key.to_owned(), inner);
            serde_json::json!({
                "type": "object", "properties": properties, "required": ["field", key], "additionalProperties": false
            })
        };
        json_schema!({
            "description": "What must hold for a shipment.",
            "oneOf": [
                group("all", serde_json::json!({ "type": "array", "items": condition })),
                group("any", serde_json::json!({ "type": "array", "items": condition })),
                group("not", serde_json::json!(condition)),
                test("equals", serde_json::json!(literal)),
                test("in", serde_json::json!({ "type": "array", "items": literal })),
                test("contains", serde_json::json!(literal)),
                test("matches", serde_json::json!({ "type": "string", "format": "regex" })),
                test("greater", serde_json::json!(literal)),
                test("less", serde_json::json!(literal)),
                test("exists", serde_json::json!({ "type": "boolean" })),
                test("longer_than", serde_json::json!({ "type": "integer", "minimum": 0 })),
                test("not_printable", serde_json::json!({ "type": "boolean" })),
            ]
        })
    }
}
