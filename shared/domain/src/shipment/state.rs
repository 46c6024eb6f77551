//! Where a shipment stands, here and at the shop, and what happened to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// お届け希望: the day or the time of day. Not known to the first release, as the next.
    Delivery,
    /// 備考.
    Remark,
    /// 入金: not paid any more, while the warehouse has it in hand.
    Payment,
}

impl Difference {
    /// Did the first release know it?
    #[must_use]
    pub fn is_of_first_release(self) -> bool {
        !matches!(self, Self::Delivery | Self::Remark)
    }

    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Lines => "lines",
            Self::PaymentMethod => "payment-method",
            Self::Total => "total",
            Self::Delivery => "delivery",
            Self::Remark => "remark",
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
            Self::Delivery => "お届け希望",
            Self::Remark => "備考",
            Self::Payment => "入金",
        }
    }
}

/// How a cancellation stands that was asked for while the warehouse had the shipment in hand; or that of a shipment which
/// left although it was cancelled by then.
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
    /// When the shop's cancellation was seen, or a person asked for it.
    pub requested_at: Timestamp,
    /// When it was answered, or overtaken by the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The person who has seen to it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// A person asked for it here; the shop knows nothing of it, and cannot take it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_person: bool,
}

/// A refusal of the shop, kept on the shipment until it is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopError {
    /// The shop's code, such as `AOR2001`.
    pub code: String,
    /// The shop's message, shortened.
    pub message: String,
}

impl ShopError {
    /// The code of ours that says that the payment was to be captured and is not.
    pub const CAPTURE_UNPROVEN: &str = "capture-unproven";
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
