//! What every function needs around its story, so that a function's `main.rs` wires and nothing else.
//!
//! An order never passes through here by itself: this crate reads the configuration ([`config`]), opens the clients
//! ([`aws`]), takes a queue's messages apart and answers for each ([`batch`]), sends the next messages ([`queue`]),
//! keeps the shops' credentials ([`secrets`]), wakes robots that wait for tomorrow's calls ([`wakeup`]), tells the time
//! ([`clock`]) and tells people what happened ([`telemetry`], [`emf`]).
//!
//! Nothing here knows whether it runs in the cloud or in a local stack: the AWS SDK and its endpoint are all there is.

pub mod aws;
pub mod batch;
pub mod clock;
pub mod config;
mod connections;
pub mod emf;
pub mod queue;
pub mod secrets;
pub mod telemetry;
pub mod wakeup;

pub use clock::Clock;
pub use config::Config;
pub use emf::{Metric, Metrics};
