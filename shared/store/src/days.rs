//! How many shipments came to a status on one day: for charts, which people open now and then. And what is usual for a
//! merchant, reckoned once a day and kept.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;
use renkei_domain::ids::ConnectionId;
use renkei_domain::shipment::Status;
use serde::{Deserialize, Serialize};

use crate::lists::Count;
use crate::{StoreError, Tenant, codec, keys};

pub(crate) const KIND: &str = "usual";

/// What is usual for a merchant's shops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// The day in Japan on which it was reckoned, `2026-11-24`.
    pub day: String,
    /// Orders that are imported on a day, by shop.
    pub orders: BTreeMap<ConnectionId, u32>,
}

impl Tenant {
    /// How many shipments in a status came to it in this time: shipped ones when that became known, all others when they
    /// were imported. Counted to `bound` and no further.
    pub async fn count_between(
        &self,
        connection: &ConnectionId,
        status: Status,
        (from, until): (Timestamp, Timestamp),
        bound: i32,
    ) -> Result<Count, StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .select(Select::Count)
            .key_condition_expression("status_pk = :pk AND status_sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, status)))
            .expression_attribute_values(":from", codec::text(format!("{from:.3}")))
            .expression_attribute_values(":until", codec::text(format!("{until:.3}")))
            .limit(bound)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        Ok(Count {
            counted: answer.count.unsigned_abs(),
            more: answer.last_evaluated_key.is_some_and(|key| !key.is_empty()),
        })
    }

    /// Keeps what is usual.
    pub async fn keep_usual(&self, usual: &Usual) -> Result<(), StoreError> {
        let mut item = codec::to_item(KIND, usual)?;
        item.extend(keys::usual(&self.id).attributes());
        item.insert("v".into(), codec::version());
        self.client()
            .put_item()
            .table_name(&self.tables().robots)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("PutItem", &e))?;
        Ok(())
    }
}
