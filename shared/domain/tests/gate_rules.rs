//! The gate's rules, one by one, as sentences.

#![expect(clippy::result_large_err, reason = "a refusal is compared as the gate gave it")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::gate::{
    Call, CallDecision, Closure, Entry, GateRules, GateState, Kind, Lane, LeaseLost, Observation, PerLane, Reason,
    adopt, next_reset,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn morning() -> Timestamp {
    at("2026-11-24T01:00:00Z")
}

/// A run in the gate, with a clock that can be moved, calling like a run does.
struct Inside {
    rules: GateRules,
    state: GateState,
    now: Timestamp,
    run: &'static str,
    calls: u32,
}

impl Inside {
    fn enter(rules: GateRules, now: Timestamp) -> Self {
        Self::enter_as("run-1", rules, now, &GateState::fresh(now))
    }

    fn enter_as(run: &'static str, rules: GateRules, now: Timestamp, state: &GateState) -> Self {
        let Entry::Entered(state) = state.enter(&rules, now, run, Lane::Fetch, None) else { panic!("not let in") };
        Self { rules, state, now, run, calls: 0 }
    }

    fn ask(&mut self, lane: Lane, kind: Kind) -> CallDecision {
        self.calls += 1;
        let call_id = format!("{}-{}-{}", self.run, self.state.epoch(), self.calls);
        let call = Call {
            run: self.run,
            epoch: self.state.epoch(),
            lane,
            robot: "fetch orders",
            call_id: &call_id,
            kind,
            last_began: None,
        };
        self.state.call(&self.rules, self.now, &call)
    }

    /// One call, as soon as the pace allows; or why not.
    fn call(&mut self, lane: Lane) -> Result<(), CallDecision> {
        self.make(lane, Kind::Call)
    }

    fn make(&mut self, lane: Lane, kind: Kind) -> Result<(), CallDecision> {
        let mut decision = self.ask(lane, kind);
        if let CallDecision::Wait(wait) = decision {
            self.now += wait;
            decision = self.ask(lane, kind);
        }
        let CallDecision::Granted(next) = decision else { return Err(decision) };
        self.state = next;
        Ok(())
    }

    /// As many calls as are granted, and the reason that ended them.
    fn call_on(&mut self, lane: Lane) -> (u32, Closure) {
        for made in 0.. {
            match self.call(lane) {
                Ok(()) => {}
                Err(CallDecision::Closed(closure)) => return (made, closure),
                Err(other) => panic!("{other:?}"),
            }
        }
        unreachable!("a limit ends every series")
    }

    fn rest(&self, lane: Lane) -> u32 {
        self.state.rest(&self.rules, self.now, lane)
    }
}

fn entered(entry: Entry) -> GateState {
    match entry {
        Entry::Entered(state) => state,
        other => panic!("not let in: {other:?}"),
    }
}

#[test]
fn a_run_that_is_in_keeps_others_out_and_its_own_epoch() {
    let rules = GateRules::new(100);
    let first = entered(GateState::fresh(morning()).enter(&rules, morning(), "run-1", Lane::Fetch, None));
    assert_eq!((first.seq(), first.epoch(), first.holder()), (1, 1, Some("run-1")));

    let other = first.enter(&rules, morning() + HOUR, "run-2", Lane::Fetch, None);
    let held = Entry::Held { holder: "run-1".to_owned(), seq: 1, lease_until: Some(morning() + MINUTE) };
    assert_eq!(other, held, "not even when its own clock says that the lease is over");

    let again = entered(first.enter(&rules, morning() + SECOND, "run-1", Lane::Fetch, None));
    assert_eq!((again.seq(), again.epoch()), (2, 1));
}

