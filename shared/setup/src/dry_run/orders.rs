//! fetch-orders: what waits at the shop, some pages of it at most, and what import would make of each order.

use std::collections::HashSet;
use std::time::Instant;

use jiff::Timestamp;
use renkei_domain::convert::ConversionRobots;
use renkei_domain::gate::Lane;
use renkei_domain::ids::{OrderId, OrderNumber};
use renkei_domain::import::{self, Context, Verdict};
use renkei_domain::order::SourceOrder;
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::run::Outcome;
use renkei_domain::work::{Fetched, ImportOrder, Place, VERSION};
use renkei_ecforce::{MAX_PER, OrderPage};
use renkei_shop::order::{outgoing, to_import, waiting};
use renkei_shop::{Session, SessionRequest, ShopError};
use renkei_store::import::Known;
use serde_json::json;

use super::{Calls, DryRunError, Foreseen, Line, Looking, Place as Robot, note, said};

/// Whose call this is in the quota, and the run that orders would seem to be of.
const ROBOT: &str = "dry-run";

/// Reads what waits, so many pages at most, and decides about the orders.
pub(super) async fn foresee(place: &Robot<'_>, looking: Looking<'_>) -> Result<Foreseen, DryRunError> {
    let Read { pages, spent, total, whole } = read(place, looking).await?;
    let rows: usize = pages.iter().map(|page| page.rows).sum();
    let mut foreseen = Foreseen { calls: calls(&pages, total, whole), spent, ..Foreseen::default() };
    // The first order that claims a number has it before the next is stored.
    let mut claimed: HashSet<OrderNumber> = HashSet::new();
    for page in pages {
        decide(place, messages(place, page)?, &mut claimed, &mut foreseen).await?;
    }
    if !whole {
        let pages = looking.pages;
        let of = total.map_or_else(|| "more".to_owned(), |total| format!("{total} that wait"));
        let all = total.map_or_else(String::new, |total| format!("（取得待ち {total} 件のうち）"));
        foreseen.notes.push(note(
            format!("最初の {pages} ページ、{rows} 件だけを確認しました{all}。"),
            format!("only the first {pages} pages were looked at: {rows} orders of {of}"),
        ));
    }
    Ok(foreseen)
}

/// Nothing was asked.
pub(super) fn unseen() -> Foreseen {
    Foreseen {
        calls: Calls { least: 1, most: None },
        notes: vec![note(
            "何が取得待ちかはショップに聞くまで分かりません。確認には100件ごとに1回の呼び出しが必要です。",
            "what waits there only the shop knows: to look takes a call for each hundred orders",
        )],
        ..Foreseen::default()
    }
}

/// What was read.
struct Read {
    pages: Vec<OrderPage>,
    spent: u32,
    /// Orders that wait, by the shop's count.
    total: Option<u64>,
    /// All that waits was read.
    whole: bool,
}

async fn read(place: &Robot<'_>, looking: Looking<'_>) -> Result<Read, DryRunError> {
    let request = SessionRequest {
        connection: place.connection,
        holder: format!("{ROBOT}-{}", ulid::Ulid::generate()),
        robot: ROBOT,
        lane: Lane::Fetch,
        deadline: Instant::now() + looking.patience,
        after_failure: false,
    };
    let mut session = looking.shops.open(place.tenant, request).await?;
    let read = pages(&mut session, place, looking.pages).await;
    let spent = session.calls();
    session.leave().await?;
    let (pages, whole) = read?;
    let total = pages.first().and_then(|page| page.meta.total_count);
    Ok(Read { pages, spent, total, whole })
}

/// Pages by key, as fetching reads them.
async fn pages(session: &mut Session, place: &Robot<'_>, most: usize) -> Result<(Vec<OrderPage>, bool), ShopError> {
    let mut pages: Vec<OrderPage> = Vec::new();
    let mut after = 0;
    while pages.len() < most {
        let query = waiting(place.connection, after);
        let page = session.call(async |client, token| client.orders(token, &query).await).await?;
        let highest = page.ids().max().unwrap_or(0);
        let last = page.is_last(MAX_PER) || highest <= after;
        pages.push(page);
        if last {
            return Ok((pages, true));
        }
        after = highest;
    }
    Ok((pages, false))
}

/// A pass reads until a page is not full.
fn calls(pages: &[OrderPage], total: Option<u64>, whole: bool) -> Calls {
    let read = pages.len() as u64;
    match total {
        _ if whole => Calls::exactly(read),
        // Those that were read are full, whatever the shop says.
        Some(total) => Calls::exactly((total / u64::from(MAX_PER)).max(read) + 1),
        None => Calls { least: read + 1, most: None },
    }
}

/// The orders as import would get them, through the queue's form: what does not fit a message does not fit here.
fn messages(place: &Robot<'_>, page: OrderPage) -> Result<Vec<ImportOrder>, DryRunError> {
    let fetched_at = Timestamp::now();
    to_import(page, 0, &place.connection.states.fetch)
        .into_iter()
        .map(|(row, order)| {
            let message = ImportOrder {
                v: VERSION,
                tenant: place.tenant.id().clone(),
                connection: place.id().clone(),
                run: ROBOT.to_owned(),
                place: Place { page: 1, row },
                conversion_robot: place.settings.conversion_robot_of(place.id()).cloned(),
                fetched_at,
                order,
            };
            ImportOrder::read(&outgoing(message).body).map_err(|error| said(error.to_string()))
        })
        .collect()
}

