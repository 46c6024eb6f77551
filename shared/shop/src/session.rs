//! A session: one run's hold of one shop's gate.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane, Observation};
use renkei_domain::jst;
use renkei_domain::run::CallMade;
use renkei_domain::settings::Connection;
use renkei_ecforce::{Client, Error, Retry, SentLog, Token};
use renkei_store::Tenant;
use renkei_store::gate::GateWrite;

use crate::error::ShopError;
use crate::{BEGIN_WITHIN, Shops, gate_rules};

/// How often somebody waiting looks at the gate.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a run waits for another that is alive before it lets its message come again instead.
const WAIT_FOR_THE_LIVING: Duration = Duration::from_secs(10);
/// Waits after a passing failure for which the shop named no time.
const BACK_OFF: [Duration; 3] = [Duration::from_secs(3), Duration::from_secs(5), Duration::from_secs(15)];

/// What a session is opened for.
#[derive(Debug, Clone)]
pub struct SessionRequest<'a> {
    /// Of which shop.
    pub connection: &'a Connection,
    /// Unique to this invocation: a second try is another run to the gate.
    pub holder: String,
    /// The robot whose count of calls goes up.
    pub robot: &'a str,
    /// For what.
    pub lane: Lane,
    /// After this no call is begun; one that is under way then is waited for.
    pub deadline: Instant,
    /// This run tried before, and the shop failed it. Until one call is answered, none that fails in passing is repeated: a
    /// shop that is down all day would have a good part of the next hours' calls spent on asking whether it still is.
    pub after_failure: bool,
}

/// One run's hold of a shop's gate. Ends with [`Session::leave`]; dropped without it (a crash), the gate comes free by
/// itself after its lease.
pub struct Session {
    pub(crate) shops: Shops,
    pub(crate) tenant: Tenant,
    pub(crate) connection: Connection,
    pub(crate) client: Client,
    pub(crate) lane: Lane,
    rules: GateRules,
    holder: String,
    robot: String,
    epoch: u64,
    gate: GateState,
    /// When this run's last change of the gate was sent: whoever watches has seen it since.
    shown: Instant,
    clock: RunClock,
    deadline: Instant,
    /// See [`SessionRequest::after_failure`]; over with the first answer.
    doubted: bool,
    /// Calls made so far, sign-ins and repetitions included.
    calls: u32,
    asked: u32,
    last_began: Option<Timestamp>,
    sent: SentLog,
    called: Vec<CallMade>,
}

/// The wall clock once, the monotonic clock on top: never goes back within a run, whatever happens to the machine's
/// clock.
#[derive(Debug, Clone, Copy)]
struct RunClock {
    wall: Timestamp,
    started: Instant,
}

impl RunClock {
    fn start() -> Self {
        Self { wall: Timestamp::now(), started: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        self.wall.saturating_add(self.started.elapsed()).unwrap_or(Timestamp::MAX)
    }
}

impl Shops {
    /// Opens a session: waits for the gate as long as is sensible.
    pub async fn open(&self, tenant: &Tenant, request: SessionRequest<'_>) -> Result<Session, ShopError> {
        let sent = SentLog::default();
        let client = self.client(request.connection)?.with_log(sent.clone());
        let rules = gate_rules(request.connection);
        let clock = RunClock::start();
        let mut gate = tenant.gate(&request.connection.id, clock.now()).await?;
        let began = Instant::now();
        let mut watched = Watched::new(gate.seq());
        loop {
            let observed = watched.observation();
            let asked = Instant::now();
            match gate.enter(&rules, clock.now(), &request.holder, request.lane, Some(observed)) {
                Entry::Entered(next) => match tenant.write_gate(&request.connection.id, &gate, &next).await? {
                    GateWrite::Written => {
                        return Ok(Session {
                            shops: self.clone(),
                            tenant: tenant.clone(),
                            connection: request.connection.clone(),
                            client,
                            lane: request.lane,
                            rules,
                            holder: request.holder,
                            robot: request.robot.to_owned(),
                            epoch: next.epoch(),
                            gate: next,
                            shown: asked,
                            clock,
                            deadline: request.deadline,
                            doubted: request.after_failure,
                            calls: 0,
                            asked: 0,
                            last_began: None,
                            sent,
                            called: Vec::new(),
                        });
                    }
                    GateWrite::Changed(current) => gate = *current,
                },
                Entry::Closed(closure) => return Err(ShopError::Closed(closure)),
                Entry::Held { .. } => {
                    // A holder that shows itself is alive and may take minutes; one that is silent is watched for a
                    // whole lease, and then relieved.
                    let patience = if watched.changes > 0 { WAIT_FOR_THE_LIVING } else { rules.lease + LOOK_EVERY * 2 };
                    if began.elapsed() > patience || Instant::now() + LOOK_EVERY > request.deadline {
                        return Err(ShopError::Busy);
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                    gate = tenant.gate(&request.connection.id, clock.now()).await?;
                }
            }
            watched.see(gate.seq());
        }
    }
}

/// What a waiting run saw of the gate, on its own monotonic clock.
struct Watched {
    seq: u64,
    since: Instant,
    changes: u32,
}

impl Watched {
    fn new(seq: u64) -> Self {
        Self { seq, since: Instant::now(), changes: 0 }
    }

