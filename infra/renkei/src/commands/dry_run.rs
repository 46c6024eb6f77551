//! `renkei run ROBOT --dry-run`: what a robot would do now, and the calls it would spend, by the same code as in the console
//! ([`renkei_setup::dry_run`]).

use std::collections::BTreeMap;
use std::time::Duration;

use renkei_domain::settings::Action;
use renkei_setup::dry_run::{self, Calls, Foreseen, Looking};
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::{Found, Stack};

/// Lines that people are shown; scripts get all.
const SHOWN: usize = 20;
/// Pages that are read; what waits beyond them is said to.
const MOST_PAGES: usize = 10;
const PATIENCE: Duration = Duration::from_mins(5);

/// The last line, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct Summary<'a> {
    kind: &'static str,
    tenant: &'a str,
    connection: &'a str,
    robot: &'a str,
    action: &'static str,
    counts: &'a BTreeMap<String, u64>,
    calls: Calls,
    spent: u32,
    starts_after: &'a [String],
    notes: Vec<&'a str>,
}

/// Says what a robot would do.
pub async fn command(stack: &Stack, tenant: Option<&str>, robot: &str, json: bool) -> Result<Exit, CliError> {
    let (place, robot, action) = stack.robot(tenant, robot).await?;
    let at = dry_run::Place { tenant: &place.tenant, settings: &place.settings, connection: &place.connection };
    let shops = if action == Action::FetchOrders { Some(stack.shops()?) } else { None };
    let looking = shops.as_ref().map(|shops| Looking { shops, pages: MOST_PAGES, patience: PATIENCE });
    let foreseen = dry_run::foresee(&at, &robot, action, looking).await?;
    let after = place.settings.integration_robots.after(place.id(), action);
    let after: Vec<String> = after.map(|robot| robot.id.to_string()).collect();
    if json {
        print(&place, robot.as_str(), action, &foreseen, &after)?;
    } else {
        describe(robot.as_str(), &foreseen, &after)?;
    }
    Ok(Exit::Done)
}

/// For scripts, by the stable keys of `docs/cli.md`.
pub(super) fn print(
    place: &Found,
    robot: &str,
    action: Action,
    foreseen: &Foreseen,
    after: &[String],
) -> Result<(), CliError> {
    for line in &foreseen.lines {
        output::json_line(&line.keys)?;
    }
    output::json_line(&Summary {
        kind: "summary",
        tenant: place.tenant.id().as_str(),
        connection: place.id().as_str(),
        robot,
        action: action.as_str(),
        counts: &foreseen.counts,
        calls: foreseen.calls,
        spent: foreseen.spent,
        starts_after: after,
        notes: foreseen.notes.iter().map(|note| note.en.as_str()).collect(),
    })
}

/// For people.
pub(super) fn describe(robot: &str, foreseen: &Foreseen, after: &[String]) -> Result<(), CliError> {
    for line in foreseen.lines.iter().take(SHOWN) {
        output::line(format!("  {}", plain(&line.text)))?;
    }
    if foreseen.lines.len() > SHOWN {
        output::line(format!("  … and {} more; all with --json", foreseen.lines.len() - SHOWN))?;
    }
    let counts: Vec<String> =
        foreseen.counts.iter().filter(|(_, n)| **n > 0).map(|(word, count)| format!("{word} {count}")).collect();
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    let calls = match foreseen.calls {
        Calls { least, most: Some(most) } if least == most => format!("{least} calls"),
        Calls { least, most: Some(most) } => format!("{least} to {most} calls"),
        Calls { least, most: None } => format!("at least {least} calls"),
    };
    let sign_in = if foreseen.calls.most == Some(0) { "" } else { ", and a sign-in where the token is old" };
    output::line(format!("{robot} would: {counts} ({calls}{sign_in})"))?;
    for note in &foreseen.notes {
        output::line(format!("  {}", plain(&note.en)))?;
    }
    if !after.is_empty() {
        output::line(format!("  its end starts {}", after.join(", ")))?;
    }
    let spent =
        if foreseen.spent > 0 { format!("; calls spent on looking: {}", foreseen.spent) } else { String::new() };
    output::line(format!("nothing was written (書き込みはしていません){spent}"))
}
