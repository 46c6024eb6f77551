//! After the storm: everything is well again, and what is left is brought to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::run::RunState;
use renkei_domain::settings::Action;
use renkei_domain::shipment::{HoldReason, Shipment, ShopSync, Status};
use renkei_setup::anew;
use renkei_simulator::api::OrderBrief;
use renkei_store::Tenant;
use serde::Serialize;

use super::ends::{CANCELLED, TOLD_IN_VAIN};
use super::office::OFFICE;
use super::world::{Place, World};
use crate::error::CliError;
use crate::stack::Stack;

/// Passes over a healed world until every order has its end. The second tells again what had no effect.
const PASSES: u32 = 5;
/// Turns of a warehouse until it has nothing left to do.
const TURNS: u32 = 6;
/// How long an answer to a wish is waited for between two passes.
const ANSWER: Duration = Duration::from_secs(15);
/// Orders that a sentence names.
const NAMED: usize = 5;
/// The state of orders at all shops that were taken.
const WORKING: &str = "working";

/// What it took. The keys are those of `renkei prove --json`.
#[derive(Debug, Default, Serialize)]
pub struct Healed {
    /// Shops whose day's calls were spent, so that a day had to pass.
    pub days_passed: u32,
    /// Orders that the shop still had as working although it had said yes to "shipped": found by the nightly
    /// reconciliation, and told again.
    pub told_after_a_night: u64,
    /// Orders of which the shop had no tracking number although it had said yes to one: found and told again likewise.
    pub numbers_after_a_night: u64,
    /// Passes until all was through.
    pub passes: u32,
    /// Runs that failed although all is well again, and orders that had to be told again although each call had its
    /// effect, in sentences. Empty as it should be.
    pub astray: Vec<String>,
}

