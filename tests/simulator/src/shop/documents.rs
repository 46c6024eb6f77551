//! JSON:API documents: `data`, `included`, `meta`, `links`, as the shop's answers have them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::edit::variant_id;
use super::order::{Address, Line, Order};
use super::query::{Include, Listing};
use crate::api::{AddressTruth, OrderTruth, Product, ShopSpec};
use crate::time::ShopTime;

/// Attributes that `lighter=1` leaves out: labels, and amounts split by tax rate.
const HEAVY: [&str; 11] = [
    "human_state",
    "payment_human_state",
    "subtotal8",
    "subtotal10",
    "tax8",
    "tax10",
    "total8",
    "total10",
    "discount_with_point",
    "adjustment",
    "labels",
];

/// The label of a payment state; a state that is in no table shows itself.
pub fn payment_label(state: &str) -> &str {
    match state {
        "authed" => "仮売上完了",
        "credit_exam_completed" => "与信審査完了",
        "captured" | "completed" => "売上完了",
        "paid" => "入金済み",
        "pending" => "入金待ち",
        "auth_failed" => "仮売上失敗",
        "update_failed" => "取引修正失敗",
        "credit_exam_processing" => "与信審査中",
        "credit_exam_hold" => "与信保留",
        "credit_exam_failed" => "与信審査エラー",
        "voided" | "void" => "取消完了",
        other => other,
    }
}

fn time(time: Option<ShopTime>) -> Value {
    time.map_or(Value::Null, |time| time.answer().into())
}

/// An order's attributes.
pub fn order_attributes(order: &Order, shop: &ShopSpec, lighter: bool) -> Map<String, Value> {
    let money = &order.money;
    let (subtotal8, subtotal10) = (order.subtotal_at(8), order.subtotal_at(10));
    let total = order.total();
    let total8 = subtotal8 + money.tax8;
    let carrier = order.carrier_id.and_then(|id| shop.carriers.iter().find(|carrier| carrier.id == id));
    let pairs: [(&str, Value); 55] = [
        ("id", order.id.into()),
        ("number", order.number.as_str().into()),
        ("labels", "".into()),
        ("state", order.state.as_str().into()),
        ("human_state", shop.states.label(&order.state).unwrap_or(&order.state).into()),
        ("payment_state", order.payment_state.as_str().into()),
        ("payment_human_state", payment_label(&order.payment_state).into()),
        ("payment_method_name", order.payment_method.as_ref().into()),
        ("email", order.email.as_str().into()),
        ("customer_id", order.customer_id.into()),
        ("customer_number", order.customer_id.map(|id| format!("C{id}")).into()),
        ("subs_order_id", order.subs_order_id.into()),
        ("subs_order_number", order.subs_order_id.map(|id| format!("s{id:07}")).into()),
        ("times", order.times.into()),
        ("nth", order.times.into()),
        ("kind", order.kind.as_ref().into()),
        ("subtotal", order.subtotal().into()),
        ("subtotal8", subtotal8.into()),
        ("subtotal10", subtotal10.into()),
        ("discount", money.discount.into()),
        ("discount_with_point", money.discount_with_point.into()),
        ("adjustment", money.adjustment.into()),
        ("deliv_fee", money.deliv_fee.into()),
        ("charge", money.charge.into()),
        ("tax", (money.tax8 + money.tax10).into()),
        ("tax8", money.tax8.into()),
        ("tax10", money.tax10.into()),
        ("point", money.point.into()),
        ("total", total.into()),
        ("total8", total8.into()),
        ("total10", (total - total8).into()),
        ("payment_total", total.into()),
        ("shipping_carrier_id", order.carrier_id.into()),
        ("shipping_carrier_name", carrier.map(|carrier| carrier.name.as_str()).into()),
        ("shipping_slip", order.shown_slip().into()),
        ("stock_location_id", order.stock_location_id.into()),
        ("scheduled_to_be_shipped_at", time(order.ship_on)),
        ("scheduled_to_be_delivered_at", time(order.deliver_on)),
        ("scheduled_delivery_time", order.delivery_time.as_ref().map(|(label, _)| label.as_ref()).into()),
        ("scheduled_delivery_time_code", order.delivery_time.as_ref().map(|(_, code)| code.as_ref()).into()),
        ("multiple_shipping", order.is_multiple().into()),
        ("remark", order.remark.as_ref().into()),
        ("memo01", order.memo01.as_str().into()),
        ("memo02", order.memo02.as_str().into()),
        ("link_number", Value::Null),
        ("wrapping", Value::Null),
        ("tbc", false.into()),
        ("created_at", time(Some(order.created_at))),
        ("updated_at", time(Some(order.updated_at))),
        ("completed_at", time(order.completed_at)),
        ("shipped_at", time(order.shipped_at)),
        ("delivered_at", time(order.delivered_at)),
        ("payment_paid_at", time(order.paid_at)),
        ("payment_voided_at", time(order.voided_at)),
        ("coupon_code", Value::Null),
    ];
    let mut attributes: Map<String, Value> = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    finish(&mut attributes, &order.overrides, &order.omitted);
    if lighter {
        for key in HEAVY {
            attributes.remove(key);
        }
    }
    attributes
}

