//! 商品マスタ, one item a SKU.

use std::collections::HashSet;

use renkei_domain::ids::Sku;
use renkei_domain::settings::Product;

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys;
use crate::reads;

const KIND: &str = "product";

impl Tenant {
    /// Adds products, or replaces those with the same SKU.
    pub async fn put_products(&self, products: &[Product]) -> Result<(), StoreError> {
        let items = products
            .iter()
            .map(|product| {
                let mut item = codec::to_item(KIND, product)?;
                item.extend(keys::product(&self.id, &product.sku).attributes());
                item.insert("v".into(), codec::version());
                Ok(item)
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        reads::batch_put(self, &self.tables().robots, items).await
    }

    /// Which of these SKUs the merchant has.
    pub async fn known_skus(&self, skus: &HashSet<Sku>) -> Result<HashSet<Sku>, StoreError> {
        let wanted = skus.iter().map(|sku| keys::product(&self.id, sku)).collect();
        let found = reads::batch_get(self, &self.tables().robots, wanted).await?;
        Ok(found.into_keys().filter_map(|key| Sku::parse(key.sk).ok()).collect())
    }

    /// These products, those that the merchant has.
    pub async fn products_of(&self, skus: &HashSet<Sku>) -> Result<Vec<Product>, StoreError> {
        let wanted = skus.iter().map(|sku| keys::product(&self.id, sku)).collect();
        reads::batch_get(self, &self.tables().robots, wanted).await?.into_values().map(product).collect()
    }

    /// All products.
    pub async fn products(&self) -> Result<Vec<Product>, StoreError> {
        let pk = keys::product_pk(&self.id);
        reads::partition(self, &self.tables().robots, &pk, None).await?.into_iter().map(product).collect()
    }
}

fn product(mut item: Item) -> Result<Product, StoreError> {
    codec::known_version(KIND, &item)?;
    // A product's form takes no keys but its own: it is the document's form too.
    item.retain(|name, _| !matches!(name.as_str(), "pk" | "sk" | "v"));
    codec::from_item(KIND, item)
}
