//! The shop's notion of time: moments with microseconds inside, whole seconds of Asia/Tokyo without a zone outside.
//!
//! The hidden microseconds are on purpose. A shop's database keeps them and its API neither shows nor takes them, which
//! is why an `_eq` on a time misses rows and why only half-open intervals see every row once.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// Japan has had no daylight saving since 1951, so a fixed offset says the same as the zone and needs no database.
const JAPAN: Offset = Offset::constant(9);

/// A moment as the shop stores it: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopTime(i64);

impl ShopTime {
    /// The moment so many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This moment, later by so many seconds (earlier when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000_000)
    }

    /// The first moment of the Japanese calendar day that this moment lies in, some days later.
    #[must_use]
    pub fn japan_midnight(self, days_later: i64) -> Self {
        const DAY: i64 = 86_400_000_000;
        const SHIFT: i64 = 9 * 3_600_000_000;
        Self((self.0 + SHIFT).div_euclid(DAY) * DAY - SHIFT + days_later * DAY)
    }

    /// The UTC date, which is the quota day: `2026-11-23`.
    #[must_use]
    pub fn utc_date(self) -> Date {
        Offset::UTC.to_datetime(self.timestamp()).date()
    }

    /// As a timestamp for the control API, which does speak of zones.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        // Only moments beyond the year 9999 fail, and those are no shop's.
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
    }

    /// As the shop's answers write it: `2026/11/23 08:59:58`.
    #[must_use]
    pub fn answer(self) -> String {
        let local = JAPAN.to_datetime(self.timestamp());
        format!(
            "{:04}/{:02}/{:02} {:02}:{:02}:{:02}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second()
        )
    }

    /// Reads what a request may write: `YYYY-MM-DD HH:MM:SS` or a date alone, meaning Asia/Tokyo.
    /// Anything else (a zone, a `T`, slashes, a missing second) is `None`: the shop refuses it.
    #[must_use]
    pub fn from_request(text: &str) -> Option<Self> {
        let shape_is = |pattern: &str| {
            text.len() == pattern.len()
                && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                    b'0' => byte.is_ascii_digit(),
                    other => byte == other,
                })
        };
        let local = if shape_is("0000-00-00 00:00:00") {
            DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?
        } else if shape_is("0000-00-00") {
            Date::strptime("%Y-%m-%d", text).ok()?.to_datetime(jiff::civil::Time::midnight())
        } else {
            return None;
        };
        let timestamp = JAPAN.to_timestamp(local).ok()?;
        Some(Self(timestamp.as_microsecond()))
    }

    /// Reads what a test or the shop's staff may write: a request's forms, an answer's form, or a timestamp with a zone.
    #[must_use]
    pub fn from_staff(text: &str) -> Option<Self> {
        Self::from_request(&text.replace('/', "-"))
            .or_else(|| text.parse::<Timestamp>().ok().map(|at| Self(at.as_microsecond())))
    }
}

#[cfg(test)]
mod tests {
    use super::ShopTime;

    #[test]
    fn answers_are_japanese_and_zoneless() {
        let time = ShopTime::from_request("2026-11-24 08:59:59").unwrap();
        assert_eq!(time.answer(), "2026/11/24 08:59:59");
        assert_eq!(time.utc_date().to_string(), "2026-11-23");
        assert_eq!(time.plus_seconds(1).utc_date().to_string(), "2026-11-24");
        assert_eq!(time.japan_midnight(1).answer(), "2026/11/25 00:00:00");
    }

    #[test]
    fn requests_in_other_forms_are_refused() {
        for text in [
            "2026/11/24 08:59:59",
            "2026-11-24T08:59:59",
            "2026-11-24 08:59:59Z",
            "2026-11-24 08:59",
            "2026-13-24 08:59:59",
            "",
        ] {
            assert_eq!(ShopTime::from_request(text), None, "{text}");
        }
        assert!(ShopTime::from_request("2026-11-24").is_some());
    }
}
