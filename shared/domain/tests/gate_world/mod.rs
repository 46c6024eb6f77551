//! A small world around the gate: a shop that keeps its own books, one stored item behind a network that loses and
//! delays, and runs on machines whose clocks differ. The nasty cases are operations of this model; two drivers walk
//! through it, one at random and long (`gate_model`), one through everything and short (`gate_states`).
//!
//! The model keeps to what `renkei_domain::gate` asks of the store and of a run, and checks the promises made there
//! from outside (`promises`): by the shop's books and in true time, which no run knows.

#![allow(dead_code, reason = "each driver uses its part")]

mod promises;

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane, Observation, adopt};

pub const DAY: i64 = 86_400_000;

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// Carried out; the writer never hears of it.
    AnswerLost,
    /// Never arrives.
    Dropped,
    /// Arrives at some later time; the writer has given it up by then.
    Late,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    Enter,
    Call { id: String, kind: Kind },
    Renew,
    Penalty(Duration),
    Close,
    Leave,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Outside,
    Inside {
        known: GateState,
    },
    /// A write was sent, and what became of it is not known. `since`: when it was first asked for.
    Unsure {
        request: Request,
        attempted: GateState,
        since: i64,
    },
    Granted {
        known: GateState,
        kind: Kind,
        since: i64,
    },
    /// `until`: the run's own time limit, from its lease.
    Calling {
        known: GateState,
        ends: i64,
        until: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    pub machine: usize,
    pub serial: u32,
    pub offset: i64,
    pub lane: Lane,
    pub phase: Phase,
    calls: u32,
    seen: Option<(u64, i64)>,
    last_began: Option<i64>,
}

impl Run {
    fn name(&self) -> String {
        format!("{}.{}", self.machine, self.serial)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    expected: u64,
    state: GateState,
    writer: String,
    entry: bool,
    /// Until when, in true time, nobody is to call once it is written.
    not_before: Option<i64>,
}

/// The shop's own books, in true time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shop {
    pub last_began: Option<i64>,
    pub by_day: Vec<(i64, u32)>,
    pub sign_ins: Vec<i64>,
    /// What it asked for last, as far as the item was told.
    pub not_before: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub rules: GateRules,
    /// True time, milliseconds.
    pub now: i64,
    pub item: Option<GateState>,
    pub late: Vec<Write>,
    pub runs: Vec<Run>,
    pub shop: Shop,
    /// The highest limit that was ever in force.
    pub highest_limit: u32,
    /// Promises that were broken.
    pub broken: Vec<String>,
}

impl World {
    pub fn new(rules: GateRules, now: i64, machines: &[(i64, Lane)]) -> Self {
        let runs = machines
            .iter()
            .enumerate()
            .map(|(machine, &(offset, lane))| Run {
                machine,
                serial: 0,
                offset,
                lane,
                phase: Phase::Outside,
                calls: 0,
                seen: None,
                last_began: None,
            })
            .collect();
        Self {
            highest_limit: rules.daily_limit,
            rules,
            now,
            item: None,
            late: Vec::new(),
            runs,
            shop: Shop::default(),
            broken: Vec::new(),
        }
    }

    pub fn set_limit(&mut self, limit: u32) {
        self.rules.daily_limit = limit;
        self.highest_limit = self.highest_limit.max(limit);
    }

    pub fn tick(&mut self, by: i64) {
        self.now += by;
        for run in &mut self.runs {
            if let Phase::Calling { known, ends, until } = &run.phase
                && self.now >= *ends.min(until)
            {
                run.phase = Phase::Inside { known: known.clone() };
            }
        }
    }

