//! The account of a world: what Renkei stores against the shops' own books.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use renkei_domain::run::{Outcome, Run, RunState};
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShipmentDetail, ShopError, ShopWork, Status};
use renkei_simulator::api::{OrderChange, OrderTruth, Writer};
use serde::Serialize;

use super::ends::{self, Facts};
use super::timeline::Timeline;
use super::world::{CANARY, Place, World, planted};
use super::{logs, stock, storm};
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
    /// Shipments that left, whose number the shop has.
    pub shipped: u64,
    /// Of those, shipments that left while it stormed.
    pub shipped_in_storm: u64,
    /// Shipments that were cancelled.
    pub cancelled: u64,
    /// Shipments on hold until they are paid.
    pub held: u64,
    /// Shipments on hold for an address that does not go on a label.
    pub held_for_address: u64,
    /// Cancellations that the warehouse refused, or that came after the parcel had left.
    pub too_late: u64,
    /// Orders whose cancellation at the shop we wrote over with "working" or "shipped" before it was known.
    pub overwritten: u64,
    /// Orders that wait in quarantine for a product.
    pub quarantined: u64,
    /// Orders that were in no state to be taken.
    pub left_alone: u64,
    /// Times that an order was told as working, beyond the first of each.
    pub told_again: u64,
    /// Payments captured, each once.
    pub captured: u64,
    /// Counts of stock that a shop has as the rule says.
    pub stocks: u64,
    /// Runs, by how they ended.
    pub runs: BTreeMap<&'static str, u64>,
    /// Calls to the shops.
    pub calls: u64,
    /// Calls struck by a fault, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Parcels that warehouses gave back, or wanted to.
    pub given_back: u64,
    /// Orders whose shipments were made anew from what the shop had, by somebody's wish.
    pub made_anew: u64,
    /// Requests of warehouses.
    pub warehouse_requests: u64,
    /// Requests of warehouses that had no answer, or one that says "again".
    pub warehouse_unanswered: u64,
    /// What does not add up, in sentences. Empty if all does.
    pub wrong: Vec<String>,
}

/// Settles the account of a world.
pub async fn settle(world: &World, storm_ended: Timestamp) -> Result<Account, CliError> {
    let mut account = Account::default();
    for warehouse in &world.warehouses {
        let notes = warehouse.notes();
        account.warehouse_requests += notes.requests;
        account.warehouse_unanswered += notes.unanswered;
        account.given_back += notes.given_back.len() as u64;
    }
    let runs = runs(&mut account, world).await?;
    for place in &world.places {
        account.shops += 1;
        shop(&mut account, world, place, &runs, storm_ended).await?;
    }
    stock::settle(&mut account, world).await?;
    if account.shipped == 0 {
        account.wrong.push(format!("of {} shipments none has left: that proves nothing", account.shipments));
    }
    Ok(account)
}

/// What is left over after all worlds of a round are through, in sentences.
pub async fn left_over(
    stack: &Stack,
    name: &str,
    log: &Path,
    logged_before: u64,
    began: Timestamp,
) -> Result<Vec<String>, CliError> {
    let mut wrong = logs::wrong(stack, name, (log, logged_before), began).await?;
    for (queue, messages) in storm::left(stack, false).await? {
        wrong.push(format!("{messages} messages are left in {queue}"));
    }
    for (queue, messages) in storm::left(stack, true).await? {
        wrong.push(format!("{messages} dead letters are left in {queue}"));
    }
    Ok(wrong)
}

async fn shop(
    account: &mut Account,
    world: &World,
    place: &Place,
    runs: &[Run],
    storm_ended: Timestamp,
) -> Result<(), CliError> {
    let found = &place.found;
    let name = found.id().as_str();
    let stored = stored(found).await?;
    let kept = found.tenant.not_imported(found.id()).await?;
    let skus: BTreeSet<String> =
        found.tenant.products().await?.into_iter().map(|product| product.sku.to_string()).collect();
    let own: Vec<Run> = runs.iter().filter(|run| run.connection == *found.id()).cloned().collect();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut canaries = Vec::new();
    for brief in world.simulator.orders(name, None).await? {
        known.insert(brief.id);
        let parcels = stored.get(&brief.id).map_or(&[] as &[Shipment], Vec::as_slice);
        let reasons = kept.iter().filter(|order| order.summary.order_id == Some(brief.id));
        let order = world.simulator.order(name, brief.id).await?;
        let timeline = Timeline::of(&order, place.ahead, &found.connection.payment_states);
        let details = found.tenant.details(parcels).await?;
        let one = One {
            order: &order,
            parcels,
            details: &details,
            reasons: reasons.map(|order| order.summary.outcome).collect(),
            timeline: &timeline,
        };
        one.count(account, storm_ended);
        let mut broken = one.ends(&skus);
        let warehouse = world.warehouses.iter().find(|warehouse| warehouse.tenant == *found.tenant.id());
        if let (Some(warehouse), false) = (warehouse, parcels.is_empty()) {
            let notes = warehouse.notes();
            let automation = found.connection.automation_option;
            let captures = found.connection.capture_payment_on_shipping;
            let edits = place.edits_of(brief.id);
            let wished = place.first_wish_of(brief.id);
            let waits = one.waits();
            broken.extend(one.rules(&Facts {
                runs: &own,
                notes: &notes,
                automation,
                captures,
                waits,
                edits: &edits,
                wished,
            }));
        }
        wrong.extend(broken.into_iter().map(|what| format!("{name}: order {} ({}): {what}", brief.id, brief.number)));
        if place.planted.contains(&brief.id) {
            canaries.extend(parcels.iter().map(|parcel| parcel.status).zip(details));
        }
    }
    wrong.extend(not_as_planted(&canaries).map(|what| format!("{name}: {what}")));
    for id in stored.keys().filter(|id| !known.contains(id)) {
        wrong.push(format!("{name}: order {id} is stored, and the shop never had it"));
    }
    let more = wrong.len().saturating_sub(SAID);
    wrong.truncate(SAID);
    if more > 0 {
        wrong.push(format!("{name}: and {more} more"));
    }
    account.wrong.extend(wrong);
    ledger(account, world, name).await
}

