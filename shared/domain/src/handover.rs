//! 引渡し: what may happen to a shipment from `ready` until it has left, and every end that a cancellation can have.
//!
//! ```text
//!   hold ──┐ cancellation ──► cancelled
//!   ready ─┤
//!          └─ claim ──► picking ─┬─ result ──► shipped          (a cancellation after that is reported: too late)
//!                                ├─ given back ──► hold          a person looks at it, and releases it
//!                                └─ cancellation ──► requested ─┬─ accepted, or given back ──► cancelled
//!                                                               ├─ refused     a person is asked
//!                                                               ├─ result      too late: a person is asked
//!                                                               └─ no answer   overdue: a person is asked
//! ```
//! A cancellation is the shop's, or that of a person here. The shop's is kept at the shop: nothing is told that would move
//! the order on, and the shop may take it back. Of a person's the shop knows nothing: the order is told as any other, and
//! what the shop shows does not take it back.
//!
//! Each of these is a pure change of one record, written on condition that nobody else wrote it meanwhile. That is what
//! lets a claim and a cancellation at the same moment end in one of the two: whichever comes second is decided anew on
//! what the first one left. Every function is safe to repeat: the same answer, claim or result again changes nothing.

mod returned;

use std::time::Duration;

use jiff::Timestamp;

use crate::ids::ShippingMethodId;
use crate::payment::Payment;
use crate::shipment::{Cancellation, CancellationState, Shipment, ShopSync, Status};

pub use returned::{GiveBackRefused, REASON_CHARACTERS, give_back, is_given_back, is_reason};

/// Who is named in the events of what a warehouse did.
pub const WAREHOUSE: &str = "warehouse";
/// How an event says that a warehouse took it.
const CLAIMED: &str = "claimed";

/// Why a warehouse cannot take a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimRefused {
    /// It is cancelled.
    Cancelled,
    /// It is on hold.
    OnHold,
    /// It is not paid, by the shop's latest word, and no person has let it go all the same.
    Unpaid,
    /// It is taken already. For a warehouse that repeats its own claim this is success.
    AlreadyClaimed,
    /// It has left already.
    AlreadyShipped,
}

impl ClaimRefused {
    /// Its name in answers to warehouses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::OnHold => "on-hold",
            Self::Unpaid => "unpaid",
            Self::AlreadyClaimed => "already-claimed",
            Self::AlreadyShipped => "already-shipped",
        }
    }
}

/// Is it ready, and still no warehouse's to take, for it is not paid by the shop's latest word and no person has let it go
/// all the same?
#[must_use]
pub fn waits_for_payment(shipment: &Shipment) -> bool {
    shipment.status == Status::Ready && shipment.payment == Payment::Unpaid && !shipment.released_unpaid
}

/// The warehouse takes a shipment: `ready` → `picking`. This is the last look at payment and cancellation; what is seen
/// of either from here on needs the warehouse's consent.
///
/// # Errors
/// Why it cannot; the shipment is as it was.
pub fn claim(shipment: &mut Shipment, now: Timestamp) -> Result<(), ClaimRefused> {
    match shipment.status {
        Status::Ready if waits_for_payment(shipment) => Err(ClaimRefused::Unpaid),
        Status::Ready => {
            shipment.status = Status::Picking;
            shipment.claimed_at = Some(now);
            shipment.claim_key = None;
            shipment.note(now, CLAIMED, WAREHOUSE);
            Ok(())
        }
        Status::Hold => Err(ClaimRefused::OnHold),
        Status::Picking => Err(ClaimRefused::AlreadyClaimed),
        Status::Shipped => Err(ClaimRefused::AlreadyShipped),
        Status::Cancelled => Err(ClaimRefused::Cancelled),
    }
}

/// What became of a cancellation that the shop showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cancelled {
    /// Nothing was in anybody's hands: it is cancelled.
    Now,
    /// The warehouse has it and is asked.
    Requested,
    /// It had left already: a person is asked.
    TooLate,
    /// This is known, whatever its end was: nobody is asked anew. Whose it is may be another now.
    Known,
}

