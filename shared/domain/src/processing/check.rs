//! A condition in the form in which it is evaluated: fields found, values parsed, patterns compiled.

use std::cmp::Ordering;

use jiff::civil::Date;
use regex::Regex;

use super::field::{Field, View};
use super::text;
use super::value::{Bound, Constant, OneOf};

/// What a pattern looks at of a text, in characters. A pattern has no fuel: it takes its own size times the text's, and a
/// remark may be as long as an order (200 KB). What people look for stands before this.
const MATCHED: usize = 2_000;

/// A compiled condition. Its depth is limited where it is compiled, so that walking it cannot exhaust the stack.
#[derive(Debug, Clone)]
pub(super) enum Check {
    All(Box<[Check]>),
    Any(Box<[Check]>),
    Not(Box<Check>),
    Test(Field, Passes),
}

/// A compiled test.
#[derive(Debug, Clone)]
pub(super) enum Passes {
    Equals(Constant),
    In(OneOf),
    Contains(Box<str>),
    Matches(Regex),
    Greater(Bound),
    Less(Bound),
    Exists(bool),
    LongerThan(usize),
    NotPrintable(bool),
}

impl Check {
    /// Does the condition hold?
    pub(super) fn holds(&self, view: View<'_>, today: Date) -> bool {
        match self {
            Self::All(all) => all.iter().all(|check| check.holds(view, today)),
            Self::Any(any) => any.iter().any(|check| check.holds(view, today)),
            Self::Not(check) => !check.holds(view, today),
            Self::Test(field, passes) => match passes {
                Passes::Equals(constant) => field.any(view, |value| constant.equals(value)),
                Passes::In(list) => field.any(view, |value| list.holds(value)),
                Passes::Contains(part) => field.any(view, |value| value.text().contains(&**part)),
                Passes::Matches(pattern) => field.any(view, |value| pattern.is_match(beginning(&value.text()))),
                Passes::Greater(bound) => {
                    field.any(view, |value| bound.compare(value, today) == Some(Ordering::Greater))
                }
                Passes::Less(bound) => field.any(view, |value| bound.compare(value, today) == Some(Ordering::Less)),
                Passes::Exists(wanted) => field.any(view, |_| true) == *wanted,
                Passes::LongerThan(columns) => field.any(view, |value| text::width(&value.text()) > *columns),
                Passes::NotPrintable(wanted) => field.any(view, |value| text::not_printable(&value.text())) == *wanted,
            },
        }
    }

    /// Does it look at this field anywhere?
    pub(super) fn reads(&self, field: &Field) -> bool {
        match self {
            Self::All(checks) | Self::Any(checks) => checks.iter().any(|check| check.reads(field)),
            Self::Not(check) => check.reads(field),
            Self::Test(own, _) => own == field,
        }
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(MATCHED).map_or(text, |(end, _)| &text[..end])
}
