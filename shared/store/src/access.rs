//! Keys of warehouses, and secrets in the addresses of webhooks: who may come in from outside, and to what.
//!
//! A secret is shown once, when it is made; kept is its SHA-256 only. A plain hash is enough, because there is nothing to
//! guess: a secret is 256 random bits, not a word that somebody chose. Looking it up by its hash needs no comparison in
//! constant time either: how long the look-up takes can tell at most something about the hash, and a hash that is known
//! opens nothing.
//!
//! Each secret has two items: one by its hash, which alone lets in, and one in its tenant's list, for people. They are
//! written together. Nothing of this is cached anywhere: what has been revoked lets nobody in from the next request on.

use std::fmt;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId, WarehouseId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys;
use crate::reads;
use crate::{Store, Tenant};

const KIND: &str = "key";
const TRANSACTION: &str = "TransactWriteItems";

/// What a secret opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opens {
    /// The shipments and the stock of one tenant's ship-froms that name this warehouse.
    Warehouse(WarehouseId),
    /// The webhooks of one shop.
    Hook(ConnectionId),
}

impl Opens {
    fn prefix(&self) -> &'static str {
        match self {
            Self::Warehouse(_) => Secret::WAREHOUSE,
            Self::Hook(_) => Secret::HOOK,
        }
    }
}

/// A secret as it is handed out: 256 random bits and a check of four bytes, in hexadecimal, behind a word that says what
/// it is (and lets scanners for leaked secrets know it). Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What a warehouse's key begins with.
    pub const WAREHOUSE: &'static str = "rkw_";
    /// What the secret in a webhook's address begins with.
    pub const HOOK: &'static str = "rkh_";

    fn new(opens: &Opens, random: [u8; 32]) -> Self {
        let bits = hex(&random);
        Self(format!("{}{bits}{:08x}", opens.prefix(), crc32fast::hash(bits.as_bytes())))
    }

    /// Takes a text that has the form of a secret of this kind. What has not costs no look-up.
    #[must_use]
    pub fn parse(prefix: &str, text: &str) -> Option<Self> {
        let body = text.strip_prefix(prefix)?;
        if body.len() != 72 || !body.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        let (bits, check) = body.split_at(64);
        (format!("{:08x}", crc32fast::hash(bits.as_bytes())) == check).then(|| Self(text.to_owned()))
    }

    /// The secret itself. For showing it the one time, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is known of a secret that was handed out: all but the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its name in listings. Sorts by the time it was made.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it opens.
    pub opens: Opens,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if a newer one replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// When it was taken back; it lets nobody in since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// What cursors are sealed with; the same for all keys of one warehouse, so that a list that was begun with one key
    /// goes on with its successor.
    seal: String,
    hash: String,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("opens", &self.opens)
            .finish_non_exhaustive()
    }
}

impl Grant {
    /// Does it let in at this time?
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.valid_until.is_none_or(|until| now < until)
    }

    /// What cursors are sealed with.
    #[must_use]
    pub fn seal(&self) -> &[u8] {
        self.seal.as_bytes()
    }
}

/// Random bits for one secret, drawn by the caller from the operating system.
#[derive(Clone, Copy)]
pub struct Random {
    /// The secret's.
    pub secret: [u8; 32],
    /// Of the seal, where there is none yet.
    pub seal: [u8; 32],
}

impl Store {
    /// What this secret opens; none if it was never handed out, is over, or was revoked. The one read that does not begin
    /// with a tenant: the secret is what says which tenant it is.
    pub async fn opened_by(&self, secret: &Secret, now: Timestamp) -> Result<Option<Grant>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.tables.robots)
            .set_key(Some(keys::grant(&secret.hash()).attributes()))
            // What was revoked a moment ago must not let in.
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("GetItem", &e))?;
        let Some(item) = answer.item else { return Ok(None) };
        let grant: Grant = codec::from_item(KIND, item)?;
        Ok(grant.is_valid(now).then_some(grant))
    }
}

