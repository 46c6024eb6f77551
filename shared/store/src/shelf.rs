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

use futures::future::try_join_all;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipFromId};
use renkei_domain::settings::{Product, TenantSettings};
use renkei_domain::shipment::Status;
use renkei_domain::stock::{Counted, Shelf};

use crate::Tenant;
use crate::error::StoreError;

const PAGE: i32 = 100;
/// The lists that are looked through, in the order in which shipments move on.
const LISTS: [Status; 4] = [Status::Hold, Status::Ready, Status::Picking, Status::Shipped];

impl Tenant {
    /// The shelf of a ship-from: the counts that offers are made from, and what the shipments of all shops take from it by now.
    pub async fn shelf(
        &self,
        settings: &TenantSettings,
        ship_from: &ShipFromId,
        products: &[Product],
        now: Timestamp,
    ) -> Result<Shelf, StoreError> {
        let mut stock = self.counted(settings, ship_from, products).await?;
        if let Some(left_since) = stock.left_since(now) {
            self.reserve(&mut stock, settings, ship_from, left_since).await?;
        }
        Ok(stock)
    }

    /// The same for somebody who waits for it: None where more than `most` shipments would have to be looked at. Their keys
    /// alone are counted first, to that bound and no further.
    pub async fn shelf_within(
        &self,
        settings: &TenantSettings,
        ship_from: &ShipFromId,
        products: &[Product],
        now: Timestamp,
        most: u32,
    ) -> Result<Option<Shelf>, StoreError> {
        let mut stock = self.counted(settings, ship_from, products).await?;
        if let Some(left_since) = stock.left_since(now) {
            if !self.are_within(settings, left_since, most).await? {
                return Ok(None);
            }
            self.reserve(&mut stock, settings, ship_from, left_since).await?;
        }
        Ok(Some(stock))
    }

    /// A shelf from which nothing is taken yet.
    async fn counted(
        &self,
        settings: &TenantSettings,
        ship_from: &ShipFromId,
        products: &[Product],
    ) -> Result<Shelf, StoreError> {
        let counts = self.counts(ship_from).await?;
        let counted =
            counts.into_iter().map(|count| (count.sku, Counted { quantity: count.quantity, at: count.counted_at }));
        Ok(Shelf::new(counted, products, settings.counts_include_claimed(ship_from)))
    }

    /// Are there no more shipments in the lists of all shops than these?
    async fn are_within(
        &self,
        settings: &TenantSettings,
        left_since: Timestamp,
        most: u32,
    ) -> Result<bool, StoreError> {
        // One more than that says that there are more.
        let bound = i32::try_from(most).unwrap_or(i32::MAX).saturating_add(1);
        let mut found: u64 = 0;
        for connection in &settings.connections {
            let counts = try_join_all(LISTS.iter().map(async |status| {
                self.count_status(&connection.id, *status, since(*status, left_since), bound).await
            }))
            .await?;
            found += counts.iter().map(|count| u64::from(count.counted)).sum::<u64>();
            if found > u64::from(most) || counts.iter().any(|count| count.more) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn reserve(
        &self,
        stock: &mut Shelf,
        settings: &TenantSettings,
        ship_from: &ShipFromId,
        left_since: Timestamp,
    ) -> Result<(), StoreError> {
        // A robot may send a shipment from elsewhere than its shop's own ship-from: all shops are looked through.
        for connection in &settings.connections {
            self.reserve_shop(stock, &connection.id, ship_from, left_since).await?;
        }
        Ok(())
    }

    async fn reserve_shop(
        &self,
        stock: &mut Shelf,
        connection: &ConnectionId,
        ship_from: &ShipFromId,
        left_since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut seen: HashSet<(OrderId, u16)> = HashSet::new();
        for status in LISTS {
            let since = since(status, left_since);
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

/// From when on a list is looked through: what has left, from the oldest count on; all others from their beginning.
fn since(status: Status, left_since: Timestamp) -> Option<Timestamp> {
    (status == Status::Shipped).then_some(left_since)
}
