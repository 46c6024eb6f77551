//! 再出現: an order that is known here, and was read in the fetch state again.
//!
//! What the shop was told of it had no effect there. It is told again by the robots that tell such things, as far as that is
//! ours to tell.

use jiff::Timestamp;

use super::{Shipment, ShopSync, Status, TellWorking};

/// How an event says that an order with which we are through is still where orders are fetched from.
const STAYS: &str = "seen in the fetch state, although it has left";

/// Is a parcel of this order still here, so that "working" is what the shop has to be told of it? Nothing is of one that is
/// cancelled there.
#[must_use]
pub fn is_partly_here(parcels: &[Shipment]) -> bool {
    let is_here = |parcel: &Shipment| matches!(parcel.status, Status::Hold | Status::Ready | Status::Picking);
    TellWorking::of(parcels) == TellWorking::Told && parcels.iter().any(is_here)
}

impl Shipment {
    /// The order was read in the fetch state at `read_at`, although the shop had been told before that we took it: it was
    /// not moved, and is told again. False if it had not been told, or only after it was read.
    pub fn reappear(&mut self, read_at: Timestamp) -> bool {
        if self.still_unshipped(read_at) {
            return true;
        }
        let is_taken = self.shop_sync == ShopSync::Acknowledged && self.status != Status::Shipped;
        if !is_taken || !self.was_told_before(read_at) {
            return false;
        }
        self.shop_sync = ShopSync::Registered;
        self.reappeared += 1;
        true
    }

    /// The same of an order of several parcels, of which this one, the first, has left, and another is still here. What is
    /// to be told of this one by itself comes after that, as with one that left before the shop was told anything.
    pub fn reappear_in_part(&mut self, read_at: Timestamp) -> bool {
        let is_taken = matches!(self.shop_sync, ShopSync::Acknowledged | ShopSync::WrittenBack | ShopSync::Completed);
        let is_out = self.status == Status::Shipped && !self.is_cancelled_at_shop();
        if !is_taken || !is_out || !self.was_told_before(read_at) {
            return false;
        }
        self.shop_sync = ShopSync::Registered;
        self.reappeared += 1;
        true
    }

    /// The same of an order that has left and of which all is told, at a shop whose states are not ours to tell after that:
    /// there is nothing to tell again, and people see it once in the shipment's history. False if that is not so, or was
    /// noted.
    pub fn note_in_fetch_state(&mut self, read_at: Timestamp, now: Timestamp, by: &str) -> bool {
        // When its number was told is not kept; the record's last change is no earlier.
        let is_through =
            self.status == Status::Shipped && self.shop_sync == ShopSync::Completed && self.updated_at < read_at;
        if !is_through || self.events.iter().any(|event| event.what == STAYS) {
            return false;
        }
        self.note(now, STAYS, by);
        true
    }

    fn was_told_before(&self, read_at: Timestamp) -> bool {
        self.told_at.is_some_and(|told| told < read_at)
    }
}
