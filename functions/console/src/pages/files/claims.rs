//! Files that took shipments: noted in the audit log before anything is taken, and found there again when one is lost. What
//! of it is still in picking can be written once more, and nothing besides.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::ConnectionId;
use renkei_store::audit::{AuditEntry, AuditOutcome};

use crate::guard::Caller;
use crate::problem::Problem;

/// What the audit log calls a file that takes shipments, before it does; and what became of that, if it was not the whole.
const BEGUN: &str = "files.claim";
const ENDED: &str = "files.claim.part";
/// Files that are offered, how long ago they may have been, and entries of the log that are looked at for them.
const OFFERED: usize = 10;
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
const LOOKED_AT: usize = 2_000;
const A_PAGE: i32 = 500;

/// A file that took shipments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The moment at which they were taken: by it they are found.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// So many shipments were in it.
    pub count: usize,
    /// Of this shop.
    pub connection: String,
    /// In this layout.
    pub layout: String,
    /// Not all that was asked for could be taken; of some nobody may know.
    pub is_part: bool,
}

impl Claim {
    /// What the page's form sends for it; [`wanted`] reads it.
    pub fn value(&self) -> String {
        format!("again@{}@{}@{}", self.at, self.connection, self.layout)
    }
}

/// The moment, shop and layout of a file that is to be written again.
pub fn wanted(value: &str) -> Option<(Timestamp, &str, &str)> {
    let mut parts = value.strip_prefix("again@")?.splitn(3, '@');
    Some((parts.next()?.parse().ok()?, parts.next()?, parts.next()?))
}

/// What a file holds, as the audit log says it; [`held`] reads it.
pub fn noted(count: usize, connection: &ConnectionId, layout: &str) -> String {
    format!("{count} of {connection} as {layout}")
}

fn held(note: &str) -> Option<(usize, &str, &str)> {
    let (count, rest) = note.split(';').next()?.split_once(" of ")?;
    let (connection, layout) = rest.split_once(" as ")?;
    Some((count.parse().ok()?, connection, layout))
}

/// Notes a file before its shipments are taken. If that cannot be, nothing may be taken: whoever died with the file in hand
/// would leave parcels in nobody's.
pub async fn begin(caller: &Caller, note: String) -> Result<(), Problem> {
    caller.audit(BEGUN, caller.tenant.id().as_str(), AuditOutcome::Done, note).await
}

/// Notes that a file does not hold all that it was to. The file goes out also where this cannot be noted.
pub async fn end(caller: &Caller, note: String) {
    if caller.audit(ENDED, caller.tenant.id().as_str(), AuditOutcome::Done, note.clone()).await.is_err() {
        tracing::error!(%note, "that a file holds a part is not in the audit log");
    }
}

/// The latest files that took shipments.
pub async fn latest(caller: &Caller) -> Result<Vec<Claim>, Problem> {
    let mut found = Found::default();
    let (mut looked_at, mut before) = (0, None);
    loop {
        let page = caller.tenant.audit_log(A_PAGE, before.as_deref()).await?;
        looked_at += page.rows.len();
        before = page.rows.last().map(|(place, _)| place.clone());
        let is_old = page.rows.last().is_some_and(|(_, entry)| caller.now.duration_since(entry.at) > KEPT);
        page.rows.into_iter().for_each(|(_, entry)| found.put(entry));
        if page.next.is_none() || is_old || looked_at >= LOOKED_AT || found.0.len() > OFFERED {
            return Ok(found.claims(caller.now));
        }
    }
}

/// Files by their moment: what was noted when they began, and how they ended.
#[derive(Default)]
struct Found(BTreeMap<Timestamp, (Option<AuditEntry>, Option<AuditEntry>)>);

impl Found {
    fn put(&mut self, entry: AuditEntry) {
        let is_end = entry.action == ENDED;
        if is_end || entry.action == BEGUN {
            let (begun, ended) = self.0.entry(entry.at).or_default();
            *(if is_end { ended } else { begun }) = Some(entry);
        }
    }

    /// The latest first. One that took nothing is among them: where the store failed, it may have without saying so.
    fn claims(self, now: Timestamp) -> Vec<Claim> {
        let claims = self.0.into_values().rev().filter_map(|(begun, ended)| {
            let is_part = ended.is_some();
            let entry = ended.or(begun)?;
            let (count, connection, layout) = held(&entry.note)?;
            let (connection, layout) = (connection.to_owned(), layout.to_owned());
            Some(Claim { at: entry.at, by: entry.by, count, connection, layout, is_part })
        });
        let is_offered = |claim: &Claim| now.duration_since(claim.at) <= KEPT;
        claims.filter(is_offered).take(OFFERED).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str, second: i64, note: String) -> AuditEntry {
        let at = Timestamp::from_second(second).unwrap();
        let (by, outcome) = ("operator@shop.example".to_owned(), AuditOutcome::Done);
        AuditEntry { at, by, action: action.to_owned(), target: "hanako".to_owned(), outcome, note }
    }

    #[test]
    fn a_file_is_found_by_its_notes() {
        let shop = ConnectionId::parse("hanako-of-as").unwrap();
        let mut found = Found::default();
        found.put(entry("shipment.hold", 9, noted(3, &shop, "standard")));
        found.put(entry(BEGUN, 10, noted(12, &shop, "yamato-b2")));
        found.put(entry(ENDED, 20, format!("{}; 2 could not be taken any more", noted(5, &shop, "standard"))));
        found.put(entry(BEGUN, 20, noted(7, &shop, "standard")));
        let now = Timestamp::from_second(30).unwrap();
        let claims = found.claims(now);
        let said: Vec<_> = claims.iter().map(|it| (it.count, it.layout.as_str(), it.is_part)).collect();
        assert_eq!(said, [(5, "standard", true), (12, "yamato-b2", false)]);
        assert_eq!(wanted(&claims[1].value()), Some((claims[1].at, "hanako-of-as", "yamato-b2")));
        for other in ["claim", "picking", "again@yesterday@a@b", "again@1970-01-01T00:00:10Z"] {
            assert_eq!(wanted(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_offered_is_of_these_days_and_not_too_many() {
        let shop = ConnectionId::parse("hanako").unwrap();
        let mut found = Found::default();
        for second in 0..20 {
            found.put(entry(BEGUN, second, noted(1, &shop, "standard")));
        }
        let late = Timestamp::from_second(15).unwrap() + KEPT;
        let claims = found.claims(late);
        assert_eq!(claims.iter().map(|it| it.at.as_second()).collect::<Vec<_>>(), [19, 18, 17, 16, 15]);
    }
}
