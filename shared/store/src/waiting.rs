//! Orders that wait for products, and those that need not wait any more.

use std::collections::HashSet;

use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::run::Outcome;
use renkei_domain::work::ImportOrder;

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::orders::{NotImportedSummary, message_of};
use crate::reads;

impl Tenant {
    /// The messages of quarantined orders that waited for products all of which exist now: put on the import queue, they
    /// are imported. Costs a read of the list of orders that were not imported, which is short or empty, and of the
    /// products that are waited for; orders themselves are read only if they go.
    pub async fn orders_with_products(&self, connection: &ConnectionId) -> Result<Vec<ImportOrder>, StoreError> {
        let table = &self.tables().shipments;
        let waiting = self.waiting_for_products(connection).await?;
        let missing: HashSet<Sku> = waiting.iter().flat_map(|(_, skus)| skus.iter().cloned()).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.known_skus(&missing).await?;
        let ready: Vec<Key> = waiting
            .into_iter()
            .filter(|(_, skus)| skus.iter().all(|sku| known.contains(sku)))
            .map(|(key, _)| key)
            .collect();
        let found = reads::batch_get(self, table, ready).await?;
        found.values().map(message_of).collect()
    }

    /// Keys of quarantined orders with the SKUs that they wait for.
    async fn waiting_for_products(&self, connection: &ConnectionId) -> Result<Vec<(Key, Vec<Sku>)>, StoreError> {
        let pk = keys::not_imported_pk(&self.id, connection);
        let mut waiting = Vec::new();
        let mut from = None;
        loop {
            let answer = self
                .client()
                .query()
                .table_name(&self.tables().shipments)
                .key_condition_expression("pk = :pk")
                .filter_expression("attribute_exists(missing_skus)")
                .expression_attribute_values(":pk", codec::text(&pk))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", &e))?;
            for item in answer.items.unwrap_or_default() {
                let Some(key) = Key::of(&item) else { continue };
                let summary = NotImportedSummary::of(item)?;
                if summary.outcome == Outcome::Quarantined && !summary.missing_skus.is_empty() {
                    waiting.push((key, summary.missing_skus));
                }
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(waiting);
            }
        }
    }
}
