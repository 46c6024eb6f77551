//! `GET /v1/shipments` and `GET /v1/shipments/{id}`: what there is to pack.
//!
//! A tenant's shops, and the statuses asked for, are lists of their own in the store; they are read as one, oldest first.
//! All of the tenant's shops are read, not only those whose ship-from is this warehouse's today: a shop may have changed
//! its ship-from while shipments of the former were still open. Whose a shipment is, it says itself.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use futures::{StreamExt, TryStreamExt};
use renkei_domain::handover;
use renkei_domain::ids::{ConnectionId, ShipmentId};
use renkei_domain::shipment::{Shipment, Status};
use renkei_store::StoreError;
use renkei_store::warehouse::{From, StatusRow};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use url::form_urlencoded;
use utoipa::ToSchema;

use crate::App;
use crate::caller::Caller;
use crate::cursor::Place;
use crate::limits;
use crate::problem::{Problem, ProblemBody};
use crate::query::Query;
use crate::view::{ShipmentView, is_cancel_requested};

const LISTS_AT_ONCE: usize = 8;

/// A page of shipments.
#[derive(Serialize, ToSchema)]
pub struct ShipmentPage {
    /// Oldest first: by import, what is shipped by when its first result arrived. May be fewer than asked for, even none,
    /// although there are more: `next_cursor` alone tells.
    // Written already: as values a thousand of them take several times their text.
    #[schema(value_type = Vec<ShipmentView>)]
    shipments: Vec<Box<RawValue>>,
    /// Where the list goes on; null at its end.
    next_cursor: Option<String>,
}

/// One of the lists that are read as one.
struct Source<'a> {
    name: String,
    connection: &'a ConnectionId,
    status: Status,
}

