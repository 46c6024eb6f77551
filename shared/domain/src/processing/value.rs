//! Values of a shipment's fields, and what a document's values are compared with.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::ToSpan;
use jiff::civil::Date;

use super::condition::Literal;

/// One value of a field, borrowed from the shipment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Decimal(f64),
    Flag(bool),
    Day(Date),
}

impl<'a> Value<'a> {
    /// As text, borrowed where it is one.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.trim()),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Decimal(number) => Cow::Owned(number.to_string()),
            Self::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Self::Day(day) => Cow::Owned(day.to_string()),
        }
    }

    /// Shops send "nothing" as an empty text.
    pub(super) fn is_empty(self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    fn number(self) -> Option<Number> {
        match self {
            Self::Text(text) => Number::parse(text.trim()),
            Self::Integer(number) => Some(Number::Integer(number)),
            Self::Decimal(number) => Some(Number::Decimal(number)),
            Self::Flag(_) | Self::Day(_) => None,
        }
    }

    fn day(self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            Self::Text(text) => parse_day(text.trim()),
            Self::Integer(_) | Self::Decimal(_) | Self::Flag(_) => None,
        }
    }
}

/// A number, exact where it is whole: order numbers outgrow what a float can tell apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Integer(i64),
    Decimal(f64),
}

impl Number {
    /// From text, if it is written as numbers are: `0123` is a code, not a number.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let mut bytes = digits.bytes();
        let first = bytes.next().filter(u8::is_ascii_digit)?;
        let second = bytes.next();
        if digits.len() > 40 || (first == b'0' && second.is_some_and(|byte| byte != b'.')) {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Integer(number));
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        text.parse().ok().map(Self::Decimal)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Decimal(number) => number,
        }
    }
}

/// The day that a text begins with: `2026-12-01`, or `2026/12/01 05:47:17` as shops write it.
fn parse_day(text: &str) -> Option<Date> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let bytes = text.as_bytes();
    let separator = *bytes.get(4)?;
    if !matches!(separator, b'-' | b'/') || bytes.get(7) != Some(&separator) {
        return None;
    }
    let (month, day) = (part(5, 7)?, part(8, 10)?);
    Date::new(part(0, 4)?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A document's value, ready to be compared with.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    pub(super) text: Box<str>,
    number: Option<Number>,
    flag: Option<bool>,
    day: Option<Date>,
}

impl Constant {
    pub(super) fn new(literal: &Literal) -> Self {
        let text = literal.text();
        let (number, flag) = match literal {
            Literal::Flag(flag) => (None, Some(*flag)),
            Literal::Integer(number) => (Some(Number::Integer(*number)), None),
            Literal::Decimal(number) => (Some(Number::Decimal(*number)), None),
            Literal::Text(_) => (None, None),
        };
        let day = parse_day(&text).filter(|_| text.len() == 10);
        Self { text: text.trim().into(), number, flag, day }
    }

    pub(super) fn is_number(&self) -> bool {
        self.number.is_some()
    }

    pub(super) fn equals(&self, value: Value<'_>) -> bool {
        match value {
            Value::Text(text) if text.trim() == &*self.text => true,
            Value::Flag(flag) => self.flag == Some(flag) || self.number_equals(Number::Integer(i64::from(flag))),
            Value::Day(day) => self.day == Some(day),
            Value::Text(_) | Value::Integer(_) | Value::Decimal(_) => {
                let Some(number) = (self.number.is_some() || self.flag.is_some()).then(|| value.number()).flatten()
                else {
                    return false;
                };
                // Shops write flags as 0 and 1 too.
                match self.flag {
                    Some(flag) => number.compare(Number::Integer(i64::from(flag))) == Some(Ordering::Equal),
                    None => self.number_equals(number),
                }
            }
        }
    }

    fn number_equals(&self, number: Number) -> bool {
        self.number.is_some_and(|own| own.compare(number) == Some(Ordering::Equal))
    }
}

/// A list of values: texts are found by bisection, so that a list of a thousand SKUs costs ten comparisons.
#[derive(Debug, Clone)]
pub(super) struct OneOf {
    texts: Box<[Box<str>]>,
    others: Box<[Constant]>,
}

