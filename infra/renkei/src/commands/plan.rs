//! `renkei plan`: calls a day that robots will make, against each shop's limit; before it happens, not after.

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::ConnectionId;
use renkei_domain::plan::{Plan, Volume, plan};
use renkei_domain::settings::{Action, TenantSettings};
use renkei_store::Tenant;
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
    #[serde(flatten)]
    plan: &'a Plan,
}

/// Lists what robots will spend. Exit 4 where a shop's limit will not do.
pub async fn list(stack: &Stack, scope: &Scope, orders_per_day: Option<u32>, json: bool) -> Result<Exit, CliError> {
    let mut tight = false;
    for place in stack.connections(scope).await? {
        let (orders, measured) = match orders_per_day {
            Some(orders) => (orders, false),
            None => (measured(&place.tenant, place.id()).await?, true),
        };
        let products = place.tenant.products().await?;
        let skus = products.iter().filter(|product| !product.not_for_sale).count();
        let volume = Volume { orders, skus: u32::try_from(skus).unwrap_or(u32::MAX) };
        for plan in plans(&place.settings, place.id(), volume) {
            tight |= !plan.is_comfortable();
            if json {
                output::json_line(&PlanLine {
                    tenant: place.tenant.id().as_str(),
                    measured,
                    share_percent: plan.share(),
                    advice: plan.advice(),
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
pub fn plans(settings: &TenantSettings, connection: &ConnectionId, volume: Volume) -> Vec<Plan> {
    let Some(connection) = settings.connection(connection) else { return Vec::new() };
    let setups = settings.integration_robots.easy_setup.iter().filter(|setup| setup.connection == connection.id);
    setups.map(|setup| plan(settings, connection, setup, volume)).collect()
}

/// Orders a day of a shop, by what was imported in the last days; rounded up.
pub async fn measured(tenant: &Tenant, connection: &ConnectionId) -> Result<u32, CliError> {
    let now = Timestamp::now();
    let since = now.saturating_sub((MEASURED_DAYS * 24).hours()).unwrap_or(now);
    let (mut orders, mut first, mut seen) = (0_u64, now, 0);
    let mut from = None;
    'pages: loop {
        let page = tenant.runs(100, from).await?;
        for run in &page.rows {
            if run.started_at < since || seen >= MOST_RUNS {
                break 'pages;
            }
            seen += 1;
            if run.connection == *connection && run.action == Action::FetchOrders {
                orders += run.counts.get("imported").copied().unwrap_or(0);
                first = first.min(run.started_at);
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    // Less than a day of runs is taken for a whole one: what came at once would else be thought to come all day.
    let hours = (now.duration_since(first).as_hours()).max(24);
    Ok(u32::try_from((orders * 24).div_ceil(u64::try_from(hours).unwrap_or(24))).unwrap_or(u32::MAX))
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
    })
}
