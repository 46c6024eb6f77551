//! Reading conditions.

use regex::RegexBuilder;

use super::super::check::{Check, Passes};
use super::super::condition::{Condition, Literal, Operator, Test};
use super::super::field::{self, AddressPart, Field};
use super::super::problem::{did_you_mean, shown};
use super::super::value::{Bound, Constant, OneOf};
use super::Reader;
use crate::prefecture;
use crate::settings::Temperature;
use crate::shipment::{HoldReason, Status};

/// Deepest nesting of `all`, `any` and `not`.
const MAX_DEPTH: usize = 8;
/// Most tests and groups in one robot's condition.
const MAX_PARTS: usize = 100;
/// Most values in one `in`.
const MAX_VALUES: usize = 1_000;
/// Longest pattern, in characters.
const MAX_PATTERN: usize = 500;
/// Memory of one compiled pattern. A mere `\w`, which is every letter of every script, takes more than a third of it.
const PATTERN_BYTES: usize = 128 * 1_024;
/// Most patterns of one merchant: a function's memory is shared by all.
const MAX_PATTERNS: usize = 100;

impl Reader<'_> {
    pub(super) fn condition(&mut self, path: &str, condition: &Condition) -> Option<Check> {
        let mut parts = 0;
        let check = self.part(path, condition, 1, &mut parts);
        if parts > MAX_PARTS {
            self.problem(path, format!("more than {MAX_PARTS} tests in one condition: make several robots of it"));
            return None;
        }
        check
    }

    fn part(&mut self, path: &str, condition: &Condition, depth: usize, parts: &mut usize) -> Option<Check> {
        *parts += 1;
        if *parts > MAX_PARTS {
            return None;
        }
        if depth > MAX_DEPTH {
            self.problem(path, format!("nested more than {MAX_DEPTH} deep: make several robots of it"));
            return None;
        }
        match condition {
            Condition::All(all) => self.group(&format!("{path}.all"), all, depth, parts).map(Check::All),
            Condition::Any(any) => {
                if any.is_empty() {
                    self.problem(&format!("{path}.any"), "an empty `any` never holds: give it a condition");
                }
                self.group(&format!("{path}.any"), any, depth, parts).map(Check::Any)
            }
            Condition::Not(not) => {
                self.part(&format!("{path}.not"), not, depth + 1, parts).map(|check| Check::Not(Box::new(check)))
            }
            Condition::Test(test) => self.test(path, test),
        }
    }

    fn group(&mut self, path: &str, group: &[Condition], depth: usize, parts: &mut usize) -> Option<Box<[Check]>> {
        // Not `collect` into an Option: that stops at the first mistake, and all are wanted.
        let checks: Vec<Option<Check>> = group
            .iter()
            .enumerate()
            .map(|(place, condition)| self.part(&format!("{path}[{place}]"), condition, depth + 1, parts))
            .collect();
        checks.into_iter().collect()
    }

    fn test(&mut self, path: &str, test: &Test) -> Option<Check> {
        let field = Field::parse(&test.field);
        match &field {
            None => {
                let name = shown(&test.field);
                let near = did_you_mean(&test.field, field::names());
                self.problem(&format!("{path}.field"), format!("there is no field `{name}`{near}"));
            }
            Some(field) => {
                if let Some(near) = field.looks_like() {
                    self.warning(
                        &format!("{path}.field"),
                        format!(
                            "`{}` is not an attribute that shops are known to send: was `order.{near}` meant?",
                            test.field
                        ),
                    );
                }
            }
        }
        let passes = self.operator(path, field.as_ref(), &test.operator);
        Some(Check::Test(field?, passes?))
    }

    fn operator(&mut self, path: &str, field: Option<&Field>, operator: &Operator) -> Option<Passes> {
        match operator {
            Operator::Equals(value) => {
                self.value(&format!("{path}.equals"), field, value);
                Some(Passes::Equals(Constant::new(value)))
            }
            Operator::In(values) => {
                let path = format!("{path}.in");
                if values.is_empty() || values.len() > MAX_VALUES {
                    self.problem(&path, format!("give 1 to {MAX_VALUES} values, not {}", values.len()));
                    return None;
                }
                for (place, value) in values.iter().enumerate() {
                    self.value(&format!("{path}[{place}]"), field, value);
                }
                Some(Passes::In(OneOf::new(values)))
            }
            Operator::Contains(part) => {
                self.text(&format!("{path}.contains"), &part.text());
                Some(Passes::Contains(part.text().trim().into()))
            }
            Operator::Matches(pattern) => self.pattern(&format!("{path}.matches"), pattern).map(Passes::Matches),
            Operator::Greater(bound) => self.bound(&format!("{path}.greater"), bound).map(Passes::Greater),
            Operator::Less(bound) => self.bound(&format!("{path}.less"), bound).map(Passes::Less),
            Operator::Exists(exists) => Some(Passes::Exists(*exists)),
            Operator::LongerThan(columns) => Some(Passes::LongerThan(*columns as usize)),
            Operator::NotPrintable(flag) => Some(Passes::NotPrintable(*flag)),
        }
    }

    fn bound(&mut self, path: &str, literal: &Literal) -> Option<Bound> {
        let bound = Bound::new(literal);
        if bound.is_none() {
            let text = literal.text();
            let text = shown(&text);
            self.problem(
                path,
                format!("`{text}` is neither a number nor a day: write `5000`, `2026-12-01`, `today` or `today+3`"),
            );
        }
        bound
    }

    fn pattern(&mut self, path: &str, pattern: &str) -> Option<regex::Regex> {
        self.patterns += 1;
        if self.patterns == MAX_PATTERNS + 1 {
            self.problem(path, format!("more than {MAX_PATTERNS} `matches` over all robots: use `contains` or `in`"));
        }
        let length = pattern.chars().count();
        if self.patterns > MAX_PATTERNS || length > MAX_PATTERN {
            if length > MAX_PATTERN {
                self.problem(path, format!("the pattern has {length} characters; {MAX_PATTERN} is the most"));
            }
            return None;
        }
        match RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).nest_limit(32).build() {
            Ok(regex) => Some(regex),
            Err(regex::Error::CompiledTooBig(_)) => {
                self.problem(path, "the pattern is too large: use fewer or smaller repetitions such as `{1,20}`");
                None
            }
            Err(error) => {
                self.problem(path, format!("the pattern cannot be read: {error}"));
                None
            }
        }
    }

    /// A value that its field can never have is a misspelling: the robot would sit there and never match.
    fn value(&mut self, path: &str, field: Option<&Field>, value: &Literal) {
        let text = value.text();
        self.length(path, &text);
        let settings = self.settings;
        let holds = || HoldReason::ALL.map(HoldReason::as_str).to_vec();
        let known: Vec<&str> = match field {
            Some(Field::Status) => Status::ALL.map(Status::as_str).to_vec(),
            Some(Field::HoldReason | Field::Holds) => holds(),
            Some(Field::Payment) => vec!["unpaid", "paid"],
            Some(Field::PaymentMeaning) => vec!["paid", "wait", "cancelled", "unknown"],
            Some(Field::ItemTemperature) => Temperature::ALL.map(Temperature::as_str).to_vec(),
            Some(Field::DuplicateNumber) => vec!["true", "false"],
            Some(Field::ShippingMethod) => settings.shipping_methods.iter().map(|method| method.id.as_str()).collect(),
            Some(Field::Connection) => settings.connections.iter().map(|connection| connection.id.as_str()).collect(),
            Some(Field::ShipFrom) => settings.ship_froms.iter().map(|ship_from| ship_from.id.as_str()).collect(),
            Some(Field::ShipTo(AddressPart::Prefecture)) => prefecture::ALL.to_vec(),
            Some(_) | None => return,
        };
        if known.contains(&text.trim()) {
            return;
        }
        let name = shown(&text);
        // 沖縄 for 沖縄県 is no misspelling by distance, but plain to see.
        let longer = known.iter().find(|known| !text.is_empty() && known.starts_with(&*text));
        let near = longer
            .map_or_else(|| did_you_mean(&text, known.iter().copied()), |full| format!("; did you mean `{full}`?"));
        self.problem(path, format!("the field never is `{name}`{near}"));
    }
}
