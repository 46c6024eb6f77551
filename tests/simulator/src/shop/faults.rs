//! Which fault strikes a call. Everything random comes from the rule's seed and the number of the strike, so that the same
//! calls meet the same faults.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::api::{Endpoint, FaultKind, FaultRule};

/// The rules in force.
#[derive(Default)]
pub struct Faults {
    rules: Vec<Active>,
}

struct Active {
    rule: FaultRule,
    matched: u64,
    struck: u64,
}

/// A fault that strikes a call.
#[derive(Debug, Clone)]
pub struct Strike {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Decides what is random about it.
    pub seed: u64,
}

impl Strike {
    /// The dice of this strike.
    pub fn dice(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }
}

impl Faults {
    /// Replaces the rules; an empty list heals the shop.
    pub fn set(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules.into_iter().map(|rule| Active { rule, matched: 0, struck: 0 }).collect();
    }

    /// The rules in force.
    pub fn rules(&self) -> Vec<FaultRule> {
        self.rules.iter().map(|active| active.rule.clone()).collect()
    }

    /// The fault for a call, if any.
    pub fn strike(&mut self, endpoint: Endpoint, method: &str) -> Option<Strike> {
        self.rules.iter_mut().find_map(|active| active.strike(endpoint, method))
    }
}

impl Active {
    fn strike(&mut self, endpoint: Endpoint, method: &str) -> Option<Strike> {
        let rule = &self.rule;
        let matches = (rule.endpoint == Endpoint::Any || rule.endpoint == endpoint)
            && rule.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        if !matches {
            return None;
        }
        self.matched += 1;
        let number = self.matched.checked_sub(rule.skip + 1)?;
        let seed = rule.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number);
        let due = match (rule.every, rule.probability) {
            (Some(every), _) => (number + 1).is_multiple_of(every.max(1)),
            (None, Some(probability)) => StdRng::seed_from_u64(!seed).random_bool(probability.clamp(0.0, 1.0)),
            (None, None) => true,
        };
        if !due || rule.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        self.struck += 1;
        Some(Strike { kind: rule.kind.clone(), seed })
    }
}
