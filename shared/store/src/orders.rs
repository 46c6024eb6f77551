//! Orders that were not imported, and why. Nothing is lost: each keeps the order itself, so that it can be imported once
//! the cause is gone.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, Sku};
use renkei_domain::run::Outcome;
use renkei_domain::work::{ImportOrder, Place};
use serde::{Deserialize, Serialize};

use crate::Tenant;
use crate::awaiting_products::ToRetry;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;

const KIND: &str = "order that was not imported";
/// How the name of a row begins of which not even an id could be read.
const ROW: &str = "row#";
/// Rows that are taken off the list at the same moment.
const AT_ONCE: usize = 16;

/// An order that was not imported.
#[derive(Debug, Clone, PartialEq)]
pub struct NotImported {
    /// What is known of it.
    pub summary: NotImportedSummary,
    /// The message that would import it: put it on the queue again and it is tried anew.
    pub message: ImportOrder,
}

/// What is known of an order that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotImportedSummary {
    /// The shop's id; None where not even that could be read.
    pub order_id: Option<u64>,
    /// The order's number, if readable.
    pub order_number: Option<String>,
    /// Quarantined, refused, or a duplicate of another order's number.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The SKUs that must exist before it can be imported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_skus: Vec<Sku>,
    /// When this was noted; the order was read a moment before.
    pub at: Timestamp,
    /// The order's last change at the shop by then, if the shop says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// The run that read it.
    pub run: String,
}

impl NotImportedSummary {
    pub(crate) fn of(mut item: Item) -> Result<Self, StoreError> {
        item.retain(|_, value| !matches!(value, AttributeValue::B(_)));
        codec::from_item(KIND, item)
    }
}

impl NotImported {
    /// What it is kept under: the order's id, or for a row without one the place where it was read.
    fn name(&self) -> String {
        self.summary.order_id.map_or_else(
            || {
                let Place { page, row } = self.message.place;
                format!("{ROW}{}#{page}#{row}", self.summary.run)
            },
            |id| id.to_string(),
        )
    }
}

impl Tenant {
    /// Keeps orders that were not imported. The latest reading of an order replaces an earlier one.
    pub async fn keep_not_imported(&self, connection: &ConnectionId, orders: &[NotImported]) -> Result<(), StoreError> {
        // A message is sent again as it is kept: another tenant's would act for that one.
        if orders.iter().any(|order| order.message.tenant != self.id) {
            return Err(StoreError::NotOwn { kind: KIND });
        }
        let mut items = std::collections::HashMap::new();
        for order in orders {
            let key = keys::not_imported(&self.id, connection, &order.name());
            let mut item = codec::to_item(KIND, &order.summary)?;
            item.extend(key.attributes());
            item.insert("v".into(), codec::version());
            item.insert("body".into(), codec::pack(KIND, &order.message)?);
            items.insert(key, item);
        }
        reads::batch_put(self, &self.tables().shipments, items.into_values().collect()).await
    }

    /// All orders of a connection that are not imported.
    pub async fn not_imported(&self, connection: &ConnectionId) -> Result<Vec<NotImported>, StoreError> {
        let pk = keys::not_imported_pk(&self.id, connection);
        reads::partition(self, &self.tables().shipments, &pk, None).await?.into_iter().map(not_imported).collect()
    }

    /// What is known of them, without the orders themselves: those that are never to be imported stay on the list until somebody takes them off.
    pub async fn not_imported_summaries(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<NotImportedSummary>, StoreError> {
        let pk = keys::not_imported_pk(&self.id, connection);
        let mut summaries = Vec::new();
        let take = |item| {
            summaries.push(NotImportedSummary::of(item)?);
            Ok(())
        };
        reads::each(self, &self.tables().shipments, &pk, None, take).await?;
        Ok(summaries)
    }

    /// Those that were read at `since` or later, to be tried once more as they were read; and how many others there are,
    /// which only the shop can say anything of by now.
    pub async fn not_imported_lately(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<ToRetry, StoreError> {
        let pk = keys::not_imported_pk(&self.id, connection);
        let (mut lately, mut before) = (Vec::new(), 0);
        let take = |item: Item| {
            let noted_at = item.get("at").and_then(|at| at.as_s().ok()).and_then(|at| at.parse::<Timestamp>().ok());
            if noted_at.is_some_and(|at| at >= since) {
                lately.push(message_of(&item)?);
            } else {
                before += 1;
            }
            Ok(())
        };
        reads::each(self, &self.tables().shipments, &pk, None, take).await?;
        Ok(ToRetry::of(lately, before, since))
    }

    /// One order of a connection, if it is not imported.
    pub async fn not_imported_order(
        &self,
        connection: &ConnectionId,
        order: OrderId,
    ) -> Result<Option<NotImported>, StoreError> {
        let key = keys::not_imported(&self.id, connection, &order.to_string());
        reads::get(self, &self.tables().shipments, &key).await?.map(not_imported).transpose()
    }

    /// Is this order on the list? Holds whatever is kept of it.
    pub async fn is_not_imported(&self, connection: &ConnectionId, order: OrderId) -> Result<bool, StoreError> {
        let key = keys::not_imported(&self.id, connection, &order.to_string());
        Ok(reads::get(self, &self.tables().shipments, &key).await?.is_some())
    }

    /// Takes an order off the list: it has been imported after all, or nobody waits for it any more.
    pub async fn forget_not_imported(&self, connection: &ConnectionId, order_id: u64) -> Result<(), StoreError> {
        self.forget_kept(&keys::not_imported(&self.id, connection, &order_id.to_string())).await
    }

    /// Takes rows off the list of which not even an id could be read: so many at most, for each fetch adds its own. Says how
    /// many, which is `most` where there are more.
    pub async fn forget_rows_without_id(&self, connection: &ConnectionId, most: usize) -> Result<u64, StoreError> {
        let pk = keys::not_imported_pk(&self.id, connection);
        let (mut rows, mut from): (Vec<Key>, _) = (Vec::new(), None);
        loop {
            let answer = self
                .client()
                .query()
                .table_name(&self.tables().shipments)
                .key_condition_expression("pk = :pk AND begins_with(sk, :row)")
                .expression_attribute_values(":pk", codec::text(&pk))
                .expression_attribute_values(":row", codec::text(ROW))
                .projection_expression("pk, sk")
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", &e))?;
            rows.extend(answer.items.unwrap_or_default().iter().filter_map(Key::of));
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() || rows.len() >= most {
                break;
            }
        }
        rows.truncate(most);
        let count = rows.len() as u64;
        let forgotten = futures::stream::iter(rows).map(|row| async move { self.forget_kept(&row).await });
        forgotten.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(count)
    }

    async fn forget_kept(&self, key: &Key) -> Result<(), StoreError> {
        self.client()
            .delete_item()
            .table_name(&self.tables().shipments)
            .set_key(Some(key.attributes()))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("DeleteItem", &e))?;
        Ok(())
    }
}

fn not_imported(item: Item) -> Result<NotImported, StoreError> {
    let message = message_of(&item)?;
    Ok(NotImported { summary: NotImportedSummary::of(item)?, message })
}

/// The message that is kept with an order. It has a version of its own: it is put on a queue again as it is.
pub(crate) fn message_of(item: &Item) -> Result<ImportOrder, StoreError> {
    let message: serde_json::Value = codec::unpack(KIND, item, "body")?;
    ImportOrder::read(&message.to_string())
        .map_err(|error| StoreError::Unreadable { kind: KIND, reason: format!("its message: {error}") })
}
