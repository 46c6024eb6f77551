//! What a comparison of shop and record finds: what of it is repaired, and what people are told.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId};
use renkei_domain::payment::Meaning;
use renkei_domain::settings::{Action, Connection};
use renkei_domain::shipment::{Shipment, ShopSync, Status};
use renkei_ecforce::{BadRecord, Order, OrderPage};
use renkei_shop::ShopError;
use renkei_shop::robot::Told;
use renkei_store::Tenant;
use renkei_store::import::Known;
use renkei_store::sales::show_not_captured;

use crate::commit::Tally;
use crate::stuck;

/// Days for which people are told of an order that the shop has as worked on and that is unknown here.
const STRANGE_DAYS: i64 = 3;
/// Order numbers that a sentence names.
const NAMED: usize = 5;

/// What one night's comparison is made for, and when.
#[derive(Clone, Copy)]
pub struct Night<'a> {
    /// Whose orders.
    pub tenant: &'a Tenant,
    /// The shop.
    pub connection: &'a Connection,
    /// Who is named in the events of shipments.
    pub by: &'a str,
    /// When the comparison began.
    pub now: Timestamp,
    /// A robot of ours tells the shop that whole orders have left.
    pub tells_shipped: bool,
    /// What the shop's robots do.
    pub actions: &'a [Action],
}

/// Where the shop has an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtShop {
    /// It waits to be taken.
    Fetch,
    /// It is being worked on.
    Working,
    /// It has left.
    Shipped,
}

/// Orders of one kind: how many, and the first few by number.
#[derive(Debug, Default)]
pub struct Names {
    /// All of them.
    pub count: u64,
    first: Vec<String>,
}

impl Names {
    /// Counts one more.
    pub fn add(&mut self, number: &str) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(number.chars().filter(|c| !c.is_control()).take(40).collect());
        }
    }

    /// What is said of them; None if there are none.
    #[must_use]
    pub fn sentence(&self, what: &str) -> Option<String> {
        let more = if self.count > self.first.len() as u64 { ", …" } else { "" };
        (self.count > 0).then(|| format!("{} {what}: {}{more}", self.count, self.first.join(", ")))
    }
}

/// What an order's parcels are to be looked at for again.
#[derive(Debug, Clone, Copy)]
struct Again {
    /// Its state is to be told again.
    state: bool,
    /// Its number is.
    number: bool,
    /// Its payment was to be captured with that number, and is not.
    uncaptured: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Counts of the run.
    pub tally: Tally,
    lost: Names,
    /// The shop has them as worked on, and they are unknown here: nobody ships them from here.
    strange: Names,
    doubled: Names,
    stuck: Names,
    drifted: Names,
    /// Numbers that the shop took and does not show: they are told again.
    dropped: Names,
    /// The same, and they were told again too often already.
    in_vain: Names,
    uncaptured: Names,
    ids: BTreeMap<String, u64>,
    /// A bound of pages or calls came first.
    pub incomplete: bool,
    /// The end of the function's time came first.
    pub out_of_time: bool,
}