impl OneOf {
    pub(super) fn new(literals: &[Literal]) -> Self {
        let constants: Vec<Constant> = literals.iter().map(Constant::new).collect();
        let mut texts: Vec<Box<str>> = constants.iter().map(|constant| constant.text.clone()).collect();
        texts.sort_unstable();
        texts.dedup();
        let others = constants.into_iter().filter(|c| c.is_number() || c.flag.is_some() || c.day.is_some()).collect();
        Self { texts: texts.into(), others }
    }

    pub(super) fn holds(&self, value: Value<'_>) -> bool {
        if let Value::Text(text) = value {
            let text = text.trim();
            if self.texts.binary_search_by(|own| (**own).cmp(text)).is_ok() {
                return true;
            }
        }
        self.others.iter().any(|constant| constant.equals(value))
    }
}

/// What `greater` and `less` compare with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Number(Number),
    Day(Date),
    /// So many days after today in Japan.
    Today(i16),
}

impl Bound {
    pub(super) fn new(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Integer(number) => Some(Self::Number(Number::Integer(*number))),
            Literal::Decimal(number) => Some(Self::Number(Number::Decimal(*number))),
            Literal::Flag(_) => None,
            Literal::Text(text) => {
                let text = text.trim();
                if let Some(shift) = text.strip_prefix("today") {
                    let shift = shift.replace(' ', "");
                    let days = if shift.is_empty() {
                        0
                    } else {
                        shift.parse().ok().filter(|_| shift.starts_with(['+', '-']))?
                    };
                    return (-366..=366).contains(&days).then_some(Self::Today(days));
                }
                parse_day(text)
                    .filter(|_| text.len() == 10)
                    .map(Self::Day)
                    .or_else(|| Number::parse(text).map(Self::Number))
            }
        }
    }

    /// How the value stands to the bound; None where the two cannot be compared.
    pub(super) fn compare(self, value: Value<'_>, today: Date) -> Option<Ordering> {
        match self {
            Self::Number(bound) => value.number()?.compare(bound),
            Self::Day(bound) => Some(value.day()?.cmp(&bound)),
            Self::Today(days) => Some(value.day()?.cmp(&today.saturating_add(i64::from(days).days()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(text: &str) -> Constant {
        Constant::new(&Literal::from_text(text))
    }

    #[test]
    fn numbers_as_text_are_numbers_and_codes_are_not() {
        assert!(constant("1").equals(Value::Text(" 1 ")));
        assert!(constant("1").equals(Value::Integer(1)));
        assert!(constant("1").equals(Value::Decimal(1.0)));
        assert!(constant("1").equals(Value::Text("1.0")));
        assert!(constant("1").equals(Value::Flag(true)));
        assert!(!constant("123").equals(Value::Text("0123")));
        assert!(constant("0123").equals(Value::Text("0123")));
        assert!(!constant("0123").equals(Value::Integer(123)));
        assert!(constant("true").equals(Value::Text("1")));
        assert!(constant("true").equals(Value::Text("true")));
        assert!(!constant("true").equals(Value::Text("0")));
        assert!(!constant("9007199254740993").equals(Value::Integer(9_007_199_254_740_992)));
        assert!(constant("2026-12-01").equals(Value::Day(jiff::civil::date(2026, 12, 1))));
    }

    #[test]
    fn bounds_are_numbers_or_days() {
        let today = jiff::civil::date(2026, 11, 24);
        let compare = |bound: &str, value| Bound::new(&Literal::from_text(bound)).unwrap().compare(value, today);
        assert_eq!(compare("5000", Value::Text("5001")), Some(Ordering::Greater));
        assert_eq!(compare("1.5", Value::Integer(1)), Some(Ordering::Less));
        assert_eq!(compare("5000", Value::Text("たくさん")), None);
        assert_eq!(compare("2026-12-01", Value::Text("2026/12/01 05:47:17")), Some(Ordering::Equal));
        assert_eq!(compare("today", Value::Day(today)), Some(Ordering::Equal));
        assert_eq!(compare("today + 3", Value::Text("2026-11-28")), Some(Ordering::Greater));
        assert_eq!(compare("today-1", Value::Text("2026-11-23")), Some(Ordering::Equal));
        for bad in ["", "today 3", "todayx", "true", "今日", "2026-13-01"] {
            assert!(Bound::new(&Literal::from_text(bad)).is_none(), "{bad}");
        }
        assert!(parse_day("2026年12月01日").is_none());
    }
}
