//! Whether a merchant's staff are told of what needs them, and up to where they have been. The webhook's address is a
//! secret, and not here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;
use renkei_domain::ids::ConnectionId;
use serde::{Deserialize, Serialize};

use crate::{StoreError, Tenant, codec, keys};

const KIND: &str = "notices";

/// In which language a merchant's staff are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeLang {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

/// What was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeState {
    /// Counts the changes: each is made on condition that nobody else made one meanwhile.
    pub rev: u64,
    /// In which language.
    pub lang: NoticeLang,
    /// Since when staff are told.
    pub since: Timestamp,
    /// Who had it so.
    pub by: String,
    /// Runs that ended up to here were looked at.
    pub told_until: Timestamp,
    /// When something was last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Robots that stand still, as `connection/robot`, of which staff know.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub silent: BTreeSet<String>,
    /// Shops whose day's calls are spent, until when, of which staff know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blocked: BTreeMap<ConnectionId, Timestamp>,
    /// Why the last message did not arrive, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl NoticeState {
    /// From now on, in place of what there was.
    #[must_use]
    pub fn begin(before: Option<&Self>, lang: NoticeLang, by: impl Into<String>, now: Timestamp) -> Self {
        Self {
            rev: before.map_or(0, |before| before.rev),
            lang,
            since: now,
            by: by.into(),
            told_until: now,
            told_at: None,
            silent: BTreeSet::new(),
            blocked: BTreeMap::new(),
            failure: None,
        }
    }
}

impl Tenant {
    /// What was told; None if staff are not told.
    pub async fn notices(&self) -> Result<Option<NoticeState>, StoreError> {
        let answer = self
            .client()
            .get_item()
            .table_name(&self.tables().robots)
            .set_key(Some(keys::notices(&self.id).attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("GetItem", &error))?;
        answer.item.map(|item| codec::from_item(KIND, item)).transpose()
    }

    /// Writes what was told, on condition that it still is what `state.rev` counts: a later look, or a person who
    /// switches it off, is not written over. Says whether it was.
    pub async fn put_notices(&self, state: &NoticeState) -> Result<bool, StoreError> {
        let next = NoticeState { rev: state.rev + 1, ..state.clone() };
        let mut item = codec::to_item(KIND, &next)?;
        item.extend(keys::notices(&self.id).attributes());
        item.insert("v".into(), codec::version());
        let put = self.client().put_item().table_name(&self.tables().robots).set_item(Some(item));
        let put = if state.rev == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("rev = :before").expression_attribute_values(":before", codec::number(state.rev))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("PutItem", &error)),
        }
    }

    /// Staff are not told any more. Says whether they were.
    pub async fn end_notices(&self) -> Result<bool, StoreError> {
        let answer = self
            .client()
            .delete_item()
            .table_name(&self.tables().robots)
            .set_key(Some(keys::notices(&self.id).attributes()))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("DeleteItem", &error))?;
        Ok(answer.attributes.is_some_and(|old| !old.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden: what earlier releases wrote.
    #[test]
    fn stored_shapes_stay_readable() {
        let golden = r#"{"rev":2,"lang":"ja","since":"2026-11-24T01:00:00Z","by":"owner@shop.example","told_until":"2026-11-24T02:00:00Z","silent":["shop/fetch-orders"],"blocked":{"shop":"2026-11-25T00:00:00Z"},"failure":"the webhook did not answer"}"#;
        let state: NoticeState = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_string(&state).unwrap(), golden);
        let item = codec::to_item(KIND, &state).unwrap();
        assert_eq!(codec::from_item::<NoticeState>(KIND, item).unwrap(), state);
    }
}
