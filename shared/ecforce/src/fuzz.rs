//! Ways in for fuzzing: every parser of what a shop answers, as a function of bytes. Nothing else calls them.

use crate::client::{DEFAULT_BODY_LIMIT, signed_in};
use crate::error::BadBody;
use crate::query::{Include, OrderQuery};
use crate::wire::answer::WriteAnswer;
use crate::wire::catalog;
use crate::wire::failure::shop_errors;
use crate::wire::order::Order;
use crate::wire::page::{BadRecord, OrderPage, Page, single_order};
use crate::wire::stock::StockAnswer;
use crate::{ShopErrors, SignedIn};

fn everything() -> OrderQuery {
    OrderQuery::new().include(Include::ALL)
}

/// No answer is longer; what is longer is not read.
pub const LIMIT: usize = DEFAULT_BODY_LIMIT;

/// A page of orders.
pub fn orders(body: &[u8]) -> Result<OrderPage, BadBody> {
    OrderPage::read(body, everything().wanted())
}

/// One order.
pub fn order(body: &[u8]) -> Result<Result<Order, BadRecord>, BadBody> {
    single_order(body, everything().wanted())
}

/// A page of stock, of carriers and of products: how many rows each would have.
#[must_use]
pub fn catalogs(body: &[u8]) -> [Option<usize>; 3] {
    [
        Page::read(body, "stock item", catalog::stock_item).ok().map(|page| page.rows),
        Page::read(body, "shipping carrier", catalog::shipping_carrier).ok().map(|page| page.rows),
        Page::read(body, "product", catalog::product).ok().map(|page| page.rows),
    ]
}

/// What a shop says to a change of orders, and to one of stock.
#[must_use]
pub fn answers(body: &[u8]) -> (Option<WriteAnswer>, Option<StockAnswer>) {
    (WriteAnswer::read(body).ok(), StockAnswer::read(body).ok())
}

/// What a body says that came with an error status.
#[must_use]
pub fn errors(body: &[u8]) -> ShopErrors {
    shop_errors(&String::from_utf8_lossy(body))
}

/// What a sign-in brought.
pub fn sign_in(body: &[u8]) -> Result<SignedIn, BadBody> {
    signed_in(&String::from_utf8_lossy(body))
}
