//! Changes of many shipments at once: what a whole page of them has been told is noted in a few requests.
//!
//! Each shipment keeps its own condition: that nobody else changed it since it was read. One that was changed meanwhile
//! (a tracking number corrected while the shop was being told the former) is read again and decided anew, alone.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShopSync, ShopWork};

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys;
use crate::shipments::WorkEntry;
use crate::statements::{self, Statement, Written};

/// Marks of the sparse lists. They are written or removed whatever the former record is believed to have had.
const MARKS: [&str; 4] = ["work_pk", "work_sk", "need_pk", "need_sk"];

impl Tenant {
    /// Changes shipments that were read a moment ago, each by `change`, which answers whether it changed anything. Like
    /// [`Tenant::change`] it writes on condition that nobody else wrote meanwhile, and decides anew where somebody did.
    pub async fn change_all(
        &self,
        shipments: &[Shipment],
        change: impl Fn(&mut Shipment) -> bool,
    ) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        let mut statements = Vec::new();
        for current in shipments {
            let mut next = current.clone();
            if change(&mut next) {
                next.rev = current.rev + 1;
                statements.push(self.replacement(current, &next)?);
                changed.push(&current.id);
            }
        }
        for (id, written) in changed.into_iter().zip(statements::execute(self, statements).await?) {
            match written {
                Written::Yes => {}
                // Or our own write, its answer lost and the request repeated: then there is nothing left to change.
                Written::Exists | Written::ConditionFailed(_) => {
                    self.change(id, &change).await?;
                }
            }
        }
        Ok(())
    }

    /// Only what differs is written.
    fn replacement(&self, current: &Shipment, next: &Shipment) -> Result<Statement, StoreError> {
        let key = keys::shipment(&self.id, &current.id);
        let (mut before, after) = (self.shipment_item(current)?, self.shipment_item(next)?);
        let mut text = format!("UPDATE \"{}\"", self.tables().shipments);
        let mut parameters = Vec::new();
        let gone: Vec<String> =
            MARKS.into_iter().filter(|mark| !after.contains_key(*mark)).map(str::to_owned).collect();
        for (name, value) in after {
            let former = before.remove(&name);
            if former.as_ref() != Some(&value) || MARKS.contains(&name.as_str()) {
                text.push_str(" SET \"");
                text.push_str(&name);
                text.push_str("\"=?");
                parameters.push(value);
            }
        }
        for name in before.into_keys().filter(|name| !MARKS.contains(&name.as_str())).chain(gone) {
            text.push_str(" REMOVE \"");
            text.push_str(&name);
            text.push('"');
        }
        text.push_str(" WHERE pk=? AND sk=? AND rev=?");
        parameters.extend([codec::text(key.pk), codec::text(key.sk), codec::number(current.rev)]);
        Ok(Statement { text, parameters })
    }

    /// Notes that the shop has been told that these orders are shipped, or that this is not ours to tell. Needs no reading:
    /// a record that is not on that list of work any more was corrected meanwhile, and is decided anew.
    pub async fn complete(&self, parcels: &[ShipmentId], at: Timestamp) -> Result<(), StoreError> {
        let statements = parcels
            .iter()
            .map(|id| {
                let key = keys::shipment(&self.id, id);
                Statement {
                    text: format!(
                        "UPDATE \"{}\" SET shop_sync='{}' SET updated_at=? SET told_at=? SET rev=rev+1 \
                         REMOVE work_pk REMOVE work_sk WHERE pk=? AND sk=? AND work_pk=?",
                        self.tables().shipments,
                        ShopSync::Completed.as_str(),
                    ),
                    parameters: vec![
                        codec::text(at.to_string()),
                        codec::text(at.to_string()),
                        codec::text(key.pk),
                        codec::text(key.sk),
                        codec::text(keys::work_pk(&self.id, &id.connection, ShopWork::TellShipped)),
                    ],
                }
            })
            .collect();
        for (id, written) in parcels.iter().zip(statements::execute(self, statements).await?) {
            match written {
                Written::Yes => {}
                Written::Exists | Written::ConditionFailed(_) => {
                    self.change(id, |shipment| shipment.completed(at)).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads all parcels of these orders. The answer has a list for each order, in their order.
    pub async fn parcels(
        &self,
        connection: &ConnectionId,
        orders: &[(OrderId, u16)],
    ) -> Result<Vec<Vec<Shipment>>, StoreError> {
        let ids: Vec<ShipmentId> = orders
            .iter()
            .flat_map(|(order, parcels)| {
                let id = ShipmentId::lead(connection.clone(), *order);
                WorkEntry { id, parcels: *parcels }.parcel_ids().collect::<Vec<_>>()
            })
            .collect();
        let mut found = self.shipments(&ids).await?.into_iter().peekable();
        Ok(orders
            .iter()
            .map(|(order, _)| std::iter::from_fn(|| found.next_if(|shipment| shipment.id.order == *order)).collect())
            .collect())
    }
}
