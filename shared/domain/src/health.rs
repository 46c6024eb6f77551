//! Whether robots do what they are set up for: by their latest runs, and by when they should have run.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, RobotId};
use crate::run::{Run, RunState};
use crate::settings::{TenantSettings, Trigger};

/// So many failures in a row are no accident.
pub const FAILURES_IN_A_ROW: usize = 3;
/// What a start may be late by itself: the schedule's window, a queue that is long, a shop that is slow.
const ALLOWANCE: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A robot that starts by itself, and how long it may go without having done its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// For this shop.
    pub connection: ConnectionId,
    /// Which robot.
    pub robot: RobotId,
    /// After so long without a run that did its work it is silent: two starts were missed.
    pub patience: Duration,
}

/// How a robot's runs ended of late. Kept for each robot, for its runs are lost among those of a busy shop's other robots,
/// and are kept for less long than some robots pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotHealth {
    /// Counts the changes: each is made on condition that nobody else made one meanwhile.
    pub rev: u64,
    /// When the first end was noted: nothing is known here of what was before.
    pub since: Timestamp,
    /// When a run last did its work; None if none has since then.
    #[serde(default)]
    pub good: Option<Timestamp>,
    /// The latest runs, in their order, that failed since then: [`FAILURES_IN_A_ROW`] of them at most.
    #[serde(default)]
    pub failed: Vec<String>,
    /// Until when the robot waits for calls, if it does; or did, if it has not done its work since.
    #[serde(default)]
    pub waits_until: Option<Timestamp>,
    /// When a run last came to an end, good or bad. None in what earlier releases noted.
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

impl RobotHealth {
    /// The same after a run's end. None if the end changes nothing: it is known already, or the run is at work still. An
    /// end that is noted twice counts once.
    #[must_use]
    pub fn after(before: Option<&Self>, run: &Run) -> Option<Self> {
        let at = run.ended_at?;
        let fresh = || Self { rev: 0, since: at, good: None, failed: Vec::new(), waits_until: None, ended: None };
        let mut next = before.cloned().unwrap_or_else(fresh);
        // Another of its runs has done its work since.
        if next.good.is_some_and(|good| good > at) {
            return None;
        }
        match run.state {
            RunState::Running => return None,
            RunState::Blocked => next.waits_until = run.blocked_until,
            RunState::Done | RunState::NeedsPerson => {
                next.good = Some(at);
                next.failed.clear();
                next.waits_until = None;
            }
            RunState::Failed if next.failed.contains(&run.id) => {}
            RunState::Failed => next.failed.push(run.id.clone()),
        }
        if run.state != RunState::Blocked {
            next.ended = next.ended.max(Some(at));
        }
        let over = next.failed.len().saturating_sub(FAILURES_IN_A_ROW);
        next.failed.drain(..over);
        (before != Some(&next)).then(|| Self { rev: next.rev + 1, ..next })
    }

    /// Did the latest [`FAILURES_IN_A_ROW`] runs all fail? None if too few ends are noted to say.
    #[must_use]
    pub fn is_failing(&self) -> Option<bool> {
        if self.failed.len() >= FAILURES_IN_A_ROW {
            return Some(true);
        }
        self.good.map(|_| false)
    }
}

/// Has a robot gone without its work for longer than `patience`? By what is noted of it, and by since when robots' ends
/// are noted at all; None if that does not say. While it waits for calls it is not silent, and its patience begins when
/// it need not wait any more.
#[must_use]
pub fn is_silent(
    health: Option<&RobotHealth>,
    noted_since: Option<Timestamp>,
    patience: Duration,
    now: Timestamp,
) -> Option<bool> {
    let waits_until = health.and_then(|health| health.waits_until);
    if waits_until.is_some_and(|until| until > now) {
        return Some(false);
    }
    let too_long = |since: Timestamp| {
        let since = waits_until.map_or(since, |until| since.max(until));
        now.duration_since(since).unsigned_abs() > patience
    };
    match health.and_then(|health| health.good) {
        Some(good) => Some(too_long(good)),
        // It would have been noted.
        None => noted_since.filter(|since| too_long(*since)).map(|_| true),
    }
}

