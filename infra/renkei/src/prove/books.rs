//! The account of a world: what Renkei stores against the shops' own books.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use renkei_domain::run::{Outcome, RunState};
use renkei_domain::shipment::{Shipment, ShopSync, Status};
use renkei_simulator::api::OrderTruth;
use serde::Serialize;

use super::storm;
use super::world::{CANARY, World};
use crate::error::CliError;
use crate::stack::{Found, Stack};

/// Page by which shipments are read.
const PAGE: i32 = 1_000;
/// Sentences about one kind of mistake; more say no more.
const SAID: usize = 5;

/// What became of a world's orders. The keys are those of `renkei prove --json`.
#[derive(Debug, Default, Serialize)]
pub struct Account {
    /// Shops.
    pub shops: u64,
    /// Orders that they have.
    pub orders: u64,
    /// Orders that were imported.
    pub imported: u64,
    /// Their shipments.
    pub shipments: u64,
    /// Orders that wait in quarantine for a product.
    pub quarantined: u64,
    /// Orders that were in no state to be taken.
    pub left_alone: u64,
    /// Times that an order was told as working, beyond the first of each.
    pub told_again: u64,
    /// Runs, by how they ended.
    pub runs: BTreeMap<&'static str, u64>,
    /// Calls to the shops.
    pub calls: u64,
    /// Calls struck by a fault, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Lines of log that were searched for secrets and for what is a customer's.
    pub log_lines: u64,
    /// What does not add up, in sentences. Empty if all does.
    pub wrong: Vec<String>,
}

/// Settles the account.
pub async fn settle(stack: &Stack, world: &World, log: &Path, logged_before: u64) -> Result<Account, CliError> {
    let mut account = Account::default();
    for place in &world.places {
        account.shops += 1;
        shop(&mut account, world, place).await?;
    }
    runs(&mut account, world).await?;
    for (queue, messages) in storm::left(stack, false).await? {
        account.wrong.push(format!("{messages} messages are left in {queue}"));
    }
    for (queue, messages) in storm::left(stack, true).await? {
        account.wrong.push(format!("{messages} dead letters are left in {queue}"));
    }
    read_log(&mut account, log, logged_before)?;
    Ok(account)
}

async fn shop(account: &mut Account, world: &World, place: &Found) -> Result<(), CliError> {
    let name = place.id().as_str();
    let stored = stored(place).await?;
    let kept = place.tenant.not_imported(place.id()).await?;
    let skus: BTreeSet<String> =
        place.tenant.products().await?.into_iter().map(|product| product.sku.to_string()).collect();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut planted = Vec::new();
    for brief in world.simulator.orders(name, None).await? {
        account.orders += 1;
        known.insert(brief.id);
        let parcels = stored.get(&brief.id).map_or(&[] as &[Parcel], Vec::as_slice);
        let reasons: Vec<&Outcome> = kept
            .iter()
            .filter(|order| order.summary.order_id == Some(brief.id))
            .map(|order| &order.summary.outcome)
            .collect();
        let order = world.simulator.order(name, brief.id).await?;
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(format!("{name}: order {}: {what}", brief.id));
            }
        };
        account.told_again += brief.written_working.saturating_sub(1);
        if parcels.is_empty() && reasons.is_empty() {
            account.left_alone += 1;
            must(
                !matches!(brief.state.as_str(), "complete" | "working"),
                format!("is lost; at the shop it is {}", brief.state),
            );
        } else if parcels.is_empty() {
            account.quarantined += 1;
            must(reasons == [&Outcome::Quarantined], format!("was not imported, as {reasons:?}"));
            must(has_unknown(&order, &skus), "waits although its products are known".to_owned());
            must(brief.state == "complete", format!("waits, but is {} at the shop", brief.state));
        } else {
            account.imported += 1;
            account.shipments += parcels.len() as u64;
            must(reasons.is_empty(), format!("has two ends: shipments, and {reasons:?}"));
            let addresses = order.shipping_addresses.len();
            must(parcels.len() == addresses, format!("has {} shipments for {addresses} addresses", parcels.len()));
            let numbers: BTreeSet<u16> = parcels.iter().map(|parcel| parcel.number).collect();
            must(numbers.len() == parcels.len(), "has a parcel twice".to_owned());
            must(parcels.iter().all(|parcel| parcel.told), "is not marked as told".to_owned());
            must(brief.state == "working", format!("is {} at the shop", brief.state));
            if order
                .attributes
                .get("email")
                .and_then(|email| email.as_str())
                .is_some_and(|email| email.contains(CANARY))
            {
                planted.extend(parcels.iter().map(|parcel| parcel.shipment.clone()));
            }
        }
    }
    // What is looked for in the logs has really gone through the functions.
    let details = place.tenant.details(&planted).await?;
    if details.is_empty() || !details.iter().all(|detail| detail.ship_to.name.contains(CANARY)) {
        wrong.push(format!("{name}: what was planted in orders did not arrive in shipments"));
    }
    for id in stored.keys().filter(|id| !known.contains(id)) {
        wrong.push(format!("{name}: order {id} is stored, and the shop never had it"));
    }
    let more = wrong.len().saturating_sub(SAID);
    wrong.truncate(SAID);
    if more > 0 {
        wrong.push(format!("{name}: and {more} more"));
    }
    let ledger = world.simulator.ledger_summary(name).await?;
    account.calls += ledger.calls;
    for (kind, times) in ledger.by_fault {
        *account.faults.entry(kind).or_default() += times;
    }
    for (times, what) in [
        (ledger.overlapping, "overlapped"),
        (ledger.beyond_limit, "were beyond the day's limit"),
        (ledger.too_fast, "came too soon after another"),
        (ledger.max_sign_ins_within_an_hour.saturating_sub(5), "were sign-ins beyond five an hour"),
    ] {
        if times > 0 {
            wrong.push(format!("{name}: {times} calls {what}"));
        }
    }
    account.wrong.extend(wrong);
    Ok(())
}

