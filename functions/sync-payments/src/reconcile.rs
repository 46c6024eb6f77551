//! 夜間照合 and back-fill: what the shop has against what we have.
//!
//! A pass over what the shop has in its fetch, working and shipped states, bounded in calls. Orders that are lost (in the
//! fetch state, and unknown to us) are queued for import, which is safe: import takes an order once. Orders that the shop
//! was told are shipped and that it still has in its working state are told again, and so is, a few times, a tracking
//! number that it was told and does not have. Everything else is reported and left to people: doubled numbers, orders
//! that stand still, orders whose states have drifted apart, payments that were captured, by the shop's word, with a
//! number that it dropped.
//!
//! Tracking numbers are looked at where the order has one parcel and the shop shows none: what the one number that it shows of
//! an order to several addresses stands for is not known, and another number than ours may be a person's correction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RuleId, ShipmentId, TenantId};
use renkei_domain::payment::Meaning;
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::{Shipment, ShopSync, ShopWork, Status};
use renkei_domain::sync::{RECONCILED_PAGES, Rules, reading};
use renkei_domain::work::{ImportOrder, Place, StartRobot, VERSION};
use renkei_ecforce::{BadRecord, Direction, MAX_PER, Order, OrderPage, OrderQuery, SortBy};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::order::{fetched, outgoing, shows_another_state};
use renkei_shop::robot::{Told, Work};
use renkei_store::Tenant;
use renkei_store::import::Known;
use renkei_store::runs::Progress;
use renkei_store::sales::not_captured;

use crate::commit::{self, Tally};

/// The last part of the name of the robot that back-fills.
pub const BACKFILL: &str = "backfill";
/// Calls that are left to the robots that share the lane.
const LEFT_TO_OTHERS: u32 = 20;
/// Days of changes that are looked at among shipped orders.
const SHIPPED_DAYS: i64 = 3;
/// Days after which a shipment that nobody takes stands still.
const READY_DAYS: i64 = 3;
/// Days after which a shipment that nobody ships stands still.
const PICKING_DAYS: i64 = 7;
/// Order numbers that a sentence names.
const NAMED: usize = 5;

/// Compares, repairs what is safe, and reports the rest.
pub async fn reconcile(work: Work<'_>, import: &Queue) -> Result<Told, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let mut missing = Missing::begin(settings, tenant, message, run).await?;
    let mut findings = Findings::default();
    let now = Timestamp::now();
    let night = Night { tenant, connection, by: message.robot.as_str(), now };
    let since = now.saturating_sub((SHIPPED_DAYS * 24).hours()).unwrap_or(now);
    let ahead = now.saturating_add(1.hour()).unwrap_or(now);
    'kinds: for (at_shop, query) in [
        (AtShop::Fetch, OrderQuery::new().state_eq(&connection.states.fetch).include_all()),
        (AtShop::Working, OrderQuery::new().state_eq(&connection.states.working)),
        (AtShop::Shipped, OrderQuery::new().state_eq(&connection.states.shipped).updated_at(since, ahead)),
    ] {
        let (mut after, mut pages) = (0, 0);
        loop {
            if session.rest() <= LEFT_TO_OTHERS || pages >= RECONCILED_PAGES {
                findings.incomplete = true;
                break;
            }
            let query = query.clone().id_gt(after).sort(SortBy::Id, Direction::Ascending).per(MAX_PER);
            let page = match session.call(async |client, token| client.orders(token, &query).await).await {
                Ok(page) => page,
                // Going on would begin at the first page again, and take all night of it. Only what came too late for
                // any call may as well begin anew.
                Err(ShopError::OutOfTime) if session.calls() > 0 => {
                    findings.out_of_time = true;
                    break 'kinds;
                }
                Err(error) => return Err(error),
            };
            pages += 1;
            let last = page.is_last(MAX_PER);
            let highest = page.orders.iter().filter_map(id_of).max();
            let unknown = findings.compare(night, at_shop, page).await?;
            let queued = missing.queue(tenant, import, unknown, session.epoch()).await?;
            findings.tally.add("queued-for-import", queued);
            if last || reading::stands(after, highest) {
                break;
            }
            after = highest.unwrap_or(after);
        }
    }
    // What is left of the time is for noting what was found: all that is open is not read in it.
    if !findings.out_of_time {
        findings.stuck(night).await?;
    }
    Ok(findings.told(missing.pages()))
}

