//! `renkei bench`: what Renkei needs for its work, in figures that can be compared.
//!
//! Seconds of one machine say little of another, so figures are counts, sizes, or ratios of two things measured in the same
//! run: import against the bare conditional puts that the same AWS of this machine takes, the last orders against the
//! first, a quiet shop's wait behind a busy one against its wait alone. `docs/benchmarks.md` says how each is taken.

mod cost;
mod course;
mod growth;
mod lists;
mod measure;
mod plot;
mod prices;
mod results;
mod rules;
mod runtime_api;
mod start;
mod visitor;

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use futures::future::try_join_all;
use indicatif::ProgressBar;
use jiff::Timestamp;
use renkei_domain::run::Run;
use renkei_simulator::Simulator;
use renkei_simulator::api::{OrderOptions, ShopSpec};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;

use crate::cli::{At, Scope};
use crate::commands::{Secrets, apply, run, start};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, Progress, Project, Up, UpOptions, ensure_up, stop};
use crate::output;
use crate::stack::{Found, Stack};
use measure::Memory;

/// `renkei bench`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// Only a part.
    #[command(subcommand)]
    pub only: Option<Only>,
    /// Orders that are imported in all; 100,000 take a long while.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(11_000..=100_000))]
    pub orders: u64,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4569, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A part of the benchmarks.
#[derive(Debug, Subcommand)]
pub enum Only {
    /// What pages of the console ask of the store, and weigh, with few shipments and with many.
    Console(lists::ConsoleArgs),
    /// What orders cost on their way at AWS's list prices, by counting what they use.
    Cost(cost::CostArgs),
    /// How time, memory, calls and cost grow with orders and with merchants.
    Growth(growth::GrowthArgs),
    /// How long functions take to start, against a bare one; and how large they are, packed.
    Start(start::StartArgs),
}

const PATIENCE: Duration = Duration::from_hours(2);
/// Orders that are imported between two measurements of the bare puts.
const STEP: u64 = 5_000;
/// Orders of a busy shop that a quiet one's stand behind.
const BACKLOG: u64 = 4 * STEP;
/// How often a quiet shop's wait is measured, alone and behind the backlog; fewer where the backlog is gone before.
const QUIET_READINGS: usize = 5;
/// Results that are sent at once.
const RESULTS: usize = 10_000;
const PASSWORD: &str = "only-for-benchmarks";

/// The figures. The keys are those of `renkei bench --json`.
#[derive(Debug, Default, Serialize)]
struct Figures {
    orders: u64,
    calls_for_1000_orders: u64,
    calls_for_1000_orders_to_shipped: u64,
    steps: Vec<Step>,
    /// All steps: orders a second as a share of bare conditional puts a second.
    import_share: f64,
    /// The share at the last step, of that at the first.
    last_to_first: f64,
    /// The largest resident memory of any process, in MB, by function.
    peak_memory_mb: std::collections::BTreeMap<String, f64>,
    quiet_shop_alone_s: f64,
    quiet_shop_behind_s: f64,
    quiet_shop_ratio: f64,
    /// How many times as long one bare put waits behind the same backlog: what the AWS of this machine adds by itself.
    bare_put_ratio: f64,
    /// The quiet shop's ratio, of the bare put's: how much longer it waits than the AWS of this machine lets anything wait.
    quiet_shop_share: f64,
    /// Readings behind the backlog, of which the middle one counts.
    quiet_shop_readings: usize,
    results: results::Results,
    rules: rules::RuleFigures,
}

/// One step of the import.
#[derive(Debug, Serialize)]
struct Step {
    stored_before: u64,
    orders_a_second: f64,
    puts_a_second: f64,
    share: f64,
}

