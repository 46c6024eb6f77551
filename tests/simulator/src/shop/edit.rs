//! Setting attributes by the names that the shop's API gives them: explicit orders of tests, and changes by the shop's staff.

use serde_json::{Map, Value};

use super::order::{Address, Line, Order, ShipTo, Text};
use crate::api::{Product, Writer};
use crate::time::ShopTime;

/// Hands out ids of addresses and lines, so that they stay unique in the shop.
pub struct Ids<'a> {
    pub next_address: &'a mut u64,
    pub next_line: &'a mut u64,
}

/// Why an edit was refused: a sentence for whoever wrote it.
pub type Refusal = String;

/// Lays attributes over an order. With a writer, every change is recorded in its history.
pub fn lay_over(
    order: &mut Order,
    attributes: &Map<String, Value>,
    products: &[Product],
    ids: &mut Ids<'_>,
    by: Option<(Writer, ShopTime)>,
) -> Result<(), Refusal> {
    if let Some(addresses) = attributes.get("shipping_addresses") {
        set_ship_to(order, list(addresses, "shipping_addresses")?, ids)?;
    }
    if let Some(address) = attributes.get("shipping_address") {
        edit_address(&mut order.ship_to[0].address, object(address, "shipping_address")?);
    }
    if let Some(address) = attributes.get("billing_address") {
        let mut billing = order.billing.take().unwrap_or_else(|| {
            let id = take(ids.next_address);
            Box::new(Address { id, ..order.ship_to[0].address.clone() })
        });
        edit_address(&mut billing, object(address, "billing_address")?);
        order.billing = Some(billing);
    }
    if let Some(lines) = attributes.get("order_items") {
        let count = order.ship_to.len();
        let template = order.lines.first().cloned();
        order.lines = list(lines, "order_items")?
            .iter()
            .map(|line| new_line(object(line, "order_items")?, template.as_ref(), count, products, ids))
            .collect::<Result<_, _>>()?;
    }
    if let Some(omitted) = attributes.get("omit") {
        order.omitted = list(omitted, "omit")?.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect();
    }
    for (key, value) in attributes {
        match (key.as_str(), by) {
            (
                "shipping_addresses" | "shipping_address" | "billing_address" | "order_items" | "omit",
                Some((by, now)),
            ) => {
                order.record(by, key, None, Value::Null, Value::Bool(true), now);
            }
            ("shipping_addresses" | "shipping_address" | "billing_address" | "order_items" | "omit", None) => {}
            ("id", Some(_)) => return Err("an order's id cannot be changed".to_owned()),
            ("state", Some((by, now))) => order.move_to(text(key, value)?, by, now),
            ("payment_state", Some((by, now))) => order.pay(text(key, value)?, by, now),
            (_, Some((by, now))) => {
                set_attribute(order, key, value)?;
                order.record(by, key, None, Value::Null, value.clone(), now);
            }
            (_, None) => set_attribute(order, key, value)?,
        }
    }
    Ok(())
}

