//! The shop simulator: ecforce shops that exist only on this machine, for demos and tests.
//!
//! It stands where the merchants' shops stand, at both ends of an order's way: orders are read out of it, and states,
//! tracking numbers and stock come back to it. It refuses what a real shop refuses, keeps a ledger of every call that it
//! saw, and goes wrong in all the ways that real shops do when told to. Nothing of Renkei is used in it, so that a
//! misunderstanding of the shop's API on our side cannot hide by being made twice in shared code.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use renkei_simulator::api::{NewOrders, ShopSpec};
//! use renkei_simulator::Simulator;
//!
//! let simulator = Simulator::start(0).await?;
//! let shop = simulator.add_shop(&ShopSpec { name: "hanako".into(), orders: 250, ..ShopSpec::default() }).await?;
//! // … run the robots against `shop.url` …
//! assert_eq!(simulator.ledger_summary("hanako").await?.overlapping, 0);
//! # Ok(()) }
//! ```

pub mod api;
mod client;
mod control;
mod generate;
mod shop;
mod simulator;
mod time;

pub use client::{ClientError, ControlClient};
pub use simulator::{Simulator, StartError};
