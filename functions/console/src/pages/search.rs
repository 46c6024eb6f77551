//! The search: what has a key is found at once, everything else by looking through the shop's shipments, a thousand in one
//! request, and further from there for as long as the person wants.
//!
//! Nothing is indexed by tracking number, name or SKU: an index would be a write or more for each parcel that is imported,
//! and people search some dozens of times a day.

mod wanted;

use std::collections::HashSet;
use std::fmt;

use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId};
use renkei_domain::shipment::{Shipment, Status};
use renkei_store::StoreError;
use renkei_store::lists::Mark;
use renkei_store::settings::AppliedSettings;

use self::wanted::Wanted;
pub use self::wanted::folded;
use super::shipments::{ROWS, Row, rows_of};
use crate::guard::Caller;
use crate::problem::Problem;

/// So many shipments are looked through in one request.
const LOOKED_THROUGH: i32 = 1_000;
/// And so many lists are opened for it, however short they are.
const LISTS: usize = 10;

/// What was found.
pub struct Found {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many were looked through, with those of earlier requests.
    pub looked: u32,
    /// Where to search further; None once everything was looked through.
    pub further: Option<Place>,
}

/// Where a search stands. It names no table's key: the keys are built from it for the tenant that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    connection: ConnectionId,
    status: Status,
    after: Option<Mark>,
    looked: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}~", self.connection, self.status.as_str(), self.looked)?;
        self.after.map_or(Ok(()), |mark| write!(f, "{mark}"))
    }
}

impl Place {
    fn first(connection: &ConnectionId, order: [Status; 5]) -> Self {
        Self { connection: connection.clone(), status: order[0], after: None, looked: 0 }
    }

    /// From an address. A shop that is none of the merchant's is no place.
    fn read(text: &str, connections: &[ConnectionId]) -> Option<Self> {
        let mut parts = text.splitn(4, '~');
        let mut next = || parts.next();
        let (connection, status, looked, after) = (next()?, next()?, next()?, next()?);
        Some(Self {
            connection: connections.iter().find(|id| id.as_str() == connection)?.clone(),
            status: Status::ALL.into_iter().find(|it| it.as_str() == status)?,
            looked: looked.parse().ok()?,
            after: if after.is_empty() { None } else { Some(after.parse().ok()?) },
        })
    }

    /// The list behind this one; None behind the last.
    fn next_list(&self, connections: &[ConnectionId], order: [Status; 5]) -> Option<Self> {
        let place = order.iter().position(|status| *status == self.status)?;
        if let Some(status) = order.get(place + 1) {
            return Some(Self { status: *status, after: None, ..self.clone() });
        }
        let place = connections.iter().position(|id| *id == self.connection)?;
        let connection = connections.get(place + 1)?;
        Some(Self { looked: self.looked, ..Self::first(connection, order) })
    }
}

/// A place as it is written again, if it is one.
pub fn place(text: &str, connections: &[ConnectionId]) -> Option<String> {
    Place::read(text, connections).map(|place| place.to_string())
}

/// Finds what is meant by what was typed, from the beginning or from a place on.
pub async fn search(
    caller: &Caller,
    settings: &AppliedSettings,
    q: &str,
    from: Option<&str>,
) -> Result<Found, Problem> {
    let connections: Vec<ConnectionId> = settings.settings.connections.iter().map(|it| it.id.clone()).collect();
    let wanted = Wanted::of(q);
    let order = order_of(&wanted);
    let place = if let Some(from) = from.filter(|from| !from.is_empty()) {
        Some(Place::read(from, &connections).ok_or_else(Problem::not_found)?)
    } else {
        let first = connections.first().map(|first| Place::first(first, order));
        let known = by_key(caller, &connections, &wanted).await?;
        if !known.shipments.is_empty() {
            let further = first.filter(|_| known.may_mean_another);
            return Ok(Found { rows: rows_of(caller, known.shipments).await?, looked: 0, further });
        }
        first
    };
    match place {
        Some(place) => Ok(look_through(caller, &connections, order, &wanted, place).await?),
        None => Ok(Found { rows: Vec::new(), looked: 0, further: None }),
    }
}

/// In which order lists are looked through: as shipments move on, so that one that moves meanwhile is met twice rather
/// than never. Only what is out has a tracking number, so what looks like one is looked for there first.
fn order_of(wanted: &Wanted) -> [Status; 5] {
    if wanted.is_like_tracking() {
        [Status::Shipped, Status::Hold, Status::Ready, Status::Picking, Status::Cancelled]
    } else {
        Status::ALL
    }
}

/// What has a key that reads like what was typed.
struct Known {
    shipments: Vec<Shipment>,
    /// Digits that are an order's id may just as well be meant as a SKU, or as the number of another order; and those that
    /// are an order's number as a customer's phone number.
    may_mean_another: bool,
}

