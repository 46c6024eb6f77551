//! `renkei stock`: what may be sold of each SKU and why, what the shop was told, and with `--drift` what it has.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_domain::gate::Lane;
use renkei_ecforce::{MAX_PER, PageRequest};
use renkei_setup::stock::{self, Line};
use renkei_shop::{Session, SessionRequest, ShopError};
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::{Found, Stack};

/// Whose calls these are in the quota.
const ROBOT: &str = "stock-drift";
const PATIENCE: Duration = Duration::from_mins(10);
/// No shop has more records of stock than this many pages hold.
const MOST_PAGES: u32 = 1_000;

/// A SKU, by the stable keys of `docs/cli.md`.
#[expect(clippy::option_option, reason = "left out, or null")]
#[derive(Serialize)]
struct StockLine<'a> {
    sku: &'a str,
    count: Option<u32>,
    buffer: Option<u32>,
    reserved: Option<u64>,
    sellable: Option<u32>,
    told: Option<u32>,
    /// The answer to the last telling was lost: told again by the next run.
    uncertain: bool,
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_shop: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<bool>,
}

/// Lists a connection's stock.
pub async fn list(
    stack: &Stack,
    tenant: Option<&str>,
    connection: &str,
    drift: bool,
    json: bool,
) -> Result<Exit, CliError> {
    let place = stack.connection(tenant, connection).await?;
    let lines = stock::lines(&place.tenant, &place.settings, &place.connection, Timestamp::now()).await?;
    let at_shop = if drift { Some(read(stack, &place).await?) } else { None };
    let mut drifting = 0;
    let mut rows = Vec::new();
    for line in &lines {
        let line = shown(line, at_shop.as_ref().map(|(stock, _)| stock));
        drifting += usize::from(line.drift == Some(true));
        if json {
            output::json_line(&line)?;
        } else {
            rows.push(row(&line, drift));
        }
    }
    if !json {
        let mut headings = vec!["sku", "count", "buffer", "reserved", "sellable", "told"];
        if drift {
            headings.push("at the shop");
        }
        output::table(&headings, &rows)?;
    }
    if let Some((_, calls)) = at_shop {
        eprintln!("{drifting} of the shop's values are other than what it was told; {calls} calls spent");
    }
    Ok(if drifting > 0 { Exit::NeedsPerson } else { Exit::Done })
}

fn shown<'a>(line: &'a Line, at_shop: Option<&BTreeMap<String, Option<i64>>>) -> StockLine<'a> {
    let (offer, kept) = (line.offer, line.told.as_ref());
    let told = kept.and_then(|kept| kept.told);
    let has = at_shop.map(|stock| stock.get(line.sku.as_str()).copied().flatten());
    StockLine {
        sku: line.sku.as_str(),
        count: offer.map(|offer| offer.count),
        buffer: offer.map(|offer| offer.buffer),
        reserved: offer.map(|offer| offer.reserved),
        sellable: offer.map(|offer| offer.sellable),
        told,
        uncertain: kept.is_some_and(|kept| kept.intended.is_some()),
        refused: kept.and_then(|kept| kept.refused.as_ref()).map(|(_, error)| error.code.as_str()),
        at_shop: has,
        drift: has.map(|has| told.is_some() && has != told.map(i64::from)),
    }
}

fn row(line: &StockLine<'_>, drift: bool) -> Vec<String> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let mut row = vec![
        output::plain(line.sku),
        shown(line.count.map(|n| n.to_string())),
        shown(line.buffer.map(|n| n.to_string())),
        shown(line.reserved.map(|n| n.to_string())),
        shown(line.sellable.map(|n| n.to_string())),
        match (line.refused, line.uncertain) {
            (Some(code), _) => format!("refused ({})", output::plain(code)),
            (None, true) => "uncertain".to_owned(),
            (None, false) => shown(line.told.map(|n| n.to_string())),
        },
    ];
    if drift {
        let mark = if line.drift == Some(true) { " ≠" } else { "" };
        row.push(format!("{}{mark}", shown(line.at_shop.flatten().map(|n| n.to_string()))));
    }
    row
}

/// The shop's stock at the connection's location, and the calls that reading it took: one for each hundred records.
async fn read(stack: &Stack, place: &Found) -> Result<(BTreeMap<String, Option<i64>>, u32), CliError> {
    let Some(location) = &place.connection.stock_location_code else {
        return Err(CliError::said("the connection has no stock_location_code: there is no stock of it at the shop"));
    };
    let request = SessionRequest {
        connection: &place.connection,
        holder: format!("{ROBOT}-{}", ulid::Ulid::generate()),
        robot: ROBOT,
        lane: Lane::Stock,
        deadline: Instant::now() + PATIENCE,
        after_failure: false,
    };
    let mut session = stack.shops()?.open(&place.tenant, request).await?;
    let stock = pages(&mut session, location).await;
    let calls = session.calls();
    session.leave().await?;
    Ok((stock?, calls))
}

async fn pages(session: &mut Session, location: &str) -> Result<BTreeMap<String, Option<i64>>, ShopError> {
    let mut stock = BTreeMap::new();
    let mut page = PageRequest::new(1, MAX_PER);
    while page.page() <= MOST_PAGES {
        let answer = session.call(async |client, token| client.stock_items(token, page).await).await?;
        let last = answer.is_last(MAX_PER);
        for item in answer.records.into_iter().flatten() {
            if item.stock_location_code.as_deref().is_none_or(|code| code == location) {
                stock.insert(item.variant_sku, item.stock.filter(|_| !item.stock_unlimited));
            }
        }
        if last {
            break;
        }
        page = page.next();
    }
    Ok(stock)
}
