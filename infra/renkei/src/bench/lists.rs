//! `renkei bench console`: what the console's pages ask of the store, and weigh, with few shipments and with many.

use clap::Args;
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::member::Email;
use renkei_domain::shipment::{HoldReason, Shipment, ShipmentDetail, Status};
use renkei_simulator::Simulator;
use renkei_store::import::NewOrder;
use renkei_store::shipments::detail_version;
use serde::Serialize;
use serde_json::json;

use super::visitor::{Visitor, Wire};
use super::{open, row, shop};
use crate::commands::{LOCAL_PASSWORD, LOCAL_PEOPLE, local_accounts, put_member};
use crate::error::{CliError, Exit};
use crate::local::{LocalStack, stop};
use crate::output;
use crate::stack::{Found, Stack};

/// `renkei bench console`
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    /// Shipments of the large shop; the small one has 1,000.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(2_000..=1_000_000))]
    pub shipments: u64,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4569, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

const FEW: u64 = 1_000;
/// What a shop has open does not grow with what it has behind it.
const OPEN: [(Status, u64); 3] = [(Status::Hold, 300), (Status::Ready, 300), (Status::Picking, 100)];
/// Of what is not open, one in so many is cancelled.
const CANCELLED_EVERY: u64 = 40;
/// One in so many has a remark of 5,000 characters.
const REMARKED_EVERY: u64 = 5;
/// So many came in within the last quarter of an hour: all that is open, and some of what has left.
const OF_TODAY: i64 = 800;
const STORED_AT_ONCE: usize = 50;
const REQUESTS_AT_ONCE: usize = 8;
/// A page that counts what has left comes to its end within so many visits, or never.
const MOST_VISITS: usize = 2_000;
const LISTS: [(&str, &str); 11] = [
    ("today", ""),
    ("hold", "/shipments?status=hold"),
    ("ready", "/shipments?status=ready"),
    ("picking", "/shipments?status=picking"),
    ("shipped", "/shipments?status=shipped"),
    ("cancelled", "/shipments?status=cancelled"),
    ("in today", "/shipments?taken=today"),
    ("shipped today", "/shipments?shipped=today"),
    ("need a person", "/shipments?needs=cancellation"),
    ("not imported", "/orders"),
    ("runs", "/runs"),
];
const SEARCH: &str = "/shipments?q=nobody-of-this-name";

/// The figures. The keys are those of `renkei bench console --json`.
#[derive(Debug, Default, Serialize)]
struct Figures {
    shipments_few: u64,
    shipments_many: u64,
    pages: Vec<PageFigures>,
    /// Of the list pages with many shipments: the most requests, and the most read units as a share of those with few.
    most_requests: u64,
    most_units_share: f64,
    /// Bytes of script, as they are sent.
    script_bytes: usize,
    /// Visits of a list until all that had left before was counted.
    visits_to_count: usize,
}

#[derive(Debug, Serialize)]
struct PageFigures {
    page: &'static str,
    few: Wire,
    many: Wire,
}

/// Carries out `renkei bench console`.
pub async fn bench(arguments: ConsoleArgs) -> Result<Exit, CliError> {
    let (project, progress, local, stack) = open(arguments.port).await?;
    let figures = measured(&stack, &local, arguments.shipments).await?;
    stop(&project.stack(arguments.port), progress)?;
    if arguments.json {
        output::json_line(&figures)?;
    } else {
        show(&figures)?;
    }
    Ok(Exit::Done)
}

