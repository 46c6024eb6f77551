//! Once more: orders that were not imported, and what a shop refused to be told of a shipment; the same for the command
//! line and the console. All of it is safe to repeat: no order is imported twice, and nothing is told twice.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_platform::queue::{Queue, QueueError};
use renkei_products::{ProductsError, Released};
use renkei_store::awaiting_products::ToRetry;
use renkei_store::{StoreError, Tenant};

/// Why something was not tried again, or not all of it. Repeating it completes what a passing error left.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A message cannot be written down. Permanent.
    #[error("a message could not be written down: {0}")]
    Message(#[from] serde_json::Error),
}

/// Tries orders once more that were not imported: one, or all of a shop. Those that were read within the last minutes go
/// onto the queue as they were read. The shop may have shipped or cancelled the others since, and importing them as they
/// were would undo that: they come with the next fetch, which reads all that is still to be fetched. Says how many of each.
pub async fn orders(
    tenant: &Tenant,
    import_orders: &Queue,
    connection: &ConnectionId,
    only: Option<OrderId>,
) -> Result<Released, RetryError> {
    let since = Timestamp::now() - renkei_products::FRESH;
    let kept = match only {
        Some(order) => match tenant.not_imported_order(connection, order).await? {
            None => ToRetry::default(),
            Some(kept) if kept.message.fetched_at < since => ToRetry { with_next_fetch: 1, ..ToRetry::default() },
            Some(kept) => ToRetry { messages: vec![kept.message], with_next_fetch: 0 },
        },
        None => tenant.not_imported_lately(connection, since).await?,
    };
    Ok(renkei_products::import(kept, import_orders).await?)
}

impl From<ProductsError> for RetryError {
    fn from(error: ProductsError) -> Self {
        match error {
            ProductsError::Store(error) => Self::Store(error),
            ProductsError::Queue(error) => Self::Queue(error),
            ProductsError::Message(error) => Self::Message(error),
        }
    }
}

/// What became of a shipment that was to be told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldAgain {
    /// The robot's next run tells it where it stood.
    Yes,
    /// The shop has refused nothing of it.
    NothingRefused,
    /// Its order's payment does not wait to be captured once more: it was never asked for, or it is captured.
    NotToCapture,
    /// There is no such shipment.
    Unknown,
}

/// Takes up what the shop refused of a shipment. With `capture` its payment may be captured once more too, which only
/// somebody may say who has looked at the shop.
pub async fn shipment(
    tenant: &Tenant,
    id: &ShipmentId,
    capture: bool,
    now: Timestamp,
    by: &str,
) -> Result<ToldAgain, StoreError> {
    // What is withdrawn for a parcel that does not exist would be noted on none.
    if capture && tenant.shipment(id).await?.is_none() {
        return Ok(ToldAgain::Unknown);
    }
    if capture && !tenant.withdraw_sale(&id.connection, id.order, now).await? {
        return Ok(ToldAgain::NotToCapture);
    }
    let mut changed = false;
    let found = tenant
        .change(id, |shipment| {
            changed = shipment.replay(now, by);
            if capture {
                // Told again, this time with the sale.
                shipment.tracking_told = None;
                shipment.shop_error = None;
                shipment.note(now, "payment may be captured again", by);
                changed = true;
            }
            changed
        })
        .await?;
    Ok(match (found, changed) {
        (None, _) => ToldAgain::Unknown,
        (Some(_), true) => ToldAgain::Yes,
        (Some(_), false) => ToldAgain::NothingRefused,
    })
}
