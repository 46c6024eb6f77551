//! The course that orders are sent along, stage by stage, with a count of what each stage uses.
//!
//! One course for what orders cost and for how that grows, so that both speak of the same orders. The count is kept by a
//! local AWS that was started for it (`infra/tools/metered_calls.py`).

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use renkei_simulator::Simulator;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::prices::{Usage, between};
use super::{CLIENTS, PATIENCE, shop, through};
use crate::commands::start;
use crate::demo::way::{Warehouse, tracking_number};
use crate::error::CliError;
use crate::local::LocalStack;
use crate::prove::waiting;
use crate::stack::{Found, Stack};

/// Shipments in one request of the warehouse.
const PAGE: usize = 100;
/// The stages of an order's life, in their order.
pub const STAGES: [Stage; 6] = [
    Stage { name: "fetched, imported", does: Does::Robot("fetch-orders") },
    Stage { name: "told as taken", does: Does::Robot("state-working") },
    Stage { name: "payment read", does: Does::Robot("status-sync") },
    Stage { name: "handed over", does: Does::Claims },
    Stage { name: "results taken", does: Does::Results },
    Stage { name: "told as shipped", does: Does::Robot("state-shipped") },
];

/// A stage of an order's life.
pub struct Stage {
    /// What reports call it.
    pub name: &'static str,
    does: Does,
}

enum Does {
    Robot(&'static str),
    Claims,
    Results,
}

/// What a stage took.
#[derive(Debug, Default)]
pub struct Took {
    /// What AWS would charge for.
    pub used: Usage,
    /// Until the queues were empty.
    pub time: Duration,
}

/// A shop of a merchant of its own, and its warehouse.
pub struct Merchant {
    /// The shop.
    pub shop: Found,
    warehouse: Warehouse,
}

impl Merchant {
    /// Sets one up.
    pub async fn open(stack: &Stack, simulator: &Simulator, name: &str) -> Result<Self, CliError> {
        let shop = shop(stack, simulator, name).await?;
        let ship_from = shop.settings.ship_froms.first().ok_or_else(|| CliError::said("the shop has no ship-from"))?;
        let warehouse = Warehouse::open(stack, &shop.tenant, &ship_from.warehouse).await?;
        Ok(Self { shop, warehouse })
    }

    /// Fails unless so many orders have come to their end, by the shop's own books.
    pub async fn all_shipped(&self, simulator: &Simulator, orders: u64) -> Result<(), CliError> {
        let shipped = &self.shop.connection.states.shipped;
        let all = simulator.orders(self.shop.id().as_str(), None).await?;
        let told = all.iter().filter(|it| it.state == *shipped).count() as u64;
        if told == orders {
            return Ok(());
        }
        Err(CliError::said(format!("{}: {told} of {orders} orders have come to their end", self.shop.id())))
    }
}

/// Takes what waits at these shops through all stages, at all of them at the same time, and tells what each stage took.
pub async fn block(stack: &Stack, merchants: &[Merchant], meter: &Meter) -> Result<Vec<Took>, CliError> {
    let mut claimed: Vec<Vec<String>> = Vec::new();
    let mut stages = Vec::new();
    for stage in &STAGES {
        let before = meter.read().await?;
        let began = Instant::now();
        match stage.does {
            Does::Robot(action) => robots(stack, merchants, action).await?,
            Does::Claims => {
                let all = stream::iter(merchants.iter().map(|it| claim(&it.warehouse)));
                claimed = all.buffered(CLIENTS).try_collect().await?;
            }
            Does::Results => {
                let all = merchants.iter().zip(&claimed).map(|(it, claimed)| report(&it.warehouse, claimed));
                stream::iter(all).buffered(CLIENTS).try_collect::<Vec<()>>().await?;
            }
        }
        let time = quiet(stack).await?.duration_since(began);
        stages.push(Took { used: between(&before, &meter.read().await?), time });
    }
    Ok(stages)
}

/// Runs a robot of each shop. One is waited for by its run, which says what it met; of many the queues tell the end.
async fn robots(stack: &Stack, merchants: &[Merchant], action: &str) -> Result<(), CliError> {
    if let [only] = merchants {
        return through(stack, &only.shop, action).await.map(drop);
    }
    let started = merchants.iter().map(|it| async move {
        start(stack, Some(it.shop.tenant.id().as_str()), &format!("{}/{action}", it.shop.id())).await.map(drop)
    });
    stream::iter(started).buffered(CLIENTS).try_collect::<Vec<()>>().await.map(drop)
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

/// Waits until nothing is in a queue or in hand, and what was done is counted; says when the queues were empty.
pub async fn quiet(stack: &Stack) -> Result<Instant, CliError> {
    let began = Instant::now();
    while !waiting(stack).await?.is_empty() {
        if began.elapsed() > PATIENCE {
            return Err(CliError::said("the queues do not run empty"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let empty = Instant::now();
    // The last invocation's log is counted after its message is gone.
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(empty)
}

/// What the local AWS has counted.
pub struct Meter {
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
    /// That of a local stack which was started to count.
    pub fn of(local: &LocalStack) -> Result<Self, CliError> {
        let http = renkei_http::builder().no_proxy().build().map_err(|error| CliError::said(error.to_string()))?;
        let url = format!("{}/_renkei/meter", local.aws_endpoint);
        Ok(Self { http, url, prefix: format!("{}-", local.stack) })
    }

    /// All that was counted so far.
    pub async fn read(&self) -> Result<Usage, CliError> {
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
