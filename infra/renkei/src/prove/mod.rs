//! `renkei prove`: orders of several merchants on their way while everything around them breaks, and then an account of
//! each of them.
//!
//! Each seed is a world of its own: shops with a generator's orders, their people, and the merchants' warehouses, on the
//! real stack of this machine. While orders come in, are paid, cancelled, edited, claimed and shipped, robots are started
//! over and over, shops fail, calls to AWS fail, functions are killed in the middle of what they do, and messages are sent
//! a second time and late. Then everything is healed, what is left is worked off, and the books are compared: each order
//! has exactly one end, and the right one, the shop knows it, no call broke the shop's limits, nothing is left in a queue,
//! and nothing of a customer or a secret is in a log.
//!
//! Several worlds go through this at once, a round of them, since most of the time is waiting. A seed decides the plan of
//! its world: shops, orders, faults, what people and warehouses do, and when; the first seed of a round decides what
//! befalls functions, AWS and queues. Processes take their own time, so that the same seed is the same storm, not the same
//! instruction for instruction.
//!
//! The storm has two waves: one while orders come in, and one when they are in and go their way to the warehouse and back.

mod address;
mod books;
mod ends;
mod heal;
mod logs;
mod office;
mod proxy;
#[cfg(test)]
mod samples;
mod staff;
mod stock;
mod storm;
mod timeline;
mod warehouse;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::At;
use crate::commands::replay_dead_letters;
use crate::error::{CliError, Exit};
use crate::local::{Progress, Project, Up, UpOptions, ensure_up, stop};
use crate::output;
use crate::stack::Stack;
use books::Account;
use heal::Healed;
use proxy::Proxy;
use storm::{Storm, Strikes, Wave};
pub use storm::{function_of, messages_of, waiting};
use world::World;

/// `renkei prove`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// How many worlds to prove.
    #[arg(long, default_value_t = 3)]
    pub seeds: u64,
    /// The first seed; a world that failed is seen again with its own, and `--seeds 1`.
    #[arg(long, default_value_t = 1)]
    pub first_seed: u64,
    /// Orders in a world, over all its shops.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub orders: u64,
    /// How long each of the two waves of a storm is.
    #[arg(long, default_value_t = 25, value_name = "SECONDS")]
    pub storm: u64,
    /// How many worlds at the same time.
    #[arg(long, default_value_t = 8, value_name = "WORLDS", value_parser = clap::value_parser!(u64).range(1..=50))]
    pub at_once: u64,
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
/// How long it stays quiet between the two waves of a storm, at most.
const BETWEEN_WAVES: Duration = Duration::from_secs(75);

/// What became of one world. The keys are those of `renkei prove --json`.
#[derive(Debug, Serialize)]
struct Report {
    seed: u64,
    storm: Storm,
    #[serde(flatten)]
    healed: Healed,
    #[serde(flatten)]
    account: Account,
}

/// What became of the worlds of a round together. The keys are those of `renkei prove --json`.
#[derive(Debug, Serialize)]
struct Round {
    seeds: Vec<u64>,
    seconds: u64,
    strikes: Strikes,
    /// Dead letters that were put back once the cause was gone.
    replayed: u64,
    /// What is left over or shown that should not be, in sentences. Empty if nothing is.
    wrong: Vec<String>,
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
    let proxy = Proxy::start(arguments.port).await?;
    let options = UpOptions {
        port: arguments.port,
        fresh: true,
        demo: true,
        functions_endpoint: Some(proxy.url.clone()),
        no_time_of_day: true,
        ..UpOptions::default()
    };
    let Up { stack: local, .. } = ensure_up(&project, &options, progress).await?;
    let stack = Stack::open(&At { stack: local.stack.clone(), local: Some(local.port) }).await?;
    storm::give_messages_back_soon(&stack).await?;
    let mut failed = Vec::new();
    let mut sums = BTreeMap::new();
    let seeds: Vec<u64> = (arguments.first_seed..arguments.first_seed.saturating_add(arguments.seeds)).collect();
    for seeds in seeds.chunks(usize::try_from(arguments.at_once).unwrap_or(1)) {
        let deployed = Deployed { stack: &stack, name: &local.stack, aws: local.pid, log: &paths.aws_log() };
        let (round, reports) = Box::pin(round(&deployed, &proxy, seeds, &arguments)).await?;
        for report in &reports {
            if arguments.json {
                output::json_line(report)?;
            } else {
                describe(report)?;
            }
            add_up(&mut sums, report);
        }
        if arguments.json {
            output::json_line(&round)?;
        } else {
            describe_round(&round)?;
        }
        let wrong = reports.iter().filter(|report| !report.account.wrong.is_empty()).map(|report| report.seed);
        failed.extend(wrong);
        if !round.wrong.is_empty() {
            failed.extend(seeds);
        }
    }
    failed.sort_unstable();
    failed.dedup();
    let worlds = arguments.seeds;
    if !arguments.json {
        let sums: Vec<String> = sums.iter().map(|(word, count)| format!("{count} {word}")).collect();
        output::line(format!("in all: {}", sums.join(", ")))?;
    }
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

/// The stack that worlds go through it on.
struct Deployed<'a> {
    stack: &'a Stack,
    /// What it is called.
    name: &'a str,
    /// The process that is AWS, and starts functions.
    aws: u32,
    /// What that logs.
    log: &'a Path,
}

