//! Japan time at the edge, UTC inside.
//!
//! Shops write times without a zone and mean Asia/Tokyo; people read Japan time; the call limit's day is the UTC date,
//! which in Japan begins at 09:00. Every conversion between the two goes through here. Japan has had no daylight saving
//! since 1951, so the zone is a fixed offset and needs no time-zone database at start.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Asia/Tokyo.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(9))
}

/// The UTC date that a call at `now` counts on.
#[must_use]
pub fn quota_day(now: Timestamp) -> Date {
    now.to_zoned_datetime(TimeZone::UTC).date()
}

/// When the day's calls begin anew: the next 00:00 UTC, 09:00 in Japan.
#[must_use]
pub fn next_reset(now: Timestamp) -> Timestamp {
    let tomorrow = quota_day(now).saturating_add(1.day());
    tomorrow
        .to_datetime(jiff::civil::Time::midnight())
        .to_zoned_datetime(TimeZone::UTC)
        .map_or(now, |at| at.timestamp())
}

/// A shop's wall-clock time as an instant. None for times outside of what can be represented.
#[must_use]
pub fn instant(local: DateTime) -> Option<Timestamp> {
    local.to_zoned_datetime(zone()).ok().map(|at| at.timestamp())
}

/// An instant as people in Japan read it: `2026-11-24 09:00 JST`.
#[must_use]
pub fn display(at: Timestamp) -> String {
    at.to_zoned_datetime(zone()).strftime("%Y-%m-%d %H:%M JST").to_string()
}

/// An instant's date in Japan.
#[must_use]
pub fn date(at: Timestamp) -> Date {
    at.to_zoned_datetime(zone()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_days_calls_begin_at_nine_in_japan() {
        assert_eq!(next_reset(at("2026-11-24T23:59:59.999Z")), at("2026-11-25T00:00:00Z"));
        assert_eq!(next_reset(at("2026-11-25T00:00:00Z")), at("2026-11-26T00:00:00Z"));
        assert_eq!(display(at("2026-11-25T00:00:00Z")), "2026-11-25 09:00 JST");
    }

    #[test]
    fn both_midnights_are_kept_apart() {
        // 23:30 in Japan on the 24th is 14:30 UTC of the same day; 00:30 in Japan on the 25th still counts on the 24th.
        assert_eq!(quota_day(at("2026-11-24T15:30:00Z")).to_string(), "2026-11-24");
        assert_eq!(date(at("2026-11-24T15:30:00Z")).to_string(), "2026-11-25");
    }
}
