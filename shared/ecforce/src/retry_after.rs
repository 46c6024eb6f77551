//! The `Retry-After` header: the shop's own word on when to call again, which wins over any schedule of the caller.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::Offset;

/// The longest wait that is believed. A shop's quota day ends within 24 hours, so anything beyond is a mistake of the
/// sender (or of a clock) that must not stop a shop for a year.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Reads a `Retry-After` value: seconds, or a date in any of HTTP's three forms. A date in the past means now; a leap
/// second counts as the second before it; a fraction of a second is rounded up; more than [`LONGEST_RETRY_AFTER`] is
/// cut to it. `None` when it is neither.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match seconds(value) {
        Some(wait) => wait,
        None => Duration::try_from(date(value)?.duration_since(now)).unwrap_or(Duration::ZERO),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // More digits than a u64 holds is certainly more than the cap.
    let whole = whole.parse::<u64>().unwrap_or(u64::MAX);
    let up = u64::from(fraction.bytes().any(|b| b != b'0'));
    Some(Duration::from_secs(whole.saturating_add(up)))
}

fn date(value: &str) -> Option<Timestamp> {
    // The usual form, `Sun, 06 Nov 1994 08:49:37 GMT`. A wrong weekday does not make the date wrong.
    let usual = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).ok();
    usual.or_else(|| {
        // RFC 850 and C's asctime: obsolete, but a recipient must still read them. Both mean UTC.
        let plain = value.split_once(", ").map_or(value, |(_, rest)| rest);
        let plain = plain.strip_suffix(" GMT").unwrap_or(plain).replace(":60", ":59");
        let civil = DateTime::strptime("%d-%b-%y %H:%M:%S", &plain)
            .or_else(|_| DateTime::strptime("%a %b %e %H:%M:%S %Y", &plain))
            .ok()?;
        Offset::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leap second at the end of 2016, the last one: 00:00 UTC follows it, which is 09:00 in Japan, when a shop's day
    /// of calls begins anew.
    #[test]
    fn a_leap_second_is_read_in_every_form_up_to_midnight() {
        for (now, wait) in [("2016-12-31T23:59:29Z", 30), ("2016-12-31T23:59:59Z", 0), ("2017-01-01T00:00:00Z", 0)] {
            let now: Timestamp = now.parse().unwrap();
            for value in [
                "Sat, 31 Dec 2016 23:59:60 GMT",
                "Saturday, 31-Dec-16 23:59:60 GMT",
                "Sat Dec 31 23:59:60 2016",
                "Sun, 01 Jan 2017 08:59:60 +0900",
            ] {
                assert_eq!(retry_after(value, now), Some(Duration::from_secs(wait)), "{value} at {now}");
            }
        }
    }

    #[test]
    fn every_form_is_read() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        let cases: [(&str, Option<u64>); 20] = [
            ("0", Some(0)),
            ("3", Some(3)),
            (" 15 ", Some(15)),
            ("1.2", Some(2)),
            ("2.0", Some(2)),
            ("86400", Some(86_400)),
            ("31536000", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Mon, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:49:60 GMT", Some(52)),
            ("Sunday, 06-Nov-94 08:49:60 GMT", Some(52)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 2999 23:59:59 GMT", Some(86_400)),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("5 minutes", None),
        ];
        for (value, expected) in cases {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value:?}");
        }
    }
}
