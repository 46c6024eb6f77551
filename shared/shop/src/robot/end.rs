//! How a run ends, or why it comes again: what becomes of it where its story came to an end, and where it could not.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use renkei_domain::jst;
use renkei_domain::run::{Run, RunState};
use renkei_domain::work::{Cause, StartRobot, VERSION};
use renkei_platform::queue::group;
use renkei_store::Tenant;

use super::{Robots, RunError, Told};
use crate::error::ShopError;

/// When a message comes again because another run is talking to the shop.
const BUSY_DELAY: Duration = Duration::from_secs(15);
/// When a run comes again that could not make a single call: what kept it from that may keep it from it again.
const IDLE_DELAY: Duration = Duration::from_secs(30);
/// How often a run comes again after passing failures before it is given up; the robot's next start tries anew.
const ATTEMPTS: u8 = 5;

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
        for (word, count) in told.counts {
            *run.counts.entry(word).or_default() += count;
        }
        run.error = told.failure;
        run.notes = told.notes;
        if told.queued_pages > 0 {
            run.queued = Some(u64::from(told.queued_pages));
            tenant.end_run(&run).await?;
            return self.all_queued(tenant, run).await;
        }
        run.state = match &run.error {
            Some(_) => RunState::Failed,
            None if told.for_a_person > 0 => RunState::NeedsPerson,
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

    /// The run stopped before its end, after so many calls in this invocation: what becomes of it depends on why.
    pub(super) async fn interrupted(
        &self,
        tenant: &Tenant,
        mut run: Run,
        message: &StartRobot,
        error: ShopError,
        calls: u32,
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
            ShopError::LeaseLost | ShopError::OutOfTime => {
                tenant.end_run(&run).await?;
                let delay = if calls > 0 { Duration::ZERO } else { IDLE_DELAY };
                self.come_again(&again(Cause::Continuation, message.attempt), delay).await?;
                Ok(run)
            }
            passing if passing.is_passing() && message.attempt + 1 < ATTEMPTS => {
                tracing::warn!(error = %passing, attempt = message.attempt, "the run comes again after a passing failure");
                // What it has cost so far counts, and the reason is shown while it waits.
                run.error = Some(passing.to_string());
                tenant.end_run(&run).await?;
                let delay = message.comes_again_after(passing.not_before(Timestamp::now()));
                self.come_again(&again(Cause::Continuation, message.attempt + 1), delay).await?;
                Ok(run)
            }
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
        // All robots of all shops wake at the same minute; a few seconds apart they do not stand in each other's way.
        let apart = i64::from(fastrand::u8(1..60));
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

/// People know the time at which the day's calls begin anew; that the gate opens a few minutes later, for clocks that
/// are apart, is not theirs to reckon with.
fn shown(until: Timestamp) -> Timestamp {
    let reset = jst::next_reset(until.checked_sub(10.minutes()).unwrap_or(until));
    if reset <= until { reset } else { until }
}
