//! `renkei prove`: orders of several merchants on their way while everything around them breaks, and then an account of
//! each of them.
//!
//! Each seed is a world of its own: shops with a generator's orders, on the real stack of this machine. While orders come
//! in, robots are started over and over, shops fail, functions are killed in the middle of what they do, and messages are
//! sent a second time and late. Then everything is healed, what is left is worked off, and the books are compared: each
//! order has exactly one end, the shop knows it, no call broke the shop's limits, nothing is left in a queue, and nothing
//! of a customer or a secret is in a log.
//!
//! A seed decides the plan: shops, orders, faults, what is killed and doubled, and when. Processes take their own time, so
//! that the same seed is the same storm, not the same instruction for instruction.

mod books;
mod storm;
mod world;

use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use renkei_domain::run::RunState;
use serde::Serialize;

use crate::cli::At;
use crate::commands::{replay_dead_letters, run};
use crate::error::{CliError, Exit};
use crate::local::{Progress, Project, Up, UpOptions, ensure_up, stop};
use crate::output;
use crate::stack::Stack;
use books::Account;
use storm::Storm;
pub use storm::{function_of, waiting};
use world::World;

/// `renkei prove`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// How many worlds to prove, one after the other.
    #[arg(long, default_value_t = 3)]
    pub seeds: u64,
    /// The first seed; a world that failed is seen again with its own, and `--seeds 1`.
    #[arg(long, default_value_t = 1)]
    pub first_seed: u64,
    /// Orders in a world, over all its shops.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub orders: u64,
    /// How long it storms in each world.
    #[arg(long, default_value_t = 25, value_name = "SECONDS")]
    pub storm: u64,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4568, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// One JSON object for each world.
    #[arg(long)]
    pub json: bool,
}

/// How long a run may take after everything has been healed: a gate whose holder was killed, and waits before a run comes
/// again, take minutes.
const PATIENCE: Duration = Duration::from_mins(10);
/// Passes over a healed shop until every order has its end. The second tells again what had no effect.
const PASSES: u32 = 4;

/// What became of one world. The keys are those of `renkei prove --json`.
#[derive(Debug, Serialize)]
struct Report {
    seed: u64,
    seconds: u64,
    storm: Storm,
    /// Dead letters that were put back once the cause was gone.
    replayed: u64,
    /// Shops whose day's calls were spent, so that a day had to pass.
    days_passed: u32,
    #[serde(flatten)]
    account: Account,
}

/// Carries out `renkei prove`.
pub async fn prove(arguments: ProveArgs) -> Result<Exit, CliError> {
    let project = Project::find()?;
    let progress = Progress::shown();
    let paths = project.stack(arguments.port);
    if !paths.is_demos() {
        return Err(CliError::said(format!(
            "the local stack on port {} is somebody's, and this would throw away what it stores; choose another with --port",
            arguments.port
        )));
    }
    let options = UpOptions { port: arguments.port, fresh: true, demo: true, ..UpOptions::default() };
    let Up { stack: local, .. } = ensure_up(&project, &options, progress).await?;
    let stack = Stack::open(&At { stack: local.stack.clone(), local: Some(local.port) }).await?;
    storm::give_messages_back_soon(&stack).await?;
    let mut failed = Vec::new();
    for seed in arguments.first_seed..arguments.first_seed.saturating_add(arguments.seeds) {
        let report = Box::pin(one(&stack, local.pid, &paths.aws_log(), seed, &arguments)).await?;
        if arguments.json {
            output::json_line(&report)?;
        } else {
            describe(&report)?;
        }
        if !report.account.wrong.is_empty() {
            failed.push(seed);
        }
    }
    let worlds = arguments.seeds;
    if failed.is_empty() {
        stop(&paths, progress)?;
        if !arguments.json {
            output::line(format!("{worlds} worlds of {} orders: nothing lost, doubled or broken", arguments.orders))?;
        }
        return Ok(Exit::Done);
    }
    let seeds: Vec<String> = failed.iter().map(u64::to_string).collect();
    Err(CliError::said(format!(
        "{} of {worlds} worlds do not add up: seeds {}. See one again with `renkei prove --seeds 1 --first-seed SEED \
         --orders {}`; the stack stays up, and its log is {}",
        failed.len(),
        seeds.join(", "),
        arguments.orders,
        project.short(&paths.aws_log())
    )))
}

async fn one(
    stack: &Stack,
    aws: u32,
    log: &std::path::Path,
    seed: u64,
    arguments: &ProveArgs,
) -> Result<Report, CliError> {
    let began = Instant::now();
    let logged_before = std::fs::metadata(log)?.len();
    let world = World::open(stack, seed, arguments.orders).await?;
    let storm = storm::rage(stack, &world, aws, Duration::from_secs(arguments.storm)).await?;
    world.heal().await?;

    let mut replayed = 0;
    let mut days_passed = 0;
    for _ in 0..PASSES {
        storm::until_quiet(stack, PATIENCE).await?;
        replayed += replay_dead_letters(stack).await?;
        storm::until_quiet(stack, PATIENCE).await?;
        for place in &world.places {
            for action in ["fetch-orders", "state-working"] {
                let robot = format!("{}/{action}", place.id());
                let tenant = Some(place.tenant.id().as_str());
                let mut ended = run(stack, tenant, &robot, PATIENCE, &ProgressBar::hidden()).await?;
                if ended.state == RunState::Blocked {
                    days_passed += 1;
                    world.let_days_pass(place, days_passed).await?;
                    ended = run(stack, tenant, &robot, PATIENCE, &ProgressBar::hidden()).await?;
                }
                if ended.state == RunState::Failed {
                    eprintln!("seed {seed}, {robot}: {}", ended.error.unwrap_or_default());
                }
            }
        }
        if world.is_through().await? {
            break;
        }
    }
    storm::until_quiet(stack, PATIENCE).await?;
    let account = books::settle(stack, &world, log, logged_before).await?;
    Ok(Report { seed, seconds: began.elapsed().as_secs(), storm, replayed, days_passed, account })
}

fn describe(report: &Report) -> Result<(), CliError> {
    let Report { seed, seconds, storm, replayed, days_passed, account } = report;
    output::line(format!(
        "seed {seed}: {} orders of {} shops: {} imported as {} shipments and told, {} quarantined, {} not to be taken; \
         {} calls ({} struck by faults); {} functions killed, {} messages doubled, {} runs started; \
         {replayed} dead letters replayed, {days_passed} days passed ({seconds} s)",
        account.orders,
        account.shops,
        account.imported,
        account.shipments,
        account.quarantined,
        account.left_alone,
        account.calls,
        account.faults.values().sum::<u64>(),
        storm.killed.values().sum::<u64>(),
        storm.doubled,
        storm.started,
    ))?;
    for wrong in &account.wrong {
        output::line(format!("  × {}", output::plain(wrong)))?;
    }
    Ok(())
}
