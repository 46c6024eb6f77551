//! `renkei plan`: calls a day that robots will make, against each shop's limit; before it happens, not after.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_domain::plan::{Plan, Volume, plan_with};
use renkei_domain::settings::{Action, Product, TenantSettings};
use renkei_store::Tenant;
use renkei_store::access::Opens;
use serde::Serialize;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// Days of runs that the volume is measured over.
const MEASURED_DAYS: i64 = 7;
/// Runs that are looked at for it, at most.
const MOST_RUNS: usize = 5_000;

/// By the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct PlanLine<'a> {
    tenant: &'a str,
    measured: bool,
    share_percent: u32,
    advice: Option<String>,
    saving: Option<String>,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// What is known of a merchant, whichever of its shops is asked for.
struct Measured {
    orders: BTreeMap<ConnectionId, u32>,
    skus: u32,
    webhooks: BTreeSet<ConnectionId>,
}

/// Lists what robots will spend. Exit 4 where a shop's limit will not do.
pub async fn list(stack: &Stack, scope: &Scope, orders_per_day: Option<u32>, json: bool) -> Result<Exit, CliError> {
    let mut tight = false;
    let mut merchants: BTreeMap<TenantId, Measured> = BTreeMap::new();
    for place in stack.connections(scope).await? {
        let merchant = match merchants.entry(place.tenant.id().clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let orders = if orders_per_day.is_none() { measured(&place.tenant).await? } else { BTreeMap::new() };
                let skus = offered(&place.tenant.products().await?);
                new.insert(Measured { orders, skus, webhooks: webhooks(&place.tenant).await? })
            }
        };
        let measured = orders_per_day.is_none();
        let orders = orders_per_day.or_else(|| merchant.orders.get(place.id()).copied()).unwrap_or(0);
        let volume = Volume { orders, skus: merchant.skus };
        let webhooks = merchant.webhooks.contains(place.id());
        for plan in plans(&place.settings, place.id(), volume, webhooks) {
            tight |= !plan.is_comfortable();
            if json {
                output::json_line(&PlanLine {
                    tenant: place.tenant.id().as_str(),
                    measured,
                    share_percent: plan.share(),
                    advice: plan.advice(),
                    saving: plan.saving(),
                    plan: &plan,
                })?;
            } else {
                show(&plan, measured)?;
            }
        }
    }
    Ok(if tight { Exit::NeedsPerson } else { Exit::Done })
}

/// The plans of a connection's easy set-ups.
pub fn plans(settings: &TenantSettings, connection: &ConnectionId, volume: Volume, webhooks: bool) -> Vec<Plan> {
    let Some(connection) = settings.connection(connection) else { return Vec::new() };
    let setups = settings.integration_robots.easy_setup.iter().filter(|setup| setup.connection == connection.id);
    setups.map(|setup| plan_with(settings, connection, setup, volume, webhooks)).collect()
}

/// The merchant's shops that were given an address for webhooks, and may still use it.
pub async fn webhooks(tenant: &Tenant) -> Result<BTreeSet<ConnectionId>, CliError> {
    let now = Timestamp::now();
    let grants = tenant.grants().await?.into_iter().filter(|grant| grant.is_valid(now));
    Ok(grants
        .filter_map(|grant| match grant.opens {
            Opens::Hook(connection) => Some(connection),
            Opens::Warehouse(_) => None,
        })
        .collect())
}

/// SKUs that a shop may be told of.
pub fn offered(products: &[Product]) -> u32 {
    let count = products.iter().filter(|product| !product.not_for_sale).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Orders a day of each of a merchant's shops, by what was imported in the last days; rounded up. One look through the
/// merchant's runs for all of its shops.
pub async fn measured(tenant: &Tenant) -> Result<BTreeMap<ConnectionId, u32>, CliError> {
    let now = Timestamp::now();
    let since = now.saturating_sub((MEASURED_DAYS * 24).hours()).unwrap_or(now);
    // Orders, and the first run that is looked at.
    let mut shops: BTreeMap<ConnectionId, (u64, Timestamp)> = BTreeMap::new();
    let mut seen = 0;
    let mut from = None;
    'pages: loop {
        let page = tenant.runs(100, from).await?;
        for run in &page.rows {
            if run.started_at < since || seen >= MOST_RUNS {
                break 'pages;
            }
            seen += 1;
            if run.action == Action::FetchOrders {
                let (orders, first) = shops.entry(run.connection.clone()).or_insert((0, now));
                *orders += run.counts.get("imported").copied().unwrap_or(0);
                *first = run.started_at.min(*first);
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    Ok(shops
        .into_iter()
        .map(|(shop, (orders, first))| {
            // Less than a day of runs is taken for a whole one: what came at once would else be thought to come all day.
            let hours = u64::try_from(now.duration_since(first).as_hours()).unwrap_or(0).max(24);
            (shop, u32::try_from((orders * 24).div_ceil(hours)).unwrap_or(u32::MAX))
        })
        .collect())
}

fn show(plan: &Plan, measured: bool) -> Result<(), CliError> {
    let source = if measured { "measured" } else { "given" };
    output::line(format!(
        "{}: {} orders a day ({source}), {} SKUs, every {} minutes",
        plan.connection, plan.volume.orders, plan.volume.skus, plan.every_minutes
    ))?;
    let mut rows: Vec<Vec<String>> = plan
        .robots
        .iter()
        .map(|robot| vec![format!("  {}", robot.robot), robot.starts.to_string(), robot.calls.to_string()])
        .collect();
    rows.push(vec!["  sign-ins".into(), String::new(), plan.sign_ins.to_string()]);
    rows.push(vec!["  all".into(), String::new(), format!("{} of {} ({} %)", plan.calls, plan.limit, plan.share())]);
    output::table(&["  robot", "starts a day", "calls a day, at most"], &rows)?;
    output::line(match plan.advice() {
        Some(advice) => format!("  {advice}"),
        None => "  fits (上限内です)".to_owned(),
    })?;
    plan.saving().map_or(Ok(()), |saving| output::line(format!("  {saving}")))
}
