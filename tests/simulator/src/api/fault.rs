//! What can be made to go wrong at a shop.

use serde::{Deserialize, Serialize};

use super::Endpoint;

/// A rule: which calls it strikes, and how. The first rule of the list that strikes a call wins.
///
/// Without `probability` and `every` a rule strikes each call that it matches; `times` bounds it, `skip` delays it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Which endpoint; all when missing.
    #[serde(default = "any")]
    pub endpoint: Endpoint,
    /// Which method; all when missing. `stock_items` is the one endpoint that is read and written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Strikes each matching call with this probability (0 to 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Strikes every n-th matching call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Strikes so many times, then never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Lets so many matching calls pass first.
    #[serde(default)]
    pub skip: u64,
    /// Decides what is random about it.
    #[serde(default)]
    pub seed: u64,
}

impl FaultRule {
    /// A rule that strikes every call to every endpoint.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self {
            kind,
            endpoint: Endpoint::Any,
            method: None,
            probability: None,
            every: None,
            times: None,
            skip: 0,
            seed: 0,
        }
    }

    /// The same rule for one endpoint.
    #[must_use]
    pub fn at(self, endpoint: Endpoint) -> Self {
        Self { endpoint, ..self }
    }

    /// The same rule, for the next so many matching calls.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The same rule with a probability and a seed.
    #[must_use]
    pub fn with_probability(self, probability: f64, seed: u64) -> Self {
        Self { probability: Some(probability), seed, ..self }
    }
}

fn any() -> Endpoint {
    Endpoint::Any
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 with `Retry-After: <seconds>`.
    TooManyRequestsSeconds {
        /// The header's seconds.
        #[serde(default = "three")]
        seconds: u64,
    },
    /// 429 with `Retry-After: <HTTP date>`.
    TooManyRequestsDate {
        /// The date lies so many seconds ahead of the simulator's own clock.
        #[serde(default = "three")]
        seconds: u64,
    },
    /// 429 with the text `Retry later` and no header.
    TooManyRequestsPlain,
    /// 500 with AOR9999.
    ServerError {
        /// The call is carried out before it is answered so.
        #[serde(default)]
        applied: bool,
    },
    /// 503 with a page of HTML, as the CDN in front gives it.
    Html503 {
        /// The call is carried out before it is answered so.
        #[serde(default)]
        applied: bool,
    },
    /// The connection is reset; nothing is carried out.
    ResetBefore,
    /// The call is carried out, then the connection is reset without an answer.
    ResetAfter,
    /// The call is carried out at once and answered late (or waits first, then is carried out, even if the caller has left).
    Slow {
        /// How late.
        #[serde(default = "a_second")]
        ms: u64,
        /// Wait first, then carry out.
        #[serde(default)]
        before: bool,
    },
    /// The answer's JSON ends in the middle.
    TruncatedJson,
    /// A write answers success for every record and changes nothing.
    SilentNoOp,
    /// `shipping` answers success for every record, and an order to one address that was taken and has no tracking number
    /// yet gets nothing of it: no number, carrier or date, and no sale. Its history tells of it as `dropped_slip`. All
    /// else is carried out.
    DroppedNumbers,
    /// Some records of a write fail, with AOR0000 around another code.
    PartialFailure {
        /// Percentage of records; at least one fails.
        #[serde(default = "half")]
        percent: u64,
        /// The code inside AOR0000.
        #[serde(default = "passing_code")]
        code: String,
    },
    /// A write that names one of these records is refused whole, and nothing of it is carried out.
    RefusedWhole {
        /// Orders' ids, and SKUs.
        records: Vec<String>,
        /// All others of it are carried out, before it is refused.
        #[serde(default)]
        applied: bool,
        /// 404, 422 or the like.
        #[serde(default = "unprocessable")]
        status: u16,
    },
    /// `meta.total_count` and `meta.total_pages` of a list are wrong.
    WrongTotals,
    /// The token in use stops being valid; the call and those after it answer 401 until the next sign-in.
    RevokedToken,
    /// A row of a list appears twice, within the page or again from the page before.
    DuplicateRows,
    /// A list by id does not go on: whatever id it is to begin after, it begins at the first.
    StandingList,
    /// The shop says that the day's limit is spent, although by its own count it is not.
    LimitRefused {
        /// 429 or 403.
        #[serde(default = "too_many")]
        status: u16,
    },
    /// The answer is padded with unknown content.
    HugeBody {
        /// Bytes of padding.
        #[serde(default = "megabytes")]
        bytes: usize,
    },
    /// `included` comes in another order.
    ShuffledIncluded,
    /// Keys missing or null, numbers and flags as strings.
    MissingKeys {
        /// Percentage of keys changed.
        #[serde(default = "some")]
        percent: u64,
        /// Also leave out keys without which an order cannot be shipped (number, SKU, address, payment state…).
        #[serde(default)]
        vital: bool,
    },
}

impl FaultKind {
    /// The name that the ledger shows.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TooManyRequestsSeconds { .. } => "too_many_requests_seconds",
            Self::TooManyRequestsDate { .. } => "too_many_requests_date",
            Self::TooManyRequestsPlain => "too_many_requests_plain",
            Self::ServerError { .. } => "server_error",
            Self::Html503 { .. } => "html_503",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::Slow { .. } => "slow",
            Self::TruncatedJson => "truncated_json",
            Self::SilentNoOp => "silent_no_op",
            Self::DroppedNumbers => "dropped_numbers",
            Self::PartialFailure { .. } => "partial_failure",
            Self::RefusedWhole { .. } => "refused_whole",
            Self::WrongTotals => "wrong_totals",
            Self::RevokedToken => "revoked_token",
            Self::DuplicateRows => "duplicate_rows",
            Self::StandingList => "standing_list",
            Self::LimitRefused { .. } => "limit_refused",
            Self::HugeBody { .. } => "huge_body",
            Self::ShuffledIncluded => "shuffled_included",
            Self::MissingKeys { .. } => "missing_keys",
        }
    }
}

fn three() -> u64 {
    3
}

fn a_second() -> u64 {
    1000
}

fn half() -> u64 {
    50
}

fn some() -> u64 {
    15
}

fn too_many() -> u16 {
    429
}

fn unprocessable() -> u16 {
    422
}

fn megabytes() -> usize {
    16 << 20
}

fn passing_code() -> String {
    "AOR9999".to_owned()
}
