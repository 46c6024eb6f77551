//! Shipments out to warehouses and results in, as files: what the command line and the console both do with them.
//! [`renkei_files`] knows what files look like; here they meet what is stored.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use futures::future::join_all;
use jiff::Timestamp;
use jiff::civil::Time;
use renkei_domain::handover::{self, ClaimRefused, ShippingResult};
use renkei_domain::ids::{ConnectionId, ShipmentId, ShippingMethodId};
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, Status};
use renkei_files::export::{self, Around, Rendered};
use renkei_files::layout::Rows;
use renkei_files::results::ResultRow;
use renkei_files::{Layout, Problem};
use renkei_store::{StoreError, Tenant};
use serde::Serialize;

const PAGE: i32 = 100;
/// So many times as many shipments as a file is to hold are passed over at most, because they cannot be written: where
/// the layout lacks a text none can be, and the whole list would be read for it.
const PASSED_OVER: usize = 10;
/// Shipments that are changed at the same moment.
const AT_ONCE: usize = 8;

/// Which shipments go into a file.
pub struct Wanted<'a> {
    /// Of this shop.
    pub connection: &'a ConnectionId,
    /// In this status.
    pub status: Status,
    /// With one of these methods; any if empty.
    pub methods: &'a [String],
    /// Texts for the layout's columns that differ by merchant.
    pub set: &'a BTreeMap<String, String>,
    /// No more than so many.
    pub most: usize,
    /// They are to be taken afterwards: what cannot be is a problem.
    pub to_take: bool,
    /// Only those that were taken within this time; all if None. By it a lost file is made again.
    pub claimed: Option<RangeInclusive<Timestamp>>,
}

/// A file in the making.
#[derive(Default)]
pub struct Made {
    /// Its rows.
    pub rows: Vec<Rendered>,
    /// What cannot be written.
    pub problems: Vec<Problem>,
    /// There are more shipments, at which nobody looked: it holds what was asked for, or too many cannot be written.
    pub more: bool,
}

