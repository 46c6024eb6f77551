//! What the demo has done to each shop, counted twice: by what Renkei stores, and by the shop's own books. The two must
//! agree.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_domain::jst;
use renkei_domain::run::{Outcome, Run, RunState};
use renkei_domain::shipment::{HoldReason, Status};
use renkei_simulator::ControlClient;
use renkei_simulator::api::LedgerSummary;
use serde::Serialize;

use crate::error::CliError;
use crate::output;
use crate::stack::Found;

/// Page by which shipments are counted.
const PAGE: i32 = 1_000;

/// One shop after the demo. The keys are those of `renkei demo --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    tenant: String,
    connection: String,
    api_url: String,
    /// Orders that the shop has, cancelled ones left out.
    orders: u64,
    imported: u64,
    quarantined: u64,
    duplicate: u64,
    refused: u64,
    shipments: u64,
    ready: u64,
    hold: u64,
    /// By the reason that is shown first.
    hold_reasons: BTreeMap<&'static str, u64>,
    /// Orders that the shop has in its working state, or further on.
    told: u64,
    /// Orders that the run of this demo told.
    told_now: u64,
    limit: u32,
    calls: u32,
    calls_at_shop: u64,
    most_at_once: u64,
    overlapping: u64,
    too_fast: u64,
    beyond_limit: u64,
    call_interval_ms: u32,
    least_interval_ms: Option<f64>,
    faults: BTreeMap<String, u64>,
    fetch: RunReport,
    working: RunReport,
}

/// One run of one robot.
#[derive(Debug, Serialize)]
struct RunReport {
    state: &'static str,
    seconds: f64,
    blocked_until: Option<Timestamp>,
    error: Option<String>,
}

impl RunReport {
    fn of(run: &Run, seconds: f64) -> Self {
        Self {
            state: run.state.as_str(),
            seconds: (seconds * 10.0).round() / 10.0,
            blocked_until: run.blocked_until.filter(|_| run.state == RunState::Blocked),
            error: run.error.clone().filter(|_| run.state == RunState::Failed),
        }
    }

    fn is_blocked(&self) -> bool {
        self.blocked_until.is_some()
    }
}

/// What is stored of a shop's shipments.
#[derive(Default)]
struct Stored {
    orders: u64,
    by_status: BTreeMap<&'static str, u64>,
    hold_reasons: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Counts. Each run comes with its seconds.
    pub async fn of(
        place: &Found,
        control: &ControlClient,
        fetch: &(Run, f64),
        working: &(Run, f64),
    ) -> Result<Self, CliError> {
        let connection = &place.connection;
        let shop = control.shop(connection.id.as_str()).await?;
        let ledger = control.ledger_summary(connection.id.as_str()).await?;
        let cancelled: u64 = connection.states.cancelled.iter().filter_map(|state| shop.by_state.get(state)).sum();
        let stored = stored(place).await?;
        let mut outcomes = BTreeMap::new();
        for kept in place.tenant.not_imported(place.id()).await? {
            *outcomes.entry(kept.summary.outcome).or_insert(0) += 1;
        }
        let outcome = |outcome| outcomes.get(&outcome).copied().unwrap_or(0);
        let status = |status: Status| stored.by_status.get(status.as_str()).copied().unwrap_or(0);
        let gate = place.tenant.gate(place.id(), Timestamp::now()).await?;
        let LedgerSummary {
            calls, by_fault, max_in_flight, overlapping, min_interval_ms, too_fast, beyond_limit, ..
        } = ledger;
        Ok(Self {
            tenant: place.tenant.id().to_string(),
            connection: connection.id.to_string(),
            api_url: connection.api_url.clone(),
            orders: shop.orders - cancelled,
            imported: stored.orders,
            quarantined: outcome(Outcome::Quarantined),
            duplicate: outcome(Outcome::Duplicate),
            refused: outcome(Outcome::Refused),
            shipments: stored.by_status.values().sum(),
            ready: status(Status::Ready),
            hold: status(Status::Hold),
            hold_reasons: stored.hold_reasons,
            told: [&connection.states.working, &connection.states.shipped]
                .into_iter()
                .filter_map(|state| shop.by_state.get(state))
                .sum(),
            told_now: working.0.counts.get("told").copied().unwrap_or(0),
            limit: connection.daily_call_limit,
            calls: gate.used(),
            calls_at_shop: calls,
            most_at_once: max_in_flight,
            overlapping,
            too_fast,
            beyond_limit,
            call_interval_ms: connection.call_interval_ms,
            least_interval_ms: min_interval_ms.map(|ms| (ms * 10.0).round() / 10.0),
            faults: by_fault,
            fetch: RunReport::of(&fetch.0, fetch.1),
            working: RunReport::of(&working.0, working.1),
        })
    }

