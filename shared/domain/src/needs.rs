//! 要対応: what of a shipment waits for a person, said by its own record: a cancellation that nobody answered yet or that
//! came too late, something that the shop refused to be told or has otherwise by now, a payment state that nobody has said the
//! meaning of.
//!
//! Most shipments never need anybody, so a list of those that do is short however many there are. It stands in the
//! store's sparse index `needs`, whose keys hold all of this: a page counts it without reading one shipment.

use std::time::Duration;

use jiff::Timestamp;

use crate::handover;
use crate::payment::Meaning;
use crate::settings::Connection;
use crate::shipment::{CancellationState, Shipment, ShopSync, Status};

/// A kind of it, as people see to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A cancellation that is overdue, refused or too late.
    Cancellation,
    /// A cancellation that the warehouse was asked for and may still answer in time. One that works by files or paper answers
    /// nobody: somebody tells it by telephone, and says here what became of it.
    Asked,
    /// The shop refused to be told something, a tracking number mostly.
    WriteBack,
    /// A payment state that the connection's table does not know.
    Payment,
    /// The shop has something otherwise than the shipment was made from, and it has not left yet.
    Difference,
    /// The warehouse gave it back.
    Returned,
}

impl Need {
    /// All, the most urgent first.
    pub const ALL: [Self; 6] =
        [Self::Cancellation, Self::Asked, Self::Returned, Self::Difference, Self::WriteBack, Self::Payment];

    /// Its name in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancellation => "cancellation",
            Self::Asked => "asked",
            Self::WriteBack => "writeback",
            Self::Payment => "payment",
            Self::Difference => "difference",
            Self::Returned => "returned",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.as_str() == name)
    }
}

/// How a cancellation stands that nobody has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCancellation {
    /// The warehouse was asked then, and owes its answer.
    AskedAt(Timestamp),
    /// It was refused, or came too late: a person has to see to it now.
    Ended,
}

/// What a shipment needs, or will need where nobody answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// A cancellation that is open.
    pub cancellation: Option<OpenCancellation>,
    /// The shop refused to be told something, or a payment was to be captured and is not.
    pub refused: bool,
    /// A payment state that was unknown when it was read.
    pub payment_state: Option<String>,
    /// The shop has something otherwise, and nobody has said yet that they saw to it.
    pub differs: bool,
    /// The warehouse gave it back, and nobody has let it go or cancelled it since.
    pub returned: bool,
}

impl Needs {
    /// Of this shipment; None if nothing of it can come to need a person without being written anew.
    #[must_use]
    pub fn of(shipment: &Shipment) -> Option<Self> {
        let open = shipment.cancellation.filter(|asked| asked.closed_at.is_none());
        let is_open = matches!(shipment.status, Status::Hold | Status::Ready | Status::Picking);
        let needs = Self {
            cancellation: open.and_then(|asked| match asked.state {
                CancellationState::Requested => Some(OpenCancellation::AskedAt(asked.requested_at)),
                CancellationState::Refused | CancellationState::TooLate => Some(OpenCancellation::Ended),
                CancellationState::Accepted => None,
            }),
            refused: shipment.shop_sync == ShopSync::Failed || shipment.is_not_captured(),
            payment_state: (is_open && shipment.payment_unknown).then(|| shipment.payment_state.clone()),
            differs: is_open && shipment.has_unseen_differences(),
            returned: shipment.status == Status::Hold && handover::is_given_back(shipment),
        };
        (needs != Self::default()).then_some(needs)
    }

    /// Does a person have to see to this now? `connection` says how long a warehouse may take, and what payment states
    /// mean by now.
    #[must_use]
    pub fn has(&self, need: Need, connection: &Connection, now: Timestamp) -> bool {
        match need {
            Need::Cancellation => match self.cancellation {
                Some(OpenCancellation::AskedAt(at)) => handover::is_past(at, now, patience(connection)),
                Some(OpenCancellation::Ended) => true,
                None => false,
            },
            Need::Asked => match self.cancellation {
                Some(OpenCancellation::AskedAt(at)) => !handover::is_past(at, now, patience(connection)),
                Some(OpenCancellation::Ended) | None => false,
            },
            Need::WriteBack => self.refused,
            Need::Difference => self.differs,
            Need::Returned => self.returned,
            Need::Payment => {
                let table = &connection.payment_states;
                self.payment_state.as_deref().is_some_and(|state| table.meaning(state) == Meaning::Unknown)
            }
        }
    }
}

/// How long a connection's warehouse may take to answer a cancellation request.
fn patience(connection: &Connection) -> Duration {
    Duration::from_mins(u64::from(connection.status_sync.cancellation_answer.as_minutes()))
}
