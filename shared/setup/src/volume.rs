//! How many orders a merchant's shops have a day, and what its robots will spend by that; before it happens, not after.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::ConnectionId;
use renkei_domain::plan::{Plan, Volume, plan_of_own, plan_with};
use renkei_domain::run::{Outcome, Run};
use renkei_domain::settings::{Action, Every, Product, TenantSettings};
use renkei_store::access::Opens;
use renkei_store::{StoreError, Tenant};

/// Days of runs that the volume is measured over.
const MEASURED_DAYS: i64 = 7;
/// Runs that are looked at for it, at most.
const MOST_RUNS: usize = 5_000;
/// As often as this, what robots spend is told even where it fits.
const FREQUENT_MINUTES: u32 = 5;

/// The plans of a connection's easy set-ups; where it has none, that of whatever else calls the shop.
#[must_use]
pub fn plans(settings: &TenantSettings, connection: &ConnectionId, volume: Volume, webhooks: bool) -> Vec<Plan> {
    let Some(connection) = settings.connection(connection) else { return Vec::new() };
    let setups = settings.integration_robots.easy_setup.iter().filter(|setup| setup.connection == connection.id);
    let plans: Vec<Plan> = setups.map(|setup| plan_with(settings, connection, setup, volume, webhooks)).collect();
    if plans.is_empty() {
        return plan_of_own(settings, connection, volume, webhooks).into_iter().collect();
    }
    plans
}

/// The merchant's shops that were given an address for webhooks, and may still use it.
pub async fn webhooks(tenant: &Tenant, now: Timestamp) -> Result<BTreeSet<ConnectionId>, StoreError> {
    let grants = tenant.grants().await?.into_iter().filter(|grant| grant.is_valid(now));
    Ok(grants
        .filter_map(|grant| match grant.opens {
            Opens::Hook(connection) => Some(connection),
            Opens::Warehouse(_) => None,
        })
        .collect())
}

/// SKUs that a shop may be told of.
#[must_use]
pub fn offered(products: &[Product]) -> u32 {
    let count = products.iter().filter(|product| !product.not_for_sale).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Orders a day of each of a merchant's shops, by what was imported in the last days; rounded up. One look through the
/// merchant's runs for all of its shops.
pub async fn measured(tenant: &Tenant, now: Timestamp) -> Result<BTreeMap<ConnectionId, u32>, StoreError> {
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
            let (orders, first) = shops.entry(run.connection.clone()).or_insert((0, now));
            *orders += imported(run);
            *first = run.started_at.min(*first);
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

/// Orders that this run brought in as they came: fetched, or named by a webhook. Those of a back-fill came long ago.
fn imported(run: &Run) -> u64 {
    let came = run.action != Action::Reconcile;
    run.counts.get(Outcome::Imported.as_str()).copied().filter(|_| came).unwrap_or(0)
}

/// Where robots will spend more calls than a shop bears, with the numbers: to be said before it is saved.
pub async fn advice(tenant: &Tenant, settings: &TenantSettings, now: Timestamp) -> Result<Vec<String>, StoreError> {
    // Most products are in no document: those that are kept count, and those that come with it.
    let mut products = tenant.products().await?;
    products.retain(|kept| settings.products.iter().all(|product| product.sku != kept.sku));
    let skus = offered(&products).saturating_add(offered(&settings.products));
    let measured = measured(tenant, now).await?;
    let webhooks = webhooks(tenant, now).await?;
    let mut sentences = Vec::new();
    for connection in &settings.connections {
        let orders = measured.get(&connection.id).copied().unwrap_or(0);
        let webhooks = webhooks.contains(&connection.id);
        for plan in plans(settings, &connection.id, Volume { orders, skus }, webhooks) {
            let spent = format!("{} calls a day of {} ({} %)", plan.calls, plan.limit, plan.share());
            // What is looked at for webhooks is as often as they come, and nobody's choice.
            let by_choice = plan.robots.iter().filter(|robot| !robot.robot.as_str().ends_with("/hints"));
            let most = by_choice.map(|robot| robot.starts).max().unwrap_or(0);
            let is_frequent = most >= Every::DAY.as_minutes() / FREQUENT_MINUTES;
            let advice = plan.advice().or_else(|| is_frequent.then_some(spent));
            if let Some(advice) = advice {
                let robots: Vec<String> =
                    plan.robots.iter().map(|robot| format!("{} {}", robot.robot, robot.calls)).collect();
                sentences.push(format!(
                    "{}: at {orders} orders a day, {advice} ({})",
                    connection.id,
                    robots.join(", ")
                ));
            }
        }
    }
    Ok(sentences)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn orders_count_however_they_came_in_but_for_those_of_a_back_fill() {
        let run = |action: &str| -> Run {
            serde_json::from_value(json!({
                "id": "r", "connection": "shop", "robot": "shop/any", "action": action, "cause": "schedule",
                "state": "done", "started_at": "2026-11-24T00:00:00Z", "counts": { "imported": 7 }
            }))
            .unwrap()
        };
        assert_eq!(["fetch-orders", "status-sync", "reconcile"].map(|action| imported(&run(action))), [7, 7, 0]);
    }
}
