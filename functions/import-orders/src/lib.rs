//! import-orders: fetched orders into shipments, each exactly once.
//!
//! Works on a whole batch of messages at a time: what is known of all orders is read in one request, what becomes of
//! each is decided by the pure rules of [`renkei_domain::import`], and the shipments are written in a few requests, each
//! on condition that it is new. A message that is delivered again finds its own record and changes nothing.
//!
//! An order that cannot be imported is kept with its reason, and hinders no other.

mod batch;
mod cache;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::FutureExt;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId, Sku, TenantId};
use renkei_domain::run::{Outcome, Run};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, Status, is_partly_here};
use renkei_domain::work::{Fetched, ImportOrder, Place};
use renkei_platform::batch::{Failed, Message, run_together};
use renkei_platform::queue::{Queue, QueueError, group};
use renkei_platform::{Metric, Metrics};
use renkei_store::orders::{NotImported, NotImportedSummary};
use renkei_store::runs::rows_by_page;
use renkei_store::{Store, StoreError, Tenant};

use batch::Batch;
pub use cache::Cache;

/// Why a whole group of messages could not be imported; they come again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue over which robots are started that start after this one's end.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A message of ours cannot be written down, which is a defect.
    #[error(transparent)]
    Message(#[from] serde_json::Error),
    /// The tenant or its connection is not set up (any more).
    #[error("{0}")]
    NotSetUp(String),
    /// A product of an order was added while the order went to quarantine: who added it may not have seen the order yet.
    #[error("a product of an order appeared meanwhile; the order is tried again")]
    ProductAppeared,
    /// A defect: the log's panic line says where.
    #[error("the import panicked; the log says where")]
    Panicked,
    /// The same for each message of the batch.
    #[error("{0}")]
    OfBatch(Arc<ImportError>),
}

/// After this a batch is tried once more for which AWS did not answer.
const SECOND_WIND: Duration = Duration::from_secs(2);
/// From this delivery on a message is tried by itself whatever its batch failed for: an error that looks as if it passed
/// may be one order's, and must not take the others along for ever.
const ALONE_FROM: u32 = 3;

impl ImportError {
    /// Is a message that was delivered so often to be tried by itself, after its batch failed for this? That finds the one
    /// that spoils the batch. A store that is throttled is not asked for each order once more.
    fn tries_alone(&self, receive_count: u32) -> bool {
        let is_alike = self.may_pass() || matches!(self, Self::NotSetUp(_) | Self::OfBatch(_));
        !is_alike || receive_count >= ALONE_FROM
    }

    /// Was it AWS that did not answer?
    fn may_pass(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Unavailable { .. }),
            Self::Queue(error) => error.is_passing(),
            Self::NotSetUp(_) | Self::OfBatch(_) | Self::Message(_) | Self::ProductAppeared | Self::Panicked => false,
        }
    }
}

/// What became of a batch, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By outcome.
    pub by_outcome: BTreeMap<Outcome, u64>,
    /// Orders that turned up again although the shop had been told.
    pub reappeared: u64,
}

/// What became of one message.
struct Settled {
    run: String,
    place: Place,
    outcome: Outcome,
    /// The order, if it could be read.
    of: Option<OrderId>,
    /// To be kept, if it was not imported.
    kept: Option<NotImported>,
    /// The order's record, if it had been imported before, and when the order was read now.
    known: Option<(Box<Shipment>, Timestamp)>,
    /// The order is on the list of those not imported, and was imported now.
    to_forget: Option<OrderId>,
}

