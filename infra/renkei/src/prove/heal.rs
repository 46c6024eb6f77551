//! After the storm: everything is well again, and what is left is brought to its end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use jiff::ToSpan;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::run::RunState;
use renkei_domain::settings::Action;
use renkei_domain::shipment::ShopSync;
use serde::Serialize;

use super::world::{Place, World};
use crate::error::CliError;
use crate::stack::Stack;

/// Passes over a healed world until every order has its end. The second tells again what had no effect.
const PASSES: u32 = 5;
/// Turns of a warehouse until it has nothing left to do.
const TURNS: u32 = 6;

/// What it took. The keys are those of `renkei prove --json`.
#[derive(Debug, Default, Serialize)]
pub struct Healed {
    /// Shops whose day's calls were spent, so that a day had to pass.
    pub days_passed: u32,
    /// Orders that the shop still had as working although it had said yes to "shipped": found by the nightly
    /// reconciliation, and told again.
    pub told_after_a_night: u64,
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
        all(&[Action::FetchOrders, Action::StateWorking, Action::StatusSync]).await?;
        for warehouse in &world.warehouses {
            for _ in 0..TURNS {
                if warehouse.finish().await? {
                    break;
                }
            }
        }
        all(&[Action::StateShipped, Action::WriteBack]).await?;
        let mut through = true;
        for place in &world.places {
            through &= world.is_through(&place.found).await?;
            let said = let_a_night_pass(world, place).await?;
            if said > 0 {
                healed.told_after_a_night += said;
                if !has_lied(world, place).await? {
                    let shop = place.found.id();
                    healed
                        .astray
                        .push(format!("{shop}: {said} orders are noted as told, and each call had its effect"));
                }
                through = false;
                // After a night the day's calls are there anew: without them reconciliation leaves the rest to others.
                world.let_a_day_pass(place).await?;
                days.fetch_add(1, Ordering::Relaxed);
                for action in [Action::Reconcile, Action::StateShipped] {
                    healed.astray.extend(ended(stack, world, place, action, patience, &days).await?);
                }
            }
        }
        if through && healed.passes > 1 {
            break;
        }
    }
    // Cancellations of what has left are looked for some times a day.
    for place in &world.places {
        world.let_hours_pass(&place.found).await?;
    }
    all(&[Action::StatusSync, Action::Inventory]).await?;
    healed.days_passed = days.into_inner();
    healed.astray.extend(astray.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(healed)
}

/// Did the shop say yes to a call that it did not carry out?
async fn has_lied(world: &World, place: &Place) -> Result<bool, CliError> {
    let ledger = world.simulator.ledger_summary(place.found.id().as_str()).await?;
    Ok(ledger.by_fault.contains_key("silent_no_op"))
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
    Ok(has_failed.then(|| format!("{} failed although all is well: {}", ended.robot, ended.error.unwrap_or_default())))
}

/// Orders that the shop has as working, although it said yes when it was told that they are shipped, are found a day
/// later. Makes their records a day older. Gives how many there are.
async fn let_a_night_pass(world: &World, place: &Place) -> Result<u64, CliError> {
    if !place.has(Action::StateShipped) {
        return Ok(0);
    }
    let mut aged = 0;
    for order in world.simulator.orders(place.found.id().as_str(), Some("working")).await? {
        let lead = ShipmentId::lead(place.found.id().clone(), OrderId(order.id));
        let mut is_told = false;
        place
            .found
            .tenant
            .change(&lead, |shipment| {
                is_told = shipment.shop_sync == ShopSync::Completed;
                if is_told {
                    shipment.updated_at = shipment.updated_at.saturating_sub(30.hours()).unwrap_or(shipment.updated_at);
                }
                is_told
            })
            .await?;
        aged += u64::from(is_told);
    }
    Ok(aged)
}
