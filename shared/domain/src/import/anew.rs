//! 作り直し: shipments that a person has made anew from what the shop has now, because it was edited there since.
//!
//! What the shop has is never taken over in silence; here somebody asked for it. The order goes through the same conversion
//! and robots as when it was imported, and the shipments get what comes of that: address, lines, method, reasons for being
//! on hold. What happened to them stays: what the shop was told, and their history. Only what is in nobody's hands is made
//! anew, and only into as many parcels as there are: what would be other parcels is to be placed anew at the shop.

use jiff::Timestamp;

use crate::order::SourceOrder;
use crate::payment::Payment;
use crate::shipment::{HoldReason, Shipment, Status};

/// May it be made anew?
#[must_use]
pub fn is_possible(shipment: &Shipment) -> bool {
    matches!(shipment.status, Status::Hold | Status::Ready)
}

/// Makes a shipment what import made of its order now. `detail` is the version of its new large part.
pub fn make(shipment: &mut Shipment, new: &Shipment, order: &SourceOrder, detail: &str, now: Timestamp, by: &str) {
    shipment.address_id = new.address_id;
    shipment.ship_from = new.ship_from.clone();
    shipment.status = new.status;
    shipment.holds.clone_from(&new.holds);
    shipment.released_unpaid = false;
    shipment.shipping_method.clone_from(&new.shipping_method);
    shipment.differences.clear();
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
    for event in &new.events {
        let what = event.what.strip_prefix("imported: ").map(|what| format!("made anew: {what}"));
        shipment.note(now, what.unwrap_or_else(|| event.what.clone()), by);
    }
}