/// Carries out `renkei bench`.
pub async fn bench(arguments: BenchArgs) -> Result<Exit, CliError> {
    match arguments.only {
        Some(Only::Console(arguments)) => return Box::pin(lists::bench(arguments)).await,
        Some(Only::Cost(arguments)) => return Box::pin(cost::bench(arguments)).await,
        Some(Only::Growth(arguments)) => return Box::pin(growth::bench(arguments)).await,
        Some(Only::Start(arguments)) => return Box::pin(start::bench(arguments)).await,
        None => {}
    }
    let (project, progress, local, stack) = open(arguments.port).await?;
    let figures = Box::pin(measured(&stack, &local, arguments.orders)).await?;
    stop(&project.stack(arguments.port), progress)?;
    if arguments.json {
        output::json_line(&figures)?;
    } else {
        show(&figures)?;
    }
    Ok(Exit::Done)
}

/// A fresh local stack on this port, which is used up.
async fn open(port: u16) -> Result<(Project, Progress, LocalStack, Stack), CliError> {
    open_with(UpOptions { port, ..UpOptions::default() }).await
}

/// The same, with options of its own.
async fn open_with(options: UpOptions) -> Result<(Project, Progress, LocalStack, Stack), CliError> {
    let project = Project::find()?;
    let progress = Progress::shown();
    let port = options.port;
    let paths = project.stack(port);
    if !paths.is_demos() {
        return Err(CliError::said(format!(
            "the local stack on port {port} is somebody's, and this would throw away what it stores; choose another with --port"
        )));
    }
    let options = UpOptions { fresh: true, demo: true, no_time_of_day: true, ..options };
    let Up { stack: local, .. } = ensure_up(&project, &options, progress).await?;
    let stack = Stack::open(&At { stack: local.stack.clone(), local: Some(local.port) }).await?;
    Ok((project, progress, local, stack))
}

async fn measured(stack: &Stack, local: &LocalStack, orders: u64) -> Result<Figures, CliError> {
    let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
    let mut figures = Figures { orders, rules: rules::measure()?, ..Figures::default() };
    let busy = shop(stack, &simulator, "busy").await?;
    let quiet = shop(stack, &simulator, "quiet").await?;
    let memory = Memory::watch(local.pid)?;

    // Calls: a shop of its own, so that nothing else is in the count.
    let thousand = shop(stack, &simulator, "thousand").await?;
    place(&simulator, &thousand, 1_000).await?;
    through(stack, &thousand, "fetch-orders").await?;
    through(stack, &thousand, "state-working").await?;
    figures.calls_for_1000_orders = simulator.ledger_summary("thousand").await?.calls;
    results::measured(stack, &simulator, &thousand, 1_000).await?;
    figures.calls_for_1000_orders_to_shipped = simulator.ledger_summary("thousand").await?.calls;

    // Import, step by step, with nothing else going on: what was fetched waits until it is let go.
    let (mut stored, mut all_orders, mut all_puts) = (1_000, 0.0, 0.0);
    while stored < orders {
        place(&simulator, &busy, STEP).await?;
        measure::let_take(local, "import-orders", false).await?;
        start(stack, None, "busy/fetch-orders").await?;
        measure::until_empty(stack, "fetch-orders", PATIENCE).await?;
        let bare_before = measure::puts_a_second(stack).await?;
        measure::let_take(local, "import-orders", true).await?;
        // From the first order on: when the poller of this machine's AWS wakes up is none of import's.
        let left = measure::until_fewer(stack, "import-orders", STEP, PATIENCE).await?;
        let began = Instant::now();
        measure::until_empty(stack, "import-orders", PATIENCE).await?;
        let rate = left as f64 / began.elapsed().as_secs_f64();
        let bare = f64::midpoint(bare_before, measure::puts_a_second(stack).await?);
        let step = Step { stored_before: stored, orders_a_second: rate, puts_a_second: bare, share: rate / bare };
        eprintln!("{stored} stored: {rate:.0} orders a second, {bare:.0} puts: {:.2}", step.share);
        figures.steps.push(step);
        all_orders += rate;
        all_puts += bare;
        stored += STEP;
        // Told, so that the next pass does not read them again.
        through(stack, &busy, "state-working").await?;
    }
    figures.import_share = all_orders / all_puts;
    if let (Some(first), Some(last)) = (figures.steps.first(), figures.steps.last()) {
        figures.last_to_first = last.share / first.share;
    }

    // A quiet shop: ten orders alone, then ten orders behind another's, each several times.
    let (mut alone, mut behind) = (Vec::new(), Vec::new());
    let mut put_alone = measure::put_waits(stack).await?;
    for _ in 0..QUIET_READINGS {
        alone.push(quiet_wait(stack, &simulator, &quiet).await?);
    }
    place(&simulator, &busy, BACKLOG).await?;
    measure::let_take(local, "import-orders", false).await?;
    start(stack, None, "busy/fetch-orders").await?;
    measure::until_empty(stack, "fetch-orders", PATIENCE).await?;
    measure::let_take(local, "import-orders", true).await?;
    measure::until_fewer(stack, "import-orders", BACKLOG, PATIENCE).await?;
    let mut put_behind = Vec::new();
    while behind.len() < QUIET_READINGS {
        put_behind.extend(measure::put_waits(stack).await?);
        behind.push(quiet_wait(stack, &simulator, &quiet).await?);
        // What was measured while nothing stood before it says nothing.
        if measure::until_fewer(stack, "import-orders", u64::MAX, PATIENCE).await? == 0 {
            behind.pop();
            break;
        }
    }
    (figures.quiet_shop_alone_s, figures.quiet_shop_behind_s) = (median(&mut alone)?, median(&mut behind)?);
    figures.quiet_shop_readings = behind.len();
    figures.bare_put_ratio = median(&mut put_behind)? / median(&mut put_alone)?;
    figures.quiet_shop_ratio = figures.quiet_shop_behind_s / figures.quiet_shop_alone_s;
    figures.quiet_shop_share = figures.quiet_shop_ratio / figures.bare_put_ratio;
    measure::until_empty(stack, "import-orders", PATIENCE).await?;

    // The way back: the quiet shop's orders are done, and the busy one's wait for their warehouse.
    figures.results = results::measured(stack, &simulator, &busy, RESULTS).await?;

    figures.peak_memory_mb = memory.peaks();
    Ok(figures)
}

