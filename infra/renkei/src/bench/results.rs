//! Results of the warehouse, all at once, and what they cost at the shop.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Instant;

use jiff::Timestamp;
use renkei_simulator::Simulator;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::{at_once, through};
use crate::demo::way::{Warehouse, tracking_number};
use crate::error::CliError;
use crate::stack::{Found, Stack};

/// Results in one request.
const REQUEST: usize = 50;
/// Shipments in one claim: the most that the API takes.
const PAGE: usize = 1_000;

/// What sending so many results came to.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// Results sent, by eight clients at once.
    sent: usize,
    /// Of those, accepted.
    accepted: usize,
    /// A second.
    accepted_a_second: f64,
    /// Orders in the shop's shipped state afterwards.
    shipped_at_shop: usize,
    /// Calls that telling them took, by endpoint.
    calls: BTreeMap<String, u64>,
}

impl Results {
    /// Rows of the report: figure, measured, wanted.
    pub fn rows(&self) -> Vec<(String, String, &'static str)> {
        let calls: Vec<String> = self.calls.iter().map(|(endpoint, calls)| format!("{calls} {endpoint}")).collect();
        vec![
            (
                format!("results accepted, of {} sent at once by 8 clients", self.sent),
                format!("{} ({:.0} a second)", self.accepted, self.accepted_a_second),
                "all",
            ),
            ("… orders shipped at the shop afterwards".to_owned(), self.shipped_at_shop.to_string(), "all"),
            ("… calls at the shop for them".to_owned(), calls.join(", "), "≤ 100 for each kind"),
        ]
    }
}

/// Claims so much of what is ready at a shop, reports it as sent from eight clients at once, and has the shop told.
pub async fn measured(stack: &Stack, simulator: &Simulator, shop: &Found, most: usize) -> Result<Results, CliError> {
    let ship_from = shop.settings.ship_froms.first().ok_or_else(|| CliError::said("the shop has no ship-from"))?;
    let warehouse = Warehouse::open(stack, &shop.tenant, &ship_from.warehouse).await?;
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < most {
        let page = warehouse.ask(Method::GET, &format!("/v1/shipments?status=ready&limit={PAGE}"), None).await?;
        let ready: Vec<&Value> = page["shipments"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
        let claimed = warehouse.ask(Method::POST, "/v1/shipments/claim", Some(&json!({ "ids": ready }))).await?;
        let claimed: Vec<String> = claimed["claimed"].as_array().into_iter().flatten().filter_map(text).collect();
        if claimed.is_empty() {
            return Err(CliError::said("there is less to claim than is to be measured"));
        }
        ids.extend(claimed);
    }
    let before = simulator.ledger_summary(shop.id().as_str()).await?.by_endpoint;
    let sent = ids.len();
    let requests: Mutex<VecDeque<Vec<String>>> = Mutex::new(ids.chunks(REQUEST).map(<[String]>::to_vec).collect());
    let accepted = Mutex::new(0);
    let began = Instant::now();
    at_once(|_| async {
        loop {
            let Some(ids) = requests.lock().ok().and_then(|mut open| open.pop_front()) else { return Ok(()) };
            let results: Vec<Value> = ids
                .iter()
                .map(|id| {
                    let id = id.parse().map_err(|error| CliError::said(format!("{error}")))?;
                    Ok(json!({ "id": id, "tracking_number": tracking_number(&id), "shipped_at": Timestamp::now() }))
                })
                .collect::<Result<_, CliError>>()?;
            let answer =
                warehouse.ask(Method::POST, "/v1/shipments/results", Some(&json!({ "results": results }))).await?;
            if let Ok(mut accepted) = accepted.lock() {
                *accepted += answer["accepted"].as_array().map_or(0, Vec::len);
            }
        }
    })
    .await?;
    let seconds = began.elapsed().as_secs_f64();
    through(stack, shop, "state-shipped").await?;
    let after = simulator.ledger_summary(shop.id().as_str()).await?.by_endpoint;
    let calls = after
        .into_iter()
        .map(|(endpoint, calls)| (endpoint.clone(), calls - before.get(&endpoint).copied().unwrap_or(0)))
        .filter(|(_, calls)| *calls > 0);
    let shipped = &shop.connection.states.shipped;
    let orders = simulator.orders(shop.id().as_str(), None).await?;
    let accepted = accepted.into_inner().unwrap_or(0);
    Ok(Results {
        sent,
        accepted,
        accepted_a_second: accepted as f64 / seconds,
        shipped_at_shop: orders.iter().filter(|order| order.state == *shipped).count(),
        calls: calls.collect(),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
