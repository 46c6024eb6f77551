//! What a warehouse looks through: shipments by status and time, several connections as one list.

use aws_sdk_dynamodb::types::AttributeValue;
use renkei_domain::ids::{ConnectionId, ShipmentId};
use renkei_domain::shipment::Status;

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys;
use crate::shipments::{id_from, sort_key};

/// One row of a connection's shipments in a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// Where it stands in the list: sorts by time, oldest first.
    pub at: String,
    /// The shipment.
    pub id: ShipmentId,
}

/// Where a list is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From<'a> {
    /// At its beginning.
    Start,
    /// At this place, with what stands there.
    At(&'a str),
    /// Behind this place.
    After(&'a str),
}

impl Tenant {
    /// A connection's shipments in a status, oldest first, at most `limit` of them; and whether there are more. The list
    /// follows the records a moment behind.
    pub async fn status_rows(
        &self,
        connection: &ConnectionId,
        status: Status,
        from: From<'_>,
        limit: i32,
    ) -> Result<(Vec<StatusRow>, bool), StoreError> {
        let mut query = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, status)))
            .limit(limit);
        let place = |place: &str| AttributeValue::S(place.to_owned());
        query = match from {
            From::Start => query.key_condition_expression("status_pk = :pk"),
            From::At(at) => query
                .key_condition_expression("status_pk = :pk AND status_sk >= :at")
                .expression_attribute_values(":at", place(at)),
            From::After(at) => query
                .key_condition_expression("status_pk = :pk AND status_sk > :at")
                .expression_attribute_values(":at", place(at)),
        };
        let answer = query.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let rows = answer.items.unwrap_or_default();
        let row = |item| {
            let at = sort_key(item, "status_sk")?;
            let mut parts = at.split('#').skip(1).map(str::to_owned);
            let id = id_from(connection, parts.next(), parts.next())?;
            Ok(StatusRow { at: at.to_owned(), id })
        };
        Ok((rows.iter().map(row).collect::<Result<_, StoreError>>()?, more))
    }
}