/// An address' attributes.
pub fn address_attributes(address: &Address) -> Map<String, Value> {
    let joined = |parts: [&str; 2], between: &str| {
        let filled: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        filled.join(between)
    };
    let full_address = format!("{}{}{}{}", address.prefecture_name, address.addr01, address.addr02, address.addr03);
    let pairs: [(&str, Value); 21] = [
        ("id", address.id.into()),
        ("name01", address.name01.as_ref().into()),
        ("name02", address.name02.as_ref().into()),
        ("kana01", address.kana01.as_ref().into()),
        ("kana02", address.kana02.as_ref().into()),
        ("company_name", address.company_name.as_deref().into()),
        ("zip01", address.zip01.as_ref().into()),
        ("zip02", address.zip02.as_ref().into()),
        ("prefecture_id", address.prefecture_id.into()),
        ("prefecture_name", address.prefecture_name.as_ref().into()),
        ("addr01", address.addr01.as_ref().into()),
        ("addr02", address.addr02.as_ref().into()),
        ("addr03", address.addr03.as_ref().into()),
        ("tel01", address.tel01.as_ref().into()),
        ("tel02", address.tel02.as_ref().into()),
        ("tel03", address.tel03.as_ref().into()),
        ("full_name", joined([&address.name01, &address.name02], " ").into()),
        ("full_zip", joined([&address.zip01, &address.zip02], "-").into()),
        ("full_tel", joined([&joined([&address.tel01, &address.tel02], "-"), &address.tel03], "-").into()),
        ("full_address", full_address.into()),
        ("shipping_address_note", address.note.as_deref().into()),
    ];
    let mut attributes: Map<String, Value> = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    finish(&mut attributes, &address.overrides, &address.omitted);
    attributes
}

/// A line's attributes.
pub fn line_attributes(line: &Line) -> Map<String, Value> {
    let pairs: [(&str, Value); 12] = [
        ("id", line.id.into()),
        ("variant_id", line.variant_id.into()),
        ("variant_sku", line.sku.as_ref().into()),
        ("product_number", line.product_number.as_ref().into()),
        ("product_name", line.product_name.as_ref().into()),
        ("list_price", line.list_price.into()),
        ("sales_price", line.list_price.into()),
        ("price", line.price.into()),
        ("quantity", line.quantity.into()),
        ("set_item_quantity", 1.into()),
        ("tax_rate", line.tax_rate.into()),
        ("product_bundled_item_id", line.bundled_item_id.into()),
    ];
    let mut attributes: Map<String, Value> = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    finish(&mut attributes, &line.overrides, &[]);
    attributes
}

fn finish(attributes: &mut Map<String, Value>, overrides: &Map<String, Value>, omitted: &[String]) {
    for (key, value) in overrides {
        attributes.insert(key.clone(), value.clone());
    }
    for key in omitted {
        attributes.remove(key);
    }
}

fn reference(kind: &str, id: u64) -> Value {
    json!({"id": id.to_string(), "type": kind})
}

fn resource(kind: &'static str, id: u64, attributes: Map<String, Value>) -> Value {
    let mut resource = Map::new();
    resource.insert("id".to_owned(), id.to_string().into());
    resource.insert("type".to_owned(), kind.into());
    resource.insert("attributes".to_owned(), Value::Object(attributes));
    Value::Object(resource)
}

/// An order as a resource with its relationships.
pub fn order_resource(order: &Order, shop: &ShopSpec, lighter: bool) -> Value {
    let first = order.ship_to.first().map(|ship_to| reference("address", ship_to.address.id));
    let billing = order.billing.as_ref().map(|address| reference("address", address.id)).or_else(|| first.clone());
    let all: Vec<Value> = order.ship_to.iter().map(|ship_to| reference("address", ship_to.address.id)).collect();
    let lines: Vec<Value> = order.lines.iter().map(|line| reference("order_item", line.id)).collect();
    let mut resource = resource("order", order.id, order_attributes(order, shop, lighter));
    resource["relationships"] = json!({
        "customer": {"data": order.customer_id.map(|id| reference("customer", id))},
        "billing_address": {"data": billing},
        "shipping_address": {"data": first},
        "shipping_addresses": {"data": all},
        "order_items": {"data": lines},
    });
    resource
}

