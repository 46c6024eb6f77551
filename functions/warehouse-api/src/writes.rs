//! What the writes share: records are worked on several at once, each for itself, and each has an answer.

use std::collections::HashMap;

use futures::StreamExt;
use renkei_domain::ids::ShipmentId;
use renkei_domain::shipment::Shipment;
use renkei_store::StoreError;
use tokio::time::Instant;

use crate::body::Reason;
use crate::caller::Caller;
use crate::limits;
use crate::problem::Problem;

/// Works on all of these, some at once. What is not begun in time gets no answer (None), for the gateway waits for ours
/// no longer than so; whoever asked can send it again.
pub async fn each<T, A, F: Future<Output = A>>(work: Vec<T>, one: impl Fn(T) -> F) -> Vec<Option<A>> {
    let until = Instant::now() + limits::PATIENCE;
    let one = &one;
    futures::stream::iter(work)
        .map(|record| async move { if Instant::now() < until { Some(one(record).await) } else { None } })
        .buffered(limits::AT_ONCE)
        .collect()
        .await
}

/// Those of these shipments that are this warehouse's.
pub async fn own_shipments(caller: &Caller, ids: &[ShipmentId]) -> Result<HashMap<ShipmentId, Shipment>, Problem> {
    let found = caller.tenant.shipments(ids).await?;
    Ok(found.into_iter().filter(|found| caller.may_see(found)).map(|found| (found.id.clone(), found)).collect())
}

/// A failure of the store, for one record among many.
pub fn failed(error: &StoreError) -> Reason {
    // Names operations and kinds, nothing of what is in them.
    tracing::warn!(%error, "a record could not be written");
    Reason::UNAVAILABLE
}
