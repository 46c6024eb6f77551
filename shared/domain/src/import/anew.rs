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
use crate::shipment::{EVENTS_KEPT, HoldReason, Shipment, Status};

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

/// Keeps it from being taken until it is made anew, also where what it is on hold for falls away meanwhile, such as a
/// payment that comes. False if nobody may take it anyway.
pub fn wish(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    let is_new = is_possible(shipment) && !shipment.holds.contains(&HoldReason::NeedsReview);
    if is_new {
        shipment.hold(HoldReason::NeedsReview);
        shipment.note(now, WISHED, by);
    }
    is_new
}

/// Does it wait to be made anew, by the last that happened to it?
#[must_use]
pub fn is_wished(shipment: &Shipment) -> bool {
    shipment.events.last().is_some_and(|event| event.what == WISHED)
}

/// Does a person, a warehouse or a robot of their own hold it for this, so that it stays on hold when it is made anew?
#[must_use]
pub fn is_held_by_hand(shipment: &Shipment, reason: HoldReason) -> bool {
    held_by_hand(shipment) == Some(reason)
}

/// Has it been made anew since this moment, by what is kept of its history?
#[must_use]
pub fn is_made_since(shipment: &Shipment, at: Timestamp) -> bool {
    shipment.events.iter().any(|event| event.at >= at && event.what.starts_with(MADE))
}

/// Has it been made anew since this moment, and nobody keeps it for that any more? One that is on hold for a person may be
/// what [`keep`] left behind when its function died.
#[must_use]
pub fn is_settled_since(shipment: &Shipment, at: Timestamp) -> bool {
    let may_be_kept = is_possible(shipment) && shipment.holds.contains(&HoldReason::NeedsReview);
    is_made_since(shipment, at) && !may_be_kept
}

/// Keeps one that was made anew from being taken before the others of its order are. True if that is to be taken back by
/// [`let_go`] then; false if it stays on hold for a person anyway.
pub fn keep(shipment: &mut Shipment) -> bool {
    !shipment.holds.contains(&HoldReason::NeedsReview) && shipment.hold(HoldReason::NeedsReview)
}

/// Takes back what [`keep`] did. False if somebody else has let it go, or taken it out of our hands, or put it on hold
/// themselves meanwhile: that stays.
pub fn let_go(shipment: &mut Shipment) -> bool {
    let is_kept = is_possible(shipment)
        && shipment.holds.contains(&HoldReason::NeedsReview)
        && !is_held_by_hand(shipment, HoldReason::NeedsReview);
    if is_kept {
        shipment.clear_hold(HoldReason::NeedsReview);
        shipment.release();
    }
    is_kept
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
    shipment.several_addresses = new.several_addresses;
    shipment.ship_from = new.ship_from.clone();
    shipment.status = new.status;
    shipment.holds.clone_from(&new.holds);
    // Who let it go unpaid did so at that state of its payment.
    shipment.released_unpaid &= new.status == Status::Ready && shipment.payment_state == new.payment_state;
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
/// that nobody took away. Where that is full, what happened may be missing from it, and a remark's hold is none of a sync's.
fn held_by_hand(shipment: &Shipment) -> Option<HoldReason> {
    for event in shipment.events.iter().rev() {
        for what in event.what.split("; ") {
            if what.starts_with("given back: ") {
                return Some(HoldReason::NeedsReview);
            }
            if let Some(reason) = what.strip_prefix("hold ").and_then(HoldReason::from_name) {
                // Holds of sync are about what is read now.
                let is_read = event.what.starts_with("the shop has") || event.what.starts_with("not paid");
                if is_read {
                    continue;
                }
                return Some(reason);
            }
            if matches!(what, "ready" | "release" | "release-unpaid") || what.starts_with(MADE) {
                return None;
            }
        }
    }
    let is_full = shipment.events.len() >= EVENTS_KEPT;
    (is_full && shipment.holds.contains(&HoldReason::Remark)).then_some(HoldReason::Remark)
}