/// Reads the orders that were made in a range of dates again: those that are unknown and in the fetch state are queued for
/// import, those that are known are synced, and the rest is reported.
pub async fn backfill(work: Work<'_>, import: &Queue) -> Result<Told, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let Some(range) = tenant.backfill(&connection.id, run).await? else {
        let failure = "no range of dates is noted for this run: start it with `renkei backfill`".to_owned();
        return Ok(Told { failure: Some(failure), ..Told::default() });
    };
    let rules = Rules::of(settings, connection);
    let mut missing = Missing::begin(settings, tenant, message, run).await?;
    let mut tally = Tally::default();
    let mut elsewhere = Names::default();
    let mut after = missing.after;
    let failure = loop {
        let query = OrderQuery::new()
            .created_at(range.from, range.before)
            .id_gt(after)
            .sort(SortBy::Id, Direction::Ascending)
            .per(MAX_PER)
            .include_all();
        let (read, page) = commit::read(session, &query).await?;
        let last = page.is_last(MAX_PER);
        let highest = page.orders.iter().filter_map(id_of).max();
        // Each once: shops repeat rows.
        let shown: BTreeSet<u64> = page.orders.iter().filter_map(id_of).collect();
        let leads: Vec<ShipmentId> =
            shown.into_iter().map(|id| ShipmentId::lead(connection.id.clone(), OrderId(id))).collect();
        let known = tenant.shipments(&leads).await?;
        let parcels: Vec<ShipmentId> = known
            .iter()
            .flat_map(|lead| (1..=lead.parcels.max(1)).map(|parcel| ShipmentId { parcel, ..lead.id.clone() }))
            .collect();
        let known: BTreeSet<u64> = known.iter().map(|lead| lead.id.order.0).collect();
        commit::take_over(tenant, &parcels, &read, rules, message.robot.as_str(), &mut tally).await?;
        tally.add("orders", page.orders.len() as u64);
        let mut lost = Vec::new();
        for row in page.orders.into_iter().filter(|row| id_of(row).is_none_or(|id| !known.contains(&id))) {
            if is_elsewhere(&row, &connection.states.fetch) {
                elsewhere.add(&name_of(&row));
            } else {
                lost.push(row);
            }
        }
        // Asked before the cursor moves: afterwards each page would seem to stand.
        let stands = reading::stands(after, highest);
        after = after.max(highest.unwrap_or(0));
        missing.after = after;
        tally.add("queued-for-import", missing.queue(tenant, import, lost, session.epoch()).await?);
        if last {
            break None;
        }
        if stands {
            break Some("the shop's listing does not go on after the last order it gave");
        }
    };
    tally.add("in-another-state", elsewhere.count);
    let notes = elsewhere.sentence("orders of these dates are unknown here and in another state at the shop by now");
    let failure = failure.map(str::to_owned);
    Ok(Told { notes: notes.into_iter().collect(), queued_pages: missing.pages(), failure, ..tally.told() })
}

fn id_of(row: &Result<Order, BadRecord>) -> Option<u64> {
    row.as_ref().map_or_else(|bad| bad.id, |order| Some(order.id))
}

/// Is it in another state than the one that orders are taken in? A row that cannot be read and shows none may be an
/// order that waits: it is queued, and a person sees it.
fn is_elsewhere(row: &Result<Order, BadRecord>, fetch_state: &str) -> bool {
    match row {
        Ok(order) => order.state != fetch_state,
        Err(bad) => shows_another_state(bad, fetch_state),
    }
}

/// What people find an order by.
fn name_of(row: &Result<Order, BadRecord>) -> String {
    match row {
        Ok(order) => order.number.clone(),
        Err(BadRecord { number: Some(number), .. }) => number.clone(),
        Err(BadRecord { id: Some(id), .. }) => format!("id {id}"),
        Err(BadRecord { id: None, number: None, .. }) => "without a number".to_owned(),
    }
}

/// What one night's comparison is made for, and when.
#[derive(Clone, Copy)]
struct Night<'a> {
    tenant: &'a Tenant,
    connection: &'a Connection,
    /// Who is named in the events of shipments.
    by: &'a str,
    now: Timestamp,
}

/// Where the shop has an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtShop {
    Fetch,
    Working,
    Shipped,
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

/// Orders of one kind: how many, and the first few by number.
#[derive(Debug, Default)]
struct Names {
    count: u64,
    first: Vec<String>,
}