/// The shop shows that the order is cancelled. `why` and `by` go into the shipment's history.
pub fn cancel(shipment: &mut Shipment, now: Timestamp, why: &str, by: &str) -> Cancelled {
    match shipment.status {
        Status::Hold | Status::Ready => {
            shipment.cancelled_by_shop = shipment.cancel_as_shop();
            shipment.note(now, format!("cancelled: {why}"), by);
            Cancelled::Now
        }
        // What a person asked for before, and the warehouse has not answered, is the shop's from now on.
        Status::Picking if !shipment.is_cancelled_at_shop() && is_requested(shipment) => {
            if let Some(asked) = &mut shipment.cancellation {
                asked.by_person = false;
            }
            shipment.note(now, format!("cancelled as well: {why}"), by);
            Cancelled::Known
        }
        Status::Picking if !shipment.is_cancelled_at_shop() => {
            shipment.cancellation = Some(asked(CancellationState::Requested, now));
            shipment.note(now, format!("cancellation requested: {why}"), by);
            Cancelled::Requested
        }
        Status::Shipped if !shipment.is_cancelled_at_shop() => {
            shipment.cancellation = Some(asked(CancellationState::TooLate, now));
            if shipment.shop_sync == ShopSync::Registered {
                // It left before we told that we took it: that it left is what the shop is told now.
                shipment.shop_sync = shipment.once_acknowledged();
            }
            shipment.note(now, format!("cancelled at the shop after it left: {why}"), by);
            Cancelled::TooLate
        }
        Status::Cancelled => {
            // By a person here, and the order was to be told for its other parcels' sake.
            if shipment.shop_sync == ShopSync::Registered {
                shipment.shop_sync = ShopSync::Completed;
            }
            Cancelled::Known
        }
        Status::Picking | Status::Shipped => Cancelled::Known,
    }
}

/// A person here wants it cancelled; the order at the shop stays as it is. What has left is not touched.
pub fn cancel_by_person(shipment: &mut Shipment, now: Timestamp, why: &str, by: &str) -> Cancelled {
    match shipment.status {
        Status::Hold | Status::Ready => {
            // Other parcels of the order go on, and their order is told at the shop. Where there are none, nothing is.
            if shipment.parcels == 1 {
                shipment.cancel_as_shop()
            } else {
                shipment.cancel()
            };
            shipment.note(now, format!("cancelled: {why}"), by);
            Cancelled::Now
        }
        Status::Picking if shipment.cancellation.is_none() => {
            let asked = asked(CancellationState::Requested, now);
            shipment.cancellation = Some(Cancellation { by_person: true, ..asked });
            shipment.note(now, format!("cancellation requested: {why}"), by);
            Cancelled::Requested
        }
        Status::Shipped => Cancelled::TooLate,
        Status::Picking | Status::Cancelled => Cancelled::Known,
    }
}

fn asked(state: CancellationState, now: Timestamp) -> Cancellation {
    let answered_at = (state == CancellationState::TooLate).then_some(now);
    Cancellation { state, requested_at: now, answered_at, closed_at: None, by_person: false }
}

/// The shop does not show the cancellation any more while the warehouse still owes its answer: the request is taken back.
/// True if there was one to take back. An answered one stays: it is history. One that a person asked for is not the
/// shop's to take back.
pub fn withdraw_cancellation(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    let open = shipment.status == Status::Picking && is_requested(shipment) && shipment.is_cancelled_at_shop();
    if open {
        shipment.cancellation = None;
        if shipment.shop_sync == ShopSync::Registered && !shipment.id.is_lead() {
            // The order is told by its first parcel, and that one may have been cancelled with it, for good: then nobody
            // tells it any more. What is left to tell of this parcel is that it left.
            shipment.shop_sync = ShopSync::Acknowledged;
        }
        shipment.note(now, "cancellation request withdrawn: the shop shows it no more", by);
    }
    open
}

fn is_requested(shipment: &Shipment) -> bool {
    shipment.cancellation.is_some_and(|asked| asked.state == CancellationState::Requested)
}

/// Why an answer to a cancellation request cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerRefused {
    /// Nobody asked.
    NotRequested,
    /// It has been cancelled, by this warehouse's consent or before it was taken.
    AlreadyCancelled,
    /// It has left.
    AlreadyShipped,
}

impl AnswerRefused {
    /// Its name in answers to warehouses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRequested => "not-requested",
            Self::AlreadyCancelled => "already-cancelled",
            Self::AlreadyShipped => "already-shipped",
        }
    }
}

