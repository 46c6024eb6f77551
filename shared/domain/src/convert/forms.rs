//! Postal codes, phone numbers, days and amounts in the one form that warehouses and labels take.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::width;
use crate::jst;

/// `135-0064` of any seven digits, half or full width, with or without marks; anything else stays as it is.
pub(super) fn postal_code(text: &str) -> String {
    let digits = digits(text);
    if digits.len() == 7 { format!("{}-{}", &digits[..3], &digits[3..]) } else { text.to_owned() }
}

/// Digits of any width.
fn digits(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10),
            c if c.is_ascii_digit() => Some(c),
            _ => None,
        })
        .collect()
}

/// `03-0000-0000`: half-width digits with hyphens. Hyphens that are there stay where they are; without any they are put
/// where the number's kind has them, and left out where the length of its area code cannot be told. `+81` becomes `0`.
/// What is no phone number stays as it is.
pub(super) fn phone(text: &str) -> String {
    let plain = width::half(text.trim());
    let (plain, abroad) = match plain.strip_prefix("+81") {
        Some(rest) => (rest.trim_start_matches(['-', ' ', '0', '(', ')']).to_owned(), true),
        None => (plain, false),
    };
    let groups: Vec<&str> = plain.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let only_marks = plain.chars().all(|c| c.is_ascii_digit() || is_phone_mark(c));
    let count: usize = groups.iter().map(|group| group.len()).sum();
    if !only_marks || !(9..=11).contains(&(count + usize::from(abroad))) {
        return text.to_owned();
    }
    let zero = if abroad { "0" } else { "" };
    match groups.as_slice() {
        [whole] => hyphenated(&format!("{zero}{whole}")),
        parts => format!("{zero}{}", parts.join("-")),
    }
}

fn is_phone_mark(c: char) -> bool {
    matches!(c, '-' | ' ' | '(' | ')' | '.' | '‐' | '‑' | '–' | '—' | '−' | 'ー' | 'ｰ')
}

fn hyphenated(digits: &str) -> String {
    let cut = |first: usize, second: usize| {
        format!("{}-{}-{}", &digits[..first], &digits[first..first + second], &digits[first + second..])
    };
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| digits.starts_with(prefix));
    match digits.len() {
        11 if begins(&["070", "080", "090", "050"]) && !digits.starts_with("0800") => cut(3, 4),
        11 if begins(&["0800"]) => cut(4, 3),
        10 if begins(&["0120", "0570", "0990"]) => cut(4, 3),
        10 if begins(&["03", "06"]) => cut(2, 4),
        _ => digits.to_owned(),
    }
}

/// Shops write `2026/11/25 00:00:00`, `2026-11-25 00:00:00` or the date alone.
pub(super) fn date(text: &str) -> Option<Date> {
    local(text).map(DateTime::date)
}

/// A moment as Japan's clocks show it: what shops write without a zone is Japan time already, what has a zone is moved.
pub(super) fn local(text: &str) -> Option<DateTime> {
    let text = text.trim().replace('/', "-");
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned_datetime(jst::zone()).datetime());
    }
    text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(Date::into)).ok()
}

/// `980`, and `980.0` as some shops send it.
pub(super) fn whole(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.bytes().all(|b| b == b'0') { whole.parse().ok() } else { None }
}

/// `12,345円`.
pub(super) fn yen(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 2 + 4);
    if amount < 0 {
        out.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push('円');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postal_codes_take_one_form() {
        for given in ["1350064", "135-0064", "〒135-0064", "１３５－００６４", "135 0064"] {
            assert_eq!(postal_code(given), "135-0064", "{given}");
        }
        assert_eq!(postal_code("13-50"), "13-50");
    }

    #[test]
    fn phone_numbers_take_one_form() {
        for (given, form) in [
            ("０３－０００0－００００", "03-0000-0000"),
            ("0300000000", "03-0000-0000"),
            ("09000000000", "090-0000-0000"),
            ("(042)000-0000", "042-000-0000"),
            ("0120000000", "0120-000-000"),
            ("08000000000", "0800-000-0000"),
            ("0420000000", "0420000000"),
            ("+81 90-0000-0000", "090-0000-0000"),
            ("+81900000000", "+81900000000".replace("+81", "0").as_str()),
            ("なし", "なし"),
            ("03-0000-0000 内線12", "03-0000-0000 内線12"),
            ("", ""),
        ] {
            assert_eq!(phone(given), form, "{given}");
        }
    }

    #[test]
    fn dates_are_read_in_every_form_that_shops_send() {
        for given in ["2026/11/25 00:00:00", "2026-11-25 00:00:00", "2026-11-25", "2026/11/25", "2026-11-24T15:00:00Z"]
        {
            assert_eq!(date(given).unwrap().to_string(), "2026-11-25", "{given}");
        }
        assert_eq!(date("soon"), None);
    }

    #[test]
    fn amounts_with_a_fraction_are_not_guessed() {
        assert_eq!(whole("980"), Some(980));
        assert_eq!(whole("980.00"), Some(980));
        assert_eq!(whole("-50"), Some(-50));
        assert_eq!(whole("980.5"), None);
    }

    #[test]
    fn yen_are_grouped() {
        assert_eq!(
            [0, 980, 12_345, -1_234_567, i64::MIN].map(yen),
            ["0円", "980円", "12,345円", "-1,234,567円", "-9,223,372,036,854,775,808円"]
        );
    }
}
