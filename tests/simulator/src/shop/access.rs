//! Who may call, and how often: tokens, sign-ins an hour, calls a day.

use std::collections::{BTreeSet, VecDeque};

use jiff::civil::Date;

use crate::api::{Hidden, ShopSpec};
use crate::time::ShopTime;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Tokens and counts of one shop.
pub struct Access {
    valid: BTreeSet<String>,
    issued: Option<String>,
    issues: u64,
    sign_ins: VecDeque<ShopTime>,
    day: Date,
    used: u64,
}

/// What came of a sign-in.
pub enum SignIn {
    /// The token.
    Token(String),
    /// E-mail or password is wrong.
    Refused,
    /// Too many within the hour.
    TooMany,
}

impl Access {
    /// A shop that nobody has called yet.
    pub fn new(shop: &ShopSpec, now: ShopTime) -> Self {
        Self {
            valid: shop.token.iter().map(|token| token.reveal().to_owned()).collect(),
            issued: None,
            issues: 0,
            sign_ins: VecDeque::new(),
            day: now.utc_date(),
            used: 0,
        }
    }

    /// Counts a call; `false` when the day's limit was spent before it.
    pub fn count_call(&mut self, limit: u64, now: ShopTime) -> bool {
        self.turn(now);
        if self.used >= limit {
            return false;
        }
        self.used += 1;
        true
    }

    /// The quota day, and the calls counted on it.
    pub fn used(&mut self, now: ShopTime) -> (Date, u64) {
        self.turn(now);
        (self.day, self.used)
    }

    /// Gives the day's allowance back.
    pub fn reset_quota(&mut self) {
        self.used = 0;
    }

    /// A day has passed, for what is allowed in a day or in an hour.
    pub fn begin_anew(&mut self) {
        self.used = 0;
        self.sign_ins.clear();
    }

    /// Spends calls of the day, as another system of the merchant would.
    pub fn spend(&mut self, calls: u64, limit: u64, now: ShopTime) {
        self.turn(now);
        self.used = self.used.saturating_add(calls).min(limit);
    }

    fn turn(&mut self, now: ShopTime) {
        let today = now.utc_date();
        if today != self.day {
            self.day = today;
            self.used = 0;
        }
    }

    /// Whether another sign-in within this hour would be too many.
    pub fn is_signing_in_too_often(&mut self, shop: &ShopSpec, now: ShopTime) -> bool {
        self.sign_ins.retain(|at| now.micros() - at.micros() < HOUR && *at <= now);
        self.sign_ins.len() >= shop.sign_ins_per_hour
    }

    /// Signs in. Wrong passwords count too; the token stays the same for as long as it is valid.
    pub fn sign_in(&mut self, shop: &ShopSpec, email: &str, password: &str, now: ShopTime) -> SignIn {
        if self.is_signing_in_too_often(shop, now) {
            return SignIn::TooMany;
        }
        self.sign_ins.push_back(now);
        if email != shop.email || password != shop.password.reveal() {
            return SignIn::Refused;
        }
        if let Some(token) = self.issued.as_ref().filter(|token| self.valid.contains(*token)) {
            return SignIn::Token(token.clone());
        }
        self.issues += 1;
        let scrambled = (shop.seed ^ self.issues.rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let token = format!("{:.8}{scrambled:016x}{:04}", "simtoken", self.issues);
        self.valid.insert(token.clone());
        self.issued = Some(token.clone());
        SignIn::Token(token)
    }

    /// Whether a token is valid.
    pub fn admits(&self, token: &str) -> bool {
        self.valid.contains(token)
    }

    /// Makes all tokens invalid; perhaps a new ready-made one takes their place.
    pub fn replace_tokens(&mut self, ready_made: Option<&Hidden>) {
        self.valid = ready_made.iter().map(|token| token.reveal().to_owned()).collect();
        self.issued = None;
    }
}
