//! From the shop's words into the domain's: an order as ecforce gives it becomes a [`SourceOrder`].

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{AddressId, OrderId, OrderNumber, Sku};
use renkei_domain::jst;
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::settings::Connection;
use renkei_domain::work::{Fetched, ImportOrder};
use renkei_ecforce::{BadRecord, Direction, MAX_PER, Order, OrderPage, OrderQuery, SortBy};
use renkei_platform::queue::{Outgoing, group};
use serde_json::Value;

/// What fetching asks for: the next hundred orders in the connection's fetch state, whatever their payment, with an id above
/// `after`.
#[must_use]
pub fn waiting(connection: &Connection, after: u64) -> OrderQuery {
    OrderQuery::new()
        .state_eq(&connection.states.fetch)
        .id_gt(after)
        .sort(SortBy::Id, Direction::Ascending)
        .per(MAX_PER)
        .include_all()
}

/// The page's rows that are to be imported, each with its place on the page: without what was there before (shops repeat
/// rows, and pass over conditions), and without orders that left the fetch state while the shop was reading.
#[must_use]
pub fn to_import(page: OrderPage, after: u64, fetch_state: &str) -> Vec<(u16, Fetched)> {
    let mut seen = HashSet::new();
    page.orders
        .into_iter()
        .enumerate()
        .filter(|(_, row)| {
            let (id, wanted) = match row {
                Ok(order) => (Some(order.id), order.state == fetch_state),
                Err(bad) => (bad.id, true),
            };
            wanted && id.is_none_or(|id| id > after && seen.insert(id))
        })
        .filter_map(|(place, row)| Some((u16::try_from(place).ok()?, fetched(row))))
        .collect()
}

/// What a row of a listing is to import: an order, or the reason why it is none.
#[must_use]
pub fn fetched(row: Result<Order, BadRecord>) -> Fetched {
    match row {
        Ok(order) => {
            let (id, number) = (order.id, order.number.clone());
            match source_order(&order) {
                Ok(order) => Fetched::Order(Box::new(order)),
                Err(reason) => Fetched::Unreadable { id: Some(id), number: Some(number), reason },
            }
        }
        Err(bad) => Fetched::Unreadable { id: bad.id, number: bad.number, reason: bad.reason.clone() },
    }
}

/// A larger order does not travel in a queue message; it goes to quarantine by name.
const LARGEST_ORDER: usize = 200 * 1024;

/// The queue's message for an order that is to be imported.
#[must_use]
pub fn outgoing(mut message: ImportOrder) -> Outgoing {
    let mut body = text(&message);
    if body.len() > LARGEST_ORDER
        && let Fetched::Order(order) = &message.order
    {
        message.order = Fetched::Unreadable {
            id: Some(order.id.0),
            number: Some(order.number.to_string()),
            reason: format!("the order has {} KB; at most {} can be imported", body.len() / 1024, LARGEST_ORDER / 1024),
        };
        body = text(&message);
    }
    Outgoing { group: group(&message.tenant, &message.connection), body, delay: Duration::ZERO }
}

/// An order was read from JSON, so it can be written as JSON; were that ever untrue, the empty text is a message that
/// ends among the dead letters, where it is seen.
fn text(message: &ImportOrder) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

fn source_order(order: &Order) -> Result<SourceOrder, String> {
    let number = OrderNumber::parse(order.number.trim()).map_err(|e| e.to_string())?;
    let lines = order
        .items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let sku = item.variant_sku.as_deref().map(str::trim).unwrap_or_default();
            Ok(SourceLine {
                sku: Sku::parse(sku).map_err(|_| format!("line {} has no usable SKU", place + 1))?,
                name: item.product_name.clone().unwrap_or_else(|| sku.to_owned()),
                quantity: item.quantity,
                price: Yen(item.sales_price.or(item.price).unwrap_or(0)),
                address: item.shipping_address_id.map(AddressId),
                bundled: item.product_bundled_item_id.is_some(),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let addresses =
        order.shipping_addresses.iter().map(|address| source_address(address.id, address)).collect::<Result<_, _>>()?;
    let carrier = SourceCarrier { id: order.shipping_carrier_id, name: order.shipping_carrier_name.clone() };
    Ok(SourceOrder {
        id: OrderId(order.id),
        number,
        state: order.state.clone(),
        payment_state: order.payment_state.clone().unwrap_or_default(),
        total: Yen(order.total.unwrap_or(0)),
        updated_at: order.updated_at,
        carrier: (carrier.id.is_some() || carrier.name.is_some()).then_some(carrier),
        addresses,
        lines,
        attributes: scalars(order)?,
    })
}

/// Every scalar attribute by the shop's name, times in Japan's wall clock as the shop writes them: conditions and
/// templates are written by people who read them there.
fn scalars(record: &impl serde::Serialize) -> Result<BTreeMap<String, Value>, String> {
    let Value::Object(attributes) = serde_json::to_value(record).map_err(|e| e.to_string())? else {
        return Ok(BTreeMap::new());
    };
    Ok(attributes
        .into_iter()
        .filter(|(_, value)| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)))
        .map(|(name, value)| {
            let time = value.as_str().filter(|_| name.ends_with("_at")).and_then(|text| text.parse::<Timestamp>().ok());
            let value = time
                .map_or(value, |at| at.to_zoned_datetime(jst::zone()).strftime("%Y/%m/%d %H:%M:%S").to_string().into());
            (name, value)
        })
        .collect())
}

fn source_address(id: u64, address: &impl serde::Serialize) -> Result<SourceAddress, String> {
    let parts = scalars(address)?
        .into_iter()
        .filter(|(name, _)| name != "id")
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
        .collect();
    Ok(SourceAddress { id: AddressId(id), parts })
}