    fn see(&mut self, seq: u64) {
        if seq != self.seq {
            *self = Self { seq, since: Instant::now(), changes: self.changes + 1 };
        }
    }

    fn observation(&self) -> Observation {
        Observation { seq: self.seq, unchanged_for: self.since.elapsed() }
    }
}

impl Session {
    /// Calls made so far, sign-ins and repetitions included.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// The calls one by one, since this was asked last.
    pub(crate) fn take_called(&mut self) -> Vec<CallMade> {
        std::mem::take(&mut self.called)
    }

    /// Fences what the run writes elsewhere: a run that was robbed of the gate while paused has an older one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many more calls this lane may make today, by our count.
    #[must_use]
    pub fn rest(&self) -> u32 {
        self.gate.rest(&self.rules, self.clock.now(), self.lane)
    }

    /// How many of the day's calls are spent by our count, whoever made them; and how many the shop allows a day.
    #[must_use]
    pub fn spent_of_limit(&self) -> (u32, u32) {
        (self.gate.used().saturating_add(self.gate.carried()), self.rules.daily_limit)
    }

    /// Makes one request to the shop, with a token, repeating it over passing failures as long as the run's time
    /// allows. `request` must be safe to repeat: every write of ours to a shop is.
    pub async fn call<T>(
        &mut self,
        request: impl AsyncFn(&Client, &Token) -> Result<T, Error>,
    ) -> Result<T, ShopError> {
        let mut token = self.token(None).await?;
        let client = self.client.clone();
        let mut refusals = 0;
        loop {
            let answer = self.passed(self.lane, Kind::Call, async || request(&client, &token).await).await;
            match answer {
                // Twice: the token that others share may be as old as the refused one, and only a new one is surely good.
                Err(ShopError::Shop(Error::Unauthorized { .. })) if refusals < 2 => {
                    refusals += 1;
                    self.forget_token(&token);
                    token = self.token(Some(&token)).await?;
                }
                other => return other,
            }
        }
    }

