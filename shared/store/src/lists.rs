//! The lists that people look through: a connection's shipments by status, the newest first, with counts that cost no
//! more for a million shipments than for a thousand.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId};
use renkei_domain::shipment::Status;

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys;
use crate::reads;

/// A count that is given up at a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many were counted.
    pub counted: u32,
    /// There are more.
    pub more: bool,
}

/// A place in a list, as an address can carry it. It names no table's key: the key is built from it for the tenant that
/// asks, so it leads nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub(crate) since: Timestamp,
    pub(crate) order: u64,
    pub(crate) parcel: u16,
}

impl Mark {
    /// The shipment that stands there in a list of this shop.
    pub(crate) fn id(&self, connection: &ConnectionId) -> ShipmentId {
        ShipmentId { connection: connection.clone(), order: OrderId(self.order), parcel: self.parcel }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.since.as_millisecond(), self.order, self.parcel)
    }
}

impl FromStr for Mark {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().ok_or(());
        let since = next()?.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).ok_or(())?;
        Ok(Self { since, order: next()?.parse().map_err(|_| ())?, parcel: next()?.parse().map_err(|_| ())? })
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is on it.
    pub ids: Vec<ShipmentId>,
    /// Where each of them is.
    pub marks: Vec<Mark>,
    /// Where the next page begins; None at the end.
    pub next: Option<Mark>,
}

impl Listed {
    /// Of these places, with or without more behind them.
    pub(crate) fn of(connection: &ConnectionId, marks: Vec<Mark>, more: bool) -> Self {
        let ids = marks.iter().map(|mark| mark.id(connection)).collect();
        Self { next: marks.last().copied().filter(|_| more), ids, marks }
    }
}

impl Tenant {
    /// Shipments of a connection in a status, the newest first, from a mark on.
    pub async fn newest(
        &self,
        connection: &ConnectionId,
        status: Status,
        limit: i32,
        after: Option<Mark>,
    ) -> Result<Listed, StoreError> {
        let pk = keys::status_pk(&self.id, connection, status);
        let from = after.map(|mark| {
            let id = mark.id(connection);
            let mut key = keys::shipment(&self.id, &id).attributes();
            key.insert("status_pk".into(), codec::text(&*pk));
            key.insert("status_sk".into(), codec::text(keys::status_sk(mark.since, &id)));
            key
        });
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .key_condition_expression("status_pk = :pk")
            .expression_attribute_values(":pk", codec::text(&*pk))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok(Listed::of(connection, marks(&answer.items.unwrap_or_default())?, more))
    }

    /// The newest `rows` shipments of a connection in a status, and how many are in it, counted to `bound` and no further:
    /// from one reading, since an index is read by its size whatever of it is wanted.
    pub async fn newest_and_count(
        &self,
        connection: &ConnectionId,
        status: Status,
        rows: usize,
        bound: i32,
    ) -> Result<(Listed, Count), StoreError> {
        let (items, more) = self.places_newest_first(connection, status, bound).await?;
        let page = marks(items.get(..rows).unwrap_or(&items))?;
        let count = Count { counted: u32::try_from(items.len()).unwrap_or(u32::MAX), more };
        Ok((Listed::of(connection, page, more || items.len() > rows), count))
    }