/// Makes the rows of a file. Changes nothing.
pub async fn render(
    tenant: &Tenant,
    settings: &TenantSettings,
    layout: &Layout,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Made, StoreError> {
    let around = Around { settings, set: wanted.set, today: jst::date(now) };
    let mut filling = Filling::new(wanted.most, wanted.to_take.then_some(now));
    let mut next_row = 1 + usize::from(layout.shipments.header);
    let mut from = None;
    loop {
        let page = tenant.shipments_by_status(wanted.connection, wanted.status, PAGE, from).await?;
        let mut shipments = tenant.shipments(&page.rows).await?;
        shipments.retain(|shipment| {
            let method = shipment.shipping_method.as_ref().map(ShippingMethodId::as_str);
            let wanted_method = wanted.methods.is_empty()
                || method.is_some_and(|method| wanted.methods.iter().any(|wanted| wanted == method));
            let wanted_claim = wanted
                .claimed
                .as_ref()
                .is_none_or(|within| shipment.claimed_at.is_some_and(|claimed| within.contains(&claimed)));
            // The list follows the records a moment behind.
            shipment.status == wanted.status && wanted_method && wanted_claim
        });
        let mut open = shipments.into_iter();
        loop {
            let some = filling.fitting(&mut open);
            if some.is_empty() {
                break;
            }
            let details = tenant.details(&some).await?;
            let whole: Vec<_> = some.into_iter().zip(details).collect();
            let (made, found) = export::rows(layout, &around, &whole, next_row);
            next_row += match layout.shipments.rows {
                Rows::Parcel => whole.len(),
                Rows::Item => whole.iter().map(|(_, detail)| detail.items.len()).sum(),
            };
            filling.put(whole.len(), made, found);
        }
        from = page.next;
        if from.is_none() || filling.file.more {
            return Ok(filling.file);
        }
    }
}

/// A file that is being filled. What cannot go into it is named and uses up no room: it stays at the head of the list,
/// and would hide for ever what comes after it.
struct Filling {
    file: Made,
    most: usize,
    /// When its shipments are to be taken, if they are.
    taken_at: Option<Timestamp>,
    /// Shipments that could not be written.
    unwritten: usize,
}

impl Filling {
    fn new(most: usize, taken_at: Option<Timestamp>) -> Self {
        Self { file: Made::default(), most, taken_at, unwritten: 0 }
    }

    fn room(&self) -> usize {
        if self.unwritten >= self.most.saturating_mul(PASSED_OVER) {
            return 0;
        }
        self.most.saturating_sub(self.file.rows.len())
    }

    /// The next of these that may go into the file: as many as it has room for, and none once it is full or all are
    /// through. Where they are to be taken, what nobody may take is left out.
    fn fitting(&mut self, open: &mut std::vec::IntoIter<Shipment>) -> Vec<Shipment> {
        let room = self.room();
        let mut some = Vec::new();
        while some.len() < room {
            let Some(shipment) = open.next() else { return some };
            match self.taken_at.map(|now| handover::claim(&mut shipment.clone(), now)) {
                Some(Err(reason)) => self.file.problems.push(not_to_be_taken(&shipment, reason)),
                Some(Ok(())) | None => some.push(shipment),
            }
        }
        if room == 0 && open.len() > 0 {
            self.file.more = true;
        }
        some
    }

    /// Puts in what was made of so many shipments.
    fn put(&mut self, shipments: usize, made: Vec<Rendered>, found: Vec<Problem>) {
        self.unwritten += shipments.saturating_sub(made.len());
        self.file.rows.extend(made);
        self.file.problems.extend(found);
    }
}

fn not_to_be_taken(shipment: &Shipment, reason: ClaimRefused) -> Problem {
    let what = match reason {
        ClaimRefused::Unpaid => "it is ready, but not paid: release it although unpaid, or wait for its payment",
        ClaimRefused::Cancelled
        | ClaimRefused::OnHold
        | ClaimRefused::AlreadyClaimed
        | ClaimRefused::AlreadyShipped => reason.as_str(),
    };
    Problem { row: 0, shipment: shipment.id.to_string(), column: String::new(), what: what.to_owned() }
}

/// What became of shipments that were to be taken.
#[derive(Default)]
pub struct Taken {
    /// The rows of those taken. They are in the warehouse's hands, so they have to come into a file, whatever became of the
    /// others.
    pub rows: Vec<Rendered>,
    /// Which were refused, and why.
    pub refused: Vec<(String, &'static str)>,
    /// Why it ended before its end, if it did.
    pub failure: Option<StoreError>,
    /// Then, those for which the store did not say whether they are taken: at most as many as are changed at a time.
    pub unsure: Vec<String>,
    /// And those that nobody has touched.
    pub untouched: Vec<String>,
}

impl Taken {
    fn note(&mut self, row: Rendered, answer: Result<Option<&'static str>, StoreError>) {
        match answer {
            Ok(None) => self.rows.push(row),
            Ok(Some(reason)) => self.refused.push((row.id.to_string(), reason)),
            Err(error) => {
                self.unsure.push(row.id.to_string());
                self.failure = Some(error);
            }
        }
    }
}

/// Takes shipments: ready → picking. If the store fails on the way, no more are begun, and what was taken is given all the
/// same.
pub async fn take(tenant: &Tenant, rows: Vec<Rendered>, now: Timestamp) -> Taken {
    each(rows, |id| async move { take_one(tenant, &id, now).await }).await
}

/// Takes each by `one`, which says why one is not taken.
async fn each<F>(rows: Vec<Rendered>, one: impl Fn(ShipmentId) -> F) -> Taken
where
    F: Future<Output = Result<Option<&'static str>, StoreError>>,
{
    let mut taken = Taken::default();
    let mut rows = rows.into_iter();
    while taken.failure.is_none() {
        let some: Vec<Rendered> = rows.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let answers = join_all(some.iter().map(|row| one(row.id.clone()))).await;
        for (row, answer) in some.into_iter().zip(answers) {
            taken.note(row, answer);
        }
    }
    taken.untouched = rows.map(|row| row.id.to_string()).collect();
    taken
}

/// Why a shipment is not taken; None if it is.
async fn take_one(tenant: &Tenant, id: &ShipmentId, now: Timestamp) -> Result<Option<&'static str>, StoreError> {
    let mut refused = None;
    let shipment = tenant
        .change(id, |shipment| match handover::claim(shipment, now) {
            Ok(()) => {
                refused = None;
                true
            }
            Err(reason) => {
                refused = Some(reason.as_str());
                false
            }
        })
        .await?;
    Ok(if shipment.is_none() { Some("unknown") } else { refused })
}

/// What became of a row of results, by the stable keys of `docs/cli.md`.
#[derive(Debug, Serialize)]
pub struct ResultLine {
    /// The row in the file.
    pub row: usize,
    /// The shipment.
    pub id: String,
    /// The number that was given.
    pub tracking_number: String,
    /// `shipped`, `corrected`, `known`, or why it was refused.
    pub outcome: &'static str,
}

impl ResultLine {
    /// Was it taken, now or before?
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self.outcome, "shipped" | "corrected" | "known")
    }
}

