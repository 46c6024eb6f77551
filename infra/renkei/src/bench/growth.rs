//! `renkei bench growth`: how time, memory, calls and cost grow with the orders that are stored, and with the merchants.
//!
//! Both go the course of `renkei bench cost`. First one merchant's orders, a block after the other, so that each block
//! finds more stored than the one before. Then more and more merchants at the same time, each with a few orders of its own.
//! What does not grow is a flat line in the plots; seconds are this machine's, and only their growth says something.

use std::path::PathBuf;

use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use renkei_simulator::Simulator;
use serde::Serialize;

use super::course::{Merchant, Meter, Took, block};
use super::measure::Memory;
use super::plot::{Line, plots};
use super::prices::{Prices, Usage, add};
use super::{CLIENTS, open_with, place};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, UpOptions, stop};
use crate::output;
use crate::stack::Stack;

/// `renkei bench growth`
#[derive(Debug, Args)]
pub struct GrowthArgs {
    /// Orders of one merchant in the end; 100,000 take a long while.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(2_000..=100_000))]
    orders: u64,
    /// Merchants in the end.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(2..=500))]
    tenants: u64,
    /// Draws the plots into this SVG file.
    #[arg(long, value_name = "FILE")]
    plots: Option<PathBuf>,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4569, value_parser = clap::value_parser!(u16).range(1024..))]
    port: u16,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Orders that go together.
const BLOCK: u64 = 1_000;
/// Orders of each merchant at each step of the merchants.
const EACH: u64 = 50;
/// Steps from one merchant to all.
const STEPS: [u64; 6] = [200, 40, 20, 8, 2, 1];

/// The figures. The keys are those of `renkei bench growth --json`.
#[derive(Debug, Serialize)]
struct Figures {
    by_orders: Vec<Point>,
    by_tenants: Vec<Point>,
}

/// What a block of orders took.
#[derive(Debug, Serialize)]
struct Point {
    /// Orders of this merchant that were stored before, or merchants at the same time.
    at: u64,
    /// Orders of this block, of all merchants.
    orders: u64,
    seconds_for_1000_orders: f64,
    /// Calls at shops.
    calls_for_1000_orders: f64,
    usd_for_1000000_orders: f64,
    /// The most that any process of a function had so far, in MB.
    peak_memory_mb: f64,
    peak_memory_of: String,
}

/// Carries out `renkei bench growth`.
pub async fn bench(arguments: GrowthArgs) -> Result<Exit, CliError> {
    let options = UpOptions { port: arguments.port, metered: true, ..UpOptions::default() };
    let (project, progress, local, stack) = open_with(options).await?;
    let prices = Prices::tokyo()?;
    let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
    let ground = Ground {
        stack: &stack,
        meter: Meter::of(&local)?,
        memory: watch(&local)?,
        prices: &prices,
        simulator: &simulator,
    };
    let by_orders = Box::pin(ground.by_orders(arguments.orders)).await?;
    let by_tenants = Box::pin(ground.by_tenants(arguments.tenants)).await?;
    stop(&project.stack(arguments.port), progress)?;
    let figures = Figures { by_orders, by_tenants };
    if let Some(path) = &arguments.plots {
        plots(path, &lines(&figures))?;
    }
    if arguments.json {
        output::json_line(&figures)?;
    } else {
        show(&figures)?;
    }
    Ok(Exit::Done)
}

fn watch(local: &LocalStack) -> Result<Memory, CliError> {
    Memory::watch(local.pid)
}

/// What everything is measured on.
struct Ground<'a> {
    stack: &'a Stack,
    meter: Meter,
    memory: Memory,
    prices: &'a Prices,
    simulator: &'a Simulator,
}