/// Brings a world to its end.
pub async fn through(stack: &Stack, world: &World, patience: Duration) -> Result<Healed, CliError> {
    let astray = Mutex::new(Vec::new());
    let days = AtomicU32::new(0);
    let mut healed = Healed::default();
    let mut random = fastrand::Rng::with_seed(world.seed);
    for warehouse in &world.warehouses {
        warehouse.count_again(&mut random).await;
    }
    let all = async |actions: &[Action]| {
        try_join_all(world.places.iter().map(|place| {
            let (days, astray) = (&days, &astray);
            async move {
                for action in actions.iter().filter(|action| place.has(**action)) {
                    let failed = ended(stack, world, place, *action, patience, days).await?;
                    astray.lock().unwrap_or_else(PoisonError::into_inner).extend(failed);
                }
                Ok::<(), CliError>(())
            }
        }))
        .await
    };
    for _ in 0..PASSES {
        healed.passes += 1;
        let mut all_answered = true;
        for place in &world.places {
            let unanswered = release_what_is_seen_to(stack, world, place).await?;
            all_answered &= unanswered.is_empty();
            // A robot may be slow, or have waited for another day; not for so many passes.
            if healed.passes == PASSES && !unanswered.is_empty() {
                let (shop, all) = (place.found.id(), unanswered.len());
                let first = first_of(&unanswered);
                healed.astray.push(format!("{shop}: {all} orders were to be made anew, and nobody did: {first}"));
            }
        }
        all(&[Action::FetchOrders, Action::StateWorking, Action::StatusSync]).await?;
        for warehouse in &world.warehouses {
            for _ in 0..TURNS {
                if warehouse.finish().await? {
                    break;
                }
            }
        }
        all(&[Action::StateShipped, Action::WriteBack]).await?;
        let mut through = all_answered;
        for place in &world.places {
            through &= world.is_through(&place.found).await?;
            through &= !let_a_night_tell(stack, world, place, patience, (&days, &mut healed)).await?;
        }
        if through && healed.passes > 1 {
            break;
        }
        if !all_answered {
            // Whoever answers may wait for the others' robots to leave the gate.
            tokio::time::sleep(ANSWER).await;
        }
    }
    // Cancellations of what has left are looked for some times a day.
    for place in &world.places {
        world.let_hours_pass(&place.found).await?;
    }
    // A parcel of whose cancellation nobody knew until then is told by its number after that.
    all(&[Action::StatusSync, Action::StateShipped, Action::WriteBack, Action::Inventory]).await?;
    healed.days_passed = days.into_inner();
    healed.astray.extend(astray.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(healed)
}

/// The merchant's staff look at what is on hold for them, and let it go: what the warehouse gave back, and what could not
/// be made anew, by its history. What has no answer yet is wished for once more. Gives the orders of those.
async fn release_what_is_seen_to(stack: &Stack, world: &World, place: &Place) -> Result<Vec<u64>, CliError> {
    let given_back: BTreeSet<String> =
        world.warehouses.iter().flat_map(|warehouse| warehouse.notes().given_back.clone()).collect();
    let (tenant, connection) = (&place.found.tenant, place.found.id());
    let held = tenant.open_orders(connection, &[Status::Hold]).await?;
    let mut held = tenant.shipments(&Tenant::open_ids(connection, &held)).await?;
    held.retain(|shipment| shipment.holds.contains(&HoldReason::NeedsReview));
    let hints = stack.queue_of(Action::StatusSync)?;
    let mut unanswered = BTreeSet::new();
    for shipment in held {
        if !given_back.contains(&shipment.id.to_string()) && !is_refused(&shipment) {
            if unanswered.insert(shipment.id.order.0) {
                anew::wish(tenant, &hints, &shipment, Timestamp::now(), OFFICE).await?;
            }
            continue;
        }
        let release = |shipment: &mut Shipment| {
            let is_held = shipment.holds.contains(&HoldReason::NeedsReview);
            if is_held {
                shipment.clear_hold(HoldReason::NeedsReview);
                shipment.release();
                shipment.note(Timestamp::now(), "release", OFFICE);
            }
            is_held
        };
        tenant.change_from(shipment, release).await?;
    }
    Ok(unanswered.into_iter().collect())
}

/// Is the last that is known of a wish to have it made anew that it could not be?
fn is_refused(shipment: &Shipment) -> bool {
    let about = ["not made anew: ", "made anew: ", "to be made anew"];
    let mut events = shipment.events.iter().rev();
    let last = events.find(|event| about.iter().any(|words| event.what.starts_with(words)));
    last.is_some_and(|event| event.what.starts_with("not made anew: "))
}

/// Runs a robot to its end; if the day's calls are spent, on the next day. If it failed, says so.
async fn ended(
    stack: &Stack,
    world: &World,
    place: &Place,
    action: Action,
    patience: Duration,
    days: &AtomicU32,
) -> Result<Option<String>, CliError> {
    let mut ended = place.run(stack, action, patience).await?;
    if ended.state == RunState::Blocked {
        world.let_a_day_pass(place).await?;
        days.fetch_add(1, Ordering::Relaxed);
        ended = place.run(stack, action, patience).await?;
    }
    let has_failed = ended.state == RunState::Failed;
    Ok(has_failed.then(|| {
        let why = ended.error.unwrap_or_default();
        format!("{}: run {} of {} failed although all is well: {why}", place.found.id(), ended.id, ended.robot)
    }))
}

/// What a night's comparison finds of a shop, by the orders' ids.
#[derive(Debug, Default)]
struct Night {
    /// The shop has them as working, although it said yes when it was told that they are shipped.
    states: Vec<u64>,
    /// The shop has no number of them, although it said yes to one.
    numbers: Vec<u64>,
}

/// If there is something that a night's comparison finds, lets the night pass and has it told again; True if there was.
async fn let_a_night_tell(
    stack: &Stack,
    world: &World,
    place: &Place,
    patience: Duration,
    (days, healed): (&AtomicU32, &mut Healed),
) -> Result<bool, CliError> {
    let night = let_a_night_pass(world, place).await?;
    if night.states.is_empty() && night.numbers.is_empty() {
        return Ok(false);
    }
    healed.told_after_a_night += night.states.len() as u64;
    healed.numbers_after_a_night += night.numbers.len() as u64;
    let lied = world.simulator.ledger_summary(place.found.id().as_str()).await?.by_fault;
    for (orders, fault, told) in [
        (&night.states, "silent_no_op", "shipped, and the shop has them as working"),
        (&night.numbers, "dropped_numbers", "numbered, and the shop has no number of them"),
    ] {
        if !orders.is_empty() && !lied.contains_key(fault) {
            let (shop, all) = (place.found.id(), orders.len());
            healed.astray.push(format!(
                "{shop}: {all} orders are noted as told as {told}, and each call had its effect: {}",
                first_of(orders)
            ));
        }
    }
    // After a night the day's calls are there anew: without them reconciliation leaves the rest to others.
    world.let_a_day_pass(place).await?;
    days.fetch_add(1, Ordering::Relaxed);
    for action in [Action::Reconcile, Action::StateShipped, Action::WriteBack] {
        if place.has(action) {
            healed.astray.extend(ended(stack, world, place, action, patience, days).await?);
        }
    }
    Ok(true)
}

fn first_of(orders: &[u64]) -> String {
    let first: Vec<String> = orders.iter().take(NAMED).map(u64::to_string).collect();
    let more = if orders.len() > NAMED { ", …" } else { "" };
    format!("orders {}{more}", first.join(", "))
}

/// What the shop said yes to and does not show is found a day later. Makes the records of such orders a day older.
async fn let_a_night_pass(world: &World, place: &Place) -> Result<Night, CliError> {
    let tenant = &place.found.tenant;
    let tells_state = place.has(Action::StateShipped);
    let may_be_found = |at_shop: &OrderBrief| (tells_state && at_shop.state == WORKING) || shows_no_number(at_shop);
    let orders = world.simulator.orders(place.found.id().as_str(), None).await?;
    let shown: BTreeMap<OrderId, OrderBrief> =
        orders.into_iter().filter(may_be_found).map(|at_shop| (OrderId(at_shop.id), at_shop)).collect();
    let leads: Vec<ShipmentId> = shown.keys().map(|order| ShipmentId::lead(place.found.id().clone(), *order)).collect();
    let known: Vec<(OrderId, u16)> =
        tenant.shipments(&leads).await?.into_iter().map(|lead| (lead.id.order, lead.parcels)).collect();
    let all = tenant.parcels(place.found.id(), &known).await?;
    let mut night = Night::default();
    for ((order, _), parcels) in known.into_iter().zip(all) {
        let Some(at_shop) = shown.get(&order) else { continue };
        let state = tells_state && at_shop.state == WORKING && is_told_as_shipped(&parcels);
        let number = lacks_number(&parcels, at_shop);
        if state {
            night.states.push(order.0);
        }
        if number {
            night.numbers.push(order.0);
        }
        for parcel in parcels.iter().filter(|parcel| (state || number) && parcel.status == Status::Shipped) {
            let a_day_ago = |parcel: &mut Shipment| {
                parcel.updated_at = parcel.updated_at.saturating_sub(30.hours()).unwrap_or(parcel.updated_at);
                true
            };
            tenant.change(&parcel.id, a_day_ago).await?;
        }
    }
    Ok(night)
}

/// Is it noted that the shop has been told that the order of these parcels is shipped? What is cancelled here, and told
/// nothing, is not: its order may be working by a write of ours that crossed the cancellation.
fn is_told_as_shipped(parcels: &[Shipment]) -> bool {
    let told = |parcel: &Shipment| parcel.status == Status::Shipped && parcel.shop_sync == ShopSync::Completed;
    let is_cancelled = |parcel: &Shipment| parcel.status == Status::Cancelled;
    parcels.iter().any(told) && parcels.iter().all(|parcel| told(parcel) || is_cancelled(parcel))
}

/// An order to one address without a number, in a state that a night looks at.
fn shows_no_number(at_shop: &OrderBrief) -> bool {
    at_shop.state != CANCELLED && matches!(at_shop.shipping_slips.as_slice(), [None])
}

/// Is it noted that the shop has been told the number of an order that shows none, and may it be told once more?
fn lacks_number(parcels: &[Shipment], at_shop: &OrderBrief) -> bool {
    let [only] = parcels else { return false };
    let is_told = only.tracking_number.is_some() && only.tracking_told == only.tracking_number;
    let is_through = matches!(only.shop_sync, ShopSync::WrittenBack | ShopSync::Completed);
    let is_out = only.status == Status::Shipped && is_through && is_told;
    is_out && only.reappeared < TOLD_IN_VAIN && shows_no_number(at_shop)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::prove::samples;

    #[test]
    fn what_could_not_be_made_anew_is_told_from_what_was_and_from_what_has_no_answer() {
        let mut shipment = samples::shipment("hold");
        for (what, refused) in [
            ("imported: ready", false),
            ("to be made anew", false),
            ("not made anew: it is gone", true),
            ("the shop has another address", true),
            ("to be made anew", false),
            ("made anew: ready", false),
        ] {
            shipment.note(samples::at(1), what, OFFICE);
            assert_eq!(is_refused(&shipment), refused, "{what}");
        }
    }

    #[test]
    fn only_what_has_left_counts_as_told_as_shipped() {
        let (shipped, cancelled) = (samples::shipment("shipped"), samples::shipment("cancelled"));
        assert!(is_told_as_shipped(slice::from_ref(&shipped)));
        assert!(!is_told_as_shipped(slice::from_ref(&cancelled)), "completed, since nothing is to be told of it");
        assert!(is_told_as_shipped(&[cancelled, shipped.clone()]));
        let open = Shipment { shop_sync: ShopSync::WrittenBack, ..shipped.clone() };
        assert!(!is_told_as_shipped(&[shipped, open]));
        assert!(!is_told_as_shipped(&[]));
    }

    #[test]
    fn a_number_that_was_told_and_is_not_shown_is_looked_for_a_few_times() {
        let told = Some("7-1-0".to_owned());
        let parcel =
            Shipment { tracking_number: told.clone(), tracking_told: told.clone(), ..samples::shipment("shipped") };
        let at_shop = samples::order().brief;
        let lacks = |parcel: &Shipment, at_shop: &OrderBrief| lacks_number(slice::from_ref(parcel), at_shop);
        assert!(lacks(&parcel, &at_shop));
        assert!(!lacks(&parcel, &OrderBrief { shipping_slips: vec![told], ..at_shop.clone() }), "it is there");
        let cancelled = OrderBrief { state: CANCELLED.to_owned(), ..at_shop.clone() };
        assert!(!lacks(&parcel, &cancelled), "no night looks there");
        let again = Shipment { tracking_told: Some(String::new()), ..parcel.clone() };
        assert!(!lacks(&again, &at_shop), "it is told anyway");
        assert!(!lacks(&Shipment { reappeared: TOLD_IN_VAIN, ..parcel.clone() }, &at_shop), "it is a person's");
        assert!(!lacks_number(&[parcel.clone(), parcel], &at_shop), "which address it is of is not known");
    }
}
