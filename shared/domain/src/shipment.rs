//! 出荷指示: what the warehouse ships, and where it stands.
//!
//! Kept in two parts, because they change differently: [`Shipment`] is small and changes (status, payment, marks of what
//! the shop has been told), [`ShipmentDetail`] is large and does not (addresses, lines, the order it came from). A
//! status change then costs one write unit, not five.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{AddressId, OrderNumber, RuleId, ShipFromId, ShipmentId, ShippingMethodId, Sku};
use crate::money::Yen;
use crate::order::SourceOrder;
use crate::payment::Payment;
use crate::work::Place;

/// Where a shipment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// 保留: not to be shipped yet; [`Shipment::holds`] says why.
    Hold,
    /// 出荷待ち: the warehouse may take it.
    Ready,
    /// 出荷準備中: the warehouse has taken it.
    Picking,
    /// 出荷済み.
    Shipped,
    /// キャンセル.
    Cancelled,
}

impl Status {
    /// All, in the order in which people read them.
    pub const ALL: [Self; 5] = [Self::Hold, Self::Ready, Self::Picking, Self::Shipped, Self::Cancelled];

    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Ready => "ready",
            Self::Picking => "picking",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Its Japanese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Hold => "保留",
            Self::Ready => "出荷待ち",
            Self::Picking => "出荷準備中",
            Self::Shipped => "出荷済み",
            Self::Cancelled => "キャンセル",
        }
    }
}

/// Why a shipment is on hold. A shipment may have several reasons; the first in this order is the one shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// エラー: a rule failed on it.
    Error,
    /// 住所不備.
    BadAddress,
    /// 備考確認.
    Remark,
    /// 要確認.
    NeedsReview,
    /// 入金確認.
    AwaitingPayment,
}

impl HoldReason {
    /// All, first shown first.
    pub const ALL: [Self; 5] = [Self::Error, Self::BadAddress, Self::Remark, Self::NeedsReview, Self::AwaitingPayment];

    /// Its name in documents, listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting-payment",
            Self::NeedsReview => "needs-review",
            Self::BadAddress => "bad-address",
            Self::Remark => "remark",
            Self::Error => "error",
        }
    }

    /// Its Japanese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "入金確認",
            Self::NeedsReview => "要確認",
            Self::BadAddress => "住所不備",
            Self::Remark => "備考確認",
            Self::Error => "エラー",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// APIステータス: whether the shop has been told that we took the order, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShopSync {
    /// 登・印刷待ち: the shop has not been told yet.
    Registered,
    /// 印刷済み: the shop has been told that we took it.
    Acknowledged,
    /// 実績戻し済み: tracking number, carrier and date have been told; state → shipped has not.
    WrittenBack,
    /// 出荷済み通知済み: everything has been told that is ours to tell.
    Completed,
    /// The shop refused it; [`Shipment::shop_error`] says why.
    Failed,
}

impl ShopSync {
    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Acknowledged => "acknowledged",
            Self::WrittenBack => "written-back",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// What is to be told to the shop about an order next; the sparse index of work is keyed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShopWork {
    /// State → working.
    TellWorking,
    /// Tracking number, carrier, date.
    WriteBack,
    /// State → shipped, once all of the order's parcels are out and written back.
    TellShipped,
}

impl ShopWork {
    /// Its name in the index's keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TellWorking => "tell-working",
            Self::WriteBack => "write-back",
            Self::TellShipped => "tell-shipped",
        }
    }
}

/// 差分: what the shop has otherwise than the shipment was made from. Shown, and never applied in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// 送付先.
    Address,
    /// 明細.
    Lines,
    /// 決済方法.
    PaymentMethod,
    /// 合計金額.
    Total,
    /// 入金: not paid any more, while the warehouse has it in hand.
    Payment,
}

impl Difference {
    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Lines => "lines",
            Self::PaymentMethod => "payment-method",
            Self::Total => "total",
            Self::Payment => "payment",
        }
    }

    /// Its Japanese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Address => "送付先",
            Self::Lines => "明細",
            Self::PaymentMethod => "決済方法",
            Self::Total => "合計金額",
            Self::Payment => "入金",
        }
    }
}

/// How a cancellation stands that was asked for while the warehouse had the shipment in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancellationState {
    /// キャンセル依頼中: the warehouse has not answered yet.
    Requested,
    /// The warehouse consented: the shipment is cancelled.
    Accepted,
    /// The warehouse refused: a person must look, the parcel leaves.
    Refused,
    /// It left before the warehouse answered: a person must look.
    TooLate,
}

impl CancellationState {
    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::TooLate => "too-late",
        }
    }
}

/// キャンセル依頼 to the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// How it stands.
    pub state: CancellationState,
    /// When the shop's cancellation was seen.
    pub requested_at: Timestamp,
    /// When it was answered, or overtaken by the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The person who has seen to it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A refusal of the shop, kept on the shipment until it is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopError {
    /// The shop's code, such as `AOR2001`.
    pub code: String,
    /// The shop's message, shortened.
    pub message: String,
}

/// Something that happened to a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, in a few words: `imported`, `hold awaiting-payment`, `told working`.
    pub what: String,
    /// Who or which robot.
    pub by: String,
}

/// How many events a shipment keeps: the first, and the latest others. More would make each status change cost a second
/// write unit.
const EVENTS_KEPT: usize = 8;

