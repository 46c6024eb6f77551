//! A robot's run, around its story: begin, hold the gate, and end in one of the ways a run can end.
//!
//! A story (fetch orders, tell states) says what to do with an open session. This says what happens when it cannot: the
//! gate is closed for the day, another run is talking to the shop, time is over, the shop is down. None of those is a
//! failure of the message: it comes again later, or is woken, and the run goes on where it stood.

mod end;
mod metrics;
mod story;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use renkei_domain::gate::Lane;
use renkei_domain::health;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::{Action, TenantSettings};
use renkei_domain::work::{Cause, StartRobot};
use renkei_ecforce::Timeouts;
use renkei_platform::batch::{Message, run_batch};
use renkei_platform::emf::{Metric, Metrics};
use renkei_platform::queue::{Queue, QueueError};
use renkei_platform::telemetry::run_span;
use renkei_platform::wakeup::{WakeUpError, WakeUps};
use renkei_store::{Store, StoreError, Tenant};
use tracing::Instrument;

use self::metrics::{count_calls, count_closed, was_answered};
pub use self::story::{Indoors, Stopped, Told, Work};
use crate::Shops;
use crate::session::SessionRequest;

/// How long a message stays in hand at a time while its robot is at work.
const IN_HAND: Duration = Duration::from_mins(1);
/// What a run still needs once its last call is answered: to note what it brought, to hand the gate back, and to send its
/// message again.
const TIME_TO_NOTE: Duration = Duration::from_secs(20);

/// What a function that runs robots needs around its story.
#[derive(Clone)]
pub struct Robots {
    /// The store.
    pub store: Store,
    /// The shops.
    pub shops: Shops,
    /// The function's own queue, on which runs go on.
    pub queue: Queue,
    /// The queue of sync-payments: robots that start after another's end are started over it, whatever they do.
    pub triggers: Queue,
    /// One-time schedules that wake blocked robots.
    pub wake_ups: WakeUps,
}

/// How far an invocation came that stopped.
#[derive(Debug, Clone, Copy, Default)]
struct Went {
    /// Calls that it made.
    calls: u32,
    /// The shop did what one of them asked for.
    answered: bool,
}

/// What is known of a run when its message comes.
enum Begun {
    /// It is to be worked on.
    Open(Box<Run>),
    /// It has come to its end, or whoever works off what it queued will bring it there.
    Over(Box<Run>),
}

