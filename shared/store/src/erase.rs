//! Everything of one tenant, found and removed: for the end of a contract.
//!
//! It reads whole tables and keeps what is the tenant's by its key, so that nothing is passed over which no listing leads
//! to. That costs a pass over all data and is an operator's act; no function does it. Safe to repeat: the tenant's entry in
//! the list of tenants goes last.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use renkei_domain::ids::TenantId;

use crate::Tenant;
use crate::codec::Item;
use crate::error::StoreError;
use crate::keys::{Key, TENANTS_PK};

const WRITE_AT_ONCE: usize = 25;
const ATTEMPTS: u32 = 8;
/// What a key of a grant, which begins with no tenant, is known by.
const OWNER: &str = "tenant";

impl Tenant {
    /// How many items each table has of this tenant.
    pub async fn count_everything(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        let mut counts = BTreeMap::new();
        for (name, table) in self.all_tables() {
            counts.insert(name.to_owned(), self.keys_in(&table).await?.len());
        }
        Ok(counts)
    }

    /// Removes all that the tables have of this tenant, and says how much that was, by table.
    pub async fn erase_everything(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        let mut counts = BTreeMap::new();
        for (name, table) in self.all_tables() {
            let (mut now, last): (Vec<Key>, Vec<Key>) =
                self.keys_in(&table).await?.into_iter().partition(|key| key.pk != TENANTS_PK);
            counts.insert(name.to_owned(), now.len() + last.len());
            // With its settings the tenant stops being served; they go before what they would write anew.
            now.sort_by_key(|key| !key.pk.starts_with("T#"));
            self.delete_all(&table, now).await?;
            self.delete_all(&table, last).await?;
        }
        Ok(counts)
    }

    /// The table with the settings and the entry of the tenant comes last.
    fn all_tables(&self) -> [(&'static str, String); 5] {
        let tables = self.tables();
        [
            ("shipments", tables.shipments.clone()),
            ("stock", tables.stock.clone()),
            ("runs", tables.runs.clone()),
            ("gate", tables.gate.clone()),
            ("robots", tables.robots.clone()),
        ]
    }

    async fn keys_in(&self, table: &str) -> Result<Vec<Key>, StoreError> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client()
                .scan()
                .table_name(table)
                .consistent_read(true)
                .projection_expression("pk, sk, #owner")
                .expression_attribute_names("#owner", OWNER)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Scan", &e))?;
            let items = page.items.unwrap_or_default();
            found.extend(items.iter().filter(|item| is_of(&self.id, item)).filter_map(Key::of));
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    async fn delete_all(&self, table: &str, keys: Vec<Key>) -> Result<(), StoreError> {
        const OPERATION: &str = "BatchWriteItem";
        for some in keys.chunks(WRITE_AT_ONCE) {
            let mut open: Vec<WriteRequest> = Vec::with_capacity(some.len());
            for key in some {
                let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build();
                let delete = delete.map_err(|e| StoreError::Refused {
                    operation: OPERATION,
                    code: "build".into(),
                    message: e.to_string(),
                })?;
                open.push(WriteRequest::builder().delete_request(delete).build());
            }
            for attempt in 0..=ATTEMPTS {
                if attempt == ATTEMPTS {
                    return Err(StoreError::Unavailable { operation: OPERATION, code: "items left".into() });
                }
                if attempt > 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(20 << attempt)).await;
                }
                let answer = self.client().batch_write_item().request_items(table, open).send().await;
                let left = answer.map_err(|e| StoreError::from_sdk(OPERATION, &e))?.unprocessed_items;
                match left.and_then(|mut left| left.remove(table)) {
                    Some(left) if !left.is_empty() => open = left,
                    _ => break,
                }
            }
        }
        Ok(())
    }
}

/// Is this item the tenant's? By the table in `keys.rs`.
fn is_of(tenant: &TenantId, item: &Item) -> bool {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else { return false };
    let name = tenant.as_str();
    match pk.split_once('#') {
        // One capital letter, then the tenant. Tenants' own ids have no capital letters.
        Some(("S" | "N" | "X" | "T" | "P" | "Y" | "H" | "G" | "W" | "A" | "C" | "O", rest)) => {
            rest.split('#').next() == Some(name)
        }
        Some(("K", _)) => text(OWNER) == Some(name),
        Some(("U", _)) => sk == name,
        // Gates and runs.
        Some((owner, _)) => owner == name,
        None => pk == TENANTS_PK && sk == name,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;
    use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RobotId, ShipFromId, ShipmentId, Sku};
    use renkei_domain::member::Email;

    use super::*;
    use crate::{codec, keys};

    fn keys_of(tenant: &TenantId) -> Vec<Key> {
        let connection = ConnectionId::parse("main").unwrap();
        let ship_from = ShipFromId::parse("dc").unwrap();
        let id = ShipmentId::lead(connection.clone(), OrderId(1));
        let sku = Sku::parse("A").unwrap();
        let email = Email::parse("owner@hanako.example").unwrap();
        vec![
            keys::shipment(tenant, &id),
            keys::detail(tenant, &id, "1"),
            keys::sale(tenant, &id),
            keys::number(tenant, &connection, &OrderNumber::parse("N#other#1").unwrap()),
            keys::not_imported(tenant, &connection, "1"),
            keys::current_settings(tenant),
            keys::settings_version(tenant, 1),
            keys::usual(tenant),
            keys::kept_counts(tenant),
            keys::notices(tenant),
            keys::tenant_entry(tenant),
            keys::product(tenant, &sku),
            keys::sync(tenant, &connection, "MARK"),
            keys::called_off(tenant, &connection),
            keys::hint(tenant, &connection, "H#1"),
            keys::grant("abc"),
            keys::listed_grant(tenant, "1"),
            keys::member(tenant, &email),
            keys::membership(&email, tenant),
            keys::audit(tenant, Timestamp::UNIX_EPOCH, "1"),
            keys::gate(tenant, &connection),
            keys::count(tenant, &ship_from, &sku),
            keys::offer(tenant, &connection, &sku),
            keys::run(tenant, "run"),
            keys::run_page(tenant, "run", 1),
            keys::health(tenant, &connection, &RobotId::parse("main/fetch-orders").unwrap()),
        ]
    }

    /// A kind of item that `keys.rs` gains and this does not know would outlive its tenant.
    #[test]
    fn every_kind_of_item_is_known_by_its_tenant() {
        let [hanako, hana, other] = ["hanako", "hana", "other"].map(|name| TenantId::parse(name).unwrap());
        for key in keys_of(&hanako) {
            let mut item = key.attributes();
            item.insert(OWNER.to_owned(), codec::text("hanako"));
            assert!(is_of(&hanako, &item), "{key:?}");
            assert!(!is_of(&hana, &item) && !is_of(&other, &item), "{key:?}");
        }
        let source = include_str!("keys.rs");
        let listed: HashSet<&str> = source.lines().filter(|line| line.starts_with("//! | ")).collect();
        assert_eq!(listed.len(), 25, "the table of keys has another row: teach `is_of` and this test: {listed:#?}");
    }
}