    /// Makes one request to the shop that must not be carried out twice: it is repeated only where it is certain that the
    /// shop did not carry it out. After an error whose [`maybe_applied`](Error::maybe_applied) is true, read what became
    /// of it.
    pub async fn call_once<T>(
        &mut self,
        request: impl AsyncFn(&Client, &Token) -> Result<T, Error>,
    ) -> Result<T, ShopError> {
        let mut token = self.token(None).await?;
        let client = self.client.clone();
        let mut refusals = 0;
        loop {
            // A failure that is not certain goes around the repetition as an answer.
            let answer = self
                .passed(self.lane, Kind::Call, async || match request(&client, &token).await {
                    Err(error) if error.maybe_applied() => Ok(Err(error)),
                    other => other.map(Ok),
                })
                .await;
            match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    self.keep_off_after(&error).await;
                    return Err(error.into());
                }
                Err(ShopError::Shop(Error::Unauthorized { .. })) if refusals < 2 => {
                    refusals += 1;
                    self.forget_token(&token);
                    token = self.token(Some(&token)).await?;
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Notes for how long the shop wants to be left alone, where the error says so. If that fails, whoever made the call
    /// learns of the call's error all the same: it may have been carried out, and that must not be lost.
    async fn keep_off_after(&mut self, error: &Error) {
        if let Retry::Passing { after: Some(after) } = error.retry()
            && let Err(failure) = self.penalty(after).await
        {
            tracing::warn!(robot = %self.robot, error = %failure, "the shop's wish to be left alone was not noted");
        }
    }

    /// Makes one request through the gate, repeated over passing failures.
    pub(crate) async fn passed<T>(
        &mut self,
        lane: Lane,
        kind: Kind,
        request: impl AsyncFn() -> Result<T, Error>,
    ) -> Result<T, ShopError> {
        for wait in BACK_OFF.into_iter().map(Some).chain([None]) {
            let error = match self.pass(lane, kind, &request).await? {
                Ok(answer) => {
                    self.doubted = false;
                    return Ok(answer);
                }
                Err(error) => error,
            };
            if let Error::DailyLimit { after, .. } = &error {
                let now = self.clock.now();
                // Where the shop names a time within the day, that wins.
                let ends_today = |wait: Duration| now.checked_add(wait).is_ok_and(|at| at < jst::next_reset(now));
                if !after.is_some_and(ends_today) {
                    return Err(self.close().await?);
                }
            }
            let Retry::Passing { after } = error.retry() else {
                self.doubted = false;
                return Err(error.into());
            };
            let own = wait.filter(|_| !self.doubted).map(|back_off| back_off.mul_f64(0.75 + fastrand::f64() / 2.0));
            let Some(pause) = after.or(own) else { return Err(error.into()) };
            // Other robots of the shop keep to it too: also where this call was the last.
            self.penalty(pause).await?;
            // A shop that wants to be left alone for long is left, and the failure counts: it comes again then.
            if wait.is_none() || pause > self.rules.patience() || Instant::now() + pause > self.deadline {
                return Err(error.into());
            }
            tracing::warn!(robot = %self.robot, pause_seconds = pause.as_secs_f64(), error = error.for_log(), "the shop failed; the call is repeated");
        }
        Err(ShopError::OutOfTime)
    }

    /// One call: asks the gate until it is granted, then makes the request once.
    async fn pass<T>(
        &mut self,
        lane: Lane,
        kind: Kind,
        request: &impl AsyncFn() -> Result<T, Error>,
    ) -> Result<Result<T, Error>, ShopError> {
        loop {
            // Where the shop is slower than the pace, nothing is ever waited for, and nothing else looks at the time.
            if Instant::now() > self.deadline {
                return Err(ShopError::OutOfTime);
            }
            self.asked += 1;
            let call_id = format!("{}-{}", self.holder, self.asked);
            let asked_at = Instant::now();
            if !self.granted(lane, kind, &call_id).await? {
                continue;
            }
            // Too late to be over within the lease, or in time: it stays counted, and is not made.
            if asked_at.elapsed() > BEGIN_WITHIN || Instant::now() > self.deadline {
                continue;
            }
            self.calls += 1;
            let at = self.clock.now();
            self.last_began = Some(at);
            let answer = request().await;
            self.called.extend(self.sent.take().into_iter().map(|sent| CallMade {
                at,
                lane,
                method: sent.method.to_owned(),
                path: sent.path,
                status: sent.status,
                milliseconds: u32::try_from(sent.took.as_millis()).unwrap_or(u32::MAX),
            }));
            return Ok(answer);
        }
    }

    /// Asks for one call. False if a wait came in between, after which the call wants a new id.
    async fn granted(&mut self, lane: Lane, kind: Kind, call_id: &str) -> Result<bool, ShopError> {
        loop {
            let call = Call {
                run: &self.holder,
                epoch: self.epoch,
                lane,
                robot: &self.robot,
                call_id,
                kind,
                last_began: self.last_began,
            };
            match self.gate.call(&self.rules, self.clock.now(), &call) {
                CallDecision::Granted(next) => {
                    if self.write(next).await? {
                        return Ok(true);
                    }
                }
                CallDecision::AlreadyGranted => return Ok(true),
                CallDecision::LeaseLost => return Err(ShopError::LeaseLost),
                CallDecision::Closed(closure) => return Err(ShopError::Closed(closure)),
                CallDecision::SignInsSpent { until } => return Err(ShopError::SignInsSpent { until }),
                CallDecision::Wait(wait) => {
                    if Instant::now() + wait > self.deadline {
                        return Err(ShopError::OutOfTime);
                    }
                    self.sit_out(wait).await?;
                    return Ok(false);
                }
                CallDecision::NotBefore(wait) => {
                    let until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
                    return Err(ShopError::NotBefore { until });
                }
            }
        }
    }

    /// Waits with the gate in hand, and shows itself meanwhile: a holder of whom nothing is seen for a lease is relieved.
    async fn sit_out(&mut self, wait: Duration) -> Result<(), ShopError> {
        let until = Instant::now() + wait;
        loop {
            let next_sign = self.shown + self.rules.sign_of_life();
            tokio::time::sleep_until(until.min(next_sign).into()).await;
            if until <= next_sign {
                return Ok(());
            }
            self.renew().await?;
        }
    }

    /// Does what takes a while and calls nobody, and shows meanwhile that this run is alive: a holder of whom nothing is seen
    /// for a lease is relieved.
    ///
    /// # Errors
    /// The work's own; `LeaseLost` if somebody else has the gate, and `OutOfTime` where the run's time is over first: then the
    /// work is dropped.
    pub async fn meanwhile<T, E>(&mut self, work: impl Future<Output = Result<T, E>>) -> Result<T, ShopError>
    where
        ShopError: From<E>,
    {
        let mut work = std::pin::pin!(work);
        loop {
            let next_sign = self.shown + self.rules.sign_of_life();
            match tokio::time::timeout_at(next_sign.min(self.deadline).into(), work.as_mut()).await {
                Ok(done) => return Ok(done?),
                Err(_) if Instant::now() >= self.deadline => return Err(ShopError::OutOfTime),
                Err(_) => self.renew().await?,
            }
        }
    }

    async fn renew(&mut self) -> Result<(), ShopError> {
        self.change(|gate, session| gate.renew(&session.rules, session.clock.now(), &session.holder, session.epoch))
            .await
    }

    async fn penalty(&mut self, wait: Duration) -> Result<(), ShopError> {
        self.change(|gate, session| {
            gate.penalty(&session.rules, session.clock.now(), &session.holder, session.epoch, wait)
        })
        .await
    }

    /// Closes the gate for the day, because the shop said so.
    async fn close(&mut self) -> Result<ShopError, ShopError> {
        self.change(|gate, session| gate.close(&session.rules, session.clock.now(), &session.holder, session.epoch))
            .await?;
        let closed = self.gate.closed_for(&self.rules, self.clock.now(), self.lane);
        Ok(closed.map_or(ShopError::LeaseLost, ShopError::Closed))
    }

    /// Hands the gate back.
    pub async fn leave(mut self) -> Result<(), ShopError> {
        match self
            .change(|gate, session| gate.leave(&session.rules, session.clock.now(), &session.holder, session.epoch))
            .await
        {
            // Somebody else has it already: there is nothing to hand back.
            Err(ShopError::LeaseLost) => Ok(()),
            other => other,
        }
    }

    async fn change(
        &mut self,
        decide: impl Fn(&GateState, &Self) -> Result<GateState, renkei_domain::gate::LeaseLost>,
    ) -> Result<(), ShopError> {
        loop {
            let next = decide(&self.gate, self).map_err(|_| ShopError::LeaseLost)?;
            if self.write(next).await? {
                return Ok(());
            }
        }
    }

    /// Writes what was decided from the gate as it is known. False if the gate was another meanwhile, which is known now.
    async fn write(&mut self, next: GateState) -> Result<bool, ShopError> {
        let asked = Instant::now();
        match self.tenant.write_gate(&self.connection.id, &self.gate, &next).await? {
            GateWrite::Written => {
                self.gate = next;
                self.shown = asked;
                Ok(true)
            }
            GateWrite::Changed(current) => {
                self.gate = *current;
                Ok(false)
            }
        }
    }
}
