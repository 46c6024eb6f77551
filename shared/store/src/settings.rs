//! A merchant's settings, as versions: applied all or nothing, kept, and read by every function in one request.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::settings::TenantSettings;

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;
use crate::{Store, Tenant};

const KIND: &str = "settings document";

/// Settings as they were applied.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedSettings {
    /// Counts the applied versions from 1.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// The settings. Products are not in them; they are kept one by one.
    pub settings: TenantSettings,
}

impl Store {
    /// All tenants, for the operator's listings.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        // The list of tenants is the one partition that is no tenant's; the handle only lends its client.
        let mut names = Vec::new();
        let mut from = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.tables.robots)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", codec::text(keys::TENANTS_PK))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", &e))?;
            let found = answer.items.unwrap_or_default();
            names.extend(found.iter().filter_map(Key::of).filter_map(|key| TenantId::parse(key.sk).ok()));
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(names);
            }
        }
    }
}

impl Tenant {
    /// The settings in force; None before the first.
    pub async fn settings(&self) -> Result<Option<AppliedSettings>, StoreError> {
        reads::get(self, &self.tables().robots, &keys::current_settings(&self.id)).await?.map(applied).transpose()
    }

    /// One version, if it was ever applied.
    pub async fn settings_version(&self, version: u64) -> Result<Option<AppliedSettings>, StoreError> {
        let key = keys::settings_version(&self.id, version);
        reads::get(self, &self.tables().robots, &key).await?.map(applied).transpose()
    }

    /// All versions ever applied, oldest first.
    pub async fn settings_history(&self) -> Result<Vec<AppliedSettings>, StoreError> {
        let pk = keys::tenant_pk(&self.id);
        reads::partition(self, &self.tables().robots, &pk, Some("V#")).await?.into_iter().map(applied).collect()
    }

    /// Versions of settings, the latest first, and no more than so many: those before a version, or the latest of all. Each is a
    /// whole document, so nobody reads all that there ever were to show a page.
    pub async fn settings_versions(&self, before: Option<u64>, most: i32) -> Result<Vec<AppliedSettings>, StoreError> {
        let last = before.map_or(u64::MAX, |before| before.saturating_sub(1));
        let mut found = Vec::new();
        let mut from = None;
        // A megabyte may hold fewer than that.
        loop {
            let left = most - i32::try_from(found.len()).unwrap_or(most);
            let answer = self
                .client()
                .query()
                .table_name(&self.tables().robots)
                .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", codec::text(keys::tenant_pk(&self.id)))
                .expression_attribute_values(":first", codec::text(keys::settings_version(&self.id, 0).sk))
                // As many digits as a version's key has.
                .expression_attribute_values(
                    ":last",
                    codec::text(keys::settings_version(&self.id, last.min(99_999_999)).sk),
                )
                .scan_index_forward(false)
                .limit(left)
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk("Query", &error))?;
            for item in answer.items.unwrap_or_default() {
                found.push(applied(item)?);
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() || found.len() >= usize::try_from(most).unwrap_or_default() {
                return Ok(found);
            }
        }
    }

    /// Applies settings as the version after `after` (0 for the first), all or nothing.
    ///
    /// # Errors
    /// `Conflict` if another version was applied meanwhile.
    pub async fn apply_settings(
        &self,
        settings: &TenantSettings,
        after: u64,
        at: Timestamp,
        by: &str,
    ) -> Result<AppliedSettings, StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        if settings.tenant != self.id {
            return Err(StoreError::NotOwn { kind: KIND });
        }
        let mut kept = settings.clone();
        kept.products.clear();
        let version = after + 1;
        let base = Item::from([
            ("v".to_owned(), codec::version()),
            ("version".to_owned(), codec::number(version)),
            ("at".to_owned(), codec::text(at.to_string())),
            ("by".to_owned(), codec::text(by)),
            ("body".to_owned(), codec::pack(KIND, &kept)?),
        ]);
        let put = |key: Key, item: Item, condition: Option<&str>| {
            let mut item = item;
            item.extend(key.attributes());
            let mut put = Put::builder().table_name(&self.tables().robots).set_item(Some(item));
            if let Some(condition) = condition {
                put = put.condition_expression(condition);
                if condition.contains(":after") {
                    put = put.expression_attribute_values(":after", codec::number(after));
                }
                if condition.contains("#version") {
                    put = put.expression_attribute_names("#version", "version");
                }
            }
            let put = put.build().map_err(|e| StoreError::Refused {
                operation: OPERATION,
                code: "build".into(),
                message: e.to_string(),
            })?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        };
        let unchanged = if after == 0 { "attribute_not_exists(pk)" } else { "#version = :after" };
        let sent = self
            .client()
            .transact_write_items()
            .transact_items(put(keys::current_settings(&self.id), base.clone(), Some(unchanged))?)
            .transact_items(put(keys::settings_version(&self.id, version), base, Some("attribute_not_exists(pk)"))?)
            .transact_items(put(keys::tenant_entry(&self.id), Item::from([("v".to_owned(), codec::version())]), None)?)
            .send()
            .await;
        let done = AppliedSettings { version, at, by: by.to_owned(), settings: kept };
        match sent {
            Ok(_) => Ok(done),
            Err(error) => {
                // After a lost answer the repeated request finds its own version.
                match self.settings().await? {
                    Some(current) if current == done => Ok(done),
                    Some(current) if current.version != after => Err(StoreError::Conflict { kind: KIND }),
                    _ => Err(reads::not_written(OPERATION, &error)),
                }
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "fits map")]
pub(crate) fn applied(item: Item) -> Result<AppliedSettings, StoreError> {
    let unreadable = |name: &str| StoreError::Unreadable { kind: KIND, reason: format!("it has no {name}") };
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).ok_or_else(|| unreadable(name));
    let version = item.get("version").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
    Ok(AppliedSettings {
        version: version.ok_or_else(|| unreadable("version"))?,
        at: text("at")?.parse().map_err(|_| unreadable("time"))?,
        by: text("by")?.clone(),
        settings: codec::unpack(KIND, &item, "body")?,
    })
}
