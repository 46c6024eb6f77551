//! The rest of the way: customers pay, the warehouse takes what is ready and sends it, and the shops hear of it.
//!
//! The warehouse is played over HTTP, with a key of its own, as a warehouse's system would: it counts its shelves, claims
//! what is ready, reports what left, and counts again. What the shops know afterwards is read from their own books.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::ProgressBar;
use jiff::Timestamp;
use renkei_domain::ids::{ShipmentId, WarehouseId};
use renkei_domain::jst;
use renkei_domain::shipment::{HoldReason, Shipment, ShopSync, Status};
use renkei_simulator::ControlClient;
use renkei_simulator::api::Writer;
use renkei_store::Tenant;
use renkei_store::access::Opens;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::PATIENCE;
use crate::commands::{create_grant, run};
use crate::error::CliError;
use crate::local::Progress;
use crate::output;
use crate::stack::{Found, Stack};

/// Of the orders that wait for their payment, every so manieth is paid in the demo.
const PAID_OF: usize = 2;
/// Shipments in one request: the most that the API takes.
const PAGE: usize = 1_000;
/// Pieces of each SKU that the warehouse finds.
const COUNTED: u32 = 5_000;

/// What became of a shop's shipments on the rest of the way. The keys are those of `renkei demo --json`.
#[derive(Debug, Serialize)]
pub struct WayReport {
    connection: String,
    /// Orders whose payment came in.
    paid: u64,
    /// Shipments that the robot let go because of it.
    released: u64,
    /// Shipments that the warehouse took and sent.
    shipped: u64,
    /// Of those, shipments whose tracking number the shop has, by its own books.
    tracked_at_shop: u64,
    /// Tracking numbers that the shop has of another order or address.
    wrong_numbers: u64,
    /// Orders that the shop has in its shipped state.
    shipped_at_shop: u64,
    /// Orders all of whose parcels are out, by ours.
    out: u64,
    /// SKUs of which the shop sells what it should.
    stock_right: u64,
    /// SKUs of which it does not.
    stock_wrong: u64,
    /// Runs that the day's limit stopped.
    blocked: bool,
    /// Calls at the shop by now.
    calls: u64,
}

impl WayReport {
    /// What is not as it must be, in sentences.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, sentence: String| {
            if !holds {
                wrong.push(format!("{}: {sentence}", self.connection));
            }
        };
        must(self.wrong_numbers == 0, format!("{} tracking numbers are another parcel's", self.wrong_numbers));
        must(
            self.blocked || self.tracked_at_shop == self.shipped,
            format!("{} parcels left, {} tracking numbers are at the shop", self.shipped, self.tracked_at_shop),
        );
        must(
            self.blocked || self.shipped_at_shop == self.out,
            format!("{} orders are out, {} are shipped at the shop", self.out, self.shipped_at_shop),
        );
        must(self.blocked || self.stock_wrong == 0, format!("{} SKUs have another stock", self.stock_wrong));
        wrong
    }
}

/// Goes the rest of the way, shop by shop where shops are concerned, merchant by merchant where warehouses are.
pub async fn go(
    stack: &Stack,
    places: &[Found],
    control: &ControlClient,
    progress: Progress,
) -> Result<Vec<WayReport>, CliError> {
    let mut paid = BTreeMap::new();
    for place in places {
        let step = progress.step(&format!("{}: customers pay, and what they pay for is let go", place.id()));
        paid.insert(place.id().to_string(), payments(stack, place, control).await?);
        step.done();
    }
    let mut done = BTreeSet::new();
    for place in places {
        for ship_from in &place.settings.ship_froms {
            if done.insert((place.tenant.id().to_string(), ship_from.warehouse.to_string())) {
                let step = progress.step(&format!("{}: takes what is ready, and sends it", ship_from.warehouse));
                let mut warehouse = Warehouse::open(stack, &place.tenant, &ship_from.warehouse).await?;
                warehouse.count(place, ship_from.id.as_str(), &BTreeMap::new()).await?;
                let gone = warehouse.send_all().await?;
                warehouse.count(place, ship_from.id.as_str(), &gone).await?;
                step.done();
            }
        }
    }
    let mut reports = Vec::new();
    for place in places {
        let step = progress.step(&format!("{}: hears what was shipped", place.id()));
        let (paid, released) = paid.get(place.id().as_str()).copied().unwrap_or_default();
        let mut report = tell(stack, place, control).await?;
        (report.paid, report.released) = (paid, released);
        reports.push(report);
        step.done();
    }
    Ok(reports)
}