async fn decide(
    place: &Robot<'_>,
    messages: Vec<ImportOrder>,
    claimed: &mut HashSet<OrderNumber>,
    foreseen: &mut Foreseen,
) -> Result<(), DryRunError> {
    let Robot { tenant, settings, connection } = *place;
    let robots = RobotSet::compile(settings).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        said(format!("the processing robots cannot be used: {first}"))
    })?;
    let conversions = ConversionRobots::of_applied(settings);
    let orders: Vec<&SourceOrder> = messages.iter().filter_map(order_of).collect();
    let names: Vec<(OrderId, OrderNumber)> = orders.iter().map(|order| (order.id, order.number.clone())).collect();
    let mut known = tenant.known_orders(&connection.id, &names).await?.into_iter();
    let skus = import::skus(orders.iter().copied(), &robots);
    let goods: Goods =
        tenant.products_of(&skus).await?.into_iter().map(|product| (product.sku, product.temperature)).collect();
    for message in &messages {
        let Some(order) = order_of(message) else {
            if let Fetched::Unreadable { id, number, reason } = &message.order {
                foreseen.not_imported(*id, number.as_deref(), Outcome::Quarantined, reason);
            }
            continue;
        };
        let known: Known = known.next().unwrap_or_default();
        let (id, number) = (Some(order.id.0), Some(order.number.as_str()));
        if known.lead.is_some() {
            foreseen.not_imported(id, number, Outcome::Duplicate, "imported already");
            continue;
        }
        let context = Context {
            settings,
            connection,
            robots: &robots,
            conversions: &conversions,
            goods: &goods,
            conversion_robot: message.conversion_robot.as_ref(),
            run: &message.run,
            place: message.place,
            now: Timestamp::now(),
        };
        let taken = known.number_of.is_some_and(|other| other != order.id) || claimed.contains(&order.number);
        let unknown = import::unknown_skus(order, &goods);
        let verdict = import::decide(&context, order, &unknown, taken);
        let outcome = verdict.outcome();
        match verdict {
            Verdict::Store { parcels, claim_number } => {
                if claim_number {
                    claimed.insert(order.number.clone());
                }
                foreseen.imported(order, &parcels.into_iter().map(|(shipment, _)| shipment).collect::<Vec<_>>());
            }
            Verdict::Quarantine { reason, .. } | Verdict::Refuse { reason, .. } => {
                foreseen.not_imported(id, number, outcome, &reason);
            }
        }
    }
    Ok(())
}

fn order_of(message: &ImportOrder) -> Option<&SourceOrder> {
    match &message.order {
        Fetched::Order(order) => Some(order),
        Fetched::Unreadable { .. } => None,
    }
}

impl Foreseen {
    fn imported(&mut self, order: &SourceOrder, parcels: &[renkei_domain::shipment::Shipment]) {
        self.add(Outcome::Imported.as_str(), 1);
        for parcel in parcels {
            self.add(parcel.status.as_str(), 1);
            if let Some(reason) = parcel.hold_reason() {
                self.add(format!("hold-{}", reason.as_str()), 1);
            }
        }
        let first = parcels.first();
        let status = first.map(|parcel| parcel.status.as_str());
        let hold = first
            .and_then(renkei_domain::shipment::Shipment::hold_reason)
            .map(renkei_domain::shipment::HoldReason::as_str);
        let shown = hold.map_or_else(String::new, |hold| format!(" ({hold})"));
        self.lines.push(Line {
            text: format!("{}: imported, {}{shown}", order.number, status.unwrap_or_default()),
            ja: match first.map(|parcel| (parcel.status.label(), parcel.hold_reason())) {
                Some((status, Some(reason))) => format!("{}: 取込、{status}（{}）", order.number, reason.label()),
                Some((status, None)) => format!("{}: 取込、{status}", order.number),
                None => format!("{}: 取込", order.number),
            },
            changes: Vec::new(),
            keys: json!({
                "kind": "order", "order_id": order.id.0, "order_number": order.number.as_str(),
                "outcome": Outcome::Imported.as_str(), "status": status, "hold_reason": hold,
                "parcels": parcels.len(), "reason": null,
            }),
        });
    }

    fn not_imported(&mut self, id: Option<u64>, number: Option<&str>, outcome: Outcome, reason: &str) {
        self.add(outcome.as_str(), 1);
        let name = number.map_or_else(|| id.map_or_else(|| "?".to_owned(), |id| id.to_string()), str::to_owned);
        self.lines.push(Line {
            text: format!("{name}: {}: {reason}", outcome.as_str()),
            ja: match outcome {
                Outcome::Imported => format!("{name}: 取込: {reason}"),
                // That is the reason.
                Outcome::Duplicate => format!("{name}: 取込済みのため対象外"),
                Outcome::Quarantined => format!("{name}: 取込保留: {reason}"),
                Outcome::Refused => format!("{name}: 取込拒否: {reason}"),
            },
            changes: Vec::new(),
            keys: json!({
                "kind": "order", "order_id": id, "order_number": number, "outcome": outcome.as_str(),
                "status": null, "hold_reason": null, "parcels": null, "reason": reason,
            }),
        });
    }
}
