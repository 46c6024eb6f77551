//! What a shop was told to offer, one item for each connection and SKU.
//!
//! Every write is fenced by the gate's epoch: a run that was paused while another took the gate notes nothing any more.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::shipment::ShopError;
use renkei_domain::stock::Told;
use serde::{Deserialize, Serialize};

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;
use crate::statements::{self, Statement, Written};

const KIND: &str = "offer";

/// What a shop was told of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOffer {
    /// 商品コード.
    pub sku: Sku,
    /// What it was told.
    #[serde(flatten)]
    pub told: Told,
    /// The epoch of the run that wrote this.
    #[serde(default)]
    pub epoch: u64,
}

/// What is kept already of a SKU whose value is about to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// What this location was told.
    Here,
    /// What another location was told, which is forgotten: of this one it says nothing.
    Elsewhere,
}

impl Before {
    /// By what was read.
    #[must_use]
    pub fn of(told: Option<&Told>, location: &str) -> Self {
        match told {
            None => Self::Nothing,
            Some(told) if told.is_of(location) => Self::Here,
            Some(_) => Self::Elsewhere,
        }
    }
}

/// What became of a value that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The shop took it.
    Taken,
    /// The shop refused it for good.
    Refused(ShopError),
}

impl Tenant {
    /// What a shop was told, of each SKU.
    pub async fn told_offers(&self, connection: &ConnectionId) -> Result<Vec<KeptOffer>, StoreError> {
        let pk = keys::offers_pk(&self.id, connection);
        let items = reads::partition(self, &self.tables().stock, &pk, None).await?;
        items.into_iter().map(|item| codec::from_item(KIND, item)).collect()
    }

    /// Notes that these values are about to be told to this location of the shop. True for each that may be: false where a later
    /// run has the word.
    pub async fn intend_offers(
        &self,
        connection: &ConnectionId,
        location: Option<&str>,
        offers: &[(Sku, u32, Before)],
        epoch: u64,
        at: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let statements = offers
            .iter()
            .map(|(sku, value, before)| {
                let key = keys::offer(&self.id, connection, sku);
                let forgotten = match before {
                    Before::Nothing => return self.first_offer(&key, location, sku, *value, epoch, at),
                    Before::Here => "",
                    Before::Elsewhere => " REMOVE told REMOVE refused",
                };
                let mut parameters = vec![codec::number(value), codec::text(at.to_string()), codec::number(epoch)];
                parameters.extend(location.map(codec::text));
                parameters.extend([codec::text(key.pk), codec::text(key.sk), codec::number(epoch)]);
                let placed = if location.is_some() { " SET \"location\"=?" } else { "" };
                Statement {
                    text: format!(
                        "UPDATE \"{}\" SET intended=? SET \"at\"=? SET \"epoch\"=?{placed}{forgotten} \
                         WHERE pk=? AND sk=? AND \"epoch\"<=?",
                        self.tables().stock
                    ),
                    parameters,
                }
            })
            .collect();
        // An item that was not known and is there was made by a later run, or by our own request whose answer was lost: it
        // has its intention, and is told by the next run.
        Ok(statements::execute(self, statements).await?.iter().map(|written| *written == Written::Yes).collect())
    }

    fn first_offer(
        &self,
        key: &Key,
        location: Option<&str>,
        sku: &Sku,
        value: u32,
        epoch: u64,
        at: Timestamp,
    ) -> Statement {
        let mut item = key.attributes();
        item.insert("v".into(), codec::version());
        item.insert("sku".into(), codec::text(sku.as_str()));
        item.insert("intended".into(), codec::number(value));
        item.insert("at".into(), codec::text(at.to_string()));
        item.insert("epoch".into(), codec::number(epoch));
        if let Some(location) = location {
            item.insert("location".into(), codec::text(location));
        }
        statements::insert(&self.tables().stock, item)
    }

    /// Notes what the shop answered to values that were intended in this epoch. What a later run intends stays as it is.
    pub async fn note_offers(
        &self,
        connection: &ConnectionId,
        heard: &[(Sku, u32, Heard)],
        epoch: u64,
    ) -> Result<(), StoreError> {
        let statements = heard
            .iter()
            .map(|(sku, value, heard)| {
                let key = keys::offer(&self.id, connection, sku);
                let (change, mut parameters) = match heard {
                    Heard::Taken => ("SET told=? REMOVE intended REMOVE refused", vec![codec::number(value)]),
                    Heard::Refused(error) => {
                        let refused = serde_dynamo::to_attribute_value((value, error))
                            .map_err(|error| StoreError::Unreadable { kind: KIND, reason: error.to_string() })?;
                        ("SET refused=? REMOVE intended", vec![refused])
                    }
                };
                parameters.extend([
                    codec::text(key.pk),
                    codec::text(key.sk),
                    codec::number(epoch),
                    codec::number(value),
                ]);
                Ok(Statement {
                    text: format!(
                        "UPDATE \"{}\" {change} WHERE pk=? AND sk=? AND \"epoch\"=? AND intended=?",
                        self.tables().stock
                    ),
                    parameters,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        statements::execute(self, statements).await?;
        Ok(())
    }
}
