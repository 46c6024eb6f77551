//! ステータス同期: the open orders of a connection against the shop, by id or by what changed.
//!
//! How orders are read is decided by [`renkei_domain::sync::reading`], and again after every page. A page is taken over
//! before the run's cursor moves, and all of it before the mark of the last sync does: a crash repeats, and never skips.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::handover;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::jst;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Meaning;
use renkei_domain::shipment::{Shipment, Status};
use renkei_domain::sync::Rules;
use renkei_domain::sync::reading::{self, Late, Reading, Window};
use renkei_ecforce::{Direction, MAX_PER, OrderQuery, SortBy, TextAttribute, TextTest};
use renkei_platform::{Metric, Metrics};
use renkei_shop::robot::{Stopped, Told, Work};
use renkei_shop::{Session, ShopError};
use renkei_store::Tenant;
use renkei_store::runs::Progress;
use renkei_store::sync::{OpenOrder, SyncMark};

use crate::called_off::{self, is_cancelled};
use crate::commit::{self, Tally};
use crate::findings::Names;
use crate::hints;

/// A shop does not have more changes than this in a window; a listing that goes on for longer is not a listing.
const MOST_PAGES: u32 = 10_000;
/// Shipments that are read from the store in one go.
const READ_AT_ONCE: usize = 500;
/// What a sync looks at.
const OPEN: [Status; 3] = [Status::Hold, Status::Ready, Status::Picking];
/// How an event says that a cancellation is overdue.
const OVERDUE: &str = "cancellation overdue";

/// Syncs one connection.
pub async fn sync(work: Work<'_>, metrics: &Metrics) -> Result<Told, Stopped> {
    let mut tally = Tally::default();
    let ended = read_and_watch(work, metrics, &mut tally).await;
    tally.ended(ended)
}

/// Gives what people are told at the end, besides what the tally says.
async fn read_and_watch(work: Work<'_>, metrics: &Metrics, tally: &mut Tally) -> Result<Vec<String>, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let by = message.robot.as_str();
    let rules = Rules::of(settings, connection);
    let mark = tenant.sync_mark(&connection.id).await?;
    // A run that goes on has begun before this invocation did.
    let began = tenant.run(run).await?.map_or_else(Timestamp::now, |run| run.started_at);
    let mut at = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
    let open = tenant.open_orders(&connection.id, &OPEN).await?;
    let mut stale = match &mark {
        Some(mark) => stale(tenant, &connection.id, &open, mark.began).await?,
        None => Vec::new(),
    };
    let window = mark.as_ref().map(|mark| Window::since(mark.began, began));
    // Orders that the shop does not give by their ids.
    let mut missing: Vec<OrderId> = Vec::new();
    let today = jst::date(began);
    let report = mark.as_ref().is_none_or(|mark| mark.reported_on != Some(today));
    let reads_changes = mark.as_ref().is_some_and(|mark| mark.tells_changes(connection, today));
    let mut way = reading::begin(above(&open, at.after), reads_changes);
    // What changed was read from the first to the last, by this invocation.
    let mut all_changes = way == Reading::ByChanges && at.after == 0;
    loop {
        let query = OrderQuery::new().sort(SortBy::Id, Direction::Ascending).per(MAX_PER).include_all();
        let asked: Vec<OrderId> = open.range(next(at.after)..).take(MAX_PER as usize).map(|(id, _)| *id).collect();
        let query = match (way, window) {
            (Reading::Nothing, _) => break,
            (Reading::ByChanges, Some(window)) => query.id_gt(at.after).updated_at(window.from, window.before),
            (Reading::ByIds, _) | (Reading::ByChanges, None) => query.id_in(asked.iter().map(|order| order.0)),
        };
        let (read, page) = commit::read(session, &query).await?;
        let highest = page.ids().max().unwrap_or(0);
        // Which of the rows are ours: the open ones, and those that have left and are cancelled now.
        let shown: BTreeMap<OrderId, OpenOrder> =
            open.iter().filter(|(id, _)| read.orders.contains_key(id)).map(|(id, o)| (*id, o.clone())).collect();
        let mut ids = Tenant::open_ids(&connection.id, &shown);
        let gone = cancelled(tenant, &read, rules).await?;
        called_off::note(tenant, connection, &read, (&gone, |_: &SourceOrder| false), by, tally).await?;
        ids.extend(gone.into_iter().filter(|id| !shown.get(&id.order).is_some_and(|o| o.parcels.contains(&id.parcel))));
        commit::take_over(tenant, &ids, &read, rules, by, tally).await?;
        stale.retain(|order| !read.orders.contains_key(order));
        // A listing of changes that gives a full page and nothing higher is no list of all of them: what is behind it is
        // read by ids.
        let stands = !page.is_last(MAX_PER) && (highest <= at.after || at.page >= MOST_PAGES);
        let (after, last) = match way {
            Reading::ByChanges => {
                let after = highest.max(at.after);
                (after, page.is_last(MAX_PER) || (stands && above(&open, after) == 0))
            }
            Reading::ByIds | Reading::Nothing => {
                let given: BTreeSet<OrderId> = page.ids().map(OrderId).collect();
                let gone: Vec<OrderId> = asked.iter().filter(|order| !given.contains(order)).copied().collect();
                tally.add("missing-at-shop", gone.len() as u64);
                missing.extend(gone);
                let after = asked.last().map_or(at.after, |order| order.0);
                (after, above(&open, after) == 0)
            }
        };
        at = Progress { page: at.page + 1, after };
        if !tenant.advance_run(run, at, session.epoch()).await? {
            return Err(ShopError::LeaseLost);
        }
        all_changes &= way == Reading::ByChanges && !stands;
        if last {
            break;
        }
        way = match way {
            Reading::ByChanges if stands => Reading::ByIds,
            Reading::ByChanges => {
                let changed = page.meta.total_count.map(|all| all.saturating_sub(page.rows as u64));
                // Rows below the cursor are not counted by the shop; a reading that switched does not switch back.
                reading::go_on(changed, above(&open, at.after))
            }
            Reading::ByIds | Reading::Nothing => Reading::ByIds,
        };
        // What is left of the changes is not read any more.
        all_changes &= way == Reading::ByChanges;
    }
    for some in stale.chunks(MAX_PER as usize) {
        let query = OrderQuery::new().id_in(some.iter().map(|order| order.0)).per(MAX_PER).include_all();
        let (read, _) = commit::read(session, &query).await?;
        let shown = some.iter().filter_map(|id| Some((*id, open.get(id)?.clone()))).collect();
        commit::take_over(tenant, &Tenant::open_ids(&connection.id, &shown), &read, rules, by, tally).await?;
    }
    let late_known = match mark.as_ref().map(|mark| reading::late(mark.began, mark.late_known, all_changes, began)) {
        Some(Late::Look(window)) => {
            late(session, tenant, rules, window, by, tally).await?;
            None
        }
        Some(Late::KnownTo(known)) => Some(known),
        Some(Late::Known) | None => None,
    };
    // What is seen at the end is seen again if the end is not noted.
    let mut end = Tally::default();
    end.add("open", open.len() as u64);
    let mut notes = watch(tenant, &connection.id, rules, report, by, &mut end).await?;
    if report {
        notes.extend(not_there(tenant, &connection.id, &missing, &mut end).await?);
    }
    metrics.add(Metric::UnknownPayments, end.count("unknown-payment-states"));
    let tables = Some(SyncMark::tables(connection));
    let mark = SyncMark { began, reported_on: Some(today), late_known, tables, epoch: session.epoch() };
    if !tenant.move_sync_mark(&connection.id, &mark).await? {
        return Err(ShopError::LeaseLost);
    }
    tally.join(end);
    Ok(notes)
}