/// A shipment's id, a shop's order id, or an order number that has a record.
async fn by_key(caller: &Caller, connections: &[ConnectionId], wanted: &Wanted) -> Result<Known, StoreError> {
    let typed = wanted.typed();
    if let Ok(id) = ShipmentId::try_from(typed.to_owned())
        && let Some(shipment) = caller.tenant.shipment(&id).await?
    {
        return Ok(Known { shipments: vec![shipment], may_mean_another: false });
    }
    let number = OrderNumber::parse(typed).ok();
    let mut orders: Vec<(ConnectionId, OrderId)> = Vec::new();
    for connection in connections {
        // No shop writes the ids of its orders with a 0 before.
        if !wanted.is_phone()
            && let Ok(id) = typed.parse::<u64>()
        {
            orders.push((connection.clone(), OrderId(id)));
        }
        if let Some(number) = &number
            && let Some(order) = caller.tenant.order_with_number(connection, number).await?
        {
            orders.push((connection.clone(), order));
        }
    }
    orders.dedup();
    let mut known = Known { shipments: Vec::new(), may_mean_another: wanted.is_phone() };
    for (connection, order) in orders {
        let found = caller.tenant.shipments_of(&connection, order).await?;
        known.may_mean_another |= found.iter().any(|shipment| number.as_ref() != Some(&shipment.order_number));
        known.shipments.extend(found);
    }
    Ok(known)
}

/// Looks through lists from a place on, until a page is full, a thousand were looked at, or all were.
async fn look_through(
    caller: &Caller,
    connections: &[ConnectionId],
    order: [Status; 5],
    wanted: &Wanted,
    mut place: Place,
) -> Result<Found, StoreError> {
    let mut rows = Vec::new();
    let mut seen: HashSet<ShipmentId> = HashSet::new();
    let mut left = LOOKED_THROUGH;
    for _ in 0..LISTS {
        let listed = caller.tenant.newest(&place.connection, place.status, left, place.after).await?;
        let shipments = caller.tenant.shipments(&listed.ids).await?;
        let details = caller.tenant.details(&shipments).await?;
        for (shipment, detail) in shipments.into_iter().zip(details) {
            if !wanted.is(&shipment, &detail) || !seen.insert(shipment.id.clone()) {
                continue;
            }
            let at = listed.ids.iter().position(|id| *id == shipment.id);
            rows.push(Row::of(&caller.shell, shipment, &detail));
            if let Some(at) = at.filter(|_| rows.len() >= ROWS as usize) {
                place.after = listed.marks.get(at).copied();
                place.looked = place.looked.saturating_add(at as u32 + 1);
                return Ok(Found { rows, looked: place.looked, further: Some(place) });
            }
        }
        let looked = listed.ids.len();
        place.looked = place.looked.saturating_add(looked as u32);
        left = left.saturating_sub(i32::try_from(looked).unwrap_or(i32::MAX));
        place = match (listed.next, place.next_list(connections, order)) {
            (Some(mark), _) => Place { after: Some(mark), ..place },
            (None, Some(next)) => next,
            (None, None) => return Ok(Found { rows, looked: place.looked, further: None }),
        };
        if left <= 0 {
            break;
        }
    }
    Ok(Found { rows, looked: place.looked, further: Some(place) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shops(names: &[&str]) -> Vec<ConnectionId> {
        names.iter().map(|name| ConnectionId::parse(*name).unwrap()).collect()
    }

    #[test]
    fn a_place_comes_back_as_it_went_and_leads_to_no_other_shop() {
        let shops = shops(&["one", "two"]);
        let first = Place::first(&shops[1], Status::ALL);
        let later = Place { after: "1764032523456.88111.2".parse().ok(), looked: 2_000, ..first.clone() };
        for place in [first, later] {
            assert_eq!(Place::read(&place.to_string(), &shops), Some(place.clone()));
            assert_eq!(Place::read(&place.to_string(), &shops[..1]), None, "a shop of somebody else");
        }
        for wrong in ["", "one", "one~hold~1", "one~lost~1~", "one~hold~x~", "one~hold~1~x", "one~hold~-1~"] {
            assert_eq!(Place::read(wrong, &shops), None, "{wrong}");
        }
    }

    #[test]
    fn every_list_of_every_shop_is_come_to_once() {
        let shops = shops(&["one", "two"]);
        for q in ["髙橋", "4000-0000-0001"] {
            let wanted = Wanted::of(q);
            let mut place = Some(Place::first(&shops[0], order_of(&wanted)));
            let mut seen = Vec::new();
            while let Some(at) = place {
                seen.push((at.connection.to_string(), at.status));
                place = at.next_list(&shops, order_of(&wanted));
            }
            assert_eq!(seen.len(), 10);
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 10, "{q}");
        }
        let first = |q: &str| order_of(&Wanted::of(q))[0];
        assert_eq!(first("4000-0000-0001"), Status::Shipped);
        assert_eq!(first("2511240001x"), Status::Hold);
        assert_eq!(first("090-0000-1234"), Status::Hold, "who calls mostly asks for what has not left yet");
    }
}
