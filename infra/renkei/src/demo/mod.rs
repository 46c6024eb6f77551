//! `renkei demo`: the main job at work, on a stack of this machine, with made-up shops.
//!
//! Nothing is put on for show: the stack is the one that the cloud gets, the documents are applied as a merchant's would
//! be, and the robots run as their schedules would run them. Only the shops are simulated; what Renkei says it has done
//! is compared with what they say. Everything stays up afterwards, to be looked at.
//!
//! The demo has a local stack of its own, on a port of its own, and begins anew each time: it throws away only what an
//! earlier demo stored.

mod report;
mod shops;
pub mod way;

use std::fs;
use std::time::{Duration, Instant};

use clap::Args;
use futures::future::try_join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use renkei_domain::member::Email;
use renkei_domain::run::Run;
use renkei_domain::shipment::Status;
use renkei_simulator::ControlClient;
use renkei_simulator::api::ShopStatus;
use serde::Serialize;

use crate::cli::{At, Scope};
use crate::commands::{LOCAL_PASSWORD, LOCAL_PEOPLE, Secrets, apply, local_accounts, put_member, run};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, Progress, Project, Up, UpOptions, ensure_up, program};
use crate::output;
use crate::stack::{Found, Stack};
use report::Report;
use shops::Shop;
use way::WayReport;

/// `renkei demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the demo's own local stack; what an earlier demo stored there is thrown away.
    #[arg(long, default_value_t = 4567, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// Orders in the three shops together.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(8..=100_000))]
    pub orders: u64,
    /// Go on with the demo that is up: so many more orders come in.
    #[arg(long)]
    pub keep: bool,
    /// One JSON object: what became of each shop's orders, calls, and where everything is.
    #[arg(long)]
    pub json: bool,
}

/// How long one robot's run may take before the demo gives up.
const PATIENCE: Duration = Duration::from_hours(1);

/// The robots that are run, one after the other.
const ROBOTS: [&str; 2] = ["fetch-orders", "state-working"];

/// What `renkei demo --json` prints.
#[derive(Serialize)]
struct Whole<'a> {
    aws_endpoint: &'a str,
    stack: &'a str,
    port: u16,
    control_url: &'a str,
    documents: &'a [String],
    seconds: u64,
    shops: &'a [Report],
    way: &'a [WayReport],
    wrong: &'a [String],
}

/// Carries out `renkei demo`.
pub async fn run_demo(arguments: DemoArgs) -> Result<Exit, CliError> {
    let began = Instant::now();
    let began_at = Timestamp::now();
    let project = Project::find()?;
    let progress = Progress::shown();
    let (local, control, shops) = open(&project, &arguments, progress).await?;
    let stack = Stack::open(&At { stack: local.stack.clone(), local: Some(local.port) }).await?;
    let documents = set_up(&project, &stack, &shops, progress).await?;
    open_console(&stack).await?;

    progress.say("Fetching orders, and telling the shops what was taken; call_interval_ms is 200 here, not 1000");
    let bars = MultiProgress::new();
    let mut places = stack.connections(&Scope::default()).await?;
    places.retain(|place| shops.iter().any(|(shop, _)| is_of(place, shop)));
    let work = places.iter().map(|place| work(&stack, place, &control, &bars));
    let reports = try_join_all(work).await?;

    let way = way::go(&stack, &places, &control, progress).await?;
    let wrong: Vec<String> =
        reports.iter().flat_map(Report::wrong).chain(way.iter().flat_map(WayReport::wrong)).collect();
    let seconds = began.elapsed().as_secs();
    if arguments.json {
        output::json_line(&Whole {
            aws_endpoint: &local.aws_endpoint,
            stack: &local.stack,
            port: local.port,
            control_url: control.control_url(),
            documents: &documents,
            seconds,
            shops: &reports,
            way: &way,
            wrong: &wrong,
        })?;
    } else {
        report::show(&reports)?;
        way::show(&way)?;
        way::story(&places, &control, began_at).await?;
        output::line(format!("\nDone in {seconds} s."))?;
    }
    if !wrong.is_empty() {
        return Err(CliError::said(format!(
            "what Renkei stores and what the shops say do not agree:\n  {}\nThe functions' log is {}",
            wrong.join("\n  "),
            project.short(&project.stack(local.port).aws_log())
        )));
    }
    if !arguments.json {
        where_to_look(&local, &documents, &control, example(&places).await?)?;
    }
    Ok(Exit::Done)
}

fn is_of(place: &Found, shop: &Shop) -> bool {
    place.tenant.id().as_str() == shop.tenant && place.id().as_str() == shop.connection
}

