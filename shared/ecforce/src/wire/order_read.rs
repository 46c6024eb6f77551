//! How a row of the shop's answer becomes an [`Order`]: attributes into their canonical form, related records joined
//! by type and id, and a sentence for whatever an order cannot be shipped without.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::attributes::{canonical, extra};
use super::document::{Document, Key, Resource};
use super::lenient;
use super::order::{CUSTOMER_KNOWN, Customer, ITEM_KNOWN, KNOWN, Order, OrderItem};
use super::page::BadRecord;
use super::postal::Address;

/// What the query included, so what its rows must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) items: bool,
    pub(crate) shipping_addresses: bool,
}

/// Names under which joined records stand, and attributes that are nobody's business here: keys of the payment
/// provider, and where the buyer sat.
const RESERVED: [&str; 8] = [
    "customer",
    "billing_address",
    "shipping_address",
    "shipping_addresses",
    "order_items",
    "payment_access_id",
    "payment_access_pass",
    "ip",
];

pub(crate) fn order(document: &Document<'_>, row: &RawValue, wanted: Wanted) -> Result<Order, BadRecord> {
    let resource = document.resource(row).map_err(|reason| BadRecord::of(row, "order", &reason))?;
    join(document, &resource, wanted).map_err(|reason| BadRecord::of(row, "order", &reason))
}

fn join(document: &Document<'_>, order: &Resource, wanted: Wanted) -> Result<Order, String> {
    let form = essentials(order)?;
    let mut joined: Order = typed(form, "an order")?;
    joined.extra = extra(&order.attributes, KNOWN, &RESERVED);

    let main: Vec<Key> = order.references("shipping_address");
    let mut destinations = order.references("shipping_addresses");
    if destinations.is_empty() {
        destinations.clone_from(&main);
    }
    // A record that the query did not include is not missing; one that it did include must be there.
    let address = |key: &Key| match document.related(key) {
        Some(found) => found
            .and_then(|found| Address::read(key.id, &found))
            .map(Some)
            .map_err(|reason| said("address", key, &reason)),
        None if wanted.shipping_addresses => Err(said("address", key, "it is not part of the answer")),
        None => Ok(None),
    };
    joined.shipping_addresses =
        destinations.iter().filter_map(|key| address(key).transpose()).collect::<Result<_, _>>()?;
    joined.shipping_address = match main.first() {
        Some(key) => address(key)?,
        None => None,
    };
    // Who pays is not needed to ship, so an order is not set aside for it.
    joined.billing_address = order.references("billing_address").first().and_then(|key| {
        let found = document.related(key)?.ok()?;
        Address::read(key.id, &found).ok()
    });
    joined.customer = order.references("customer").first().and_then(|key| {
        let mut form = canonical(&document.related(key)?.ok()?.attributes, CUSTOMER_KNOWN).ok()?;
        form.insert("id".to_owned(), Value::from(key.id));
        typed::<Customer>(form, "a customer").ok()
    });
    for key in order.references("order_items") {
        match document.related(&key) {
            Some(found) => {
                let item =
                    found.and_then(|found| item(key.id, &found)).map_err(|reason| said("item", &key, &reason))?;
                joined.items.push(item);
            }
            // A line that is not there is a parcel with something missing.
            None if wanted.items => return Err(said("item", &key, "it is not part of the answer")),
            None => {}
        }
    }
    if wanted.items && joined.items.is_empty() {
        return Err("it has no items".to_owned());
    }
    if wanted.shipping_addresses && joined.shipping_addresses.is_empty() {
        return Err("it has no shipping address".to_owned());
    }
    settle_destinations(&mut joined)?;
    Ok(joined)
}

/// The order's own attributes in canonical form, with those that it cannot be without.
fn essentials(order: &Resource) -> Result<Map<String, Value>, String> {
    let mut form = canonical(&order.attributes, KNOWN)?;
    form.insert("id".to_owned(), Value::from(order.id.ok_or("it has no id")?));
    for name in ["number", "state"] {
        // Both are compared and looked up by, so blanks around them do not count.
        let value = form.get(name).and_then(Value::as_str).map(str::trim).ok_or_else(|| format!("it has no {name}"))?;
        form.insert(name.to_owned(), Value::from(value));
    }
    // Looked up in a table of states, and no order is set aside for the lack of it.
    if let Some(state) = form.get("payment_state").and_then(Value::as_str).map(str::trim) {
        form.insert("payment_state".to_owned(), Value::from(state));
    }
    Ok(form)
}

/// Each line's address is one of the order's. With a single address there is nothing to tell apart, so a reference to
/// another record says nothing; with several, a line for an unknown address must not go to just any of them.
fn settle_destinations(order: &mut Order) -> Result<(), String> {
    if order.shipping_addresses.is_empty() {
        return Ok(());
    }
    let several = order.shipping_addresses.len() > 1;
    for item in &mut order.items {
        let Some(id) = item.shipping_address_id else {
            continue;
        };
        if order.shipping_addresses.iter().any(|address| address.id == id) {
            continue;
        }
        if several {
            return Err(format!("its item {} goes to address {id}, which is none of the order's", item.id));
        }
        item.shipping_address_id = None;
    }
    Ok(())
}

fn item(id: u64, resource: &Resource) -> Result<OrderItem, String> {
    let mut form = canonical(&resource.attributes, ITEM_KNOWN)?;
    form.insert("id".to_owned(), Value::from(id));
    if !form.contains_key("quantity") {
        return Err("it has no quantity".to_owned());
    }
    if let Some(address) = resource.references("shipping_address").first() {
        form.insert("shipping_address_id".to_owned(), Value::from(address.id));
    }
    typed(form, "an order item")
}

fn typed<T: serde::de::DeserializeOwned>(form: Map<String, Value>, what: &str) -> Result<T, String> {
    serde_json::from_value(Value::Object(form)).map_err(|_| format!("it does not have the form of {what}"))
}

fn said(what: &str, key: &Key, reason: &str) -> String {
    format!("its {what} {} cannot be used: {reason}", key.id)
}

/// The id and the number of a row that could not be read, as far as they can be made out.
pub(crate) fn identity(row: &Value) -> (Option<u64>, Option<String>) {
    let attributes = row.get("attributes");
    let id = |place: Option<&Value>| place.and_then(|place| lenient::id(place.get("id")?).ok().flatten());
    let number = attributes.and_then(|attributes| lenient::text(attributes.get("number")?));
    (id(Some(row)).or_else(|| id(attributes)), number)
}