impl Names {
    fn add(&mut self, number: &str) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(number.chars().filter(|c| !c.is_control()).take(40).collect());
        }
    }

    fn sentence(&self, what: &str) -> Option<String> {
        let more = if self.count > self.first.len() as u64 { ", …" } else { "" };
        (self.count > 0).then(|| format!("{} {what}: {}{more}", self.count, self.first.join(", ")))
    }
}

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    tally: Tally,
    lost: Names,
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
    incomplete: bool,
    /// The end of the function's time came first.
    out_of_time: bool,
}

impl Findings {
    /// Compares a page of orders with what we have, and gives those that are lost and can be imported.
    async fn compare(
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
        let mut lost = Vec::new();
        for row in rows {
            let Ok(order) = &row else { continue };
            let Some(known) = known.get(&order.id) else { continue };
            match &known.lead {
                Some(lead) => {
                    if self.ids.insert(order.number.clone(), order.id).is_some_and(|other| other != order.id) {
                        self.doubled.add(&order.number);
                    }
                    let drifted = drifted(lead, at_shop, now);
                    if drifted {
                        self.drifted.add(&order.number);
                    }
                    let number = without_number.contains(&order.id) && self.lost_number(lead, now);
                    let uncaptured = number && self.is_uncaptured(night, order).await?;
                    // Where the shop moves states by itself they are its own affair.
                    let state = drifted && at_shop == AtShop::Working && !connection.automation_option;
                    if state || number {
                        self.tell_again(night, lead, Again { state, number, uncaptured }).await?;
                    }
                }
                // It waits in quarantine, or was refused: people see it there.
                None if known.not_imported.is_some() => {}
                None => {
                    if at_shop == AtShop::Fetch || at_shop == AtShop::Working {
                        self.lost.add(&order.number);
                    }
                    if at_shop == AtShop::Fetch {
                        lost.push(row);
                    }
                }
            }
        }
        Ok(lost)
    }

