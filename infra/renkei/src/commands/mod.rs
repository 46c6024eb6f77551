//! The commands, one file each.

mod apply;
mod connection;
mod dead_letters;
mod member;
mod orders;
mod quota;
mod run;
mod runs;
mod schedules;
mod shipments;

use std::io::Write as _;

use clap::CommandFactory;

use crate::cli::{Cli, Command, ConnectionCommand, DeadLettersCommand, MemberCommand};
use crate::error::{CliError, Exit};
use crate::stack::Stack;
use crate::{demo, local, output};

pub use apply::{Secrets, apply};
pub use member::{LOCAL_PASSWORD, LOCAL_PEOPLE, local_accounts, put as put_member};
pub use run::{Finished, run};

/// Carries a command out.
pub async fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    let at = cli.at;
    match cli.command {
        Command::Demo(arguments) => Box::pin(demo::run_demo(arguments)).await,
        Command::Local(command) => local::run(command).await,
        Command::Completion { shell } => {
            // Into memory first: the generator panics where a write fails, and a closed pipe is no reason for that.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "renkei", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(Exit::Done)
        }
        Command::Apply { file, dry_run } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| CliError::said(format!("{} cannot be read: {error}", file.display())))?;
            apply(&Stack::open(&at).await?, &text, Secrets::Environment, dry_run, &output::line).await
        }
        Command::Connection(ConnectionCommand::Test { id, tenant }) => {
            connection::test(&Stack::open(&at).await?, tenant.as_deref(), &id).await
        }
        Command::Run { robot, tenant, wait, timeout, json } => {
            run::command(&Stack::open(&at).await?, tenant.as_deref(), &robot, wait, timeout, json).await
        }
        Command::Shipments { scope, status, limit, json } => {
            shipments::list(&Stack::open(&at).await?, &scope, status.as_deref(), limit, json).await
        }
        Command::Shipment { id, tenant, json } => {
            shipments::show_one(&Stack::open(&at).await?, tenant.as_deref(), &id, json).await
        }
        Command::Orders { scope, outcome, json } => {
            orders::list(&Stack::open(&at).await?, &scope, outcome.as_deref(), json).await
        }
        Command::Retry { scope, order } => orders::retry(&Stack::open(&at).await?, &scope, order).await,
        Command::Quota { scope, json } => quota::list(&Stack::open(&at).await?, &scope, json).await,
        Command::Runs { tenant, limit, json } => {
            runs::list(&Stack::open(&at).await?, tenant.as_deref(), limit, json).await
        }
        Command::Member(MemberCommand::Add { email, tenant, role, password_env }) => {
            member::add(&Stack::open(&at).await?, &email, &tenant, role, password_env.as_deref()).await
        }
        Command::Member(MemberCommand::List { tenant, json }) => {
            member::list(&Stack::open(&at).await?, tenant.as_deref(), json).await
        }
        Command::Member(MemberCommand::Remove { email, tenant }) => {
            member::remove(&Stack::open(&at).await?, &email, &tenant).await
        }
        Command::DeadLetters(DeadLettersCommand::List { json }) => {
            dead_letters::list(&Stack::open(&at).await?, json).await
        }
        Command::DeadLetters(DeadLettersCommand::Replay { id, queue }) => {
            dead_letters::replay(&Stack::open(&at).await?, id.as_deref(), queue.as_deref()).await
        }
    }
}
