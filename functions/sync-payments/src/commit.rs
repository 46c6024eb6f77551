//! What was read, taken over to the shipments: each by one conditional write, and only while the reading is fresh.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use renkei_domain::handover::Cancelled;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::order::SourceOrder;
use renkei_domain::run::FOR_A_PERSON;
use renkei_domain::shipment::{Shipment, Status};
use renkei_domain::sync::{Rules, Seen, observe};
use renkei_domain::work::Fetched;
use renkei_ecforce::{Direction, MAX_PER, OrderPage, OrderQuery, SortBy};
use renkei_shop::Session;
use renkei_shop::ShopError;
use renkei_shop::order::shown;
use renkei_shop::robot::{Stopped, Told};
use renkei_store::Tenant;

use crate::findings::Names;

/// A reading that is older than this is not taken over any more: a function that was paused for so long may have lost the
/// gate, and somebody else may have read the order since. Within the gate's lease, also where a granted call began late.
const FRESH: Duration = Duration::from_secs(25);
/// Shipments that are written at the same moment.
const AT_ONCE: usize = 8;

/// What a run has seen so far, counted by word.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<&'static str, u64>,
    /// Things that a person has to look at.
    pub for_a_person: u64,
    /// Orders that the shop has otherwise than before.
    changed: Names,
    /// Those of which each is named once, or not at all.
    named: BTreeSet<OrderId>,
    /// Orders of which a person knows that the shop has them otherwise.
    expected: BTreeSet<OrderId>,
    /// Orders that are not paid any more while the warehouse has them in hand.
    lost_in_hand: Names,
}

impl Tally {
    /// Counts.
    pub fn add(&mut self, word: &'static str, more: u64) {
        *self.counts.entry(word).or_default() += more;
    }

    /// How often a word was counted.
    #[must_use]
    pub fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// Says that a person knows of these orders that the shop has them otherwise: nobody is asked about that.
    pub fn expect(&mut self, orders: impl Iterator<Item = OrderId>) {
        self.expected.extend(orders);
    }

    fn see(&mut self, mut seen: Seen, shipment: &Shipment) {
        seen.new_difference &= seen.lost_in_hand || !self.expected.contains(&shipment.id.order);
        let is_named = (seen.lost_in_hand || seen.new_difference) && self.named.insert(shipment.id.order);
        if is_named {
            let names = if seen.lost_in_hand { &mut self.lost_in_hand } else { &mut self.changed };
            names.add(shipment.order_number.as_str());
        }
        self.add("paid", u64::from(seen.paid));
        self.add("payment-lost", u64::from(seen.payment_lost));
        self.add("payment-lost-in-picking", u64::from(seen.lost_in_hand));
        self.add("withdrawn", u64::from(seen.withdrawn));
        self.add("differences", u64::from(seen.new_difference));
        let word = match seen.cancelled {
            Some(Cancelled::Now) => Some("cancelled"),
            Some(Cancelled::Requested) => Some("cancellations-requested"),
            Some(Cancelled::TooLate) => Some("cancellations-too-late"),
            Some(Cancelled::Known) | None => None,
        };
        if let Some(word) = word {
            self.add(word, 1);
        }
        self.for_a_person += u64::from(seen.for_a_person());
    }

    /// What people are told of the orders that need them.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let lost = self.lost_in_hand.sentence(
            "orders are not paid any more while the warehouse has them in hand: stop them there, or let them go \
             (出荷準備中に未入金へ戻りました)",
        );
        let changed = self.changed.sentence(
            "orders are otherwise at the shop than they were imported: see what has changed, and have them made anew or \
             say that you have seen it (取込後にショップで変わりました)",
        );
        lost.into_iter().chain(changed).collect()
    }

    /// Adds what another has counted.
    pub fn join(&mut self, other: Self) {
        for (word, more) in other.counts {
            self.add(word, more);
        }
        self.for_a_person += other.for_a_person;
    }

    /// The end of a run, which says this besides what the tally does; or of an invocation of it that stopped.
    ///
    /// # Errors
    /// Why it stopped, with what was seen until then.
    pub fn ended(self, ended: Result<Vec<String>, ShopError>) -> Result<Told, Stopped> {
        let mut notes = self.notes();
        let ended = ended.map(|more| notes.extend(more));
        Stopped::or_told(ended, Told { notes, ..self.told() })
    }

    /// The run's end.
    #[must_use]
    pub fn told(self) -> Told {
        let mut counts: BTreeMap<String, u64> =
            self.counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
        if self.for_a_person > 0 {
            counts.insert(FOR_A_PERSON.to_owned(), self.for_a_person);
        }
        Told { counts, for_a_person: self.for_a_person, ..Told::default() }
    }
}