    /// Had the shop taken the number of this order's one parcel before `read_at`? It shows none.
    fn lost_number(&mut self, lead: &Shipment, read_at: Timestamp) -> bool {
        if lead.parcels != 1 || !lead.is_without_number(read_at) {
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
                    let state = what.state && shipment.still_unshipped(now);
                    let number = what.number && shipment.number_dropped(now);
                    let raised = uncaptured && raise_uncaptured(shipment, by);
                    again |= state || number;
                    state || number || raised
                })
                .await?;
        }
        self.tally.add("told-again", u64::from(again));
        Ok(())
    }

    /// What stands still with us.
    async fn stuck(&mut self, night: Night<'_>) -> Result<(), ShopError> {
        let Night { tenant, now, .. } = night;
        let connection = &night.connection.id;
        for (status, days) in [(Status::Ready, READY_DAYS), (Status::Picking, PICKING_DAYS)] {
            let open = tenant.open_orders(connection, &[status]).await?;
            let old: Vec<ShipmentId> = open
                .iter()
                .filter(|(_, order)| older(order.imported_at, days, now))
                .map(|(id, _)| ShipmentId::lead(connection.clone(), *id))
                .collect();
            for shipment in tenant.shipments(&old).await? {
                let since = shipment.claimed_at.unwrap_or(shipment.updated_at);
                if shipment.status == status && older(since, days, now) {
                    self.stuck.add(shipment.order_number.as_str());
                }
            }
        }
        let untold = tenant.shop_work(connection, ShopWork::TellWorking, 100, None).await?;
        let ids: Vec<ShipmentId> = untold.rows.into_iter().map(|entry| entry.id).collect();
        for shipment in tenant.shipments(&ids).await? {
            if older(shipment.imported_at, 1, now) && shipment.shop_work() == Some(ShopWork::TellWorking) {
                self.stuck.add(shipment.order_number.as_str());
            }
        }
        Ok(())
    }

    fn told(mut self, queued_pages: u32) -> Told {
        for (word, names) in [
            ("lost", &self.lost),
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
            self.lost
                .sentence("orders of the shop are unknown here; those in the fetch state are imported now (未取込)"),
            self.doubled.sentence("order numbers are here twice, of different orders (重複)"),
            self.stuck.sentence("shipments stand still (滞留)"),
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
            notes.push("not everything was compared: the lane's calls, or the bound of pages came first".to_owned());
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

fn older(at: Timestamp, days: i64, now: Timestamp) -> bool {
    at.saturating_add((days * 24).hours()).is_ok_and(|until| until < now)
}

/// Do shop and record contradict each other, for longer than a robot takes to tell?
fn drifted(lead: &Shipment, at_shop: AtShop, now: Timestamp) -> bool {
    let settled = older(lead.updated_at, 1, now);
    match at_shop {
        // Import tells such an order again, unless it was cancelled with us: that waits at the shop for a person.
        AtShop::Fetch => lead.status == Status::Cancelled && settled,
        AtShop::Working => lead.status == Status::Cancelled || (lead.shop_sync == ShopSync::Completed && settled),
        AtShop::Shipped => matches!(lead.status, Status::Hold | Status::Ready | Status::Cancelled),
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

/// Shows on a shipment that its order's payment is not captured. True if that was not shown.
fn raise_uncaptured(shipment: &mut Shipment, by: &str) -> bool {
    let error = Some(not_captured());
    if shipment.shop_error == error {
        return false;
    }
    shipment.shop_error = error;
    shipment.note(Timestamp::now(), "payment not captured", by);
    true
}

/// Orders that are queued for import, page by page, within one run.
pub struct Missing {
    tenant: TenantId,
    connection: ConnectionId,
    run: String,
    conversion_robot: Option<RuleId>,
    page: u32,
    /// The last order that was looked at, for runs that go on.
    pub after: u64,
}

impl Missing {
    /// For a run, or for what is left of it.
    pub async fn begin(
        settings: &TenantSettings,
        tenant: &Tenant,
        message: &StartRobot,
        run: &str,
    ) -> Result<Self, ShopError> {
        let progress = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
        Ok(Self {
            tenant: message.tenant.clone(),
            connection: message.connection.clone(),
            run: run.to_owned(),
            conversion_robot: settings.conversion_robot_of(&message.connection).cloned(),
            page: progress.page,
            after: progress.after,
        })
    }

    /// Queues these rows as a page of the run, then moves the run's cursor. Gives how many.
    pub async fn queue(
        &mut self,
        tenant: &Tenant,
        import: &Queue,
        rows: Vec<Result<Order, BadRecord>>,
        epoch: u64,
    ) -> Result<u64, ShopError> {
        let count = rows.len() as u64;
        if count > 0 {
            let page = self.page + 1;
            tenant.announce_page(&self.run, page, count).await?;
            let fetched_at = Timestamp::now();
            let messages: Vec<_> = (0..)
                .zip(rows)
                .map(|(row, order)| {
                    outgoing(ImportOrder {
                        v: VERSION,
                        tenant: self.tenant.clone(),
                        connection: self.connection.clone(),
                        run: self.run.clone(),
                        place: Place { page, row },
                        conversion_robot: self.conversion_robot.clone(),
                        fetched_at,
                        order: fetched(order),
                    })
                })
                .collect();
            import.send_batch(&messages).await?;
            self.page = page;
        }
        let progress = Progress { page: self.page, after: self.after };
        if (count > 0 || self.after > 0) && !tenant.advance_run(&self.run, progress, epoch).await? {
            return Err(ShopError::LeaseLost);
        }
        Ok(count)
    }

    /// How many pages were queued.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use renkei_domain::shipment::ShopError as Refusal;
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
        assert!(raise_uncaptured(&mut shipment, "robot") && !raise_uncaptured(&mut shipment, "robot"));
        assert_eq!((shipment.shop_error, shipment.events.len()), (Some(not_captured()), 1));
        // What the shop said before is the lesser news.
        let refused = Some(Refusal { code: "AOR2001".into(), message: String::new() });
        assert!(raise_uncaptured(&mut Shipment { shop_error: refused, ..shipped() }, "robot"));
    }

    #[test]
    fn a_row_that_shows_another_state_is_not_to_be_imported_whether_it_can_be_read_or_not() {
        let bad = |id, number: Option<&str>, state: Value| {
            let raw = json!({ "attributes": { "state": state } });
            Err(BadRecord { id, number: number.map(str::to_owned), reason: "it has no quantity".to_owned(), raw })
        };
        let read = Ok(order(&Value::Null));
        assert!(is_elsewhere(&read, "complete") && !is_elsewhere(&read, "shipped"));
        assert!(is_elsewhere(&bad(Some(1), None, json!("shipped")), "complete"));
        for waits in [json!("complete"), Value::Null] {
            assert!(!is_elsewhere(&bad(Some(1), None, waits), "complete"), "a person has to look");
        }
        let names = [(Some(1), Some("H-1")), (Some(1), None), (None, None)];
        let names = names.map(|(id, number)| name_of(&bad(id, number, Value::Null)));
        assert_eq!(names, ["H-1", "id 1", "without a number"]);
    }
}
