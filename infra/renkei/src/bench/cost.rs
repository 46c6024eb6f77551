//! `renkei bench cost`: what an order costs on its way at AWS's list prices, by counting what it uses.
//!
//! Orders go their whole way in blocks, one stage after the other, on a local stack whose AWS counts what it would charge
//! for (`infra/tools/metered_calls.py`). Between two stages the count is read: so each stage, each function, and the first
//! and the last block of orders have a bill of their own. Robots that find nothing to do are counted apart.

use std::collections::BTreeMap;

use clap::Args;
use renkei_simulator::Simulator;
use serde::Serialize;

use super::course::{Merchant, Meter, STAGES, block, quiet};
use super::prices::{Prices, Usage, add, between};
use super::{open_with, place, row, through};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, UpOptions, stop};
use crate::output;
use crate::stack::Stack;

/// `renkei bench cost`
#[derive(Debug, Args)]
pub struct CostArgs {
    /// Orders that go their whole way.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(20..=100_000))]
    pub orders: u64,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4569, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Orders that go together, and the first and last of which are compared.
const BLOCK: u64 = 1_000;
/// What figures are for.
const MILLION: f64 = 1e6;
/// The robots of easy set-up, which also run when there is nothing for them, and their runs in 30 days: one every 15
/// minutes, or every night.
const IDLE: [(&str, f64); 5] = [
    ("fetch-orders", 2_880.0),
    ("state-working", 2_880.0),
    ("status-sync", 2_880.0),
    ("state-shipped", 2_880.0),
    ("reconcile", 30.0),
];

/// The figures. The keys are those of `renkei bench cost --json`. Money is USD for 1,000,000 orders, but for `idle`.
#[derive(Debug, Default, Serialize)]
struct Figures {
    orders: u64,
    region: String,
    prices_as_of: String,
    total: f64,
    /// Orders of the first block, and of the last.
    first: f64,
    last: f64,
    last_to_first: f64,
    by_stage: BTreeMap<&'static str, f64>,
    by_function: BTreeMap<String, f64>,
    by_measure: BTreeMap<String, f64>,
    /// What one order uses, by stage, function and measure.
    uses: BTreeMap<&'static str, BTreeMap<String, BTreeMap<String, f64>>>,
    /// USD for 1,000,000 runs with nothing to do, by robot, the schedule that starts them included.
    idle: BTreeMap<&'static str, f64>,
}

/// Carries out `renkei bench cost`.
pub async fn bench(arguments: CostArgs) -> Result<Exit, CliError> {
    let options = UpOptions { port: arguments.port, metered: true, ..UpOptions::default() };
    let (project, progress, local, stack) = open_with(options).await?;
    let figures = Box::pin(measured(&stack, &local, arguments.orders)).await?;
    stop(&project.stack(arguments.port), progress)?;
    if arguments.json {
        output::json_line(&figures)?;
    } else {
        show(&figures)?;
    }
    Ok(Exit::Done)
}

async fn measured(stack: &Stack, local: &LocalStack, orders: u64) -> Result<Figures, CliError> {
    let prices = Prices::tokyo()?;
    let meter = Meter::of(local)?;
    let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
    let merchants = [Merchant::open(stack, &simulator, "cost").await?];
    let shop = &merchants[0].shop;
    // Functions start, and read what they keep: not what an order costs.
    place(&simulator, shop, 2).await?;
    block(stack, &merchants, &meter).await?;
    let mut whole: Vec<Usage> = vec![Usage::new(); STAGES.len()];
    let size = BLOCK.min(orders / 2);
    let mut blocks = Vec::new();
    let mut left = orders;
    while left > 0 {
        // The last takes the rest, so that it is as large as the first.
        let now = if left < 2 * size { left } else { size };
        place(&simulator, shop, now).await?;
        let stages = block(stack, &merchants, &meter).await?;
        let mut all = Usage::new();
        for (whole, stage) in whole.iter_mut().zip(&stages) {
            add(whole, &stage.used);
            add(&mut all, &stage.used);
        }
        let usd = prices.bill(&all)? / now as f64 * MILLION;
        left -= now;
        eprintln!("{} of {orders} orders: {usd:.2} USD for a million", orders - left);
        blocks.push(usd);
    }
    merchants[0].all_shipped(&simulator, orders + 2).await?;
    let mut figures =
        Figures { orders, region: prices.region.clone(), prices_as_of: prices.as_of.clone(), ..Figures::default() };
    let mut all = Usage::new();
    let a_million = MILLION / orders as f64;
    for (stage, usage) in STAGES.iter().zip(&whole) {
        add(&mut all, usage);
        figures.by_stage.insert(stage.name, prices.bill(usage)? * a_million);
        let uses = figures.uses.entry(stage.name).or_default();
        for ((function, measure), amount) in usage {
            uses.entry(function.clone()).or_default().insert(measure.clone(), amount / orders as f64);
        }
    }
    figures.total = prices.bill(&all)? * a_million;
    figures.by_function = scaled(prices.bill_by(&all, |of| &of.0)?, a_million);
    figures.by_measure = scaled(prices.bill_by(&all, |of| &of.1)?, a_million);
    (figures.first, figures.last) = (blocks.first().copied().unwrap_or(0.0), blocks.last().copied().unwrap_or(0.0));
    figures.last_to_first = figures.last / figures.first;
    for (robot, _) in IDLE {
        let before = meter.read().await?;
        through(stack, shop, robot).await?;
        quiet(stack).await?;
        let run = prices.bill(&between(&before, &meter.read().await?))? + prices.usd("schedule-invocations", 1.0)?;
        figures.idle.insert(robot, run * MILLION);
    }
    Ok(figures)
}

fn scaled(bill: BTreeMap<String, f64>, by: f64) -> BTreeMap<String, f64> {
    bill.into_iter().map(|(of, usd)| (of, usd * by)).collect()
}

fn show(figures: &Figures) -> Result<(), CliError> {
    output::line(format!(
        "{} orders; USD for 1,000,000 at the prices of {} ({}). Lambda's time is this machine's.\n",
        figures.orders, figures.region, figures.prices_as_of
    ))?;
    let money = |usd: f64| format!("{usd:.2}");
    let stages = STAGES.iter().map(|stage| {
        let uses = &figures.uses[stage.name];
        let units = |measure: &str| uses.values().filter_map(|of| of.get(measure)).fold(0.0, |sum, more| sum + more);
        let usd = figures.by_stage.get(stage.name).copied().unwrap_or(0.0);
        vec![
            stage.name.to_owned(),
            money(usd),
            format!("{:.2}", units("write-units")),
            format!("{:.2}", units("read-units")),
            format!("{:.2}", units("sqs-requests")),
            format!("{:.0}", units("log-bytes")),
        ]
    });
    let headings = ["stage", "USD", "write units an order", "read units", "SQS requests", "bytes of log"];
    output::table(&headings, &stages.collect::<Vec<_>>())?;
    for (heading, bill) in [("function", &figures.by_function), ("for", &figures.by_measure)] {
        output::line("")?;
        let rows: Vec<Vec<String>> = bill.iter().map(|(of, usd)| vec![of.clone(), money(*usd)]).collect();
        output::table(&[heading, "USD"], &rows)?;
    }
    output::line("")?;
    let idle = IDLE.iter().map(|(robot, runs)| {
        let usd = figures.idle.get(robot).copied().unwrap_or(0.0);
        vec![(*robot).to_owned(), money(usd), format!("{runs:.0}"), format!("{:.4}", usd / MILLION * runs)]
    });
    let headings = ["run with nothing to do", "USD for 1,000,000 runs", "runs in 30 days", "USD for them"];
    output::table(&headings, &idle.collect::<Vec<_>>())?;
    output::line("")?;
    output::table(
        &["figure", "measured", "wanted"],
        &[
            row("1,000,000 orders, fetch to shipped", format!("{:.2} USD", figures.total), "≤ 15 USD"),
            row(
                "the last orders, of the first",
                format!("{:.2} ({:.2} of {:.2} USD)", figures.last_to_first, figures.last, figures.first),
                "about 1",
            ),
        ],
    )
}