fn set_attribute(order: &mut Order, key: &str, value: &Value) -> Result<(), Refusal> {
    let typed = match key {
        "id" => put(value.as_u64(), &mut order.id),
        "number" => put(owned(value), &mut order.number),
        "state" => put(owned(value), &mut order.state),
        "payment_state" => put(owned(value), &mut order.payment_state),
        "payment_method_name" => put(owned(value).map(Text::Owned), &mut order.payment_method),
        "email" => put(owned(value), &mut order.email),
        "customer_id" => put(optional(value, Value::as_u64), &mut order.customer_id),
        "subs_order_id" => put(optional(value, Value::as_u64), &mut order.subs_order_id),
        "times" => put(value.as_u64(), &mut order.times),
        "kind" => put(owned(value).map(Text::Owned), &mut order.kind),
        "discount" => put(value.as_i64(), &mut order.money.discount),
        "discount_with_point" => put(value.as_i64(), &mut order.money.discount_with_point),
        "adjustment" => put(value.as_i64(), &mut order.money.adjustment),
        "deliv_fee" => put(value.as_i64(), &mut order.money.deliv_fee),
        "charge" => put(value.as_i64(), &mut order.money.charge),
        "tax8" => put(value.as_i64(), &mut order.money.tax8),
        "tax10" => put(value.as_i64(), &mut order.money.tax10),
        "point" => put(value.as_i64(), &mut order.money.point),
        "shipping_carrier_id" => put(optional(value, Value::as_u64), &mut order.carrier_id),
        "stock_location_id" => put(optional(value, Value::as_u64), &mut order.stock_location_id),
        "remark" => put(owned(value).map(Text::Owned), &mut order.remark),
        "memo01" => put(owned(value), &mut order.memo01),
        "memo02" => put(owned(value), &mut order.memo02),
        "shipping_slip" => put(optional(value, owned), &mut order.ship_to[0].slip),
        "scheduled_to_be_shipped_at" => put(optional(value, moment), &mut order.ship_on),
        "scheduled_to_be_delivered_at" => put(optional(value, moment), &mut order.deliver_on),
        "scheduled_delivery_time" | "scheduled_delivery_time_code" => set_delivery_time(order, key, value),
        "created_at" => put(moment(value).map(|time| hidden_micros(order.id, time)), &mut order.created_at),
        "updated_at" => put(moment(value).map(|time| hidden_micros(order.id, time)), &mut order.updated_at),
        "completed_at" => put(optional(value, moment), &mut order.completed_at),
        "shipped_at" => put(optional(value, moment), &mut order.shipped_at),
        "delivered_at" => put(optional(value, moment), &mut order.delivered_at),
        "payment_paid_at" => put(optional(value, moment), &mut order.paid_at),
        "payment_voided_at" => put(optional(value, moment), &mut order.voided_at),
        _ => false,
    };
    if typed {
        order.overrides.remove(key);
    } else if matches!(key, "id" | "state" | "payment_state") {
        return Err(format!("`{key}` has the wrong type: the shop's listing depends on it"));
    } else {
        order.overrides.insert(key.to_owned(), value.clone());
    }
    Ok(())
}

fn set_delivery_time(order: &mut Order, key: &str, value: &Value) -> bool {
    let Some(new) = owned(value) else {
        order.delivery_time = None;
        return value.is_null();
    };
    let (label, code) = order.delivery_time.get_or_insert_default();
    *(if key == "scheduled_delivery_time" { label } else { code }) = Text::Owned(new);
    true
}

/// A time written in whole seconds gets microseconds that nobody sees, as a database row has them.
fn hidden_micros(id: u64, time: ShopTime) -> ShopTime {
    if time.micros() % 1_000_000 == 0 {
        let hidden = i64::try_from(id.wrapping_mul(7_919) % 999_983).unwrap_or(0) + 1;
        ShopTime::from_micros(time.micros() + hidden)
    } else {
        time
    }
}

fn set_ship_to(order: &mut Order, addresses: &[Value], ids: &mut Ids<'_>) -> Result<(), Refusal> {
    if addresses.is_empty() {
        return Err("an order has at least one shipping address".to_owned());
    }
    let mut ship_to = Vec::with_capacity(addresses.len());
    for (index, attributes) in addresses.iter().enumerate() {
        let mut next = order.ship_to.get(index).cloned().unwrap_or_else(|| {
            let mut address = order.ship_to[0].address.clone();
            address.id = take(ids.next_address);
            ShipTo { address, slip: None, carrier_id: None, shipped_at: None }
        });
        edit_address(&mut next.address, object(attributes, "shipping_addresses")?);
        ship_to.push(next);
    }
    for line in &mut order.lines {
        line.ship_to = line.ship_to.min(ship_to.len() - 1);
    }
    order.ship_to = ship_to;
    Ok(())
}

fn edit_address(address: &mut Address, attributes: &Map<String, Value>) {
    for (key, value) in attributes {
        let typed = match key.as_str() {
            "id" => put(value.as_u64(), &mut address.id),
            "company_name" => put(optional(value, owned).map(|text| text.map(Text::Owned)), &mut address.company_name),
            "shipping_address_note" => put(optional(value, owned).map(|text| text.map(Text::Owned)), &mut address.note),
            "prefecture_id" => put(value.as_u64().and_then(|id| u8::try_from(id).ok()), &mut address.prefecture_id),
            "omit" => {
                address.omitted =
                    value.as_array().map(|keys| keys.iter().filter_map(owned).collect()).unwrap_or_default();
                true
            }
            other => address.text_mut(other).is_some_and(|text| put(owned(value).map(Text::Owned), text)),
        };
        if typed {
            address.overrides.remove(key);
        } else {
            address.overrides.insert(key.clone(), value.clone());
        }
    }
}