/// Since when a robot has been set up without a break, by the versions of the settings, oldest first, with when each
/// was applied. None if it is not set up by the latest.
#[must_use]
pub fn set_up_since<'a>(
    versions: impl DoubleEndedIterator<Item = (Timestamp, &'a TenantSettings)>,
    robot: &(ConnectionId, RobotId),
) -> Option<Timestamp> {
    versions.rev().take_while(|(_, settings)| set_up(settings).contains(robot)).map(|(at, _)| at).last()
}

/// Was a robot to start at least as often as now, for longer than its patience? By one version of the settings: when it was
/// applied, and what it expected. None if that does not say, because it is too young: then the version before it does.
#[must_use]
pub fn was_expected(wanted: &Expected, at: Timestamp, expected: &[Expected], now: Timestamp) -> Option<bool> {
    let is_it = |it: &Expected| {
        it.connection == wanted.connection && it.robot == wanted.robot && it.patience <= wanted.patience
    };
    if !expected.iter().any(is_it) {
        return Some(false);
    }
    (now.duration_since(at).unsigned_abs() > wanted.patience).then_some(true)
}

/// All robots that are set up and not switched off, also those that start by hand or after others.
#[must_use]
pub fn set_up(settings: &TenantSettings) -> BTreeSet<(ConnectionId, RobotId)> {
    let robots = &settings.integration_robots;
    let easy = robots.easy_setup.iter().flat_map(|setup| {
        settings.easy_robots(setup).into_iter().map(move |(robot, _)| (setup.connection.clone(), robot))
    });
    let custom = robots.custom.iter().filter(|robot| robot.enabled);
    easy.chain(custom.map(|robot| (robot.on.connection().clone(), robot.id.clone()))).collect()
}

/// The robots that start by time. Those that start after others, or by hand, cannot be missed.
#[must_use]
pub fn expected(settings: &TenantSettings) -> Vec<Expected> {
    let mut expected = Vec::new();
    let mut add = |connection: &ConnectionId, robot: &RobotId, between: Duration| {
        expected.push(Expected {
            connection: connection.clone(),
            robot: robot.clone(),
            patience: between * 2 + ALLOWANCE,
        });
    };
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            let between = match action {
                crate::settings::Action::Reconcile => DAY,
                _ => Duration::from_mins(setup.every.as_minutes().into()),
            };
            add(&setup.connection, &robot, between);
        }
    }
    for robot in settings.integration_robots.custom.iter().filter(|robot| robot.enabled) {
        match &robot.on {
            Trigger::Every { every, connection } => {
                add(connection, &robot.id, Duration::from_mins(every.as_minutes().into()));
            }
            Trigger::DailyAt { connection, .. } => add(connection, &robot.id, DAY),
            Trigger::Cron { cron, connection } => add(connection, &robot.id, longest_pause(cron.utc())),
            Trigger::After { .. } | Trigger::ByHand { .. } => {}
        }
    }
    expected
}

/// The longest time between two starts of these expressions, roughly: by whether days of the week, of the month, or months
/// are named.
fn longest_pause(expressions: &[String]) -> Duration {
    let field = |place: usize| {
        expressions.iter().filter_map(move |expression| {
            let inner = expression.strip_prefix("cron(")?.strip_suffix(')')?;
            inner.split(' ').nth(place)
        })
    };
    let (mut days, mut weekdays, mut months) = (field(2), field(4), field(3));
    if months.any(|month| month != "*") {
        DAY * 366
    } else if days.any(|day| day != "*" && day != "?") {
        DAY * 31
    } else if weekdays.any(|day| day != "?" && day != "*") {
        DAY * 7
    } else {
        DAY
    }
}

/// Did the latest runs of this robot all fail, [`FAILURES_IN_A_ROW`] of them? `runs` are a tenant's, latest first; runs at
/// work say nothing yet.
#[must_use]
pub fn is_failing<'a>(
    runs: impl IntoIterator<Item = &'a Run>,
    connection: &ConnectionId,
    robot: &RobotId,
) -> Option<bool> {
    let mut failures = 0;
    for run in runs.into_iter().filter(|run| run.connection == *connection && run.robot == *robot) {
        match run.state {
            RunState::Failed => failures += 1,
            RunState::Done | RunState::NeedsPerson => return Some(false),
            RunState::Running | RunState::Blocked => {}
        }
        if failures == FAILURES_IN_A_ROW {
            return Some(true);
        }
    }
    None
}