#[test]
fn a_lease_is_broken_by_watching_it_for_its_whole_length() {
    let rules = GateRules::new(100);
    let dead = Inside::enter(rules.clone(), morning()).state;
    let try_with = |seq, unchanged_for| {
        dead.enter(&rules, morning(), "run-2", Lane::Fetch, Some(Observation { seq, unchanged_for }))
    };
    assert!(matches!(try_with(1, Duration::from_millis(59_999)), Entry::Held { .. }));
    assert!(matches!(try_with(0, HOUR), Entry::Held { .. }), "what was watched has changed since");

    let next = entered(try_with(1, MINUTE));
    assert_eq!((next.holder(), next.epoch(), next.seq()), (Some("run-2"), 2, 2));
    assert_eq!(next.renew(&rules, morning(), "run-1", 1), Err(LeaseLost));
    assert_eq!(next.leave(&rules, morning(), "run-1", 1), Err(LeaseLost));
    assert_eq!(next.close(&rules, morning(), "run-1", 1), Err(LeaseLost));
    assert_eq!(next.penalty(&rules, morning(), "run-1", 1, SECOND), Err(LeaseLost));
    let mut paused = Inside { rules, state: next, now: morning(), run: "run-1", calls: 0 };
    assert_eq!(paused.ask(Lane::Fetch, Kind::Call), CallDecision::LeaseLost);
}

#[test]
fn a_run_that_left_may_not_call() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    inside.state = inside.state.leave(&inside.rules, morning(), "run-1", 1).unwrap();
    assert_eq!((inside.state.holder(), inside.state.lease_until()), (None, None));
    assert_eq!(inside.call(Lane::Fetch), Err(CallDecision::LeaseLost));
}

#[test]
fn a_run_that_came_in_again_is_bound_to_its_new_epoch() {
    let rules = GateRules::new(100);
    let left = Inside::enter(rules.clone(), morning()).state.leave(&rules, morning(), "run-1", 1).unwrap();
    let back = Inside::enter_as("run-1", rules.clone(), morning(), &left).state;
    assert_eq!(back.epoch(), 2);
    assert_eq!(back.renew(&rules, morning(), "run-1", 1), Err(LeaseLost));
    assert!(back.renew(&rules, morning(), "run-1", 2).is_ok());
}

#[test]
fn a_call_is_counted_for_its_lane_and_robot_and_takes_its_time_slot() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    let CallDecision::Granted(next) = inside.ask(Lane::Payment, Kind::Call) else { panic!() };
    assert_eq!((next.used(), next.by_lane().payment, next.by_robot()["fetch orders"]), (1, 1, 1));
    assert_eq!(next.next_call_at(), morning() + SECOND);
    assert_eq!(next.lease_until(), Some(morning() + MINUTE));
    assert_eq!((next.seq(), next.last_call()), (2, Some("run-1-1-1")));

    inside.state = next;
    inside.now += Duration::from_millis(400);
    assert_eq!(inside.ask(Lane::Payment, Kind::Call), CallDecision::Wait(Duration::from_millis(600)));
}

#[test]
fn the_pace_is_kept_from_where_the_last_call_really_began() {
    let inside = Inside::enter(GateRules::new(100), morning());
    let call = |last_began| Call {
        run: "run-1",
        epoch: 1,
        lane: Lane::Fetch,
        robot: "fetch orders",
        call_id: "a",
        kind: Kind::Call,
        last_began,
    };
    let now = morning() + 10 * SECOND;
    let slow_write = call(Some(now - Duration::from_millis(300)));
    assert_eq!(inside.state.call(&inside.rules, now, &slow_write), CallDecision::Wait(Duration::from_millis(700)));
    let long_ago = call(Some(now - SECOND));
    assert!(matches!(inside.state.call(&inside.rules, now, &long_ago), CallDecision::Granted(_)));
}

#[test]
fn a_call_granted_before_is_known_by_its_id_and_not_counted_twice() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    let asked_first = inside.state.clone();
    let CallDecision::Granted(next) = inside.ask(Lane::Fetch, Kind::Call) else { panic!() };
    assert!(adopt(&next, &next.clone()));
    assert!(!adopt(&next, &asked_first));

    inside.calls = 0;
    inside.state = next.renew(&inside.rules, morning(), "run-1", 1).unwrap();
    assert!(!adopt(&next, &inside.state));
    assert_eq!(inside.ask(Lane::Fetch, Kind::Call), CallDecision::AlreadyGranted);
}

