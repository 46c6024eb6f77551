//! Shipments out to warehouses, results and counts in, as files: what the command line and the console both do with them.
//! [`renkei_files`] knows what files look like; here they meet what is stored.

pub mod counts;
mod out;

use futures::future::join_all;
use jiff::Timestamp;
use jiff::civil::Time;
use renkei_domain::handover::{self, ShippingResult};
use renkei_domain::ids::ShipmentId;
use renkei_domain::jst;
use renkei_domain::shipment::{Shipment, Status};
use renkei_files::export::{Rendered, Said};
use renkei_files::results::ResultRow;
use renkei_store::{StoreError, Tenant};
use serde::Serialize;

pub use out::{Made, Wanted, render};

/// Shipments that are changed at the same moment.
const AT_ONCE: usize = 8;

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
    each(rows, |id, said| async move { take_one(tenant, &id, &said, now).await }).await
}

/// Takes each by `one`, which says why one is not taken.
async fn each<F>(rows: Vec<Rendered>, one: impl Fn(ShipmentId, Said) -> F) -> Taken
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
        let answers = join_all(some.iter().map(|row| one(row.id.clone(), row.said.clone()))).await;
        for (row, answer) in some.into_iter().zip(answers) {
            taken.note(row, answer);
        }
    }
    taken.untouched = rows.map(|row| row.id.to_string()).collect();
    taken
}

/// Why a shipment is not taken; None if it is. One that was made anew, or is sent otherwise, since the file was written would
/// leave by a row that is not true any more.
async fn take_one(
    tenant: &Tenant,
    id: &ShipmentId,
    said: &Said,
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let mut refused = None;
    let shipment = tenant
        .change(id, |shipment| {
            // Our own write, whose answer was lost on the way, and which somebody has added to since.
            let is_ours = shipment.status == Status::Picking && shipment.claimed_at == Some(now);
            refused = if is_ours { None } else { claim(shipment, said, now).err() };
            refused.is_none() && !is_ours
        })
        .await?;
    Ok(if shipment.is_none() { Some("unknown") } else { refused })
}

fn claim(shipment: &mut Shipment, said: &Said, now: Timestamp) -> Result<(), &'static str> {
    if shipment.status == Status::Ready && Said::of(shipment) != *said {
        return Err("changed");
    }
    handover::claim(shipment, now).map_err(handover::ClaimRefused::as_str)
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
    use renkei_domain::shipment::{ShopSync, Status};
    use renkei_domain::work::Place;

    use super::*;

    /// A shipment that is ready.
    pub(crate) fn ready(order: u64, payment: Payment) -> Shipment {
        let at = Timestamp::UNIX_EPOCH;
        Shipment {
            id: format!("shop.{order}.1").parse().unwrap(),
            order_number: OrderNumber::parse(order.to_string()).unwrap(),
            address_id: AddressId(1),
            parcels: 1,
            several_addresses: false,
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
            claim_key: None,
            seen_at: None,
            result_at: None,
            cancellation: None,
            cancelled_by_shop: false,
            differences: vec![],
            more_differences: Vec::new(),
            differences_of: None,
            differences_seen: false,
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
    fn what_was_changed_since_its_row_was_written_is_not_taken() {
        let mut shipment = Shipment { detail: "2".to_owned(), ..ready(7, Payment::Paid) };
        let at = Timestamp::UNIX_EPOCH;
        let said = Said::of(&shipment);
        let before = Said { detail: "1".to_owned(), ..said.clone() };
        let otherwise = Said { shipping_method: Some("mail".parse().unwrap()), ..said.clone() };
        let elsewhere = Said { ship_from: "elsewhere".parse().unwrap(), ..said.clone() };
        for changed in [&before, &otherwise, &elsewhere] {
            assert_eq!(claim(&mut shipment, changed, at), Err("changed"));
            assert_eq!(shipment.status, Status::Ready);
        }
        assert_eq!(claim(&mut shipment, &said, at), Ok(()));
        assert_eq!(claim(&mut shipment, &before, at), Err("already-claimed"));
    }

    #[test]
    fn what_is_taken_is_given_although_the_store_fails_on_the_way() {
        let row = |order: u64| Rendered {
            id: format!("shop.{order}.1").parse().unwrap(),
            said: Said::of(&ready(order, Payment::Paid)),
            bytes: vec![],
        };
        let one = |id: ShipmentId, _| async move {
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
