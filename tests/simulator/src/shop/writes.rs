//! What the shop's write endpoints do to orders and stock, record by record.

use rand::RngExt;
use serde_json::{Value, json};

use super::Inner;
use super::faults::Strike;
use super::order::Order;
use crate::api::{FaultKind, ShopSpec, Writer};
use crate::time::ShopTime;

/// Records of one write at most.
pub const MOST_RECORDS: usize = 100;

/// The answer to a write, as it builds up.
#[derive(Default)]
pub struct Outcome {
    success: Vec<Value>,
    failure: Vec<Value>,
    errors: Vec<Value>,
    /// Records that changed the shop.
    pub applied: u64,
    /// Orders that got a tracking number.
    pub slipped: Vec<u64>,
}

impl Outcome {
    /// As the shop's answer.
    pub fn into_json(self) -> Value {
        json!({"success": self.success, "failure": self.failure, "errors": self.errors})
    }

    fn fail(&mut self, name: Value, error_id: &Value, code: &str, message: &str) {
        self.failure.push(name);
        self.errors.push(json!({
            "id": error_id,
            "code": "AOR0000",
            "message": "更新に失敗しました。",
            "errors": [{"code": code, "message": message}],
        }));
    }
}

/// A record's own error: the shop's code and message.
type RecordError = (&'static str, &'static str);

const ORDER_NOT_FOUND: RecordError = ("AOR2001", "orderが見つかりません。");
const ADDRESS_NOT_FOUND: RecordError = ("AOR2001", "shipping_addressが見つかりません。");
const CARRIER_NOT_FOUND: RecordError = ("AOR2001", "shipping_carrierが見つかりません。");
const BAD_STATE: RecordError = ("AOR3002", "stateが不正です。");
const BAD_SLIP: RecordError = ("AOR3001", "shipping_slipを入力してください。");
const BAD_TIME: RecordError = ("AOR3001", "shipped_atが不正です。");
const ADDRESS_REQUIRED: RecordError = ("AOR3001", "shipping_address_idを入力してください。");
const SOLD_ALREADY: RecordError = ("AOR3001", "売上処理に失敗しました。すでに売上済みです。");
const SKU_NOT_FOUND: RecordError = ("AOR2001", "variantが見つかりません。");
const LOCATION_NOT_FOUND: RecordError = ("AOR2001", "stock_locationが見つかりません。");
const BAD_STOCK: RecordError = ("AOR3001", "stockが不正です。");

/// The answer to a write that is refused whole: wrapped as a record's own errors are.
pub fn refused_whole() -> Value {
    let (code, message) = ORDER_NOT_FOUND;
    json!({"errors": [{
        "code": "AOR0000",
        "message": "更新に失敗しました。",
        "errors": [{"code": code, "message": message}],
    }]})
}

/// How a fault bends a write.
pub struct Bend {
    applies: bool,
    drops_numbers: bool,
    failing: Vec<bool>,
    code: String,
}

impl Bend {
    /// The bend that a strike gives to a write of so many records.
    pub fn of(strike: Option<&Strike>, records: usize) -> Self {
        let mut bend = Self { applies: true, drops_numbers: false, failing: vec![false; records], code: String::new() };
        match strike.map(|strike| (&strike.kind, strike)) {
            Some((FaultKind::SilentNoOp, _)) => bend.applies = false,
            Some((FaultKind::DroppedNumbers, _)) => bend.drops_numbers = true,
            Some((FaultKind::PartialFailure { percent, code }, strike)) => {
                let mut dice = strike.dice();
                for failing in &mut bend.failing {
                    *failing = dice.random_range(0..100) < *percent;
                }
                if records > 0 && !bend.failing.contains(&true) {
                    bend.failing[dice.random_range(0..records)] = true;
                }
                bend.code.clone_from(code);
            }
            _ => {}
        }
        bend
    }

    fn fails(&self, index: usize) -> Option<&str> {
        self.failing.get(index).copied().unwrap_or(false).then_some(self.code.as_str())
    }
}

