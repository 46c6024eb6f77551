//! 在庫 as people look at it: what may be sold of each SKU and why, and what a shop was told of it. The same for
//! `renkei stock` and for the console's page; the shop is not called.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use renkei_domain::ids::Sku;
use renkei_domain::settings::{Connection, Product, TenantSettings};
use renkei_domain::stock::{Offer, Shelf, Told};
use renkei_store::offers::KeptOffer;
use renkei_store::{StoreError, Tenant};

/// What is known of a SKU: what may be sold of it, what the shop was told, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// 商品コード.
    pub sku: Sku,
    /// 商品名; None of what is no product any more.
    pub name: Option<String>,
    /// What may be sold, and why; None of what nobody counted, and of what is not for sale.
    pub offer: Option<Offer>,
    /// When that was counted: of a set, the part whose count is the oldest.
    pub counted_at: Option<Timestamp>,
    /// What the shop was told.
    pub told: Option<Told>,
}

/// All of a connection by SKU, however many shipments have to be looked at for it.
pub async fn lines(
    tenant: &Tenant,
    settings: &TenantSettings,
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Line>, StoreError> {
    let products = tenant.products().await?;
    let shelf = tenant.shelf(settings, &connection.ship_from, &products, now).await?;
    let kept = tenant.told_offers(&connection.id).await?;
    Ok(assembled(connection, &products, &shelf, kept))
}

/// The same for somebody who waits for it: None where more than `most` shipments would have to be looked at.
pub async fn lines_within(
    tenant: &Tenant,
    settings: &TenantSettings,
    connection: &Connection,
    now: Timestamp,
    most: u32,
) -> Result<Option<Vec<Line>>, StoreError> {
    let products = tenant.products().await?;
    let Some(shelf) = tenant.shelf_within(settings, &connection.ship_from, &products, now, most).await? else {
        return Ok(None);
    };
    let kept = tenant.told_offers(&connection.id).await?;
    Ok(Some(assembled(connection, &products, &shelf, kept)))
}

fn assembled(connection: &Connection, products: &[Product], shelf: &Shelf, kept: Vec<KeptOffer>) -> Vec<Line> {
    let names: HashMap<&Sku, &str> = products.iter().map(|product| (&product.sku, product.name.as_str())).collect();
    let mut offers = shelf.offers(products, connection.stock_buffer);
    // What another location was told is not what this one was.
    let location = connection.stock_location_code.as_deref();
    let here = kept.into_iter().filter(|kept| location.is_none_or(|location| kept.told.is_of(location)));
    let mut told: HashMap<Sku, Told> = here.map(|kept| (kept.sku, kept.told)).collect();
    let skus: BTreeSet<Sku> = offers.keys().chain(told.keys()).cloned().collect();
    skus.into_iter()
        .map(|sku| {
            let offer = offers.remove(&sku);
            Line {
                name: names.get(&sku).map(|name| (*name).to_owned()),
                counted_at: offer.and_then(|_| shelf.counted_at(&sku)),
                told: told.remove(&sku),
                offer,
                sku,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use renkei_domain::stock::Counted;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_is_counted_and_what_this_location_was_told() {
        let sku = |text: &str| Sku::parse(text).unwrap();
        let products: Vec<Product> = serde_json::from_value(json!([
            { "sku": "A", "name": "美容液", "stock_buffer": 2 },
            { "sku": "B", "name": "マスク" },
            { "sku": "LEAFLET", "name": "冊子", "not_for_sale": true }
        ]))
        .unwrap();
        let connection: Connection = serde_json::from_value(json!({
            "id": "shop", "api": "ecforce", "api_url": "https://shop.example", "ship_from": "dc",
            "daily_call_limit": 1_000, "stock_location_code": "tokyo", "stock_buffer": 1
        }))
        .unwrap();
        let at = Timestamp::from_second(9).unwrap();
        let counts = ["A", "LEAFLET"].map(|name| (sku(name), Counted { quantity: 10, at }));
        let shelf = Shelf::new(counts, &products, false);
        let kept = |name: &str, location: &str| KeptOffer {
            sku: sku(name),
            told: Told { told: Some(7), location: Some(location.to_owned()), ..Told::default() },
            epoch: 1,
        };
        let told = vec![kept("GONE", "tokyo"), kept("B", "osaka"), kept("A", "tokyo")];
        let lines = assembled(&connection, &products, &shelf, told);
        assert_eq!(lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["A", "GONE"]);
        let [counted, gone] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((counted.name.as_deref(), counted.counted_at), (Some("美容液"), Some(at)));
        assert_eq!(counted.offer.map(|offer| (offer.count, offer.buffer, offer.sellable)), Some((10, 2, 8)));
        assert_eq!(counted.told.as_ref().and_then(|told| told.told), Some(7));
        assert_eq!((&gone.name, gone.offer, gone.counted_at), (&None, None, None), "no product any more");

        // Without a location nothing says which of them is meant: all is shown, as it always was.
        let anywhere = Connection { stock_location_code: None, ..connection };
        let lines = assembled(&anywhere, &products, &shelf, vec![kept("B", "osaka")]);
        assert_eq!(lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    }
}
