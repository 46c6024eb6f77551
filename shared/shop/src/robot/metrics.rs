//! What is counted of runs for alarms and graphs: a shop's calls and those that failed, how much of its day is spent, what a
//! person has to look at, and robots that fail run after run.

use renkei_domain::gate::Reason;
use renkei_domain::run::{CallMade, Run, RunState};
use renkei_domain::settings::Action;
use renkei_domain::work::StartRobot;
use renkei_platform::emf::{Metric, Metrics};

use super::Robots;
use crate::error::ShopError;
use crate::session::Session;

impl Robots {
    /// Counts what alarms look at. A run that went on in several invocations counts its records at each: an alarm asks
    /// whether there are any.
    pub(super) async fn watch(&self, start: &StartRobot, ended: &Run, metrics: &Metrics) {
        let count = |word: &str| ended.counts.get(word).copied().unwrap_or(0);
        metrics.add(Metric::CancellationsOverdue, count("cancellations-overdue"));
        if matches!(start.action, Action::WriteBack | Action::StateWorking | Action::StateShipped) {
            metrics.add(Metric::WriteBackErrors, count("refused"));
        }
        if ended.state != RunState::Failed {
            return;
        }
        // Looked up only where a run failed. That the log cannot be read is no reason for the run to be repeated.
        match self.store.tenant(start.tenant.clone()).is_failing(&start.connection, &start.robot).await {
            Ok(failing) => metrics.add(Metric::RobotsFailing, u64::from(failing)),
            Err(error) => tracing::warn!(error = %error, "whether the runs before failed as well is not known"),
        }
    }
}

/// Did the shop do what this call asked for?
pub(super) fn was_answered(call: &CallMade) -> bool {
    call.status.is_some_and(|status| (200..300).contains(&status))
}

/// Counts this invocation's calls, how many of them failed, and how much of the shop's day is spent by now. All of it is
/// known by the session: nothing is read for it.
pub(super) fn count_calls(session: &Session, called: &[CallMade], metrics: &Metrics) {
    let failed = |call: &&CallMade| !was_answered(call);
    metrics.add(Metric::ShopCalls, u64::from(session.calls()));
    metrics.add(Metric::ShopErrors, called.iter().filter(failed).count() as u64);
    let (spent, limit) = session.spent_of_limit();
    metrics.gate_used(spent, limit);
}

/// A run that finds the day's calls spent makes none, and has nothing of its own to count. Without this the day would
/// seem to have recovered as soon as it is spent.
pub(super) fn count_closed(error: &ShopError, metrics: &Metrics) {
    if is_day_spent(error) {
        metrics.gate_used(1, 1);
    }
}

/// Is all of the shop's day spent, by our count or by what the shop said? Not if the rest is kept for other robots.
fn is_day_spent(error: &ShopError) -> bool {
    let ShopError::Closed(closure) = error else { return false };
    match closure.reason {
        Reason::LimitReached | Reason::RefusedByShop => true,
        Reason::LaneFloor => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use renkei_domain::gate::Closure;

    use super::*;

    #[test]
    fn a_day_is_spent_for_all_robots_or_not_at_all() {
        let spent = |reason| is_day_spent(&ShopError::Closed(Closure { until: Timestamp::UNIX_EPOCH, reason }));
        assert!(spent(Reason::LimitReached) && spent(Reason::RefusedByShop));
        assert!(!spent(Reason::LaneFloor), "the others' part is there still");
        assert!(!is_day_spent(&ShopError::Busy));
    }

    /// Runs come minutes or hours apart, and one of a shop that has calls left says nothing of another.
    #[test]
    fn the_alarm_of_spent_calls_stays_between_runs() {
        let template = include_str!("../../../../template.yaml");
        let alarm = template.split("\n  GateUsedAlarm:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(alarm.contains("TreatMissingData: ignore") && alarm.contains("Period: 3600"), "{alarm}");
        assert!(alarm.contains("Statistic: Maximum"), "{alarm}");
    }
}
