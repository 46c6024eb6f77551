//! Import: what is known of an order, and storing it once.
//!
//! A shipment is its own dedup record. An order is imported once because its first parcel's record is inserted once,
//! whatever poll, webhook and retries race for it; and only once per order number where the merchant wants that,
//! because the number's record is inserted once.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId};
use renkei_domain::shipment::{Shipment, ShipmentDetail};

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::orders::NotImportedSummary;
use crate::reads;
use crate::shipments::{DETAIL, SHIPMENT, refused, shipment_of};
use crate::statements::{self, Written};

/// An order to be stored: its parcels, the first standing for the order.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its parcels, in order; never empty.
    pub parcels: Vec<(Shipment, ShipmentDetail)>,
    /// Must no other order have this number?
    pub claim_number: bool,
}

impl NewOrder {
    fn lead(&self) -> &Shipment {
        &self.parcels[0].0
    }
}

/// What became of an order that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It is stored now (or was, by this very message, before).
    New,
    /// It had been stored before; its record as it is.
    Known(Box<Shipment>),
    /// Another order has its number.
    NumberTaken(OrderId),
}

/// What is known of an order before it is imported.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Its record, if it is stored.
    pub lead: Option<Box<Shipment>>,
    /// Which order has its number, if any.
    pub number_of: Option<OrderId>,
    /// What is noted of it, if it was read before and not imported.
    pub not_imported: Option<NotImportedSummary>,
}

impl Tenant {
    /// What is known of these orders, in their order. Reads each key consistently: what this says is stored, is stored.
    pub async fn known_orders(
        &self,
        connection: &ConnectionId,
        orders: &[(OrderId, OrderNumber)],
    ) -> Result<Vec<Known>, StoreError> {
        let mut wanted: HashSet<Key> = HashSet::new();
        for (id, number) in orders {
            wanted.insert(keys::shipment(&self.id, &ShipmentId::lead(connection.clone(), *id)));
            wanted.insert(keys::number(&self.id, connection, number));
            wanted.insert(keys::not_imported(&self.id, connection, &id.to_string()));
        }
        let found = reads::batch_get(self, &self.tables().shipments, wanted.into_iter().collect()).await?;
        orders
            .iter()
            .map(|(id, number)| {
                let lead = found.get(&keys::shipment(&self.id, &ShipmentId::lead(connection.clone(), *id)));
                let number = found.get(&keys::number(&self.id, connection, number));
                let not_imported = found.get(&keys::not_imported(&self.id, connection, &id.to_string()));
                Ok(Known {
                    lead: lead.cloned().map(shipment_of).transpose()?.map(Box::new),
                    number_of: number.map(order_with_number).transpose()?,
                    not_imported: not_imported.cloned().map(NotImportedSummary::of).transpose()?,
                })
            })
            .collect()
    }