/// Orders as they were read, and when.
pub struct Read {
    /// By id.
    pub orders: BTreeMap<OrderId, SourceOrder>,
    /// When the last request for them was sent. It was sent with the gate in hand, as was the one before it: nobody else has
    /// read them until then.
    sent: Instant,
    /// The same, by the clock.
    pub sent_at: Timestamp,
}

impl Read {
    /// May it still be taken over?
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.sent.elapsed() <= FRESH
    }
}

/// Reads one page of orders. A row that cannot be read whole (a line without a SKU, an address that is gone) still has
/// states, and a cancellation among them must not be missed: such rows are read once more, without what hangs on them.
pub async fn read(session: &mut Session, query: &OrderQuery) -> Result<(Read, OrderPage), ShopError> {
    let ((mut sent, mut sent_at), page) = asked(session, query).await?;
    let mut orders = BTreeMap::new();
    let mut partly = BTreeSet::new();
    for row in &page.orders {
        match shown(row.clone()) {
            Fetched::Order(order) => drop(orders.insert(order.id, *order)),
            Fetched::Unreadable { id, .. } => partly.extend(id),
        }
    }
    partly.retain(|id| !orders.contains_key(&OrderId(*id)));
    if !partly.is_empty() {
        let states = OrderQuery::new().id_in(partly).sort(SortBy::Id, Direction::Ascending).per(MAX_PER);
        let (sent_again, again) = asked(session, &states).await?;
        (sent, sent_at) = sent_again;
        for row in again.orders {
            if let Fetched::Order(order) = shown(row) {
                orders.insert(order.id, *order);
            }
        }
    }
    Ok((Read { orders, sent, sent_at }, page))
}

/// A page, and when the request was sent that brought it. Before that a call waits for its turn, which may take longer than
/// a reading is fresh.
async fn asked(session: &mut Session, query: &OrderQuery) -> Result<((Instant, Timestamp), OrderPage), ShopError> {
    session
        .call(async |client, token| {
            let sent = (Instant::now(), Timestamp::now());
            Ok((sent, client.orders(token, query).await?))
        })
        .await
}

/// Takes what was read over to these shipments. Those whose order was not read stay as they are.
///
/// # Errors
/// `LeaseLost` if the reading has grown old meanwhile: nothing more is written, and the run reads again.
pub async fn take_over(
    tenant: &Tenant,
    ids: &[ShipmentId],
    read: &Read,
    rules: Rules<'_>,
    by: &str,
    tally: &mut Tally,
) -> Result<(), ShopError> {
    let shipments = tenant.shipments(ids).await?;
    let sources = sources(tenant, &shipments, read, rules, by).await?;
    let now = Timestamp::now();
    let work = shipments.iter().filter_map(|shipment| {
        let order = read.orders.get(&shipment.id.order)?;
        let source = sources.get(&shipment.id);
        let mut tried = shipment.clone();
        let seen = observe(&mut tried, source, order, rules, now, by);
        Some((shipment, order, source, seen))
    });
    let open: Vec<_> = work.filter(|(_, _, _, seen)| seen.changed).collect();
    let done: Vec<(&Shipment, Seen)> = futures::stream::iter(open)
        .map(|(shipment, order, source, _)| async move {
            if !read.is_fresh() {
                return Err(ShopError::LeaseLost);
            }
            let mut seen = Seen::default();
            tenant
                .change(&shipment.id, |shipment| {
                    seen = observe(shipment, source, order, rules, now, by);
                    seen.changed
                })
                .await?;
            Ok((shipment, seen))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    for (shipment, seen) in done {
        tally.see(seen, shipment);
    }
    tally.add("read", shipments.iter().filter(|shipment| read.orders.contains_key(&shipment.id.order)).count() as u64);
    Ok(())
}

/// The orders as these shipments were made from them; of those only whose order was read whole.
async fn sources(
    tenant: &Tenant,
    shipments: &[Shipment],
    read: &Read,
    rules: Rules<'_>,
    by: &str,
) -> Result<HashMap<ShipmentId, SourceOrder>, ShopError> {
    let whole = |order: &SourceOrder| !order.addresses.is_empty() && !order.lines.is_empty();
    let wanted: Vec<Shipment> = shipments
        .iter()
        .filter(|shipment| {
            // What this reading cancels is not compared any more, and what has ended neither.
            let order = read.orders.get(&shipment.id.order).filter(|order| whole(order));
            order.is_some_and(|order| {
                let mut tried = (*shipment).clone();
                observe(&mut tried, None, order, rules, Timestamp::UNIX_EPOCH, by);
                !matches!(tried.status, Status::Shipped | Status::Cancelled)
            })
        })
        .cloned()
        .collect();
    let details = tenant.details(&wanted).await?;
    Ok(wanted.into_iter().map(|shipment| shipment.id).zip(details.into_iter().map(|detail| detail.source)).collect())
}
