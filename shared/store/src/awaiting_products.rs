//! Orders that wait for products, and those that need not wait any more.

use std::collections::HashSet;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::run::Outcome;
use renkei_domain::work::ImportOrder;

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::orders::{NotImportedSummary, message_of};
use crate::reads;

/// Orders that do not wait for products any more, or that a person wants to be tried again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToRetry {
    /// The messages of those that were read lately: put on the import queue, they are imported.
    pub messages: Vec<ImportOrder>,
    /// How many others there are.
    pub with_next_fetch: usize,
}

impl ToRetry {
    /// Of orders that were noted lately, and so many that were noted before. One that came out of a backlog, or out of the
    /// dead letters, was noted lately and read long ago.
    pub(crate) fn of(noted_lately: Vec<ImportOrder>, noted_before: usize, since: Timestamp) -> Self {
        let noted = noted_lately.len();
        let messages: Vec<ImportOrder> =
            noted_lately.into_iter().filter(|message| message.fetched_at >= since).collect();
        let with_next_fetch = noted_before + noted - messages.len();
        Self { messages, with_next_fetch }
    }
}

impl Tenant {
    /// Quarantined orders that waited for products all of which exist now. Costs a read of the list of orders that were not
    /// imported, which is short or empty, and of the products that are waited for; orders themselves are read only if they
    /// go.
    ///
    /// Only what was read at `since` or later goes as it was read. Before that the shop may have changed or cancelled it:
    /// it is imported when the next fetch has read it anew, and is not if it is no more to be fetched.
    pub async fn orders_with_products(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<ToRetry, StoreError> {
        let table = &self.tables().shipments;
        let waiting = self.waiting_for_products(connection).await?;
        let missing: HashSet<Sku> =
            waiting.iter().flat_map(|(_, summary)| summary.missing_skus.iter().cloned()).collect();
        if missing.is_empty() {
            return Ok(ToRetry::default());
        }
        let known = self.known_skus(&missing).await?;
        let ready =
            waiting.into_iter().filter(|(_, summary)| summary.missing_skus.iter().all(|sku| known.contains(sku)));
        let (fresh, old): (Vec<_>, Vec<_>) = ready.partition(|(_, summary)| summary.at >= since);
        let found = reads::batch_get(self, table, fresh.into_iter().map(|(key, _)| key).collect()).await?;
        let messages = found.values().map(message_of).collect::<Result<_, StoreError>>()?;
        Ok(ToRetry::of(messages, old.len(), since))
    }

    /// Quarantined orders that wait for products, by their keys.
    async fn waiting_for_products(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<(Key, NotImportedSummary)>, StoreError> {
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
                    waiting.push((key, summary));
                }
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(waiting);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use renkei_domain::ids::TenantId;
    use renkei_domain::work::{Fetched, Place, VERSION};

    use super::*;

    fn read_at(fetched_at: &str) -> ImportOrder {
        ImportOrder {
            v: VERSION,
            tenant: TenantId::parse("hanako").unwrap(),
            connection: ConnectionId::parse("main").unwrap(),
            run: "run-1".into(),
            place: Place { page: 1, row: 0 },
            conversion_robot: None,
            fetched_at: fetched_at.parse().unwrap(),
            order: Fetched::Unreadable { id: Some(1), number: None, reason: String::new() },
        }
    }

    #[test]
    fn an_order_that_was_read_long_ago_waits_for_the_next_fetch_however_lately_it_was_noted() {
        let since = "2026-11-24T00:00:00Z".parse().unwrap();
        let (fresh, old) = (read_at("2026-11-24T00:00:00Z"), read_at("2026-11-23T23:59:59Z"));
        let found = ToRetry::of(vec![old, fresh.clone()], 2, since);
        assert_eq!(found, ToRetry { messages: vec![fresh], with_next_fetch: 3 });
    }
}
