//! 出荷指示: what the warehouse ships, and where it stands.
//!
//! Kept in two parts, because they change differently: [`Shipment`] is small and changes (status, payment, marks of what
//! the shop has been told), [`ShipmentDetail`] is large and does not (addresses, lines, the order it came from). A
//! status change then costs one write unit, not five.

mod again;
mod detail;
mod state;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use again::is_partly_here;
pub use detail::{Item, RobotTrace, ShipTo, ShipmentDetail, Totals};
pub use state::{
    Cancellation, CancellationState, Difference, Event, HoldReason, ShopError, ShopSync, ShopWork, Status,
};

use crate::ids::{AddressId, OrderNumber, ShipFromId, ShipmentId, ShippingMethodId};
use crate::payment::Payment;
use crate::work::Place;

/// How many events a shipment keeps: the first, and the latest others. More would make each status change cost a second
/// write unit.
pub(crate) const EVENTS_KEPT: usize = 8;

/// An order that the shop was seen without what it had been told so often is told its number no more: a shop that never
/// shows it would be told every night.
const TOLD_IN_VAIN: u32 = 3;

/// The small part of a shipment: what changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that happened or did not")]
pub struct Shipment {
    /// Its id.
    pub id: ShipmentId,
    /// 受注番号.
    pub order_number: OrderNumber,
    /// Where it goes, by the shop's number.
    pub address_id: AddressId,
    /// How many parcels the order became.
    pub parcels: u16,
    /// The order has several addresses at the shop, of which perhaps only one had something to ship. Not in records of
    /// releases before 0.2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub several_addresses: bool,
    /// 発送元.
    pub ship_from: ShipFromId,
    /// Where it stands.
    pub status: Status,
    /// Why it is on hold: sorted, each at most once; empty unless on hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldReason>,
    /// 入金ステータス.
    pub payment: Payment,
    /// 決済状況, as last read from the shop.
    pub payment_state: String,
    /// The connection's table did not know that state when it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub payment_unknown: bool,
    /// A person has moved it to ready although it is not paid: a warehouse may take it all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released_unpaid: bool,
    /// APIステータス.
    pub shop_sync: ShopSync,
    /// 配送方法.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<ShippingMethodId>,
    /// お問い合わせ番号.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// When it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// When the warehouse took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// Which request took it, where the warehouse named one: a digest of its `Idempotency-Key`, so that the same request made
    /// again is told that it has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_key: Option<String>,
    /// When its first result arrived: not [`Shipment::shipped_at`], which is the warehouse's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_at: Option<Timestamp>,
    /// キャンセル依頼, if there was one while it was in hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// The shop's time of the latest change at the shop that changed this record: older readings are passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// The shop cancelled its order while nobody had it in hand. That the order was told before does not change for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled_by_shop: bool,
    /// What the shop has otherwise by now: sorted, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The same, of the kinds that the first release did not know: kept apart, so that it reads the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_differences: Vec<Difference>,
    /// A digest of what the shop has where it has something otherwise: another edit of the same kind is another digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences_of: Option<String>,
    /// A person has seen to those; one that is new makes this false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub differences_seen: bool,
    /// The tracking number that the shop has been told; told again when it is another. Empty where one was told that is
    /// to be told again; None where the shop was told none yet, with which a payment may be captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_told: Option<String>,
    /// When the shop was last told that we took the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The shop's last refusal concerning it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop_error: Option<ShopError>,
    /// How often the shop was seen without what it had been told of the order; it was told again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reappeared: u32,
    /// When it was stored.
    pub imported_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The run that imported it.
    pub run: String,
    /// Where in that run its order stood: with the run, the one message that made this record.
    pub place: Place,
    /// Counts the record's changes; every change is made on condition that nobody else made one meanwhile.
    #[serde(default)]
    pub rev: u64,
    /// Which version of the detail belongs to it.
    pub detail: String,
    /// What happened to it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Shipment {
    /// What is to be told to the shop next, if anything.
    #[must_use]
    pub fn shop_work(&self) -> Option<ShopWork> {
        match (self.shop_sync, self.status) {
            // What the shop has cancelled is not moved on by us, or its cancellation would be lost there.
            (ShopSync::Registered, _) if self.is_cancelled_at_shop() => None,
            // The order is told as a whole, by the record that stands for it.
            (ShopSync::Registered, _) => self.id.is_lead().then_some(ShopWork::TellWorking),
            // A corrected tracking number is told whatever else has been told already.
            (ShopSync::Acknowledged | ShopSync::WrittenBack | ShopSync::Completed, Status::Shipped)
                if self.tracking_number.is_some() && self.tracking_number != self.tracking_told =>
            {
                Some(ShopWork::WriteBack)
            }
            (ShopSync::WrittenBack, Status::Shipped) => Some(ShopWork::TellShipped),
            (ShopSync::Acknowledged | ShopSync::WrittenBack | ShopSync::Completed | ShopSync::Failed, _) => None,
        }
    }