    /// The run's next own move. A run inside decides from what it knows, as one does that was paused in between.
    pub fn step(&mut self, who: usize, wish: &Request, fate: Fate, call_takes: i64) {
        match self.runs[who].phase.clone() {
            Phase::Outside => self.ask(who, Request::Enter, self.now, self.item.clone(), fate),
            Phase::Inside { known } => self.ask(who, wish.clone(), self.now, Some(known), fate),
            Phase::Unsure { request, attempted, since } => self.ask_again(who, request, &attempted, since, fate),
            Phase::Granted { known, kind, since } => self.begin(who, known, kind, since, call_takes),
            Phase::Calling { known, ends, .. } => {
                let run = &self.runs[who];
                let Some(item) = self.item.clone() else { return };
                let Ok(next) = item.renew(&self.rules, self.local(who), &run.name(), known.epoch()) else { return };
                let write =
                    Write { expected: item.seq(), state: next, writer: run.name(), entry: false, not_before: None };
                if self.send(write, fate) == Some(true) {
                    self.runs[who].phase = Phase::Calling { known, ends, until: self.now + self.lease() };
                }
            }
        }
    }

    /// The function is killed; its machine starts another.
    pub fn die(&mut self, who: usize) {
        let run = &mut self.runs[who];
        run.serial += 1;
        run.phase = Phase::Outside;
        run.seen = None;
        run.last_began = None;
    }

    /// A write arrives that its writer gave up long ago.
    pub fn arrive(&mut self, which: usize) {
        if !self.late.is_empty() {
            let write = self.late.remove(which % self.late.len());
            self.compare_and_set(write);
        }
    }

    /// A call that this run never asked for before.
    pub fn next_call(&self, who: usize, kind: Kind) -> Request {
        let run = &self.runs[who];
        Request::Call { id: format!("{}-{}", run.name(), run.calls), kind }
    }

    /// Forgets what can no longer make a difference, so that states which differ only in that are one.
    pub fn forget(&mut self) {
        let (now, interval) = (self.now, millis(self.rules.interval));
        let seq = self.item.as_ref().map_or(0, GateState::seq);
        self.late.retain(|write| write.expected == seq);
        self.shop.last_began = self.shop.last_began.filter(|last| now - last < interval);
        self.shop.not_before = self.shop.not_before.filter(|until| now < *until);
        self.shop.by_day.retain(|(day, _)| *day == now.div_euclid(DAY));
        let lease = self.lease();
        for run in &mut self.runs {
            run.last_began = run.last_began.filter(|last| now - last < interval);
            run.seen = run.seen.filter(|&(seen, _)| seen == seq && run.phase == Phase::Outside);
            run.seen = run.seen.map(|(seen, since)| (seen, since.max(now - lease)));
        }
    }

