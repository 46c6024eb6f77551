//! What a warehouse claimed and cannot send, or claimed by mistake, goes back to the merchant.

use jiff::Timestamp;

use super::CLAIMED;
use crate::payment::Payment;
use crate::shipment::{CancellationState, Difference, HoldReason, Shipment, Status};

/// How many characters a reason for giving a shipment back may have.
pub const REASON_CHARACTERS: usize = 100;
/// How an event begins that says so; why follows.
const GIVEN_BACK: &str = "given back: ";

/// Why a shipment cannot be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GiveBackRefused {
    /// Nobody has it: it is on hold or ready.
    NotClaimed,
    /// It has left.
    AlreadyShipped,
    /// It is cancelled.
    Cancelled,
}

impl GiveBackRefused {
    /// Its name in answers to warehouses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotClaimed => "not-claimed",
            Self::AlreadyShipped => "already-shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Does this say why something is given back: not too much, and more than spaces?
#[must_use]
pub fn is_reason(why: &str) -> bool {
    why.chars().count() <= REASON_CHARACTERS && !in_one_line(why).is_empty()
}

/// Whoever has it in hand gives it back: `picking` → `hold`, for a person to look at; one that is not paid awaits payment
/// besides, also where a person had let it go. Where a cancellation was asked for it is cancelled, as by consent: the parcel
/// never left. True if that changed something. What was given back, and was not claimed since, stays as it is.
///
/// `why` goes into the shipment's history and nowhere else: people may write of people.
///
/// # Errors
/// Why it cannot be given back; the shipment is as it was.
pub fn give_back(shipment: &mut Shipment, why: &str, now: Timestamp, by: &str) -> Result<bool, GiveBackRefused> {
    match shipment.status {
        Status::Picking => {}
        Status::Hold | Status::Ready | Status::Cancelled if is_given_back(shipment) => return Ok(false),
        Status::Hold | Status::Ready => return Err(GiveBackRefused::NotClaimed),
        Status::Shipped => return Err(GiveBackRefused::AlreadyShipped),
        Status::Cancelled => return Err(GiveBackRefused::Cancelled),
    }
    let mut what = format!("{GIVEN_BACK}{}", in_one_line(why));
    // In hand it is open: asked for, or refused.
    if let Some(asked) = &mut shipment.cancellation {
        asked.state = CancellationState::Accepted;
        asked.answered_at = Some(now);
        shipment.status = Status::Cancelled;
        what.push_str("; cancellation accepted; cancelled");
    } else {
        shipment.status = Status::Hold;
        shipment.claimed_at = None;
        shipment.claim_key = None;
        shipment.hold(HoldReason::NeedsReview);
        if shipment.payment == Payment::Unpaid {
            shipment.hold(HoldReason::AwaitingPayment);
        }
        // That of what is in hand.
        shipment.differences.retain(|difference| *difference != Difference::Payment);
    }
    shipment.note(now, what, by);
    Ok(true)
}

/// Was it given back, and by what is kept of its history not claimed since?
#[must_use]
pub fn is_given_back(shipment: &Shipment) -> bool {
    let mut latest = shipment.events.iter().rev().map(|event| event.what.as_str());
    latest.find(|what| *what == CLAIMED || what.starts_with(GIVEN_BACK)).is_some_and(|what| what != CLAIMED)
}

fn in_one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(REASON_CHARACTERS).collect()
}