/// Seconds from the start of the quiet shop's fetching robot until ten orders are shipments.
async fn quiet_wait(stack: &Stack, simulator: &Simulator, quiet: &Found) -> Result<f64, CliError> {
    place(simulator, quiet, 10).await?;
    let began = Timestamp::now();
    let fetched = through(stack, quiet, "fetch-orders").await?;
    // By the run's own word: we look at it only now and then.
    let ended = fetched.ended_at.ok_or_else(|| CliError::said("the run has no end"))?;
    let waited = ended.duration_since(began).as_secs_f64();
    // Told, so that the next reading does not meet them again.
    through(stack, quiet, "state-working").await?;
    Ok(waited)
}

fn median(readings: &mut [f64]) -> Result<f64, CliError> {
    readings.sort_by(f64::total_cmp);
    let middle = readings.get(readings.len() / 2).copied();
    middle.ok_or_else(|| CliError::said("the backlog was gone before a quiet shop could be measured behind it"))
}

async fn shop(stack: &Stack, simulator: &Simulator, name: &str) -> Result<Found, CliError> {
    let spec = ShopSpec {
        name: name.to_owned(),
        password: PASSWORD.into(),
        daily_call_limit: 1_000_000,
        ..ShopSpec::default()
    };
    let status = simulator.add_shop(&spec).await?;
    let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
    let document = json!({
        "tenant": name,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        "connections": [{ "id": name, "api": "ecforce", "api_url": status.url, "ship_from": "dc", "email": spec.email,
                          "password": { "env": "PASSWORD" }, "daily_call_limit": 100_000, "call_interval_ms": 50 }],
        "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"], "default": true }],
        "products": products,
        "processing_robots": { "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"] },
        "integration_robots": { "easy_setup": { "connection": name, "every": "24 hours" } },
    });
    let secrets = [("PASSWORD".to_owned(), SecretString::from(PASSWORD))].into();
    apply(stack, &document.to_string(), Secrets::Given(secrets), false, &|_| Ok(())).await?;
    let scope = Scope { tenant: Some(name.to_owned()), connection: Some(name.to_owned()) };
    let found = stack.connections(&scope).await?.into_iter().next();
    found.ok_or_else(|| CliError::said(format!("the shop {name} was not set up")))
}

