//! 要対応: shipments that wait for a person, by what they need. Counts and lists come from the keys of one sparse index, in
//! one request for all shops.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, ShipmentId};
use renkei_domain::needs::Need;
use renkei_domain::settings::Connection;
use renkei_store::lists::Count;
use renkei_store::needs::WaitingList;

use super::shipments::ROWS;
use super::{counted, words};
use crate::guard::Caller;
use crate::problem::Problem;

/// So many of them are read in one request; with more, counts say `+`.
pub const LOOKED_AT: i32 = 1_000;

/// A kind of need, and how many shipments of a shop have it.
pub struct NeedTab {
    pub need: Need,
    pub label: &'static str,
    pub count: String,
}

/// How an address names the most urgent need that a shop has at all.
pub const ANY: &str = "any";

/// A page of shipments of a shop that have a need.
pub struct Listed {
    /// Which.
    pub need: Need,
    pub tabs: Vec<NeedTab>,
    pub ids: Vec<ShipmentId>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// How many shipments of a shop have a need now.
pub fn count(waiting: &WaitingList, connection: &Connection, need: Need, now: Timestamp) -> Count {
    let counted = waiting
        .rows
        .iter()
        .filter(|row| row.id.connection == connection.id && row.needs.has(need, connection, now))
        .count();
    Count { counted: u32::try_from(counted).unwrap_or(u32::MAX), more: waiting.more }
}

/// A page of them; without `need` of the most urgent that there is. `after` is where it begins, as [`Listed::next`] of
/// another said it. Counts stand on the first page.
pub async fn list(
    caller: &Caller,
    connection: &Connection,
    need: Option<Need>,
    after: Option<&str>,
) -> Result<Listed, Problem> {
    let after = after.filter(|text| !text.is_empty());
    let after = after.map(|text| place(text).ok_or_else(Problem::not_found)).transpose()?;
    let waiting = caller.tenant.needs(LOOKED_AT, after.as_ref().map(|(shop, mark)| (shop, *mark))).await?;
    let is_there = |need: &Need| count(&waiting, connection, *need, caller.now).counted > 0;
    let need = need.or_else(|| Need::ALL.into_iter().find(is_there)).unwrap_or(Need::Cancellation);
    let fits = |row: &&renkei_store::needs::Waiting| {
        row.id.connection == connection.id && row.needs.has(need, connection, caller.now)
    };
    let rows: Vec<_> = waiting.rows.iter().filter(fits).take(ROWS as usize + 1).collect();
    // The page goes on behind its last row; or, where others stood between, behind the last that was looked at.
    let last = if rows.len() > ROWS as usize {
        rows.get(ROWS as usize - 1).copied()
    } else {
        waiting.rows.last().filter(|_| waiting.more)
    };
    let tabs = Need::ALL.into_iter().filter(|_| after.is_none()).map(|need| NeedTab {
        need,
        label: words::need(caller.shell.lang, need),
        count: counted(&count(&waiting, connection, need, caller.now)),
    });
    Ok(Listed {
        need,
        tabs: tabs.collect(),
        ids: rows.iter().take(ROWS as usize).map(|row| row.id.clone()).collect(),
        next: last.map(|row| format!("{}~{}", row.id.connection, row.mark)),
    })
}

/// A place in the list, as an address says it. It is looked for in the tenant's own list, wherever it leads.
fn place(text: &str) -> Option<(ConnectionId, renkei_store::lists::Mark)> {
    let (connection, mark) = text.split_once('~')?;
    Some((ConnectionId::parse(connection).ok()?, mark.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let (connection, mark) = place("hanako-ecforce~1795482123456.88111.2").unwrap();
        assert_eq!(format!("{connection}~{mark}"), "hanako-ecforce~1795482123456.88111.2");
        for wrong in ["", "~", "hanako-ecforce", "hanako-ecforce~1.2", "<b>~1.2.3"] {
            assert!(place(wrong).is_none(), "{wrong}");
        }
    }
}
