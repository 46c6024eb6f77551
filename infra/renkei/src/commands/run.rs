//! `renkei run`: starts a robot, and waits for its end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use renkei_domain::jst;
use renkei_domain::run::{Outcome, Run, RunState};
use renkei_domain::settings::Action;
use renkei_setup::run_now;
use renkei_store::Tenant;

use super::runs::RunLine;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// How often the run's record is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// `renkei run ROBOT`.
pub async fn command(
    stack: &Stack,
    tenant: Option<&str>,
    robot: &str,
    wait: bool,
    timeout: u64,
    json: bool,
) -> Result<Exit, CliError> {
    let started = start(stack, tenant, robot).await?;
    if !wait {
        say_started(&started.0, robot, &started.1, json)?;
        return Ok(Exit::Done);
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let finished = wait_for_all(&started.0, &started.1, Duration::from_secs(timeout), &bar).await;
    bar.finish_and_clear();
    let finished = finished?;
    for run in &finished {
        if json {
            output::json_line(&RunLine::of(&started.0, run))?;
        } else {
            describe(run)?;
        }
    }
    // The run that was asked for speaks first; what it started, where it was done.
    let ends = finished.iter().map(exit_of);
    Ok(ends.reduce(|first, next| if matches!(first, Exit::Done) { next } else { first }).unwrap_or(Exit::Done))
}

/// Says that a robot is started and not waited for.
pub fn say_started(tenant: &Tenant, robot: &str, run: &str, json: bool) -> Result<(), CliError> {
    if json {
        return output::json_line(&serde_json::json!({ "tenant": tenant.id(), "run": run }));
    }
    output::line(format!("robot {robot} is started as run {run}"))
}

/// Waits for a run, and for those that its end starts, and theirs: in the order in which they were started.
async fn wait_for_all(tenant: &Tenant, id: &str, timeout: Duration, bar: &ProgressBar) -> Result<Vec<Run>, CliError> {
    let until = Instant::now() + timeout;
    let mut finished = Vec::new();
    let mut open = VecDeque::from([id.to_owned()]);
    while let Some(id) = open.pop_front() {
        let run = wait_for(tenant, &id, until.saturating_duration_since(Instant::now()), bar).await?;
        if let Some(applied) = tenant.settings().await? {
            let next = run.triggers(tenant.id(), &applied.settings.integration_robots);
            open.extend(next.into_iter().filter_map(|start| start.run));
        }
        finished.push(run);
    }
    Ok(finished)
}

/// Starts a robot and waits for its end and for those that it starts, with what they do shown by this bar. Gives the run
/// that was asked for.
pub async fn run(
    stack: &Stack,
    tenant: Option<&str>,
    robot: &str,
    timeout: Duration,
    bar: &ProgressBar,
) -> Result<Run, CliError> {
    let (tenant, run) = start(stack, tenant, robot).await?;
    let first = wait_for_all(&tenant, &run, timeout, bar).await?.into_iter().next();
    first.ok_or_else(|| {
        CliError::said(format!("run {run} has left no record; look at `renkei runs` and `renkei dead-letters list`"))
    })
}

/// Starts a robot. Gives its tenant, and the run's name.
pub async fn start(stack: &Stack, tenant: Option<&str>, name: &str) -> Result<(Tenant, String), CliError> {
    let (place, robot, action) = stack.robot(tenant, name).await?;
    let queue = stack.queue_of(action)?;
    let run = run_now::start(&queue, place.tenant.id(), place.id(), robot, action).await?;
    Ok((place.tenant, run))
}

/// Waits for one run's end.
pub async fn wait_for(tenant: &Tenant, id: &str, timeout: Duration, bar: &ProgressBar) -> Result<Run, CliError> {
    let began = Instant::now();
    loop {
        let run = tenant.run(id).await?;
        if let Some(run) = &run
            && run.state != RunState::Running
        {
            return Ok(run.clone());
        }
        if began.elapsed() > timeout {
            let why = run.and_then(|run| run.error).unwrap_or_else(|| "its function has not taken it up".to_owned());
            return Err(CliError::said(format!(
                "run {id} is not done after {} s ({why}); look at `renkei runs` and `renkei dead-letters list`",
                timeout.as_secs()
            )));
        }
        bar.set_message(progress(tenant, id, run.as_ref()).await?);
        bar.tick();
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn progress(tenant: &Tenant, id: &str, run: Option<&Run>) -> Result<String, CliError> {
    let Some(run) = run else { return Ok("waiting for its function".into()) };
    if let Some(error) = &run.error {
        return Ok(format!("tries again: {error}"));
    }
    let pages = tenant.run_pages(id).await?;
    let rows: u64 = pages.iter().filter_map(|page| page.rows).sum();
    let done: u64 = Outcome::ALL.iter().flat_map(|outcome| pages.iter().map(|page| page.count(*outcome))).sum();
    Ok(if rows > 0 { format!("{done} of {rows} orders imported") } else { "at work".into() })
}

/// What a run's end means to a script.
pub fn exit_of(run: &Run) -> Exit {
    match run.state {
        RunState::Done | RunState::Running => Exit::Done,
        RunState::Blocked => Exit::Blocked,
        RunState::NeedsPerson => Exit::NeedsPerson,
        RunState::Failed => Exit::Failed,
    }
}

/// Says what a run did.
pub fn describe(run: &Run) -> Result<(), CliError> {
    let counts: Vec<String> =
        run.counts.iter().filter(|(_, n)| **n > 0).map(|(word, count)| format!("{word} {count}")).collect();
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    output::line(match (run.state, run.blocked_until) {
        (RunState::Blocked, Some(until)) => {
            format!("{}: blocked until {}; it goes on by itself", run.robot, jst::display(until))
        }
        _ => format!("{}: {} ({counts}; {} calls)", run.robot, run.state.as_str(), run.calls),
    })?;
    if let Some(error) = &run.error {
        output::line(format!("  {error}"))?;
    }
    for note in &run.notes {
        output::line(format!("  {}", output::plain(note)))?;
    }
    if run.state == RunState::NeedsPerson {
        output::line(match run.action {
            Action::StateWorking | Action::StateShipped | Action::WriteBack => {
                "  see `renkei shipments`; what is mended is told again by `renkei retry --refused`"
            }
            Action::Inventory => "  see `renkei stock`",
            Action::FetchOrders => "  see `renkei orders --outcome quarantined`",
            Action::StatusSync | Action::ApplyProcessing | Action::Reconcile => {
                "  see `renkei shipments` and what the run notes"
            }
        })?;
    }
    Ok(())
}