    /// Orders that the shop has still to be told of.
    fn untold(&self) -> u64 {
        self.imported.saturating_sub(self.told)
    }

    /// What is not as it must be, in sentences. None of them, if all went well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, sentence: String| {
            if !holds {
                wrong.push(format!("{}: {sentence}", self.connection));
            }
        };
        for (robot, run) in [("fetch-orders", &self.fetch), ("state-working", &self.working)] {
            if let Some(error) = &run.error {
                must(false, format!("{robot} failed: {error}"));
            }
        }
        let accounted = self.imported + self.quarantined + self.duplicate + self.refused;
        must(
            accounted == self.orders || (self.fetch.is_blocked() && accounted < self.orders),
            format!("the shop has {} orders, and {accounted} are accounted for", self.orders),
        );
        must(
            self.untold() == 0 || self.working.is_blocked(),
            format!("{} of {} orders were not told as working", self.untold(), self.imported),
        );
        must(self.told <= self.imported, format!("{} orders were told, {} imported", self.told, self.imported));
        must(
            u64::from(self.calls) == self.calls_at_shop,
            format!("{} calls are counted here, {} at the shop", self.calls, self.calls_at_shop),
        );
        must(self.overlapping == 0, format!("{} calls overlapped", self.overlapping));
        must(self.too_fast == 0, format!("{} calls came too fast", self.too_fast));
        must(self.beyond_limit == 0, format!("{} calls were beyond the day's limit", self.beyond_limit));
        wrong
    }
}

