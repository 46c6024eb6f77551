//! The gate over a time in which a shop wants to be left alone, with runs that come and go as robots do: second by second,
//! in true time, on machines whose clocks differ. Whatever the shop asked for, somebody calls it again once it is over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane, Observation};

/// A second, in those of the tests.
type Second = u64;

/// A message of a robot that comes again and again, each time as another run, until it has made its call.
struct Robot {
    name: usize,
    /// How far its machine's clock is ahead.
    ahead: i64,
    visits: u32,
    does: Doing,
}

#[derive(Clone, Copy)]
enum Doing {
    /// The message is not delivered before then.
    Away { until: Second },
    /// Another run is in. Since when is one and the same item there?
    Watching { seq: u64, since: Second, from: Second },
    /// In the gate, and asks again at `asks`; it showed itself at `shown`.
    Inside { epoch: u64, asks: Second, shown: Second },
    /// It has made its call.
    Done { at: Second },
}

struct Shop {
    rules: GateRules,
    item: GateState,
    now: Second,
}

/// How long a message is held back at most.
const LONGEST_DELAY: Second = 900;
/// How far two clocks are apart at most: one fast, the other slow.
const APART: Second = 600;

impl Shop {
    /// A shop that was called at second 0 and said then that it wants to be left alone for so long.
    fn left_alone_for(seconds: Second, rules: GateRules) -> Self {
        let mut shop = Self { item: GateState::fresh(at(0, 0)), rules, now: 0 };
        let entry = shop.item.enter(&shop.rules, at(0, 0), "first", Lane::Fetch, None);
        let Entry::Entered(inside) = entry else { panic!("not let in") };
        let CallDecision::Granted(called) = inside.call(&shop.rules, at(0, 0), &call("first", 1)) else { panic!() };
        let wait = Duration::from_secs(seconds);
        let told = called.penalty(&shop.rules, at(0, 0), "first", 1, wait).expect("it is in");
        shop.item = told.leave(&shop.rules, at(0, 0), "first", 1).expect("it is in");
        shop
    }

    /// Lets a second pass for all of them.
    fn tick(&mut self, robots: &mut [Robot]) {
        for robot in robots {
            robot.does = self.step(robot);
        }
        self.now += 1;
    }

    fn step(&mut self, robot: &mut Robot) -> Doing {
        let (now, local) = (self.now, at(self.now, robot.ahead));
        match robot.does {
            Doing::Away { until } if now < until => robot.does,
            Doing::Away { .. } => {
                robot.visits += 1;
                let item = self.item.clone();
                self.enter(robot, Observation { seq: item.seq(), unchanged_for: Duration::ZERO }, now, now)
            }
            Doing::Watching { seq, since, from } => {
                let since = if seq == self.item.seq() { since } else { now };
                let unchanged_for = Duration::from_secs(now - since);
                self.enter(robot, Observation { seq: self.item.seq(), unchanged_for }, since, from)
            }
            Doing::Inside { epoch, asks, shown } if now < asks => {
                if now - shown < self.rules.sign_of_life().as_secs() {
                    return robot.does;
                }
                match self.item.renew(&self.rules, local, &robot.run(), epoch) {
                    Ok(next) => self.item = next,
                    Err(_) => return Doing::Away { until: now + 30 },
                }
                Doing::Inside { epoch, asks, shown: now }
            }
            Doing::Inside { epoch, shown, .. } => self.ask(robot, epoch, shown),
            Doing::Done { .. } => robot.does,
        }
    }

    fn enter(&mut self, robot: &Robot, observed: Observation, since: Second, from: Second) -> Doing {
        let now = self.now;
        match self.item.enter(&self.rules, at(now, robot.ahead), &robot.run(), Lane::Fetch, Some(observed)) {
            Entry::Entered(next) => {
                self.item = next;
                self.ask(robot, self.item.epoch(), now)
            }
            // Nobody watches for ever; the message comes again.
            Entry::Held { .. } if now - from > 64 => Doing::Away { until: now + 15 },
            Entry::Held { seq, .. } => Doing::Watching { seq, since, from },
            Entry::Closed(closure) => panic!("closed: {closure:?}"),
        }
    }

    fn ask(&mut self, robot: &Robot, epoch: u64, shown: Second) -> Doing {
        let (now, local, run) = (self.now, at(self.now, robot.ahead), robot.run());
        let id = format!("{run}-{now}");
        match self.item.call(&self.rules, local, &Call { call_id: &id, ..call(&run, epoch) }) {
            CallDecision::Granted(next) => {
                self.item = next.leave(&self.rules, local, &run, epoch).expect("it is in");
                Doing::Done { at: now }
            }
            CallDecision::Wait(wait) => Doing::Inside { epoch, asks: now + seconds(wait), shown },
            CallDecision::NotBefore(wait) => {
                self.item = self.item.leave(&self.rules, local, &run, epoch).expect("it is in");
                Doing::Away { until: now + seconds(wait).min(LONGEST_DELAY) }
            }
            CallDecision::LeaseLost => Doing::Away { until: now },
            other => panic!("{other:?}"),
        }
    }
}