/// Why a message cannot be worked on and must be looked at by a person: it fails, and ends among the dead letters.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue: the message comes again by itself.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The scheduler: likewise.
    #[error(transparent)]
    WakeUp(#[from] WakeUpError),
    /// A message of ours cannot be written down, which is a defect.
    #[error(transparent)]
    Message(#[from] serde_json::Error),
}

impl Robots {
    /// Works on a queue's delivery: each message starts a robot, which `story` tells. While one is at work its message
    /// stays in hand a minute at a time: a function that dies gives it back within that, whatever the queue's own
    /// time-out is.
    pub async fn serve(
        &self,
        event: LambdaEvent<SqsEvent>,
        metrics: &Metrics,
        story: impl AsyncFn(Work<'_>) -> Result<Told, Stopped>,
    ) -> SqsBatchResponse {
        let LambdaEvent { payload, context } = event;
        let deadline = deadline(&context);
        let holder = &context.request_id;
        run_batch(payload, StartRobot::read, metrics, async |message| {
            self.serve_one(&message, &message.content, holder, deadline, metrics, &story).await
        })
        .await
    }

    /// Works on one delivered message that starts a robot, as [`Robots::serve`] does; for queues that carry others too.
    pub async fn serve_one<T>(
        &self,
        message: &Message<T>,
        start: &StartRobot,
        holder: &str,
        deadline: Instant,
        metrics: &Metrics,
        story: impl AsyncFn(Work<'_>) -> Result<Told, Stopped>,
    ) -> Result<(), RunError> {
        let run = start.run.as_deref().unwrap_or(&message.id);
        let work = self.run(start, &message.id, format!("{run}-{holder}"), deadline, metrics, story);
        self.in_hand(message, start, metrics, work).await
    }

    /// Works on one delivered message that starts a robot which needs no shop.
    pub async fn serve_indoors<T>(
        &self,
        message: &Message<T>,
        start: &StartRobot,
        deadline: Instant,
        metrics: &Metrics,
        story: impl AsyncFn(Indoors<'_>) -> Result<Told, Stopped>,
    ) -> Result<(), RunError> {
        let work = self.run_indoors(start, &message.id, deadline, story);
        self.in_hand(message, start, metrics, work).await
    }

    async fn in_hand<T>(
        &self,
        message: &Message<T>,
        start: &StartRobot,
        metrics: &Metrics,
        work: impl Future<Output = Result<Run, RunError>>,
    ) -> Result<(), RunError> {
        let run = start.run.clone().unwrap_or_else(|| message.id.clone());
        metrics.of_connection(&start.tenant, &start.connection);
        metrics.note("run", run.as_str());
        metrics.note("robot", start.robot.as_str());
        let span = run_span(&start.tenant, &start.connection, Some(&start.robot), &run);
        let ended = self.queue.keep_invisible(&message.receipt_handle, IN_HAND, work.instrument(span)).await?;
        metrics.add(Metric::RunsFailed, u64::from(ended.state == RunState::Failed));
        metrics.add(Metric::RunsBlocked, u64::from(ended.state == RunState::Blocked));
        self.watch(start, &ended, metrics).await;
        metrics.note("state", ended.state.as_str());
        Ok(())
    }

    /// Carries out one start of a robot. `holder` is unique to this invocation; `message_id` names the run where the
    /// message does not.
    pub async fn run(
        &self,
        message: &StartRobot,
        message_id: &str,
        holder: String,
        deadline: Instant,
        metrics: &Metrics,
        story: impl AsyncFn(Work<'_>) -> Result<Told, Stopped>,
    ) -> Result<Run, RunError> {
        let tenant = self.store.tenant(message.tenant.clone());
        let mut run = match self.begin(&tenant, message, message_id).await? {
            Begun::Open(run) => *run,
            Begun::Over(run) => return Ok(*run),
        };
        let run_id = run.id.clone();
        let Some(applied) = tenant.settings().await? else {
            return self.failed(&tenant, run, "there are no settings for this tenant; apply its document first").await;
        };
        let Some(connection) = applied.settings.connection(&message.connection) else {
            return self.failed(&tenant, run, "this connection is not in the tenant's settings any more").await;
        };
        if is_taken_out(run.cause, message, &applied.settings) {
            return self.told(&tenant, run, taken_out()).await;
        }
        let request = SessionRequest {
            connection,
            holder,
            robot: message.robot.as_str(),
            lane: lane_of(message.action),
            deadline,
            after_failure: message.attempt > 0,
        };
        let mut session = match self.shops.open(&tenant, request).await {
            Ok(session) => session,
            Err(error) => {
                count_closed(&error, metrics);
                return self.interrupted(&tenant, run, message, error, Went::default()).await;
            }
        };
        let calls_before = run.calls;
        let work = Work {
            tenant: &tenant,
            settings: &applied.settings,
            connection,
            run: &run_id,
            message,
            session: &mut session,
        };
        let ended = story(work).await;
        let calls = session.calls();
        run.calls = calls_before + calls;
        let called = session.take_called();
        count_calls(&session, &called, metrics);
        let went = Went { calls, answered: called.iter().any(was_answered) };
        run.note_calls(called);
        // A gate that could not be handed back comes free by itself after its lease.
        if let Err(error) = session.leave().await {
            tracing::warn!(error = %error, "the gate could not be handed back");
        }
        match ended {
            Ok(told) => self.told(&tenant, run, told).await,
            Err(Stopped { error, done }) => {
                count_closed(&error, metrics);
                end::take_over(&mut run, *done);
                self.interrupted(&tenant, run, message, error, went).await
            }
        }
    }

    /// Carries out one start of a robot that needs no shop.
    pub async fn run_indoors(
        &self,
        message: &StartRobot,
        message_id: &str,
        deadline: Instant,
        story: impl AsyncFn(Indoors<'_>) -> Result<Told, Stopped>,
    ) -> Result<Run, RunError> {
        let tenant = self.store.tenant(message.tenant.clone());
        let mut run = match self.begin(&tenant, message, message_id).await? {
            Begun::Open(run) => *run,
            Begun::Over(run) => return Ok(*run),
        };
        let Some(applied) = tenant.settings().await? else {
            return self.failed(&tenant, run, "there are no settings for this tenant; apply its document first").await;
        };
        let Some(connection) = applied.settings.connection(&message.connection) else {
            return self.failed(&tenant, run, "this connection is not in the tenant's settings any more").await;
        };
        if is_taken_out(run.cause, message, &applied.settings) {
            return self.told(&tenant, run, taken_out()).await;
        }
        let settings = &applied.settings;
        let run_id = run.id.clone();
        let indoors = Indoors { tenant: &tenant, settings, connection, run: &run_id, message, deadline };
        match story(indoors).await {
            Ok(told) => self.told(&tenant, run, told).await,
            // With very much to do it goes on where it stood, as often as that takes: no shop has failed to answer.
            Err(Stopped { error, done }) => {
                end::take_over(&mut run, *done);
                self.interrupted(&tenant, run, message, error, Went { calls: 0, answered: true }).await
            }
        }
    }

    /// Notes that a run begins, or takes it up where it stands.
    async fn begin(&self, tenant: &Tenant, message: &StartRobot, message_id: &str) -> Result<Begun, RunError> {
        let id = message.run.clone().unwrap_or_else(|| message_id.to_owned());
        let run = Run {
            id: id.clone(),
            connection: message.connection.clone(),
            robot: message.robot.clone(),
            action: message.action,
            cause: message.cause,
            state: RunState::Running,
            started_at: Timestamp::now(),
            ended_at: None,
            blocked_until: None,
            calls: 0,
            queued: None,
            counts: BTreeMap::new(),
            error: None,
            notes: Vec::new(),
            called: Vec::new(),
        };
        if tenant.begin_run(&run).await? {
            return Ok(Begun::Open(Box::new(run)));
        }
        let Some(begun) = tenant.run(&id).await? else { return Ok(Begun::Open(Box::new(run))) };
        Ok(match begun.state {
            // Delivered again after its end: everything is done, but perhaps for what its end starts.
            RunState::Done | RunState::NeedsPerson | RunState::Failed => {
                self.trigger(tenant, &begun).await?;
                Begun::Over(Box::new(begun))
            }
            // Everything is queued, and whoever works that off ends the run.
            RunState::Running if begun.queued.is_some() => Begun::Over(Box::new(self.all_queued(tenant, begun).await?)),
            RunState::Running | RunState::Blocked => {
                Begun::Open(Box::new(Run { state: RunState::Running, ended_at: None, blocked_until: None, ..begun }))
            }
        })
    }
}

/// Is it a robot that started by itself, by a wake-up or a schedule from before, and that somebody has taken out of the settings
/// or switched off since? What a person starts, or wants looked at, is done whatever the settings say, and a run that goes on
/// by itself comes to its end. `began` is what the run began with: a person's run may be woken, too.
fn is_taken_out(began: Cause, message: &StartRobot, settings: &TenantSettings) -> bool {
    let is_by_itself = [began, message.cause].into_iter().all(|cause| match cause {
        Cause::Schedule | Cause::WakeUp | Cause::After => true,
        Cause::Hand | Cause::Hint | Cause::Continuation => false,
    });
    // Back-fills and looks at what webhooks name are in no settings.
    let is_named_for_once = ["/hints", "/backfill"].iter().any(|name| message.robot.as_str().ends_with(name));
    is_by_itself
        && !is_named_for_once
        && !health::set_up(settings).contains(&(message.connection.clone(), message.robot.clone()))
}

fn taken_out() -> Told {
    let note = "the robot is switched off, or not in the settings any more: it did nothing".to_owned();
    Told { notes: vec![note], ..Told::default() }
}

/// Until when an invocation begins anything: then its run stops, and goes on in a new one.
#[must_use]
pub fn deadline(context: &Context) -> Instant {
    Instant::now() + time_to_begin(time_left(context.deadline()))
}

/// A call that is begun at the last moment is over within its own limit, and is noted before the function's time is.
fn time_to_begin(left: Duration) -> Duration {
    left.saturating_sub(Timeouts::default().total).saturating_sub(TIME_TO_NOTE)
}

fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Which lane an action spends from.
#[must_use]
pub fn lane_of(action: Action) -> Lane {
    match action {
        Action::StateWorking | Action::StateShipped | Action::WriteBack => Lane::WriteBack,
        // A robot that calls no shop spends from none; it has to be given one.
        Action::StatusSync | Action::ApplyProcessing => Lane::Payment,
        Action::FetchOrders | Action::Reconcile => Lane::Fetch,
        Action::Inventory => Lane::Stock,
    }
}

#[cfg(test)]
mod tests {
    use renkei_domain::gate::GateRules;

    use super::*;
    use crate::BEGIN_WITHIN;

    #[test]
    fn a_call_begun_at_the_last_moment_is_over_and_noted_in_time() {
        let left = Duration::from_mins(10);
        let over = time_to_begin(left) + Timeouts::default().total;
        assert!(over + Duration::from_secs(15) <= left, "{over:?} of {left:?}");
        assert!(time_to_begin(left) > Duration::from_mins(9), "most of the time is there to be used");
        assert_eq!(time_to_begin(Duration::from_secs(30)), Duration::ZERO, "nothing is begun that cannot end");
    }

    #[test]
    fn each_robot_spends_from_its_lane() {
        let lanes = [
            (Action::FetchOrders, Lane::Fetch),
            (Action::StateWorking, Lane::WriteBack),
            (Action::StateShipped, Lane::WriteBack),
            (Action::StatusSync, Lane::Payment),
            (Action::WriteBack, Lane::WriteBack),
            (Action::Inventory, Lane::Stock),
            (Action::ApplyProcessing, Lane::Payment),
            (Action::Reconcile, Lane::Fetch),
        ];
        assert_eq!(Action::ALL.map(|action| (action, lane_of(action))), lanes);
    }

    #[test]
    fn a_call_begun_late_is_over_within_the_lease() {
        assert!(BEGIN_WITHIN + Timeouts::default().total < GateRules::new(1).lease);
    }
}
