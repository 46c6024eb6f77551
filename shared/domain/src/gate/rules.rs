//! What a connection's settings say about its calls: limit, pace, lanes and their floors.
//!
//! # Lanes and floors
//! The limit is spent by whoever comes first, and in the morning that is the fetching of orders; a tracking number that
//! cannot be told in the afternoon costs the merchant more than an order fetched later. So each lane keeps a floor: a
//! share of the day's limit, less what the lane has already used today. A lane may spend a call only if afterwards what
//! stands reserved for the *other* lanes still fits into the day's rest.
//!
//! A floor falls by one with each call of its lane, so what is reserved for a lane can always be spent by it, and lanes
//! cannot block each other. Where the rest is too small for all floors (a limit that was lowered in the middle of the
//! day, shares of more than the whole), they are filled in the order of priority.
//!
//! Nothing should be left over at the day's end: in the last quarter of the UTC day (03:00–09:00 in Japan, when
//! warehouses sleep) the floors shrink with the time left, to nothing at midnight. They stay whole before that because
//! the trade's day lies at the beginning of the UTC day: a floor that shrank from the first hour on would be gone by
//! the afternoon in which tracking numbers are told.
//!
//! Floors are rounded down: with a limit of a few calls there are none.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// For what a call is made. In the order of priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Tracking numbers and states told to the shop.
    WriteBack,
    /// Payments and cancellations read from the shop.
    Payment,
    /// Orders fetched.
    Fetch,
    /// Stock told to the shop.
    Stock,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 4] = [Self::WriteBack, Self::Payment, Self::Fetch, Self::Stock];

    /// Its name in listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WriteBack => "write-back",
            Self::Payment => "payment",
            Self::Fetch => "fetch",
            Self::Stock => "stock",
        }
    }
}

/// One value for each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct PerLane<T: Default> {
    /// See [`Lane::WriteBack`].
    pub write_back: T,
    /// See [`Lane::Payment`].
    pub payment: T,
    /// See [`Lane::Fetch`].
    pub fetch: T,
    /// See [`Lane::Stock`].
    pub stock: T,
}

impl<T: Copy + Default> PerLane<T> {
    /// The lane's value.
    #[must_use]
    pub fn get(&self, lane: Lane) -> T {
        match lane {
            Lane::WriteBack => self.write_back,
            Lane::Payment => self.payment,
            Lane::Fetch => self.fetch,
            Lane::Stock => self.stock,
        }
    }

    /// The lane's value, to be changed.
    pub fn get_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::WriteBack => &mut self.write_back,
            Lane::Payment => &mut self.payment,
            Lane::Fetch => &mut self.fetch,
            Lane::Stock => &mut self.stock,
        }
    }
}

/// The rules of one connection's gate. They may change at any time, also between two calls of one run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GateRules {
    /// Calls that the shop's contract allows on one UTC day. 0 keeps the gate shut.
    pub daily_limit: u32,
    /// The pace: the least time between the beginnings of two calls.
    pub interval: Duration,
    /// How long the gate stays with a run of which nothing is seen. Longer than a call's time limit.
    pub lease: Duration,
    /// Sign-ins that the shop bears in any one hour.
    pub sign_ins_per_hour: u32,
    /// Each lane's floor, in percent of the daily limit.
    pub floors: PerLane<u8>,
    /// How far any machine's clock may be from the shop's, either way. See [`GateRules::new`].
    pub clocks_apart: Duration,
}

impl GateRules {
    /// The rules of a shop that told us nothing but its limit: one call a second, a lease of a minute, five sign-ins an
    /// hour, 15 % of the limit kept for write-back, 10 % for payments, 10 % for fetching, 2 % for stock.
    ///
    /// Clocks are taken to be up to 5 minutes off the shop's, either way. A deployment that trusts its clocks sets
    /// `clocks_apart` lower: a wholly spent day then opens nearer to midnight, and with 0 on the stroke of it.
    #[must_use]
    pub fn new(daily_limit: u32) -> Self {
        Self {
            daily_limit,
            interval: Duration::from_secs(1),
            lease: Duration::from_mins(1),
            sign_ins_per_hour: 5,
            floors: PerLane { write_back: 15, payment: 10, fetch: 10, stock: 2 },
            clocks_apart: Duration::from_mins(5),
        }
    }

    /// How often a holder that waits shows itself: well within the lease, after which a silent one is relieved.
    #[must_use]
    pub fn sign_of_life(&self) -> Duration {
        self.lease / 2
    }

    /// The longest that a run waits with the gate in hand: a minute's limit of a shop, which many have, is sat out, and
    /// the run goes on where it stands. What takes longer is waited for outside.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.lease.saturating_mul(2).max(self.interval)
    }

    /// How far two machines' clocks may be from each other: one fast, the other slow.
    pub(super) fn between_machines(&self) -> Duration {
        self.clocks_apart.saturating_mul(2)
    }

    /// The time in which sign-ins are counted: an hour, and as much as a sign-in may seem older than it is, because
    /// it was stamped by another clock or begun late in its lease.
    pub(super) fn sign_in_window(&self) -> Duration {
        Duration::from_hours(1).saturating_add(self.between_machines()).saturating_add(self.lease)
    }

    /// The lane's floor when `left` of the day is left.
    pub(super) fn floor(&self, lane: Lane, left: Duration) -> u32 {
        let whole = u64::from(self.daily_limit) * u64::from(self.floors.get(lane)) / 100;
        let kept = whole * left.as_secs().min(RELEASE.as_secs()) / RELEASE.as_secs();
        u32::try_from(kept).unwrap_or(u32::MAX)
    }
}

/// The last quarter of the day, in which floors are let go.
pub(super) const RELEASE: Duration = Duration::from_hours(6);