/// Works on a queue's delivery, a shop's messages at a time. Where one of them may have spoiled its batch, each is tried by
/// itself, so that only that one fails.
pub async fn serve(
    store: &Store,
    cache: &Cache,
    triggers: &Queue,
    event: SqsEvent,
    metrics: &Metrics,
) -> SqsBatchResponse {
    run_together(event, ImportOrder::read, metrics, async |messages| {
        let mut by_shop: BTreeMap<(TenantId, ConnectionId), Vec<Message<ImportOrder>>> = BTreeMap::new();
        for message in messages {
            let shop = (message.content.tenant.clone(), message.content.connection.clone());
            by_shop.entry(shop).or_default().push(message);
        }
        let mut failed = Vec::new();
        for messages in by_shop.into_values() {
            let orders: Vec<ImportOrder> = messages.iter().map(|message| message.content.clone()).collect();
            let mut done = try_import(store, cache, triggers, orders.clone(), metrics).await;
            // The queue gives them again after minutes only.
            if done.as_ref().is_err_and(ImportError::may_pass) {
                tokio::time::sleep(SECOND_WIND).await;
                done = try_import(store, cache, triggers, orders, metrics).await;
            }
            let Err(error) = done else { continue };
            let error = Arc::new(error);
            for Message { id, receive_count, content, .. } in messages {
                let done = if error.tries_alone(receive_count) {
                    try_import(store, cache, triggers, vec![content], metrics).await
                } else {
                    Err(ImportError::OfBatch(Arc::clone(&error)))
                };
                if let Err(error) = done {
                    failed.push(Failed { id, error });
                }
            }
        }
        Ok(failed)
    })
    .await
}

/// Imports, counts, and makes a panic an error like any other.
async fn try_import(
    store: &Store,
    cache: &Cache,
    triggers: &Queue,
    orders: Vec<ImportOrder>,
    metrics: &Metrics,
) -> Result<(), ImportError> {
    let import = AssertUnwindSafe(import(store, cache, triggers, orders)).catch_unwind();
    let counts = import.await.unwrap_or(Err(ImportError::Panicked))?;
    metrics.add(Metric::OrdersReappeared, counts.reappeared);
    for (outcome, count) in counts.by_outcome {
        metrics.add(metric(outcome), count);
    }
    Ok(())
}

fn metric(outcome: Outcome) -> Metric {
    match outcome {
        Outcome::Imported => Metric::OrdersImported,
        Outcome::Duplicate => Metric::OrdersDuplicate,
        Outcome::Quarantined => Metric::OrdersQuarantined,
        Outcome::Refused => Metric::OrdersRefused,
    }
}

/// Imports messages of one connection.
pub async fn import(
    store: &Store,
    cache: &Cache,
    triggers: &Queue,
    messages: Vec<ImportOrder>,
) -> Result<Counts, ImportError> {
    let Some(first) = messages.first() else { return Ok(Counts::default()) };
    let tenant = store.tenant(first.tenant.clone());
    let connection = first.connection.clone();
    let setup = cache.setup(&tenant).await?;
    let now = Timestamp::now();

    let (orders, rows): (Vec<ImportOrder>, Vec<ImportOrder>) =
        messages.into_iter().partition(|message| matches!(message.order, Fetched::Order(_)));
    let stored = Batch::read(&tenant, &setup, &connection, orders, now).await?.settle().await?;
    // After what could be read is stored: a row may be an order that was read whole a moment ago, in this very batch.
    let mut settled = settle_unreadable(&tenant, &connection, rows, now).await?;
    settled.extend(stored);

    let (places, kept): (Vec<usize>, Vec<NotImported>) =
        settled.iter_mut().enumerate().filter_map(|(place, message)| Some((place, message.kept.take()?))).unzip();
    tenant.keep_not_imported(&connection, &kept).await?;
    // Who adds a product lets the orders go that wait in quarantine. One that went there a moment after that would wait
    // for nothing: after it is there, the products are looked at once more.
    let missing: HashSet<Sku> = kept.iter().flat_map(|order| order.summary.missing_skus.iter().cloned()).collect();
    if !missing.is_empty() && !tenant.known_skus(&missing).await?.is_empty() {
        return Err(ImportError::ProductAppeared);
    }
    let kept: Vec<(usize, OrderId)> = places
        .into_iter()
        .zip(&kept)
        .filter(|(_, order)| order.summary.reason != renkei_domain::import::OTHER_NUMBER)
        .filter_map(|(place, order)| Some((place, OrderId(order.summary.order_id?))))
        .collect();
    let imported = leads(&tenant, &connection, kept.iter().map(|(_, order)| *order).collect()).await?;
    take_back(&mut settled, &kept, &imported);
    let mut counts = Counts::default();
    for message in &settled {
        *counts.by_outcome.entry(message.outcome).or_default() += 1;
        if let Some(order) = message.to_forget {
            tenant.forget_not_imported(&connection, order.0).await?;
        }
        if let Some((lead, read_at)) = &message.known {
            counts.reappeared += u64::from(reappear(&tenant, &setup.settings, lead, *read_at, now).await?);
        }
    }
    // Last: a run must not seem done before everything of it is.
    for ended in note_progress(&tenant, &settled).await? {
        // Sent again when this batch is: a robot that is started twice by one end is one run.
        for start in ended.triggers(tenant.id(), &setup.settings.integration_robots) {
            let body = serde_json::to_string(&start)?;
            triggers.send(body, group(&start.tenant, &start.connection), Duration::ZERO).await?;
        }
    }
    Ok(counts)
}