#[test]
fn the_first_call_after_a_change_of_holder_waits_one_interval_whatever_the_clocks_say() {
    for apart in [-600i64, -300, -10, 0, 10, 300, 600] {
        let mut first = Inside::enter(GateRules::new(100), morning());
        first.call(Lane::Fetch).unwrap();
        let left = first.state.leave(&first.rules, first.now, "run-1", 1).unwrap();
        let mut second =
            Inside::enter_as("run-2", first.rules, morning() + jiff::SignedDuration::from_secs(apart), &left);
        assert_eq!(second.ask(Lane::Fetch, Kind::Call), CallDecision::Wait(SECOND), "clocks {apart} s apart");
    }
}

#[test]
fn a_call_that_began_late_in_its_lease_is_thought_of_at_the_change_of_holder() {
    let mut first = Inside::enter(GateRules::new(100), morning());
    first.call(Lane::Fetch).unwrap();
    let left = first.state.leave(&first.rules, first.now + 51 * SECOND, "run-1", 1).unwrap();
    let mut second = Inside::enter_as("run-2", first.rules, morning() + 51 * SECOND + 10 * MINUTE, &left);
    assert_eq!(second.ask(Lane::Fetch, Kind::Call), CallDecision::Wait(SECOND));
}

#[test]
fn a_gate_that_was_idle_for_long_is_called_at_once() {
    let mut first = Inside::enter(GateRules::new(100), morning());
    first.call(Lane::Fetch).unwrap();
    let left = first.state.leave(&first.rules, first.now, "run-1", 1).unwrap();
    let mut second = Inside::enter_as("run-2", first.rules, morning() + 13 * MINUTE, &left);
    assert!(matches!(second.ask(Lane::Fetch, Kind::Call), CallDecision::Granted(_)));
}

#[test]
fn a_clock_that_was_set_back_waits_one_interval_not_minutes() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    inside.call(Lane::Fetch).unwrap();
    inside.now = morning() - 5 * MINUTE;
    assert_eq!(inside.ask(Lane::Fetch, Kind::Call), CallDecision::Wait(SECOND));
    inside.state = inside.state.renew(&inside.rules, inside.now, "run-1", 1).unwrap();
    inside.now += SECOND;
    assert!(matches!(inside.ask(Lane::Fetch, Kind::Call), CallDecision::Granted(_)));
}

#[test]
fn not_before_holds_for_the_next_holder_too_and_counts_no_call() {
    let mut first = Inside::enter(GateRules::new(100), morning());
    first.call(Lane::Fetch).unwrap();
    first.state = first.state.penalty(&first.rules, first.now, "run-1", 1, 2 * HOUR).unwrap();
    assert_eq!(first.state.used(), 1);
    assert_eq!(first.ask(Lane::Fetch, Kind::Call), CallDecision::NotBefore(2 * HOUR));

    let left = first.state.leave(&first.rules, first.now, "run-1", 1).unwrap();
    let mut second = Inside::enter_as("run-2", first.rules, morning() + HOUR, &left);
    let CallDecision::NotBefore(wait) = second.ask(Lane::Fetch, Kind::Call) else { panic!() };
    assert_eq!(wait, HOUR, "what is left of it, and nothing for clocks");
}

