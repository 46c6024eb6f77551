//! The latest shipments of a connection: real orders on which a change of robots is tried before it is applied.

use renkei_domain::ids::{ConnectionId, ShipmentId};
use renkei_domain::shipment::{Shipment, Status};

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys;

impl Tenant {
    /// The first parcels of the latest orders, newest import first, at most `limit`.
    pub async fn latest_orders(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Shipment>, StoreError> {
        let mut ids: Vec<(String, ShipmentId)> = Vec::new();
        for status in [Status::Hold, Status::Ready, Status::Picking, Status::Shipped] {
            let answer = self
                .client()
                .query()
                .table_name(&self.tables().shipments)
                .index_name("by_status")
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", "status_pk")
                .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, status)))
                .scan_index_forward(false)
                .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", &e))?;
            for item in answer.items.unwrap_or_default() {
                let Some(sort) = item.get("status_sk").and_then(|value| value.as_s().ok()) else { continue };
                let mut parts = sort.split('#').skip(1);
                let order = parts.next().and_then(|order| order.parse().ok());
                let Some(order) = order.map(renkei_domain::ids::OrderId) else { continue };
                ids.push((sort.clone(), ShipmentId::lead(connection.clone(), order)));
            }
        }
        ids.sort_by(|one, other| other.0.cmp(&one.0));
        let mut latest: Vec<ShipmentId> = Vec::with_capacity(limit);
        for (_, id) in ids {
            if latest.len() < limit && !latest.contains(&id) {
                latest.push(id);
            }
        }
        self.shipments(&latest).await
    }

    /// How many shipments of a connection a warehouse may still ship: on hold, ready, or in its hands. Counts up to
    /// `most` of each.
    pub async fn open_shipments(
        &self,
        connection: &ConnectionId,
        most: i32,
    ) -> Result<Vec<(Status, usize)>, StoreError> {
        let mut open = Vec::new();
        for status in [Status::Hold, Status::Ready, Status::Picking] {
            let page = self.shipments_by_status(connection, status, most, None).await?;
            if !page.rows.is_empty() {
                open.push((status, page.rows.len()));
            }
        }
        Ok(open)
    }
}