impl Ground<'_> {
    async fn by_orders(&self, orders: u64) -> Result<Vec<Point>, CliError> {
        let merchants = [Merchant::open(self.stack, self.simulator, "orders").await?];
        self.warm(&merchants).await?;
        let mut points = Vec::new();
        for stored in (0..orders).step_by(usize::try_from(BLOCK).unwrap_or(usize::MAX)) {
            points.push(self.point(stored, &merchants, BLOCK.min(orders - stored)).await?);
        }
        merchants[0].all_shipped(self.simulator, orders + 2).await?;
        Ok(points)
    }

    async fn by_tenants(&self, tenants: u64) -> Result<Vec<Point>, CliError> {
        let mut merchants: Vec<Merchant> = Vec::new();
        let mut points = Vec::new();
        for step in STEPS {
            let many = (tenants / step).max(1);
            if points.last().is_some_and(|it: &Point| it.at == many) {
                continue;
            }
            let names = (merchants.len() as u64..many).map(|n| format!("tenant-{n}"));
            let opened = names.map(|name| async move { Merchant::open(self.stack, self.simulator, &name).await });
            let opened: Vec<Merchant> = stream::iter(opened).buffered(CLIENTS).try_collect().await?;
            // What functions read of a merchant that they have not seen is not what its orders cost.
            self.warm(&opened).await?;
            merchants.extend(opened);
            points.push(self.point(many, &merchants, EACH).await?);
        }
        Ok(points)
    }

    /// Two orders of each go before, so that what functions read once is not in the figures.
    async fn warm(&self, merchants: &[Merchant]) -> Result<(), CliError> {
        for merchant in merchants {
            place(self.simulator, &merchant.shop, 2).await?;
        }
        block(self.stack, merchants, &self.meter).await.map(drop)
    }

    async fn point(&self, at: u64, merchants: &[Merchant], each: u64) -> Result<Point, CliError> {
        for merchant in merchants {
            place(self.simulator, &merchant.shop, each).await?;
        }
        let before = self.calls(merchants).await?;
        let took = block(self.stack, merchants, &self.meter).await?;
        let calls = self.calls(merchants).await? - before;
        let orders = each * merchants.len() as u64;
        let (used, seconds) = sum(&took);
        let (peak_memory_of, peak_memory_mb) = self.memory.peaks().into_iter().fold(Default::default(), larger);
        let a_thousand = 1e3 / orders as f64;
        let point = Point {
            at,
            orders,
            seconds_for_1000_orders: seconds * a_thousand,
            calls_for_1000_orders: calls as f64 * a_thousand,
            usd_for_1000000_orders: self.prices.bill(&used)? * 1e3 * a_thousand,
            peak_memory_mb,
            peak_memory_of,
        };
        eprintln!(
            "{at}: {:.1} s and {:.0} calls for 1,000 orders, {:.2} USD for 1,000,000, {peak_memory_mb:.1} MB",
            point.seconds_for_1000_orders, point.calls_for_1000_orders, point.usd_for_1000000_orders
        );
        Ok(point)
    }

    async fn calls(&self, merchants: &[Merchant]) -> Result<u64, CliError> {
        let mut calls = 0;
        for merchant in merchants {
            calls += self.simulator.ledger_summary(merchant.shop.id().as_str()).await?.calls;
        }
        Ok(calls)
    }
}

fn sum(took: &[Took]) -> (Usage, f64) {
    let mut used = Usage::new();
    for stage in took {
        add(&mut used, &stage.used);
    }
    (used, took.iter().map(|stage| stage.time.as_secs_f64()).sum())
}

fn larger(most: (String, f64), it: (String, f64)) -> (String, f64) {
    if it.1 > most.1 { it } else { most }
}

/// One figure of a point.
type Figure = fn(&Point) -> f64;

/// A line of the plots for each figure, over orders and over merchants.
fn lines(figures: &Figures) -> Vec<Line> {
    let figures_of: [(&str, Figure); 4] = [
        ("seconds for 1,000 orders (this machine's)", |it| it.seconds_for_1000_orders),
        ("calls at shops for 1,000 orders", |it| it.calls_for_1000_orders),
        ("USD for 1,000,000 orders", |it| it.usd_for_1000000_orders),
        ("peak memory of any function, MB", |it| it.peak_memory_mb),
    ];
    let sides = [("orders stored before", &figures.by_orders), ("merchants at the same time", &figures.by_tenants)];
    figures_of
        .iter()
        .flat_map(|(what, value)| {
            sides.map(|(over, points)| Line {
                title: format!("{what}, by {over}"),
                points: points.iter().map(|it| (it.at as f64, value(it))).collect(),
            })
        })
        .collect()
}

fn show(figures: &Figures) -> Result<(), CliError> {
    for (over, points) in [("stored before", &figures.by_orders), ("merchants", &figures.by_tenants)] {
        let headings = [over, "orders", "s for 1,000", "calls for 1,000", "USD for 1,000,000", "peak memory"];
        let rows = points.iter().map(|it| {
            vec![
                it.at.to_string(),
                it.orders.to_string(),
                format!("{:.1}", it.seconds_for_1000_orders),
                format!("{:.0}", it.calls_for_1000_orders),
                format!("{:.2}", it.usd_for_1000000_orders),
                format!("{:.1} MB ({})", it.peak_memory_mb, it.peak_memory_of),
            ]
        });
        output::table(&headings, &rows.collect::<Vec<_>>())?;
        output::line("")?;
    }
    Ok(())
}