/// Takes a row of results in. `None` for the tenant is a shop that nobody has.
pub async fn ship(tenant: Option<&Tenant>, row: ResultRow, now: Timestamp) -> Result<ResultLine, StoreError> {
    let line = |outcome| ResultLine {
        row: row.row,
        id: row.id.to_string(),
        tracking_number: row.tracking_number.clone(),
        outcome,
    };
    let Some(tenant) = tenant else { return Ok(line("unknown")) };
    // A file knows the day. Read again, it is the same moment.
    let left = row.shipped_on.map(|day| jst::instant(day.to_datetime(Time::midnight())).unwrap_or(now));
    if left.is_some_and(|at| !handover::may_have_left(at, now)) {
        return Ok(line("bad-shipped-at"));
    }
    let mut outcome = "unknown";
    tenant
        .change(&row.id, |shipment| {
            let changed;
            (outcome, changed) = shipped(shipment, &row, left, now);
            changed
        })
        .await?;
    Ok(line(outcome))
}

/// What becomes of a shipment by a row that says when it left, if it says so; and whether that changed it.
fn shipped(shipment: &mut Shipment, row: &ResultRow, left: Option<Timestamp>, now: Timestamp) -> (&'static str, bool) {
    // Two shops may number their orders alike: what names another order is another shop's file, or a row that slipped.
    if row.order_number.as_deref().is_some_and(|named| named != shipment.order_number.as_str()) {
        return ("other-order-number", false);
    }
    let result = ShippingResult {
        tracking_number: row.tracking_number.clone(),
        // A day that is left out stays what it was.
        shipped_at: left.or(shipment.shipped_at).unwrap_or(now),
        method: None,
    };
    let taken = handover::ship(shipment, &result, now);
    let outcome = match taken {
        Ok(handover::Shipped::Now) => "shipped",
        Ok(handover::Shipped::Corrected) => "corrected",
        Ok(handover::Shipped::Known) => "known",
        Err(reason) => reason.as_str(),
    };
    (outcome, handover::is_changed(taken))
}

/// Takes rows of results in, several at once; in the order of the file. If the store fails on the way, no more are begun,
/// and what became of the others is given all the same.
pub async fn ship_all(tenant: &Tenant, rows: Vec<ResultRow>, now: Timestamp) -> (Vec<ResultLine>, Option<StoreError>) {
    until_it_fails(rows, |row| ship(Some(tenant), row, now)).await
}