async fn stored(place: &Found) -> Result<Stored, CliError> {
    let mut stored = Stored::default();
    for status in Status::ALL {
        let mut from = None;
        loop {
            let page = place.tenant.shipments_by_status(place.id(), status, PAGE, from).await?;
            stored.orders += page.rows.iter().filter(|id| id.is_lead()).count() as u64;
            *stored.by_status.entry(status.as_str()).or_default() += page.rows.len() as u64;
            if status == Status::Hold {
                for shipment in place.tenant.shipments(&page.rows).await? {
                    let reason = shipment.hold_reason().map_or("none", HoldReason::as_str);
                    *stored.hold_reasons.entry(reason).or_default() += 1;
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(stored)
}

/// Shows the reports to people.
pub fn show(reports: &[Report]) -> Result<(), CliError> {
    output::line("\nOrders\n")?;
    let rows: Vec<Vec<String>> = reports.iter().map(orders_row).collect();
    let headings = [
        "merchant",
        "shop",
        "at the shop",
        "imported",
        "unknown product",
        "entered twice",
        "shipments",
        "ready 出荷待ち",
        "hold 保留",
        "told working",
        "to be told",
    ];
    output::table(&headings, &rows)?;
    for report in reports {
        let reasons: Vec<String> = HoldReason::ALL
            .iter()
            .filter_map(|reason| {
                let count = report.hold_reasons.get(reason.as_str())?;
                Some(format!("{count} {} {}", reason.as_str(), reason.label()))
            })
            .collect();
        if !reasons.is_empty() {
            output::line(format!("  on hold in {}: {}", report.connection, reasons.join(", ")))?;
        }
    }
    output::line("\nCalls, as the shops counted them\n")?;
    let rows: Vec<Vec<String>> = reports.iter().map(calls_row).collect();
    let headings = [
        "shop",
        "calls / limit",
        "counted by us",
        "at once",
        "least interval",
        "agreed",
        "fetched in",
        "told in",
        "went wrong at the shop",
        "now",
    ];
    output::table(&headings, &rows)
}

fn orders_row(report: &Report) -> Vec<String> {
    let counts = [
        report.orders,
        report.imported,
        report.quarantined,
        report.duplicate,
        report.shipments,
        report.ready,
        report.hold,
        report.told,
        report.untold(),
    ];
    [report.tenant.clone(), report.connection.clone()]
        .into_iter()
        .chain(counts.map(|count| count.to_string()))
        .collect()
}

fn calls_row(report: &Report) -> Vec<String> {
    let faults: Vec<String> = report.faults.iter().map(|(fault, count)| format!("{count}× {fault}")).collect();
    let until = report.fetch.blocked_until.or(report.working.blocked_until);
    vec![
        report.connection.clone(),
        format!("{} / {}", report.calls_at_shop, report.limit),
        report.calls.to_string(),
        report.most_at_once.to_string(),
        report.least_interval_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
        format!("{} ms", report.call_interval_ms),
        format!("{:.1} s", report.fetch.seconds),
        format!("{:.1} s", report.working.seconds),
        if faults.is_empty() { "-".to_owned() } else { faults.join(", ") },
        until.map_or_else(|| "open".to_owned(), |until| format!("blocked until {}", jst::display(until))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: RunState) -> RunReport {
        let blocked_until = (state == RunState::Blocked).then(|| "2026-11-25T00:05:00Z".parse().unwrap());
        RunReport { state: state.as_str(), seconds: 1.5, blocked_until, error: None }
    }

    fn report() -> Report {
        Report {
            tenant: "taro".into(),
            connection: "taro-tea".into(),
            api_url: "http://127.0.0.1:9101".into(),
            orders: 250,
            imported: 246,
            quarantined: 2,
            duplicate: 2,
            refused: 0,
            shipments: 260,
            ready: 200,
            hold: 60,
            hold_reasons: BTreeMap::from([("awaiting-payment", 60)]),
            told: 246,
            told_now: 246,
            limit: 100,
            calls: 7,
            calls_at_shop: 7,
            most_at_once: 1,
            overlapping: 0,
            too_fast: 0,
            beyond_limit: 0,
            call_interval_ms: 200,
            least_interval_ms: Some(200.4),
            faults: BTreeMap::new(),
            fetch: run(RunState::NeedsPerson),
            working: run(RunState::Done),
        }
    }

    #[test]
    fn what_adds_up_is_right() {
        assert_eq!(report().wrong(), [""; 0]);
        let blocked = Report { told: 100, told_now: 100, working: run(RunState::Blocked), ..report() };
        assert_eq!(blocked.wrong(), [""; 0]);
        assert_eq!(blocked.untold(), 146);
    }

    #[test]
    fn whatever_does_not_add_up_is_said() {
        let failed = RunReport { error: Some("the shop refuses the token".into()), ..run(RunState::Failed) };
        let cases = [
            (Report { imported: 245, told: 245, ..report() }, "249 are accounted for"),
            (Report { imported: 247, told: 247, ..report() }, "251 are accounted for"),
            (Report { told: 100, ..report() }, "146 of 246 orders were not told"),
            (Report { calls_at_shop: 8, ..report() }, "8 at the shop"),
            (Report { overlapping: 2, ..report() }, "2 calls overlapped"),
            (Report { too_fast: 1, ..report() }, "1 calls came too fast"),
            (Report { beyond_limit: 1, ..report() }, "beyond the day's limit"),
            (Report { working: failed, ..report() }, "state-working failed: the shop refuses the token"),
        ];
        for (report, said) in cases {
            let wrong = report.wrong();
            assert!(wrong.len() == 1 && wrong[0].contains(said), "{said}: {wrong:?}");
        }
    }

    #[test]
    fn tables_have_a_cell_for_each_heading() {
        assert_eq!(orders_row(&report()).len(), 11);
        assert_eq!(calls_row(&report()).len(), 10);
    }
}
