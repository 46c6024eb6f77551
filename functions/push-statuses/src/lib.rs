//! push-statuses: what we did, told to the shop.
//!
//! In the order's way: state → working (here) · tracking numbers ([`write_back`], with the payment's capture in
//! [`sale`] where the merchant wants that) · state → shipped ([`shipped`]).
//!
//! State → working: an order is told once all of its shipments are stored, which is when the record of its first parcel
//! stands on the list of work. Orders are told a hundred at a time. Telling one twice is harmless, so a crash between
//! the shop's answer and our note repeats a page and loses nothing. One that is known to be cancelled there is not told.
//! That a "200" had no effect shows when the order is fetched again, and then it is told again.

mod sale;
mod shipped;
mod write_back;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::settings::Action;
use renkei_domain::shipment::{Shipment, ShopError as Refusal, ShopWork, Status, TellWorking, is_partly_here};
use renkei_ecforce::{Client, Outcome, RecordError, RecordKey, Retry, ShippingResult, StateChange, Token, WriteAnswer};
use renkei_platform::{Metric, Metrics};
use renkei_shop::robot::{Stopped, Told, Work};
use renkei_shop::together::{Known, Said, Together};
use renkei_shop::{Session, ShopError};
use renkei_store::shipments::WorkEntry;
use renkei_store::{StoreError, Tenant};

/// Tells the shop what the robot is there to tell.
pub async fn tell(work: Work<'_>, metrics: &Metrics) -> Result<Told, Stopped> {
    match work.message.action {
        Action::StateWorking => {
            let state = &work.connection.states.working;
            let mut tally = Tally::default();
            let told = tell_working(work, metrics, &mut tally).await;
            tally.ended(told, state, "states.working")
        }
        Action::StateShipped | Action::WriteBack => tell_left(work, metrics).await,
        other @ (Action::FetchOrders
        | Action::StatusSync
        | Action::Inventory
        | Action::ApplyProcessing
        | Action::Reconcile) => {
            Ok(Told { failure: Some(format!("{} is not a robot of push-statuses", other.as_str())), ..Told::default() })
        }
    }
}

/// What follows once the shop has been told an order's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Its state, by this run.
    State,
    /// Its state, by another robot.
    StateByAnother,
    /// Nothing: states are not ours to tell there.
    Nothing,
}

impl Next {
    /// In a run of this robot. A shop with the automation option is never told a state, whatever robot runs.
    fn after_numbers(work: &Work<'_>) -> Self {
        match (work.message.action, work.settings.tells_shipped(work.connection)) {
            (Action::StateShipped, _) if !work.connection.automation_option => Self::State,
            (_, true) => Self::StateByAnother,
            (_, false) => Self::Nothing,
        }
    }

    /// Is an order still to be told its state after its numbers?
    fn tells_state(self) -> bool {
        self != Self::Nothing
    }
}

/// Tells the shop what left, then, where that is this robot's, that whole orders did.
async fn tell_left(mut work: Work<'_>, metrics: &Metrics) -> Result<Told, Stopped> {
    let next = Next::after_numbers(&work);
    let mut tally = Tally::default();
    let mut open = Vec::new();
    let told = tell_numbers_and_states(&mut work, next, &mut tally, &mut open).await;
    metrics.add(Metric::OrdersTold, tally.told);
    // What came in between (the day's calls are spent, the time is over) leaves orders whose number the shop has and whose
    // state it has not.
    let noted = shipped::note_numbers(&work, open).await;
    tally.ended(told.and(noted.map_err(ShopError::from)), &work.connection.states.shipped, "states.shipped")
}

/// Leaves in `open` what was begun and not told to its end.
async fn tell_numbers_and_states(
    work: &mut Work<'_>,
    next: Next,
    tally: &mut Tally,
    open: &mut Vec<shipped::Out>,
) -> Result<(), ShopError> {
    let ready = write_back::write_back(work, next, tally, open).await?;
    match next {
        Next::State => shipped::tell(work, ready, true, tally, open).await,
        Next::StateByAnother => Ok(()),
        Next::Nothing => shipped::tell(work, ready, false, tally, open).await,
    }
}

