//! 作り直し: shipments that a person has made anew from what the shop has now, because it was edited there since.
//!
//! What the shop has is never taken over in silence; here somebody asked for it. The order goes through the same conversion
//! and robots as when it was imported, and the shipments get what comes of that: address, lines, method, reasons for being
//! on hold. What happened to them stays: what the shop was told, their history, and a hold of a person's or a warehouse's.
//! Only what is in nobody's hands is made anew, and only into as many parcels as there are: what would be other parcels is to
//! be placed anew at the shop.
//!
//! From the wish on until it is done nobody may take the order's parcels: what is ready is put on hold with it. So no parcel
//! goes out as it was, and none of several as it was while another is new.

use jiff::Timestamp;

use crate::order::SourceOrder;
use crate::payment::Payment;
use crate::shipment::{HoldReason, Shipment, Status};

/// How an event says that it is wished for.
const WISHED: &str = "to be made anew";
/// How an event says that it is done; how it stands then follows.
const MADE: &str = "made anew: ";
/// And that nothing came of it.
const UNCHANGED: &str = "made anew: nothing is otherwise";

/// May it be made anew?
#[must_use]
pub fn is_possible(shipment: &Shipment) -> bool {
    matches!(shipment.status, Status::Hold | Status::Ready)
}

/// Keeps it from being taken until it is made anew. False if nobody may take it anyway.
pub fn wish(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    let is_ready = shipment.status == Status::Ready;
    if is_ready {
        shipment.hold(HoldReason::NeedsReview);
        shipment.note(now, WISHED, by);
    }
    is_ready
}

/// Is this reading of the order older than what the shipment is known by?
#[must_use]
pub fn is_behind(shipment: &Shipment, order: &SourceOrder) -> bool {
    shipment.seen_at.zip(order.updated_at).is_some_and(|(known, read)| read < known)
}

/// Makes a shipment what import made of its order now. `detail` is the version of its new large part.
pub fn make(shipment: &mut Shipment, new: &Shipment, order: &SourceOrder, detail: &str, now: Timestamp, by: &str) {
    let held = held_by_hand(shipment);
    shipment.address_id = new.address_id;
    shipment.ship_from = new.ship_from.clone();
    shipment.status = new.status;
    shipment.holds.clone_from(&new.holds);
    shipment.released_unpaid = false;
    shipment.shipping_method.clone_from(&new.shipping_method);
    shipment.differences.clear();
    shipment.more_differences.clear();
    shipment.differences_of = None;
    shipment.differences_seen = false;
    detail.clone_into(&mut shipment.detail);
    shipment.seen_at = shipment.seen_at.max(order.updated_at);
    // That it is paid was read before, where no robot looks at that on import.
    let is_known_paid = shipment.payment == Payment::Paid && shipment.payment_state == order.payment_state;
    if !is_known_paid {
        shipment.payment = new.payment;
        shipment.payment_state.clone_from(&new.payment_state);
        shipment.payment_unknown = new.payment_unknown;
    } else if new.payment == Payment::Unpaid {
        shipment.clear_hold(HoldReason::AwaitingPayment);
        shipment.release();
    }
    if let Some(reason) = held {
        shipment.hold(reason);
    }
    for event in &new.events {
        let what = event.what.strip_prefix("imported: ").map(|what| format!("{MADE}{what}"));
        shipment.note(now, what.unwrap_or_else(|| event.what.clone()), by);
    }
}

/// Is nothing otherwise than before, but for what is said of it?
#[must_use]
pub fn is_same(before: &Shipment, made: &Shipment) -> bool {
    let (seen_at, updated_at, events) = (before.seen_at, before.updated_at, before.events.clone());
    Shipment { seen_at, updated_at, events, ..made.clone() } == *before
}

/// Notes that nothing was otherwise. False if that it was made anew is the last that happened to it, as after a crash.
pub fn unchanged(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    if shipment.events.last().is_some_and(|event| event.what.starts_with(MADE)) {
        return false;
    }
    shipment.note(now, UNCHANGED, by);
    true
}

/// The hold that a person, a warehouse or a robot of their own put it on since import, by what is kept of its history, and
/// that nobody took away.
fn held_by_hand(shipment: &Shipment) -> Option<HoldReason> {
    for event in shipment.events.iter().rev() {
        for what in event.what.split("; ") {
            if what.starts_with("given back: ") {
                return Some(HoldReason::NeedsReview);
            }
            if let Some(reason) = what.strip_prefix("hold ").and_then(HoldReason::from_name) {
                // Holds of sync are about what is read now.
                let is_read = event.what.starts_with("the shop has") || event.what.starts_with("not paid");
                return (!is_read).then_some(reason);
            }
            if matches!(what, "ready" | "release" | "release-unpaid") || what.starts_with(MADE) {
                return None;
            }
        }
    }
    None
}
