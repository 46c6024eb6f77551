//! `renkei bench cost`: what an order costs on its way at AWS's list prices, by counting what it uses.
//!
//! Orders go their whole way in blocks, one stage after the other, on a local stack whose AWS counts what it would charge
//! for (`infra/tools/metered_calls.py`). Between two stages the count is read: so each stage, each function, and the first
//! and the last block of orders have a bill of their own. Robots that find nothing to do are counted apart.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use renkei_simulator::Simulator;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::prices::{Prices, Usage, add, between};
use super::{PATIENCE, open_with, place, row, shop, through};
use crate::demo::way::{Warehouse, tracking_number};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, UpOptions, stop};
use crate::output;
use crate::prove::waiting;
use crate::stack::{Found, Stack};

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
/// Shipments in one request of the warehouse.
const PAGE: usize = 100;
/// What figures are for.
const MILLION: f64 = 1e6;
/// The stages of an order's life, in their order.
const STAGES: [Stage; 6] = [
    Stage { name: "fetched, imported", does: Does::Robot("fetch-orders") },
    Stage { name: "told as taken", does: Does::Robot("state-working") },
    Stage { name: "payment read", does: Does::Robot("status-sync") },
    Stage { name: "handed over", does: Does::Claims },
    Stage { name: "results taken", does: Does::Results },
    Stage { name: "told as shipped", does: Does::Robot("state-shipped") },
];
/// The robots of easy set-up, which also run when there is nothing for them.
const IDLE: [&str; 5] = ["fetch-orders", "state-working", "status-sync", "state-shipped", "reconcile"];
/// Runs of a robot in 30 days, one every 15 minutes.
const RUNS_A_MONTH: f64 = 2_880.0;

struct Stage {
    name: &'static str,
    does: Does,
}

enum Does {
    Robot(&'static str),
    Claims,
    Results,
}

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
    let shop = shop(stack, &simulator, "cost").await?;
    let ship_from = shop.settings.ship_froms.first().ok_or_else(|| CliError::said("the shop has no ship-from"))?;
    let warehouse = Warehouse::open(stack, &shop.tenant, &ship_from.warehouse).await?;
    // Functions start, and read what they keep: not what an order costs.
    place(&simulator, &shop, 2).await?;
    let mut whole: Vec<Usage> = vec![Usage::new(); STAGES.len()];
    block(stack, &shop, &warehouse, &meter, &mut whole).await?;
    whole = vec![Usage::new(); STAGES.len()];
    let size = BLOCK.min(orders / 2);
    let mut blocks = Vec::new();
    let mut left = orders;
    while left > 0 {
        // The last takes the rest, so that it is as large as the first.
        let now = if left < 2 * size { left } else { size };
        place(&simulator, &shop, now).await?;
        let mut stages = vec![Usage::new(); STAGES.len()];
        block(stack, &shop, &warehouse, &meter, &mut stages).await?;
        let mut all = Usage::new();
        for (whole, stage) in whole.iter_mut().zip(&stages) {
            add(whole, stage);
            add(&mut all, stage);
        }
        let usd = prices.bill(&all)? / now as f64 * MILLION;
        left -= now;
        eprintln!("{} of {orders} orders: {usd:.2} USD for a million", orders - left);
        blocks.push(usd);
    }
    let shipped = &shop.connection.states.shipped;
    let told =
        simulator.orders(shop.id().as_str(), None).await?.iter().filter(|it| it.state == *shipped).count() as u64;
    if told != orders + 2 {
        return Err(CliError::said(format!("{told} of {} orders have come to their end", orders + 2)));
    }
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
    for robot in IDLE {
        let before = meter.read().await?;
        through(stack, &shop, robot).await?;
        quiet(stack).await?;
        let run = prices.bill(&between(&before, &meter.read().await?))? + prices.usd("schedule-invocations", 1.0)?;
        figures.idle.insert(robot, run * MILLION);
    }
    Ok(figures)
}

