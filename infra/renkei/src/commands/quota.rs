//! `renkei quota`: calls spent of each shop's daily limit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use renkei_domain::gate::{Lane, Reason};
use renkei_domain::jst;
use renkei_shop::gate_rules;
use serde::Serialize;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// By the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct QuotaLine<'a> {
    tenant: &'a str,
    connection: &'a str,
    day: Date,
    limit: u32,
    used: u32,
    by_robot: BTreeMap<String, u32>,
    closed_until: Option<Timestamp>,
    next_reset: Timestamp,
}

/// Lists what is spent.
pub async fn list(stack: &Stack, scope: &Scope, json: bool) -> Result<Exit, CliError> {
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for place in stack.connections(scope).await? {
        let gate = place.tenant.gate(place.id(), now).await?;
        let rules = gate_rules(&place.connection);
        // Nothing was called yet today: the item still stands on an earlier day.
        let day = jst::quota_day(now).max(gate.day());
        let today = day == gate.day();
        // The most urgent lane is stopped only by what stops all.
        let closed = gate.closed_for(&rules, now, Lane::WriteBack).filter(|c| c.reason != Reason::LaneFloor);
        let line = QuotaLine {
            tenant: place.tenant.id().as_str(),
            connection: place.id().as_str(),
            day,
            limit: rules.daily_limit,
            used: if today { gate.used() } else { 0 },
            by_robot: if today { gate.by_robot().clone() } else { BTreeMap::new() },
            closed_until: closed.map(|closure| closure.until),
            next_reset: jst::next_reset(now),
        };
        if json {
            output::json_line(&line)?;
            continue;
        }
        let by_robot: Vec<String> = line.by_robot.iter().map(|(robot, calls)| format!("{robot} {calls}")).collect();
        rows.push(vec![
            line.tenant.to_owned(),
            line.connection.to_owned(),
            format!("{} / {}", line.used, line.limit),
            gauge(line.used, line.limit),
            state(line.closed_until, line.next_reset),
            by_robot.join(", "),
        ]);
    }
    if !json {
        output::table(&["tenant", "connection", "calls", "", "state", "by robot"], &rows)?;
    }
    Ok(Exit::Done)
}

/// When a closed gate opens is the closing's own to say: minutes after a day began it may be on that very day.
fn state(closed_until: Option<Timestamp>, next_reset: Timestamp) -> String {
    match closed_until {
        Some(until) => format!("blocked until {}", jst::display(until)),
        None => format!("open; begins anew {}", jst::display(next_reset)),
    }
}

fn gauge(used: u32, limit: u32) -> String {
    let filled = (u64::from(used) * 20).div_ceil(u64::from(limit.max(1))).min(20) as usize;
    format!("[{}{}]", "#".repeat(filled), ".".repeat(20 - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let line = QuotaLine {
            tenant: "hanako",
            connection: "hanako-ecforce",
            day: "2026-11-24".parse().unwrap(),
            limit: 10_000,
            used: 22,
            by_robot: BTreeMap::from([("hanako-ecforce/fetch-orders".to_owned(), 22)]),
            closed_until: None,
            next_reset: "2026-11-25T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"tenant":"hanako","connection":"hanako-ecforce","day":"2026-11-24","limit":10000,"used":22,"by_robot":{"hanako-ecforce/fetch-orders":22},"closed_until":null,"next_reset":"2026-11-25T00:00:00Z"}"#
        );
    }

    #[test]
    fn a_closed_gate_opens_when_its_closing_ends_and_not_at_the_next_day() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let reset = at("2026-11-25T00:00:00Z");
        assert_eq!(state(Some(at("2026-11-24T00:05:00Z")), reset), "blocked until 2026-11-24 09:05 JST");
        assert_eq!(state(None, reset), "open; begins anew 2026-11-25 09:00 JST");
    }

    #[test]
    fn a_gauge_is_never_empty_once_something_is_spent_and_never_overflows() {
        let filled = |used, limit| gauge(used, limit).matches('#').count();
        assert_eq!(
            [filled(0, 100), filled(1, 10_000), filled(50, 100), filled(120, 100), filled(0, 0)],
            [0, 1, 10, 20, 0]
        );
    }
}
