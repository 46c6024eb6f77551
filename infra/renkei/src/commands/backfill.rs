//! `renkei backfill`: the orders of a range of dates, read again after an outage.

use std::time::Duration;

use indicatif::ProgressBar;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::RobotId;
use renkei_domain::jst;
use renkei_domain::settings::Action;
use renkei_domain::work::{Cause, StartRobot, VERSION};
use renkei_platform::queue::group;
use renkei_store::sync::Backfill;
use ulid::Ulid;

use super::run::{self, exit_of};
use super::runs::RunLine;
use crate::cli::BackfillArgs;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// `renkei backfill CONNECTION --from DATE --to DATE`.
pub async fn command(stack: &Stack, arguments: &BackfillArgs) -> Result<Exit, CliError> {
    let range = range(&arguments.from, &arguments.to)?;
    let place = stack.connection(arguments.tenant.as_deref(), &arguments.connection).await?;
    let queue = stack.queue_of(Action::Reconcile)?;
    let run = Ulid::generate().to_string().to_lowercase();
    let robot =
        RobotId::parse(format!("{}/backfill", place.id())).map_err(|error| CliError::said(error.to_string()))?;
    // First what is to be done, then the message that has it done.
    place.tenant.ask_backfill(place.id(), &run, range).await?;
    let message = StartRobot {
        v: VERSION,
        tenant: place.tenant.id().clone(),
        connection: place.id().clone(),
        robot: robot.clone(),
        action: Action::Reconcile,
        cause: Cause::Hand,
        run: Some(run.clone()),
        attempt: 0,
    };
    let body = serde_json::to_string(&message)?;
    queue.send(body, group(&message.tenant, &message.connection), Duration::ZERO).await?;
    if !arguments.wait {
        run::say_started(&place.tenant, robot.as_str(), &run, arguments.json)?;
        return Ok(Exit::Done);
    }
    let timeout = Duration::from_secs(arguments.timeout);
    let finished = run::wait_for(&place.tenant, &run, timeout, &ProgressBar::hidden()).await?;
    if arguments.json {
        output::json_line(&RunLine::of(&place.tenant, &finished))?;
    } else {
        run::describe(&finished)?;
    }
    Ok(exit_of(&finished))
}

/// Days in Japan, both included.
fn range(from: &str, to: &str) -> Result<Backfill, CliError> {
    let day = |name: &str, text: &str| {
        text.parse::<Date>()
            .map_err(|_| CliError::said(format!("--{name} {text:?} is not a date: write for example 2026-11-24")))
    };
    let (from, to) = (day("from", from)?, day("to", to)?);
    if to < from {
        return Err(CliError::said("--to is before --from"));
    }
    let begin = |day: Date| -> Option<Timestamp> { jst::instant(day.to_datetime(jiff::civil::Time::midnight())) };
    let range = begin(from).zip(begin(to.saturating_add(1.day())));
    range.map(|(from, before)| Backfill { from, before }).ok_or_else(|| CliError::said("these dates are out of reach"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_japans_and_the_last_one_is_included() {
        let found = range("2026-11-24", "2026-11-24").unwrap();
        assert_eq!(found.from.to_string(), "2026-11-23T15:00:00Z");
        assert_eq!(found.before.to_string(), "2026-11-24T15:00:00Z");
        assert!(range("2026-11-24", "2026-11-23").is_err() && range("24.11.2026", "2026-11-24").is_err());
    }
}