/// The warehouse answers a cancellation request. True if that changed something: the same answer again does not. A
/// warehouse that refused may still accept until the parcel leaves; one that accepted may not take it back, since the
/// shipment is cancelled.
///
/// # Errors
/// Why the answer cannot be taken; the shipment is as it was.
pub fn answer_cancellation(shipment: &mut Shipment, accept: bool, now: Timestamp) -> Result<bool, AnswerRefused> {
    let Some(mut asked) = shipment.cancellation else {
        return Err(match shipment.status {
            Status::Cancelled => AnswerRefused::AlreadyCancelled,
            Status::Hold | Status::Ready | Status::Picking | Status::Shipped => AnswerRefused::NotRequested,
        });
    };
    match (shipment.status, asked.state, accept) {
        (Status::Picking, CancellationState::Requested | CancellationState::Refused, true) => {
            shipment.status = Status::Cancelled;
            asked.state = CancellationState::Accepted;
            shipment.note(now, "cancellation accepted; cancelled", WAREHOUSE);
        }
        (Status::Picking, CancellationState::Requested, false) => {
            asked.state = CancellationState::Refused;
            shipment.note(now, "cancellation refused", WAREHOUSE);
        }
        // The same answer again, be it after the parcel left all the same.
        (_, CancellationState::Accepted, true)
        | (_, CancellationState::Refused, false)
        | (Status::Cancelled, CancellationState::TooLate, true) => return Ok(false),
        (Status::Shipped, _, _) => return Err(AnswerRefused::AlreadyShipped),
        (Status::Cancelled, _, _) => return Err(AnswerRefused::AlreadyCancelled),
        (Status::Hold | Status::Ready | Status::Picking, _, _) => return Err(AnswerRefused::NotRequested),
    }
    asked.answered_at = Some(now);
    shipment.cancellation = Some(asked);
    Ok(true)
}

/// What a warehouse says of a parcel that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingResult {
    /// お問い合わせ番号.
    pub tracking_number: String,
    /// When it left, by the warehouse's word.
    pub shipped_at: Timestamp,
    /// How it left, where the warehouse says so: otherwise than the shipment said, perhaps.
    pub method: Option<ShippingMethodId>,
}

/// What a result did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shipped {
    /// It is out: `picking` → `shipped`.
    Now,
    /// It was out already, and its tracking number, date or method is another now; it is told to the shop again.
    Corrected,
    /// All of this was known.
    Known,
}

/// Why a result cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShipRefused {
    /// Nobody claimed it: it is on hold or ready.
    NotClaimed,
    /// It is cancelled; that it left all the same is noted now, and a person is asked. The record is to be written.
    LeftCancelled,
    /// It is cancelled, and that this parcel left all the same is noted already.
    Cancelled,
}

/// Has a result changed the shipment, so that its record is to be written?
#[must_use]
pub fn is_changed(taken: Result<Shipped, ShipRefused>) -> bool {
    matches!(taken, Ok(Shipped::Now | Shipped::Corrected) | Err(ShipRefused::LeftCancelled))
}

impl ShipRefused {
    /// Its name in answers to warehouses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotClaimed => "not-claimed",
            Self::LeftCancelled | Self::Cancelled => "cancelled",
        }
    }
}

/// Results of parcels that left longer ago are a mistake in the date.
const OLDEST: Duration = Duration::from_hours(24 * 90);
/// A warehouse may report in the morning what the carrier fetches in the evening.
pub(crate) const LATEST: Duration = Duration::from_hours(24);

/// Can a parcel that is reported now have left at this moment?
#[must_use]
pub fn may_have_left(at: Timestamp, now: Timestamp) -> bool {
    now.checked_sub(OLDEST).is_ok_and(|oldest| at >= oldest) && now.checked_add(LATEST).is_ok_and(|latest| at <= latest)
}

