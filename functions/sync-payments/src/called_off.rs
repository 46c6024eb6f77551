//! Orders that are cancelled at the shop and that we have not. One may have been read before that, and wait for its import in
//! a queue or in quarantine: it is noted, and import looks at what is noted.

use jiff::Timestamp;
use renkei_domain::ids::ShipmentId;
use renkei_domain::import;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Meaning;
use renkei_domain::settings::Connection;
use renkei_shop::ShopError;
use renkei_store::Tenant;
use renkei_store::called_off::Gone;

use crate::commit::{Read, Tally};
use crate::hints::parcels;

/// Does the shop show the order as cancelled, by its state or by its payment?
#[must_use]
pub fn is_cancelled(order: &SourceOrder, connection: &Connection) -> bool {
    connection.states.cancelled.contains(&order.state)
        || connection.payment_states.meaning(&order.payment_state) == Meaning::Cancelled
}

/// Notes the orders that were read as cancelled, or are `announced` as such by a webhook and are not to be fetched any more,
/// and of which none is among `ours`. What an import has made of them meanwhile, from what was read before, is cancelled: it
/// may have looked at the notes before there was one.
///
/// # Errors
/// The store's; `LeaseLost` if the reading has grown old.
pub async fn note(
    tenant: &Tenant,
    connection: &Connection,
    read: &Read,
    (ours, announced): (&[ShipmentId], impl Fn(&SourceOrder) -> bool),
    by: &str,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    let is_gone = |order: &&SourceOrder| {
        let is_ours = ours.iter().any(|parcel| parcel.order == order.id);
        let is_left = order.state != connection.states.fetch && announced(order);
        !is_ours && (is_cancelled(order, connection) || is_left)
    };
    let gone = read.orders.values().filter(is_gone);
    let gone: Vec<Gone> = gone.map(|order| Gone { order: order.id, changed_at: order.updated_at }).collect();
    if gone.is_empty() {
        return Ok(());
    }
    if !read.is_fresh() {
        return Err(ShopError::LeaseLost);
    }
    let news = tenant.called_off(&connection.id).await?.news(&gone, read.sent_at);
    if news.is_empty() {
        return Ok(());
    }
    // Before the note: what is noted is not looked at again.
    for order in &news {
        tenant.forget_not_imported(&connection.id, order.0).await?;
    }
    tenant.call_off(&connection.id, &gone, read.sent_at).await?;
    tally.add("called-off", news.len() as u64);
    for parcel in parcels(tenant, &connection.id, news.into_iter()).await? {
        tenant.change(&parcel, |shipment| import::cancel_called_off(shipment, Timestamp::now(), by)).await?;
    }
    Ok(())
}