#[test]
fn not_before_is_not_lengthened_by_coming_and_going() {
    let mut first = Inside::enter(GateRules::new(100), morning());
    first.call(Lane::Fetch).unwrap();
    let asked = first.state.penalty(&first.rules, first.now, "run-1", 1, 30 * MINUTE).unwrap();
    let mut last = asked.leave(&first.rules, first.now, "run-1", 1).unwrap();
    for half_minutes in 1..60 {
        let now = first.now + 30 * SECOND * half_minutes;
        let mut visitor = Inside::enter_as("run-2", first.rules.clone(), now, &last);
        assert_eq!(visitor.state.next_call_at(), asked.next_call_at());
        let left = 30 * SECOND * (60 - half_minutes);
        let expected = if left > 2 * MINUTE { CallDecision::NotBefore(left) } else { CallDecision::Wait(left) };
        assert_eq!(visitor.ask(Lane::Fetch, Kind::Call), expected);
        last = visitor.state.leave(&visitor.rules, now, "run-2", visitor.state.epoch()).unwrap();
    }
    let mut second = Inside::enter_as("run-2", first.rules, first.now + 30 * MINUTE, &last);
    assert_eq!(second.ask(Lane::Fetch, Kind::Call), CallDecision::Wait(SECOND), "the pace, by whatever clock");
}

#[test]
fn a_wait_that_is_sat_out_shows_itself_within_the_lease_and_is_no_shorter_than_the_pace() {
    let mut rules = GateRules::new(100);
    for interval in [Duration::ZERO, SECOND, MINUTE, HOUR] {
        rules.interval = interval;
        assert!(rules.sign_of_life() <= rules.lease / 2);
        assert!(rules.patience() >= interval, "a pace never sends a run away: it would begin anew each time");
    }
}

#[test]
fn not_before_is_at_least_the_pace_and_at_most_a_day() {
    let inside = Inside::enter(GateRules::new(100), morning());
    let wait = |asked: Duration| {
        let mut after = Inside::enter(GateRules::new(100), morning());
        after.state = inside.state.penalty(&inside.rules, morning(), "run-1", 1, asked).unwrap();
        after.ask(Lane::Fetch, Kind::Call)
    };
    assert_eq!(wait(Duration::ZERO), CallDecision::Wait(SECOND));
    assert_eq!(wait(2 * MINUTE), CallDecision::Wait(2 * MINUTE));
    assert_eq!(wait(2 * MINUTE + SECOND), CallDecision::NotBefore(2 * MINUTE + SECOND));
    assert_eq!(wait(Duration::MAX), CallDecision::NotBefore(24 * HOUR));
}

#[test]
fn the_sixth_sign_in_of_an_hour_waits_and_other_calls_do_not() {
    let mut inside = Inside::enter(GateRules::new(1_000), morning());
    for _ in 0..5 {
        inside.make(Lane::Fetch, Kind::SignIn).unwrap();
    }
    assert_eq!((inside.state.used(), inside.state.sign_ins().len()), (5, 5), "a sign-in is a call");
    // An hour; two clocks that are 5 minutes off each; a lease in which the first may have begun late.
    let until = morning() + HOUR + 10 * MINUTE + MINUTE;
    assert_eq!(inside.make(Lane::Fetch, Kind::SignIn), Err(CallDecision::SignInsSpent { until }));
    inside.call(Lane::Fetch).unwrap();
    inside.now = until;
    inside.make(Lane::Fetch, Kind::SignIn).unwrap();
    assert!(matches!(inside.make(Lane::Fetch, Kind::SignIn), Err(CallDecision::SignInsSpent { .. })));
}

#[test]
fn sign_ins_stamped_by_different_clocks_expire_in_their_order() {
    let mut inside = Inside::enter(GateRules::new(1_000), morning());
    for minute in [4u32, 3, 0, 1, 2] {
        let last = inside.state.leave(&inside.rules, inside.now, inside.run, inside.state.epoch()).unwrap();
        inside = Inside::enter_as("run-1", inside.rules, morning() + MINUTE * minute, &last);
        inside.make(Lane::Fetch, Kind::SignIn).unwrap();
    }
    assert!(inside.state.sign_ins().is_sorted());
    let oldest = inside.state.sign_ins()[0];
    let until = oldest + HOUR + 11 * MINUTE;
    assert_eq!(inside.make(Lane::Fetch, Kind::SignIn), Err(CallDecision::SignInsSpent { until }));
}