/// Rows that are no orders. One may have been an order when it was imported: then its shipments stand, and there is nothing
/// to be imported that a person could wait for.
async fn settle_unreadable(
    tenant: &Tenant,
    connection: &ConnectionId,
    rows: Vec<ImportOrder>,
    now: Timestamp,
) -> Result<Vec<Settled>, StoreError> {
    let known = leads(tenant, connection, rows.iter().filter_map(id_of_row).collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| match id_of_row(&row).and_then(|id| known.get(&id)) {
            Some(lead) => known_row(row, lead.clone()),
            None => unreadable(row, now),
        })
        .collect())
}

/// The shipments that stand for these orders, of those that are imported. Each order once: a request must not name a
/// key twice.
async fn leads(
    tenant: &Tenant,
    connection: &ConnectionId,
    orders: BTreeSet<OrderId>,
) -> Result<HashMap<OrderId, Shipment>, StoreError> {
    let leads: Vec<ShipmentId> = orders.into_iter().map(|id| ShipmentId::lead(connection.clone(), id)).collect();
    Ok(tenant.shipments(&leads).await?.into_iter().map(|lead| (lead.id.order, lead)).collect())
}

/// Another invocation may have imported an order while this one kept it as not imported, because it was read when it
/// could not be. Its shipments stand, so that nobody waits for it: it is known, and taken off the list again. `kept`
/// are the orders that were kept, with the places of their messages.
fn take_back(settled: &mut [Settled], kept: &[(usize, OrderId)], imported: &HashMap<OrderId, Shipment>) {
    for (place, order) in kept.iter().filter(|(_, order)| imported.contains_key(order)) {
        settled[*place].outcome = Outcome::Duplicate;
        settled[*place].to_forget = Some(*order);
    }
}

/// The order that a row was, if even that could be read.
fn id_of_row(row: &ImportOrder) -> Option<OrderId> {
    match &row.order {
        Fetched::Unreadable { id, .. } => id.map(OrderId),
        Fetched::Order(order) => Some(order.id),
    }
}

/// A row whose order is imported is kept nowhere, and taken off the list if it got there.
fn known_row(row: ImportOrder, lead: Shipment) -> Settled {
    let order = lead.id.order;
    Settled {
        run: row.run,
        place: row.place,
        outcome: Outcome::Duplicate,
        of: Some(order),
        kept: None,
        known: Some((Box::new(lead), row.fetched_at)),
        to_forget: Some(order),
    }
}

/// A row that is not an order goes to quarantine as it is.
fn unreadable(message: ImportOrder, now: Timestamp) -> Settled {
    let (order_id, order_number, reason) = match &message.order {
        Fetched::Unreadable { id, number, reason } => (*id, number.clone(), reason.clone()),
        Fetched::Order(order) => (Some(order.id.0), Some(order.number.to_string()), String::new()),
    };
    let summary = NotImportedSummary {
        order_id,
        order_number,
        outcome: Outcome::Quarantined,
        reason,
        missing_skus: Vec::new(),
        at: now,
        changed_at: None,
        run: message.run.clone(),
    };
    Settled {
        run: message.run.clone(),
        place: message.place,
        outcome: Outcome::Quarantined,
        of: None,
        kept: Some(NotImported { summary, message }),
        known: None,
        to_forget: None,
    }
}

