//! 夜間照合 and back-fill: what the shop has against what we have.
//!
//! A pass over what the shop has in its fetch, working and shipped states, bounded in calls. Orders that are lost (in the
//! fetch state, and unknown to us) are queued for import, which is safe: import takes an order once. Orders that the shop
//! was told are shipped and that it still has in its working state are told again, and so is a tracking number that it was
//! told and does not have. Everything else is reported and left to people: doubled numbers, orders that stand still, orders
//! whose states have drifted apart.
//!
//! Tracking numbers are looked at where the order has one parcel and the shop shows none: what the one number that it shows of
//! an order to several addresses stands for is not known, and another number than ours may be a person's correction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RuleId, ShipmentId, TenantId};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::{Shipment, ShopSync, ShopWork, Status};
use renkei_domain::sync::{RECONCILED_PAGES, Rules, reading};
use renkei_domain::work::{ImportOrder, Place, StartRobot, VERSION};
use renkei_ecforce::{BadRecord, Direction, MAX_PER, Order, OrderPage, OrderQuery, SortBy};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::order::{fetched, outgoing};
use renkei_shop::robot::{Told, Work};
use renkei_store::Tenant;
use renkei_store::import::Known;
use renkei_store::runs::Progress;

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
                // Going on would begin at the first page again, and take all night of it.
                Err(ShopError::OutOfTime) => {
                    findings.incomplete = true;
                    break 'kinds;
                }
                Err(error) => return Err(error),
            };
            pages += 1;
            let last = page.is_last(MAX_PER);
            let highest = page.orders.iter().filter_map(id_of).max();
            let unknown = findings.compare(tenant, connection, at_shop, page, now).await?;
            let queued = missing.queue(tenant, import, unknown, session.epoch()).await?;
            findings.tally.add("queued-for-import", queued);
            if last || reading::stands(after, highest) {
                break;
            }
            after = highest.unwrap_or(after);
        }
    }
    findings.stuck(tenant, &connection.id, now).await?;
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
        let leads: Vec<ShipmentId> =
            read.orders.keys().map(|order| ShipmentId::lead(connection.id.clone(), *order)).collect();
        let known = tenant.shipments(&leads).await?;
        let parcels: Vec<ShipmentId> = known
            .iter()
            .flat_map(|lead| (1..=lead.parcels.max(1)).map(|parcel| ShipmentId { parcel, ..lead.id.clone() }))
            .collect();
        let known: BTreeSet<u64> = known.iter().map(|lead| lead.id.order.0).collect();
        commit::take_over(tenant, &parcels, &read, rules, message.robot.as_str(), &mut tally).await?;
        tally.add("orders", page.orders.len() as u64);
        let mut lost = Vec::new();
        for row in page.orders {
            match &row {
                Ok(order) if known.contains(&order.id) => {}
                Ok(order) if order.state != connection.states.fetch => elsewhere.add(&order.number),
                Ok(_) | Err(_) => lost.push(row),
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

/// Where the shop has an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtShop {
    Fetch,
    Working,
    Shipped,
}

/// What is told again of an order.
#[derive(Debug, Clone, Copy)]
struct Again {
    state: bool,
    number: bool,
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
    dropped: Names,
    ids: BTreeMap<String, u64>,
    incomplete: bool,
}

impl Findings {
    /// Compares a page of orders with what we have, and gives those that are lost and can be imported.
    async fn compare(
        &mut self,
        tenant: &Tenant,
        connection: &Connection,
        at_shop: AtShop,
        page: OrderPage,
        now: Timestamp,
    ) -> Result<Vec<Result<Order, BadRecord>>, ShopError> {
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
                    let number = without_number.contains(&order.id) && lost_number(lead, now);
                    if number {
                        self.dropped.add(&order.number);
                    }
                    // Where the shop moves states by itself they are its own affair.
                    let state = drifted && at_shop == AtShop::Working && !connection.automation_option;
                    if state || number {
                        self.tell_again(tenant, lead, Again { state, number }, now).await?;
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

    /// The shop was told that an order is shipped, or its number, said yes, and shows neither: told again by the next run of
    /// the robot.
    async fn tell_again(
        &mut self,
        tenant: &Tenant,
        lead: &Shipment,
        what: Again,
        now: Timestamp,
    ) -> Result<(), ShopError> {
        let mut again = false;
        for parcel in 1..=lead.parcels.max(1) {
            let id = ShipmentId { parcel, ..lead.id.clone() };
            tenant
                .change(&id, |shipment| {
                    let state = what.state && shipment.still_unshipped(now);
                    let number = what.number && shipment.number_dropped(now);
                    again |= state || number;
                    state || number
                })
                .await?;
        }
        self.tally.add("told-again", u64::from(again));
        Ok(())
    }

    /// What stands still with us.
    async fn stuck(&mut self, tenant: &Tenant, connection: &ConnectionId, now: Timestamp) -> Result<(), ShopError> {
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
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.incomplete {
            notes.push(
                "not everything was compared: the lane's calls, the time of one go, or the bound of pages came first"
                    .to_owned(),
            );
        }
        self.tally.for_a_person += self.doubled.count + self.stuck.count + self.drifted.count + self.dropped.count;
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

/// Had the shop taken the number of this order's one parcel before `read_at`? It shows none.
fn lost_number(lead: &Shipment, read_at: Timestamp) -> bool {
    lead.parcels == 1 && lead.clone().number_dropped(read_at)
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
