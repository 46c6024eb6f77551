//! How a run ends, or why it comes again: what becomes of it where its story came to an end, and where it could not.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use renkei_domain::jst;
use renkei_domain::run::{FOR_A_PERSON, Run, RunState};
use renkei_domain::work::{Cause, StartRobot, VERSION};
use renkei_platform::queue::{LONGEST_DELAY, group};
use renkei_store::Tenant;

use super::{Robots, RunError, Told, Went};
use crate::error::ShopError;

/// When a message comes again because another run is talking to the shop.
const BUSY_DELAY: Duration = Duration::from_secs(15);
/// When a run goes on that worked: others of the shop look every two seconds whether the gate is free, and have their turn.
const NEXT_DELAY: Duration = Duration::from_secs(5);
/// When a run comes again that could not make a single call: what kept it from that may keep it from it again.
const IDLE_DELAY: Duration = Duration::from_secs(30);
/// How often a run comes again after passing failures before it is given up; the robot's next start tries anew. Those before
/// an invocation that worked until its time was over do not count: a run of hours meets more of them.
const ATTEMPTS: u8 = 5;
const NOTHING_DONE: &str = "the run came to nothing in all of its time, again and again: it is given up, and the robot's next \
                            start tries anew; ask the operator to look at it";
/// Notes that a run keeps, of all its invocations.
const MOST_NOTES: usize = 20;

impl Robots {
    /// Starts the robots that start after this run's end. Comes after the end is noted: a crash in between is made good
    /// when the message comes again, and a robot started twice is one run.
    pub(super) async fn trigger(&self, tenant: &Tenant, run: &Run) -> Result<(), RunError> {
        if !matches!(run.state, RunState::Done | RunState::NeedsPerson) {
            return Ok(());
        }
        let Some(applied) = tenant.settings().await? else { return Ok(()) };
        for start in run.triggers(tenant.id(), &applied.settings.integration_robots) {
            let body = serde_json::to_string(&start)?;
            self.triggers.send(body, group(&start.tenant, &start.connection), Duration::ZERO).await?;
        }
        Ok(())
    }

    pub(super) async fn told(&self, tenant: &Tenant, mut run: Run, told: Told) -> Result<Run, RunError> {
        let queued = told.queued_pages;
        run.error = told.failure;
        let for_a_person = told.for_a_person > 0 || run.counts.get(FOR_A_PERSON).is_some_and(|before| *before > 0);
        note(&mut run, told.counts, told.notes);
        if queued > 0 {
            run.queued = Some(u64::from(queued));
            tenant.end_run(&run).await?;
            return self.all_queued(tenant, run).await;
        }
        run.state = match &run.error {
            Some(_) => RunState::Failed,
            None if for_a_person => RunState::NeedsPerson,
            None => RunState::Done,
        };
        run.ended_at = Some(Timestamp::now());
        tenant.end_run(&run).await?;
        self.trigger(tenant, &run).await?;
        Ok(run)
    }

    /// Nothing more is queued. Whoever works off the last page ends the run; if that has happened already, this does.
    pub(super) async fn all_queued(&self, tenant: &Tenant, run: Run) -> Result<Run, RunError> {
        let pages = run.queued.and_then(|pages| u32::try_from(pages).ok()).unwrap_or(0);
        if tenant.announce_end(&run.id, pages).await?
            && let Some(finished) = tenant.finish_queued_run(&run.id).await?
        {
            self.trigger(tenant, &finished).await?;
            return Ok(finished);
        }
        Ok(run)
    }

    pub(super) async fn failed(&self, tenant: &Tenant, mut run: Run, error: &str) -> Result<Run, RunError> {
        run.state = RunState::Failed;
        run.ended_at = Some(Timestamp::now());
        run.error = Some(error.to_owned());
        tenant.end_run(&run).await?;
        Ok(run)
    }

    /// The run stopped before its end: what becomes of it depends on why, and on how far this invocation came.
    pub(super) async fn interrupted(
        &self,
        tenant: &Tenant,
        mut run: Run,
        message: &StartRobot,
        error: ShopError,
        went: Went,
    ) -> Result<Run, RunError> {
        let again = |cause: Cause, attempt: u8| StartRobot {
            v: VERSION,
            cause,
            run: Some(run.id.clone()),
            attempt,
            ..message.clone()
        };
        match error {
            ShopError::Closed(closure) => {
                // What kept it before, a shop that did not answer say, is not why it waits now.
                run.error = None;
                self.blocked(tenant, run.clone(), again(run.cause, 0), closure.until).await
            }
            ShopError::SignInsSpent { until } => {
                // Not the day's calls, which is what people think of first.
                run.error = Some(error.to_string());
                self.blocked(tenant, run.clone(), again(run.cause, 0), until).await
            }
            ShopError::Busy => {
                self.come_again(&again(message.cause, message.attempt), BUSY_DELAY).await?;
                Ok(run)
            }
            ShopError::LeaseLost | ShopError::OutOfTime
                if attempts_so_far(&error, went, message.attempt) < ATTEMPTS =>
            {
                let attempt = attempts_so_far(&error, went, message.attempt);
                tenant.end_run(&run).await?;
                let delay = if went.calls > 0 { NEXT_DELAY } else { IDLE_DELAY };
                self.come_again(&again(Cause::Continuation, attempt), delay).await?;
                Ok(run)
            }
            passing if passing.is_passing() && is_long(passing.not_before(Timestamp::now())) => {
                let until = Timestamp::now().saturating_add(passing.not_before(Timestamp::now()).unwrap_or_default());
                run.error = Some(passing.to_string());
                self.blocked(tenant, run.clone(), again(run.cause, 0), until.unwrap_or(Timestamp::MAX)).await
            }
            passing if passing.is_passing() && message.attempt + 1 < ATTEMPTS => {
                tracing::warn!(
                    error = passing.for_log(),
                    attempt = message.attempt,
                    "the run comes again after a passing failure"
                );
                // What it has cost so far counts, and the reason is shown while it waits.
                run.error = Some(passing.to_string());
                tenant.end_run(&run).await?;
                let delay = message.comes_again_after(passing.not_before(Timestamp::now()));
                self.come_again(&again(Cause::Continuation, message.attempt + 1), delay).await?;
                Ok(run)
            }
            ShopError::OutOfTime => self.failed(tenant, run, NOTHING_DONE).await,
            lasting => {
                let error = lasting.to_string();
                self.failed(tenant, run, &error).await
            }
        }
    }

