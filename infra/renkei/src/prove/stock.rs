//! Stock at the shops against the rule, reckoned here anew: counted, less the buffer, less what is reserved.

use std::collections::BTreeMap;

use renkei_domain::shipment::{Shipment, Status};

use super::books::{Account, stored};
use super::warehouse::SKUS;
use super::world::World;
use crate::error::CliError;

/// Compares each SKU at each shop.
pub async fn settle(account: &mut Account, world: &World) -> Result<(), CliError> {
    for warehouse in &world.warehouses {
        let places = || world.places.iter().filter(|place| *place.found.tenant.id() == warehouse.tenant);
        let counts = warehouse.notes().counts.clone();
        if counts.len() != SKUS.len() {
            let known: Vec<&String> = counts.keys().collect();
            account.wrong.push(format!("{}: of {SKUS:?} only {known:?} were taken when counted", warehouse.tenant));
        }
        let mut reserved: BTreeMap<String, u64> = BTreeMap::new();
        // All shops of a merchant sell from the one shelf.
        for place in places() {
            let shipments: Vec<Shipment> = stored(&place.found).await?.into_values().flatten().collect();
            let details = place.found.tenant.details(&shipments).await?;
            for (shipment, detail) in shipments.iter().zip(details) {
                for item in detail.items {
                    let Some((_, counted_at)) = counts.get(item.sku.as_str()) else { continue };
                    let takes = match shipment.status {
                        Status::Hold | Status::Ready => true,
                        Status::Picking | Status::Shipped => {
                            shipment.claimed_at.is_some_and(|claimed| claimed > *counted_at)
                        }
                        Status::Cancelled => false,
                    };
                    if takes {
                        *reserved.entry(item.sku.to_string()).or_default() += u64::from(item.quantity);
                    }
                }
            }
        }
        for place in places() {
            let name = place.found.id().as_str();
            let buffer = u64::from(place.found.connection.stock_buffer);
            let right_before = account.stocks;
            for at_shop in world.simulator.stock(name).await? {
                let Some((counted, _)) = counts.get(&at_shop.sku) else { continue };
                let taken = reserved.get(&at_shop.sku).copied().unwrap_or(0);
                let sellable = u64::from(*counted).saturating_sub(buffer).saturating_sub(taken);
                if u64::try_from(at_shop.stock) == Ok(sellable) {
                    account.stocks += 1;
                } else {
                    account.wrong.push(format!(
                        "{name}: {} is {} at the shop; counted {counted}, less {buffer} of buffer and {taken} reserved, \
                         is {sellable}",
                        at_shop.sku, at_shop.stock
                    ));
                }
            }
            if account.stocks == right_before {
                account.wrong.push(format!("{name}: of no SKU is the stock what it should be"));
            }
        }
    }
    Ok(())
}