#[test]
fn the_limit_closes_the_day_and_midnight_opens_it() {
    let mut rules = GateRules::new(3);
    rules.clocks_apart = Duration::ZERO;
    let mut inside = Inside::enter(rules, morning());
    let midnight = at("2026-11-25T00:00:00Z");
    let closed = Closure { until: midnight, reason: Reason::LimitReached };
    assert_eq!(inside.call_on(Lane::Fetch), (3, closed));
    assert_eq!(inside.state.closed(), Some(closed), "to be seen by whoever displays it");
    let other = inside.state.enter(&inside.rules, inside.now, "run-2", Lane::WriteBack, None);
    assert_eq!(other, Entry::Closed(closed));

    inside.now = midnight - Duration::from_millis(1);
    assert_eq!(inside.rest(Lane::Fetch), 0);
    inside.now = midnight;
    assert_eq!(inside.rest(Lane::Fetch), 3);
    inside.call(Lane::Fetch).unwrap();
    assert_eq!((inside.state.used(), inside.state.closed()), (1, None));
    assert_eq!(inside.state.day(), jiff::civil::date(2026, 11, 25));
}

#[test]
fn the_day_begins_at_midnight_utc_which_is_nine_in_japan() {
    assert_eq!(next_reset(at("2026-11-24T23:59:59.999Z")), at("2026-11-25T00:00:00Z"));
    assert_eq!(next_reset(at("2026-11-25T00:00:00Z")), at("2026-11-26T00:00:00Z"));
}

#[test]
fn a_spent_day_opens_only_when_midnight_has_passed_by_every_clock() {
    let mut inside = Inside::enter(GateRules::new(3), morning());
    let until = at("2026-11-25T00:05:00Z");
    assert_eq!(inside.call_on(Lane::Fetch).1, Closure { until, reason: Reason::LimitReached });
    inside.now = at("2026-11-25T00:00:01Z");
    assert_eq!(inside.call_on(Lane::Fetch), (0, Closure { until, reason: Reason::LimitReached }));
    inside.now = until;
    assert_eq!(inside.call_on(Lane::Fetch).0, 3);
}

#[test]
fn calls_around_midnight_count_on_both_days() {
    let mut rules = GateRules::new(10);
    rules.floors = PerLane::default();
    let mut inside = Inside::enter(rules, at("2026-11-24T23:50:00Z"));
    inside.call(Lane::Fetch).unwrap();
    inside.now = at("2026-11-24T23:54:00Z");
    inside.call(Lane::Fetch).unwrap();
    inside.now = at("2026-11-25T00:01:00Z");
    inside.call(Lane::Fetch).unwrap();
    assert_eq!((inside.state.used(), inside.state.carried()), (1, 1), "the call of 23:54 may have arrived today");
    assert_eq!(inside.rest(Lane::Fetch), 7, "the day before may have seen 23:50, 23:54 and 00:01");
    inside.now = at("2026-11-25T00:06:00Z");
    assert_eq!(inside.rest(Lane::Fetch), 8, "this day may have seen 23:54 and 00:01");
}

#[test]
fn a_clock_that_is_behind_does_not_turn_the_day_back() {
    let mut fast = Inside::enter(GateRules::new(10), at("2026-11-25T00:00:30Z"));
    fast.call(Lane::Fetch).unwrap();
    let left = fast.state.leave(&fast.rules, fast.now, "run-1", 1).unwrap();
    let mut slow = Inside::enter_as("run-2", fast.rules, at("2026-11-24T23:56:00Z"), &left);
    slow.call(Lane::Fetch).unwrap();
    assert_eq!((slow.state.day(), slow.state.used()), (jiff::civil::date(2026, 11, 25), 2));
}

