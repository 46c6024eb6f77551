//! The gate's rules, one by one, as sentences: who may call, and when. How many calls a day has is `gate_day`'s.

mod gate_inside;

use std::time::Duration;

use gate_inside::{HOUR, Inside, MINUTE, SECOND, morning};
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane, LeaseLost, Observation, adopt};

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