impl Robot {
    fn new(name: usize, ahead: i64, comes: Second) -> Self {
        Self { name, ahead, visits: 0, does: Doing::Away { until: comes } }
    }

    fn run(&self) -> String {
        format!("{}.{}", self.name, self.visits)
    }
}

/// The true time, as a clock shows it that is ahead by so many seconds.
fn at(now: Second, ahead: i64) -> Timestamp {
    let morning: Timestamp = "2026-11-24T01:00:00Z".parse().expect("a time");
    let shown = i64::try_from(now).expect("a time of the tests") + ahead;
    morning + SignedDuration::from_secs(shown)
}

fn call(run: &str, epoch: u64) -> Call<'_> {
    Call { run, epoch, lane: Lane::Fetch, robot: "robot", call_id: run, kind: Kind::Call, last_began: None }
}

fn seconds(wait: Duration) -> Second {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// When each of them called, if all do within so long.
fn until_all_called(shop: &mut Shop, robots: &mut [Robot], within: Second) -> Vec<Second> {
    while shop.now <= within {
        shop.tick(robots);
        let calls: Vec<Second> = robots
            .iter()
            .filter_map(|robot| match robot.does {
                Doing::Done { at } => Some(at),
                Doing::Away { .. } | Doing::Watching { .. } | Doing::Inside { .. } => None,
            })
            .collect();
        if calls.len() == robots.len() {
            return calls;
        }
    }
    panic!("within {within} s not all of them called");
}

#[test]
fn a_visitor_every_half_minute_does_not_keep_a_shop_closed() {
    let mut shop = Shop::left_alone_for(1_800, GateRules::new(1_000));
    // Messages that do not keep away for as long as they are told.
    let mut visitors: Vec<Robot> = (0..70).map(|name| Robot::new(1 + name, 0, 30 * (1 + name as Second))).collect();
    while shop.now < 1_795 {
        for robot in &mut visitors {
            if let Doing::Away { until } = robot.does {
                robot.does = Doing::Away { until: until.min(shop.now + 30) };
            }
        }
        shop.tick(&mut visitors);
    }
    let calls = until_all_called(&mut shop, &mut visitors, 3_600);
    let first = calls.into_iter().min().expect("calls");
    assert!((1_800..=1_802).contains(&first), "the first called at {first} s");
}

#[test]
fn two_robots_sit_two_minutes_out_and_both_call() {
    for second_comes in [0, 1, 20, 59, 61, 119] {
        let mut shop = Shop::left_alone_for(120, GateRules::new(1_000));
        let mut robots = [Robot::new(1, 0, 0), Robot::new(2, 0, second_comes)];
        let calls = until_all_called(&mut shop, &mut robots, 240);
        assert_eq!(calls.iter().min(), Some(&120), "{calls:?}");
        assert_eq!(robots[0].visits, 1, "the one that was in stayed in");
    }
}

#[test]
fn a_pace_of_a_whole_lease_is_waited_out_with_others_at_the_door() {
    let mut rules = GateRules::new(1_000);
    rules.interval = rules.lease;
    let mut shop = Shop::left_alone_for(0, rules);
    let mut robots = [Robot::new(1, 0, 0), Robot::new(2, 0, 1), Robot::new(3, 0, 2)];
    let mut calls = until_all_called(&mut shop, &mut robots, 600);
    calls.sort_unstable();
    assert_eq!(calls[0], 60, "{calls:?}");
    assert!(calls.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{calls:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the shop asked for, whoever comes when, and by whatever clocks: it is kept to within what two clocks are
    /// apart, and over when that is over, for everybody.
    #[test]
    fn not_before_is_kept_and_ends_by_any_clocks(
        asked in 1u64..5_400,
        robots in prop::collection::vec((-300i64..=300, 0u64..1_800), 1..6),
    ) {
        let mut shop = Shop::left_alone_for(asked, GateRules::new(1_000));
        let mut robots: Vec<Robot> =
            (1..).zip(robots).map(|(name, (ahead, comes))| Robot::new(name, ahead, comes)).collect();
        let last_comes = 1_800;
        // A message that is told so comes again a quarter of an hour later at most, and each call may make others wait.
        let within = asked.max(last_comes) + APART + LONGEST_DELAY + 200 * robots.len() as Second;
        let calls = until_all_called(&mut shop, &mut robots, within);
        let first = calls.iter().min().expect("calls");
        prop_assert!(first + APART >= asked, "called after {first} s of {asked}");
    }
}
