//! Whether robots do what they are set up for: by their latest runs, and by when they should have run.

use std::time::Duration;

use jiff::Timestamp;

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

/// Does this run show that its robot is not silent: did it do its work, or is it known to wait for the day's calls?
#[must_use]
pub fn is_sign_of_life(run: &Run, now: Timestamp) -> bool {
    match run.state {
        RunState::Done | RunState::NeedsPerson => true,
        RunState::Blocked => run.blocked_until.is_some_and(|until| until > now),
        RunState::Running | RunState::Failed => false,
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
        let now = Timestamp::UNIX_EPOCH;
        let mut blocked = run("fetch", RunState::Blocked);
        assert!(!is_sign_of_life(&blocked, now));
        blocked.blocked_until = Some(now.saturating_add(Duration::from_hours(1)).unwrap());
        assert!(is_sign_of_life(&blocked, now));
        assert!(is_sign_of_life(&run("fetch", RunState::NeedsPerson), now));
        assert!(!is_sign_of_life(&run("fetch", RunState::Failed), now));
    }
}
