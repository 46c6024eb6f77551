//! The ecforce v2 admin API, for programs that must not lose an order.
//!
//! This crate is the one place that knows how a shop talks: where its API lives ([`ApiAddress`]), which addresses may
//! be reached at all ([`AddressPolicy`]), what a call looks like ([`Client`], [`OrderQuery`]), what comes back
//! ([`OrderPage`], [`Order`], [`WriteAnswer`]) and what a failure means ([`Error`], [`Retry`]). It knows nothing of
//! queues, stores or tenants: pace, quota and retries belong to the caller, so **one method call is one HTTP request**,
//! always.
//!
//! In an order's way it stands at both ends: the order leaves the shop through [`Client::orders`], and what became of
//! it returns through [`Client::bulk_update`], [`Client::shipping`] and [`Client::put_stock_items`].
//!
//! ```no_run
//! use renkei_ecforce::{AddressPolicy, ApiAddress, Client, OrderQuery, Timeouts, Token, http_client};
//!
//! # async fn example(token: Token) -> Result<(), Box<dyn std::error::Error>> {
//! let policy = AddressPolicy::public_only();
//! let http = http_client(&policy, &Timeouts::default())?; // once in a process: it reads the TLS roots
//! let client = Client::new(http, ApiAddress::parse("https://Example.JP/api/", &policy)?);
//! let page = client.orders(&token, &OrderQuery::new().state_eq("complete").id_gt(0).include_all()).await?;
//! for order in page.orders {
//!     match order {
//!         Ok(order) => println!("{} goes to {} addresses", order.number, order.shipping_addresses.len()),
//!         Err(bad) => println!("set aside: {bad}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod client;
mod error;
pub mod fuzz;
mod guard;
mod http;
mod query;
mod retry_after;
mod sent;
mod token;
mod wire;

pub use address::{AddressError, ApiAddress};
pub use client::{Client, DEFAULT_BODY_LIMIT};
pub use error::{BadBody, Error, Retry, ShopError, ShopErrors};
pub use guard::{AddressPolicy, Found, PolicyError, RefusedAddress};
pub use http::{HttpClientError, LateHttp, Timeouts, http_client, http_client_looking_up};
pub use query::{
    Direction, Include, MAX_PER, OrderQuery, SortBy, TextAttribute, TextTest, TimeAttribute, WholeAttribute, WholeTest,
};
pub use retry_after::{LONGEST_RETRY_AFTER, retry_after};
pub use sent::{Sent, SentLog};
pub use token::{BadToken, SignedIn, Token};
pub use wire::answer::{Outcome, RecordError, RecordKey, WriteAnswer};
pub use wire::catalog::{Product, ShippingCarrier, StockItem, Variant};
pub use wire::order::{Customer, Order, OrderItem};
pub use wire::page::{BadRecord, Meta, OrderPage, Page, PageRequest, id_of};
pub use wire::postal::Address;
pub use wire::stock::{StockAnswer, StockError, StockLevel, StockOutcome};
pub use wire::write::{ShippingOptions, ShippingResult, StateChange};
