//! Invented orders on which every conversion robot is tried before it is taken: an ordinary one, one in which the shop
//! left out all that it may leave out, one with all that a label cannot print, and one to two addresses.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::ids::ConnectionId;
use crate::order::SourceOrder;

/// An invented order.
#[derive(Debug, Deserialize)]
pub struct Sample {
    /// What is special about it.
    pub name: String,
    /// The shop that it came from.
    pub connection: ConnectionId,
    /// The order.
    pub order: SourceOrder,
}

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is a part of the program, and its tests read it")]
    serde_json::from_str(include_str!("samples.json")).expect("samples.json holds orders")
});

/// All of them.
#[must_use]
pub fn all() -> &'static [Sample] {
    &SAMPLES
}
