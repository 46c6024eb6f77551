//! Every key of every table. Nothing else builds one, so the separators and the tenant's place in front are right once.
//!
//! | table | pk | sk | item |
//! |---|---|---|---|
//! | shipments | `S#tenant#connection#order` | `P#parcel` | a shipment, small part |
//! | | | `D#parcel#version` | a shipment, large part |
//! | | | `SALE` | that the order's payment was captured through the shop, or is about to be |
//! | | `N#tenant#connection#number` | `N` | which order has this number |
//! | | `X#tenant#connection` | `order` | an order that was not imported, and why |
//! | robots | `T#tenant` | `CURRENT`, `V#version` | settings |
//! | | `T#tenant` | `USUAL` | how many orders are usual in a day, as the console last reckoned it |
//! | | `T#tenant` | `COUNTS` | how many shipments have left, counted once and kept; other counts as they were seen last |
//! | | `T#tenant` | `NOTICES` | whether and up to where staff were told of what needs them |
//! | | `P#tenant` | sku | a product |
//! | | `TENANTS` | tenant | that the tenant exists |
//! | | `Y#tenant#connection` | `MARK`, `DRAIN`, `B#run` | how far the status sync is, announced drains of hints, back-fills |
//! | | | `CALLEDOFF` | orders that the shop showed as cancelled before they were imported |
//! | | `H#tenant#connection` | `H#order`, `N#number`, `C#order` | an order that a webhook named, `C` as cancelled |
//! | | `K#hash` | `KEY` | what a warehouse's key or a webhook's secret opens |
//! | | `G#tenant` | id | the same in the tenant's list |
//! | | `W#tenant` | e-mail | a member |
//! | | `U#e-mail` | tenant | the same, for the moment of signing in |
//! | | `A#tenant` | `time#id` | who did what |
//! | gate | `tenant#connection` | `gate` | the gate |
//! | stock | `C#tenant#ship-from` | sku | what a warehouse counted |
//! | | `O#tenant#connection` | sku | what a shop was told to offer |
//! | runs | `tenant#run` | `RUN`, `PAGE#page` | a run, and the progress of what it queued |
//! | | `tenant#connection#robot` | `HEALTH` | how a robot's runs ended of late |
//!
//! Order numbers and SKUs may hold any character; they stand last in their key, so they cannot reach into another's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RobotId, ShipFromId, ShipmentId, Sku, TenantId};
use renkei_domain::member::Email;
use renkei_domain::shipment::{ShopWork, Status};

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    pub fn of(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
        Some(Self { pk: text("pk")?, sk: text("sk")? })
    }
}

pub(crate) fn order_pk(tenant: &TenantId, connection: &ConnectionId, order: OrderId) -> String {
    format!("S#{tenant}#{connection}#{order}")
}

pub(crate) fn shipment(tenant: &TenantId, id: &ShipmentId) -> Key {
    Key::new(order_pk(tenant, &id.connection, id.order), format!("P#{:05}", id.parcel))
}

pub(crate) fn detail(tenant: &TenantId, id: &ShipmentId, version: &str) -> Key {
    Key::new(order_pk(tenant, &id.connection, id.order), format!("D#{:05}#{version}", id.parcel))
}

pub(crate) fn sale(tenant: &TenantId, id: &ShipmentId) -> Key {
    Key::new(order_pk(tenant, &id.connection, id.order), "SALE")
}

pub(crate) fn number(tenant: &TenantId, connection: &ConnectionId, number: &OrderNumber) -> Key {
    Key::new(format!("N#{tenant}#{connection}#{number}"), "N")
}

pub(crate) fn not_imported_pk(tenant: &TenantId, connection: &ConnectionId) -> String {
    format!("X#{tenant}#{connection}")
}

/// `order` is the shop's id, or for a row without one, its place in the run that read it.
pub(crate) fn not_imported(tenant: &TenantId, connection: &ConnectionId, order: &str) -> Key {
    Key::new(not_imported_pk(tenant, connection), order)
}

pub(crate) fn status_pk(tenant: &TenantId, connection: &ConnectionId, status: Status) -> String {
    format!("{tenant}#{connection}#{}", status.as_str())
}

/// Sorted by time, oldest first.
pub(crate) fn status_sk(since: Timestamp, id: &ShipmentId) -> String {
    format!("{since:.3}#{}#{}", id.order, id.parcel)
}

/// Where a status list begins that leaves out what is older.
pub(crate) fn status_sk_since(since: Timestamp) -> String {
    format!("{since:.3}")
}

pub(crate) fn work_pk(tenant: &TenantId, connection: &ConnectionId, work: ShopWork) -> String {
    format!("{tenant}#{connection}#{}", work.as_str())
}

/// Carries what the work needs, so that the work list can be worked off without reading the shipments.
pub(crate) fn work_sk(since: Timestamp, id: &ShipmentId, parcels: u16) -> String {
    format!("{since:.3}#{}#{}#{parcels}", id.order, id.parcel)
}