#[test]
fn a_day_without_calls_between_carries_nothing_over_but_what_may_have_arrived_on_it() {
    let mut inside = Inside::enter(GateRules::new(3), at("2026-11-24T23:58:00Z"));
    assert_eq!(inside.call_on(Lane::Fetch).0, 3);
    // By the shop's clock it may still be the 25th, and the calls of 23:58 may have arrived after midnight.
    inside.now = at("2026-11-26T00:01:00Z");
    assert_eq!(inside.rest(Lane::Fetch), 0);
    inside.now = at("2026-11-26T00:05:00Z");
    assert_eq!(inside.rest(Lane::Fetch), 3);
    inside.now = at("2026-11-27T00:01:00Z");
    assert_eq!(inside.rest(Lane::Fetch), 3);
}

#[test]
fn a_shop_that_refuses_closes_its_day_for_every_lane() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    inside.call(Lane::Fetch).unwrap();
    inside.state = inside.state.close(&inside.rules, inside.now, "run-1", 1).unwrap();
    let closure = Closure { until: at("2026-11-25T00:05:00Z"), reason: Reason::RefusedByShop };
    for lane in Lane::ALL {
        assert_eq!(inside.state.closed_for(&inside.rules, inside.now, lane), Some(closure));
        assert_eq!(inside.rest(lane), 0);
    }
    inside.rules.daily_limit = 10_000;
    assert_eq!(inside.call(Lane::Fetch), Err(CallDecision::Closed(closure)), "a higher limit of ours changes nothing");
    inside.state = inside.state.renew(&inside.rules, inside.now, "run-1", 1).unwrap();
    assert_eq!(inside.state.closed(), Some(closure));
    inside.now = closure.until;
    inside.call(Lane::Fetch).unwrap();
    assert_eq!(inside.state.closed(), None);
}

#[test]
fn a_refusal_just_after_midnight_may_be_yesterdays_and_does_not_cost_the_day() {
    let mut inside = Inside::enter(GateRules::new(100), at("2026-11-25T00:00:02Z"));
    inside.call(Lane::Fetch).unwrap();
    let closed = inside.state.close(&inside.rules, inside.now, "run-1", 1).unwrap();
    assert_eq!(closed.closed().unwrap().until, at("2026-11-25T00:05:00Z"));
}

#[test]
fn floors_keep_their_lanes_calls_and_lanes_do_not_block_each_other() {
    let mut inside = Inside::enter(GateRules::new(1_000), at("2026-11-24T00:10:00Z"));
    // 15 % write-back, 10 % payment, 2 % stock are kept from fetching.
    let (fetched, closure) = inside.call_on(Lane::Fetch);
    assert_eq!((fetched, closure.reason), (730, Reason::LaneFloor));
    assert_eq!(Lane::ALL.map(|lane| inside.rest(lane)), [150, 100, 0, 20]);
    assert_eq!(inside.call_on(Lane::Stock).0, 20);
    assert_eq!(inside.call_on(Lane::WriteBack).0, 150);
    assert_eq!(inside.call_on(Lane::Payment).0, 100);
    assert_eq!(inside.call_on(Lane::WriteBack).1.reason, Reason::LimitReached);
}

#[test]
fn floors_are_let_go_in_the_last_quarter_of_the_day_and_nothing_is_left_over() {
    let mut inside = Inside::enter(GateRules::new(1_000), at("2026-11-24T00:10:00Z"));
    let (_, closure) = inside.call_on(Lane::Fetch);
    assert_eq!(closure.until, at("2026-11-24T18:00:00Z") + 10 * MINUTE, "the lane is told when it is worth asking");
    let mut fetched = 730;
    while inside.state.used() < 1_000 {
        let (_, closure) = inside.call_on(Lane::Fetch);
        assert!(closure.until > inside.now && closure.until < at("2026-11-25T00:00:00Z"));
        inside.now = closure.until;
        inside.call(Lane::Fetch).expect("what was promised is there");
        fetched += 1;
        fetched += inside.call_on(Lane::Fetch).0;
        if inside.now > at("2026-11-24T23:50:00Z") {
            break;
        }
        assert!(inside.rest(Lane::WriteBack) > 0);
    }
    inside.now = at("2026-11-24T23:59:58Z");
    fetched += inside.call_on(Lane::Fetch).0;
    assert_eq!(fetched, 1_000);
}