    /// Where in the list of a status its shipments stand, the newest first, to `bound`; and whether there are more.
    async fn places_newest_first(
        &self,
        connection: &ConnectionId,
        status: Status,
        bound: i32,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .key_condition_expression("status_pk = :pk")
            .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, status)))
            .projection_expression("status_sk")
            .scan_index_forward(false)
            .limit(bound)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// How many shipments of a connection are in a status, and how many of them were imported since a time: from one
    /// reading, the newest first, to `bound` and no further.
    pub async fn count_status_and_since(
        &self,
        connection: &ConnectionId,
        status: Status,
        since: Timestamp,
        bound: i32,
    ) -> Result<(Count, Count), StoreError> {
        let (places, more) = self.places_newest_first(connection, status, bound).await?;
        let least = keys::status_sk_since(since);
        let is_new = |item: &&Item| item.get("status_sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| *sk >= least);
        let new = places.iter().filter(is_new).count();
        let count = |counted: usize, more| Count { counted: u32::try_from(counted).unwrap_or(u32::MAX), more };
        // Newest first: where an older one was reached, all newer ones were met.
        Ok((count(places.len(), more), count(new, more && new == places.len())))
    }

    /// How many shipments of a connection are in a status, since a time if one is given; counted to `bound` and no
    /// further. Shipped ones are sorted by when that became known, all others by when they were imported.
    pub async fn count_status(
        &self,
        connection: &ConnectionId,
        status: Status,
        since: Option<Timestamp>,
        bound: i32,
    ) -> Result<Count, StoreError> {
        let pk = keys::status_pk(&self.id, connection, status);
        let query = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .select(Select::Count)
            .expression_attribute_values(":pk", codec::text(pk))
            .limit(bound);
        let query = match since {
            None => query.key_condition_expression("status_pk = :pk"),
            Some(since) => query
                .key_condition_expression("status_pk = :pk AND status_sk >= :since")
                .expression_attribute_values(":since", codec::text(format!("{since:.3}"))),
        };
        let answer = query.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
        Ok(Count {
            counted: answer.count.unsigned_abs(),
            more: answer.last_evaluated_key.is_some_and(|key| !key.is_empty()),
        })
    }

    /// How many orders of a connection were not imported, counted to `bound` and no further.
    pub async fn count_not_imported(&self, connection: &ConnectionId, bound: i32) -> Result<Count, StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .select(Select::Count)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", codec::text(keys::not_imported_pk(&self.id, connection)))
            .limit(bound)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        Ok(Count {
            counted: answer.count.unsigned_abs(),
            more: answer.last_evaluated_key.is_some_and(|key| !key.is_empty()),
        })
    }

    /// Which order of a connection has this number: kept where the merchant lets no number be imported twice.
    pub async fn order_with_number(
        &self,
        connection: &ConnectionId,
        number: &OrderNumber,
    ) -> Result<Option<OrderId>, StoreError> {
        let item = reads::get(self, &self.tables().shipments, &keys::number(&self.id, connection, number)).await?;
        Ok(item.and_then(|item| item.get("order")?.as_n().ok()?.parse().ok()).map(OrderId))
    }

    /// All shipments of an order.
    pub async fn shipments_of(
        &self,
        connection: &ConnectionId,
        order: OrderId,
    ) -> Result<Vec<renkei_domain::shipment::Shipment>, StoreError> {
        let pk = keys::order_pk(&self.id, connection, order);
        let items = reads::partition(self, &self.tables().shipments, &pk, Some("P#")).await?;
        items.into_iter().map(|item| codec::from_item("shipment", item)).collect()
    }
}

pub(crate) fn marks(items: &[Item]) -> Result<Vec<Mark>, StoreError> {
    items.iter().map(mark_of).collect::<Option<_>>().ok_or_else(unreadable)
}

fn mark_of(item: &Item) -> Option<Mark> {
    let mut parts = item.get("status_sk")?.as_s().ok()?.splitn(3, '#');
    Some(Mark {
        since: parts.next()?.parse().ok()?,
        order: parts.next()?.parse().ok()?,
        parcel: parts.next()?.parse().ok()?,
    })
}

fn unreadable() -> StoreError {
    StoreError::Unreadable { kind: "shipment", reason: "its key is not of the known form".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_behind_its_last_place_and_only_where_there_is_more() {
        let connection = ConnectionId::parse("shop").unwrap();
        let mark = |order| Mark { since: Timestamp::UNIX_EPOCH, order, parcel: 1 };
        let page = Listed::of(&connection, vec![mark(9), mark(8)], true);
        assert_eq!((page.next, page.ids[1].order), (Some(mark(8)), OrderId(8)));
        assert_eq!(Listed::of(&connection, vec![mark(9)], false).next, None);
        assert_eq!(Listed::of(&connection, Vec::new(), true).next, None);
    }

    #[test]
    fn a_mark_comes_back_as_it_went_and_takes_nothing_else() {
        let mark = Mark { since: "2026-11-24T01:02:03.456Z".parse().unwrap(), order: 88111, parcel: 2 };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "1", "1.2", "1.2.x", "1.2.3.4", "S#other#shop.1.1", "99999999999999999999.1.1"] {
            assert_eq!(wrong.parse::<Mark>(), Err(()), "{wrong}");
        }
    }
}
