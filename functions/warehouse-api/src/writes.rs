//! What the writes share: records are worked on several at once, each for itself, and each has an answer. Of their
//! shipments only some are held at a time.

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
    each_until(Instant::now() + limits::PATIENCE, work, one).await
}

/// Works on all of these with the shipments that they are about, if those are this warehouse's, and answers each in turn.
/// An error means that nothing is done.
pub async fn each_shipment<T: Clone, F: Future<Output = Result<(), Reason>>>(
    caller: &Caller,
    work: &[T],
    about: impl Fn(&T) -> &ShipmentId,
    one: impl Fn(T, Option<Shipment>) -> F,
) -> Result<Vec<Result<(), Reason>>, Problem> {
    let until = Instant::now() + limits::PATIENCE;
    let mut answers = Vec::with_capacity(work.len());
    for some in work.chunks(limits::HELD) {
        if Instant::now() >= until {
            answers.extend(some.iter().map(|_| Err(Reason::UNAVAILABLE)));
            continue;
        }
        let ids: Vec<ShipmentId> = some.iter().map(|record| about(record).clone()).collect();
        let mut own = match own_shipments(caller, &ids).await {
            Ok(own) => own,
            Err(problem) if answers.is_empty() => return Err(problem),
            // What is done already is answered for.
            Err(_) => {
                answers.extend(some.iter().map(|_| Err(Reason::UNAVAILABLE)));
                continue;
            }
        };
        let some = some.iter().zip(&ids).map(|(record, id)| (record.clone(), own.remove(id))).collect();
        let done = each_until(until, some, |(record, shipment)| one(record, shipment)).await;
        answers.extend(done.into_iter().map(|answer| answer.unwrap_or(Err(Reason::UNAVAILABLE))));
    }
    Ok(answers)
}

async fn each_until<T, A, F: Future<Output = A>>(until: Instant, work: Vec<T>, one: impl Fn(T) -> F) -> Vec<Option<A>> {
    let one = &one;
    futures::stream::iter(work)
        .map(|record| async move { if Instant::now() < until { Some(one(record).await) } else { None } })
        .buffered(limits::AT_ONCE)
        .collect()
        .await
}

/// Those of these shipments that are this warehouse's.
async fn own_shipments(caller: &Caller, ids: &[ShipmentId]) -> Result<HashMap<ShipmentId, Shipment>, Problem> {
    let found = caller.tenant.shipments(ids).await?;
    Ok(found.into_iter().filter(|found| caller.may_see(found)).map(|found| (found.id.clone(), found)).collect())
}

/// A failure of the store, for one record among many.
pub fn failed(error: &StoreError) -> Reason {
    // Names operations and kinds, nothing of what is in them.
    tracing::warn!(%error, "a record could not be written");
    Reason::UNAVAILABLE
}