/// Customers pay at the shop; the status sync sees it, and the robot that starts after it lets their shipments go.
async fn payments(stack: &Stack, place: &Found, control: &ControlClient) -> Result<(u64, u64), CliError> {
    let waiting = on_hold_for_payment(place).await?;
    let orders: BTreeSet<u64> = waiting.iter().map(|shipment| shipment.id.order.0).collect();
    let paying: Vec<u64> = orders.into_iter().step_by(PAID_OF).collect();
    let payment = Map::from_iter([("payment_state".to_owned(), Value::from("paid"))]);
    for order in &paying {
        control.change_order(place.id().as_str(), *order, &payment).await?;
    }
    let robot = format!("{}/status-sync", place.id());
    run(stack, Some(place.tenant.id().as_str()), &robot, PATIENCE, &ProgressBar::hidden()).await?;
    let still = on_hold_for_payment(place).await?.len();
    Ok((paying.len() as u64, waiting.len().saturating_sub(still) as u64))
}

async fn on_hold_for_payment(place: &Found) -> Result<Vec<Shipment>, CliError> {
    let mut held = shipments(place, Status::Hold).await?;
    held.retain(|shipment| shipment.holds == [HoldReason::AwaitingPayment]);
    Ok(held)
}

async fn shipments(place: &Found, status: Status) -> Result<Vec<Shipment>, CliError> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = place.tenant.shipments_by_status(place.id(), status, 1_000, from).await?;
        found.extend(place.tenant.shipments(&page.rows).await?);
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

/// A warehouse's system: all that it knows is its key and the address of the API.
pub struct Warehouse {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Warehouse {
    /// Makes a key for this warehouse.
    pub async fn open(stack: &Stack, tenant: &Tenant, warehouse: &WarehouseId) -> Result<Self, CliError> {
        let secret = create_grant(tenant, Opens::Warehouse(warehouse.clone())).await?;
        let http = renkei_http::builder().no_proxy().build().map_err(|error| said(&error))?;
        Ok(Self { http, url: stack.warehouse_url()?.to_owned(), key: secret.expose().to_owned() })
    }