/// All shops of a tenant are one list: it is short.
pub(crate) fn needs_pk(tenant: &TenantId) -> String {
    tenant.to_string()
}

/// Where a shipment stands in the list of what needs a person; what it needs follows.
pub(crate) fn needs_place(since: Timestamp, id: &ShipmentId) -> String {
    format!("{since:.3}#{}#{}#{}#", id.connection, id.order, id.parcel)
}

pub(crate) fn tenant_pk(tenant: &TenantId) -> String {
    format!("T#{tenant}")
}

pub(crate) fn current_settings(tenant: &TenantId) -> Key {
    Key::new(tenant_pk(tenant), "CURRENT")
}

pub(crate) fn usual(tenant: &TenantId) -> Key {
    Key::new(tenant_pk(tenant), "USUAL")
}

pub(crate) fn kept_counts(tenant: &TenantId) -> Key {
    Key::new(tenant_pk(tenant), "COUNTS")
}

pub(crate) fn notices(tenant: &TenantId) -> Key {
    Key::new(tenant_pk(tenant), "NOTICES")
}

pub(crate) fn settings_version(tenant: &TenantId, version: u64) -> Key {
    Key::new(tenant_pk(tenant), format!("V#{version:08}"))
}

pub(crate) const TENANTS_PK: &str = "TENANTS";

pub(crate) fn tenant_entry(tenant: &TenantId) -> Key {
    Key::new(TENANTS_PK.to_owned(), tenant.as_str())
}

pub(crate) fn product_pk(tenant: &TenantId) -> String {
    format!("P#{tenant}")
}

pub(crate) fn product(tenant: &TenantId, sku: &Sku) -> Key {
    Key::new(product_pk(tenant), sku.as_str())
}

pub(crate) fn sync(tenant: &TenantId, connection: &ConnectionId, what: &str) -> Key {
    Key::new(format!("Y#{tenant}#{connection}"), what)
}

pub(crate) fn called_off(tenant: &TenantId, connection: &ConnectionId) -> Key {
    sync(tenant, connection, "CALLEDOFF")
}

pub(crate) fn hints_pk(tenant: &TenantId, connection: &ConnectionId) -> String {
    format!("H#{tenant}#{connection}")
}

pub(crate) fn hint(tenant: &TenantId, connection: &ConnectionId, named: &str) -> Key {
    Key::new(hints_pk(tenant, connection), named)
}

pub(crate) fn grant(hash: &str) -> Key {
    Key::new(format!("K#{hash}"), "KEY")
}

pub(crate) fn grants_pk(tenant: &TenantId) -> String {
    format!("G#{tenant}")
}

pub(crate) fn listed_grant(tenant: &TenantId, id: &str) -> Key {
    Key::new(grants_pk(tenant), id)
}

pub(crate) fn members_pk(tenant: &TenantId) -> String {
    format!("W#{tenant}")
}

pub(crate) fn member(tenant: &TenantId, email: &Email) -> Key {
    Key::new(members_pk(tenant), email.as_str())
}

pub(crate) fn person_pk(email: &Email) -> String {
    format!("U#{email}")
}

pub(crate) fn membership(email: &Email, tenant: &TenantId) -> Key {
    Key::new(person_pk(email), tenant.as_str())
}

pub(crate) fn audit_pk(tenant: &TenantId) -> String {
    format!("A#{tenant}")
}

/// Sorted by time.
pub(crate) fn audit(tenant: &TenantId, at: Timestamp, id: &str) -> Key {
    Key::new(audit_pk(tenant), format!("{at:.3}#{id}"))
}

pub(crate) fn gate(tenant: &TenantId, connection: &ConnectionId) -> Key {
    Key::new(format!("{tenant}#{connection}"), "gate")
}

pub(crate) fn counts_pk(tenant: &TenantId, ship_from: &ShipFromId) -> String {
    format!("C#{tenant}#{ship_from}")
}

pub(crate) fn count(tenant: &TenantId, ship_from: &ShipFromId, sku: &Sku) -> Key {
    Key::new(counts_pk(tenant, ship_from), sku.as_str())
}

pub(crate) fn offers_pk(tenant: &TenantId, connection: &ConnectionId) -> String {
    format!("O#{tenant}#{connection}")
}

pub(crate) fn offer(tenant: &TenantId, connection: &ConnectionId, sku: &Sku) -> Key {
    Key::new(offers_pk(tenant, connection), sku.as_str())
}

pub(crate) fn run_pk(tenant: &TenantId, run: &str) -> String {
    format!("{tenant}#{run}")
}

pub(crate) fn run(tenant: &TenantId, run: &str) -> Key {
    Key::new(run_pk(tenant, run), "RUN")
}

/// How a robot's runs ended of late.
pub(crate) fn health(tenant: &TenantId, connection: &ConnectionId, robot: &RobotId) -> Key {
    Key::new(format!("{tenant}#{connection}#{robot}"), "HEALTH")
}

pub(crate) fn run_page(tenant: &TenantId, run: &str, page: u32) -> Key {
    Key::new(run_pk(tenant, run), format!("PAGE#{page:06}"))
}
