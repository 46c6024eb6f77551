//! A run in the gate, from which the tests of its rules start.

#![allow(dead_code, reason = "each takes what it needs")]
#![expect(clippy::result_large_err, reason = "a refusal is compared as the gate gave it")]

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::gate::{Call, CallDecision, Closure, Entry, GateRules, GateState, Kind, Lane};

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn morning() -> Timestamp {
    at("2026-11-24T01:00:00Z")
}

/// A run in the gate, with a clock that can be moved, calling like a run does.
pub struct Inside {
    pub rules: GateRules,
    pub state: GateState,
    pub now: Timestamp,
    pub run: &'static str,
    pub calls: u32,
}

impl Inside {
    pub fn enter(rules: GateRules, now: Timestamp) -> Self {
        Self::enter_as("run-1", rules, now, &GateState::fresh(now))
    }

    pub fn enter_as(run: &'static str, rules: GateRules, now: Timestamp, state: &GateState) -> Self {
        let Entry::Entered(state) = state.enter(&rules, now, run, Lane::Fetch, None) else { panic!("not let in") };
        Self { rules, state, now, run, calls: 0 }
    }

    pub fn ask(&mut self, lane: Lane, kind: Kind) -> CallDecision {
        self.calls += 1;
        let call_id = format!("{}-{}-{}", self.run, self.state.epoch(), self.calls);
        let call = Call {
            run: self.run,
            epoch: self.state.epoch(),
            lane,
            robot: "fetch orders",
            call_id: &call_id,
            kind,
            last_began: None,
        };
        self.state.call(&self.rules, self.now, &call)
    }

    /// One call, as soon as the pace allows; or why not.
    pub fn call(&mut self, lane: Lane) -> Result<(), CallDecision> {
        self.make(lane, Kind::Call)
    }

    pub fn make(&mut self, lane: Lane, kind: Kind) -> Result<(), CallDecision> {
        let mut decision = self.ask(lane, kind);
        if let CallDecision::Wait(wait) = decision {
            self.now += wait;
            decision = self.ask(lane, kind);
        }
        let CallDecision::Granted(next) = decision else { return Err(decision) };
        self.state = next;
        Ok(())
    }

    /// As many calls as are granted, and the reason that ended them.
    pub fn call_on(&mut self, lane: Lane) -> (u32, Closure) {
        for made in 0.. {
            match self.call(lane) {
                Ok(()) => {}
                Err(CallDecision::Closed(closure)) => return (made, closure),
                Err(other) => panic!("{other:?}"),
            }
        }
        unreachable!("a limit ends every series")
    }

    pub fn rest(&self, lane: Lane) -> u32 {
        self.state.rest(&self.rules, self.now, lane)
    }
}