fn next(after: u64) -> OrderId {
    OrderId(after.saturating_add(1))
}

fn above(open: &BTreeMap<OrderId, OpenOrder>, after: u64) -> usize {
    open.range(next(after)..).count()
}

/// Looks for cancellations of what has left, by state and by payment state: few, so a page of each is nearly always all.
async fn late(
    session: &mut Session,
    tenant: &Tenant,
    rules: Rules<'_>,
    window: Window,
    by: &str,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    let connection = rules.connection;
    let states = connection.states.cancelled.clone();
    let table = connection.payment_states.in_force().into_iter();
    let payments = table.filter(|(_, meaning)| *meaning == Meaning::Cancelled).map(|(state, _)| state).collect();
    for (attribute, codes) in [(TextAttribute::State, states), (TextAttribute::PaymentState, payments)] {
        if codes.is_empty() {
            continue;
        }
        let query = OrderQuery::new()
            .text(attribute, TextTest::In(codes))
            .updated_at(window.from, window.before)
            .sort(SortBy::Id, Direction::Ascending)
            .per(MAX_PER);
        let mut after = 0;
        for _ in 0..MOST_PAGES {
            let (read, page) = commit::read(session, &query.clone().id_gt(after)).await?;
            let ids = cancelled(tenant, &read, rules).await?;
            commit::take_over(tenant, &ids, &read, rules, by, tally).await?;
            let highest = read.orders.keys().map(|order| order.0).max().unwrap_or(0);
            if page.is_last(MAX_PER) || highest <= after {
                break;
            }
            after = highest;
        }
    }
    Ok(())
}

/// All parcels, open or not, of the orders that are cancelled at the shop: of one that has left, the cancellation came too
/// late.
async fn cancelled(tenant: &Tenant, read: &commit::Read, rules: Rules<'_>) -> Result<Vec<ShipmentId>, ShopError> {
    let connection = rules.connection;
    let orders = read.orders.values().filter(|order| is_cancelled(order, connection)).map(|order| order.id);
    hints::parcels(tenant, &connection.id, orders).await
}

