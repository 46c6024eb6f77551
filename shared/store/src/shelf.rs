//! What lies on a ship-from's shelf and what is reserved of it: counts, and the shipments that take from them.
//!
//! The quantities stand in the large part of a shipment, and are read from there, page by page: a page is in memory, and
//! of each shipment its number. A copy on the small part would save the second read (0.14 USD a million) and would make
//! each of the some four changes of every shipment cost a second write unit (0.72 USD a million) as soon as the record
//! with its history passes 1 KB, which it is near to. Shops have some hundreds of shipments open at a time; 100,000 are a
//! backlog, and cost 200,000 read units a run.
//!
//! Lists are read in the order in which shipments move on, so that one that moves meanwhile is met twice rather than never,
//! and counted once. One that moves back meanwhile is missed until the next run.

use std::collections::HashSet;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipFromId};
use renkei_domain::settings::{Product, TenantSettings};
use renkei_domain::shipment::Status;
use renkei_domain::stock::{Counted, Shelf};

use crate::Tenant;
use crate::error::StoreError;

const PAGE: i32 = 100;

impl Tenant {
    /// The shelf of a ship-from: the counts that offers are made from, and what the shipments of all shops take from it by now.
    pub async fn shelf(
        &self,
        settings: &TenantSettings,
        ship_from: &ShipFromId,
        products: &[Product],
        now: Timestamp,
    ) -> Result<Shelf, StoreError> {
        let counts = self.counts(ship_from).await?;
        let counted =
            counts.into_iter().map(|count| (count.sku, Counted { quantity: count.quantity, at: count.counted_at }));
        let mut stock = Shelf::new(counted, products, settings.counts_include_claimed(ship_from));
        let Some(left_since) = stock.left_since(now) else { return Ok(stock) };
        // A robot may send a shipment from elsewhere than its shop's own ship-from: all shops are looked through.
        for connection in &settings.connections {
            self.reserve_shop(&mut stock, &connection.id, ship_from, left_since).await?;
        }
        Ok(stock)
    }

    async fn reserve_shop(
        &self,
        stock: &mut Shelf,
        connection: &ConnectionId,
        ship_from: &ShipFromId,
        left_since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut seen: HashSet<(OrderId, u16)> = HashSet::new();
        for status in [Status::Hold, Status::Ready, Status::Picking, Status::Shipped] {
            let since = (status == Status::Shipped).then_some(left_since);
            let mut from = None;
            loop {
                let page = self.shipments_by_status_since(connection, status, since, PAGE, from).await?;
                let new: Vec<_> = page.rows.into_iter().filter(|id| seen.insert((id.order, id.parcel))).collect();
                let mut shipments = self.shipments(&new).await?;
                shipments.retain(|shipment| shipment.ship_from == *ship_from && stock.may_reserve(shipment));
                let details = self.details(&shipments).await?;
                for (shipment, detail) in shipments.iter().zip(&details) {
                    stock.reserve(shipment, &detail.items);
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}