    /// Does the shop keep its number by address? Of such an order it refuses one that names none, and the number that it shows
    /// of the order may be another address's.
    #[must_use]
    pub fn is_told_by_address(&self) -> bool {
        self.parcels > 1 || self.several_addresses
    }

    /// Has the shop cancelled it while it was in the warehouse's hands, or later? What a person asked for here is not the
    /// shop's.
    #[must_use]
    pub fn is_cancelled_at_shop(&self) -> bool {
        self.cancellation.is_some_and(|asked| !asked.by_person)
    }

    /// Has the shop cancelled its order, at whatever time? One that was in nobody's hands then has no record of it besides
    /// that its order is not to be told.
    #[must_use]
    pub fn is_known_as_cancelled_at_shop(&self) -> bool {
        self.is_cancelled_at_shop() || (self.status == Status::Cancelled && self.shop_sync == ShopSync::Completed)
    }

    /// Is it cancelled, and by the shop, as far as the record says? Records of releases before 0.2 do not say it of what had been
    /// told before.
    #[must_use]
    pub fn is_cancelled_for_shop(&self) -> bool {
        self.status == Status::Cancelled && (self.cancelled_by_shop || self.is_known_as_cancelled_at_shop())
    }

    /// What the shop has otherwise by now, of all kinds.
    pub fn all_differences(&self) -> impl Iterator<Item = Difference> + '_ {
        self.differences.iter().chain(&self.more_differences).copied()
    }

    /// Has the shop something otherwise, and has no person seen to it?
    #[must_use]
    pub fn has_unseen_differences(&self) -> bool {
        !self.differences_seen && self.all_differences().next().is_some()
    }

    /// The reason shown first.
    #[must_use]
    pub fn hold_reason(&self) -> Option<HoldReason> {
        self.holds.iter().min().copied()
    }

    /// Is it on hold without a reason? Import and robots leave none so: nothing would release it, or name it to a person.
    #[must_use]
    pub fn is_held_for_nothing(&self) -> bool {
        self.status == Status::Hold && self.holds.is_empty()
    }

    /// Puts it on hold for a reason. Only what has not been handed over can be held: from `picking` on this does
    /// nothing and says so with false.
    pub fn hold(&mut self, reason: HoldReason) -> bool {
        match self.status {
            Status::Hold | Status::Ready => {
                self.status = Status::Hold;
                self.released_unpaid = false;
                if let Err(place) = self.holds.binary_search(&reason) {
                    self.holds.insert(place, reason);
                }
                true
            }
            Status::Picking | Status::Shipped | Status::Cancelled => false,
        }
    }

    /// Takes a reason away. The status stays: moving to `ready` is a rule's decision, not a side effect.
    pub fn clear_hold(&mut self, reason: HoldReason) {
        self.holds.retain(|held| *held != reason);
    }

    /// Moves it from hold to ready. True if it did: nothing but a shipment on hold without an open reason moves.
    pub fn release(&mut self) -> bool {
        if self.status == Status::Hold && self.holds.is_empty() {
            self.status = Status::Ready;
            return true;
        }
        false
    }

    /// Cancels what has not been handed over. False from `picking` on: there the warehouse must consent.
    pub fn cancel(&mut self) -> bool {
        match self.status {
            Status::Hold | Status::Ready => {
                self.status = Status::Cancelled;
                self.holds.clear();
                true
            }
            Status::Picking | Status::Shipped | Status::Cancelled => false,
        }
    }

    /// Cancels what has not been handed over because the shop shows it cancelled. An order that has not been told yet is
    /// not told any more: its state at the shop is to stay what the shop made it. False from `picking` on.
    pub fn cancel_as_shop(&mut self) -> bool {
        let cancelled = self.cancel();
        if cancelled && self.shop_sync == ShopSync::Registered {
            self.shop_sync = ShopSync::Completed;
        }
        cancelled
    }

    /// Notes that the shop has been told that we took the order. False if that was noted already.
    pub fn acknowledged(&mut self, at: Timestamp) -> bool {
        if self.shop_sync != ShopSync::Registered {
            return false;
        }
        self.shop_sync = self.once_acknowledged();
        self.forget_refusal();
        self.told_at = Some(at);
        self.updated_at = at;
        true
    }

    /// Where it stands once the shop knows that we took the order. A number that the shop has by then, because the order was
    /// told once more, is not told again, and its state still is.
    pub(crate) fn once_acknowledged(&self) -> ShopSync {
        let is_numbered = self.tracking_number.is_some() && self.tracking_number == self.tracking_told;
        if self.status == Status::Shipped && is_numbered { ShopSync::WrittenBack } else { ShopSync::Acknowledged }
    }

    /// Notes that the shop is not told of its order, all of which is cancelled here. False if that is not so, or was noted.
    pub fn ended_untold(&mut self, at: Timestamp) -> bool {
        if self.status != Status::Cancelled || self.shop_sync != ShopSync::Registered {
            return false;
        }
        self.shop_sync = ShopSync::Completed;
        self.updated_at = at;
        true
    }

    /// Notes that the shop has been told this tracking number. `tells_state` says whether telling the shop's state is ours
    /// too; where the shop moves states by itself, nothing is left to tell. A number that was corrected meanwhile stays to
    /// be told. False if all of this was noted already.
    pub fn written_back(&mut self, told: &str, tells_state: bool, at: Timestamp, by: &str) -> bool {
        let sync = match self.shop_sync {
            ShopSync::Acknowledged | ShopSync::WrittenBack if tells_state => ShopSync::WrittenBack,
            ShopSync::Acknowledged | ShopSync::WrittenBack => ShopSync::Completed,
            other @ (ShopSync::Registered | ShopSync::Completed | ShopSync::Failed) => other,
        };
        if self.tracking_told.as_deref() == Some(told) && self.shop_sync == sync {
            return false;
        }
        self.tracking_told = Some(told.to_owned());
        self.shop_sync = sync;
        self.note(at, "written back", by);
        true
    }

    /// Notes that the shop has been told the result of a parcel as it was when it was sent: as [`Shipment::written_back`],
    /// and what was corrected meanwhile besides the number (carrier, date) stays to be told as well.
    pub fn told_result(&mut self, sent: &Self, tells_state: bool, at: Timestamp, by: &str) -> bool {
        let Some(number) = &sent.tracking_number else { return false };
        let noted = self.written_back(number, tells_state, at, by);
        if self.has_result_of(sent) {
            return noted;
        }
        self.tell_number_again();
        true
    }

    /// The shop is told the number again, although it may be the one that it has been told. What is told then is not
    /// the first: with that alone a payment is captured.
    pub fn tell_number_again(&mut self) {
        if let Some(told) = &mut self.tracking_told {
            told.clear();
        }
    }

    /// Has it the tracking number, carrier and date that this reading of it has?
    #[must_use]
    pub fn has_result_of(&self, reading: &Self) -> bool {
        self.tracking_number == reading.tracking_number
            && self.shipping_method == reading.shipping_method
            && self.shipped_at == reading.shipped_at
    }

    /// Notes that the shop has been told that the order is shipped, or that this is not ours to tell. False if it is not
    /// waiting for that.
    pub fn completed(&mut self, at: Timestamp) -> bool {
        if self.shop_sync != ShopSync::WrittenBack || self.status != Status::Shipped {
            return false;
        }
        self.shop_sync = ShopSync::Completed;
        self.told_at = Some(at);
        self.updated_at = at;
        true
    }

    /// Notes both in one: that the shop has been told this result, and that the order is shipped. The same as
    /// [`Shipment::told_result`] and [`Shipment::completed`] one after the other; what was corrected meanwhile stays to be
    /// told. False if all of this was noted already.
    pub fn told_as_shipped(&mut self, sent: &Self, at: Timestamp, by: &str) -> bool {
        let result = self.told_result(sent, true, at, by);
        self.completed(at) || result
    }

    /// The order was read at `read_at` in a state before "shipped", although the shop had been told before that it is: that
    /// had no effect, and is told again. False if that had not been told, or only after it was read.
    pub fn still_unshipped(&mut self, read_at: Timestamp) -> bool {
        let told_before = self.told_at.is_some_and(|told| told < read_at);
        if self.shop_sync != ShopSync::Completed || self.status != Status::Shipped || !told_before {
            return false;
        }
        self.shop_sync = ShopSync::WrittenBack;
        self.reappeared += 1;
        self.updated_at = self.updated_at.max(read_at);
        true
    }

    /// The order was read at `read_at` without a tracking number: had the shop been told this one before, so that this
    /// had no effect? Not if none had been told, or perhaps only after it was read, nor if one is to be told anyway.
    #[must_use]
    pub fn is_without_number(&self, read_at: Timestamp) -> bool {
        // When it was told is not kept; the record's last change is no earlier.
        let told_before = self.updated_at < read_at;
        let is_through = matches!(self.shop_sync, ShopSync::WrittenBack | ShopSync::Completed);
        let is_told = self.tracking_number.is_some() && self.tracking_number == self.tracking_told;
        self.status == Status::Shipped && is_through && is_told && told_before
    }

    /// The same, and the number is told again. False if there was no such thing, or if it was told in vain too often:
    /// then a person has to look.
    pub fn number_dropped(&mut self, read_at: Timestamp) -> bool {
        if !self.is_without_number(read_at) || self.reappeared >= TOLD_IN_VAIN {
            return false;
        }
        self.tell_number_again();
        self.reappeared += 1;
        self.updated_at = self.updated_at.max(read_at);
        true
    }

    /// Takes up again what the shop had refused, where it stood. False if nothing was refused.
    pub fn replay(&mut self, at: Timestamp, by: &str) -> bool {
        if self.shop_sync != ShopSync::Failed {
            return false;
        }
        // What was refused is the first thing that has not been told.
        self.shop_sync = match &self.tracking_told {
            _ if self.is_working_refused() => ShopSync::Registered,
            None => ShopSync::Acknowledged,
            Some(_) => ShopSync::WrittenBack,
        };
        self.forget_refusal();
        self.note(at, "tried again", by);
        true
    }

    /// Is it that we took the order what the shop refused to be told? That is told by the order's first parcel alone, and not
    /// of one that is cancelled at the shop and left all the same.
    #[must_use]
    pub fn is_working_refused(&self) -> bool {
        let left_cancelled = self.status == Status::Shipped && self.is_cancelled_at_shop();
        self.shop_sync == ShopSync::Failed && self.told_at.is_none() && self.id.is_lead() && !left_cancelled
    }

    /// Notes that the shop refused for good what was to be told of it: it waits for a person. False if that is not what is to
    /// be told any more: what was corrected meanwhile is not what was refused, and is tried.
    pub fn refused(&mut self, told: ShopWork, error: &ShopError, at: Timestamp, by: &str) -> bool {
        if self.shop_work() != Some(told) {
            return false;
        }
        self.shop_sync = ShopSync::Failed;
        // The graver news stays: nobody would see any more that the money was not taken.
        if !self.is_not_captured() {
            self.shop_error = Some(error.clone());
        }
        self.note(at, format!("shop refused: {}", error.code), by);
        true
    }

    /// Is its payment to be captured, and is not? Nobody asks the shop again by itself, also where all else is told by now: it
    /// stays shown until somebody says what is to become of it.
    #[must_use]
    pub fn is_not_captured(&self) -> bool {
        self.shop_error.as_ref().is_some_and(|error| error.code == ShopError::CAPTURE_UNPROVEN)
    }

    fn forget_refusal(&mut self) {
        if !self.is_not_captured() {
            self.shop_error = None;
        }
    }

    /// Notes what happened. The first event and the latest ones are kept.
    pub fn note(&mut self, at: Timestamp, what: impl Into<String>, by: impl Into<String>) {
        self.events.push(Event { at, what: what.into(), by: by.into() });
        if self.events.len() > EVENTS_KEPT {
            self.events.remove(1);
        }
        self.updated_at = at;
    }
}

