//! 担当者: which person may do what for which merchant.
//!
//! Kept twice, in one transaction: below the merchant for its list of members, below the person for the moment after
//! signing in, when it is not yet known which merchants are theirs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::member::{Email, Role};
use serde::{Deserialize, Serialize};

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads::{self, CONDITION_FAILED, TRANSACTION_CONFLICT};
use crate::{Store, Tenant};

const KIND: &str = "member";
/// So often a change is decided anew because somebody else was quicker.
const ATTEMPTS: u32 = 5;

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

/// What became of a change to a merchant's members.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// It is as it was asked for.
    Done,
    /// Nothing: the merchant would be left without an owner, and with nobody who may name one.
    LastOwner,
    /// Nothing: the person is no member of this merchant.
    NotThere,
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
    pub async fn put_member(&self, email: &Email, role: Role, now: Timestamp) -> Result<MemberChange, StoreError> {
        let record = Member { email: email.clone(), tenant: self.id.clone(), role, since: now };
        self.change_member(email, Some(&record)).await
    }

    /// Takes a person's membership away. Takes effect with their next click. Safe to repeat.
    pub async fn remove_member(&self, email: &Email) -> Result<MemberChange, StoreError> {
        self.change_member(email, None).await
    }

    /// Reads, decides and writes on condition that what was decided on is still so: of two owners who take each other's
    /// role away at the same moment, one stays.
    async fn change_member(&self, email: &Email, becomes: Option<&Member>) -> Result<MemberChange, StoreError> {
        for _ in 0..ATTEMPTS {
            let members = self.members().await?;
            let before = members.iter().find(|member| member.email == *email);
            if before.is_none() && becomes.is_none() {
                return Ok(MemberChange::NotThere);
            }
            let is_owner = |member: &Member| member.role == Role::Owner;
            let stays = if before.is_some_and(is_owner) && !becomes.is_some_and(is_owner) {
                match members.iter().find(|member| is_owner(member) && member.email != *email) {
                    Some(other) => Some(&other.email),
                    None => return Ok(MemberChange::LastOwner),
                }
            } else {
                None
            };
            if self.write_member(email, before.map(|member| member.role), becomes, stays).await? {
                return Ok(MemberChange::Done);
            }
        }
        Err(StoreError::Conflict { kind: KIND })
    }

    /// False if somebody has changed the member, or the owner who `stays`, meanwhile.
    async fn write_member(
        &self,
        email: &Email,
        before: Option<Role>,
        becomes: Option<&Member>,
        stays: Option<&Email>,
    ) -> Result<bool, StoreError> {
        let table = &self.tables().robots;
        let condition = if before.is_some() { "#role = :before" } else { "attribute_not_exists(pk)" };
        let names = before.map(|_| HashMap::from([("#role".to_owned(), "role".to_owned())]));
        let values = before.map(|role| HashMap::from([(":before".to_owned(), codec::text(role.as_str()))]));
        let write = |key: Key, is_decisive: bool| {
            let condition = is_decisive.then(|| condition.to_owned());
            let (names, values) = if is_decisive { (names.clone(), values.clone()) } else { (None, None) };
            let part = TransactWriteItem::builder();
            if let Some(record) = becomes {
                let mut item = codec::to_item(KIND, record)?;
                item.extend(key.attributes());
                item.insert("v".into(), codec::version());
                let put = Put::builder().table_name(table).set_item(Some(item)).set_condition_expression(condition);
                let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
                Ok(part.put(put.build().map_err(built)?).build())
            } else {
                let delete = Delete::builder().table_name(table).set_key(Some(key.attributes()));
                let delete = delete.set_condition_expression(condition).set_expression_attribute_names(names);
                Ok::<_, StoreError>(
                    part.delete(delete.set_expression_attribute_values(values).build().map_err(built)?).build(),
                )
            }
        };
        let mut request = self
            .client()
            .transact_write_items()
            .transact_items(write(keys::member(&self.id, email), true)?)
            .transact_items(write(keys::membership(email, &self.id), false)?);
        if let Some(other) = stays {
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(keys::member(&self.id, other).attributes()))
                .condition_expression("#role = :owner")
                .expression_attribute_names("#role", "role")
                .expression_attribute_values(":owner", codec::text(Role::Owner.as_str()))
                .build()
                .map_err(built)?;
            request = request.transact_items(TransactWriteItem::builder().condition_check(check).build());
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => match reads::cancelled_for(&error).as_slice() {
                [] => Err(StoreError::from_sdk("TransactWriteItems", &error)),
                reasons if reasons.iter().all(|code| matches!(*code, CONDITION_FAILED | TRANSACTION_CONFLICT)) => {
                    Ok(false)
                }
                [code, ..] => Err(StoreError::from_code("TransactWriteItems", code, "the transaction was cancelled")),
            },
        }
    }
}

pub(crate) fn member(item: Item) -> Result<Member, StoreError> {
    codec::from_item(KIND, item)
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn built(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Refused { operation: "TransactWriteItems", code: "build".into(), message: error.to_string() }
}
