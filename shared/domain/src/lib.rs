//! The words of the trade, and the rules that hold between them.
//!
//! Everything here is pure: no clock, no network, no store. A function takes what it needs, the time included, and
//! answers with a decision; the crates around it carry the decision out. That is why the rules can be tested against
//! every interleaving instead of a lucky one.
//!
//! In the order of an order's way:
//! [`settings`] (what a merchant set up) · [`schedule`] and [`plan`] (when robots start, and what they spend) · [`gate`] (may
//! we call the shop now) · [`order`] (what the shop gave) · [`convert`], [`processing`] and [`import`] (what becomes of it) ·
//! [`shipment`] (what the warehouse ships) · [`sync`] (what the shop shows of it later) · [`handover`] (until it has left, or
//! is cancelled) · [`needs`] (what of it waits for a person) · [`stock`] (what may be sold) · [`work`] (the messages between
//! the functions) · [`run`] (what a robot's run did).

pub mod convert;
pub mod document;
pub mod gate;
pub mod handover;
pub mod health;
pub mod ids;
pub mod import;
pub mod jst;
pub mod lines;
pub mod member;
pub mod money;
pub mod needs;
pub mod order;
pub mod payment;
pub mod plan;
pub mod prefecture;
pub mod processing;
pub mod products;
pub mod run;
pub mod schedule;
pub mod settings;
pub mod shipment;
pub mod stock;
pub mod sync;
pub mod work;