/// What is told of an order that stands on the list of what is to be told "working".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TellWorking {
    /// "Working".
    Told,
    /// Nothing: it is known to be cancelled at the shop, whatever became of that here. Being told "working" would take the
    /// cancellation away there, and the next sync would read that it is none.
    CancelledThere,
    /// Nothing: all of it is cancelled here, and not at the shop; no parcel of it will ever leave.
    CancelledHere,
}

impl TellWorking {
    /// Of an order with these parcels. One of several may be given for all of them, unless it is cancelled.
    #[must_use]
    pub fn of(parcels: &[Shipment]) -> Self {
        if parcels.iter().any(Shipment::is_known_as_cancelled_at_shop) {
            Self::CancelledThere
        } else if parcels.iter().all(|parcel| parcel.status == Status::Cancelled) {
            Self::CancelledHere
        } else {
            Self::Told
        }
    }
}

/// Is all of an order out, so that its state at the shop may become "shipped"? Cancelled parcels do not count; at least
/// one must have left, and what left must have been written back.
#[must_use]
pub fn is_wholly_out(parcels: &[Shipment]) -> bool {
    let mut left = parcels.iter().filter(|parcel| parcel.status != Status::Cancelled).peekable();
    left.peek().is_some()
        && left.all(|parcel| {
            parcel.status == Status::Shipped && matches!(parcel.shop_sync, ShopSync::WrittenBack | ShopSync::Completed)
        })
}
