//! Keeping the ledger: when each call came and went, and what else was going on.

use std::collections::{BTreeMap, VecDeque};

use crate::api::{Endpoint, LedgerEntry, LedgerSummary};

/// Calls that ended, and those in flight.
#[derive(Default)]
pub struct Ledger {
    entries: Vec<LedgerEntry>,
    in_flight: BTreeMap<u64, bool>,
    next: u64,
    last_start_us: Option<u64>,
}

/// What arrival alone says of a call.
pub struct Arrival {
    /// Names the call until it ends.
    pub sequence: u64,
    /// Other calls in flight.
    pub in_flight: u64,
    /// Microseconds since the call before began.
    pub since_previous_us: Option<u64>,
}

impl Ledger {
    /// A call arrives.
    pub fn begin(&mut self, started_us: u64) -> Arrival {
        self.next += 1;
        let in_flight = self.in_flight.len() as u64;
        for shared in self.in_flight.values_mut() {
            *shared = true;
        }
        self.in_flight.insert(self.next, in_flight > 0);
        let since_previous_us = self.last_start_us.map(|last| started_us.saturating_sub(last));
        self.last_start_us = Some(started_us);
        Arrival { sequence: self.next, in_flight, since_previous_us }
    }

    /// A call ends; whether it overlapped is known only now.
    pub fn end(&mut self, mut entry: LedgerEntry) {
        entry.overlap = self.in_flight.remove(&entry.sequence).unwrap_or(false);
        self.entries.push(entry);
    }

    /// Every call that ended, in order of arrival.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| entry.sequence);
        entries
    }

    /// Forgets what has ended. Numbers go on, since calls in flight have theirs.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.last_start_us = None;
    }

    /// The ledger in figures.
    pub fn summary(&self) -> LedgerSummary {
        let entries = self.entries();
        let mut summary = LedgerSummary { calls: entries.len() as u64, ..LedgerSummary::default() };
        let mut hour = VecDeque::new();
        let mut min_interval_us: Option<u64> = None;
        for entry in &entries {
            *summary.by_endpoint.entry(format!("{} {}", entry.method, entry.endpoint.name())).or_default() += 1;
            let status = entry.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            *summary.by_status.entry(status).or_default() += 1;
            if let Some(fault) = &entry.fault {
                *summary.by_fault.entry(fault.clone()).or_default() += 1;
            }
            summary.max_in_flight = summary.max_in_flight.max(entry.in_flight + 1);
            summary.overlapping += u64::from(entry.overlap);
            summary.too_fast += u64::from(entry.too_fast);
            summary.beyond_limit += u64::from(entry.beyond_limit);
            summary.beyond_sign_ins += u64::from(entry.beyond_sign_ins);
            summary.rows += entry.rows;
            summary.applied += entry.applied;
            if let Some(interval) = entry.since_previous_us {
                min_interval_us = Some(min_interval_us.map_or(interval, |least| least.min(interval)));
            }
            if !entry.beyond_limit {
                let day = jiff::tz::Offset::UTC.to_datetime(entry.started_at).date();
                *summary.by_quota_day.entry(day.to_string()).or_default() += 1;
            }
            if entry.endpoint == Endpoint::SignIn {
                summary.sign_ins += 1;
                let at = entry.started_at.as_microsecond();
                hour.push_back(at);
                while hour.front().is_some_and(|first| at - first >= 3_600_000_000) {
                    hour.pop_front();
                }
                summary.max_sign_ins_within_an_hour = summary.max_sign_ins_within_an_hour.max(hour.len() as u64);
            }
        }
        summary.min_interval_ms = min_interval_us.map(|micros| micros as f64 / 1000.0);
        summary
    }
}