/// A robot has one wake-up for each time that it is told: told a time of its own, each start that is stopped would set one
/// more.
#[test]
fn runs_that_floors_stop_one_after_the_other_are_told_the_same_time() {
    let mut inside = Inside::enter(GateRules::new(1_000), at("2026-11-24T00:10:00Z"));
    inside.call_on(Lane::Fetch);
    inside.now = at("2026-11-24T18:10:00Z");
    let mut told = BTreeSet::new();
    while inside.now < at("2026-11-24T18:19:00Z") {
        told.insert(inside.call_on(Lane::Fetch).1.until);
        inside.now += 20 * SECOND;
    }
    // The last of them may find nothing let go by the next step.
    let steps = BTreeSet::from([at("2026-11-24T18:20:00Z"), at("2026-11-24T18:30:00Z")]);
    assert!(told.is_subset(&steps), "{told:?}");
}

#[test]
fn floors_round_down_for_tiny_limits() {
    for limit in 1..=6 {
        let mut inside = Inside::enter(GateRules::new(limit), morning());
        assert_eq!(inside.call_on(Lane::Stock).0, limit);
    }
}

#[test]
fn a_rest_too_small_for_all_floors_goes_to_the_urgent_ones() {
    let mut inside = Inside::enter(GateRules::new(1_000), morning());
    for _ in 0..100 {
        inside.call(Lane::Fetch).unwrap();
    }
    inside.rules.daily_limit = 120;
    // 20 left; floors 18, 12, (fetch has had its own), 2.
    assert_eq!(Lane::ALL.map(|lane| inside.rest(lane)), [18, 2, 0, 0]);
    inside.rules.floors = PerLane { write_back: 100, payment: 100, fetch: 100, stock: 100 };
    assert_eq!(Lane::ALL.map(|lane| inside.rest(lane)), [20, 0, 0, 0]);
    assert_eq!(inside.call_on(Lane::WriteBack).0, 20);
}

#[test]
fn the_limit_may_change_at_any_time() {
    let mut inside = Inside::enter(GateRules::new(100), morning());
    for _ in 0..10 {
        inside.call(Lane::Fetch).unwrap();
    }
    inside.rules.daily_limit = 5;
    assert_eq!(inside.call_on(Lane::WriteBack).1.reason, Reason::LimitReached);
    inside.state = inside.state.renew(&inside.rules, inside.now, "run-1", 1).unwrap();
    assert_eq!(inside.state.closed().unwrap().reason, Reason::LimitReached);
    inside.rules.daily_limit = 11;
    assert_eq!(inside.call_on(Lane::WriteBack).0, 1, "what our own count closed, a higher limit opens");
    inside.rules.daily_limit = 20;
    inside.call(Lane::Fetch).unwrap();
    assert_eq!(inside.state.closed(), None, "and no display says otherwise");
    inside.rules.daily_limit = 0;
    assert_eq!(inside.rest(Lane::WriteBack), 0);
    inside.rules.daily_limit = u32::MAX;
    assert!(inside.rest(Lane::WriteBack) > 1_000_000);
}

#[test]
fn times_at_the_ends_of_the_calendar_break_nothing() {
    for now in [Timestamp::MIN, Timestamp::MAX] {
        let rules = GateRules::new(10);
        let state = GateState::fresh(now);
        for lane in Lane::ALL {
            let _ = state.rest(&rules, now, lane);
        }
        if let Entry::Entered(next) = state.enter(&rules, now, "run-1", Lane::Fetch, None) {
            let _ = next.penalty(&rules, now, "run-1", 1, HOUR).and_then(|next| next.close(&rules, now, "run-1", 1));
        }
    }
}