/// The stack and the shops, with their orders.
async fn open(
    project: &Project,
    arguments: &DemoArgs,
    progress: Progress,
) -> Result<(LocalStack, ControlClient, Vec<(Shop, ShopStatus)>), CliError> {
    let paths = project.stack(arguments.port);
    if !paths.is_demos() {
        return Err(CliError::said(format!(
            "the local stack on port {0} is not a demo's, and a demo would throw away what it stores. Choose another \
             port: `renkei demo --port {1}`",
            arguments.port,
            arguments.port.wrapping_add(1).max(1024)
        )));
    }
    let earlier = if arguments.keep { shops::find(&paths)? } else { None };
    if arguments.keep && earlier.is_none() {
        return Err(CliError::said(format!(
            "no demo is up on port {} that could be kept; run `renkei demo` without --keep",
            arguments.port
        )));
    }
    let options = UpOptions { port: arguments.port, fresh: !arguments.keep, demo: true, ..UpOptions::default() };
    let Up { stack, simulator } = ensure_up(project, &options, progress).await?;
    let control = match &earlier {
        Some(control) => control.clone(),
        None => shops::start(&paths, &simulator, progress).await?,
    };
    let step = progress.step(&format!("Placing {} orders in three shops", arguments.orders));
    let mut opened = Vec::new();
    for shop in shops::shops(arguments.orders) {
        let status =
            if earlier.is_some() { shops::more(&control, &shop).await? } else { shops::open(&control, &shop).await? };
        opened.push((shop, status));
    }
    step.done();
    Ok((stack, control, opened))
}

/// Makes the made-up people members of the demo's merchants, each with their role.
async fn open_console(stack: &Stack) -> Result<(), CliError> {
    local_accounts(stack).await?;
    for (tenant, _) in stack.tenants(None).await? {
        for (email, role) in LOCAL_PEOPLE {
            put_member(&tenant, &Email::parse(email).map_err(CliError::said)?, role).await?;
        }
    }
    Ok(())
}

/// Writes the merchants' documents and applies them. Gives where they lie.
async fn set_up(
    project: &Project,
    stack: &Stack,
    shops: &[(Shop, ShopStatus)],
    progress: Progress,
) -> Result<Vec<String>, CliError> {
    let folder = project.own().join("demo");
    fs::create_dir_all(&folder)?;
    let mut written = Vec::new();
    for (tenant, text) in shops::documents(shops) {
        let path = folder.join(format!("{tenant}.yaml"));
        fs::write(&path, &text)?;
        let path = project.short(&path);
        let step = progress.step(&format!("Applying {path}"));
        // What changes is long for a new merchant, and of no interest here.
        apply(stack, &text, Secrets::Given(shops::passwords(shops)), false, &|_| Ok(())).await?;
        step.done();
        written.push(path);
    }
    Ok(written)
}

/// Runs a shop's robots. Shops do not wait for each other.
async fn work(stack: &Stack, place: &Found, control: &ControlClient, bars: &MultiProgress) -> Result<Report, CliError> {
    let bar = bars.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:30} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let mut ended: Vec<(Run, f64)> = Vec::new();
    for action in ROBOTS {
        let robot = format!("{}/{action}", place.id());
        bar.set_prefix(robot.clone());
        bar.set_message("");
        let began = Instant::now();
        let finished = run(stack, Some(place.tenant.id().as_str()), &robot, PATIENCE, &bar).await?;
        let seconds = began.elapsed().as_secs_f64();
        bars.suspend(|| eprintln!("✓ {robot}: {} ({seconds:.1} s)", finished.state.as_str()));
        ended.push((finished, seconds));
    }
    bar.finish_and_clear();
    let [fetch, working] = ended.as_slice() else {
        return Err(CliError::said("not every robot was run"));
    };
    Report::of(place, control, fetch, working).await
}

/// A shipment worth looking at: one on hold.
async fn example(places: &[Found]) -> Result<Option<String>, CliError> {
    for place in places {
        let page = place.tenant.shipments_by_status(place.id(), Status::Hold, 1, None).await?;
        if let Some(id) = page.rows.first() {
            return Ok(Some(id.to_string()));
        }
    }
    Ok(None)
}

fn where_to_look(
    local: &LocalStack,
    documents: &[String],
    control: &ControlClient,
    shipment: Option<String>,
) -> Result<(), CliError> {
    output::line("\nStack and shops stay up. Where to look next:\n")?;
    let (program, port) = (program(), local.port);
    let here = |command: &str| format!("{program} --local {port} {command}");
    let mut commands = vec![
        (here("shipments --status hold"), "what waits, and why"),
        (here("shipments --status shipped"), "what left, with tracking numbers"),
        (here("stock hanako-cosme"), "what the shop may sell, and why"),
        (here("orders --outcome quarantined"), "orders whose product is unknown"),
        (here("quota"), "calls spent of each shop's daily limit"),
        (here("runs"), "what the robots did"),
        (here("connection test hanako-gift"), "a connection examined, point by point"),
        (format!("{program} demo --port {port} --keep --orders 500"), "more orders come in"),
        (format!("{program} local down --port {port}"), "end it all"),
    ];
    if let Some(id) = shipment {
        commands.insert(1, (here(&format!("shipment {id}")), "one of them, with all that happened to it"));
    }
    let widest = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, shows) in commands {
        output::line(format!("  {command:<widest$}  {shows}"))?;
    }
    if let Some(url) = &local.console_url {
        output::line(format!("\nThe console: {url}"))?;
        for (email, role) in LOCAL_PEOPLE {
            output::line(format!("  {email:<24} {} ({role})", role.label()))?;
        }
        output::line(format!("  password {LOCAL_PASSWORD}"))?;
    }
    output::line(format!("\nThe merchants' documents: {}", documents.join(", ")))?;
    output::line(format!(
        "The shops' own books: {}/shops (tests/simulator/README.md says what else they tell)",
        control.control_url()
    ))
}