/// Tells the shop which orders we took.
async fn tell_working(work: Work<'_>, metrics: &Metrics, tally: &mut Tally) -> Result<(), ShopError> {
    let Work { tenant, connection, message, session, .. } = work;
    let by = message.robot.as_str();
    let batch = i32::from(connection.batch_size);
    // The list follows the records a moment behind: what was told in this run is not told again because of that.
    let mut done: HashSet<OrderId> = HashSet::new();
    let mut from = None;
    loop {
        let page = tenant.shop_work(&connection.id, ShopWork::TellWorking, batch, from).await?;
        let orders: Vec<WorkEntry> = page.rows.into_iter().filter(|entry| done.insert(entry.id.order)).collect();
        let Sifted { orders, cancelled_there, cancelled_here, left } = sift(tenant, orders).await?;
        // Taken off the list without a word: their other parcels may have something to tell.
        tenant.acknowledge(&cancelled_there, Timestamp::now()).await?;
        tenant.acknowledge(&left, Timestamp::now()).await?;
        for order in &cancelled_here {
            let ended = |shipment: &mut Shipment| shipment.ended_untold(Timestamp::now());
            tenant.change(&order.id, ended).await?;
        }
        tally.not_told += (cancelled_there.len() + cancelled_here.len()) as u64;
        if !orders.is_empty() {
            let changes: Vec<StateChange> = orders
                .iter()
                .map(|entry| StateChange { id: entry.id.order.0, state: connection.states.working.clone() })
                .collect();
            let (answer, stopped) = tell_states(session, &changes, tally.known()).await;
            let told = sorted(orders, &answer, tally);
            metrics.add(Metric::OrdersTold, told.taken.len() as u64);
            tenant.acknowledge(&told.taken, Timestamp::now()).await?;
            for (entry, error) in &told.refused {
                tenant.shop_refused(&entry.id, ShopWork::TellWorking, error, Timestamp::now(), by).await?;
            }
            if let Some(error) = stopped {
                return Err(error);
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Tells the shop these states, together as far as it takes them so. Its answer speaks of those that it was told; of the
/// others, why not.
async fn tell_states(session: &mut Session, changes: &[StateChange], known: Known) -> (WriteAnswer, Option<ShopError>) {
    let request =
        async |client: &Client, token: &Token, changes: &[StateChange]| client.bulk_update(token, changes).await;
    session.call_together(changes, known, request).await.joined(WriteAnswer::join, |answer, place, words| {
        answer.refuse(RecordKey { order: changes[place].id, address: None }, words);
    })
}

/// Orders on the list of work, by what is told of them: see [`TellWorking`]. Most of what is not to be told has left the list
/// by then, but the list follows the records a moment behind.
#[derive(Default)]
struct Sifted {
    orders: Vec<WorkEntry>,
    cancelled_there: Vec<WorkEntry>,
    cancelled_here: Vec<WorkEntry>,
    /// To be told once more for the parcels that were still here, and all of those have left by now: "working" would take
    /// back what the shop makes of their numbers by itself.
    left: Vec<WorkEntry>,
}

async fn sift(tenant: &Tenant, orders: Vec<WorkEntry>) -> Result<Sifted, StoreError> {
    let ids: Vec<ShipmentId> = orders.iter().map(|entry| entry.id.clone()).collect();
    let leads: HashMap<OrderId, Shipment> =
        tenant.shipments(&ids).await?.into_iter().map(|lead| (lead.id.order, lead)).collect();
    let mut sifted = Sifted::default();
    for entry in orders {
        let Some(lead) = leads.get(&entry.id.order) else {
            sifted.orders.push(entry);
            continue;
        };
        let is_once_more = lead.parcels > 1 && lead.status == Status::Shipped && lead.told_at.is_some();
        let parcels = if lead.parcels > 1 && (is_once_more || lead.status == Status::Cancelled) {
            // Its other parcels may go on.
            let order = [(lead.id.order, lead.parcels)];
            tenant.parcels(&lead.id.connection, &order).await?.into_iter().flatten().collect()
        } else {
            vec![lead.clone()]
        };
        let list = match TellWorking::of(&parcels) {
            TellWorking::Told if is_once_more && !is_partly_here(&parcels) => &mut sifted.left,
            TellWorking::Told => &mut sifted.orders,
            TellWorking::CancelledThere => &mut sifted.cancelled_there,
            TellWorking::CancelledHere => &mut sifted.cancelled_here,
        };
        list.push(entry);
    }
    Ok(sifted)
}

/// What the shop's answer makes of each order.
#[derive(Default)]
struct Sorted {
    taken: Vec<WorkEntry>,
    refused: Vec<(WorkEntry, Refusal)>,
}

/// What a run has done so far.
#[derive(Default)]
struct Tally {
    told: u64,
    not_told: u64,
    written_back: u64,
    captured: u64,
    refused: u64,
    later: u64,
    unknown_state: bool,
}

impl Tally {
    /// What is known of states before more are told: this run's others were taken, or none were yet.
    fn known(&self) -> Known {
        if self.told > 0 { Known::Taken } else { Known::Nothing }
    }

    /// The end of a run, or of an invocation of it. What it left for later is before the next one again.
    fn ended(self, ended: Result<(), ShopError>, state: &str, key: &str) -> Result<Told, Stopped> {
        let later = if ended.is_ok() { self.later } else { 0 };
        Stopped::or_told(ended, Self { later, ..self }.told(state, key))
    }

    fn told(self, state: &str, key: &str) -> Told {
        let counts = [
            ("told", self.told),
            ("cancelled-not-told", self.not_told),
            ("written-back", self.written_back),
            ("captured", self.captured),
            ("refused", self.refused),
            ("later", self.later),
        ];
        Told {
            counts: counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect(),
            for_a_person: self.refused,
            failure: self.unknown_state.then(|| {
                format!(
                    "the shop has no order state {state:?}: create it at the shop (対応状況管理), or name the shop's own \
                     under {key} in the document and apply it"
                )
            }),
            ..Told::default()
        }
    }
}

/// What a shop's answer means for what was told.
enum Verdict {
    /// Told, by the shop's word.
    Taken,
    /// Not said, or failed in passing: it stays on the list of work.
    Later,
    /// Refused for good.
    Refused(Refusal),
}

impl Verdict {
    /// Of a row of several that were told together, by its place among them.
    fn of_row(told: &Together<WriteAnswer>, place: usize, row: &ShippingResult) -> Self {
        match told.said(place) {
            Said::Answer(answer) => Self::of(answer.outcome_for(row.order_id, row.shipping_address_id)),
            Said::Refused(words) => {
                let mut answer = WriteAnswer::default();
                answer.refuse(RecordKey { order: row.order_id, address: row.shipping_address_id }, words.clone());
                Self::of(answer.outcome_for(row.order_id, row.shipping_address_id))
            }
            Said::Nothing => Self::Later,
        }
    }

    fn of(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Success => Self::Taken,
            Outcome::Unknown => Self::Later,
            Outcome::Failure(error) => match error.map(RecordError::retry) {
                Some(Retry::Passing { .. }) => Self::Later,
                Some(Retry::Permanent) | None => Self::Refused(refusal(error)),
            },
        }
    }
}

/// Sorts orders by what the shop's answer says of each. One that it does not mention, that failed in passing, or that
/// failed because the connection's settings name a state wrongly, stays on the list of work.
fn sorted(orders: Vec<WorkEntry>, answer: &WriteAnswer, tally: &mut Tally) -> Sorted {
    let mut sorted = Sorted::default();
    for entry in orders {
        match answer.outcome_for(entry.id.order.0, None) {
            Outcome::Success => {
                tally.told += 1;
                sorted.taken.push(entry);
            }
            Outcome::Unknown => tally.later += 1,
            Outcome::Failure(error) => match error.map(RecordError::retry) {
                Some(Retry::Passing { .. }) => tally.later += 1,
                _ if error.is_some_and(RecordError::is_of_state) => {
                    tally.later += 1;
                    tally.unknown_state = true;
                }
                Some(Retry::Permanent) | None => {
                    tally.refused += 1;
                    sorted.refused.push((entry, refusal(error)));
                }
            },
        }
    }
    sorted
}

fn is_unknown_state(outcome: Outcome<'_>) -> bool {
    matches!(outcome, Outcome::Failure(Some(error)) if error.is_of_state())
}

fn refusal(error: Option<&RecordError>) -> Refusal {
    // The code that merely wraps others says nothing.
    let cause = error.and_then(|error| error.causes.as_slice().first());
    match (cause, error) {
        (Some(cause), _) => Refusal { code: cause.code.clone(), message: cause.message.clone() },
        (None, Some(error)) => Refusal { code: error.code.clone(), message: error.message.clone() },
        (None, None) => Refusal { code: "unknown".into(), message: "the shop gave no reason".into() },
    }
}