/// Open orders that were imported so late after they were read that a change of theirs may lie before the window.
async fn stale(
    tenant: &Tenant,
    connection: &ConnectionId,
    open: &BTreeMap<OrderId, OpenOrder>,
    last_sync: Timestamp,
) -> Result<Vec<OrderId>, ShopError> {
    // Only what came in since the last sync can be; of that, one look at each run that fetched it.
    let new: Vec<ShipmentId> = open
        .iter()
        .filter(|(_, order)| reading::may_be_stale(last_sync, order.imported_at, None))
        .map(|(id, _)| ShipmentId::lead(connection.clone(), *id))
        .collect();
    let mut began: HashMap<String, Option<Timestamp>> = HashMap::new();
    let mut stale = Vec::new();
    for ids in new.chunks(READ_AT_ONCE) {
        for shipment in tenant.shipments(ids).await? {
            if !began.contains_key(&shipment.run) {
                let run = tenant.run(&shipment.run).await?;
                began.insert(shipment.run.clone(), run.map(|run| run.started_at));
            }
            let fetch_began = began.get(&shipment.run).copied().flatten();
            if reading::may_be_stale(last_sync, shipment.imported_at, fetch_began) {
                stale.push(shipment.id.order);
            }
        }
    }
    Ok(stale)
}

/// What needs a person without the shop having changed anything: cancellations that a warehouse does not answer; and once
/// a day, payment states that nobody has said the meaning of.
async fn watch(
    tenant: &Tenant,
    connection: &ConnectionId,
    rules: Rules<'_>,
    report: bool,
    by: &str,
    tally: &mut Tally,
) -> Result<Vec<String>, ShopError> {
    let statuses: &[Status] = if report { &OPEN } else { &[Status::Picking] };
    let open = tenant.open_orders(connection, statuses).await?;
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let patience = Duration::from_mins(u64::from(rules.connection.status_sync.cancellation_answer.as_minutes()));
    let now = Timestamp::now();
    for ids in Tenant::open_ids(connection, &open).chunks(READ_AT_ONCE) {
        for shipment in tenant.shipments(ids).await? {
            let open = OPEN.contains(&shipment.status);
            if open && rules.connection.payment_states.meaning(&shipment.payment_state) == Meaning::Unknown {
                *unknown
                    .entry(shipment.payment_state.chars().filter(|c| !c.is_control()).take(40).collect())
                    .or_default() += 1;
            }
            if handover::is_overdue(&shipment, now, patience) {
                tally.add("cancellations-overdue", 1);
                tally.for_a_person += u64::from(raise(tenant, &shipment, now, by).await?);
            }
        }
    }
    let mut notes = Vec::new();
    if report && !unknown.is_empty() {
        tally.add("unknown-payment-states", unknown.values().sum());
        let states: Vec<String> = unknown.iter().map(|(state, count)| format!("{state:?} ({count})")).collect();
        notes.push(format!(
            "payment states that the connection's table does not know wait: {}; say what they mean under payment_states \
             in the document (決済状況の対応表にない状態です)",
            states.join(", ")
        ));
    }
    if tally.count("cancellations-overdue") > 0 {
        notes.push(format!(
            "{} cancellation requests have no answer from the warehouse in time: ask it (キャンセル依頼の回答待ち)",
            tally.count("cancellations-overdue")
        ));
    }
    Ok(notes)
}

/// What is said once a day of open orders that the shop does not give by their ids: nothing that happens to them there
/// would be seen here.
async fn not_there(
    tenant: &Tenant,
    connection: &ConnectionId,
    missing: &[OrderId],
    tally: &mut Tally,
) -> Result<Option<String>, ShopError> {
    let leads: Vec<ShipmentId> = missing.iter().map(|order| ShipmentId::lead(connection.clone(), *order)).collect();
    let mut names = Names::default();
    for ids in leads.chunks(READ_AT_ONCE) {
        for shipment in tenant.shipments(ids).await? {
            names.add(shipment.order_number.as_str());
        }
    }
    tally.for_a_person += names.count;
    Ok(names.sentence(
        "orders are open here and the shop does not give them: look for them there, and cancel here what is gone \
         (ショップに見つかりません)",
    ))
}

/// Says once on a shipment that its cancellation is overdue. True the first time.
async fn raise(tenant: &Tenant, shipment: &Shipment, now: Timestamp, by: &str) -> Result<bool, ShopError> {
    let raised = |shipment: &Shipment| shipment.events.iter().any(|event| event.what == OVERDUE);
    if raised(shipment) {
        return Ok(false);
    }
    let mut first = false;
    tenant
        .change(&shipment.id, |shipment| {
            first = !raised(shipment);
            if first {
                shipment.note(now, OVERDUE, by);
            }
            first
        })
        .await?;
    Ok(first)
}
