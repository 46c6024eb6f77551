//! Shipments out: which go into a file, and the rows that are made of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use renkei_domain::handover::{self, ClaimRefused};
use renkei_domain::ids::{ConnectionId, ShippingMethodId};
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, ShipmentDetail, Status};
use renkei_files::export::{self, Around, Rendered};
use renkei_files::layout::Rows;
use renkei_files::{Layout, Problem};
use renkei_store::{StoreError, Tenant};

const PAGE: i32 = 100;
/// So many times as many shipments as a file is to hold are passed over at most because they cannot be written, and so many
/// because they are to leave later. Where the layout lacks a text none can be written, and the whole list would be read
/// for it.
const PASSED_OVER: usize = 10;

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
    /// Nor, but for a page's shipments, more bytes: what carries the file bears so many.
    pub most_bytes: usize,
    /// They are to be taken afterwards: what cannot be is a problem.
    pub to_take: bool,
    /// Of those that are ready, only what is to leave by this day (出荷予定日), and what names no day; all if None. What is
    /// picking was taken, whatever its day: of it nothing stays behind.
    pub ship_until: Option<Date>,
    /// Only those that were taken within this time; all if None. By it a lost file is made again.
    pub claimed: Option<RangeInclusive<Timestamp>>,
}

impl Wanted<'_> {
    /// Is it wanted, as far as its record says?
    fn is(&self, shipment: &Shipment) -> bool {
        let method = shipment.shipping_method.as_ref().map(ShippingMethodId::as_str);
        let wanted_method =
            self.methods.is_empty() || method.is_some_and(|method| self.methods.iter().any(|wanted| wanted == method));
        let wanted_claim = self
            .claimed
            .as_ref()
            .is_none_or(|within| shipment.claimed_at.is_some_and(|claimed| within.contains(&claimed)));
        // The list follows the records a moment behind.
        shipment.status == self.status && wanted_method && wanted_claim
    }

    /// The last day of shipping that is wanted, if there is one.
    fn until(&self) -> Option<Date> {
        self.ship_until.filter(|_| self.status == Status::Ready)
    }
}

/// A file in the making.
#[derive(Default)]
pub struct Made {
    /// Its rows.
    pub rows: Vec<Rendered>,
    /// What cannot be written.
    pub problems: Vec<Problem>,
    /// So many are to leave later than was asked for, of those that were looked at. They stay as they are.
    pub later: usize,
    /// There are more shipments, at which nobody looked: it holds what was asked for, or too many were passed over.
    pub more: bool,
}

/// A shipment with its large part.
type Whole = (Shipment, ShipmentDetail);

