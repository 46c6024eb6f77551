//! The shop's documents, and nothing of them beyond this crate: what a shop sends is read tolerantly here, once, into
//! types that cannot be half right.

pub(crate) mod answer;
pub(crate) mod attributes;
pub(crate) mod catalog;
pub(crate) mod document;
pub(crate) mod failure;
pub(crate) mod lenient;
pub(crate) mod order;
pub(crate) mod order_read;
pub(crate) mod page;
pub(crate) mod postal;
pub(crate) mod stock;
pub(crate) mod write;