async fn place(simulator: &Simulator, shop: &Found, orders: u64) -> Result<(), CliError> {
    // Of a realistic size, one shipment each, and none that stays behind.
    let options = OrderOptions { multi_address_percent: 0.0, ..OrderOptions::default() };
    let options =
        OrderOptions { payment_states: [("authed".to_owned(), 1.0)].into(), missing_keys_percent: 0.0, ..options };
    simulator.generate_orders(shop.id().as_str(), orders, options).await?;
    Ok(())
}

async fn through(stack: &Stack, shop: &Found, action: &str) -> Result<Run, CliError> {
    let robot = format!("{}/{action}", shop.id());
    let ended = run(stack, None, &robot, PATIENCE, &ProgressBar::hidden()).await?;
    match &ended.error {
        None => Ok(ended),
        Some(error) => Err(CliError::said(format!("{robot}: {error}"))),
    }
}

fn show(figures: &Figures) -> Result<(), CliError> {
    let mut rows = vec![
        row("calls for 1,000 orders, fetch to working", format!("{}", figures.calls_for_1000_orders), "≤ 24"),
        row(
            "calls for 1,000 orders, fetch to shipped, status syncs apart",
            format!("{}", figures.calls_for_1000_orders_to_shipped),
            "≤ 42",
        ),
        row("import, as a share of bare conditional puts", format!("{:.2}", figures.import_share), "≥ 0.7"),
        row("… of the last 5,000 orders, of that of the first", format!("{:.2}", figures.last_to_first), "about 1"),
        row(
            "a quiet shop's wait behind a busy one, of its wait alone",
            format!(
                "{:.1} ({:.2} s of {:.2} s; the middle of {})",
                figures.quiet_shop_ratio,
                figures.quiet_shop_behind_s,
                figures.quiet_shop_alone_s,
                figures.quiet_shop_readings
            ),
            "≤ 2",
        ),
    ];
    rows.push(row("… and a bare put's wait then, of its wait alone", format!("{:.1}", figures.bare_put_ratio), ""));
    rows.push(row("… the first, as a share of the second", format!("{:.2}", figures.quiet_shop_share), "≤ 2"));
    for (figure, measured, wanted) in figures.results.rows() {
        rows.push(row(&figure, measured, wanted));
    }
    rows.push(row(
        "1,000 processing robots looked at on one shipment",
        format!("{:.0} µs", figures.rules.thousand_robots_us),
        "≤ 1,000 µs",
    ));
    rows.push(row("one order's conversion", format!("{:.0} µs", figures.rules.conversion_us), "≤ 100 µs"));
    for (function, mb) in &figures.peak_memory_mb {
        rows.push(row(&format!("peak memory of {function}"), format!("{mb:.1} MB"), "≤ 32 MB"));
    }
    output::line(format!("{} orders\n", figures.orders))?;
    output::table(&["figure", "measured", "wanted"], &rows)?;
    output::line("")?;
    let steps = figures.steps.iter().map(|step| {
        vec![
            step.stored_before.to_string(),
            format!("{:.0}", step.orders_a_second),
            format!("{:.0}", step.puts_a_second),
            format!("{:.2}", step.share),
        ]
    });
    output::table(&["stored", "orders/s", "bare puts/s", "share"], &steps.collect::<Vec<_>>())
}

fn row(figure: &str, measured: String, wanted: &str) -> Vec<String> {
    vec![figure.to_owned(), measured, wanted.to_owned()]
}

/// So many clients put at the same time, each one item after the other.
const CLIENTS: usize = 8;

/// Runs the same work in so many clients at once.
async fn at_once<F: Future<Output = Result<(), CliError>>>(work: impl Fn(usize) -> F) -> Result<(), CliError> {
    try_join_all((0..CLIENTS).map(work)).await.map(drop)
}