fn has_unknown(order: &OrderTruth, skus: &BTreeSet<String>) -> bool {
    order.order_items.iter().any(|item| item["variant_sku"].as_str().is_none_or(|sku| !skus.contains(sku.trim())))
}

struct Parcel {
    number: u16,
    told: bool,
    shipment: Shipment,
}

async fn stored(place: &Found) -> Result<BTreeMap<u64, Vec<Parcel>>, CliError> {
    let mut stored: BTreeMap<u64, Vec<Parcel>> = BTreeMap::new();
    for status in Status::ALL {
        let mut from = None;
        loop {
            let page = place.tenant.shipments_by_status(place.id(), status, PAGE, from).await?;
            for shipment in place.tenant.shipments(&page.rows).await? {
                let told = shipment.shop_sync != ShopSync::Registered || !shipment.id.is_lead();
                let (order, number) = (shipment.id.order.0, shipment.id.parcel);
                stored.entry(order).or_default().push(Parcel { number, told, shipment });
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(stored)
}

/// Every run has come to an end.
async fn runs(account: &mut Account, world: &World) -> Result<(), CliError> {
    let mut seen = BTreeSet::new();
    for place in &world.places {
        if !seen.insert(place.tenant.id().to_string()) {
            continue;
        }
        let mut from = None;
        loop {
            let page = place.tenant.runs(PAGE, from).await?;
            for run in page.rows {
                *account.runs.entry(run.state.as_str()).or_default() += 1;
                if run.state == RunState::Running {
                    account.wrong.push(format!("run {} of {} does not end", run.id, run.robot));
                }
                if run.error.is_some_and(|error| error.contains(CANARY)) {
                    account.wrong.push(format!("the error of run {} says what is a customer's", run.id));
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Nothing of a customer's, and no secret, is in the functions' log.
fn read_log(account: &mut Account, log: &Path, from: u64) -> Result<(), CliError> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    account.log_lines = text.lines().count() as u64;
    let found: Vec<&str> = text.lines().filter(|line| line.contains(CANARY)).collect();
    if let Some(first) = found.first() {
        let beginning: String = first.chars().take(160).collect();
        account.wrong.push(format!("{} lines of the log hold what is secret: {beginning}…", found.len()));
    }
    Ok(())
}
