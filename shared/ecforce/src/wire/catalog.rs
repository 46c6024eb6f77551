//! The shop's lists that settings are checked against: products, carriers, stock.

use serde_json::Value;

use super::document::{Document, Resource};
use super::lenient;

/// How much of a variant a stock location has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockItem {
    /// The shop's id of the stock record.
    pub id: u64,
    /// The SKU.
    pub variant_sku: String,
    /// The stock location's code; `None` when the shop does not say.
    pub stock_location_code: Option<String>,
    /// Pieces. `None` when the shop keeps no count.
    pub stock: Option<i64>,
    /// The shop sells it without counting.
    pub stock_unlimited: bool,
}

/// A carrier as the shop calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingCarrier {
    /// Its number at the shop, to be sent with tracking numbers.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A product and, when asked for, its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The shop's id.
    pub id: u64,
    /// The number that people see.
    pub number: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its state at the shop (`active`).
    pub state: Option<String>,
    /// Its variants. Empty when they were not asked for.
    pub variants: Vec<Variant>,
}

/// What is sold: a product in one size or colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The shop's id.
    pub id: u64,
    /// The SKU. A variant without one cannot be ordered by warehouses and is left out.
    pub sku: String,
    /// Its name, if it has one of its own.
    pub name: Option<String>,
}

fn id(resource: &Resource) -> Result<u64, String> {
    resource.id.ok_or_else(|| "it has no id".to_owned())
}

fn text(resource: &Resource, name: &str) -> Option<String> {
    resource.attributes.get(name).and_then(lenient::text)
}

pub(crate) fn stock_item(_: &Document<'_>, resource: &Resource) -> Result<StockItem, String> {
    let attribute = |name: &str| resource.attributes.get(name).unwrap_or(&Value::Null);
    Ok(StockItem {
        id: id(resource)?,
        variant_sku: text(resource, "variant_sku").ok_or("it has no variant_sku")?,
        stock_location_code: text(resource, "stock_location_code"),
        stock: lenient::whole(attribute("stock")).map_err(|_| "its stock is not a whole number")?,
        stock_unlimited: lenient::flag(attribute("stock_unlimited")).ok().flatten().unwrap_or(false),
    })
}

pub(crate) fn shipping_carrier(_: &Document<'_>, resource: &Resource) -> Result<ShippingCarrier, String> {
    Ok(ShippingCarrier { id: id(resource)?, name: text(resource, "name").ok_or("it has no name")? })
}

pub(crate) fn product(document: &Document<'_>, resource: &Resource) -> Result<Product, String> {
    let mut variants = Vec::new();
    for key in resource.references("variants") {
        // Not included unless asked for, so an absent one is no fault; a damaged one is.
        let Some(found) = document.related(&key) else {
            continue;
        };
        let found = found.map_err(|reason| format!("its variant {} cannot be used: {reason}", key.id))?;
        if let Some(sku) = text(&found, "sku") {
            variants.push(Variant { id: key.id, sku, name: text(&found, "name") });
        }
    }
    Ok(Product {
        id: id(resource)?,
        number: text(resource, "number"),
        name: text(resource, "name"),
        state: text(resource, "state"),
        variants,
    })
}