/// An order that turns up again in the fetch state although the shop had been told was not moved: it is told again, and
/// counted.
async fn reappear(
    tenant: &Tenant,
    settings: &TenantSettings,
    lead: &Shipment,
    read_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let connection = &lead.id.connection;
    let tells_shipped = settings.connection(connection).is_some_and(|connection| settings.tells_shipped(connection));
    // The record that stands for the order has left, which its other parcels may not have.
    let has_others = lead.parcels > 1 && lead.status == Status::Shipped;
    let partly_here = has_others && {
        let parcels = tenant.parcels(connection, &[(lead.id.order, lead.parcels)]).await?;
        parcels.iter().any(|parcels| is_partly_here(parcels))
    };
    let again = Again { partly_here, tells_shipped, read_at, now };
    if !again.see(&mut lead.clone()) {
        return Ok(false);
    }
    let mut reappeared = false;
    tenant
        .change(&lead.id, |shipment| {
            reappeared = again.see(shipment);
            reappeared
        })
        .await?;
    Ok(reappeared)
}

/// An order that is known, and was read in the fetch state.
#[derive(Debug, Clone, Copy)]
struct Again {
    /// Its first parcel has left, and another is still here.
    partly_here: bool,
    /// That it has left is ours to tell.
    tells_shipped: bool,
    read_at: Timestamp,
    now: Timestamp,
}

impl Again {
    /// Notes it on the record that stands for the order. False if there is nothing in it: the shop had not been told before.
    fn see(self, lead: &mut Shipment) -> bool {
        let has_left = lead.status == Status::Shipped;
        if has_left && !self.partly_here && !self.tells_shipped {
            // No robot would tell it again.
            return lead.note_in_fetch_state(self.read_at, self.now, "import-orders");
        }
        let in_part = has_left && self.partly_here;
        let is_told_again = if in_part { lead.reappear_in_part(self.read_at) } else { lead.reappear(self.read_at) };
        if is_told_again {
            lead.note(self.now, "seen again in the fetch state; told again", "import-orders");
        }
        is_told_again
    }
}