async fn measured(stack: &Stack, local: &LocalStack, most: u64) -> Result<Figures, CliError> {
    let url = local.console_url.as_ref().ok_or_else(|| CliError::said("the local stack has no console"))?;
    let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
    let (few, many) = (shop(stack, &simulator, "few").await?, shop(stack, &simulator, "many").await?);
    local_accounts(stack).await?;
    let (operator, role) = LOCAL_PEOPLE[2];
    let operator = Email::parse(operator).map_err(CliError::said)?;
    for (shop, shipments) in [(&few, FEW), (&many, most)] {
        put_member(&shop.tenant, &operator, role).await?;
        fill(shop, shipments).await?;
    }
    let mut visitor = Visitor::sign_in(url, operator.as_str(), LOCAL_PASSWORD).await?;
    let mut figures = Figures { shipments_few: FEW, shipments_many: most, ..Figures::default() };
    let _few = until_counted(&mut visitor, "few", FEW).await?;
    figures.visits_to_count = until_counted(&mut visitor, "many", most).await?;
    for (page, path) in LISTS.into_iter().chain([("search, one step", SEARCH)]) {
        let (few, many) =
            (visitor.cost(&format!("/t/few{path}")).await?, visitor.cost(&format!("/t/many{path}")).await?);
        if path != SEARCH {
            figures.most_requests = figures.most_requests.max(many.requests);
            figures.most_units_share = figures.most_units_share.max(many.read_units / few.read_units);
        }
        figures.pages.push(PageFigures { page, few, many });
    }
    figures.script_bytes = visitor.script_bytes("/t/many").await?;
    Ok(figures)
}

/// Looks at a list until the count of what has left ends in no `+`, and looks whether it is right. Gives how many visits
/// that took.
async fn until_counted(visitor: &mut Visitor, tenant: &str, shipments: u64) -> Result<usize, CliError> {
    let marker = "status=shipped\"";
    for visit in 1..=MOST_VISITS {
        let page = visitor.page(&format!("/t/{tenant}/shipments?status=hold")).await?;
        let tab = page.split(marker).nth(1).and_then(|rest| rest.split("</a>").next());
        let tab = tab.ok_or_else(|| CliError::said("the list has no tab for what has left"))?;
        if tab.contains('+') {
            continue;
        }
        let counted: String = tab.split('>').skip(2).flat_map(str::chars).filter(char::is_ascii_digit).collect();
        let left = (1..=shipments).filter(|number| status_of(*number, shipments) == Status::Shipped).count();
        if counted != left.to_string() {
            return Err(CliError::said(format!("{left} have left, and the page of {tenant} says {counted}")));
        }
        return Ok(visit);
    }
    Err(CliError::said("what has left is never counted to its end"))
}

