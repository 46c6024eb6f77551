//! The gate's rules, one by one, as sentences: how many calls a day has, when it begins anew, and which lanes they are kept
//! for. Who may call, and when, is `gate_rules`'.

mod gate_inside;

use std::collections::BTreeSet;
use std::time::Duration;

use gate_inside::{HOUR, Inside, MINUTE, SECOND, at, morning};
use jiff::Timestamp;
use renkei_domain::gate::{CallDecision, Closure, Entry, GateRules, GateState, Lane, PerLane, Reason, next_reset};

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
