//! What Renkei keeps, in DynamoDB: a file per kind of item, keys built in one place.
//!
//! Every way in starts from a [`Tenant`] handle: a lookup cannot be written without its tenant, and what belongs to
//! another tenant is simply not found. Everything here is safe to repeat: after a lost answer each write tells by its own
//! marks whether it had been done.

pub mod access;
pub mod audit;
pub mod awaiting_products;
pub mod called_off;
mod changes;
mod codec;
pub mod days;
pub mod desk;
mod erase;
pub mod error;
pub mod gate;
pub mod glance;
pub mod health;
pub mod import;
mod keys;
mod latest;
pub mod lists;
pub mod members;
mod merged;
pub mod meter;
pub mod needs;
pub mod notices;
pub mod offers;
pub mod orders;
pub mod processing;
pub mod products;
mod reads;
pub mod runs;
pub mod sales;
pub mod sessions;
pub mod settings;
mod shelf;
pub mod shipments;
mod statements;
pub mod stock;
pub mod sync;
pub mod warehouse;

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use renkei_domain::ids::TenantId;

pub use error::StoreError;

/// Names of the tables, as the stack's outputs give them. A function leaves out those that it has no right to.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Shipments, their details, order numbers, and orders that were not imported.
    pub shipments: String,
    /// Settings, products.
    pub robots: String,
    /// One item per connection: the gate.
    pub gate: String,
    /// Runs and their progress.
    pub runs: String,
    /// Counts of warehouses, and what shops were told to offer.
    pub stock: String,
}

/// A client that is made for its first call: making one takes longer than all else of a function's start.
type LateClient = Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>;

fn late(make: impl FnOnce() -> Client + Send + 'static) -> LateClient {
    Arc::new(LazyLock::new(Box::new(make)))
}

/// The store. Cheap to clone; nothing can be read through it but the list of tenants.
#[derive(Debug, Clone)]
pub struct Store {
    client: LateClient,
    tables: Arc<Tables>,
}

impl Store {
    /// A store over these tables.
    #[must_use]
    pub fn new(aws: &SdkConfig, tables: Tables) -> Self {
        let aws = aws.clone();
        Self { client: late(move || Client::new(&aws)), tables: Arc::new(tables) }
    }

    /// The same, with everything that is asked counted.
    #[must_use]
    pub fn metered(aws: &SdkConfig, tables: Tables, meter: &meter::Meter) -> Self {
        let (aws, meter) = (aws.clone(), meter.clone());
        Self { client: late(move || meter.client(&aws)), tables: Arc::new(tables) }
    }

    /// All that belongs to one tenant.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Tenant {
        Tenant { store: self.clone(), id }
    }
}

/// All that belongs to one tenant.
#[derive(Debug, Clone)]
pub struct Tenant {
    store: Store,
    id: TenantId,
}

impl Tenant {
    /// Which one.
    #[must_use]
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    fn client(&self) -> &Client {
        &self.store.client
    }

    fn tables(&self) -> &Tables {
        &self.store.tables
    }
}