    fn ask(&mut self, who: usize, request: Request, since: i64, item: Option<GateState>, fate: Fate) {
        let now = self.local(who);
        let expected = item.as_ref().map_or(0, GateState::seq);
        let base = item.unwrap_or_else(|| GateState::fresh(now));
        let run = &self.runs[who];
        let name = run.name();
        let epoch = match &run.phase {
            Phase::Inside { known } => known.epoch(),
            Phase::Unsure { attempted, .. } => attempted.epoch(),
            _ => 0,
        };
        let change = match &request {
            Request::Enter => {
                let seen = run.seen.filter(|&(seq, _)| seq == base.seq()).unwrap_or((base.seq(), self.now));
                let unchanged_for = Duration::from_millis((self.now - seen.1).cast_unsigned());
                let observed = Observation { seq: seen.0, unchanged_for };
                let entry = base.enter(&self.rules, now, &name, run.lane, Some(observed));
                self.runs[who].seen = Some(seen);
                match entry {
                    Entry::Entered(next) => next,
                    Entry::Held { .. } | Entry::Closed(_) => {
                        self.runs[who].phase = Phase::Outside;
                        return;
                    }
                }
            }
            Request::Call { id, kind } => {
                let call = Call {
                    run: &name,
                    epoch,
                    lane: run.lane,
                    robot: "robot",
                    call_id: id,
                    kind: *kind,
                    last_began: run.last_began.map(|at| stamp(at + run.offset)),
                };
                match base.call(&self.rules, now, &call) {
                    CallDecision::Granted(next) => {
                        self.check_floors(&base, &next, now, run.lane);
                        next
                    }
                    CallDecision::AlreadyGranted => {
                        self.runs[who].phase = Phase::Granted { known: base, kind: *kind, since };
                        return;
                    }
                    CallDecision::LeaseLost => return self.die(who),
                    CallDecision::Wait(_)
                    | CallDecision::NotBefore(_)
                    | CallDecision::Closed(_)
                    | CallDecision::SignInsSpent { .. } => {
                        self.runs[who].phase = Phase::Inside { known: base };
                        return;
                    }
                }
            }
            Request::Renew | Request::Penalty(_) | Request::Close | Request::Leave => {
                let answer = match &request {
                    Request::Penalty(wait) => base.penalty(&self.rules, now, &name, epoch, *wait),
                    Request::Close => base.close(&self.rules, now, &name, epoch),
                    Request::Leave => base.leave(&self.rules, now, &name, epoch),
                    Request::Renew | Request::Enter | Request::Call { .. } => {
                        base.renew(&self.rules, now, &name, epoch)
                    }
                };
                match answer {
                    Ok(next) => next,
                    Err(_) => return self.die(who),
                }
            }
        };
        if matches!(request, Request::Call { .. }) {
            self.runs[who].calls += 1;
        }
        let not_before =
            matches!(request, Request::Penalty(_)).then(|| stamp_ms(change.next_call_at()) - self.runs[who].offset);
        let entry = request == Request::Enter;
        let write = Write { expected, state: change.clone(), writer: name, entry, not_before };
        match self.send(write, fate) {
            Some(true) => self.won(who, &request, change, since),
            Some(false) | None => self.runs[who].phase = Phase::Unsure { request, attempted: change, since },
        }
    }

    fn ask_again(&mut self, who: usize, request: Request, attempted: &GateState, since: i64, fate: Fate) {
        match self.item.clone() {
            Some(item) if adopt(attempted, &item) => self.won(who, &request, item, since),
            item => self.ask(who, request, since, item, fate),
        }
    }

    fn won(&mut self, who: usize, request: &Request, known: GateState, since: i64) {
        match request {
            Request::Call { kind, .. } => self.runs[who].phase = Phase::Granted { known, kind: *kind, since },
            Request::Leave => self.die(who),
            Request::Enter | Request::Renew | Request::Penalty(_) | Request::Close => {
                self.runs[who].phase = Phase::Inside { known };
            }
        }
    }

    fn begin(&mut self, who: usize, known: GateState, kind: Kind, since: i64, takes: i64) {
        let until = since + self.lease();
        if self.now >= until {
            self.runs[who].phase = Phase::Inside { known };
            return;
        }
        self.shop_is_called(who, kind);
        self.runs[who].last_began = Some(self.now);
        self.runs[who].phase = Phase::Calling { known, ends: self.now + takes, until };
        // A call that takes no time is over.
        self.tick(0);
    }

    /// Whether it was written; None: the writer hears nothing.
    fn send(&mut self, write: Write, fate: Fate) -> Option<bool> {
        match fate {
            Fate::Answered => return Some(self.compare_and_set(write)),
            Fate::AnswerLost => {
                self.compare_and_set(write);
            }
            Fate::Dropped => {}
            Fate::Late => self.late.push(write),
        }
        None
    }

    /// The store's one conditional write; what an implementation of the store must do, and all it must do.
    fn compare_and_set(&mut self, write: Write) -> bool {
        if self.item.as_ref().map_or(0, GateState::seq) != write.expected {
            return false;
        }
        self.check_change(&write);
        self.shop.not_before = self.shop.not_before.max(write.not_before);
        self.item = Some(write.state);
        true
    }

    pub fn lease(&self) -> i64 {
        millis(self.rules.lease)
    }

    fn local(&self, who: usize) -> Timestamp {
        stamp(self.now + self.runs[who].offset)
    }
}

pub fn stamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn stamp_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}
