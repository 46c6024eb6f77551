//! 商品マスタ comes in here, whichever way it comes: document, CSV, the shop, the console.
//!
//! An order with an unknown product waits in quarantine until the product exists. [`put`] therefore does both: it keeps
//! the products, and lets those orders go that waited for nothing else. Whatever adds products must use it.
//!
//! If we die between the two, the products are there and the orders wait: whoever repeats the same lets them go, and so
//! does [`release`] alone; at the latest the next fetch reads them anew, for the shop has not been told that we took
//! them. An order released twice is imported once.

use std::collections::BTreeMap;
use std::time::Duration;

use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::settings::Product;
use renkei_platform::queue::{Outgoing, Queue, QueueError, group};
use renkei_store::{StoreError, Tenant};

/// Why products could not be kept, or orders not be let go. Repeating it completes it.
#[derive(Debug, thiserror::Error)]
pub enum ProductsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The import queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A kept order could not be written down as a message.
    #[error("an order that waits could not be put back onto the queue: {0}")]
    Message(#[from] serde_json::Error),
}

/// A table of products against those that are kept.
#[derive(Debug)]
pub struct Import {
    /// Products in the table.
    pub read: usize,
    /// Those that nobody knew.
    pub new: usize,
    /// New ones and those that differ: what [`put`] is to keep.
    pub changed: Vec<Product>,
}

impl Import {
    /// Products that are kept already, and differ.
    #[must_use]
    pub fn replaced(&self) -> usize {
        self.changed.len() - self.new
    }

    /// Products that are as they were.
    #[must_use]
    pub fn same(&self) -> usize {
        self.read - self.changed.len()
    }
}

/// Compares a table of products with those that are kept. Changes nothing.
pub async fn compare(tenant: &Tenant, mut products: Vec<Product>) -> Result<Import, StoreError> {
    let stored: BTreeMap<Sku, Product> =
        tenant.products().await?.into_iter().map(|product| (product.sku.clone(), product)).collect();
    // A table cannot say what a set is made of, so it does not unmake one.
    for product in &mut products {
        if let Some(stored) = stored.get(&product.sku) {
            product.made_of.clone_from(&stored.made_of);
        }
    }
    let changed: Vec<Product> =
        products.iter().filter(|product| stored.get(&product.sku) != Some(product)).cloned().collect();
    let new = changed.iter().filter(|product| !stored.contains_key(&product.sku)).count();
    Ok(Import { read: products.len(), new, changed })
}

/// Keeps products, those of the same SKU replaced, and lets the orders go that waited for them. Says how many orders
/// that were.
pub async fn put(
    tenant: &Tenant,
    connections: impl IntoIterator<Item = &ConnectionId>,
    import_queue: &Queue,
    products: &[Product],
) -> Result<usize, ProductsError> {
    tenant.put_products(products).await?;
    release(tenant, connections, import_queue).await
}

/// Puts quarantined orders onto the import queue whose products exist by now. Says how many.
pub async fn release(
    tenant: &Tenant,
    connections: impl IntoIterator<Item = &ConnectionId>,
    import_queue: &Queue,
) -> Result<usize, ProductsError> {
    let mut released = 0;
    for connection in connections {
        let messages = tenant
            .orders_with_products(connection)
            .await?
            .into_iter()
            .map(|message| {
                Ok(Outgoing {
                    group: group(&message.tenant, &message.connection),
                    body: serde_json::to_string(&message)?,
                    delay: Duration::ZERO,
                })
            })
            .collect::<Result<Vec<_>, ProductsError>>()?;
        import_queue.send_batch(&messages).await?;
        released += messages.len();
    }
    Ok(released)
}