/// Does each by `one`, some at a time. After a failure none is begun.
async fn until_it_fails<R, L, F>(rows: Vec<R>, one: impl Fn(R) -> F) -> (Vec<L>, Option<StoreError>)
where
    F: Future<Output = Result<L, StoreError>>,
{
    let mut lines = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter();
    let mut failure = None;
    while failure.is_none() && rows.len() > 0 {
        for answer in join_all(rows.by_ref().take(AT_ONCE).map(&one)).await {
            match answer {
                Ok(line) => lines.push(line),
                Err(error) => failure = Some(error),
            }
        }
    }
    (lines, failure)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use renkei_domain::ids::{AddressId, OrderNumber, ShipFromId};
    use renkei_domain::payment::Payment;
    use renkei_domain::shipment::ShopSync;
    use renkei_domain::work::Place;

    use super::*;

    fn ready(order: u64, payment: Payment) -> Shipment {
        let at = Timestamp::UNIX_EPOCH;
        Shipment {
            id: format!("shop.{order}.1").parse().unwrap(),
            order_number: OrderNumber::parse(order.to_string()).unwrap(),
            address_id: AddressId(1),
            parcels: 1,
            ship_from: ShipFromId::parse("dc").unwrap(),
            status: Status::Ready,
            holds: vec![],
            payment,
            payment_state: String::new(),
            payment_unknown: false,
            released_unpaid: false,
            shop_sync: ShopSync::Registered,
            shipping_method: None,
            tracking_number: None,
            shipped_at: None,
            claimed_at: None,
            seen_at: None,
            result_at: None,
            cancellation: None,
            differences: vec![],
            tracking_told: None,
            told_at: None,
            shop_error: None,
            reappeared: 0,
            imported_at: at,
            updated_at: at,
            run: String::new(),
            place: Place { page: 1, row: 0 },
            rev: 0,
            detail: String::new(),
            events: vec![],
        }
    }

    /// A file of at most so many of a page's shipments, of which those with these orders cannot be written.
    fn filled(most: usize, to_take: bool, page: Vec<Shipment>, unwritable: &[u64]) -> Made {
        let mut filling = Filling::new(most, to_take.then_some(Timestamp::UNIX_EPOCH));
        let mut open = page.into_iter();
        for _ in 0..1_000 {
            let some = filling.fitting(&mut open);
            if some.is_empty() {
                return filling.file;
            }
            let shipments = some.len();
            let (bad, good): (Vec<Shipment>, Vec<Shipment>) =
                some.into_iter().partition(|shipment| unwritable.contains(&shipment.id.order.0));
            let problem = |shipment: &Shipment| Problem {
                row: 0,
                shipment: shipment.id.to_string(),
                column: "phone".to_owned(),
                what: "must not be empty".to_owned(),
            };
            let rows = good.into_iter().map(|shipment| Rendered { id: shipment.id, bytes: vec![] }).collect();
            filling.put(shipments, rows, bad.iter().map(problem).collect());
        }
        panic!("it goes on and on");
    }

    fn orders_in(rows: &[Rendered]) -> Vec<u64> {
        rows.iter().map(|row| row.id.order.0).collect()
    }

    fn named(file: &Made) -> Vec<&str> {
        file.problems.iter().map(|problem| problem.shipment.as_str()).collect()
    }

    #[test]
    fn what_nobody_may_take_does_not_hide_what_comes_after_it() {
        let list = || {
            let payments = [Payment::Unpaid, Payment::Unpaid, Payment::Paid, Payment::Unpaid, Payment::Paid];
            (1..).zip(payments).map(|(order, payment)| ready(order, payment)).collect::<Vec<_>>()
        };
        let file = filled(1, true, list(), &[]);
        assert_eq!((orders_in(&file.rows), named(&file), file.more), (vec![3], vec!["shop.1.1", "shop.2.1"], true));

        let whole = filled(9, true, list(), &[]);
        assert_eq!((orders_in(&whole.rows), whole.problems.len(), whole.more), (vec![3, 5], 3, false));

        // Only to be looked at, they are in the file as they stand.
        let shown = filled(2, false, list(), &[]);
        assert_eq!(orders_in(&shown.rows), [1, 2]);
        assert!(shown.more && shown.problems.is_empty());
    }

    #[test]
    fn what_cannot_be_written_does_not_hide_what_comes_after_it() {
        let list = |orders: u64| (1..=orders).map(|order| ready(order, Payment::Paid)).collect::<Vec<_>>();
        let file = filled(2, true, list(6), &[1, 2, 4]);
        assert_eq!((orders_in(&file.rows), named(&file).len(), file.more), (vec![3, 5], 3, true));
        let whole = filled(3, true, list(6), &[1, 2, 4]);
        assert_eq!((orders_in(&whole.rows), whole.more), (vec![3, 5, 6], false), "full, and nothing is left");

        // Where nothing can be written the list is not read to its end.
        let none = filled(2, true, list(100), &(1..=100).collect::<Vec<_>>());
        assert_eq!((none.rows.len(), none.problems.len(), none.more), (0, 2 * PASSED_OVER, true));
    }

    #[test]
    fn a_row_that_names_another_order_is_not_taken() {
        let at = Timestamp::UNIX_EPOCH;
        let mut shipment = ready(7, Payment::Paid);
        handover::claim(&mut shipment, at).unwrap();
        let row = |number: Option<&str>| ResultRow {
            row: 2,
            id: shipment.id.clone(),
            tracking_number: "4000".to_owned(),
            shipped_on: None,
            order_number: number.map(str::to_owned),
        };
        let (other, same, none) = (row(Some("8")), row(Some("7")), row(None));
        assert_eq!(shipped(&mut shipment, &other, None, at), ("other-order-number", false));
        assert_eq!((shipment.status, shipment.tracking_number.is_none()), (Status::Picking, true));
        assert_eq!(shipped(&mut shipment, &same, None, at), ("shipped", true));
        assert_eq!(shipped(&mut shipment, &none, None, at), ("known", false));
    }

    #[test]
    fn what_is_taken_is_given_although_the_store_fails_on_the_way() {
        let row = |order: u64| Rendered { id: format!("shop.{order}.1").parse().unwrap(), bytes: vec![] };
        let one = |id: ShipmentId| async move {
            match id.order.0 {
                2 => Ok(Some("cancelled")),
                5 => Err(StoreError::Unavailable { operation: "PutItem", code: "no answer".to_owned() }),
                _ => Ok(None),
            }
        };
        let taken = each((1..=20).map(row).collect(), one).now_or_never().unwrap();
        assert!(taken.failure.is_some());
        assert_eq!(taken.rows.iter().map(|row| row.id.order.0).collect::<Vec<_>>(), [1, 3, 4, 6, 7, 8]);
        assert_eq!((taken.refused, taken.unsure), (vec![("shop.2.1".into(), "cancelled")], vec!["shop.5.1".into()]));
        assert_eq!((taken.untouched.len(), taken.untouched[0].as_str()), (12, "shop.9.1"), "nobody begins with those");
    }

    #[test]
    fn results_before_a_failure_are_told_and_none_is_begun_after_it() {
        let fails = |at: usize| {
            let begun = std::cell::Cell::new(0);
            let done = until_it_fails((0..3 * AT_ONCE).collect(), |row| {
                begun.set(begun.get() + 1);
                async move {
                    let code = "no answer".to_owned();
                    if row == at { Err(StoreError::Unavailable { operation: "PutItem", code }) } else { Ok(row) }
                }
            });
            let (lines, failure) = done.now_or_never().unwrap();
            (lines, failure.is_some(), begun.get())
        };
        assert_eq!(fails(usize::MAX), ((0..3 * AT_ONCE).collect(), false, 3 * AT_ONCE));
        let (lines, failed, begun) = fails(AT_ONCE + 1);
        assert!(failed && begun == 2 * AT_ONCE && lines.len() == 2 * AT_ONCE - 1 && !lines.contains(&(AT_ONCE + 1)));
    }
}
