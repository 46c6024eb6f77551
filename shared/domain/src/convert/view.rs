//! What a template sees: `order`, `address`, `shipment` and `connection`. Looked up as it asks, since it asks for little.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Serde, Value};

use super::field::Field;
use crate::ids::ConnectionId;
use crate::jst;
use crate::order::SourceOrder;
use crate::shipment::{Item, ShipTo, ShipmentDetail};

/// Names of what a template sees.
pub(super) const ROOTS: [&str; 4] = ["order", "address", "shipment", "connection"];

/// Everything for one parcel.
#[derive(Debug)]
pub(super) struct Root {
    order: Value,
    address: Value,
    shipment: Value,
    connection: String,
}

impl Root {
    /// `place` is the place of the parcel's address in the order; `standard` what the standard robot makes of it.
    pub(super) fn new(
        order: &Arc<SourceOrder>,
        place: usize,
        connection: &ConnectionId,
        standard: &ShipmentDetail,
    ) -> Self {
        Self {
            order: Value::from_object(OrderView(Arc::clone(order))),
            address: Value::from_object(AddressView(Arc::clone(order), place)),
            shipment: Value::from_object(ShipmentView {
                ship_to: standard.ship_to.clone(),
                items: standard.items.clone(),
                fields: [
                    Field::DeliveryNote,
                    Field::PaymentMethod,
                    Field::ShipOn,
                    Field::DeliverOn,
                    Field::DeliveryTime,
                ]
                .map(|field| (field.name(), field.of(standard))),
            }),
            connection: connection.to_string(),
        }
    }
}

impl Object for Root {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "order" => Some(self.order.clone()),
            "address" => Some(self.address.clone()),
            "shipment" => Some(self.shipment.clone()),
            "connection" => Some(Value::from_pairs([("id", Value::from(self.connection.as_str()))])),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// The order, by the names that conditions use, and every attribute by the shop's name.
struct OrderView(Arc<SourceOrder>);

impl std::fmt::Debug for OrderView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("order")
    }
}

impl Object for OrderView {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let order = &self.0;
        Some(match key {
            "id" => Value::from(order.id.0),
            "number" => Value::from(order.number.as_str()),
            "state" => Value::from(order.state.as_str()),
            "payment_state" => Value::from(order.payment_state.as_str()),
            "total" => Value::from(order.total.0),
            "updated_at" => {
                let at = order.updated_at?.to_zoned_datetime(jst::zone());
                Value::from(at.strftime("%Y/%m/%d %H:%M:%S").to_string())
            }
            "carrier" => Value::from(Serde(order.carrier.as_ref()?)),
            "lines" => Value::from(Serde(&order.lines)),
            attribute => match order.attributes.get(attribute)? {
                serde_json::Value::Null => return None,
                serde_json::Value::String(text) => Value::from(text.as_str()),
                other => Value::from(Serde(other)),
            },
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// The address that the parcel goes to, by the shop's names: `name01`, `addr01`, `shipping_address_note`, ….
struct AddressView(Arc<SourceOrder>, usize);

impl std::fmt::Debug for AddressView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("address")
    }
}

impl Object for AddressView {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let address = self.0.addresses.get(self.1)?;
        if key == "id" {
            return Some(Value::from(address.id.0));
        }
        address.parts.get(key).map(|part| Value::from(part.trim()))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// What the standard robot makes of the parcel, by the shipment's own names.
struct ShipmentView {
    ship_to: ShipTo,
    items: Vec<Item>,
    fields: [(&'static str, String); 5],
}

impl std::fmt::Debug for ShipmentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("shipment")
    }
}

impl Object for ShipmentView {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "ship_to" => Some(Value::from(Serde(&self.ship_to))),
            "items" => Some(Value::from(Serde(&self.items))),
            name => self.fields.iter().find(|(known, _)| *known == name).map(|(_, text)| Value::from(text.as_str())),
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