/// Makes the rows of a file. Changes nothing.
pub async fn render(
    tenant: &Tenant,
    settings: &TenantSettings,
    layout: &Layout,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Made, StoreError> {
    let around = Around { settings, set: wanted.set, today: jst::date(now) };
    let mut filling = Filling::new((wanted.most, wanted.most_bytes), wanted.to_take.then_some(now), wanted.until());
    let mut next_row = 1 + usize::from(layout.shipments.header);
    let mut from = None;
    loop {
        let page = tenant.shipments_by_status(wanted.connection, wanted.status, PAGE, from).await?;
        let mut shipments = tenant.shipments(&page.rows).await?;
        shipments.retain(|shipment| wanted.is(shipment));
        // Of a full file it is only asked whether there are more: their large parts are not read for it.
        if filling.is_full_before(&shipments) {
            return Ok(filling.file);
        }
        // When a shipment is to leave stands in its large part alone, so a page's are read at once.
        let details = tenant.details(&shipments).await?;
        let mut open = filling.due(shipments.into_iter().zip(details)).into_iter();
        loop {
            let whole = filling.fitting(&mut open);
            if whole.is_empty() {
                break;
            }
            let (made, found) = export::rows(layout, &around, &whole, next_row);
            next_row += match layout.shipments.rows {
                Rows::Parcel => whole.len(),
                Rows::Item => whole.iter().map(|(_, detail)| detail.items.len()).sum(),
            };
            filling.put(whole.len(), made, found);
        }
        from = page.next;
        if from.is_none() || filling.ends() {
            return Ok(filling.file);
        }
    }
}

/// A file that is being filled. What cannot go into it is named and uses up no room: it stays at the head of the list,
/// and would hide for ever what comes after it. So does what is to leave later, which is counted.
struct Filling {
    file: Made,
    most: usize,
    most_bytes: usize,
    /// Of its rows.
    bytes: usize,
    /// When its shipments are to be taken, if they are.
    taken_at: Option<Timestamp>,
    /// The last day of shipping, if there is one.
    until: Option<Date>,
    /// Shipments that could not be written.
    unwritten: usize,
}

impl Filling {
    fn new((most, most_bytes): (usize, usize), taken_at: Option<Timestamp>, until: Option<Date>) -> Self {
        Self { file: Made::default(), most, most_bytes, bytes: 0, taken_at, until, unwritten: 0 }
    }

    fn room(&self) -> usize {
        if self.unwritten >= self.most.saturating_mul(PASSED_OVER) || self.bytes >= self.most_bytes {
            return 0;
        }
        self.most.saturating_sub(self.file.rows.len())
    }

    /// Is there no room for any of these?
    fn is_full_before(&mut self, shipments: &[Shipment]) -> bool {
        let is_full = self.room() == 0 && !shipments.is_empty();
        self.file.more |= is_full;
        is_full
    }

    /// Is nothing more to be looked at, although there is more in the list?
    fn ends(&mut self) -> bool {
        self.file.more |= self.file.later >= self.most.saturating_mul(PASSED_OVER);
        self.file.more
    }

    /// Those that are to leave by the last day, in their order. The others are counted.
    fn due(&mut self, whole: impl Iterator<Item = Whole>) -> Vec<Whole> {
        let until = self.until;
        let (due, later): (Vec<Whole>, Vec<Whole>) = whole.partition(|(_, detail)| is_due(detail, until));
        self.file.later += later.len();
        due
    }

    /// The next of these that may go into the file: as many as it has room for, and none once it is full or all are
    /// through. Where they are to be taken, what nobody may take is left out.
    fn fitting(&mut self, open: &mut std::vec::IntoIter<Whole>) -> Vec<Whole> {
        let room = self.room();
        let mut some = Vec::new();
        while some.len() < room {
            let Some((shipment, detail)) = open.next() else { return some };
            match self.taken_at.map(|now| handover::claim(&mut shipment.clone(), now)) {
                Some(Err(reason)) => self.file.problems.push(not_to_be_taken(&shipment, reason)),
                Some(Ok(())) | None => some.push((shipment, detail)),
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
        self.bytes += made.iter().map(|row| row.bytes.len()).sum::<usize>();
        self.file.rows.extend(made);
        self.file.problems.extend(found);
    }
}

/// Is it to leave by this day? What names no day may leave on any.
fn is_due(detail: &ShipmentDetail, until: Option<Date>) -> bool {
    match (detail.ship_on, until) {
        (Some(day), Some(until)) => day <= until,
        (None, _) | (_, None) => true,
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

#[cfg(test)]
mod tests {
    use renkei_domain::convert::standard;
    use renkei_domain::ids::AddressId;
    use renkei_domain::money::Yen;
    use renkei_domain::order::{SourceAddress, SourceOrder};
    use renkei_domain::payment::Payment;

    use renkei_files::export::Said;

    use super::*;
    use crate::tests::ready;

    #[expect(clippy::unnecessary_wraps, reason = "a shipment may name none")]
    fn day(text: &str) -> Option<Date> {
        Some(text.parse().unwrap())
    }

    /// A shipment with its large part, to leave on this day if it names one.
    fn whole(shipment: Shipment, ship_on: Option<Date>) -> Whole {
        let order = SourceOrder {
            id: shipment.id.order,
            number: shipment.order_number.clone(),
            state: String::new(),
            payment_state: String::new(),
            total: Yen(0),
            updated_at: None,
            carrier: None,
            addresses: Vec::new(),
            billing: None,
            lines: Vec::new(),
            attributes: BTreeMap::new(),
        };
        let address = SourceAddress { id: AddressId(1), parts: BTreeMap::new() };
        let mut detail = standard::detail(&order, &address);
        detail.ship_on = ship_on;
        (shipment, detail)
    }

    /// Paid and ready, with the orders 1, 2, 3 …, to leave on these days.
    fn to_leave(days: &[Option<Date>]) -> Vec<Whole> {
        (1..).zip(days).map(|(order, day)| whole(ready(order, Payment::Paid), *day)).collect()
    }

    /// Fills a file with a page of the list, of which those with these orders cannot be written.
    fn fill(filling: &mut Filling, page: Vec<Whole>, unwritable: &[u64]) {
        let mut open = filling.due(page.into_iter()).into_iter();
        for _ in 0..1_000 {
            let some = filling.fitting(&mut open);
            if some.is_empty() {
                return;
            }
            let shipments = some.len();
            let (bad, good): (Vec<Whole>, Vec<Whole>) =
                some.into_iter().partition(|(shipment, _)| unwritable.contains(&shipment.id.order.0));
            let problem = |(shipment, _): &Whole| Problem {
                row: 0,
                shipment: shipment.id.to_string(),
                column: "phone".to_owned(),
                what: "must not be empty".to_owned(),
            };
            let rows = good
                .into_iter()
                .map(|(shipment, _)| Rendered { said: Said::of(&shipment), id: shipment.id, bytes: vec![] })
                .collect();
            filling.put(shipments, rows, bad.iter().map(problem).collect());
        }
        panic!("it goes on and on");
    }

    /// A file of at most so many of a page's shipments, of which those with these orders cannot be written.
    fn filled(most: usize, to_take: bool, page: Vec<Shipment>, unwritable: &[u64]) -> Made {
        let mut filling = Filling::new((most, usize::MAX), to_take.then_some(Timestamp::UNIX_EPOCH), None);
        fill(&mut filling, page.into_iter().map(|shipment| whole(shipment, None)).collect(), unwritable);
        filling.file
    }

    /// The same for what is to be taken by a day.
    fn filled_until(most: usize, until: Option<Date>, page: Vec<Whole>) -> Made {
        let mut filling = Filling::new((most, usize::MAX), Some(Timestamp::UNIX_EPOCH), until);
        fill(&mut filling, page, &[]);
        filling.file
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
    fn a_file_is_no_larger_than_what_carries_it() {
        let mut filling = Filling::new((9, 100), None, None);
        assert_eq!(filling.room(), 9);
        filling.bytes = 99;
        assert_eq!(filling.room(), 9, "the last page may go beyond it");
        filling.bytes = 100;
        assert_eq!(filling.room(), 0);
        assert!(filling.is_full_before(&[ready(1, Payment::Paid)]) && filling.file.more);
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
    fn what_is_to_leave_later_stays_and_hides_nothing() {
        let (today, tomorrow) = (day("2026-11-25"), day("2026-11-26"));
        let list = || to_leave(&[tomorrow, day("2026-12-05"), today, None, tomorrow, day("2026-11-01")]);
        let file = filled_until(2, today, list());
        assert_eq!((orders_in(&file.rows), file.later, file.more), (vec![3, 4], 3, true), "6 has no room");
        let file = filled_until(3, today, list());
        assert_eq!((orders_in(&file.rows), file.later, file.more), (vec![3, 4, 6], 3, false), "nothing is due besides");
        let file = filled_until(9, tomorrow, list());
        assert_eq!((orders_in(&file.rows), file.later), (vec![1, 3, 4, 5, 6], 1));
        let file = filled_until(9, None, list());
        assert_eq!((orders_in(&file.rows), file.later), (vec![1, 2, 3, 4, 5, 6], 0));
    }

    #[test]
    fn what_is_to_leave_later_is_no_problem_today() {
        let (today, tomorrow) = (day("2026-11-25"), day("2026-11-26"));
        let unpaid = |order, day| whole(ready(order, Payment::Unpaid), day);
        let file = filled_until(9, today, vec![unpaid(1, tomorrow), unpaid(2, today)]);
        assert_eq!((named(&file), file.later), (vec!["shop.2.1"], 1));
    }

    #[test]
    fn a_list_of_what_is_to_leave_later_is_not_read_to_its_end() {
        let later = |shipments: usize| to_leave(&vec![day("2026-12-05"); shipments]);
        let mut filling = Filling::new((2, usize::MAX), None, day("2026-11-25"));
        fill(&mut filling, later(2 * PASSED_OVER - 1), &[]);
        assert!(!filling.ends(), "it may go on");
        fill(&mut filling, [later(1), to_leave(&[None])].concat(), &[]);
        assert!(filling.ends() && filling.file.more);
        assert_eq!((filling.file.rows.len(), filling.file.later), (1, 2 * PASSED_OVER), "its page is looked through");
        // The command line asks for all there are.
        let mut filling = Filling::new((usize::MAX, usize::MAX), None, day("2026-11-25"));
        fill(&mut filling, later(100), &[]);
        assert!(!filling.ends());
    }

    #[test]
    fn a_full_file_asks_only_whether_there_are_more() {
        let mut filling = Filling::new((1, usize::MAX), None, None);
        fill(&mut filling, to_leave(&[None]), &[]);
        assert!(!filling.is_full_before(&[]) && !filling.file.more);
        assert!(filling.is_full_before(&[ready(2, Payment::Paid)]) && filling.file.more);
    }

    #[test]
    fn what_was_taken_is_written_again_whatever_its_day() {
        let connection = ConnectionId::parse("shop").unwrap();
        let set = BTreeMap::new();
        let wanted = |status| Wanted {
            connection: &connection,
            status,
            methods: &[],
            set: &set,
            most: 9,
            most_bytes: usize::MAX,
            to_take: false,
            ship_until: day("2026-11-25"),
            claimed: None,
        };
        assert_eq!(wanted(Status::Ready).until(), day("2026-11-25"));
        assert_eq!(wanted(Status::Picking).until(), None);
    }
}