/// Notes what became of each row, and ends the runs of which this was the last. Gives those.
async fn note_progress(tenant: &Tenant, settled: &[Settled]) -> Result<Vec<Run>, StoreError> {
    let mut ended = Vec::new();
    let mut by_run: BTreeMap<&str, Vec<(Place, Outcome)>> = BTreeMap::new();
    for message in settled {
        by_run.entry(&message.run).or_default().push((message.place, message.outcome));
    }
    for (run, done) in by_run {
        for (page, rows) in rows_by_page(&done) {
            if tenant.note_rows(run, page, &rows).await?.is_complete() && tenant.complete_page(run, page).await? {
                ended.extend(tenant.finish_queued_run(run).await?);
            }
        }
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use renkei_domain::shipment::{ShopSync, ShopWork};
    use serde_json::json;

    use super::*;

    fn row(id: Option<u64>) -> ImportOrder {
        serde_json::from_value(json!({
            "v": 1, "tenant": "hanako", "connection": "hanako-ecforce", "run": "01HZY", "place": { "page": 1, "row": 3 },
            "fetched_at": "2026-11-24T02:00:00Z",
            "order": { "unreadable": { "id": id, "number": "H-1001", "reason": "line 1 has no usable SKU" } }
        }))
        .unwrap()
    }

    /// The shipment of order 88111.
    fn lead() -> Shipment {
        serde_json::from_value(json!({
            "id": "hanako-ecforce.88111.1", "order_number": "H-1001", "address_id": 120, "parcels": 1,
            "ship_from": "tokyo-dc", "status": "ready", "payment": "paid", "payment_state": "authed",
            "shop_sync": "acknowledged", "imported_at": "2026-11-24T01:00:00Z", "updated_at": "2026-11-24T01:00:00Z",
            "run": "01HZX", "place": { "page": 1, "row": 0 }, "detail": "1"
        }))
        .unwrap()
    }

    #[test]
    fn a_store_that_is_throttled_is_not_asked_for_each_order_before_the_third_delivery() {
        let throttled = || StoreError::Unavailable { operation: "BatchGetItem", code: "ThrottlingException".into() };
        let alike = [ImportError::Store(throttled()), ImportError::NotSetUp(String::new())];
        for error in &alike {
            assert_eq!([1, 2, 3, 5].map(|count| error.tries_alone(count)), [false, false, true, true], "{error}");
        }
        // What one order may be the reason of is looked for at once.
        let own = [
            ImportError::Store(StoreError::Unreadable { kind: "shipment", reason: String::new() }),
            ImportError::Store(StoreError::Conflict { kind: "shipment" }),
            ImportError::ProductAppeared,
            ImportError::Panicked,
        ];
        assert!(own.iter().all(|error| error.tries_alone(1)));
        let of_batch = ImportError::OfBatch(Arc::new(ImportError::Store(throttled())));
        assert_eq!(of_batch.to_string(), throttled().to_string(), "the log says why");
    }

    #[test]
    fn an_order_that_was_imported_while_it_was_being_kept_waits_for_nobody() {
        let mut settled = [Some(1), Some(88_111), None].map(|id| unreadable(row(id), Timestamp::now()));
        let kept = [(0, OrderId(1)), (1, OrderId(88_111))];
        take_back(&mut settled, &kept, &HashMap::from([(OrderId(88_111), lead())]));
        let became = settled.map(|message| (message.outcome, message.to_forget));
        let waits = (Outcome::Quarantined, None);
        assert_eq!(became, [waits, (Outcome::Duplicate, Some(OrderId(88_111))), waits]);
    }

    #[test]
    fn an_order_that_is_in_the_fetch_state_again_is_told_again_as_far_as_that_is_ours() {
        let at = |minute: i64| "2026-11-24T02:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes();
        let again = Again { partly_here: false, tells_shipped: true, read_at: at(5), now: at(6) };
        let seen = |again: Again, lead: &Shipment| {
            let mut lead = lead.clone();
            (again.see(&mut lead), lead.shop_work(), lead.events.len())
        };
        let taken = Shipment { told_at: Some(at(0)), ..lead() };
        assert_eq!(seen(again, &taken), (true, Some(ShopWork::TellWorking), 1));
        assert_eq!(seen(again, &lead()), (false, None, 0), "nothing had been told");

        let number = Some("4000".to_owned());
        let (status, shop_sync) = (Status::Shipped, ShopSync::Completed);
        let out = Shipment { status, shop_sync, tracking_number: number.clone(), tracking_told: number, ..taken };
        assert_eq!(seen(again, &out), (true, Some(ShopWork::TellShipped), 1));
        let in_part = Again { partly_here: true, ..again };
        for tells_shipped in [true, false] {
            let working = seen(Again { tells_shipped, ..in_part }, &out);
            assert_eq!(working, (true, Some(ShopWork::TellWorking), 1), "its other parcels are here");
        }
        // Where that it has left is not ours to tell, it is said once, and nothing is told.
        let not_ours = Again { tells_shipped: false, ..again };
        let mut noted = out;
        assert!(not_ours.see(&mut noted));
        assert!(!Again { read_at: at(20), now: at(21), ..not_ours }.see(&mut noted));
        assert_eq!((noted.shop_sync, noted.shop_work(), noted.events.len()), (ShopSync::Completed, None, 1));
    }

    #[test]
    fn a_row_that_was_imported_when_it_could_be_read_is_no_order_to_import() {
        let lead = lead();
        assert_eq!(id_of_row(&row(Some(88_111))), Some(lead.id.order));
        let known = known_row(row(Some(88_111)), lead.clone());
        assert_eq!((known.outcome, known.run.as_str(), known.place.row), (Outcome::Duplicate, "01HZY", 3));
        assert!(known.kept.is_none(), "it would be on the list of those not imported");
        assert_eq!(known.to_forget, Some(OrderId(88_111)));
        // Told again, if the shop had been told before it was read.
        let (of, read_at) = known.known.unwrap();
        assert_eq!((*of, read_at), (lead, "2026-11-24T02:00:00Z".parse().unwrap()));

        let other = unreadable(row(None), Timestamp::now());
        assert_eq!((id_of_row(&row(None)), other.outcome, other.kept.is_some()), (None, Outcome::Quarantined, true));
    }
}