impl Findings {
    /// Compares a page of orders with what we have, and gives those that are lost and can be imported.
    pub async fn compare(
        &mut self,
        night: Night<'_>,
        at_shop: AtShop,
        page: OrderPage,
    ) -> Result<Vec<Result<Order, BadRecord>>, ShopError> {
        let Night { tenant, connection, now, .. } = night;
        let OrderPage { orders: rows, without_number, .. } = page;
        self.tally.add("compared", rows.len() as u64);
        let named: Vec<(OrderId, OrderNumber)> = rows
            .iter()
            .flatten()
            .filter_map(|order| Some((OrderId(order.id), OrderNumber::parse(order.number.trim()).ok()?)))
            .collect();
        let known = tenant.known_orders(&connection.id, &named).await?;
        let known: BTreeMap<u64, Known> = named.iter().map(|(id, _)| id.0).zip(known).collect();
        let others = other_parcels(tenant, &connection.id, &known).await?;
        let mut lost = Vec::new();
        for row in rows {
            let Ok(order) = &row else { continue };
            let Some(known) = known.get(&order.id) else { continue };
            match &known.lead {
                Some(lead) => {
                    if self.ids.insert(order.number.clone(), order.id).is_some_and(|other| other != order.id) {
                        self.doubled.add(&order.number);
                    }
                    let others = others.get(&lead.id.order).map_or(&[][..], Vec::as_slice);
                    // A payment that is cancelled is what cancelled it here, too, whatever the order's state.
                    let is_void = order
                        .payment_state
                        .as_deref()
                        .is_some_and(|state| connection.payment_states.meaning(state) == Meaning::Cancelled);
                    let drifted = !is_void && drifted(lead, others, at_shop, night.tells_shipped, now);
                    if drifted {
                        self.drifted.add(&order.number);
                    }
                    let number = without_number.contains(&order.id) && self.lost_number(lead, now);
                    let uncaptured = number && self.is_uncaptured(night, order).await?;
                    // Where states are not ours to tell they are the shop's own affair.
                    let state = drifted && at_shop == AtShop::Working && night.tells_shipped;
                    if state || number {
                        self.tell_again(night, lead, Again { state, number, uncaptured }).await?;
                    }
                }
                // It waits in quarantine, or was refused: people see it there.
                None if known.not_imported.is_some() => {}
                None => match at_shop {
                    AtShop::Fetch => {
                        self.lost.add(&order.number);
                        lost.push(row);
                    }
                    // What was there before this shop came here, or is shipped from elsewhere, is not named for ever.
                    AtShop::Working if order.updated_at.is_some_and(|at| !older(at, STRANGE_DAYS, now)) => {
                        self.strange.add(&order.number);
                    }
                    AtShop::Working => self.tally.add("unknown-in-working", 1),
                    AtShop::Shipped => {}
                },
            }
        }
        Ok(lost)
    }

    /// Had the shop taken the number of this order's one parcel before `read_at`? It shows none. Of an order to several
    /// addresses it is not known whose number it shows.
    fn lost_number(&mut self, lead: &Shipment, read_at: Timestamp) -> bool {
        if lead.is_told_by_address() || !lead.is_without_number(read_at) {
            return false;
        }
        let names = if lead.clone().number_dropped(read_at) { &mut self.dropped } else { &mut self.in_vain };
        names.add(lead.order_number.as_str());
        true
    }

    /// Was this order's payment captured with the number that the shop dropped, by the shop's word, and is not by what
    /// it shows? Then the call had no effect at all, and whether it is made once more is for a person to say. Noted
    /// before anything of the shipment is: a crash in between finds the number dropped again.
    async fn is_uncaptured(&mut self, night: Night<'_>, order: &Order) -> Result<bool, ShopError> {
        let Night { tenant, connection, now, .. } = night;
        let id = OrderId(order.id);
        let uncaptured = shows_no_capture(order, connection) && tenant.doubt_sale(&connection.id, id, now).await?;
        if uncaptured {
            self.uncaptured.add(&order.number);
        }
        Ok(uncaptured)
    }

    /// The shop was told that an order is shipped, or its number, said yes, and shows neither: told again by the next run of
    /// the robot. A payment that it did not capture is shown to people.
    async fn tell_again(&mut self, night: Night<'_>, lead: &Shipment, what: Again) -> Result<(), ShopError> {
        let Night { tenant, by, now, .. } = night;
        let mut again = false;
        for parcel in 1..=lead.parcels.max(1) {
            let id = ShipmentId { parcel, ..lead.id.clone() };
            tenant
                .change(&id, |shipment| {
                    // Before anything is changed: of a number that is told again it is not known any more.
                    let uncaptured = what.uncaptured && shipment.is_without_number(now);
                    // The number first: that the state is told again is a change of the record, too.
                    let number = what.number && shipment.number_dropped(now);
                    let state = what.state && shipment.still_unshipped(now);
                    let raised = uncaptured && show_not_captured(shipment, Timestamp::now(), by);
                    again |= state || number;
                    state || number || raised
                })
                .await?;
        }
        self.tally.add("told-again", u64::from(again));
        Ok(())
    }