/// What was planted has gone the whole way, or else nothing is known of what functions log and of addresses that go on
/// no label: says so if it has not. Nobody at the shop touches it.
fn not_as_planted(canaries: &[(Status, ShipmentDetail)]) -> Option<String> {
    let (imported, leave) = planted();
    let arrived = canaries.iter().filter(|(_, detail)| detail.ship_to.name.contains(CANARY)).count();
    let left = canaries.iter().filter(|(status, _)| *status == Status::Shipped).count();
    ((arrived, left) != (imported, leave)).then(|| {
        format!(
            "of the orders that were planted {arrived} arrived in shipments as they were and {left} left; {imported} \
             have to arrive, and {leave} to leave"
        )
    })
}

/// What the shop's own ledger says of our calls.
async fn ledger(account: &mut Account, world: &World, name: &str) -> Result<(), CliError> {
    let ledger = world.simulator.ledger_summary(name).await?;
    account.calls += ledger.calls;
    for (kind, times) in ledger.by_fault {
        *account.faults.entry(kind).or_default() += times;
    }
    for (times, what) in [
        (ledger.overlapping, "overlapped"),
        (ledger.beyond_limit, "were beyond the day's limit"),
        (ledger.too_fast, "came too soon after another"),
        (ledger.beyond_sign_ins, "were sign-ins beyond five an hour"),
    ] {
        if times > 0 {
            account.wrong.push(format!("{name}: {times} calls {what}"));
        }
    }
    Ok(())
}

/// One order of a shop, and all that is known of it.
struct One<'a> {
    order: &'a OrderTruth,
    parcels: &'a [Shipment],
    /// What is in each of them.
    details: &'a [ShipmentDetail],
    reasons: Vec<Outcome>,
    timeline: &'a Timeline,
}

