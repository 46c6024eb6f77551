//! 操作履歴: who changed what, and who was refused. Kept as long as the merchant is; nothing of it is ever changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys;
use crate::shipments::{Cursor, Page};

const KIND: &str = "audit entry";

/// Was it done?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// Yes.
    Done,
    /// No: the person's role does not allow it.
    Refused,
    /// No: it could not be.
    Failed,
}

impl AuditOutcome {
    /// Its name in listings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Something that a person did, or was not let do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: an e-mail address, or `renkei` and the operator's name for the command line.
    pub by: String,
    /// What, as a word: `shipment.hold`, `settings.apply`, `member.add`, `page`.
    pub action: String,
    /// To what: a shipment's id, a path, an address. No customer's data.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Was it done?
    pub outcome: AuditOutcome,
    /// More, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Tenant {
    /// Writes entries down. `id` tells apart what happens in the same millisecond; the same id again replaces.
    pub async fn audit(&self, id: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut item = codec::to_item(KIND, entry)?;
        item.extend(keys::audit(&self.id, entry.at, id).attributes());
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

    /// Entries, latest first; `before` is the place that the last page ended at.
    pub async fn audit_log(&self, limit: i32, before: Option<&str>) -> Result<Page<(String, AuditEntry)>, StoreError> {
        let pk = keys::audit_pk(&self.id);
        let from = before.map(|sk| Item::from([("pk".into(), codec::text(&*pk)), ("sk".into(), codec::text(sk))]));
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().robots)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", codec::text(&*pk))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        let rows = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| {
                let place = keys::Key::of(&item).map(|key| key.sk).unwrap_or_default();
                Ok((place, codec::from_item(KIND, item)?))
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Page { rows, next: answer.last_evaluated_key.filter(|key| !key.is_empty()).map(Cursor) })
    }
}