/// Lets some worlds go through it all together.
async fn round(
    deployed: &Deployed<'_>,
    proxy: &Proxy,
    seeds: &[u64],
    arguments: &ProveArgs,
) -> Result<(Round, Vec<Report>), CliError> {
    let Deployed { stack, name, aws, log } = *deployed;
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let logged_before = std::fs::metadata(log)?.len();
    let mut worlds = Vec::new();
    for seed in seeds {
        worlds.push(World::open(stack, *seed, arguments.orders).await?);
    }
    let long = Duration::from_secs(arguments.storm);
    let first = seeds.first().copied().unwrap_or_default().rotate_left(32);
    let mut strikes = Strikes::default();
    let mut storms: Vec<Storm> = seeds.iter().map(|_| Storm::default()).collect();
    for wave in Wave::ALL {
        let (struck, raged) = tokio::join!(
            storm::strike(stack, proxy, wave.random(first), aws, long),
            try_join_all(worlds.iter().map(|world| storm::rage(stack, world, wave, long))),
        );
        strikes.add(struck?);
        for (storm, more) in storms.iter_mut().zip(raged?) {
            storm.add(more);
        }
        for world in &worlds {
            world.heal().await?;
        }
        if wave == Wave::First {
            // What a killed function had in hand comes again only after a while; the second wave is for what follows.
            storm::until_quiet(stack, BETWEEN_WAVES).await?;
        }
    }
    let storm_ended = Timestamp::now();
    storm::until_quiet(stack, PATIENCE).await?;
    let mut replayed = replay_dead_letters(stack).await?;
    storm::until_quiet(stack, PATIENCE).await?;
    let healed = try_join_all(worlds.iter().map(|world| heal::through(stack, world, PATIENCE))).await?;
    replayed += replay_dead_letters(stack).await?;
    storm::until_quiet(stack, PATIENCE).await?;
    let mut reports = Vec::new();
    for ((world, storm), healed) in worlds.iter().zip(storms).zip(healed) {
        let mut account = books::settle(world, storm_ended).await?;
        account.wrong.extend(healed.astray.iter().cloned());
        reports.push(Report { seed: world.seed, storm, healed, account });
    }
    let mut wrong = books::left_over(stack, name, log, logged_before, began_at).await?;
    wrong.extend(strikes.missing(long));
    for world in &worlds {
        world.end(stack).await?;
    }
    let round = Round { seeds: seeds.to_vec(), seconds: began.elapsed().as_secs(), strikes, replayed, wrong };
    Ok((round, reports))
}

fn add_up(sums: &mut BTreeMap<&'static str, u64>, report: &Report) {
    let account = &report.account;
    for (word, count) in [
        ("orders", account.orders),
        ("shipments", account.shipments),
        ("shipped and told", account.shipped),
        ("cancelled", account.cancelled),
        ("held until they are paid", account.held),
        ("held for their address", account.held_for_address),
        ("left in the storm", account.shipped_in_storm),
        ("cancelled too late or refused", account.too_late),
        ("given back by the warehouse", account.given_back),
        ("orders made anew", account.made_anew),
        ("quarantined", account.quarantined),
        ("calls to shops", account.calls),
        ("struck by faults", account.faults.values().sum()),
        ("payments captured", account.captured),
    ] {
        *sums.entry(word).or_default() += count;
    }
}

fn describe(report: &Report) -> Result<(), CliError> {
    let Report { seed, storm, healed, account } = report;
    output::line(format!(
        "seed {seed}: {} orders of {} shops, {} imported as {} shipments: {} shipped and told ({} left in the storm), {} cancelled, {} held; \
         {} held for their address, {} quarantined, {} not to be taken; {} cancellations too late or refused, {} overwritten at the shop, {} given back, {} made anew; \
         {} payments captured, {} stocks right; {} calls ({} struck), {} warehouse requests ({} unanswered), \
         {} changes by people, {} runs started; {} days passed, {} states and {} numbers told again after a night",
        account.orders,
        account.shops,
        account.imported,
        account.shipments,
        account.shipped,
        account.shipped_in_storm,
        account.cancelled,
        account.held,
        account.held_for_address,
        account.quarantined,
        account.left_alone,
        account.too_late,
        account.overwritten,
        account.given_back,
        account.made_anew,
        account.captured,
        account.stocks,
        account.calls,
        account.faults.values().sum::<u64>(),
        account.warehouse_requests,
        account.warehouse_unanswered,
        storm.staff.values().sum::<u64>(),
        storm.started,
        healed.days_passed,
        healed.told_after_a_night,
        healed.numbers_after_a_night,
    ))?;
    say_wrong(&account.wrong)
}

fn describe_round(round: &Round) -> Result<(), CliError> {
    let seeds: Vec<String> = round.seeds.iter().map(u64::to_string).collect();
    output::line(format!(
        "seeds {} together: {} functions killed, {} calls to AWS struck, {} messages doubled, {} dead letters replayed \
         ({} s)",
        seeds.join(", "),
        round.strikes.killed.values().sum::<u64>(),
        round.strikes.aws.values().sum::<u64>(),
        round.strikes.doubled,
        round.replayed,
        round.seconds,
    ))?;
    say_wrong(&round.wrong)
}

fn say_wrong(wrong: &[String]) -> Result<(), CliError> {
    for sentence in wrong {
        output::line(format!("  × {}", output::plain(sentence)))?;
    }
    Ok(())
}