    /// Stores new orders, each on condition that it is new. Safe to repeat: what a former attempt of the same message
    /// left behind is taken up, not doubled. The answers stand in the orders' order.
    pub async fn store_orders(&self, orders: Vec<NewOrder>) -> Result<Vec<Stored>, StoreError> {
        let mut answers: Vec<Option<Stored>> = vec![None; orders.len()];
        self.claim_numbers(&orders, &mut answers).await?;
        self.put_details(orders.iter().zip(&answers).filter(|(_, a)| a.is_none()).map(|(o, _)| o)).await?;

        // Orders of one parcel, nearly all, go in batches; one of several parcels is all or nothing.
        let mut single = Vec::new();
        let mut several = Vec::new();
        for (n, order) in orders.iter().enumerate().filter(|(n, _)| answers[*n].is_none()) {
            if order.parcels.len() == 1 { single.push(n) } else { several.push(n) }
        }
        let inserts = single
            .iter()
            .map(|n| Ok(statements::insert(&self.tables().shipments, self.shipment_item(orders[*n].lead())?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let mut known = Vec::new();
        for (n, written) in single.into_iter().zip(statements::execute(self, inserts).await?) {
            match written {
                Written::Yes => answers[n] = Some(Stored::New),
                Written::Exists | Written::ConditionFailed(_) => known.push(n),
            }
        }
        for n in several {
            if self.insert_parcels(&orders[n]).await? { answers[n] = Some(Stored::New) } else { known.push(n) }
        }
        self.settle_known(&orders, known, &mut answers).await?;
        let unanswered = || StoreError::Conflict { kind: SHIPMENT };
        answers.into_iter().map(|answer| answer.ok_or_else(unanswered)).collect()
    }

    /// An insert that found a record may have found its own: an answer was lost and the request repeated. The record
    /// names the message that made it.
    async fn settle_known(
        &self,
        orders: &[NewOrder],
        known: Vec<usize>,
        answers: &mut [Option<Stored>],
    ) -> Result<(), StoreError> {
        let wanted = known.iter().map(|n| keys::shipment(&self.id, &orders[*n].lead().id)).collect();
        let found = reads::batch_get(self, &self.tables().shipments, wanted).await?;
        for n in known {
            let lead = orders[n].lead();
            if let Some(item) = found.get(&keys::shipment(&self.id, &lead.id)) {
                let stored = shipment_of(item.clone())?;
                let own = stored.run == lead.run && stored.place == lead.place;
                answers[n] = Some(if own { Stored::New } else { Stored::Known(Box::new(stored)) });
            }
        }
        Ok(())
    }

    async fn claim_numbers(&self, orders: &[NewOrder], answers: &mut [Option<Stored>]) -> Result<(), StoreError> {
        let mut claimed: HashMap<Key, OrderId> = HashMap::new();
        let mut inserts = Vec::new();
        let mut claiming = Vec::new();
        for (n, order) in orders.iter().enumerate().filter(|(_, o)| o.claim_number) {
            let lead = order.lead();
            let key = keys::number(&self.id, &lead.id.connection, &lead.order_number);
            // Two orders of one batch may share a number; a request must not name a key twice.
            match claimed.get(&key) {
                Some(other) if *other != lead.id.order => answers[n] = Some(Stored::NumberTaken(*other)),
                Some(_) => {}
                None => {
                    let mut item = key.attributes();
                    item.insert("v".into(), codec::version());
                    item.insert("order".into(), codec::number(lead.id.order));
                    claimed.insert(key.clone(), lead.id.order);
                    inserts.push(statements::insert(&self.tables().shipments, item));
                    claiming.push((n, key));
                }
            }
        }
        let written = statements::execute(self, inserts).await?;
        let taken: Vec<(usize, Key)> = claiming
            .into_iter()
            .zip(written)
            .filter(|(_, written)| *written != Written::Yes)
            .map(|(claim, _)| claim)
            .collect();
        let wanted = taken.iter().map(|(_, key)| key.clone()).collect();
        let found = reads::batch_get(self, &self.tables().shipments, wanted).await?;
        for (n, key) in taken {
            match found.get(&key).map(order_with_number).transpose()? {
                Some(other) if other != orders[n].lead().id.order => answers[n] = Some(Stored::NumberTaken(other)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Details go first and without a condition: their key names their content, so writing one again changes nothing,
    /// and one whose shipment was not stored after all is never read.
    async fn put_details<'a>(&self, orders: impl Iterator<Item = &'a NewOrder>) -> Result<(), StoreError> {
        let mut items: HashMap<Key, Item> = HashMap::new();
        for (shipment, detail) in orders.flat_map(|order| &order.parcels) {
            let key = keys::detail(&self.id, &shipment.id, &shipment.detail);
            let mut item = key.attributes();
            item.insert("v".into(), codec::version());
            item.insert("body".into(), codec::pack(DETAIL, detail)?);
            items.insert(key, item);
        }
        reads::batch_put(self, &self.tables().shipments, items.into_values().collect()).await
    }

    /// False if the order was there already.
    async fn insert_parcels(&self, order: &NewOrder) -> Result<bool, StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        let mut request = self.client().transact_write_items();
        for (shipment, _) in &order.parcels {
            let put = Put::builder()
                .table_name(&self.tables().shipments)
                .set_item(Some(self.shipment_item(shipment)?))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map_err(|e| refused(OPERATION, &e))?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                if reads::cancelled_for(&error).contains(&reads::CONDITION_FAILED) {
                    return Ok(false);
                }
                // The same order in two hands is passing, as whoever comes second finds it stored.
                Err(reads::not_written(OPERATION, &error))
            }
        }
    }
}

fn order_with_number(item: &Item) -> Result<OrderId, StoreError> {
    const KIND: &str = "order number";
    codec::known_version(KIND, item)?;
    let order = item.get("order").and_then(|order| order.as_n().ok()?.parse().ok());
    order.map(OrderId).ok_or_else(|| StoreError::Unreadable { kind: KIND, reason: "it names no order".into() })
}
