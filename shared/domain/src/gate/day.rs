//! Counting calls on the shop's day, and what of it is left for whom.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::rules::{GateRules, Lane, PerLane, RELEASE};
use super::state::{Closure, GateState, Reason};
use super::{earlier, later, time_to};
pub use crate::jst::next_reset;
use crate::jst::quota_day;

/// How finely a lane that is stopped by others' floors is told when to come again: often enough to use up the day,
/// seldom enough not to be woken for each single call. Always at a multiple of it: a robot has one wake-up for each time
/// that it is told, so runs that are stopped one after the other have to be told the same.
const FLOOR_STEP: Duration = Duration::from_mins(10);

impl GateState {
    /// How many calls the lane may still spend now. 0 if the gate is closed for it.
    #[must_use]
    pub fn rest(&self, rules: &GateRules, now: Timestamp, lane: Lane) -> u32 {
        self.rolled(now).room(rules, now, lane).unwrap_or(0)
    }

    /// Why the lane may not call now, and until when; None if it may, were it only for limits.
    #[must_use]
    pub fn closed_for(&self, rules: &GateRules, now: Timestamp, lane: Lane) -> Option<Closure> {
        self.rolled(now).room(rules, now, lane).err()
    }

    /// The item as it is on the day of `now`: the next day if that has come, never an earlier one.
    pub(super) fn rolled(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.closed = self.closed.filter(|closure| now < closure.until);
        let today = quota_day(now);
        if today <= self.day {
            return next;
        }
        (next.carried, next.yesterday) = match today.duration_since(self.day).as_hours() / 24 {
            1 => (self.late, self.total()),
            // Nobody changed the item on the day between, and still the shop may have seen the late calls on it.
            2 => (0, self.late),
            _ => (0, 0),
        };
        next.day = today;
        next.used = 0;
        next.late = 0;
        next.by_robot.clear();
        next.by_lane = PerLane::default();
        next
    }

    /// Counts one call on the item's day, and on its neighbour if it may arrive there.
    pub(super) fn count(&mut self, rules: &GateRules, now: Timestamp, lane: Lane, robot: &str) {
        self.used = self.used.saturating_add(1);
        let of_lane = self.by_lane.get_mut(lane);
        *of_lane = of_lane.saturating_add(1);
        let of_robot = self.by_robot.entry(robot.to_owned()).or_default();
        *of_robot = of_robot.saturating_add(1);
        // A call may begin up to a lease after it was granted.
        if now >= earlier(earlier(self.day_end(), rules.clocks_apart), rules.lease) {
            self.late = self.late.saturating_add(1);
        }
        if now < self.surely_today(rules) {
            self.yesterday = self.yesterday.saturating_add(1);
        }
    }

    /// Why the whole gate is closed by our own count. For an item already on the day of `now`.
    pub(super) fn spent(&self, rules: &GateRules, now: Timestamp) -> Option<Closure> {
        let reason = Reason::LimitReached;
        if self.total() >= rules.daily_limit {
            return Some(Closure { until: later(self.day_end(), rules.clocks_apart), reason });
        }
        let opening = self.surely_today(rules);
        (now < opening && self.yesterday >= rules.daily_limit).then_some(Closure { until: opening, reason })
    }

    /// Until when the gate stays closed when the shop itself refuses at `now`.
    pub(super) fn reopening(&self, rules: &GateRules, now: Timestamp) -> Timestamp {
        let opening = self.surely_today(rules);
        // Just after midnight the shop may still be speaking of the day before: believing it to mean this one would
        // cost the whole day.
        if now < opening { opening } else { later(self.day_end(), rules.clocks_apart) }
    }

    /// How many calls the lane may make, at least one, or why none. For an item already on the day of `now`.
    fn room(&self, rules: &GateRules, now: Timestamp, lane: Lane) -> Result<u32, Closure> {
        if let Some(refused) = self.closed.filter(|closure| closure.reason == Reason::RefusedByShop) {
            return Err(refused);
        }
        if let Some(spent) = self.spent(rules, now) {
            return Err(spent);
        }
        let room = self.beside_floors(rules, now, lane);
        if room == 0 {
            return Err(Closure { until: self.floors_give_way(rules, now, lane), reason: Reason::LaneFloor });
        }
        if now < self.surely_today(rules) {
            return Ok(room.min(rules.daily_limit.saturating_sub(self.yesterday)));
        }
        Ok(room)
    }

    /// The day's rest less what is reserved for the other lanes.
    fn beside_floors(&self, rules: &GateRules, now: Timestamp, lane: Lane) -> u32 {
        let rest = rules.daily_limit.saturating_sub(self.total());
        let left = time_to(now, self.day_end());
        let mut unreserved = rest;
        let mut own = 0;
        for each in Lane::ALL {
            let floor = rules.floor(each, left).saturating_sub(self.by_lane.get(each));
            let reserved = floor.min(unreserved);
            unreserved -= reserved;
            if each == lane {
                own = reserved;
            }
        }
        unreserved + own
    }

    /// When enough of the floors will have been let go for this lane to call, if nobody else calls until then.
    fn floors_give_way(&self, rules: &GateRules, now: Timestamp, lane: Lane) -> Timestamp {
        let midnight = self.day_end();
        let mut at = next_step(now).max(earlier(midnight, RELEASE));
        while at < midnight {
            if self.beside_floors(rules, at, lane) > 0 {
                return at;
            }
            at = later(at, FLOOR_STEP);
        }
        later(midnight, rules.clocks_apart)
    }

    /// What counts on the item's day.
    fn total(&self) -> u32 {
        self.used.saturating_add(self.carried)
    }

    fn day_end(&self) -> Timestamp {
        self.day.tomorrow().map_or(Timestamp::MAX, midnight)
    }

    /// From when on, by whatever clock, the item's day has begun at the shop.
    fn surely_today(&self, rules: &GateRules) -> Timestamp {
        later(midnight(self.day), rules.clocks_apart)
    }
}

/// The first multiple of [`FLOOR_STEP`] after `now`, which midnight is one of.
fn next_step(now: Timestamp) -> Timestamp {
    let step = FLOOR_STEP.as_secs().cast_signed();
    Timestamp::from_second((now.as_second().div_euclid(step) + 1) * step).unwrap_or(Timestamp::MAX)
}

fn midnight(day: Date) -> Timestamp {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}
