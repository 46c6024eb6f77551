//! The gate in every state that a small world can reach: two runs, a limit of three calls or of one, a few seconds
//! around midnight, and all orders of their moves, lost and late answers, deaths and takeovers among them.
//!
//! `gate_model` goes far at random; this goes nowhere far, but everywhere near.

mod gate_world;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use gate_world::{DAY, Fate, Phase, Request, World};
use renkei_domain::gate::{GateRules, GateState, Kind, Lane};

/// Half an interval, a quarter of a lease. In milliseconds.
const TICK: i64 = 500;

struct Bounds {
    /// Ticks of true time before and after midnight.
    from: i64,
    to: i64,
    /// Answers lost, answers late, runs killed.
    faults: u32,
    /// Changes of the item.
    changes: u64,
}

type IsMet = fn(&World) -> bool;

/// What must have been met on the way for the exploration to be worth its name.
const MET: [(&str, IsMet); 7] = [
    ("a second holder", |world| item(world).is_some_and(|item| item.epoch() >= 2)),
    ("a paused run that still believes to be in", |world| {
        world.runs.iter().any(|run| {
            matches!(&run.phase, Phase::Inside { known } if item(world).is_some_and(|item| item.epoch() > known.epoch()))
        })
    }),
    ("a call under way", |world| world.runs.iter().any(|run| matches!(run.phase, Phase::Calling { .. }))),
    ("a run in doubt", |world| world.runs.iter().any(|run| matches!(run.phase, Phase::Unsure { .. }))),
    ("a write under way that nobody waits for", |world| !world.late.is_empty()),
    ("a day spent", |world| item(world).is_some_and(|item| item.closed().is_some())),
    ("the next day, with calls", |world| {
        item(world).is_some_and(|item| item.day() == jiff::civil::date(2026, 11, 25) && item.used() > 0)
    }),
];

fn item(world: &World) -> Option<&GateState> {
    world.item.as_ref()
}

/// Explores all, and answers how many states there are.
fn explore(first: World, bounds: &Bounds) -> usize {
    let mut met = [false; MET.len()];
    let horizon = first.now + (bounds.from + bounds.to) * TICK;
    let mut known = HashSet::from([fingerprint(&(&first, 0u32))]);
    let mut items = HashSet::new();
    let mut open = vec![(first, 0u32)];
    while let Some((world, faults)) = open.pop() {
        assert!(world.broken.is_empty(), "{:?} in {world:#?}", world.broken);
        // Whoever comes after all is quiet meets nothing but the item.
        if items.insert(fingerprint(&(&world.item, world.now))) {
            world.check_that_somebody_gets_in(0);
        }
        for (met, (_, is_met)) in met.iter_mut().zip(MET) {
            *met = *met || is_met(&world);
        }
        for (next, cost) in successors(&world, bounds) {
            let faults = faults + cost;
            if faults <= bounds.faults && next.now <= horizon && known.insert(fingerprint(&(&next, faults))) {
                open.push((next, faults));
            }
        }
    }
    for (met, (what, _)) in met.into_iter().zip(MET) {
        assert!(met, "never met: {what}");
    }
    known.len()
}

fn successors(world: &World, bounds: &Bounds) -> Vec<(World, u32)> {
    let mut all = Vec::new();
    let mut add = |cost: u32, change: &dyn Fn(&mut World)| {
        let mut next = world.clone();
        change(&mut next);
        next.forget();
        if next.item.as_ref().map_or(0, GateState::seq) <= bounds.changes {
            all.push((next, cost));
        }
    };
    add(0, &|next| next.tick(TICK));
    for which in 0..world.late.len() {
        add(0, &|next| next.arrive(which));
    }
    for who in 0..world.runs.len() {
        let phase = &world.runs[who].phase;
        if matches!(phase, Phase::Granted { .. }) {
            for takes in [0, 4 * TICK] {
                add(0, &|next| next.step(who, &Request::Renew, Fate::Answered, takes));
            }
        } else {
            for (fate, cost) in [(Fate::Answered, 0), (Fate::AnswerLost, 1), (Fate::Late, 1)] {
                add(cost, &|next| {
                    let call = next.next_call(who, Kind::Call);
                    next.step(who, &call, fate, 0);
                });
                if matches!(phase, Phase::Inside { .. }) {
                    add(cost, &|next| next.step(who, &Request::Renew, fate, 0));
                    add(cost, &|next| next.step(who, &Request::Leave, fate, 0));
                }
            }
        }
        if world.runs[who].phase != Phase::Outside {
            add(1, &|next| next.die(who));
        }
    }
    all
}

/// States are known by 128 bits of them: keeping them all would take gigabytes.
fn fingerprint(state: &impl Hash) -> (u64, u64) {
    let hash = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        state.hash(&mut hasher);
        hasher.finish()
    };
    (hash(1), hash(2))
}

fn small(limit: u32, apart: i64, bounds: &Bounds) -> World {
    let mut rules = GateRules::new(limit);
    rules.interval = Duration::from_secs(1);
    rules.lease = Duration::from_secs(2);
    rules.clocks_apart = Duration::from_millis(apart.cast_unsigned());
    let midnight = 20_782 * DAY;
    World::new(rules, midnight - bounds.from * TICK, &[(apart, Lane::WriteBack), (-apart, Lane::Fetch)])
}

#[test]
fn all_states_with_a_limit_of_three_and_clocks_that_agree() {
    let bounds = Bounds { from: 4, to: 2, faults: 1, changes: 5 };
    let states = explore(small(3, 0, &bounds), &bounds);
    println!("{states} states with a limit of three and clocks that agree");
}

#[test]
fn all_states_with_a_limit_of_one_and_one_clock_fast_and_one_slow() {
    let bounds = Bounds { from: 3, to: 3, faults: 1, changes: 5 };
    let states = explore(small(1, 1_000, &bounds), &bounds);
    println!("{states} states with a limit of one, one clock fast and one slow");
}