/// The parcel left: `picking` → `shipped`. A cancellation request that is still open has come too late, and a person is
/// asked.
///
/// A correction is told to the shop even where the shop had refused the former result: what it refused then was another.
/// Only a refusal of "working" still waits for a person, since nothing of a result bears on it.
///
/// # Errors
/// Why it cannot be taken. The shipment is as it was, but for [`ShipRefused::LeftCancelled`]: see [`is_changed`].
pub fn ship(shipment: &mut Shipment, result: &ShippingResult, now: Timestamp) -> Result<Shipped, ShipRefused> {
    let same_result = shipment.tracking_number.as_ref() == Some(&result.tracking_number)
        && shipment.shipped_at == Some(result.shipped_at);
    let same_method = result.method.is_none() || result.method == shipment.shipping_method;
    match shipment.status {
        Status::Picking => {
            take(shipment, result);
            shipment.status = Status::Shipped;
            shipment.result_at = Some(now);
            let mut what = "shipped";
            if let Some(asked) = &mut shipment.cancellation
                && asked.state == CancellationState::Requested
            {
                asked.state = CancellationState::TooLate;
                asked.answered_at = Some(now);
                what = "shipped; the cancellation came too late";
            }
            if shipment.is_cancelled_at_shop() && shipment.shop_sync == ShopSync::Registered {
                // It was cancelled at the shop before we told that we took it, and left all the same: that it left is
                // what the shop is told now.
                shipment.shop_sync = ShopSync::Acknowledged;
            }
            shipment.note(now, what, WAREHOUSE);
            Ok(Shipped::Now)
        }
        Status::Shipped if same_result && same_method => Ok(Shipped::Known),
        Status::Shipped => {
            take(shipment, result);
            // Even where the number is the same and only its date or carrier is another.
            shipment.tell_number_again();
            shipment.note(now, if same_result { "shipping method corrected" } else { "result corrected" }, WAREHOUSE);
            if !shipment.is_working_refused() {
                shipment.replay(now, WAREHOUSE);
            }
            Ok(Shipped::Corrected)
        }
        Status::Hold | Status::Ready => Err(ShipRefused::NotClaimed),
        Status::Cancelled => {
            if same_result && same_method {
                return Err(ShipRefused::Cancelled);
            }
            left_cancelled(shipment, result, now);
            Err(ShipRefused::LeftCancelled)
        }
    }
}

fn take(shipment: &mut Shipment, result: &ShippingResult) {
    shipment.tracking_number = Some(result.tracking_number.clone());
    shipment.shipped_at = Some(result.shipped_at);
    if result.method.is_some() {
        shipment.shipping_method.clone_from(&result.method);
    }
}

/// A parcel is on its way although its shipment is cancelled, be it by this warehouse's consent. It stays cancelled: the
/// shop is told nothing of it. By which number it can be followed is kept for the person who has to see to it.
fn left_cancelled(shipment: &mut Shipment, result: &ShippingResult, now: Timestamp) {
    let by_person = match shipment.cancellation {
        Some(asked) => asked.by_person,
        None => !shipment.is_cancelled_for_shop(),
    };
    let requested_at = shipment.cancellation.map_or(now, |asked| asked.requested_at);
    // Whoever has seen to this parcel has not to do so again for another time of day.
    let is_same = shipment.tracking_number.as_ref() == Some(&result.tracking_number);
    let closed_at = shipment.cancellation.and_then(|asked| asked.closed_at).filter(|_| is_same);
    shipment.cancellation =
        Some(Cancellation { requested_at, closed_at, by_person, ..asked(CancellationState::TooLate, now) });
    take(shipment, result);
    shipment.note(now, "left although cancelled", WAREHOUSE);
}

/// Has the warehouse owed its answer to a cancellation request for longer than `patience`?
#[must_use]
pub fn is_overdue(shipment: &Shipment, now: Timestamp, patience: Duration) -> bool {
    shipment
        .cancellation
        .is_some_and(|asked| asked.state == CancellationState::Requested && is_past(asked.requested_at, now, patience))
}

/// Is it longer than `patience` since then?
pub(crate) fn is_past(asked_at: Timestamp, now: Timestamp, patience: Duration) -> bool {
    asked_at.saturating_add(patience).is_ok_and(|until| until <= now)
}

/// Does a person have to look at this shipment's cancellation: refused, too late, or overdue, and nobody has said yet that
/// they saw to it?
#[must_use]
pub fn needs_person(shipment: &Shipment, now: Timestamp, patience: Duration) -> bool {
    shipment.cancellation.is_some_and(|asked| {
        asked.closed_at.is_none()
            && match asked.state {
                CancellationState::Refused | CancellationState::TooLate => true,
                CancellationState::Requested => is_overdue(shipment, now, patience),
                CancellationState::Accepted => false,
            }
    })
}
