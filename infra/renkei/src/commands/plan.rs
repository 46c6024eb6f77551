//! `renkei plan`: calls a day that robots will make, against each shop's limit; before it happens, not after.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_domain::plan::{Plan, Volume};
use renkei_setup::volume::{measured, offered, plans, webhooks};
use serde::Serialize;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

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
                let orders = if orders_per_day.is_none() {
                    measured(&place.tenant, Timestamp::now()).await?
                } else {
                    BTreeMap::new()
                };
                let skus = offered(&place.tenant.products().await?);
                let webhooks = webhooks(&place.tenant, Timestamp::now()).await?;
                new.insert(Measured { orders, skus, webhooks })
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

fn show(plan: &Plan, measured: bool) -> Result<(), CliError> {
    let source = if measured { "measured" } else { "given" };
    let every = plan.every_minutes.map_or_else(String::new, |minutes| format!(", every {minutes} minutes"));
    output::line(format!(
        "{}: {} orders a day ({source}), {} SKUs{every}",
        plan.connection, plan.volume.orders, plan.volume.skus
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
