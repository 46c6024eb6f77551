//! 作り直し, wished for: the same for the command line and the console. See [`renkei_domain::import::anew`].
//!
//! Only robots call shops: what is wished for goes to the one that looks at orders, as a webhook's hint does, and is there
//! within seconds. Wished for twice, it is made once.

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::ShipmentId;
use renkei_domain::import::anew;
use renkei_domain::shipment::Shipment;
use renkei_domain::work::{Hint, VERSION};
use renkei_platform::queue::{Queue, group};
use renkei_store::Tenant;

use crate::retry::RetryError;

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wished {
    /// A robot reads the shop and makes the order's shipments anew; until then all of them are on hold.
    Yes,
    /// One of them is with the warehouse, has left or is cancelled: nothing was changed.
    InHand,
}

/// Has all shipments of an order made anew from what the shop has now. `hints` is the queue of sync-payments.
///
/// If it dies in between, parcels are on hold and nobody reads the shop: whoever wished saw no answer, and wishes again.
///
/// # Errors
/// The store's or the queue's; wish again.
pub async fn wish(
    tenant: &Tenant,
    hints: &Queue,
    shipment: &Shipment,
    now: Timestamp,
    by: &str,
) -> Result<Wished, RetryError> {
    let ShipmentId { connection, order, .. } = shipment.id.clone();
    let parcels = tenant.parcels(&connection, &[(order, shipment.parcels)]).await?.pop().unwrap_or_default();
    if !parcels.iter().all(anew::is_possible) {
        return Ok(Wished::InHand);
    }
    // From now on none of them goes out as it is.
    for parcel in parcels {
        tenant.change(&parcel.id, |shipment| anew::wish(shipment, now, by)).await?;
    }
    let group = group(tenant.id(), &connection);
    let hint = Hint {
        v: VERSION,
        tenant: tenant.id().clone(),
        connection,
        order_ids: vec![order.0],
        order_numbers: Vec::new(),
        topic: None,
        anew_by: Some(by.to_owned()),
        received_at: now,
    };
    hints.send(serde_json::to_string(&hint)?, group, Duration::ZERO).await?;
    Ok(Wished::Yes)
}
