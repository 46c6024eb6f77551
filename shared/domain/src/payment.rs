//! What a shop's payment state means for shipping: a table in the connection's settings, never code.
//!
//! A state that the table does not know means *wait*, and is counted so that a person sees it: shipping an unpaid order
//! and holding a paid one are both costly, and only the merchant can say which a new state is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a payment state at the shop means for shipping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// Enough to ship.
    Paid,
    /// Not yet; the order waits.
    Wait,
    /// The order will not be paid: it is cancelled.
    Cancelled,
    /// Not in the table: waits, and is reported.
    Unknown,
}

/// 入金ステータス: ours, derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payment {
    /// 未入金.
    Unpaid,
    /// 入金済み.
    Paid,
}

const DEFAULTS: [(&str, Meaning); 13] = [
    ("authed", Meaning::Paid),
    ("credit_exam_completed", Meaning::Paid),
    ("captured", Meaning::Paid),
    ("completed", Meaning::Paid),
    ("paid", Meaning::Paid),
    ("pending", Meaning::Wait),
    ("auth_failed", Meaning::Wait),
    ("update_failed", Meaning::Wait),
    ("credit_exam_processing", Meaning::Wait),
    ("credit_exam_hold", Meaning::Wait),
    ("credit_exam_failed", Meaning::Wait),
    ("voided", Meaning::Cancelled),
    ("void", Meaning::Cancelled),
];

/// 決済状況の対応表: the meaning of each payment state in one shop. What is not named keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentStates {
    /// States that are paid enough to ship.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid: Vec<String>,
    /// States that wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wait: Vec<String>,
    /// States that cancel the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelled: Vec<String>,
}

impl PaymentStates {
    /// What `state` means in this shop.
    #[must_use]
    pub fn meaning(&self, state: &str) -> Meaning {
        let named = |list: &[String]| list.iter().any(|s| s == state);
        // The cautious reading wins where a document names a state twice.
        if named(&self.cancelled) {
            Meaning::Cancelled
        } else if named(&self.wait) {
            Meaning::Wait
        } else if named(&self.paid) {
            Meaning::Paid
        } else {
            DEFAULTS.iter().find(|(code, _)| *code == state).map_or(Meaning::Unknown, |(_, meaning)| *meaning)
        }
    }

    /// The whole table in force, defaults included.
    #[must_use]
    pub fn in_force(&self) -> BTreeMap<String, Meaning> {
        let named = [&self.paid, &self.wait, &self.cancelled].into_iter().flatten().cloned();
        DEFAULTS
            .iter()
            .map(|(code, _)| (*code).to_owned())
            .chain(named)
            .map(|code| {
                let meaning = self.meaning(&code);
                (code, meaning)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merchants_table_goes_before_the_defaults() {
        let table = PaymentStates {
            paid: vec!["cash_on_delivery_authed".into(), "pending".into()],
            wait: vec!["authed".into()],
            cancelled: vec![],
        };
        assert_eq!(table.meaning("cash_on_delivery_authed"), Meaning::Paid);
        assert_eq!(table.meaning("pending"), Meaning::Paid);
        assert_eq!(table.meaning("authed"), Meaning::Wait);
        assert_eq!(table.meaning("captured"), Meaning::Paid);
        assert_eq!(table.meaning("voided"), Meaning::Cancelled);
        assert_eq!(table.meaning("brand_new"), Meaning::Unknown);
        assert_eq!(table.in_force().len(), DEFAULTS.len() + 1);
    }

    #[test]
    fn each_state_that_shops_are_known_to_have_has_its_meaning() {
        let meanings = [
            ("authed", Meaning::Paid),
            ("credit_exam_completed", Meaning::Paid),
            ("captured", Meaning::Paid),
            ("completed", Meaning::Paid),
            ("paid", Meaning::Paid),
            ("pending", Meaning::Wait),
            ("auth_failed", Meaning::Wait),
            ("update_failed", Meaning::Wait),
            ("credit_exam_processing", Meaning::Wait),
            ("credit_exam_hold", Meaning::Wait),
            ("credit_exam_failed", Meaning::Wait),
            ("voided", Meaning::Cancelled),
            ("void", Meaning::Cancelled),
        ];
        let meanings = BTreeMap::from(meanings.map(|(state, meaning)| (state.to_owned(), meaning)));
        assert_eq!(PaymentStates::default().in_force(), meanings);
    }
}