/// From when on the robot of this run may be silent for as long as its patience lasts: it did its work then, or had to
/// wait for the day's calls until then. None if the run says nothing of that.
#[must_use]
pub fn sign_of_life(run: &Run) -> Option<Timestamp> {
    match run.state {
        RunState::Done | RunState::NeedsPerson => Some(run.ended_at.unwrap_or(run.started_at)),
        RunState::Blocked => run.blocked_until,
        RunState::Running | RunState::Failed => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::settings::Action;
    use crate::work::Cause;

    fn run(robot: &str, state: RunState) -> Run {
        Run {
            id: "run".into(),
            connection: ConnectionId::parse("main").unwrap(),
            robot: RobotId::parse(robot).unwrap(),
            action: Action::FetchOrders,
            cause: Cause::Schedule,
            state,
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            blocked_until: None,
            calls: 0,
            queued: None,
            counts: BTreeMap::new(),
            error: None,
            notes: Vec::new(),
            called: Vec::new(),
        }
    }

    fn failing(runs: &[Run]) -> Option<bool> {
        is_failing(runs, &ConnectionId::parse("main").unwrap(), &RobotId::parse("fetch").unwrap())
    }

    #[test]
    fn three_failures_in_a_row_are_failing_whatever_others_do() {
        let (failed, done) = (run("fetch", RunState::Failed), run("fetch", RunState::Done));
        let other = run("other", RunState::Done);
        assert_eq!(failing(&[failed.clone(), other, failed.clone(), failed.clone()]), Some(true));
        assert_eq!(failing(&[failed.clone(), failed.clone(), done.clone(), failed.clone()]), Some(false));
        assert_eq!(failing(&[done, failed.clone(), failed.clone(), failed.clone()]), Some(false));
        assert_eq!(failing(&[failed.clone(), failed.clone()]), None, "two are not known to be three");
        let at_work = run("fetch", RunState::Running);
        assert_eq!(failing(&[at_work, failed.clone(), failed.clone(), failed]), Some(true));
    }

    fn ended(id: &str, state: RunState, minute: i64) -> Run {
        let ended_at = Timestamp::from_second(minute * 60).ok();
        Run { id: id.into(), ended_at, ..run("fetch", state) }
    }

    /// What is noted after these ends, one after the other.
    fn noted(ends: &[Run]) -> Option<RobotHealth> {
        ends.iter().fold(None, |health, end| RobotHealth::after(health.as_ref(), end).or(health))
    }

    #[test]
    fn three_noted_failures_in_a_row_are_failing_and_none_counts_twice() {
        use RunState::{Done, Failed, Running};
        let failing = |ends: &[Run]| noted(ends).and_then(|health| health.is_failing());
        let three = ["a", "b", "c"].map(|id| ended(id, Failed, 1));
        assert_eq!(failing(&three), Some(true));
        // The same end again, as after a crash between the note and the run's own record.
        let twice = [three[0].clone(), three[1].clone(), three[0].clone(), three[1].clone()];
        assert_eq!(failing(&twice), None, "two runs are not three, however often they are noted");
        let after_good = [ended("z", Done, 0), three[0].clone(), three[1].clone(), three[1].clone()];
        assert_eq!(failing(&after_good), Some(false), "since the good end there were two");
        let mended = [&three[..], &[ended("d", RunState::NeedsPerson, 2)]].concat();
        assert_eq!(failing(&mended), Some(false));
        // A note that comes late, of a run that ended before the good one.
        let late = [&mended[..], &three[..]].concat();
        assert_eq!(noted(&late).map(|health| health.failed), Some(Vec::new()));
        assert_eq!(noted(&[ended("a", Running, 1), run("fetch", Failed)]), None, "no end, no note");
        // However many fail, the record stays small.
        let many: Vec<Run> = (0..50).map(|n| ended(&format!("run-{n}"), Failed, n)).collect();
        assert_eq!(noted(&many).unwrap().failed, ["run-47", "run-48", "run-49"]);
        let known = noted(&mended).unwrap();
        assert_eq!(RobotHealth::after(Some(&known), &mended[3]), None, "what changes nothing is not written");
    }

    #[test]
    fn a_robot_is_silent_by_its_own_good_end_however_long_it_pauses() {
        let (at, day) = (|days: i64| Timestamp::from_second(days * 86_400).unwrap(), 24 * 60);
        let yearly = DAY * 733;
        let good = noted(&[ended("a", RunState::Done, 0)]);
        let silent = |health: Option<&RobotHealth>, days| is_silent(health, None, yearly, at(days));
        assert_eq!((silent(good.as_ref(), 732), silent(good.as_ref(), 734)), (Some(false), Some(true)));
        // Failures are no sign of life, nor do they hide the last good end.
        let failed = noted(&[ended("a", RunState::Done, 0), ended("b", RunState::Failed, 700 * day)]);
        assert_eq!(silent(failed.as_ref(), 734), Some(true));
        let mut waits = ended("c", RunState::Blocked, 733 * day);
        waits.blocked_until = Some(at(735));
        let waits = noted(&[ended("a", RunState::Done, 0), waits]);
        assert_eq!((silent(waits.as_ref(), 734), silent(waits.as_ref(), 736)), (Some(false), Some(false)));
        assert_eq!((silent(waits.as_ref(), 1_468), silent(waits.as_ref(), 1_469)), (Some(false), Some(true)));
        // Nothing good is noted: unknown, until ends were noted for longer than the robot may pause.
        assert_eq!(silent(None, 9_999), None);
        assert_eq!(silent(noted(&[ended("a", RunState::Failed, 0)]).as_ref(), 734), None);
        assert_eq!(is_silent(None, Some(at(0)), yearly, at(700)), None);
        assert_eq!(is_silent(None, Some(at(0)), yearly, at(734)), Some(true));
    }

    /// The day's calls come anew at midnight, the gate opens some minutes later, and the work takes its time.
    #[test]
    fn a_robot_whose_wait_is_just_over_is_given_its_patience_from_then_on() {
        let hour = 60;
        let (patience, at) = (Duration::from_hours(3), |minute: i64| Timestamp::from_second(minute * 60).unwrap());
        let waiting = |good: Option<i64>| {
            let good = good.map(|minute| ended("a", RunState::Done, minute));
            let waits = Run { blocked_until: Some(at(24 * hour)), ..ended("b", RunState::Blocked, 10 * hour) };
            noted(&good.into_iter().chain([waits]).collect::<Vec<_>>())
        };
        for health in [waiting(Some(0)), waiting(None)] {
            let silent = |minute| is_silent(health.as_ref(), Some(at(0)), patience, at(minute));
            let good = health.as_ref().and_then(|health| health.good);
            assert_eq!(silent(24 * hour - 1), Some(false));
            assert_eq!(silent(24 * hour + 6), good.map(|_| false), "without a good end the log is looked at");
            assert_eq!((silent(27 * hour), silent(27 * hour + 1)), (good.map(|_| false), Some(true)));
        }
    }

    #[test]
    fn the_last_end_is_noted_whether_it_was_good_or_bad() {
        let last = |ends: &[Run]| noted(ends).and_then(|health| health.ended).map(|at| at.as_second() / 60);
        let (done, failed) = (ended("a", RunState::Done, 3), ended("b", RunState::Failed, 5));
        let waits = Run { blocked_until: Some(Timestamp::MAX), ..ended("c", RunState::Blocked, 9) };
        assert_eq!(last(&[done.clone(), failed.clone()]), Some(5));
        assert_eq!(last(&[failed.clone(), ended("z", RunState::Failed, 4)]), Some(5), "a note that comes late");
        assert_eq!((last(&[failed, waits.clone()]), last(&[waits])), (Some(5), None), "waiting is no end");
    }

    #[test]
    fn a_robot_is_set_up_since_it_last_appeared() {
        let with = |custom: serde_json::Value| -> TenantSettings {
            serde_json::from_value(serde_json::json!({
                "tenant": "hanako", "integration_robots": { "custom": custom },
            }))
            .unwrap()
        };
        let own = |is_on: bool| {
            serde_json::json!([{ "id": "own", "name": "own", "enabled": is_on, "do": "fetch-orders",
                                 "on": { "every": "1 hour", "connection": "main" } }])
        };
        let (on, off, gone) = (with(own(true)), with(own(false)), with(serde_json::json!([])));
        let robot = (ConnectionId::parse("main").unwrap(), RobotId::parse("own").unwrap());
        let since = |versions: &[&TenantSettings]| {
            let at = |n: usize| Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
            let versions = versions.iter().enumerate().map(|(n, settings)| (at(n), *settings));
            set_up_since(versions, &robot).map(Timestamp::as_second)
        };
        assert_eq!(since(&[&gone, &on, &on]), Some(1));
        assert_eq!(since(&[&on, &gone, &on, &on]), Some(2));
        assert_eq!(since(&[&on, &on, &off, &on]), Some(3));
        assert_eq!((since(&[&on]), since(&[&on, &gone]), since(&[])), (Some(0), None, None));
    }

    #[test]
    fn a_robot_is_waited_for_since_it_was_to_start_so_often() {
        let every = |pause: &str, name: &str| -> TenantSettings {
            serde_json::from_value(serde_json::json!({
                "tenant": "hanako", "integration_robots": { "custom": [{
                    "id": "own", "name": name, "do": "fetch-orders", "on": { "every": pause, "connection": "main" },
                }] },
            }))
            .unwrap()
        };
        let (hourly, renamed, daily) = (every("1 hour", "own"), every("1 hour", "named"), every("24 hours", "own"));
        let gone: TenantSettings = serde_json::from_value(serde_json::json!({ "tenant": "hanako" })).unwrap();
        // Versions an hour apart, the latest of them an hour ago.
        let long = |versions: &[&TenantSettings]| {
            let now = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_hours(versions.len() as u64)).unwrap();
            let at = |n: usize| Timestamp::UNIX_EPOCH.saturating_add(Duration::from_hours(n as u64)).unwrap();
            let wanted = expected(versions.last().unwrap()).remove(0);
            let verdict =
                |(n, settings): (usize, &&TenantSettings)| was_expected(&wanted, at(n), &expected(settings), now);
            versions.iter().enumerate().rev().find_map(verdict)
        };
        let patience = expected(&hourly)[0].patience;
        assert!(Duration::from_hours(2) < patience && patience < Duration::from_hours(4), "{patience:?}");
        assert_eq!(long(&[&hourly, &renamed, &hourly, &renamed]), Some(true), "what else is saved gives no more time");
        assert_eq!(long(&[&hourly, &renamed]), None, "for two hours only");
        assert_eq!(long(&[&daily, &daily, &daily, &hourly]), Some(false), "it was given a day before");
        assert_eq!(long(&[&hourly, &hourly, &gone, &hourly]), Some(false), "it was gone meanwhile");
        let days: Vec<_> = std::iter::repeat_n(&hourly, 60).chain([&daily]).collect();
        assert_eq!(long(&days), Some(true), "it was to start more often before");
    }

    #[test]
    fn pauses_between_starts_follow_the_fields_that_are_named() {
        let pause = |text: &str| longest_pause(&[text.to_owned()]);
        assert_eq!(pause("cron(0,30 * * * ? *)"), DAY);
        assert_eq!(pause("cron(0 0 ? * MON,TUE *)"), DAY * 7);
        assert_eq!(pause("cron(30 1 1 * ? *)"), DAY * 31);
        assert_eq!(pause("cron(0 0 * 12 ? *)"), DAY * 366);
    }

    #[test]
    fn a_robot_that_waits_for_tomorrows_calls_is_not_silent() {
        let mut blocked = run("fetch", RunState::Blocked);
        assert_eq!(sign_of_life(&blocked), None);
        let until = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_hours(1)).unwrap();
        blocked.blocked_until = Some(until);
        assert_eq!(sign_of_life(&blocked), Some(until));
        let asks = ended("a", RunState::NeedsPerson, 5);
        assert_eq!(sign_of_life(&asks), asks.ended_at);
        assert_eq!(sign_of_life(&ended("b", RunState::Failed, 5)), None);
    }
}
