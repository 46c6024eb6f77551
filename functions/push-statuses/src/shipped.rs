//! State → shipped: an order is told once all of its parcels are out and written back. Cancelled parcels do not count.
//!
//! An order of one parcel is ready when its parcel is, which the list of work says; only orders of several parcels are read.
//! A crash between the shop's answer and our note tells a page again, which is harmless.
//!
//! Orders whose number this run has told, and that have one parcel, come from [`crate::write_back`] with number and state to
//! be noted in one write.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShopError as Refusal, ShopWork, Status, is_wholly_out};
use renkei_ecforce::{StateChange, WriteAnswer};
use renkei_shop::ShopError;
use renkei_shop::robot::Work;
use renkei_store::StoreError;
use renkei_store::shipments::WorkEntry;

use crate::write_back::{Parcel, WrittenBack, note_told};
use crate::{Tally, Verdict, is_unknown_state, tell_states};

/// An order that is wholly out: its number at the shop, and the parcels that left.
pub(crate) struct Out {
    order: OrderId,
    parcels: Vec<ShipmentId>,
    /// Its one parcel, if the shop has been told its tracking number and that is not noted yet.
    numbered: Option<Parcel>,
}

impl Out {
    /// Of a parcel whose tracking number the shop has just taken.
    pub(crate) fn numbered(parcel: Parcel) -> Self {
        let id = parcel.shipment.id.clone();
        Self { order: id.order, parcels: vec![id], numbered: Some(parcel) }
    }
}

/// Tells the shop which orders are wholly out: those on the list of work, and those that this run has written back and that
/// the list may not show yet.
pub(crate) async fn tell(
    work: &mut Work<'_>,
    ready: WrittenBack,
    tells_state: bool,
    tally: &mut Tally,
    open: &mut Vec<Out>,
) -> Result<(), ShopError> {
    // Where the shop moves states by itself, written back is all there is to do; what the list still holds is from the
    // time before the merchant said so.
    let batch = usize::from(work.connection.batch_size);
    let mut seen: HashSet<OrderId> = open.iter().map(|order| order.order).collect();
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
        tell_whole_batches(work, open, tells_state, tally).await?;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let unseen: Vec<(OrderId, u16)> =
        if tells_state { ready.into_iter().filter(|(order, _)| !seen.contains(order)).collect() } else { Vec::new() };
    for orders in unseen.chunks(batch) {
        open.extend(wholly_out(work, orders).await?);
        tell_whole_batches(work, open, tells_state, tally).await?;
    }
    if !open.is_empty() {
        tell_batch(work, std::mem::take(open), tells_state, tally).await?;
    }
    Ok(())
}

/// Tells of these orders as many as fill batches; the rest stays.
pub(crate) async fn tell_whole_batches(
    work: &mut Work<'_>,
    open: &mut Vec<Out>,
    tells_state: bool,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    let batch = usize::from(work.connection.batch_size);
    while open.len() >= batch {
        let rest = open.split_off(batch);
        tell_batch(work, std::mem::replace(open, rest), tells_state, tally).await?;
    }
    Ok(())
}

/// Notes of these orders the numbers that the shop has been told. Their state stays to be told.
pub(crate) async fn note_numbers(work: &Work<'_>, orders: Vec<Out>) -> Result<(), StoreError> {
    let parcels: Vec<Parcel> = orders.into_iter().filter_map(|order| order.numbered).collect();
    // Who is on the list of work next is for the next run.
    note_told(work, &parcels, true, &mut WrittenBack::new()).await
}

/// Those of these orders that are wholly out.
async fn wholly_out(work: &Work<'_>, orders: &[(OrderId, u16)]) -> Result<Vec<Out>, StoreError> {
    let connection = &work.connection.id;
    let (single, several): (Vec<_>, Vec<_>) = orders.iter().copied().partition(|(_, parcels)| *parcels == 1);
    let single = single.into_iter().map(|(order, _)| Out {
        order,
        parcels: vec![ShipmentId::lead(connection.clone(), order)],
        numbered: None,
    });
    let parcels = work.tenant.parcels(connection, &several).await?;
    let several =
        several.iter().zip(parcels).filter(|(_, parcels)| is_wholly_out(parcels)).map(|((order, _), parcels)| {
            let left = parcels.into_iter().filter(|parcel| parcel.status == Status::Shipped);
            Out { order: *order, parcels: left.map(|Shipment { id, .. }| id).collect(), numbered: None }
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
    let (answer, stopped) = tell_states(work.session, &changes, tally.known()).await;
    // Of those that were not told the numbers are noted as well.
    note(work, orders, &answer, tally).await?;
    stopped.map_or(Ok(()), Err)
}

async fn note(work: &Work<'_>, orders: Vec<Out>, answer: &WriteAnswer, tally: &mut Tally) -> Result<(), StoreError> {
    let mut told = Vec::new();
    let mut both = Vec::new();
    let mut refused = Vec::new();
    let mut only_numbers = Vec::new();
    for order in orders {
        let outcome = answer.outcome_for(order.order.0, None);
        if is_unknown_state(outcome) {
            tally.later += 1;
            tally.unknown_state = true;
            only_numbers.push(order);
            continue;
        }
        match Verdict::of(outcome) {
            Verdict::Taken => {
                tally.told += 1;
                match order.numbered {
                    Some(parcel) => both.push(parcel),
                    None => told.extend(order.parcels),
                }
            }
            Verdict::Later => {
                tally.later += 1;
                only_numbers.push(order);
            }
            Verdict::Refused(error) => {
                tally.refused += 1;
                refused.push((order.parcels.clone(), error));
                only_numbers.push(order);
            }
        }
    }
    note_numbers(work, only_numbers).await?;
    for (parcels, error) in refused {
        refuse(work, &parcels, &error).await?;
    }
    note_both(work, &both).await?;
    work.tenant.complete(&told, Timestamp::now()).await
}

/// Notes of these orders that the shop has their number and knows them as shipped.
async fn note_both(work: &Work<'_>, parcels: &[Parcel]) -> Result<(), StoreError> {
    let (now, by) = (Timestamp::now(), work.message.robot.as_str());
    let sent: HashMap<&ShipmentId, &Shipment> =
        parcels.iter().map(|parcel| (&parcel.shipment.id, &parcel.shipment)).collect();
    let shipments: Vec<Shipment> = parcels.iter().map(|parcel| parcel.shipment.clone()).collect();
    work.tenant
        .change_all(&shipments, |shipment| {
            sent.get(&shipment.id).copied().is_some_and(|sent| shipment.told_as_shipped(sent, now, by))
        })
        .await
}

/// The order leaves the list of work, and waits for a person.
async fn refuse(work: &Work<'_>, parcels: &[ShipmentId], error: &Refusal) -> Result<(), StoreError> {
    for id in parcels {
        let by = work.message.robot.as_str();
        work.tenant.shop_refused(id, ShopWork::TellShipped, error, Timestamp::now(), by).await?;
    }
    Ok(())
}