    /// Asks the API, and gives its answer's body.
    pub async fn ask(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Result<Value, CliError> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| said(&error))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| said(&error))?;
        if status.is_success() {
            return Ok(body);
        }
        let why = body["detail"].as_str().or(body["title"].as_str()).unwrap_or_default();
        Err(CliError::said(format!("the warehouse API answered {status} to {path}: {why}")))
    }

    /// Counts the shelves: what was there, less what has left.
    async fn count(&mut self, place: &Found, ship_from: &str, gone: &BTreeMap<String, u32>) -> Result<(), CliError> {
        let counts: Vec<Value> = place
            .tenant
            .products()
            .await?
            .iter()
            .filter(|product| product.made_of.is_empty())
            .map(|product| {
                let sku = product.sku.as_str();
                let quantity = COUNTED.saturating_sub(gone.get(sku).copied().unwrap_or(0));
                json!({ "sku": sku, "quantity": quantity, "counted_at": Timestamp::now() })
            })
            .collect();
        let body = json!({ "ship_from": ship_from, "counts": counts });
        self.ask(reqwest::Method::PUT, "/v1/stock", Some(&body)).await?;
        Ok(())
    }

    /// Takes all that is ready, a page at a time, and reports it as sent. Gives the pieces of each SKU that left.
    async fn send_all(&mut self) -> Result<BTreeMap<String, u32>, CliError> {
        let mut gone: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            let page =
                self.ask(reqwest::Method::GET, &format!("/v1/shipments?status=ready&limit={PAGE}"), None).await?;
            let ready = page["shipments"].as_array().cloned().unwrap_or_default();
            let ids: Vec<&Value> = ready.iter().map(|shipment| &shipment["id"]).collect();
            if ids.is_empty() {
                return Ok(gone);
            }
            let claimed = self.ask(reqwest::Method::POST, "/v1/shipments/claim", Some(&json!({ "ids": ids }))).await?;
            let claimed: BTreeSet<&str> = texts(&claimed["claimed"]).collect();
            if claimed.is_empty() {
                return Err(CliError::said("the warehouse could not claim anything of what is ready"));
            }
            let mut results = Vec::new();
            for shipment in
                ready.iter().filter(|shipment| shipment["id"].as_str().is_some_and(|id| claimed.contains(id)))
            {
                let id: ShipmentId =
                    shipment["id"].as_str().unwrap_or_default().parse().map_err(|error| said(&error))?;
                let number = tracking_number(&id);
                results.push(json!({ "id": id, "tracking_number": number, "shipped_at": Timestamp::now() }));
                for item in shipment["items"].as_array().into_iter().flatten() {
                    let pieces = item["quantity"].as_u64().and_then(|pieces| u32::try_from(pieces).ok()).unwrap_or(0);
                    *gone.entry(item["sku"].as_str().unwrap_or_default().to_owned()).or_default() += pieces;
                }
            }
            let body = json!({ "results": results });
            let answer = self.ask(reqwest::Method::POST, "/v1/shipments/results", Some(&body)).await?;
            if texts(&answer["accepted"]).count() != results.len() {
                return Err(CliError::said(format!("results of the warehouse were refused: {}", answer["refused"])));
            }
        }
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A number of twelve digits that tells its parcel, so that one that ends up elsewhere is seen.
pub fn tracking_number(id: &ShipmentId) -> String {
    format!("49{:08}{:02}", id.order.0 % 100_000_000, id.parcel)
}

fn said(error: &dyn std::fmt::Display) -> CliError {
    CliError::said(error.to_string())
}

/// The shop is told, and asked what it knows.
async fn tell(stack: &Stack, place: &Found, control: &ControlClient) -> Result<WayReport, CliError> {
    let shop = place.id().as_str();
    let mut blocked = false;
    for (robot, _) in place
        .settings
        .integration_robots
        .easy_setup
        .iter()
        .filter(|setup| setup.connection == *place.id())
        .flat_map(|setup| place.settings.easy_robots(setup))
        .filter(|(robot, _)| robot.as_str().ends_with("/state-shipped") || robot.as_str().ends_with("/inventory"))
    {
        let ended =
            run(stack, Some(place.tenant.id().as_str()), robot.as_str(), PATIENCE, &ProgressBar::hidden()).await?;
        blocked |= ended.blocked_until.is_some();
    }
    let out = shipments(place, Status::Shipped).await?;
    let numbers = out.iter().fold(BTreeMap::new(), |mut numbers, shipment| {
        let of_order: &mut BTreeSet<String> = numbers.entry(shipment.id.order.0).or_default();
        of_order.insert(tracking_number(&shipment.id));
        numbers
    });
    let (mut tracked, mut wrong_numbers, mut shipped_at_shop) = (0, 0, 0);
    for order in control.orders(shop, None).await? {
        shipped_at_shop += u64::from(order.state == place.connection.states.shipped);
        for slip in order.shipping_slips.iter().flatten() {
            let is_own = numbers.get(&order.id).is_some_and(|own| own.contains(slip));
            tracked += u64::from(is_own);
            wrong_numbers += u64::from(!is_own);
        }
    }
    let whole = out.iter().filter(|shipment| shipment.id.is_lead() && shipment.shop_sync == ShopSync::Completed);
    let stock = control.stock(shop).await?;
    let mut offers = place.tenant.told_offers(place.id()).await?;
    // What this shop does not sell, though the merchant's other shop does: it said so, and is not asked again today.
    offers.retain(|offer| offer.told.refused.is_none());
    let is_right = |offer: &renkei_store::offers::KeptOffer| {
        let location = place.connection.stock_location_code.as_deref();
        stock.iter().any(|truth| {
            truth.sku == offer.sku.as_str()
                && Some(truth.location.as_str()) == location
                && offer.told.told == u32::try_from(truth.stock).ok()
        })
    };
    let stock_right = offers.iter().filter(|offer| is_right(offer)).count() as u64;
    Ok(WayReport {
        connection: shop.to_owned(),
        paid: 0,
        released: 0,
        shipped: out.len() as u64,
        tracked_at_shop: tracked,
        wrong_numbers,
        shipped_at_shop,
        out: whole.count() as u64,
        stock_right,
        stock_wrong: offers.len() as u64 - stock_right,
        blocked,
        calls: control.ledger_summary(shop).await?.calls,
    })
}

