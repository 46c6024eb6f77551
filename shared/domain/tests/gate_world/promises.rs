//! What the gate promises, checked from outside: by the shop's books as each call comes in, at each write of the item, and
//! of any state that somebody gets in again. What is broken is noted in the world, or ends the test where it stands.

use jiff::Timestamp;
use renkei_domain::gate::{GateState, Kind, Lane, Reason};

use super::{DAY, Fate, Phase, Request, World, Write, millis, stamp_ms};

impl World {
    pub(super) fn shop_is_called(&mut self, who: usize, kind: Kind) {
        let now = self.now;
        for (other, run) in self.runs.iter().enumerate() {
            if other != who && matches!(run.phase, Phase::Calling { .. }) {
                self.broken.push(format!("runs {other} and {who} call at once"));
            }
        }
        let interval = millis(self.rules.interval);
        if let Some(last) = self.shop.last_began.filter(|last| now - last < interval) {
            self.broken.push(format!("calls begin only {} ms apart", now - last));
        }
        self.shop.last_began = Some(now);
        let clocks_apart = 2 * millis(self.rules.clocks_apart);
        if let Some(until) = self.shop.not_before.filter(|until| now < until - clocks_apart) {
            self.broken.push(format!("called {} ms before the shop wanted it", until - now));
        }
        let day = now.div_euclid(DAY);
        match self.shop.by_day.last_mut().filter(|(last, _)| *last == day) {
            Some((_, count)) => *count += 1,
            None => self.shop.by_day.push((day, 1)),
        }
        let count = self.shop.by_day.last().map_or(0, |(_, count)| *count);
        if count > self.highest_limit {
            self.broken.push(format!("{count} calls on one of the shop's days"));
        }
        if kind == Kind::SignIn {
            self.shop.sign_ins.push(now);
            self.shop.sign_ins.retain(|at| now - at < 3_600_000);
            if self.shop.sign_ins.len() > self.rules.sign_ins_per_hour as usize {
                self.broken.push(format!("{} sign-ins in an hour", self.shop.sign_ins.len()));
            }
        }
    }

    pub(super) fn check_change(&mut self, write: &Write) {
        let new = &write.state;
        let mut must = |holds: bool, promise: &str| {
            if !holds {
                self.broken.push(promise.to_owned());
            }
        };
        must(new.seq() == write.expected + 1, "every change is the next version");
        must(new.used() + new.carried() <= self.highest_limit, "no more than the limit is counted on a day");
        must(new.by_robot().values().sum::<u32>() == new.used(), "every call is some robot's");
        must(Lane::ALL.iter().map(|&lane| new.by_lane().get(lane)).sum::<u32>() == new.used(), "and some lane's");
        must(new.sign_ins().len() <= self.rules.sign_ins_per_hour as usize, "no more sign-ins are kept than allowed");
        must(new.closed().is_none_or(|closure| closure.reason != Reason::LaneFloor), "a floor closes no gate");
        let Some(old) = &self.item else { return };
        must(new.day() >= old.day(), "the day never goes back");
        must(new.day() > old.day() || new.used() >= old.used(), "nothing is uncounted");
        let counts = new.day() > old.day() && new.used() > 0 || new.used() > old.used();
        must(counts == (new.last_call() != old.last_call()), "each call is counted once, and nothing else is");
        if write.entry && old.holder() != Some(write.writer.as_str()) {
            must(new.epoch() == old.epoch() + 1, "each holder has an epoch of its own");
        } else {
            must(new.epoch() == old.epoch(), "an epoch lasts as long as its holder");
            must(old.holder() == Some(write.writer.as_str()), "only the holder changes anything");
        }
    }

    /// Another lane's floor is whole after a call, if all floors had fitted before.
    pub(super) fn check_floors(&self, old: &GateState, new: &GateState, now: Timestamp, caller: Lane) {
        // On the same day only: the turn of the day renews the floors.
        if new.day() != old.day() {
            return;
        }
        let end = (stamp_ms(now).div_euclid(DAY) + 1) * DAY;
        let left = if new.day() > day_of(now) { DAY } else { end - stamp_ms(now) };
        let floor = |state: &GateState, lane: Lane| {
            let whole = u64::from(self.rules.daily_limit) * u64::from(self.rules.floors.get(lane)) / 100;
            let kept = whole * (left / 1000).min(21_600).cast_unsigned() / 21_600;
            kept.saturating_sub(u64::from(state.by_lane().get(lane)))
        };
        let sum = |state: &GateState| Lane::ALL.iter().map(|&lane| floor(state, lane)).sum::<u64>();
        let rest = |state: &GateState| {
            u64::from(self.rules.daily_limit).saturating_sub(u64::from(state.used()) + u64::from(state.carried()))
        };
        if sum(old) <= rest(old) {
            assert!(sum(new) <= rest(new), "{caller:?} spent from another lane's floor: {old:?} {new:?}");
        }
    }

    /// Once all is quiet, a run that keeps watching holds the gate within one lease, and calls; unless the gate says
    /// until when it is closed, and then it does so after that.
    pub fn check_that_somebody_gets_in(&self, offset: i64) {
        let mut world = self.clone();
        world.late.clear();
        world.runs = Self::new(world.rules.clone(), 0, &[(offset, Lane::WriteBack)]).runs;
        world.runs[0].machine = 99;
        let mut closures = 0;
        let mut waited_for_the_holder = false;
        loop {
            let local = world.local(0);
            if let Some(closure) = world.item.as_ref().and_then(|i| i.closed_for(&world.rules, local, Lane::WriteBack))
            {
                closures += 1;
                assert!(closures <= 3, "closed for ever: {self:?}");
                let wait = stamp_ms(closure.until) - stamp_ms(local);
                assert!(wait > 0 && wait <= 2 * DAY, "closed until a strange time {closure:?} at {local}: {self:?}");
                world.tick(wait);
                continue;
            }
            world.step(0, &Request::Enter, Fate::Answered, 0);
            if matches!(world.runs[0].phase, Phase::Inside { .. }) {
                break;
            }
            assert!(!waited_for_the_holder, "locked out: {self:?}");
            // The time to the reopening may have to be waited out again, by the holder's silence.
            waited_for_the_holder = true;
            world.tick(world.lease());
        }
        let wish = world.next_call(0, Kind::Call);
        let longest = self.item.as_ref().map_or(0, |item| {
            let ahead = stamp_ms(item.next_call_at()) - self.now;
            ahead.max(0) + millis(self.rules.clocks_apart)
        });
        let before = world.now;
        for _ in 0..4 {
            world.step(0, &wish, Fate::Answered, 0);
            if let Phase::Granted { .. } = world.runs[0].phase {
                return;
            }
            let Phase::Inside { known } = &world.runs[0].phase else { panic!("thrown out: {self:?}") };
            let wait = stamp_ms(known.next_call_at()) - stamp_ms(world.local(0));
            if let Some(closure) = known.closed_for(&world.rules, world.local(0), Lane::WriteBack) {
                assert!(closure.until > world.local(0));
                return;
            }
            assert!(wait > 0, "refused without a reason: {self:?}");
            world.tick(wait);
            assert!(world.now - before <= longest + 2 * millis(self.rules.interval), "waited too long: {self:?}");
        }
        panic!("never called: {self:?}");
    }
}

fn day_of(at: Timestamp) -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}