/// Shipments of the key's warehouse, oldest first.
///
/// By import; what is shipped by when its first result arrived. Without `status`: those that are ready, in picking, shipped
/// and cancelled; one that changes its status while you read page by page may come twice then, or not at all. What is ready
/// but not paid is left out: its claim would be refused. Lists follow the shipments a moment behind. Work by asking for
/// `status=ready` without a cursor again and again: what you claim leaves that list.
#[utoipa::path(
    get, path = "/v1/shipments", tag = "shipments", operation_id = "listShipments",
    params(
        ("status" = Option<String>, Query, description = "Only those in this status.", pattern = "^(ready|picking|shipped|cancelled)$"),
        ("cancel_requested" = Option<bool>, Query, description = "Only those whose cancellation request waits for your answer (`true`), or those without one (`false`)."),
        ("updated_since" = Option<String>, Query, format = DateTime, description = "Only those that changed at this time or later. RFC 3339 with a zone. The time of a change is when its request or run began, before it can be seen: ask from fifteen minutes earlier. Lists are looked through from their beginning: name a `status`, too."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Most shipments on the page; 100 if left out."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, with the same other parameters."),
    ),
    responses(
        (status = 200, description = "A page.", body = ShipmentPage),
        (status = 400, description = "`bad-query`, `bad-cursor`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    caller: Caller,
    State(_app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<ShipmentPage>, Problem> {
    let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let query = Query::of(parameters)?;
    let list = query.list(&caller.warehouse);
    let after = query.cursor.as_deref().map(|cursor| Place::unseal(cursor, caller.seal(), &list)).transpose()?;
    let (shipments, next) = page(&caller, &query, after.as_ref()).await?;
    Ok(Json(ShipmentPage { shipments, next_cursor: next.map(|place| place.seal(caller.seal(), &list)) }))
}

/// One shipment.
#[utoipa::path(
    get, path = "/v1/shipments/{id}", tag = "shipments", operation_id = "getShipment",
    params(("id" = String, Path, description = "The shipment's id.", example = "hanako-ecforce.88111.1")),
    responses(
        (status = 200, description = "The shipment.", body = ShipmentView),
        (status = 404, description = "`no-such-shipment`: there is none, or it is another warehouse's.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn show(caller: Caller, id: Result<Path<String>, PathRejection>) -> Result<Json<ShipmentView>, Problem> {
    let id = shipment_id(id)?;
    let shipment = caller.tenant.shipment(&id).await?.filter(|found| caller.may_see(found));
    let shipment = shipment.ok_or(Problem::NoShipment)?;
    let details = caller.tenant.details(std::slice::from_ref(&shipment)).await?;
    let detail = details.first().ok_or(Problem::NoShipment)?;
    Ok(Json(ShipmentView::of(&caller.settings, &shipment, detail)))
}

/// A shipment's id out of a path. What is none names no shipment.
pub fn shipment_id(path: Result<Path<String>, PathRejection>) -> Result<ShipmentId, Problem> {
    path.ok().and_then(|Path(id)| id.parse().ok()).ok_or(Problem::NoShipment)
}

async fn page(
    caller: &Caller,
    query: &Query,
    after: Option<&Place>,
) -> Result<(Vec<Box<RawValue>>, Option<Place>), Problem> {
    let filtered =
        leaves_some_out(query) || caller.settings.ship_froms.iter().any(|ship_from| !caller.owns(&ship_from.id));
    let rows_wanted = if filtered { limits::ROWS } else { query.limit };
    let sources = sources(caller, query);
    let rows_each = rows_wanted.min((limits::ROWS_HELD / sources.len().max(1)).max(limits::USUAL_PAGE));
    let read: Vec<(Vec<StatusRow>, bool)> = futures::stream::iter(0..sources.len())
        .map(|n| read(caller, &sources[n], after, rows_each))
        .buffered(LISTS_AT_ONCE)
        .try_collect()
        .await?;
    let (rows, more) = merged(&sources, read, rows_wanted);

    let mut written = Written::default();
    // Mostly all of them are wanted: no more are read at a time than the page takes, but for very small ones.
    for some in rows.chunks(query.limit.clamp(limits::USUAL_PAGE, limits::HELD)) {
        let mut kept = kept(caller, query, some).await?;
        kept.truncate(query.limit - written.shipments.len());
        let (places, shipments): (Vec<&Place>, Vec<Shipment>) = kept.into_iter().unzip();
        let details = caller.tenant.details(&shipments).await?;
        for (place, (shipment, detail)) in places.into_iter().zip(shipments.iter().zip(&details)) {
            let view = to_raw_value(&ShipmentView::of(&caller.settings, shipment, detail));
            if !written.takes(view.map_err(|_| Problem::Internal)?, place) {
                return Ok((written.shipments, written.last));
            }
        }
        if written.shipments.len() == query.limit {
            let is_last = rows.last().map(|(place, _, _)| place) == written.last.as_ref();
            return Ok((written.shipments, written.last.filter(|_| more || !is_last)));
        }
    }
    Ok((written.shipments, rows.last().map(|(place, _, _)| place.clone()).filter(|_| more)))
}

/// What of a page is written.
#[derive(Default)]
struct Written {
    shipments: Vec<Box<RawValue>>,
    bytes: usize,
    /// Where the last of them stands.
    last: Option<Place>,
}

impl Written {
    /// One more, if there is room for it. There is for the first, whatever its size.
    fn takes(&mut self, view: Box<RawValue>, place: &Place) -> bool {
        self.bytes += view.get().len();
        if self.bytes > limits::PAGE_BYTES && !self.shipments.is_empty() {
            return false;
        }
        self.shipments.push(view);
        self.last = Some(place.clone());
        true
    }
}

/// The shipments of these rows that the query asks for, in their order.
async fn kept<'r>(caller: &Caller, query: &Query, rows: &'r [Row]) -> Result<Vec<(&'r Place, Shipment)>, StoreError> {
    let ids: Vec<ShipmentId> = rows.iter().map(|(_, _, id)| id.clone()).collect();
    let found = caller.tenant.shipments(&ids).await?;
    let mut found: HashMap<ShipmentId, Shipment> = found.into_iter().map(|found| (found.id.clone(), found)).collect();
    let of_row = |(place, status, id): &'r Row| {
        // The list follows the records a moment behind: what has moved on since is in another by now.
        let shipment = found.remove(id).filter(|shipment| shipment.status == *status)?;
        is_wanted(caller, query, &shipment).then_some((place, shipment))
    };
    Ok(rows.iter().filter_map(of_row).collect())
}

async fn read(
    caller: &Caller,
    source: &Source<'_>,
    after: Option<&Place>,
    most: usize,
) -> Result<(Vec<StatusRow>, bool), StoreError> {
    let limit = i32::try_from(most).unwrap_or(i32::MAX);
    caller.tenant.status_rows(source.connection, source.status, taken_up(after, &source.name), limit).await
}

fn is_wanted(caller: &Caller, query: &Query, shipment: &Shipment) -> bool {
    caller.may_see(shipment) && is_asked_for(query, shipment)
}

/// May there be shipments in the lists that are read that are not asked for?
fn leaves_some_out(query: &Query) -> bool {
    query.cancel_requested.is_some() || query.updated_since.is_some() || query.statuses.contains(&Status::Ready)
}

fn is_asked_for(query: &Query, shipment: &Shipment) -> bool {
    // No claim of those is taken, and they stay: the oldest first, they would hide for ever what may be claimed.
    !handover::waits_for_payment(shipment)
        && query.cancel_requested.is_none_or(|wanted| is_cancel_requested(shipment) == wanted)
        && query.updated_since.is_none_or(|since| shipment.updated_at >= since)
}

fn sources<'a>(caller: &'a Caller, query: &Query) -> Vec<Source<'a>> {
    let mut sources: Vec<Source<'a>> = caller
        .settings
        .connections
        .iter()
        .flat_map(|connection| {
            query.statuses.iter().map(move |status| Source {
                name: format!("{}#{}", connection.id, status.as_str()),
                connection: &connection.id,
                status: *status,
            })
        })
        .collect();
    // Their order decides between equal times, so it must not depend on how the document is written today.
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

/// Where a source goes on behind a place of the list that all of them are.
fn taken_up<'a>(after: Option<&'a Place>, source: &str) -> From<'a> {
    match after {
        None => From::Start,
        Some(place) if source <= place.source.as_str() => From::After(&place.at),
        Some(place) => From::At(&place.at),
    }
}