    /// What stands still with us.
    pub async fn stuck(&mut self, night: Night<'_>) -> Result<(), ShopError> {
        for number in stuck::orders(night).await?.values() {
            self.stuck.add(number.as_str());
        }
        Ok(())
    }

    /// What the run's record says.
    #[must_use]
    pub fn told(mut self, queued_pages: u32) -> Told {
        for (word, names) in [
            ("lost", &self.lost),
            ("unknown-in-working", &self.strange),
            ("doubled", &self.doubled),
            ("stuck", &self.stuck),
            ("drifted", &self.drifted),
            ("numbers-dropped", &self.dropped),
            ("numbers-dropped", &self.in_vain),
            ("captures-without-effect", &self.uncaptured),
        ] {
            self.tally.add(word, names.count);
        }
        let mut notes: Vec<String> = [
            self.lost.sentence("orders of the shop were unknown here and are imported now (未取込)"),
            self.strange.sentence(
                "orders are in the working state at the shop and unknown here, so nobody ships them from here: if they are \
                 to be, set them back to the fetch state there (未取込・作業中)",
            ),
            self.doubled.sentence("order numbers are here twice, of different orders (重複)"),
            self.stuck.sentence("orders stand still (滞留)"),
            self.drifted.sentence("orders stand otherwise at the shop than here (不一致)"),
            self.dropped.sentence(
                "orders have no tracking number at the shop, which had taken it; it is told again (送り状番号なし)",
            ),
            self.in_vain.sentence(
                "orders have no tracking number at the shop, which took it more than once; it is not told again: look \
                 at the orders there, and enter it by hand (送り状番号なし、再送しません)",
            ),
            self.uncaptured.sentence(
                "orders' payments are not captured, though the shop had said so: look at the orders there, then let \
                 them be captured once more with renkei retry --shipment ID --capture (売上処理なし)",
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.incomplete {
            notes.push(
                "not everything was compared: the lane's calls, or the bound of pages came first; other nights look at \
                 the rest"
                    .to_owned(),
            );
        }
        if self.out_of_time {
            notes.push(
                "not everything was compared, and what stands still was not looked at: the shop answers so slowly that \
                 the time of one go was over first. Ask the shop why, or run this robot at a quieter hour (時間切れ)"
                    .to_owned(),
            );
        }
        for names in [&self.doubled, &self.stuck, &self.drifted, &self.dropped, &self.in_vain, &self.uncaptured] {
            self.tally.for_a_person += names.count;
        }
        self.tally.for_a_person += u64::from(self.out_of_time);
        Told { notes, queued_pages, ..self.tally.told() }
    }
}

pub(crate) fn older(at: Timestamp, days: i64, now: Timestamp) -> bool {
    at.saturating_add((days * 24).hours()).is_ok_and(|until| until < now)
}

/// The parcels besides the first, of those orders that have several.
async fn other_parcels(
    tenant: &Tenant,
    connection: &ConnectionId,
    known: &BTreeMap<u64, Known>,
) -> Result<BTreeMap<OrderId, Vec<Shipment>>, ShopError> {
    let leads = known.values().filter_map(|known| known.lead.as_ref());
    let several: Vec<(OrderId, u16)> =
        leads.filter(|lead| lead.parcels > 1).map(|lead| (lead.id.order, lead.parcels)).collect();
    let parcels = tenant.parcels(connection, &several).await?;
    let others = |parcels: Vec<Shipment>| parcels.into_iter().filter(|parcel| !parcel.id.is_lead()).collect();
    Ok(several.into_iter().zip(parcels).map(|((order, _), parcels)| (order, others(parcels))).collect())
}

/// Do shop and record contradict each other, for longer than a robot takes to tell? `others` are the order's parcels
/// besides the first.
fn drifted(lead: &Shipment, others: &[Shipment], at_shop: AtShop, tells_shipped: bool, now: Timestamp) -> bool {
    let parcels = || others.iter().chain([lead]);
    // What a person cancelled of several parcels is no contradiction. What the shop did, and then took back, stays cancelled
    // here where no warehouse had it yet: somebody has to say what becomes of it.
    let gone =
        parcels().all(|parcel| parcel.status == Status::Cancelled) || parcels().any(Shipment::is_cancelled_for_shop);
    let left = || parcels().filter(|parcel| parcel.status != Status::Cancelled);
    let is_told = |parcel: &Shipment| {
        parcel.status == Status::Shipped && parcel.shop_sync == ShopSync::Completed && older(parcel.updated_at, 1, now)
    };
    match at_shop {
        // Import tells such an order again, unless it was cancelled with us: that waits at the shop for a person.
        AtShop::Fetch => gone && older(lead.updated_at, 1, now),
        AtShop::Working => gone || (tells_shipped && left().all(is_told)),
        AtShop::Shipped => gone || left().any(|parcel| matches!(parcel.status, Status::Hold | Status::Ready)),
    }
}

/// Does an order show that its payment is not captured, where it is to be? One that shows no payment state proves
/// nothing, and what is cancelled has nothing to capture.
fn shows_no_capture(order: &Order, connection: &Connection) -> bool {
    let is_open = |state: &str| {
        !connection.captured_payment_states.iter().any(|captured| captured == state)
            && connection.payment_states.meaning(state) != Meaning::Cancelled
    };
    connection.capture_payment_on_shipping && order.payment_state.as_deref().is_some_and(is_open)
}

#[cfg(test)]
mod tests {
    use renkei_domain::shipment::ShopError as Refusal;
    use renkei_store::sales::not_captured;
    use serde_json::{Value, json};

    use super::*;

    fn connection() -> Connection {
        serde_json::from_value(json!({
            "id": "hanako-ecforce", "api": "ecforce", "api_url": "api.hanako.example", "ship_from": "tokyo-dc",
            "password": { "env": "HANAKO_ECFORCE_PASSWORD" }, "daily_call_limit": 10_000,
            "capture_payment_on_shipping": true
        }))
        .unwrap()
    }

    fn order(payment_state: &Value) -> Order {
        serde_json::from_value(json!({
            "id": 88_111, "number": "H-1001", "state": "shipped", "payment_state": payment_state,
            "shipping_addresses": [], "order_items": []
        }))
        .unwrap()
    }

    /// Out, and told to its end.
    fn shipped() -> Shipment {
        serde_json::from_value(json!({
            "id": "hanako-ecforce.88111.1", "order_number": "H-1001", "address_id": 120, "parcels": 1,
            "ship_from": "tokyo-dc", "status": "shipped", "payment": "paid", "payment_state": "authed",
            "shop_sync": "completed", "tracking_number": "1111", "tracking_told": "1111",
            "imported_at": "2026-11-24T01:00:00Z", "updated_at": "2026-11-24T01:00:00Z",
            "run": "01HZX", "place": { "page": 1, "row": 0 }, "detail": "1"
        }))
        .unwrap()
    }

    #[test]
    fn what_the_shop_cancelled_and_took_back_drifts_whichever_parcel_it_is() {
        let now: Timestamp = "2026-11-26T02:00:00Z".parse().unwrap();
        let picking =
            || Shipment { parcels: 2, status: Status::Picking, shop_sync: ShopSync::Acknowledged, ..shipped() };
        let second = |status, shop_sync| {
            let id = ShipmentId { parcel: 2, ..shipped().id };
            Shipment { id, status, shop_sync, ..picking() }
        };
        let by_shop = Shipment { cancelled_by_shop: true, ..second(Status::Cancelled, ShopSync::Acknowledged) };
        let by_person = second(Status::Cancelled, ShopSync::Acknowledged);
        let other = second(Status::Picking, ShopSync::Acknowledged);
        let drifts = |lead: &Shipment, others: &[Shipment], at_shop| drifted(lead, others, at_shop, true, now);
        for at_shop in [AtShop::Working, AtShop::Shipped] {
            assert!(drifts(&picking(), std::slice::from_ref(&by_shop), at_shop), "{at_shop:?}");
            assert!(!drifts(&picking(), std::slice::from_ref(&by_person), at_shop), "{at_shop:?}");
            assert!(!drifts(&picking(), std::slice::from_ref(&other), at_shop), "{at_shop:?}");
        }
        let waits = second(Status::Hold, ShopSync::Acknowledged);
        assert!(drifts(&picking(), &[waits], AtShop::Shipped));
        // All of it is cancelled here, whoever wanted that, and the shop works on it.
        let lead = Shipment { status: Status::Cancelled, ..picking() };
        assert!(drifts(&lead, &[by_person], AtShop::Working));
        // A person cancelled the first, and the other left: told, and without effect there.
        let left = second(Status::Shipped, ShopSync::Completed);
        assert!(drifts(&lead, std::slice::from_ref(&left), AtShop::Working));
        assert!(!drifts(&lead, std::slice::from_ref(&left), AtShop::Shipped));
        // Where the shop's own people say what is shipped.
        assert!(!drifted(&lead, &[left], AtShop::Working, false, now));
    }

    #[test]
    fn a_comparison_that_ran_out_of_time_is_for_a_person_and_a_bound_is_not() {
        let out_of_time = Findings { out_of_time: true, ..Findings::default() }.told(0);
        assert_eq!((out_of_time.for_a_person, out_of_time.notes.len()), (1, 1));
        let bounded = Findings { incomplete: true, ..Findings::default() }.told(0);
        assert_eq!((bounded.for_a_person, bounded.notes.len()), (0, 1));
        assert_eq!(Findings::default().told(0).notes.len(), 0);
    }

    #[test]
    fn a_number_that_was_told_again_in_vain_is_left_to_a_person() {
        let now = Timestamp::now();
        for (reappeared, dropped, in_vain) in [(0, 1, 0), (2, 1, 0), (3, 0, 1)] {
            let mut findings = Findings::default();
            assert!(findings.lost_number(&Shipment { reappeared, ..shipped() }, now));
            assert_eq!((findings.dropped.count, findings.in_vain.count), (dropped, in_vain));
            let told = findings.told(0);
            assert_eq!((told.for_a_person, told.counts["numbers-dropped"], told.notes.len()), (1, 1, 1));
        }
        // Of one number of several nothing is known.
        assert!(!Findings::default().lost_number(&Shipment { parcels: 2, ..shipped() }, now));
        assert!(!Findings::default().lost_number(&Shipment { several_addresses: true, ..shipped() }, now));
    }

    #[test]
    fn a_payment_is_uncaptured_where_it_is_to_be_and_the_shop_shows_so() {
        let (captures, plain) = (connection(), Connection { capture_payment_on_shipping: false, ..connection() });
        assert!(shows_no_capture(&order(&json!("authed")), &captures));
        assert!(!shows_no_capture(&order(&json!("authed")), &plain));
        for nothing_to_ask in [json!("captured"), json!("paid"), json!("voided"), Value::Null] {
            assert!(!shows_no_capture(&order(&nothing_to_ask), &captures), "{nothing_to_ask}");
        }
    }

    #[test]
    fn that_a_payment_is_not_captured_is_shown_once() {
        let mut shipment = shipped();
        assert!(
            show_not_captured(&mut shipment, Timestamp::now(), "robot")
                && !show_not_captured(&mut shipment, Timestamp::now(), "robot")
        );
        assert_eq!((shipment.shop_error, shipment.events.len()), (Some(not_captured()), 1));
        // What the shop said before is the lesser news.
        let refused = Some(Refusal { code: "AOR2001".into(), message: String::new() });
        assert!(show_not_captured(&mut Shipment { shop_error: refused, ..shipped() }, Timestamp::now(), "robot"));
    }
}
