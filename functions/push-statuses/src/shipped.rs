//! State → shipped: an order is told once all of its parcels are out and written back. Cancelled parcels do not count.
//!
//! An order of one parcel is ready when its parcel is, which the list of work says; only orders of several parcels are read.
//! A crash between the shop's answer and our note tells a page again, which is harmless.

use std::collections::HashSet;

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShopError as Refusal, ShopWork, Status, is_wholly_out};
use renkei_ecforce::{StateChange, WriteAnswer};
use renkei_shop::ShopError;
use renkei_shop::robot::Work;
use renkei_store::StoreError;
use renkei_store::shipments::WorkEntry;

use crate::write_back::WrittenBack;
use crate::{Tally, Verdict, is_unknown_state};

/// An order that is wholly out: its number at the shop, and the parcels that left.
struct Out {
    order: OrderId,
    parcels: Vec<ShipmentId>,
}

/// Tells the shop which orders are wholly out: those on the list of work, and those that this run has written back and that
/// the list may not show yet.
pub(crate) async fn tell(
    work: &mut Work<'_>,
    ready: WrittenBack,
    tells_state: bool,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    // Where the shop moves states by itself, written back is all there is to do; what the list still holds is from the
    // time before the merchant said so.
    let batch = usize::from(work.connection.batch_size);
    let mut seen: HashSet<OrderId> = HashSet::new();
    let mut open: Vec<Out> = Vec::new();
    let mut from = None;
    loop {
        let page = work
            .tenant
            .shop_work(&work.connection.id, ShopWork::TellShipped, i32::from(work.connection.batch_size), from)
            .await?;
        let orders: Vec<(OrderId, u16)> = page
            .rows
            .into_iter()
            .filter(|entry| seen.insert(entry.id.order))
            .map(|WorkEntry { id, parcels }| (id.order, parcels))
            .collect();
        open.extend(wholly_out(work, &orders).await?);
        while open.len() >= batch {
            let rest = open.split_off(batch);
            tell_batch(work, std::mem::replace(&mut open, rest), tells_state, tally).await?;
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let unseen: Vec<(OrderId, u16)> =
        if tells_state { ready.into_iter().filter(|(order, _)| !seen.contains(order)).collect() } else { Vec::new() };
    for orders in unseen.chunks(batch) {
        open.extend(wholly_out(work, orders).await?);
        while open.len() >= batch {
            let rest = open.split_off(batch);
            tell_batch(work, std::mem::replace(&mut open, rest), tells_state, tally).await?;
        }
    }
    if !open.is_empty() {
        tell_batch(work, open, tells_state, tally).await?;
    }
    Ok(())
}

/// Those of these orders that are wholly out.
async fn wholly_out(work: &Work<'_>, orders: &[(OrderId, u16)]) -> Result<Vec<Out>, StoreError> {
    let connection = &work.connection.id;
    let (single, several): (Vec<_>, Vec<_>) = orders.iter().copied().partition(|(_, parcels)| *parcels == 1);
    let single =
        single.into_iter().map(|(order, _)| Out { order, parcels: vec![ShipmentId::lead(connection.clone(), order)] });
    let parcels = work.tenant.parcels(connection, &several).await?;
    let several =
        several.iter().zip(parcels).filter(|(_, parcels)| is_wholly_out(parcels)).map(|((order, _), parcels)| {
            let left = parcels.into_iter().filter(|parcel| parcel.status == Status::Shipped);
            Out { order: *order, parcels: left.map(|Shipment { id, .. }| id).collect() }
        });
    Ok(single.chain(several).collect())
}

async fn tell_batch(
    work: &mut Work<'_>,
    orders: Vec<Out>,
    tells_state: bool,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    if !tells_state {
        let parcels: Vec<ShipmentId> = orders.into_iter().flat_map(|order| order.parcels).collect();
        work.tenant.complete(&parcels, Timestamp::now()).await?;
        return Ok(());
    }
    let state = &work.connection.states.shipped;
    let changes: Vec<StateChange> =
        orders.iter().map(|order| StateChange { id: order.order.0, state: state.clone() }).collect();
    let answer = work.session.call(async |client, token| client.bulk_update(token, &changes).await).await?;
    note(work, orders, &answer, tally).await?;
    Ok(())
}

async fn note(work: &Work<'_>, orders: Vec<Out>, answer: &WriteAnswer, tally: &mut Tally) -> Result<(), StoreError> {
    let mut told = Vec::new();
    for order in orders {
        let outcome = answer.outcome_for(order.order.0, None);
        if is_unknown_state(outcome) {
            tally.later += 1;
            tally.unknown_state = true;
            continue;
        }
        match Verdict::of(outcome) {
            Verdict::Taken => {
                tally.told += 1;
                told.extend(order.parcels);
            }
            Verdict::Later => tally.later += 1,
            Verdict::Refused(error) => {
                tally.refused += 1;
                refuse(work, &order.parcels, &error).await?;
            }
        }
    }
    work.tenant.complete(&told, Timestamp::now()).await
}

/// The order leaves the list of work, and waits for a person.
async fn refuse(work: &Work<'_>, parcels: &[ShipmentId], error: &Refusal) -> Result<(), StoreError> {
    for id in parcels {
        let entry = WorkEntry { id: id.clone(), parcels: 1 };
        work.tenant.shop_refused(&entry, error.clone(), Timestamp::now(), work.message.robot.as_str()).await?;
    }
    Ok(())
}