type Row = (Place, Status, ShipmentId);

/// The first rows of all sources together; and whether there are more. A source that has more than was read ends the
/// list where its rows end, for what follows there is not known.
fn merged(sources: &[Source<'_>], read: Vec<(Vec<StatusRow>, bool)>, most: usize) -> (Vec<Row>, bool) {
    let mut rows: Vec<Row> = Vec::new();
    let mut end: Option<Place> = None;
    for (source, (found, more)) in sources.iter().zip(read) {
        let place = |at: &str| Place { at: at.to_owned(), source: source.name.clone() };
        if more && let Some(last) = found.last() {
            let last = place(&last.at);
            end = Some(end.map_or(last.clone(), |end| end.min(last)));
        }
        rows.extend(found.iter().map(|row| (place(&row.at), source.status, row.id.clone())));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let known = rows.len();
    if let Some(end) = &end {
        rows.retain(|(place, _, _)| place <= end);
    }
    rows.truncate(most);
    let more = end.is_some() || rows.len() < known;
    (rows, more)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_ready_but_not_paid_is_looked_past() {
        let shipment = |status: &str, payment: &str, released_unpaid: bool| -> Shipment {
            serde_json::from_value(json!({
                "id": "main.1.1", "order_number": "1", "address_id": 1, "parcels": 1, "ship_from": "dc",
                "status": status, "payment": payment, "payment_state": "pending", "released_unpaid": released_unpaid,
                "shop_sync": "registered", "imported_at": "2026-11-24T00:00:00Z", "updated_at": "2026-11-24T00:00:00Z",
                "run": "run-1", "place": { "page": 1, "row": 0 }, "detail": ""
            }))
            .unwrap()
        };
        let query = |status: &str| Query::of(vec![("status".to_owned(), status.to_owned())]).unwrap();
        let ready = query("ready");
        assert!(leaves_some_out(&ready) && leaves_some_out(&Query::of(Vec::new()).unwrap()));
        assert!(!is_asked_for(&ready, &shipment("ready", "unpaid", false)), "no claim of it is taken");
        assert!(is_asked_for(&ready, &shipment("ready", "unpaid", true)), "a person let it go");
        assert!(is_asked_for(&ready, &shipment("ready", "paid", false)));
        // What the warehouse has in hand it must see, whatever became of the payment.
        let picking = query("picking");
        assert!(!leaves_some_out(&picking) && is_asked_for(&picking, &shipment("picking", "unpaid", false)));
    }

    fn row(connection: &ConnectionId, second: u32, order: u64) -> StatusRow {
        StatusRow {
            at: format!("2026-11-24T00:00:{second:02}.000Z#{order}#1"),
            id: format!("{connection}.{order}.1").parse().unwrap(),
        }
    }

    /// Reads as the store does.
    fn read(all: &[StatusRow], from: From<'_>, limit: usize) -> (Vec<StatusRow>, bool) {
        let mut rows: Vec<StatusRow> = all
            .iter()
            .filter(|row| match from {
                From::Start => true,
                From::At(at) => row.at.as_str() >= at,
                From::After(at) => row.at.as_str() > at,
            })
            .cloned()
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        (rows, more)
    }

    proptest! {
        /// Whatever the page's size, however few rows of each list are read for it, and however the times coincide: page by
        /// page each row comes once, oldest first.
        #[test]
        fn pages_of_several_lists_give_each_row_once_and_in_order(
            times in proptest::collection::vec(proptest::collection::vec((0_u32..4, 1_u64..4), 0..12), 1..4),
            size in 1_usize..6,
            each in 1_usize..6,
        ) {
            let connections: Vec<ConnectionId> =
                (0..times.len()).map(|n| ConnectionId::parse(format!("shop-{n}")).unwrap()).collect();
            let sources: Vec<Source<'_>> = connections
                .iter()
                .map(|connection| Source { name: format!("{connection}#ready"), connection, status: Status::Ready })
                .collect();
            let lists: Vec<Vec<StatusRow>> = connections
                .iter()
                .zip(&times)
                .map(|(connection, times)| {
                    let mut rows: Vec<_> = times.iter().map(|(second, order)| row(connection, *second, *order)).collect();
                    rows.sort_by(|a, b| a.at.cmp(&b.at));
                    rows.dedup();
                    rows
                })
                .collect();
            let mut after: Option<Place> = None;
            let mut given: Vec<Row> = Vec::new();
            for _ in 0..100 {
                let pages = sources
                    .iter()
                    .zip(&lists)
                    .map(|(source, list)| read(list, taken_up(after.as_ref(), &source.name), each))
                    .collect();
                let (rows, more) = merged(&sources, pages, size);
                after = rows.last().map(|(place, _, _)| place.clone()).or(after);
                given.extend(rows);
                if !more {
                    break;
                }
            }
            let ids: std::collections::BTreeSet<_> = given.iter().map(|(place, _, id)| (id.clone(), place.clone())).collect();
            prop_assert_eq!(given.len(), lists.iter().map(Vec::len).sum::<usize>());
            prop_assert_eq!(ids.len(), given.len());
            prop_assert!(given.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