/// Takes what waits at the shop through all stages, and counts what each uses.
async fn block(
    stack: &Stack,
    shop: &Found,
    warehouse: &Warehouse,
    meter: &Meter,
    stages: &mut [Usage],
) -> Result<(), CliError> {
    let mut claimed: Vec<String> = Vec::new();
    for (stage, used) in STAGES.iter().zip(stages) {
        let before = meter.read().await?;
        match stage.does {
            Does::Robot(action) => through(stack, shop, action).await?,
            Does::Claims => claimed = claim(warehouse).await?,
            Does::Results => report(warehouse, &claimed).await?,
        }
        quiet(stack).await?;
        add(used, &between(&before, &meter.read().await?));
    }
    Ok(())
}

/// The warehouse takes all that is ready.
async fn claim(warehouse: &Warehouse) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    loop {
        let page = warehouse.ask(Method::GET, &format!("/v1/shipments?status=ready&limit={PAGE}"), None).await?;
        let ready: Vec<&Value> = page["shipments"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
        if ready.is_empty() {
            return Ok(all);
        }
        let claimed = warehouse.ask(Method::POST, "/v1/shipments/claim", Some(&json!({ "ids": ready }))).await?;
        let claimed = claimed["claimed"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let before = all.len();
        all.extend(claimed.map(str::to_owned));
        if all.len() == before {
            return Err(CliError::said("the warehouse could claim nothing of what is ready"));
        }
    }
}

async fn report(warehouse: &Warehouse, claimed: &[String]) -> Result<(), CliError> {
    for page in claimed.chunks(PAGE) {
        let results: Vec<Value> = page
            .iter()
            .map(|id| {
                let id = id.parse().map_err(|error| CliError::said(format!("{error}")))?;
                Ok(json!({ "id": id, "tracking_number": tracking_number(&id), "shipped_at": Timestamp::now() }))
            })
            .collect::<Result<_, CliError>>()?;
        let answer = warehouse.ask(Method::POST, "/v1/shipments/results", Some(&json!({ "results": results }))).await?;
        if answer["accepted"].as_array().map_or(0, Vec::len) != page.len() {
            return Err(CliError::said(format!("results were refused: {}", answer["refused"])));
        }
    }
    Ok(())
}

/// Waits until nothing is in a queue or in hand, and what was done is counted.
async fn quiet(stack: &Stack) -> Result<(), CliError> {
    let began = std::time::Instant::now();
    while !waiting(stack).await?.is_empty() {
        if began.elapsed() > PATIENCE {
            return Err(CliError::said("the queues do not run empty"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The last invocation's log is counted after its message is gone.
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(())
}

/// What the local AWS has counted.
struct Meter {
    http: reqwest::Client,
    url: String,
    prefix: String,
}

#[derive(Deserialize)]
struct Counted {
    function: String,
    measure: String,
    operation: String,
    amount: f64,
}

impl Meter {
    fn of(local: &LocalStack) -> Result<Self, CliError> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| CliError::said(error.to_string()))?;
        let url = format!("{}/_renkei/meter", local.aws_endpoint);
        Ok(Self { http, url, prefix: format!("{}-", local.stack) })
    }

    async fn read(&self) -> Result<Usage, CliError> {
        let said =
            |error: reqwest::Error| CliError::said(format!("the local AWS does not tell what it counted: {error}"));
        let answer = self.http.get(&self.url).send().await.map_err(said)?.error_for_status().map_err(said)?;
        let counted: Vec<Counted> = answer.json().await.map_err(said)?;
        let mut usage = Usage::new();
        for Counted { function, measure, operation, amount } in counted {
            if measure == "unmetered" {
                return Err(CliError::said(format!("{function} uses {operation}, which nothing here can count")));
            }
            // DynamoDB charges for units; its requests are told for comparison.
            if measure != "dynamodb-requests" {
                let function = function.strip_prefix(&self.prefix).unwrap_or(&function).to_owned();
                *usage.entry((function, measure)).or_default() += amount;
            }
        }
        Ok(usage)
    }
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
        let units = |measure: &str| -> f64 { uses.values().filter_map(|of| of.get(measure)).sum() };
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
    let idle = figures
        .idle
        .iter()
        .map(|(robot, usd)| vec![(*robot).to_owned(), money(*usd), format!("{:.4}", usd / MILLION * RUNS_A_MONTH)]);
    let headings = ["run with nothing to do", "USD for 1,000,000 runs", "USD for 30 days, every 15 minutes"];
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
