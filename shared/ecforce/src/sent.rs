//! Which requests were made, for whoever keeps a note of them: nothing of their bodies, and of their queries only what
//! says which page of what was asked for. A query can name a buyer; its other values are left out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Parts of a query whose values name nobody.
const HARMLESS: [&str; 12] = [
    "page",
    "per",
    "sort",
    "include",
    "lighter",
    "q[id_gt]",
    "q[state_eq]",
    "q[payment_state_eq]",
    "q[created_at_gteq]",
    "q[created_at_lt]",
    "q[updated_at_gteq]",
    "q[updated_at_lt]",
];
/// No path is kept longer.
const LONGEST: usize = 200;

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `GET`, `PUT` or `POST`.
    pub method: &'static str,
    /// Path below the API's address, with what of its query names nobody: `admin/orders.json?page=1&q[email_eq]=…`.
    pub path: String,
    /// Status of the answer; None if there was none.
    pub status: Option<u16>,
    /// From the request to the end of its answer.
    pub took: Duration,
}

/// The requests that a client and its clones have made. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct SentLog(Arc<Mutex<Vec<Sent>>>);

impl SentLog {
    /// What was noted since this was asked last.
    #[must_use]
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self, sent: Sent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    }
}

/// A path and its query, as they may be kept.
pub(crate) fn shown(path: &str, pairs: &[(String, String)]) -> String {
    let mut text = path.to_owned();
    let mut former = "";
    for (name, value) in pairs {
        // A list of values is one name over and over.
        if name == former {
            continue;
        }
        text.push(if former.is_empty() { '?' } else { '&' });
        former = name;
        let value = if HARMLESS.contains(&name.as_str()) { value.as_str() } else { "…" };
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{OrderQuery, TextAttribute, TextTest, WholeAttribute, WholeTest};

    #[test]
    fn a_query_is_kept_without_what_names_a_buyer_or_an_order() {
        let query = OrderQuery::new()
            .state_eq("complete")
            .id_gt(88_111)
            .text(TextAttribute::Email, TextTest::Eq("hanako@shop.example".into()))
            .text(TextAttribute::Number, TextTest::In(vec!["EC-1".into(), "EC-2".into()]))
            .whole(WholeAttribute::CustomerId, WholeTest::Eq(4_711));
        let text = shown("admin/orders.json", &query.pairs());
        assert!(text.starts_with("admin/orders.json?"), "{text}");
        for kept in ["q[state_eq]=complete", "q[id_gt]=88111", "page=1", "per=", "q[email_eq]=…", "q[customer_id_eq]=…"]
        {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        for lost in ["hanako", "EC-1", "EC-2", "4711"] {
            assert!(!text.contains(lost), "{lost}: {text}");
        }
        assert_eq!(text.matches("number_in").count(), 1, "a list of values is named once: {text}");
    }

    #[test]
    fn a_path_is_kept_to_a_length() {
        assert_eq!(shown("admin/orders/1.json", &[]), "admin/orders/1.json");
        let long = shown(&"あ".repeat(500), &[]);
        assert_eq!(long.chars().count(), LONGEST + 1);
    }

    #[test]
    fn what_was_taken_is_not_there_any_more() {
        let log = SentLog::default();
        let sent = Sent { method: "GET", path: "a".into(), status: Some(200), took: Duration::from_millis(3) };
        log.clone().note(sent.clone());
        assert_eq!((log.take(), log.take()), (vec![sent], Vec::new()));
    }
}
