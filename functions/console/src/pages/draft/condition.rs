//! A condition as rows of a form: a tree of groups and tests, in which each has the names of its fields from its place
//! (`c`, `c.0`, `c.0.1`). Texts stay as they were typed, whether they can be understood or not.

use renkei_domain::processing::{Condition, Literal, Operator, Test};
use serde_json::{Value, json};

use super::{Fault, Names, lines, listed};

/// Groups within groups that a form may have. A document may have fewer, and says so itself.
const DEEPEST: usize = 16;

/// A group or a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Group {
        /// `all`, `any`, or `not` (of one part).
        how: String,
        parts: Vec<Node>,
    },
    Test {
        field: String,
        operator: String,
        value: String,
    },
}

/// What a test can be, with its words; those that take a value first.
pub const OPERATORS: [(&str, &str, &str); 11] = [
    ("equals", "と等しい", "is"),
    ("in", "のいずれか（1行に1つ）", "is one of (one a line)"),
    ("contains", "を含む", "contains"),
    ("matches", "に一致（正規表現）", "matches (regular expression)"),
    ("greater", "より大きい・より後", "is above or after"),
    ("less", "より小さい・より前", "is below or before"),
    ("longer_than", "より長い（半角の文字数）", "is wider than (columns)"),
    ("exists", "値がある", "has a value"),
    ("absent", "値がない", "has no value"),
    ("not_printable", "印字できない文字がある", "holds what cannot be printed"),
    ("printable", "すべて印字できる", "can all be printed"),
];

impl Node {
    /// A test that is still to be written.
    pub fn new_test() -> Self {
        Self::Test { field: String::new(), operator: "equals".to_owned(), value: String::new() }
    }

    /// A group that is still to be filled.
    pub fn new_group() -> Self {
        Self::Group { how: "any".to_owned(), parts: vec![Self::new_test()] }
    }

    pub fn of(condition: &Condition) -> Self {
        let group = |how: &str, parts: &[Condition]| Self::Group {
            how: how.to_owned(),
            parts: parts.iter().map(Self::of).collect(),
        };
        match condition {
            Condition::All(all) => group("all", all),
            Condition::Any(any) => group("any", any),
            Condition::Not(not) => group("not", std::slice::from_ref(not)),
            Condition::Test(Test { field, operator }) => {
                let (operator, value) = match operator {
                    Operator::Equals(value) => ("equals", value.text().into_owned()),
                    Operator::In(values) => ("in", lines(values.iter().map(Literal::text))),
                    Operator::Contains(value) => ("contains", value.text().into_owned()),
                    Operator::Matches(pattern) => ("matches", pattern.clone()),
                    Operator::Greater(value) => ("greater", value.text().into_owned()),
                    Operator::Less(value) => ("less", value.text().into_owned()),
                    Operator::LongerThan(width) => ("longer_than", width.to_string()),
                    Operator::Exists(true) => ("exists", String::new()),
                    Operator::Exists(false) => ("absent", String::new()),
                    Operator::NotPrintable(true) => ("not_printable", String::new()),
                    Operator::NotPrintable(false) => ("printable", String::new()),
                };
                Self::Test { field: field.clone(), operator: operator.to_owned(), value }
            }
        }
    }

    /// The one at this place of a form; none if there is none, or it lies deeper than any form's.
    pub fn read(names: &Names<'_>, at: &str, depth: usize) -> Option<Self> {
        if depth > DEEPEST {
            return None;
        }
        match names.get(&format!("{at}.how")) {
            Some(_) => {
                let how = names.text(&format!("{at}.how"));
                let parts = (0..).map_while(|place| Self::read(names, &format!("{at}.{place}"), depth + 1)).collect();
                Some(Self::Group { how, parts })
            }
            None => Some(Self::Test {
                field: names.get(&format!("{at}.field")).map(|_| names.text(&format!("{at}.field")))?,
                operator: names.text(&format!("{at}.operator")),
                value: names.text(&format!("{at}.value")),
            }),
        }
    }

    /// Its fields, as a browser would send them.
    pub fn fields(&self, at: &str, into: &mut Vec<(String, String)>) {
        match self {
            Self::Group { how, parts } => {
                into.push((format!("{at}.how"), how.clone()));
                for (place, part) in parts.iter().enumerate() {
                    part.fields(&format!("{at}.{place}"), into);
                }
            }
            Self::Test { field, operator, value } => {
                for (name, text) in [("field", field), ("operator", operator), ("value", value)] {
                    into.push((format!("{at}.{name}"), text.clone()));
                }
            }
        }
    }

    /// As a document says it.
    pub fn json(&self, at: &str, faults: &mut Vec<Fault>) -> Value {
        match self {
            Self::Group { how, parts } => {
                let mut inner: Vec<Value> =
                    parts.iter().enumerate().map(|(place, part)| part.json(&format!("{at}.{place}"), faults)).collect();
                if how != "not" {
                    return json!({ how.as_str(): inner });
                }
                if inner.len() != 1 {
                    faults.push(Fault {
                        at: at.to_owned(),
                        ja: "「次の条件ではない」に入れる条件は1つです。複数のときは、その中にグループを作ってください。",
                        en: "What does not hold is one condition. For several make a group in it.",
                    });
                }
                json!({ "not": inner.pop() })
            }
            Self::Test { field, operator, value } => {
                let (key, value) = match operator.as_str() {
                    "in" => ("in", listed(value).into()),
                    // What is no number is said to be none where the document is read.
                    "longer_than" => ("longer_than", number(value)),
                    "exists" => ("exists", true.into()),
                    "absent" => ("exists", false.into()),
                    "not_printable" => ("not_printable", true.into()),
                    "printable" => ("not_printable", false.into()),
                    other => (other, value.as_str().into()),
                };
                json!({ "field": field.trim(), key: value })
            }
        }
    }

    /// The group or test at this place below it: `[0, 1]` is the second part of the first.
    pub fn at(&mut self, place: &[usize]) -> Option<&mut Self> {
        let Some((first, rest)) = place.split_first() else { return Some(self) };
        match self {
            Self::Group { parts, .. } => parts.get_mut(*first)?.at(rest),
            Self::Test { .. } => None,
        }
    }

    /// Adds a part, and gives its place. A test by itself becomes a group of both.
    pub fn add(&mut self, part: Self) -> usize {
        if let Self::Test { .. } = self {
            let test = std::mem::replace(self, Self::Group { how: "all".to_owned(), parts: Vec::new() });
            self.add(test);
        }
        match self {
            Self::Group { parts, .. } => {
                parts.push(part);
                parts.len() - 1
            }
            Self::Test { .. } => 0,
        }
    }

    /// Takes the one at this place away; of the whole, everything.
    pub fn remove(&mut self, place: &[usize]) {
        match place.split_last() {
            None => *self = Self::of(&Condition::default()),
            Some((last, before)) => {
                if let Some(Self::Group { parts, .. }) = self.at(before)
                    && *last < parts.len()
                {
                    parts.remove(*last);
                }
            }
        }
    }
}

/// A number as one, anything else as its text.
pub fn number(text: &str) -> Value {
    text.trim().parse::<u64>().map_or_else(|_| text.into(), Value::from)
}