const BENT: &str = "処理中にエラーが発生しました。";

/// `PUT orders/bulk_update.json`: moves states, sets `memo01`; drops everything else without a word.
pub fn bulk_update(inner: &mut Inner, shop: &ShopSpec, records: &[Value], bend: &Bend, now: ShopTime) -> Outcome {
    let mut outcome = Outcome::default();
    for (index, record) in records.iter().enumerate() {
        let id = record["id"].clone();
        if let Some(code) = bend.fails(index) {
            outcome.fail(id.clone(), &id, code, BENT);
            continue;
        }
        match update(inner, shop, record, bend.applies, now) {
            Ok(changed) => {
                outcome.success.push(id);
                outcome.applied += u64::from(changed);
            }
            Err((code, message)) => outcome.fail(id.clone(), &id, code, message),
        }
    }
    outcome
}

fn update(
    inner: &mut Inner,
    shop: &ShopSpec,
    record: &Value,
    applies: bool,
    now: ShopTime,
) -> Result<bool, RecordError> {
    let id = order_id(inner, record)?;
    let state = match &record["state"] {
        Value::Null => None,
        Value::String(state) if shop.states.label(state).is_some() => Some(state.as_str()),
        _ => return Err(BAD_STATE),
    };
    let memo = record["memo01"].as_str();
    if !applies {
        return Ok(false);
    }
    let changed = inner.book.change(id, |order| {
        if let Some(state) = state {
            order.move_to(state, Writer::Api, now);
        }
        if let Some(memo) = memo {
            let from = std::mem::replace(&mut order.memo01, memo.to_owned());
            order.overrides.remove("memo01");
            order.record(Writer::Api, "memo01", None, from.into(), memo.into(), now);
        }
        state.is_some() || memo.is_some()
    });
    Ok(changed.unwrap_or(false))
}

/// A record's order id: a number, as the API documents it. A string is refused like an unknown id.
fn order_id(inner: &Inner, record: &Value) -> Result<u64, RecordError> {
    record["id"].as_u64().filter(|id| inner.book.has(*id)).ok_or(ORDER_NOT_FOUND)
}

/// `PUT` or `POST orders/shipping.json`: tracking number, carrier and date, per address where there are several.
pub fn shipping(
    inner: &mut Inner,
    shop: &ShopSpec,
    records: &[Value],
    with_sale: bool,
    bend: &Bend,
    now: ShopTime,
) -> Outcome {
    let mut outcome = Outcome::default();
    for (index, record) in records.iter().enumerate() {
        let id = record["id"].clone();
        let several = record["id"].as_u64().and_then(|id| inner.book.get(id)).is_some_and(|order| order.is_multiple());
        let name = match (several, record["shipping_address_id"].as_u64()) {
            (true, Some(address)) => Value::from(format!("{id}-{address}")),
            _ => id,
        };
        if let Some(code) = bend.fails(index) {
            outcome.fail(name.clone(), &name, code, BENT);
            continue;
        }
        match ship(inner, shop, record, with_sale, bend, now) {
            Ok(order) => {
                outcome.success.push(name);
                outcome.applied += u64::from(order.is_some());
                outcome.slipped.extend(order);
            }
            Err((code, message)) => outcome.fail(name.clone(), &name, code, message),
        }
    }
    outcome
}