impl Address {
    fn text_mut(&mut self, key: &str) -> Option<&mut Text> {
        Some(match key {
            "name01" => &mut self.name01,
            "name02" => &mut self.name02,
            "kana01" => &mut self.kana01,
            "kana02" => &mut self.kana02,
            "zip01" => &mut self.zip01,
            "zip02" => &mut self.zip02,
            "prefecture_name" => &mut self.prefecture_name,
            "addr01" => &mut self.addr01,
            "addr02" => &mut self.addr02,
            "addr03" => &mut self.addr03,
            "tel01" => &mut self.tel01,
            "tel02" => &mut self.tel02,
            "tel03" => &mut self.tel03,
            _ => return None,
        })
    }
}

fn new_line(
    attributes: &Map<String, Value>,
    template: Option<&Line>,
    addresses: usize,
    products: &[Product],
    ids: &mut Ids<'_>,
) -> Result<Line, Refusal> {
    let id = take(ids.next_line);
    let sku = attributes
        .get("variant_sku")
        .and_then(owned)
        .or_else(|| template.map(|line| line.sku.to_string()))
        .unwrap_or_default();
    let product = products.iter().position(|product| product.sku == sku);
    let mut line = match product.map(|index| (index, &products[index])) {
        Some((index, product)) => Line::of(product, index, id, 1),
        None => Line {
            id,
            variant_id: 900,
            product_number: Text::Owned(sku.clone()),
            product_name: Text::Owned(format!("旧商品 {sku}")),
            sku: Text::Owned(sku),
            list_price: 1000,
            price: 1000,
            quantity: 1,
            tax_rate: 10,
            bundled_item_id: None,
            ship_to: 0,
            overrides: Map::new(),
        },
    };
    for (key, value) in attributes {
        let typed = match key.as_str() {
            "id" => put(value.as_u64(), &mut line.id),
            "variant_sku" => put(owned(value).map(Text::Owned), &mut line.sku),
            "variant_id" => put(value.as_u64(), &mut line.variant_id),
            "product_number" => put(owned(value).map(Text::Owned), &mut line.product_number),
            "product_name" => put(owned(value).map(Text::Owned), &mut line.product_name),
            "list_price" => put(value.as_i64(), &mut line.list_price),
            "price" => put(value.as_i64(), &mut line.price),
            "quantity" => put(value.as_u64(), &mut line.quantity),
            "tax_rate" => put(value.as_u64().and_then(|rate| u8::try_from(rate).ok()), &mut line.tax_rate),
            "product_bundled_item_id" => put(optional(value, Value::as_u64), &mut line.bundled_item_id),
            "address" => put(
                value.as_u64().and_then(|index| usize::try_from(index).ok()).filter(|index| *index < addresses),
                &mut line.ship_to,
            ),
            _ => false,
        };
        if key == "address" && !typed {
            return Err(format!("`address` is the index of a shipping address, below {addresses}"));
        }
        if !typed {
            line.overrides.insert(key.clone(), value.clone());
        }
    }
    Ok(line)
}

impl Line {
    /// A line of a product, `index` being its place in the shop's list.
    pub fn of(product: &Product, index: usize, id: u64, quantity: u64) -> Self {
        Self {
            id,
            variant_id: variant_id(index),
            sku: Text::Owned(product.sku.clone()),
            product_number: Text::Owned(product.number().to_owned()),
            product_name: Text::Owned(product.name.clone()),
            list_price: product.price,
            price: product.price,
            quantity,
            tax_rate: product.tax_rate,
            bundled_item_id: None,
            ship_to: 0,
            overrides: Map::new(),
        }
    }
}

/// The id of the variant of the product at this place in the shop's list.
pub fn variant_id(index: usize) -> u64 {
    77 + index as u64
}

/// Takes the next id.
pub fn take(next: &mut u64) -> u64 {
    let id = *next;
    *next += 1;
    id
}

fn put<T>(value: Option<T>, target: &mut T) -> bool {
    match value {
        Some(value) => {
            *target = value;
            true
        }
        None => false,
    }
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[expect(
    clippy::option_option,
    reason = "the outer is whether the value has the right type, the inner whether there is one"
)]
fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

fn moment(value: &Value) -> Option<ShopTime> {
    value.as_str().and_then(ShopTime::from_staff)
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| format!("`{key}` must be text"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], Refusal> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("`{key}` must be a list"))
}

fn object<'a>(value: &'a Value, key: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| format!("`{key}` must hold objects"))
}
