//! `renkei runs`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_domain::gate::Lane;
use renkei_domain::jst;
use renkei_domain::run::{CallMade, Run};
use renkei_store::Tenant;
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// A run, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
pub struct RunLine<'a> {
    tenant: &'a str,
    connection: &'a str,
    robot: &'a str,
    run: &'a str,
    cause: renkei_domain::work::Cause,
    state: &'a str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    blocked_until: Option<Timestamp>,
    calls: u32,
    counts: &'a BTreeMap<String, u64>,
    error: Option<&'a str>,
    notes: &'a [String],
}

impl<'a> RunLine<'a> {
    /// Of a run.
    pub fn of(tenant: &'a Tenant, run: &'a Run) -> Self {
        Self {
            tenant: tenant.id().as_str(),
            connection: run.connection.as_str(),
            robot: run.robot.as_str(),
            run: &run.id,
            cause: run.cause,
            state: run.state.as_str(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            blocked_until: run.blocked_until,
            calls: run.calls,
            counts: &run.counts,
            error: run.error.as_deref(),
            notes: &run.notes,
        }
    }
}

/// Lists runs, latest first.
pub async fn list(stack: &Stack, tenant: Option<&str>, limit: i32, json: bool) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for (tenant, _) in stack.tenants(tenant).await? {
        for run in tenant.runs(limit.max(1), None).await?.rows {
            if json {
                output::json_line(&RunLine::of(&tenant, &run))?;
                continue;
            }
            let counts: Vec<String> =
                run.counts.iter().filter(|(_, n)| **n > 0).map(|(word, n)| format!("{word} {n}")).collect();
            rows.push(vec![
                jst::display(run.started_at),
                tenant.id().to_string(),
                run.robot.to_string(),
                match run.blocked_until.filter(|_| run.state == renkei_domain::run::RunState::Blocked) {
                    Some(until) => format!("blocked until {}", jst::display(until)),
                    None => run.state.as_str().to_owned(),
                },
                run.calls.to_string(),
                run.error.as_deref().map_or_else(|| counts.join(", "), output::plain),
            ]);
        }
    }
    if !json {
        rows.sort_by(|a, b| b[0].cmp(&a[0]));
        output::table(&["started", "tenant", "robot", "state", "calls", "what it did"], &rows)?;
    }
    Ok(Exit::Done)
}

/// A call of a run, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct CallLine<'a> {
    at: Timestamp,
    lane: Lane,
    method: &'a str,
    path: &'a str,
    status: Option<u16>,
    milliseconds: u32,
}

/// Shows one run, or its calls.
pub async fn one(stack: &Stack, tenant: Option<&str>, id: &str, calls: bool, json: bool) -> Result<Exit, CliError> {
    let mut found = None;
    for (tenant, _) in stack.tenants(tenant).await? {
        if let Some(run) = tenant.run(id).await? {
            found = Some((tenant, run));
            break;
        }
    }
    let (tenant, run) = found.ok_or_else(|| CliError::said(format!("there is no run {id}; see `renkei runs`")))?;
    if !calls {
        output::json_line(&RunLine::of(&tenant, &run))?;
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for call in &run.called {
        if json {
            let CallMade { at, lane, method, path, status, milliseconds } = call;
            output::json_line(&CallLine {
                at: *at,
                lane: *lane,
                method,
                path,
                status: *status,
                milliseconds: *milliseconds,
            })?;
            continue;
        }
        rows.push(vec![
            jst::display(call.at),
            call.lane.as_str().to_owned(),
            call.method.clone(),
            output::plain(&call.path),
            call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
            format!("{} ms", call.milliseconds),
        ]);
    }
    if !json {
        output::table(&["began", "lane", "method", "path", "status", "took"], &rows)?;
        let kept = run.called.len();
        if kept < run.calls as usize {
            eprintln!("{kept} of {} calls are kept: the first and the latest", run.calls);
        }
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_these_keys_in_this_order() {
        let line = CallLine {
            at: "2026-11-24T20:00:00Z".parse().unwrap(),
            lane: Lane::Fetch,
            method: "GET",
            path: "admin/orders.json?page=1",
            status: None,
            milliseconds: 12,
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"at":"2026-11-24T20:00:00Z","lane":"fetch","method":"GET","path":"admin/orders.json?page=1","status":null,"milliseconds":12}"#
        );
    }

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let line = RunLine {
            tenant: "hanako",
            connection: "hanako-ecforce",
            robot: "hanako-ecforce/fetch-orders",
            run: "01jdcv",
            cause: renkei_domain::work::Cause::WakeUp,
            state: "blocked",
            started_at: "2026-11-24T20:00:00Z".parse().unwrap(),
            ended_at: None,
            blocked_until: Some("2026-11-25T00:00:00Z".parse().unwrap()),
            calls: 12,
            counts: &BTreeMap::from([("orders".to_owned(), 300)]),
            error: None,
            notes: &["watch this".to_owned()],
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"tenant":"hanako","connection":"hanako-ecforce","robot":"hanako-ecforce/fetch-orders","run":"01jdcv","cause":"wake-up","state":"blocked","started_at":"2026-11-24T20:00:00Z","ended_at":null,"blocked_until":"2026-11-25T00:00:00Z","calls":12,"counts":{"orders":300},"error":null,"notes":["watch this"]}"#
        );
    }
}