/// The related resources of some orders, each once.
fn included(orders: &[Arc<Order>], include: Include) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut resources = Vec::new();
    let mut address = |address: &Address, resources: &mut Vec<Value>| {
        if seen.insert(("address", address.id)) {
            resources.push(resource("address", address.id, address_attributes(address)));
        }
    };
    let mut customers = BTreeSet::new();
    for order in orders {
        if include.billing_address {
            match &order.billing {
                Some(billing) => address(billing, &mut resources),
                None => address(&order.ship_to[0].address, &mut resources),
            }
        }
        let shown =
            if include.shipping_addresses { order.ship_to.len() } else { usize::from(include.shipping_address) };
        for ship_to in order.ship_to.iter().take(shown) {
            address(&ship_to.address, &mut resources);
        }
        if include.order_items {
            for line in &order.lines {
                let mut item = resource("order_item", line.id, line_attributes(line));
                if order.is_multiple() {
                    let id = order.ship_to[line.ship_to].address.id;
                    item["relationships"] = json!({"shipping_address": {"data": reference("address", id)}});
                }
                resources.push(item);
            }
        }
        if let (true, Some(id)) = (include.customer, order.customer_id)
            && customers.insert(id)
        {
            resources.push(json!({
                "id": id.to_string(),
                "type": "customer",
                "attributes": {"id": id, "number": format!("C{id}"), "email": order.email, "state": "member"},
            }));
        }
    }
    resources
}

/// A page of orders.
pub fn order_list(orders: &[Arc<Order>], total: u64, listing: &Listing, shop: &ShopSpec) -> Value {
    let data: Vec<Value> = orders.iter().map(|order| order_resource(order, shop, listing.lighter)).collect();
    let related = (listing.include != Include::default()).then(|| included(orders, listing.include));
    list("orders", data, related, total, listing.page, listing.per)
}

/// A single order.
pub fn single_order(order: &Arc<Order>, include: Include, lighter: bool, shop: &ShopSpec) -> Value {
    let mut document = json!({"data": order_resource(order, shop, lighter)});
    if include != Include::default() {
        document["included"] = included(std::slice::from_ref(order), include).into();
    }
    document
}

/// A page of anything.
pub fn list(path: &str, data: Vec<Value>, included: Option<Vec<Value>>, total: u64, page: u64, per: u64) -> Value {
    let mut document = json!({
        "meta": {
            "total_count": total,
            "page": page,
            "per": per,
            "count": data.len(),
            "total_pages": total.div_ceil(per.max(1)),
        },
        "links": {"self": format!("/api/v2/admin/{path}?page={page}&per={per}")},
    });
    document["data"] = Value::Array(data);
    if let Some(included) = included {
        document["included"] = Value::Array(included);
    }
    document
}

/// The shop's carriers as resources.
pub fn carriers(shop: &ShopSpec) -> Vec<Value> {
    shop.carriers
        .iter()
        .map(|carrier| {
            let attributes = Map::from_iter([
                ("id".to_owned(), carrier.id.into()),
                ("name".to_owned(), carrier.name.as_str().into()),
            ]);
            resource("shipping_carrier", carrier.id, attributes)
        })
        .collect()
}

/// A product as a resource; its id is its variant's plus 1000.
pub fn product(product: &Product, index: usize) -> Value {
    let id = variant_id(index) + 1000;
    let attributes = Map::from_iter([
        ("id".to_owned(), id.into()),
        ("number".to_owned(), product.number().into()),
        ("name".to_owned(), product.name.as_str().into()),
        ("state".to_owned(), "active".into()),
    ]);
    let mut resource = resource("product", id, attributes);
    resource["relationships"] = json!({"variants": {"data": [reference("variant", variant_id(index))]}});
    resource
}

/// A product's variant as a resource.
pub fn variant(product: &Product, index: usize) -> Value {
    let id = variant_id(index);
    let attributes = Map::from_iter([
        ("id".to_owned(), id.into()),
        ("sku".to_owned(), product.sku.as_str().into()),
        ("product_id".to_owned(), (id + 1000).into()),
        ("list_price".to_owned(), product.price.into()),
        ("sales_price".to_owned(), product.price.into()),
        ("tax_rate".to_owned(), product.tax_rate.into()),
    ]);
    resource("variant", id, attributes)
}

/// A stock item as a resource.
pub fn stock_item(id: u64, sku: &str, variant: u64, location: (u64, &str), stock: i64) -> Value {
    let attributes = Map::from_iter([
        ("id".to_owned(), id.into()),
        ("variant_id".to_owned(), variant.into()),
        ("variant_sku".to_owned(), sku.into()),
        ("stock_location_id".to_owned(), location.0.into()),
        ("stock_location_code".to_owned(), location.1.into()),
        ("stock".to_owned(), stock.into()),
    ]);
    resource("stock_item", id, attributes)
}

/// Everything about an order, for the control API.
pub fn truth(order: &Order, shop: &ShopSpec) -> OrderTruth {
    OrderTruth {
        brief: order.brief(&shop.states),
        attributes: order_attributes(order, shop, false),
        shipping_addresses: order
            .ship_to
            .iter()
            .map(|ship_to| AddressTruth {
                id: ship_to.address.id,
                shipping_slip: ship_to.slip.clone(),
                shipping_carrier_id: ship_to.carrier_id,
                shipped_at: ship_to.shipped_at.map(ShopTime::timestamp),
                attributes: address_attributes(&ship_to.address),
            })
            .collect(),
        order_items: order
            .lines
            .iter()
            .map(|line| {
                let mut attributes = line_attributes(line);
                let id = order.ship_to[line.ship_to].address.id;
                attributes.insert("shipping_address".to_owned(), id.into());
                attributes
            })
            .collect(),
        history: order.history.clone(),
    }
}
