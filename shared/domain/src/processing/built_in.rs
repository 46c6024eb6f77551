//! The robots that every merchant has and switches on by name, in the same form as a merchant's own.
//!
//! A new shipment is on hold, unpaid, and without a reason: "not yet released". Robots derive its payment, give reasons
//! to wait, and release it. Only a release moves it to ready: `ecforce-release` where it is paid, taking
//! `awaiting-payment` away; `release` whatever the payment. They exclude each other.

use std::sync::LazyLock;

use super::ProcessingRobot;
use crate::ids::RuleId;

/// Their text, in the document's form as JSON.
pub const TEXT: &str = include_str!("built_in.json");

static ROBOTS: LazyLock<Vec<ProcessingRobot>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is a part of the program, and its tests read it")]
    serde_json::from_str(TEXT).expect("built_in.json holds processing robots")
});

/// All of them, in the order in which a merchant usually enables them.
#[must_use]
pub fn all() -> &'static [ProcessingRobot] {
    &ROBOTS
}

/// One by its id.
#[must_use]
pub fn find(id: &RuleId) -> Option<&'static ProcessingRobot> {
    all().iter().find(|robot| robot.id == *id)
}