impl One<'_> {
    /// Is a parcel still on hold?
    fn waits(&self) -> bool {
        self.parcels.iter().any(|parcel| parcel.status == Status::Hold)
    }

    fn count(&self, account: &mut Account, storm_ended: Timestamp) {
        account.orders += 1;
        account.told_again += self.order.brief.written_working.saturating_sub(1);
        account.overwritten += u64::from(!self.timeline.overwritten.is_empty());
        match (self.parcels, self.reasons.as_slice()) {
            ([], []) => account.left_alone += 1,
            ([], _) => account.quarantined += 1,
            (parcels, _) => {
                account.imported += 1;
                account.shipments += parcels.len() as u64;
            }
        }
        for parcel in self.parcels {
            match parcel.status {
                Status::Shipped => account.shipped += 1,
                Status::Cancelled => account.cancelled += 1,
                Status::Hold if parcel.holds.contains(&HoldReason::AwaitingPayment) => account.held += 1,
                Status::Hold => account.held_for_address += 1,
                Status::Ready | Status::Picking => {}
            }
            account.shipped_in_storm += u64::from(parcel.result_at.is_some_and(|at| at <= storm_ended));
            let state = parcel.cancellation.map(|asked| asked.state);
            let unmet = matches!(state, Some(CancellationState::TooLate | CancellationState::Refused));
            account.too_late += u64::from(unmet);
        }
        let captured = |change: &OrderChange| change.by == Writer::Api && change.field == "payment_state";
        account.captured += u64::from(self.order.history.iter().any(captured));
    }

    /// Has it one end, and may it have that one?
    fn ends(&self, skus: &BTreeSet<String>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let state = self.order.brief.state.as_str();
        let reasons = &self.reasons;
        if self.parcels.is_empty() {
            must(!self.was_told(), "has no shipment, and the shop was told of it".to_owned());
        }
        if self.parcels.is_empty() && reasons.is_empty() {
            // Orders begin as complete or cancelled, and only those that are cancelled are not to be taken.
            must(state == "canceled", format!("is lost; at the shop it is {state}"));
            return wrong;
        }
        if self.parcels.is_empty() {
            must(*reasons == [Outcome::Quarantined], format!("was not imported, as {reasons:?}"));
            must(has_unknown(self.order, skus), "waits although its products are known".to_owned());
            must(matches!(state, "complete" | "canceled"), format!("waits, but is {state} at the shop"));
            return wrong;
        }
        must(reasons.is_empty(), format!("has two ends: shipments, and {reasons:?}"));
        let (parcels, addresses) = (self.parcels.len(), self.order.shipping_addresses.len());
        must(parcels == addresses, format!("has {parcels} shipments for {addresses} addresses"));
        let numbers: BTreeSet<u16> = self.parcels.iter().map(|parcel| parcel.id.parcel).collect();
        must(numbers.len() == parcels, "has a parcel twice".to_owned());
        for (parcel, detail) in self.parcels.iter().zip(self.details) {
            let (ours, theirs) = (pieces(detail), self.ordered_for(parcel.address_id.0));
            must(ours == theirs, format!("parcel {}: has {ours:?}, ordered is {theirs:?}", parcel.id.parcel));
        }
        let work = self.parcels.iter().find_map(Shipment::shop_work);
        must(
            work.is_none_or(|work| self.waits() && work == ShopWork::TellShipped),
            format!("is still to be told: {work:?}"),
        );
        let unproven = |parcel: &Shipment| {
            parcel.shop_error.as_ref().is_none_or(|error| error.code == ShopError::CAPTURE_UNPROVEN)
        };
        must(self.parcels.iter().all(unproven), "was refused by a shop that refuses nothing".to_owned());
        wrong
    }

    /// Has the shop been told anything of it?
    fn was_told(&self) -> bool {
        self.order.history.iter().any(|change| change.by == Writer::Api)
            || self.order.shipping_addresses.iter().any(|address| address.shipping_slip.is_some())
    }

    /// What the shop has been ordered for one of its addresses, in pieces.
    fn ordered_for(&self, address: u64) -> BTreeMap<String, u64> {
        let mut pieces = BTreeMap::new();
        for line in self.order.order_items.iter().filter(|line| line["shipping_address"].as_u64() == Some(address)) {
            let sku = line["variant_sku"].as_str().unwrap_or_default().trim().to_owned();
            *pieces.entry(sku).or_default() += line["quantity"].as_u64().unwrap_or_default();
        }
        pieces
    }

    /// Were the rules kept on its way?
    fn rules(&self, facts: &Facts<'_>) -> Vec<String> {
        let parcels: Vec<&Shipment> = self.parcels.iter().collect();
        let each = self.parcels.iter().zip(self.details);
        let mut wrong: Vec<String> =
            each.flat_map(|parcel| ends::parcel(parcel, self.order, self.timeline, facts)).collect();
        wrong.extend(ends::order(&parcels, self.order, self.timeline, facts));
        wrong
    }
}

/// What is in a parcel, in pieces.
fn pieces(detail: &ShipmentDetail) -> BTreeMap<String, u64> {
    let mut pieces = BTreeMap::new();
    for item in &detail.items {
        *pieces.entry(item.sku.to_string()).or_default() += u64::from(item.quantity);
    }
    pieces
}

fn has_unknown(order: &OrderTruth, skus: &BTreeSet<String>) -> bool {
    order.order_items.iter().any(|item| item["variant_sku"].as_str().is_none_or(|sku| !skus.contains(sku.trim())))
}

/// All shipments of a shop, by order.
pub async fn stored(place: &Found) -> Result<BTreeMap<u64, Vec<Shipment>>, CliError> {
    let mut stored: BTreeMap<u64, Vec<Shipment>> = BTreeMap::new();
    for status in Status::ALL {
        let mut from = None;
        loop {
            let page = place.tenant.shipments_by_status(place.id(), status, PAGE, from).await?;
            for shipment in place.tenant.shipments(&page.rows).await? {
                stored.entry(shipment.id.order.0).or_default().push(shipment);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(stored)
}

/// Every run has come to an end. Gives all of them.
async fn runs(account: &mut Account, world: &World) -> Result<Vec<Run>, CliError> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for place in &world.places {
        let tenant = &place.found.tenant;
        if !seen.insert(tenant.id().to_string()) {
            continue;
        }
        let mut from = None;
        loop {
            let page = tenant.runs(PAGE, from).await?;
            for run in &page.rows {
                *account.runs.entry(run.state.as_str()).or_default() += 1;
                account.made_anew += run.counts.get("made-anew").copied().unwrap_or_default();
                if run.state == RunState::Running {
                    account.wrong.push(format!("run {} of {} does not end", run.id, run.robot));
                }
                for what in run.error.iter().chain(&run.notes).filter_map(|text| logs::hidden_in(text)) {
                    account.wrong.push(format!("what run {} of {} says holds {what}", run.id, run.robot));
                }
            }
            all.extend(page.rows);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(all)
}
