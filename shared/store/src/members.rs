//! 担当者: which person may do what for which merchant.
//!
//! Kept twice, in one transaction: below the merchant for its list of members, below the person for the moment after
//! signing in, when it is not yet known which merchants are theirs.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::member::{Email, Role};
use serde::{Deserialize, Serialize};

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;
use crate::{Store, Tenant};

const KIND: &str = "member";

/// A person with a role at a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub email: Email,
    /// Of which merchant.
    pub tenant: TenantId,
    /// May do what.
    pub role: Role,
    /// Since when with this role.
    pub since: Timestamp,
}

impl Store {
    /// The merchants that a person may work for.
    pub async fn memberships(&self, email: &Email) -> Result<Vec<Member>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.tables.robots)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", codec::text(keys::person_pk(email)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        // A person works for a handful of merchants: one page of a query holds thousands.
        answer.items.unwrap_or_default().into_iter().map(member).collect()
    }
}

impl Tenant {
    /// The person's membership of this merchant; None if it is none of theirs.
    pub async fn member(&self, email: &Email) -> Result<Option<Member>, StoreError> {
        reads::get(self, &self.tables().robots, &keys::member(&self.id, email)).await?.map(member).transpose()
    }

    /// All members, by address.
    pub async fn members(&self) -> Result<Vec<Member>, StoreError> {
        let pk = keys::members_pk(&self.id);
        reads::partition(self, &self.tables().robots, &pk, None).await?.into_iter().map(member).collect()
    }

    /// Makes a person a member, or gives a member another role. Safe to repeat.
    pub async fn put_member(&self, email: &Email, role: Role, now: Timestamp) -> Result<(), StoreError> {
        let record = Member { email: email.clone(), tenant: self.id.clone(), role, since: now };
        let put = |key: Key| {
            let mut item = codec::to_item(KIND, &record)?;
            item.extend(key.attributes());
            item.insert("v".into(), codec::version());
            let put = Put::builder().table_name(&self.tables().robots).set_item(Some(item)).build().map_err(built)?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        };
        self.client()
            .transact_write_items()
            .transact_items(put(keys::member(&self.id, email))?)
            .transact_items(put(keys::membership(email, &self.id))?)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("TransactWriteItems", &e))?;
        Ok(())
    }

    /// Takes a person's membership away. Takes effect with their next click. Safe to repeat.
    pub async fn remove_member(&self, email: &Email) -> Result<(), StoreError> {
        let delete = |key: Key| {
            let delete = Delete::builder()
                .table_name(&self.tables().robots)
                .set_key(Some(key.attributes()))
                .build()
                .map_err(built)?;
            Ok::<_, StoreError>(TransactWriteItem::builder().delete(delete).build())
        };
        self.client()
            .transact_write_items()
            .transact_items(delete(keys::member(&self.id, email))?)
            .transact_items(delete(keys::membership(email, &self.id))?)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("TransactWriteItems", &e))?;
        Ok(())
    }
}

pub(crate) fn member(item: Item) -> Result<Member, StoreError> {
    codec::from_item(KIND, item)
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn built(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Refused { operation: "TransactWriteItems", code: "build".into(), message: error.to_string() }
}