impl Tenant {
    /// All secrets that were handed out, revoked ones too, oldest first.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let pk = keys::grants_pk(&self.id);
        let items = reads::partition(self, &self.tables().robots, &pk, None).await?;
        items.into_iter().map(|item| codec::from_item(KIND, item)).collect()
    }

    /// Hands out another secret to the same. Those there were stay as they are.
    pub async fn grant(
        &self,
        opens: Opens,
        random: Random,
        id: String,
        now: Timestamp,
    ) -> Result<(Grant, Secret), StoreError> {
        let before = self.grants().await?;
        let seal = before.iter().find(|grant| grant.opens == opens).map(|grant| grant.seal.clone());
        let secret = Secret::new(&opens, random.secret);
        let grant = Grant {
            id,
            tenant: self.id.clone(),
            opens,
            created_at: now,
            valid_until: None,
            revoked_at: None,
            seal: seal.unwrap_or_else(|| hex(&random.seal)),
            hash: secret.hash(),
        };
        self.put_grant(&grant, "attribute_not_exists(pk)").await?;
        Ok((grant, secret))
    }

    /// Lets a secret end at this time, or earlier if it ends earlier already.
    pub async fn end_grant(&self, grant: &Grant, at: Timestamp) -> Result<(), StoreError> {
        self.owns(grant)?;
        let until = grant.valid_until.map_or(at, |until| until.min(at));
        // On condition that nobody revoked it meanwhile: this must not bring it back.
        self.put_grant(&Grant { valid_until: Some(until), ..grant.clone() }, "attribute_exists(pk)").await
    }

    /// Takes a secret back at once: its item by hash is gone when this returns.
    pub async fn revoke_grant(&self, grant: &Grant, now: Timestamp) -> Result<(), StoreError> {
        self.owns(grant)?;
        let revoked = Grant { revoked_at: Some(grant.revoked_at.unwrap_or(now)), ..grant.clone() };
        let delete = Delete::builder()
            .table_name(&self.tables().robots)
            .set_key(Some(keys::grant(&grant.hash).attributes()))
            .build()
            .map_err(|e| not_built(&e))?;
        self.client()
            .transact_write_items()
            .transact_items(self.listed(&revoked)?)
            .transact_items(TransactWriteItem::builder().delete(delete).build())
            .send()
            .await
            .map_err(|e| reads::not_written(TRANSACTION, &e))?;
        Ok(())
    }

    /// A grant that another tenant's list gave is none of this one's business, whatever it says.
    fn owns(&self, grant: &Grant) -> Result<(), StoreError> {
        if grant.tenant == self.id { Ok(()) } else { Err(StoreError::NotOwn { kind: KIND }) }
    }

    async fn put_grant(&self, grant: &Grant, condition: &str) -> Result<(), StoreError> {
        let by_hash = self.grant_item(grant, &keys::grant(&grant.hash))?;
        self.client()
            .transact_write_items()
            .transact_items(self.listed(grant)?)
            .transact_items(self.put_item(by_hash, Some(condition))?)
            .send()
            .await
            .map_err(|e| reads::not_written(TRANSACTION, &e))?;
        Ok(())
    }

    fn listed(&self, grant: &Grant) -> Result<TransactWriteItem, StoreError> {
        self.put_item(self.grant_item(grant, &keys::listed_grant(&self.id, &grant.id))?, None)
    }

    #[expect(clippy::unused_self, reason = "beside its siblings")]
    fn grant_item(&self, grant: &Grant, key: &keys::Key) -> Result<Item, StoreError> {
        let mut item = codec::to_item(KIND, grant)?;
        item.extend(key.attributes());
        item.insert("v".into(), codec::version());
        Ok(item)
    }

    fn put_item(&self, item: Item, condition: Option<&str>) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables().robots)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(|e| not_built(&e))?).build())
    }
}

fn not_built(error: &dyn fmt::Display) -> StoreError {
    StoreError::Refused { operation: TRANSACTION, code: "build".into(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new(&Opens::Warehouse(WarehouseId::parse("tokyo-dc").unwrap()), [7; 32])
    }

    #[test]
    fn a_secret_comes_back_as_what_it_is_and_as_nothing_else() {
        let secret = secret();
        assert_eq!(secret.expose().len(), 4 + 64 + 8);
        assert_eq!(Secret::parse(Secret::WAREHOUSE, secret.expose()).as_ref(), Some(&secret));
        assert_eq!(Secret::parse(Secret::HOOK, secret.expose()), None);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_slip_in_a_secret_is_seen_without_a_look_up() {
        let good = secret().expose().to_owned();
        for at in 4..good.len() {
            let mut slipped = good.clone().into_bytes();
            slipped[at] = if slipped[at] == b'1' { b'2' } else { b'1' };
            assert_eq!(Secret::parse(Secret::WAREHOUSE, std::str::from_utf8(&slipped).unwrap()), None, "{at}");
        }
        for bad in
            ["", "rkw_", &good[..75], &good.to_uppercase(), &format!("{good} "), &format!("rkw_{}", "é".repeat(36))]
        {
            assert_eq!(Secret::parse(Secret::WAREHOUSE, bad), None, "{bad}");
        }
    }

    #[test]
    fn a_grant_ends_when_it_is_said_to_and_at_once_when_revoked() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let grant = Grant {
            id: "01J".into(),
            tenant: TenantId::parse("hanako").unwrap(),
            opens: Opens::Hook(ConnectionId::parse("hanako-ecforce").unwrap()),
            created_at: now,
            valid_until: None,
            revoked_at: None,
            seal: "00".into(),
            hash: "ff".into(),
        };
        assert!(grant.is_valid(now));
        let ending = Grant { valid_until: Some(now), ..grant.clone() };
        assert!(!ending.is_valid(now) && ending.is_valid("2026-11-23T23:59:59Z".parse().unwrap()));
        let revoked = Grant { revoked_at: Some(now), ..grant };
        assert!(!revoked.is_valid("2026-11-23T00:00:00Z".parse().unwrap()));
        assert!(!format!("{revoked:?}").contains("ff"), "neither hash nor seal is printed");
    }
}