/// Shows the reports to people.
pub fn show(reports: &[WayReport]) -> Result<(), CliError> {
    output::line("\nTo the warehouse and back\n")?;
    let headings = [
        "shop",
        "paid 入金",
        "let go",
        "shipped 出荷済み",
        "tracking numbers at the shop",
        "orders shipped at the shop",
        "stock right at the shop",
        "calls by now",
        "now",
    ];
    let rows: Vec<Vec<String>> = reports
        .iter()
        .map(|report| {
            vec![
                report.connection.clone(),
                report.paid.to_string(),
                report.released.to_string(),
                report.shipped.to_string(),
                report.tracked_at_shop.to_string(),
                report.shipped_at_shop.to_string(),
                format!("{} SKUs", report.stock_right),
                report.calls.to_string(),
                if report.blocked { "the rest after 09:00 JST".to_owned() } else { "all told".to_owned() },
            ]
        })
        .collect();
    output::table(&headings, &rows)
}

/// The story of one order that waited for its payment and is out by now: what we noted of it and what the shop saw, in
/// the order of time.
pub async fn story(places: &[Found], control: &ControlClient, began: Timestamp) -> Result<(), CliError> {
    let Some((place, shipment)) = waited_and_left(places).await? else { return Ok(()) };
    let truth = control.order(place.id().as_str(), shipment.id.order.0).await?;
    let mut lines: Vec<(Timestamp, String)> =
        shipment.events.iter().map(|event| (event.at, format!("here      {} ({})", event.what, event.by))).collect();
    for change in truth.history.iter().filter(|change| change.at >= began) {
        let who = match change.by {
            Writer::Api => "at shop   by us: ",
            Writer::Staff => "at shop   ",
            Writer::Automation => "at shop   by its automation: ",
        };
        lines.push((change.at, format!("{who}{} → {}", change.field, change.to)));
    }
    lines.sort();
    output::line(format!("\nOne order's story: {} ({})\n", shipment.id, truth.brief.number))?;
    for (at, what) in lines {
        output::line(format!(
            "  {}  {}",
            at.to_zoned_datetime(jst::zone()).strftime("%H:%M:%S"),
            output::plain(&what)
        ))?;
    }
    Ok(())
}

async fn waited_and_left(places: &[Found]) -> Result<Option<(&Found, Shipment)>, CliError> {
    for place in places {
        let waited = |shipment: &Shipment| shipment.events.iter().any(|event| event.what.contains("awaiting-payment"));
        if let Some(shipment) = shipments(place, Status::Shipped).await?.into_iter().find(waited) {
            return Ok(Some((place, shipment)));
        }
    }
    Ok(None)
}