fn ship(
    inner: &mut Inner,
    shop: &ShopSpec,
    record: &Value,
    with_sale: bool,
    bend: &Bend,
    now: ShopTime,
) -> Result<Option<u64>, RecordError> {
    let id = order_id(inner, record)?;
    let order = inner.book.get(id).ok_or(ORDER_NOT_FOUND)?;
    let parcel = parcel(order, record)?;
    let slip = record["shipping_slip"].as_str().filter(|slip| !slip.trim().is_empty()).ok_or(BAD_SLIP)?;
    let carrier = match &record["shipping_carrier_id"] {
        Value::Null => None,
        given => {
            let known = given.as_u64().filter(|id| shop.carriers.iter().any(|carrier| carrier.id == *id));
            Some(known.ok_or(CARRIER_NOT_FOUND)?)
        }
    };
    let shipped_at = match &record["shipped_at"] {
        Value::Null => None,
        given => Some(given.as_str().and_then(ShopTime::from_request).ok_or(BAD_TIME)?),
    };
    if with_sale && matches!(order.payment_state.as_str(), "captured" | "completed" | "paid") {
        return Err(SOLD_ALREADY);
    }
    if !bend.applies {
        return Ok(None);
    }
    let is_taken = order.state != shop.states.fetch;
    if bend.drops_numbers && is_taken && !order.is_multiple() && order.shown_slip().is_none() {
        inner.book.change(id, |order| order.note_dropped(slip, now));
        return Ok(None);
    }
    inner.book.change(id, |order| {
        let ship_to = &mut order.ship_to[parcel];
        let address = ship_to.address.id;
        let from = ship_to.slip.replace(slip.to_owned());
        ship_to.carrier_id = carrier.or(ship_to.carrier_id);
        ship_to.shipped_at = shipped_at.or(ship_to.shipped_at);
        if let Some(carrier) = carrier {
            order.carrier_id = Some(carrier);
        }
        if order.is_wholly_slipped() {
            order.shipped_at = order.ship_to.iter().filter_map(|ship_to| ship_to.shipped_at).max();
        }
        order.overrides.remove("shipping_slip");
        order.record(Writer::Api, "shipping_slip", Some(address), from.into(), slip.into(), now);
        if with_sale {
            order.pay("captured", Writer::Api, now);
        }
    });
    Ok(Some(id))
}

/// Which of the order's addresses a record means.
fn parcel(order: &Order, record: &Value) -> Result<usize, RecordError> {
    match &record["shipping_address_id"] {
        Value::Null if order.is_multiple() => Err(ADDRESS_REQUIRED),
        Value::Null => Ok(0),
        given => {
            order.ship_to.iter().position(|ship_to| given.as_u64() == Some(ship_to.address.id)).ok_or(ADDRESS_NOT_FOUND)
        }
    }
}

/// `PUT stock_items.json`: absolute counts by SKU and location. Answers carry the stock as it came: number or string.
pub fn stock_items(inner: &mut Inner, shop: &ShopSpec, records: &[Value], bend: &Bend) -> Outcome {
    let mut outcome = Outcome::default();
    for (index, record) in records.iter().enumerate() {
        let name = json!({
            "variant_sku": record["variant_sku"],
            "stock_location_code": record["stock_location_code"],
            "stock": record["stock"],
        });
        let sku = record["variant_sku"].clone();
        if let Some(code) = bend.fails(index) {
            outcome.fail(name, &sku, code, BENT);
            continue;
        }
        match put_stock(inner, shop, record, bend.applies) {
            Ok(()) => {
                outcome.success.push(name);
                outcome.applied += u64::from(bend.applies);
            }
            Err((code, message)) => outcome.fail(name, &sku, code, message),
        }
    }
    outcome
}

fn put_stock(inner: &mut Inner, shop: &ShopSpec, record: &Value, applies: bool) -> Result<(), RecordError> {
    let sku = record["variant_sku"].as_str().ok_or(SKU_NOT_FOUND)?;
    let product = shop.products.iter().position(|product| product.sku == sku).ok_or(SKU_NOT_FOUND)?;
    let code = record["stock_location_code"].as_str().ok_or(LOCATION_NOT_FOUND)?;
    let location = shop.stock_locations.iter().position(|known| known == code).ok_or(LOCATION_NOT_FOUND)?;
    let stock = match &record["stock"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    let stock = stock.filter(|stock| *stock >= 0).ok_or(BAD_STOCK)?;
    if applies {
        let item = &mut inner.stock[location][product];
        item.stock = stock;
        item.written.push(stock);
    }
    Ok(())
}