/// Stores so many shipments as import stores them, of all statuses.
async fn fill(shop: &Found, shipments: u64) -> Result<(), CliError> {
    // All but today's are old enough to be counted for good.
    let begin = Timestamp::now() - SignedDuration::from_hours(24 * 30);
    let numbers: Vec<u64> = (1..=shipments).collect();
    let batches = numbers.chunks(STORED_AT_ONCE).map(<[u64]>::to_vec).collect::<Vec<_>>();
    futures::stream::iter(batches)
        .map(|numbers| async move {
            let orders = numbers
                .iter()
                .map(|number| order(shop.id(), *number, shipments, begin))
                .collect::<Result<Vec<_>, CliError>>()?;
            shop.tenant.store_orders(orders).await?;
            Ok::<_, CliError>(())
        })
        .buffer_unordered(REQUESTS_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// What is open came last.
fn status_of(number: u64, shipments: u64) -> Status {
    let mut behind = shipments - number;
    for (status, count) in OPEN {
        if behind < count {
            return status;
        }
        behind -= count;
    }
    if behind.is_multiple_of(CANCELLED_EVERY) { Status::Cancelled } else { Status::Shipped }
}

fn order(connection: &ConnectionId, number: u64, shipments: u64, begin: Timestamp) -> Result<NewOrder, CliError> {
    let behind = (shipments - number).cast_signed();
    let at = if behind < OF_TODAY {
        Timestamp::now() - SignedDuration::from_secs(behind)
    } else {
        begin + SignedDuration::from_secs(number.cast_signed())
    };
    let status = status_of(number, shipments);
    let is_out = status == Status::Shipped;
    let remark =
        if number.is_multiple_of(REMARKED_EVERY) { "備考がございます。".repeat(556) } else { String::new() };
    let sku = format!("SERUM-{}", number % 500);
    let detail: ShipmentDetail = serde_json::from_value(json!({
        "ship_to": { "name": format!("見本 {number}番"), "kana": "ミホン", "postal_code": "135-0064",
            "prefecture": "東京都", "address1": format!("江東区見本町{number}-1"), "phone": "03-0000-0000" },
        "items": [{ "sku": sku, "name": "美容液 30ml", "quantity": 1, "price": 5_000 },
            { "sku": "LEAFLET-1", "name": "ご案内", "quantity": 1, "price": 0 }],
        "totals": { "total": 5_500 },
        "payment_method": "クレジットカード",
        "source": { "id": number, "number": format!("B{number:08}"), "state": "working", "payment_state": "authed",
            "total": 5_500, "addresses": [{ "id": 1, "name01": "見本" }],
            "lines": [{ "sku": sku, "name": "美容液 30ml", "quantity": 1, "price": 5_000 }],
            "attributes": { "remark": remark } },
    }))?;
    let mut shipment: Shipment = serde_json::from_value(json!({
        "id": ShipmentId::lead(connection.clone(), OrderId(number)), "order_number": format!("B{number:08}"),
        "address_id": 1, "parcels": 1, "ship_from": "dc", "status": status, "payment": "paid", "payment_state": "authed",
        "shop_sync": if is_out { "completed" } else { "acknowledged" }, "shipping_method": "yamato",
        "imported_at": at, "updated_at": at, "run": "bench", "place": { "page": 1, "row": 0 },
        "detail": detail_version(&detail),
    }))?;
    if status == Status::Hold {
        shipment.hold(HoldReason::NeedsReview);
    }
    if is_out {
        shipment.tracking_number = Some(format!("4000{number:08}"));
        shipment.shipped_at = Some(at);
        shipment.result_at = Some(at);
    }
    Ok(NewOrder { parcels: vec![(shipment, detail)], claim_number: false })
}

fn show(figures: &Figures) -> Result<(), CliError> {
    output::line(format!("{} shipments and {}\n", figures.shipments_few, figures.shipments_many))?;
    let cells = |it: &Wire| [it.requests.to_string(), format!("{:.1}", it.read_units), it.bytes.to_string()];
    let pages = figures.pages.iter().map(|it| {
        let mut cells: Vec<String> = cells(&it.few).into_iter().chain(cells(&it.many)).collect();
        cells.insert(0, it.page.to_owned());
        cells
    });
    let headings = ["page", "requests", "read units", "bytes", "requests (many)", "read units (many)", "bytes (many)"];
    output::table(&headings, &pages.collect::<Vec<_>>())?;
    let heaviest = figures.pages.iter().map(|page| page.many.bytes.max(page.few.bytes)).max().unwrap_or(0);
    output::line("")?;
    output::table(
        &["figure", "measured", "wanted"],
        &[
            row("most requests of a page, the search apart", figures.most_requests.to_string(), "≤ 12"),
            row("most read units with many, of those with few", format!("{:.2}", figures.most_units_share), "≤ 1"),
            row("heaviest page, bytes as they are sent", heaviest.to_string(), "< 100,000"),
            row("script, bytes as they are sent", figures.script_bytes.to_string(), "< 40,000"),
            row("visits until all that had left is counted", figures.visits_to_count.to_string(), ""),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn shops_have_what_they_are_said_to_have() {
        for shipments in [FEW, 100_000] {
            let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
            for number in 1..=shipments {
                *counts.entry(status_of(number, shipments)).or_default() += 1;
            }
            for (status, count) in OPEN {
                assert_eq!(counts[&status], count);
            }
            assert_eq!(counts.values().sum::<u64>(), shipments);
            assert!(counts[&Status::Shipped] > counts[&Status::Cancelled] * 30);
        }
    }

    #[test]
    fn an_order_is_what_the_store_takes() {
        let shop = ConnectionId::parse("shop").unwrap();
        for (number, status) in [(1, Status::Shipped), (1_000, Status::Hold), (650, Status::Ready)] {
            let order = order(&shop, number, FEW, "2026-11-01T00:00:00Z".parse().unwrap()).unwrap();
            let (shipment, detail) = &order.parcels[0];
            assert_eq!((shipment.status, shipment.id.order.0), (status, number));
            assert_eq!(shipment.detail, detail_version(detail));
        }
    }
}
