//! `renkei demo`: the main job at work, on a stack of this machine, with made-up shops.
//!
//! Nothing is put on for show: the stack is the one that the cloud gets, the documents are applied as a merchant's would
//! be, and the robots run as their schedules would run them. Only the shops are simulated. Everything stays up
//! afterwards, to be looked at.

mod shops;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use clap::Args;
use renkei_domain::run::RunState;
use renkei_domain::shipment::Status;

use crate::cli::{At, Scope};
use crate::commands::{Secrets, apply, run};
use crate::error::{CliError, Exit};
use crate::local::{Progress, Project, UpOptions, ensure_up};
use crate::output;
use crate::stack::Stack;

/// `renkei demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the demo's own local stack; whatever it stored before is thrown away.
    #[arg(long, default_value_t = 4567, value_parser = clap::value_parser!(u16).range(1024..60_000))]
    pub port: u16,
    /// Orders in all three shops together.
    #[arg(long, default_value_t = 2_000)]
    pub orders: u64,
}

/// How long one robot's run may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(900);

/// Carries out `renkei demo`.
pub async fn run_demo(arguments: DemoArgs) -> Result<Exit, CliError> {
    let began = Instant::now();
    let project = Project::find()?;
    let progress = Progress::shown();
    let options = UpOptions { port: arguments.port, fresh: true, ..UpOptions::default() };
    let local = ensure_up(&project, &options, progress).await?;
    let mut shops = shops::Shops::start(&project, &project.stack(arguments.port), arguments.port, progress).await?;
    let stack = Stack::open(&At { stack: local.stack.clone(), local: Some(arguments.port) }).await?;

    let folder = project.own().join("demo");
    fs::create_dir_all(&folder)?;
    for merchant in shops::merchants(arguments.orders) {
        let text = shops.open(&merchant).await?;
        let path = folder.join(format!("{}.yaml", merchant.tenant));
        fs::write(&path, &text)?;
        progress.say(&format!("Applying {}", project.short(&path)));
        apply(&stack, &text, Secrets::Given(shops.passwords.clone()), false).await?;
    }

    let mut rows = Vec::new();
    for place in stack.connections(&Scope::default()).await? {
        let tenant = place.tenant.id().as_str();
        for action in ["fetch-orders", "state-working"] {
            let robot = format!("{}/{action}", place.id());
            progress.say(&format!("Running {robot} of {tenant}"));
            let finished = run(&stack, Some(tenant), &robot, PATIENCE).await?;
            if let (RunState::Failed, Some(error)) = (finished.run.state, &finished.run.error) {
                return Err(CliError::said(format!(
                    "{robot} failed: {error}; the log is .renkei/local/{}/aws.log",
                    arguments.port
                )));
            }
        }
        let mut counts = BTreeMap::new();
        for status in [Status::Ready, Status::Hold, Status::Cancelled] {
            counts.insert(status, count(&place.tenant, place.id(), status).await?);
        }
        let not_imported = place.tenant.not_imported(place.id()).await?.len();
        let ledger = shops.ledger(place.id().as_str()).await?;
        let at_shop = shops.states(place.id().as_str()).await?;
        rows.push(vec![
            tenant.to_owned(),
            place.id().to_string(),
            counts[&Status::Ready].to_string(),
            counts[&Status::Hold].to_string(),
            counts[&Status::Cancelled].to_string(),
            not_imported.to_string(),
            at_shop.get(&place.connection.states.working).copied().unwrap_or(0).to_string(),
            format!("{} of {}", ledger.calls, place.connection.daily_call_limit),
            ledger.overlapping.to_string(),
            format!("{:.0} ms", ledger.min_interval_ms.unwrap_or(0.0)),
        ]);
    }
    output::line("")?;
    output::table(
        &[
            "merchant",
            "shop",
            "出荷待ち ready",
            "保留 hold",
            "キャンセル",
            "not imported",
            "working at the shop",
            "calls of the day's limit",
            "overlapping",
            "least interval",
        ],
        &rows,
    )?;
    output::line(format!("\n{} s in all. Shops and stack stay up. Look at:", began.elapsed().as_secs()))?;
    let port = arguments.port;
    for (command, shows) in [
        ("shipments --status hold", "what waits, and why"),
        ("orders --outcome quarantined", "orders that wait for a product or a person"),
        ("quota", "calls spent of each shop's daily limit"),
        ("runs", "what the robots did"),
        ("connection test hanako-cosme", "a connection examined, point by point"),
    ] {
        output::line(format!("  renkei --local {port} {command:<32} {shows}"))?;
    }
    output::line(format!("  renkei local down --port {port}{:<21} end it all", ""))?;
    output::line(format!("The merchants' documents are in {}.", project.short(&folder)))?;
    output::line("(`renkei` is target/debug/renkei, or `cargo run -q -p renkei --`.)")?;
    Ok(Exit::Done)
}

async fn count(
    tenant: &renkei_store::Tenant,
    connection: &renkei_domain::ids::ConnectionId,
    status: Status,
) -> Result<usize, CliError> {
    let mut total = 0;
    let mut from = None;
    loop {
        let page = tenant.shipments_by_status(connection, status, 1_000, from).await?;
        total += page.rows.len();
        from = page.next;
        if from.is_none() {
            return Ok(total);
        }
    }
}
