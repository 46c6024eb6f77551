//! 商品マスタ comes in here, whichever way it comes: document, CSV, the shop, the console.
//!
//! An order with an unknown product waits in quarantine until the product exists. [`put`] therefore does both: it keeps
//! the products, and lets those orders go that waited for nothing else. Whatever adds products must use it.
//!
//! What was read long ago is not imported as it was: the shop may have cancelled it since, and telling that we took it
//! would undo that. Such an order stays where it is until the next fetch, which reads it anew; one that is not to be
//! fetched any more stays for good.
//!
//! If we die between the two, the products are there and the orders wait: whoever repeats the same lets them go, and so
//! does [`release`] alone; at the latest the next fetch reads them anew, for the shop has not been told that we took
//! them. An order released twice is imported once.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::products::ProductTable;
use renkei_domain::settings::Product;
use renkei_platform::queue::{Outgoing, Queue, QueueError, group};
use renkei_store::awaiting_products::ToRetry;
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

/// Orders that were read within this are imported as they were read: no longer than an order may wait on its way anyway.
pub const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Orders whose products exist by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Released {
    /// Put onto the import queue.
    pub now: usize,
    /// Read too long ago: the next fetch takes them.
    pub with_next_fetch: usize,
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
pub async fn compare(tenant: &Tenant, table: ProductTable) -> Result<Import, StoreError> {
    let stored: BTreeMap<Sku, Product> =
        tenant.products().await?.into_iter().map(|product| (product.sku.clone(), product)).collect();
    let products: Vec<Product> = (table.products.iter())
        .map(|product| stored.get(&product.sku).map_or_else(|| product.clone(), |stored| table.over(product, stored)))
        .collect();
    let changed: Vec<Product> =
        products.iter().filter(|product| stored.get(&product.sku) != Some(product)).cloned().collect();
    let new = changed.iter().filter(|product| !stored.contains_key(&product.sku)).count();
    Ok(Import { read: products.len(), new, changed })
}

/// Keeps products, those of the same SKU replaced, and lets the orders go that waited for them.
pub async fn put(
    tenant: &Tenant,
    connections: impl IntoIterator<Item = &ConnectionId>,
    import_queue: &Queue,
    products: &[Product],
) -> Result<Released, ProductsError> {
    tenant.put_products(products).await?;
    release(tenant, connections, import_queue).await
}

/// Puts quarantined orders onto the import queue whose products exist by now.
pub async fn release(
    tenant: &Tenant,
    connections: impl IntoIterator<Item = &ConnectionId>,
    import_queue: &Queue,
) -> Result<Released, ProductsError> {
    let mut released = Released::default();
    for connection in connections {
        let ready = tenant.orders_with_products(connection, Timestamp::now() - FRESH).await?;
        let of_shop = import(ready, import_queue).await?;
        released.now += of_shop.now;
        released.with_next_fetch += of_shop.with_next_fetch;
    }
    Ok(released)
}

/// Puts orders that were read lately onto the import queue.
pub async fn import(orders: ToRetry, import_queue: &Queue) -> Result<Released, ProductsError> {
    let messages = (orders.messages.into_iter())
        .map(|message| {
            Ok(Outgoing {
                group: group(&message.tenant, &message.connection),
                body: serde_json::to_string(&message)?,
                delay: Duration::ZERO,
            })
        })
        .collect::<Result<Vec<_>, ProductsError>>()?;
    import_queue.send_batch(&messages).await?;
    Ok(Released { now: messages.len(), with_next_fetch: orders.with_next_fetch })
}