/// The small part of a shipment: what changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Its id.
    pub id: ShipmentId,
    /// 受注番号.
    pub order_number: OrderNumber,
    /// Where it goes, by the shop's number.
    pub address_id: AddressId,
    /// How many parcels the order became.
    pub parcels: u16,
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
    /// When its first result arrived: not [`Shipment::shipped_at`], which is the warehouse's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_at: Option<Timestamp>,
    /// キャンセル依頼, if there was one while it was in hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// The shop's time of the latest change at the shop that changed this record: older readings are passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// What the shop has otherwise by now: sorted, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The tracking number that the shop has been told; told again when it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_told: Option<String>,
    /// When the shop was last told that we took the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The shop's last refusal concerning it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop_error: Option<ShopError>,
    /// How often the order turned up again in the fetch state after the shop had been told.
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
            (ShopSync::Registered, _) if self.cancellation.is_some() => None,
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

    /// The reason shown first.
    #[must_use]
    pub fn hold_reason(&self) -> Option<HoldReason> {
        self.holds.iter().min().copied()
    }

    /// Puts it on hold for a reason. Only what has not been handed over can be held: from `picking` on this does
    /// nothing and says so with false.
    pub fn hold(&mut self, reason: HoldReason) -> bool {
        match self.status {
            Status::Hold | Status::Ready => {
                self.status = Status::Hold;
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

    /// The order was read in the fetch state at `read_at`, although the shop had been told before that we took it: it was
    /// not moved, and is told again. False if it had not been told, or only after it was read.
    pub fn reappear(&mut self, read_at: Timestamp) -> bool {
        if self.still_unshipped(read_at) {
            return true;
        }
        let told_before = self.told_at.is_some_and(|told| told < read_at);
        if self.shop_sync != ShopSync::Acknowledged || self.status == Status::Shipped || !told_before {
            return false;
        }
        self.shop_sync = ShopSync::Registered;
        self.reappeared += 1;
        true
    }

    /// Notes that the shop has been told that we took the order. False if that was noted already.
    pub fn acknowledged(&mut self, at: Timestamp) -> bool {
        if self.shop_sync != ShopSync::Registered {
            return false;
        }
        self.shop_sync = ShopSync::Acknowledged;
        self.shop_error = None;
        self.told_at = Some(at);
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

    /// Notes both in one: that the shop has been told this tracking number, and that the order is shipped. The same as
    /// [`Shipment::written_back`] and [`Shipment::completed`] one after the other; what was corrected meanwhile stays to be
    /// told. False if all of this was noted already.
    pub fn told_as_shipped(&mut self, told: &str, at: Timestamp, by: &str) -> bool {
        let number = self.written_back(told, true, at, by);
        self.completed(at) || number
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
        true
    }

    /// Takes up again what the shop had refused, where it stood. False if nothing was refused.
    pub fn replay(&mut self, at: Timestamp, by: &str) -> bool {
        if self.shop_sync != ShopSync::Failed {
            return false;
        }
        // What was refused is the first thing that has not been told.
        self.shop_sync = match (self.told_at, &self.tracking_told) {
            (None, None) if self.status == Status::Shipped && self.cancellation.is_some() => ShopSync::Acknowledged,
            (None, _) => ShopSync::Registered,
            (Some(_), None) => ShopSync::Acknowledged,
            (Some(_), Some(_)) => ShopSync::WrittenBack,
        };
        self.shop_error = None;
        self.note(at, "tried again", by);
        true
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

/// 送付先.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipTo {
    /// お届け先名.
    pub name: String,
    /// お届け先名カナ.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kana: String,
    /// 会社名.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// 郵便番号, `135-0064` where it has seven digits, else as the shop has it.
    pub postal_code: String,
    /// 都道府県.
    pub prefecture: String,
    /// 市区町村・番地.
    pub address1: String,
    /// 建物名・部屋番号.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address2: String,
    /// The rest, where the shop has a third line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address3: String,
    /// 電話番号.
    pub phone: String,
}

impl fmt::Debug for ShipTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShipTo(…)")
    }
}

/// 出荷明細.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// 商品コード.
    pub sku: Sku,
    /// 商品名.
    pub name: String,
    /// 数量.
    pub quantity: u32,
    /// 単価.
    pub price: Yen,
    /// The robot that bundled it, for items that the customer did not order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<RuleId>,
}

/// 金額, as the shop computed them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// 合計.
    pub total: Yen,
    /// 小計.
    #[serde(default)]
    pub subtotal: Yen,
    /// 送料.
    #[serde(default)]
    pub delivery_fee: Yen,
    /// 手数料.
    #[serde(default)]
    pub charge: Yen,
    /// 割引.
    #[serde(default)]
    pub discount: Yen,
    /// ポイント.
    #[serde(default)]
    pub points: Yen,
    /// 消費税.
    #[serde(default)]
    pub tax: Yen,
}

/// The large part of a shipment: what import made of the order, and the order itself.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentDetail {
    /// 送付先.
    pub ship_to: ShipTo,
    /// 出荷明細.
    pub items: Vec<Item>,
    /// 金額 of the whole order.
    pub totals: Totals,
    /// 決済方法.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payment_method: String,
    /// 納品書・送り状の備考.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_note: String,
    /// 出荷予定日.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_on: Option<Date>,
    /// お届け希望日.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_on: Option<Date>,
    /// お届け希望時間帯.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_time: String,
    /// Labels set by robots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Which robots matched on import, and what they changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robots: Vec<RobotTrace>,
    /// The order as the shop gave it.
    pub source: SourceOrder,
}

impl fmt::Debug for ShipmentDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShipmentDetail").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What one processing robot did to a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotTrace {
    /// The robot.
    pub robot: RuleId,
    /// What it changed, in a few words each and without personal data; empty when it matched but nothing was left to do.
    pub changes: Vec<String>,
}
