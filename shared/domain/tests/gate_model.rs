//! The gate under any interleaving: random walks through the world of `gate_world`.

mod gate_world;

use std::time::Duration;

use gate_world::{DAY, Fate, Phase, Request, World};
use proptest::prelude::*;
use renkei_domain::gate::{GateRules, Kind, Lane};

#[derive(Clone, Copy, Debug)]
enum Op {
    /// One run does its next thing.
    Step {
        who: usize,
        wish: Wish,
        fate: Fate,
        takes: i64,
    },
    /// One run comes in, if it can, makes some calls undisturbed, and leaves.
    Visit {
        who: usize,
        calls: usize,
        kind: Kind,
        pause: i64,
    },
    Die(usize),
    Arrive(usize),
    Tick(i64),
    Limit(u32),
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Call,
    SignIn,
    Renew,
    Penalty(u64),
    Close,
    Leave,
}

const RUNS: usize = 4;
const LEASE: i64 = 20_000;
const INTERVAL: i64 = 1_000;
const APART: i64 = 300_000;

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        12 => Just(Wish::Call),
        3 => Just(Wish::SignIn),
        2 => Just(Wish::Renew),
        1 => prop_oneof![2 => 0u64..120_000, 1 => 0u64..3_600_000].prop_map(Wish::Penalty),
        1 => Just(Wish::Close),
        3 => Just(Wish::Leave),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![8 => Just(Fate::Answered), 2 => Just(Fate::AnswerLost), 1 => Just(Fate::Dropped), 2 => Just(Fate::Late)]
}

/// How long a call takes: mostly less than the pace, now and then longer than a lease.
fn takes() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0i64..INTERVAL, 1 => 0i64..2 * LEASE]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (0..RUNS, wish(), fate(), takes())
            .prop_map(|(who, wish, fate, takes)| Op::Step { who, wish, fate, takes }),
        6 => (0..RUNS, 1usize..12, prop_oneof![3 => Just(Kind::Call), 1 => Just(Kind::SignIn)], 0i64..INTERVAL)
            .prop_map(|(who, calls, kind, pause)| Op::Visit { who, calls, kind, pause }),
        1 => (0..RUNS).prop_map(Op::Die),
        3 => (0usize..8).prop_map(Op::Arrive),
        8 => (0i64..2 * INTERVAL).prop_map(Op::Tick),
        3 => (INTERVAL..2 * LEASE).prop_map(Op::Tick),
        2 => (LEASE..2 * APART).prop_map(Op::Tick),
        1 => (45 * 60_000i64..75 * 60_000).prop_map(Op::Tick),
        1 => (0i64..DAY).prop_map(Op::Tick),
    ]
}

/// A day somewhere, mostly near its end: there lies what is hard.
fn start() -> impl Strategy<Value = i64> {
    let day = 20_781 * DAY;
    prop_oneof![
        3 => (DAY - 900_000..DAY + 400_000).prop_map(move |at| day + at),
        1 => (0..DAY).prop_map(move |at| day + at),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let machine = (-APART..=APART, prop::sample::select(&Lane::ALL[..]));
    let limit = prop_oneof![0u32..8, 8u32..80];
    (start(), limit, prop::collection::vec(machine, RUNS)).prop_map(|(start, limit, machines)| {
        let mut rules = GateRules::new(limit);
        rules.lease = Duration::from_millis(LEASE as u64);
        rules.interval = Duration::from_millis(INTERVAL as u64);
        rules.clocks_apart = Duration::from_millis(APART as u64);
        World::new(rules, start, &machines)
    })
}

fn request(world: &World, who: usize, wish: Wish) -> Request {
    match wish {
        Wish::Call => world.next_call(who, Kind::Call),
        Wish::SignIn => world.next_call(who, Kind::SignIn),
        Wish::Renew => Request::Renew,
        Wish::Penalty(ms) => Request::Penalty(Duration::from_millis(ms)),
        Wish::Close => Request::Close,
        Wish::Leave => Request::Leave,
    }
}

fn perform(world: &mut World, op: Op) {
    match op {
        Op::Step { who, wish, fate, takes } => {
            let wish = request(world, who, wish);
            world.step(who, &wish, fate, takes);
        }
        Op::Visit { who, calls, kind, pause } => visit(world, who, calls, kind, pause),
        Op::Die(who) => world.die(who),
        Op::Arrive(which) => world.arrive(which),
        Op::Tick(by) => world.tick(by),
        Op::Limit(limit) => world.set_limit(limit),
    }
}

fn visit(world: &mut World, who: usize, mut calls: usize, kind: Kind, pause: i64) {
    for _ in 0..4 * calls + 4 {
        let wish = match &world.runs[who].phase {
            Phase::Inside { .. } if calls == 0 => Request::Leave,
            Phase::Granted { .. } => {
                calls -= calls.min(1);
                Request::Renew
            }
            _ => world.next_call(who, kind),
        };
        world.step(who, &wish, Fate::Answered, pause);
        if world.runs[who].phase == Phase::Outside {
            return;
        }
        world.tick(pause);
    }
}

fn walk(mut world: World, ops: Vec<Op>) -> Result<(), TestCaseError> {
    for op in ops {
        perform(&mut world, op);
        prop_assert!(world.broken.is_empty(), "after {op:?}: {:?}", world.broken);
    }
    if world.rules.daily_limit > 0 {
        for offset in [-APART, 0, APART] {
            world.check_that_somebody_gets_in(offset);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds_for_any_interleaving(world in world(), ops in prop::collection::vec(op(), 1..250)) {
        walk(world, ops)?;
    }

    #[test]
    fn every_promise_holds_while_the_limit_changes(
        world in world(),
        ops in prop::collection::vec(prop_oneof![15 => op(), 1 => (0u32..80).prop_map(Op::Limit)], 1..250),
    ) {
        walk(world, ops)?;
    }
}

/// The walks are worth something only if they get anywhere.
#[test]
fn the_walks_reach_calls_takeovers_and_full_days() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut calls, mut full_days, mut takeovers, mut lost, mut days) = (0u32, 0u32, 0u64, 0u32, 0usize);
    for _ in 0..200 {
        let mut world = world().new_tree(&mut runner).unwrap().current();
        let ops = prop::collection::vec(op(), 250).new_tree(&mut runner).unwrap().current();
        for op in ops {
            perform(&mut world, op);
            lost += u32::from(world.runs.iter().any(|run| matches!(run.phase, Phase::Unsure { .. })));
        }
        calls += world.shop.by_day.iter().map(|(_, count)| count).sum::<u32>();
        days += world.shop.by_day.len();
        let limit = world.rules.daily_limit;
        full_days += u32::try_from(world.shop.by_day.iter().filter(|(_, count)| *count == limit).count()).unwrap();
        takeovers += world.item.map_or(0, |item| item.epoch());
    }
    println!("{calls} calls on {days} days, {full_days} of them full, {takeovers} epochs, {lost} steps in doubt");
    assert!(calls > 2_000 && full_days > 50 && takeovers > 1_000 && lost > 1_000);
}
