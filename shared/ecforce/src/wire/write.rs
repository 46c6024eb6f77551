//! What is sent to a shop to change it.

use jiff::Timestamp;
use serde::Serialize;

use super::lenient::request_time;
use super::stock::StockLevel;

/// An order and the state it is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateChange {
    /// The shop's id of the order.
    pub id: u64,
    /// The state's code at this shop.
    pub state: String,
}

/// A parcel that left: what the shop and its customer want to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingResult {
    /// The shop's id of the order.
    pub order_id: u64,
    /// The tracking number.
    pub shipping_slip: String,
    /// The carrier's number at this shop; `None` leaves the order's carrier as it is.
    pub shipping_carrier_id: Option<u64>,
    /// When it left.
    pub shipped_at: Timestamp,
    /// Which of the order's addresses it goes to; only for orders with several.
    pub shipping_address_id: Option<u64>,
}

/// How the shop works through shipping results. The default is the safe one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShippingOptions {
    /// The shop takes them on and works later: the answer is only a job's number, and the outcome of every record is
    /// unknown.
    pub with_async: bool,
    /// The shop also captures the payment. **Capturing twice fails the sale**: only where the shop's owner wants it.
    pub with_sale: bool,
}

#[derive(Serialize)]
pub(crate) struct SignIn<'a> {
    pub(crate) admin: Credentials<'a>,
}

/// Deliberately without `Debug`.
#[derive(Serialize)]
pub(crate) struct Credentials<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: &'a str,
}

#[derive(Serialize)]
pub(crate) struct BulkUpdate<'a> {
    pub(crate) orders: &'a [StateChange],
}

#[derive(Serialize)]
pub(crate) struct Shipping<'a> {
    orders: Vec<ShippingRow<'a>>,
    with_async: u8,
    with_sale: u8,
}

#[derive(Serialize)]
struct ShippingRow<'a> {
    id: u64,
    shipping_slip: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_carrier_id: Option<u64>,
    shipped_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address_id: Option<u64>,
}

impl<'a> Shipping<'a> {
    pub(crate) fn new(results: &'a [ShippingResult], options: ShippingOptions) -> Self {
        let row = |result: &'a ShippingResult| ShippingRow {
            id: result.order_id,
            shipping_slip: &result.shipping_slip,
            shipping_carrier_id: result.shipping_carrier_id,
            shipped_at: request_time(result.shipped_at),
            shipping_address_id: result.shipping_address_id,
        };
        Self {
            orders: results.iter().map(row).collect(),
            with_async: options.with_async.into(),
            with_sale: options.with_sale.into(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct StockUpdate<'a> {
    pub(crate) stock_items: &'a [StockLevel],
}
