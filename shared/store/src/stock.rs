//! 在庫: what warehouses counted, one item for each ship-from and SKU. The newest count wins, whatever order they come in.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;
use renkei_domain::ids::{ShipFromId, Sku};
use serde::{Deserialize, Serialize};

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys;
use crate::reads;

const KIND: &str = "stock count";

/// What a warehouse counted of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockCount {
    /// 商品コード.
    pub sku: Sku,
    /// How many are there.
    pub quantity: u32,
    /// When it was counted, by the warehouse's clock.
    pub counted_at: Timestamp,
}

impl Tenant {
    /// Keeps a count. False if a newer one is kept already: then nothing changes. A count of the same moment replaces the
    /// former, so that sending it again changes nothing.
    pub async fn put_count(&self, ship_from: &ShipFromId, count: &StockCount) -> Result<bool, StoreError> {
        let key = keys::count(&self.id, ship_from, &count.sku);
        let update = self
            .client()
            .update_item()
            .table_name(&self.tables().stock)
            .set_key(Some(key.attributes()))
            .update_expression("SET sku = :sku, quantity = :quantity, counted_at = :at, counted_ns = :ns, v = :v")
            .condition_expression("attribute_not_exists(pk) OR counted_ns <= :ns")
            .expression_attribute_values(":sku", codec::text(count.sku.as_str()))
            .expression_attribute_values(":quantity", codec::number(count.quantity))
            .expression_attribute_values(":at", codec::text(count.counted_at.to_string()))
            // Times as texts do not sort where they differ in their fractions.
            .expression_attribute_values(":ns", codec::number(count.counted_at.as_nanosecond()))
            .expression_attribute_values(":v", codec::version())
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// All counts of a ship-from.
    pub async fn counts(&self, ship_from: &ShipFromId) -> Result<Vec<StockCount>, StoreError> {
        let pk = keys::counts_pk(&self.id, ship_from);
        let items = reads::partition(self, &self.tables().stock, &pk, None).await?;
        items.into_iter().map(|item| codec::from_item(KIND, item)).collect()
    }
}
