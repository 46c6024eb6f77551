//! 滞留: what stands still with us. Parcels that nobody takes or ships, and what the shop is not told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId};
use renkei_domain::jst;
use renkei_domain::settings::Action;
use renkei_domain::shipment::{Shipment, ShipmentDetail, ShopWork, Status, is_wholly_out};
use renkei_shop::ShopError;
use renkei_store::Tenant;

use crate::findings::{Night, older};

/// Days after which a shipment that nobody takes stands still.
const READY_DAYS: i64 = 3;
/// Days after which a shipment that nobody ships stands still.
const PICKING_DAYS: i64 = 7;
/// That an order was taken stands still where it was not told after so many days.
const UNTAKEN_DAYS: i64 = 1;
/// Likewise a number, or that an order is shipped: their robots may rest over a weekend.
const UNTOLD_DAYS: i64 = 3;
/// Entries of each list of what is to be told that are read in one go, and how often, from the oldest on.
const LISTED: i32 = 100;
const MOST_LISTED: usize = 10;
/// Shipments that are read in one go.
const AT_ONCE: usize = 500;

/// Orders that stand still, by id, with their numbers.
pub async fn orders(night: Night<'_>) -> Result<BTreeMap<OrderId, OrderNumber>, ShopError> {
    let Night { tenant, now, .. } = night;
    let connection = &night.connection.id;
    let mut stuck: BTreeMap<OrderId, OrderNumber> = BTreeMap::new();
    for (status, days) in [(Status::Ready, READY_DAYS), (Status::Picking, PICKING_DAYS)] {
        let mut open = tenant.open_orders(connection, &[status]).await?;
        open.retain(|_, order| older(order.imported_at, days, now));
        for ids in Tenant::open_ids(connection, &open).chunks(AT_ONCE) {
            let mut still = tenant.shipments(ids).await?;
            still.retain(|shipment| {
                shipment.status == status && older(shipment.claimed_at.unwrap_or(shipment.updated_at), days, now)
            });
            // What is to be shipped on a later day has its reason to stand.
            let details = tenant.details(&still).await?;
            let due = |detail: &ShipmentDetail| {
                let day = detail.ship_on.and_then(|day| jst::instant(day.to_datetime(Time::midnight())));
                day.is_none_or(|day| older(day, days, now))
            };
            let still = still.into_iter().zip(&details).filter(|(_, detail)| due(detail));
            stuck.extend(still.map(|(shipment, _)| (shipment.id.order, shipment.order_number)));
        }
    }
    // Nobody looks for what is on hold for no reason: no robot is applied to it, and to people it is one of many on hold.
    let held = tenant.open_orders(connection, &[Status::Hold]).await?;
    for ids in Tenant::open_ids(connection, &held).chunks(AT_ONCE) {
        let mut forgotten = tenant.shipments(ids).await?;
        forgotten.retain(Shipment::is_held_for_nothing);
        stuck.extend(forgotten.into_iter().map(|shipment| (shipment.id.order, shipment.order_number)));
    }
    let does = |action| night.actions.contains(&action);
    let numbers = does(Action::WriteBack) || does(Action::StateShipped);
    for (work, days, is_told) in [
        (ShopWork::TellWorking, UNTAKEN_DAYS, does(Action::StateWorking)),
        (ShopWork::WriteBack, UNTOLD_DAYS, numbers),
        (ShopWork::TellShipped, UNTOLD_DAYS, night.tells_shipped),
    ] {
        // What no robot tells stands on its list for ever, as the document's warnings say.
        if !is_told {
            continue;
        }
        for shipment in untold(night, work, days).await? {
            stuck.insert(shipment.id.order, shipment.order_number);
        }
    }
    Ok(stuck)
}

/// What has been on a list of what is to be told for so long that no robot seems to tell it.
async fn untold(night: Night<'_>, work: ShopWork, days: i64) -> Result<Vec<Shipment>, ShopError> {
    let Night { tenant, connection, now, .. } = night;
    let mut untold = Vec::new();
    let mut from = None;
    for _ in 0..MOST_LISTED {
        let listed = tenant.shop_work(&connection.id, work, LISTED, from).await?;
        let ids: Vec<ShipmentId> = listed.rows.into_iter().map(|entry| entry.id).collect();
        let mut waiting = tenant.shipments(&ids).await?;
        waiting.retain(|shipment| {
            let since = if work == ShopWork::TellWorking { shipment.imported_at } else { shipment.updated_at };
            shipment.shop_work() == Some(work) && older(since, days, now)
        });
        // That an order is shipped is told once all of it is.
        if work == ShopWork::TellShipped {
            let out = wholly_out(tenant, &connection.id, &waiting).await?;
            waiting.retain(|shipment| out.contains(&shipment.id.order));
        }
        untold.extend(waiting);
        from = listed.next;
        if from.is_none() {
            break;
        }
    }
    Ok(untold)
}

/// Which orders of these shipments are wholly out.
async fn wholly_out(
    tenant: &Tenant,
    connection: &ConnectionId,
    shipments: &[Shipment],
) -> Result<BTreeSet<OrderId>, ShopError> {
    let orders: BTreeMap<OrderId, u16> =
        shipments.iter().map(|shipment| (shipment.id.order, shipment.parcels)).collect();
    let orders: Vec<(OrderId, u16)> = orders.into_iter().collect();
    let parcels = tenant.parcels(connection, &orders).await?;
    let out = orders.into_iter().zip(parcels).filter(|(_, parcels)| is_wholly_out(parcels));
    Ok(out.map(|((order, _), _)| order).collect())
}