    /// The wake-up is set before the run says that it is blocked: a crash in between repeats, and never forgets. `again` has
    /// the cause that the run began with, which says whose wake-up it is.
    async fn blocked(
        &self,
        tenant: &Tenant,
        mut run: Run,
        again: StartRobot,
        until: Timestamp,
    ) -> Result<Run, RunError> {
        // All robots of all shops would wake at the same minute; a few minutes apart, which is how finely AWS tells times, they
        // do not stand in each other's way.
        let apart = i64::from(fastrand::u8(1..=180));
        let at = until.checked_add(apart.seconds()).unwrap_or(until);
        self.wake_ups.set(&again, until, at).await?;
        run.state = RunState::Blocked;
        run.blocked_until = Some(shown(until));
        run.ended_at = Some(Timestamp::now());
        tenant.end_run(&run).await?;
        Ok(run)
    }

    async fn come_again(&self, message: &StartRobot, delay: Duration) -> Result<(), RunError> {
        let body = serde_json::to_string(message)?;
        self.queue.send(body, group(&message.tenant, &message.connection), delay).await?;
        Ok(())
    }
}

/// Does the shop want to be left alone for so long that a message cannot wait for it on a queue?
fn is_long(not_before: Option<Duration>) -> bool {
    not_before.is_some_and(|wait| wait > LONGEST_DELAY)
}

/// The passing failures that count when a run goes on that was not kept from its work by one. All of an invocation's time with
/// nothing to show for it is one: it would end so for ever.
fn attempts_so_far(error: &ShopError, went: Went, before: u8) -> u8 {
    match error {
        ShopError::OutOfTime if went.answered => 0,
        ShopError::OutOfTime => before.saturating_add(1),
        _ => before,
    }
}

/// Notes on a run what an invocation did that stopped before the run's end.
pub(super) fn take_over(run: &mut Run, mut done: Told) {
    if done.for_a_person > 0 {
        done.counts.insert(FOR_A_PERSON.to_owned(), done.for_a_person);
    }
    note(run, done.counts, done.notes);
}

/// Adds to what a run's invocations did before. What two of them say in the same words is said once.
fn note(run: &mut Run, counts: BTreeMap<String, u64>, notes: Vec<String>) {
    for (word, count) in counts {
        *run.counts.entry(word).or_default() += count;
    }
    for note in notes {
        if run.notes.len() < MOST_NOTES && !run.notes.contains(&note) {
            run.notes.push(note);
        }
    }
}

/// People know the time at which the day's calls begin anew; that the gate opens a few minutes later, for clocks that
/// are apart, is not theirs to reckon with.
fn shown(until: Timestamp) -> Timestamp {
    let reset = jst::next_reset(until.checked_sub(10.minutes()).unwrap_or(until));
    if reset <= until { reset } else { until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_failures_are_forgotten_once_a_run_has_worked_for_all_of_its_time() {
        let worked = Went { calls: 3, answered: true };
        let unanswered = Went { calls: 3, answered: false };
        assert_eq!(attempts_so_far(&ShopError::OutOfTime, worked, 4), 0);
        assert_eq!(attempts_so_far(&ShopError::OutOfTime, unanswered, 3), 4, "as often as that it is given up");
        assert_eq!(attempts_so_far(&ShopError::LeaseLost, worked, 4), 4);
    }

    #[test]
    fn what_an_invocation_did_that_stopped_stays_on_its_run() {
        let mut run: Run = serde_json::from_value(serde_json::json!({
            "id": "r", "connection": "shop", "robot": "shop/write-back", "action": "write-back", "cause": "schedule",
            "state": "running", "started_at": "2026-11-24T00:00:00Z"
        }))
        .unwrap();
        let done = |told, notes: &[&str]| Told {
            counts: BTreeMap::from([("told".to_owned(), told)]),
            for_a_person: 1,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            ..Told::default()
        };
        take_over(&mut run, done(3, &["one", "two"]));
        take_over(&mut run, done(4, &["two", "three"]));
        assert_eq!(run.counts, BTreeMap::from([("told".to_owned(), 7), (FOR_A_PERSON.to_owned(), 2)]));
        assert_eq!(run.notes, ["one", "two", "three"]);
        for n in 0..2 * MOST_NOTES {
            take_over(&mut run, done(0, &[&format!("note {n}")]));
        }
        assert_eq!(run.notes.len(), MOST_NOTES);
    }
}
