//! The time, passed in: what depends on the day (a shop's quota, a lease) is tested by handing over another clock.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time of day, and measures.
///
/// Copied freely. Two machines never agree on the time of day; [`Clock::off_by`] is such a machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    off_by: SignedDuration,
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { off_by: SignedDuration::ZERO }
    }

    /// A clock that is ahead of the machine's by this much (behind, if negative): for tests of what happens when the
    /// machines' clocks are apart.
    #[must_use]
    pub const fn off_by(difference: SignedDuration) -> Self {
        Self { off_by: difference }
    }

    /// The time of day. May jump in either direction: compare it with other people's times, never measure with it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Beyond the last representable day no test has any business; the machine's time is then as good as any.
        now.checked_add(self.off_by).unwrap_or(now)
    }

    /// A moment to measure from. Never goes back, means nothing outside this process, and is not shifted by
    /// [`Clock::off_by`].
    #[must_use]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_stays_off_by_the_same() {
        let ahead = Clock::off_by(SignedDuration::from_hours(9));
        let behind = Clock::off_by(SignedDuration::from_secs(-90));
        let apart = ahead.now().duration_since(behind.now());
        let wanted = SignedDuration::from_secs(9 * 3600 + 90);
        assert!((apart - wanted).abs() < SignedDuration::from_secs(5), "{apart}");
        assert!(Clock::system().instant() <= ahead.instant());
    }
}
