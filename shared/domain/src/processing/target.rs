//! 処理ロボット適用: which shipments a robot is applied to, and what it sees of them, long after import.

use crate::shipment::{HoldReason, Shipment, ShipmentDetail, Status};

/// Which shipments a robot is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Those that are ready.
    Ready,
    /// Those on hold for this reason, among others perhaps.
    Held(HoldReason),
}

impl Target {
    /// By the document's word (`to_status`): `ready`, or a reason of being on hold. None if it is neither.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if name == "ready" { Some(Self::Ready) } else { HoldReason::from_name(name).map(Self::Held) }
    }

    /// The status that such shipments have.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Ready => Status::Ready,
            Self::Held(_) => Status::Hold,
        }
    }

    /// Is this one of them?
    #[must_use]
    pub fn fits(self, shipment: &Shipment) -> bool {
        match self {
            Self::Ready => shipment.status == Status::Ready,
            Self::Held(reason) => shipment.status == Status::Hold && shipment.holds.contains(&reason),
        }
    }
}

/// The large part of a shipment as a robot is to see it: the order's payment state is the latest that is known, not that of
/// import.
#[must_use]
pub fn as_known(shipment: &Shipment, detail: &ShipmentDetail) -> ShipmentDetail {
    let mut detail = detail.clone();
    detail.source.payment_state.clone_from(&shipment.payment_state);
    detail
}

/// What applying a robot made of a shipment, in words to count.
#[must_use]
pub fn became(before: &Shipment, after: &Shipment) -> Vec<String> {
    match (before.status, after.status) {
        (Status::Hold, Status::Ready) => vec!["released".to_owned()],
        (_, Status::Hold) => after.holds.iter().map(|reason| format!("stays-{}", reason.as_str())).collect(),
        (one, other) if one == other => vec!["stays".to_owned()],
        (_, Status::Cancelled) => vec!["cancelled".to_owned()],
        (_, _) => vec!["changed".to_owned()],
    }
}
