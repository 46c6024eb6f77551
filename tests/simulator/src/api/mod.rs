//! The control API's types: what a demo or a test says to the simulator, and what it hears back.
//!
//! Server and [`ControlClient`](crate::ControlClient) share them, so that the two cannot drift apart.

mod fault;
mod ledger;
mod order;
mod shop;

pub use fault::{FaultKind, FaultRule};
pub use ledger::{Endpoint, LedgerEntry, LedgerSummary};
pub use order::{
    AddedOrder, AddressTruth, NewOrders, OrderBrief, OrderChange, OrderOptions, OrderTruth, StockTruth, Writer,
};
pub use shop::{Carrier, Hidden, Product, ShopSpec, ShopStatus, StateNames};
