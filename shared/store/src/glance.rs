//! How many shipments are where, of all of a merchant's shops at a glance, in so many requests and no more.
//!
//! Each list of each shop is counted by a request of its own. Where there are more lists than a page may ask for, the
//! page counts those that were counted longest ago, and shows of all others what the page before it counted, which is kept
//! in one record. A page that renews itself has been round all of them after a few times. What is kept is a count that was
//! true at its time; it is never added to, so it cannot drift.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::ConnectionId;
use renkei_domain::shipment::Status;
use serde::{Deserialize, Serialize};

use crate::desk::KeptCounts;
use crate::lists::Count;
use crate::{StoreError, Tenant};

/// Lists are counted to here and no further.
const COUNTED: i32 = 1_000;
/// Orders that were not imported are large: fewer are counted.
const NOT_IMPORTED_COUNTED: i32 = 200;
/// A count that is older says nothing of now.
const OLDEST: SignedDuration = SignedDuration::from_mins(10);

/// A list of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// On hold.
    Hold,
    /// Orders that were not imported.
    NotImported,
    /// Ready.
    Ready,
    /// In the warehouse's hands.
    Picking,
    /// Known to have left since midnight.
    ShippedToday,
    /// Cancelled, of those that were imported since midnight.
    CancelledToday,
}

impl List {
    /// All; those that somebody has to look at first.
    pub const ALL: [Self; 6] =
        [Self::Hold, Self::NotImported, Self::Ready, Self::Picking, Self::ShippedToday, Self::CancelledToday];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::NotImported => "not-imported",
            Self::Ready => "ready",
            Self::Picking => "picking",
            Self::ShippedToday => "shipped",
            Self::CancelledToday => "cancelled",
        }
    }
}

/// A list as it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    at: i64,
    counted: u32,
    more: bool,
    new: u32,
    more_new: bool,
}

impl Glance {
    fn of(now: Timestamp, all: Count, new: Count) -> Self {
        Self { at: now.as_second(), counted: all.counted, more: all.more, new: new.counted, more_new: new.more }
    }

    /// How many are in the list.
    #[must_use]
    pub fn all(&self) -> Count {
        Count { counted: self.counted, more: self.more }
    }

    /// How many of them were imported since midnight.
    #[must_use]
    pub fn since_midnight(&self) -> Count {
        Count { counted: self.new, more: self.more_new }
    }

    /// Does it still say something: counted today, and not long ago?
    fn is_fresh(&self, midnight: Timestamp, now: Timestamp) -> bool {
        self.at >= midnight.as_second() && now.as_second() - self.at <= OLDEST.as_secs()
    }
}

/// What is kept: shop, list, count.
pub(crate) type Kept = BTreeMap<ConnectionId, BTreeMap<String, Glance>>;

/// What is known of each shop's lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glances(BTreeMap<(ConnectionId, List), Glance>);

impl Glances {
    /// A list of a shop; None if it was not counted lately.
    #[must_use]
    pub fn get(&self, connection: &ConnectionId, list: List) -> Option<&Glance> {
        self.0.get(&(connection.clone(), list))
    }
}

/// Which lists are to be counted with so many requests, and whether what they say has to be kept for the page after this.
fn due(connections: &[ConnectionId], kept: &Kept, most: usize) -> (Vec<(ConnectionId, List)>, bool) {
    let mut lists: Vec<(ConnectionId, List)> = List::ALL
        .into_iter()
        .flat_map(|list| connections.iter().map(move |connection| (connection.clone(), list)))
        .collect();
    if lists.len() <= most {
        return (lists, false);
    }
    // The sort is stable: what was never counted, or in the same second, stands in the order of its urgency.
    lists.sort_by_key(|(connection, list)| kept.get(connection)?.get(list.as_str()).map(|glance| glance.at));
    // To keep them is a request as well.
    lists.truncate(most.saturating_sub(1));
    (lists, true)
}

impl Tenant {
    /// Counts lists of these shops with at most `most` requests, those first that were counted longest ago, and gives what
    /// is known of all.
    pub async fn glance(
        &self,
        connections: &[ConnectionId],
        kept: &KeptCounts,
        (midnight, now): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Glances, StoreError> {
        let (due, has_to_be_kept) = due(connections, &kept.glances, most);
        let counted = try_join_all(due.into_iter().map(async |(connection, list)| {
            let (all, new) = self.count_list(&connection, list, midnight).await?;
            Ok::<_, StoreError>((connection, list, Glance::of(now, all, new)))
        }))
        .await?;
        // Of shops that are gone nothing is kept.
        let mut next: Kept = kept.glances.clone();
        next.retain(|connection, _| connections.contains(connection));
        for (connection, list, glance) in counted {
            next.entry(connection).or_default().insert(list.as_str().to_owned(), glance);
        }
        if has_to_be_kept {
            self.keep_counts(kept.with_glances(next.clone())).await?;
        }
        let mut known = BTreeMap::new();
        for (connection, lists) in next {
            for list in List::ALL {
                if let Some(glance) = lists.get(list.as_str()).filter(|glance| glance.is_fresh(midnight, now)) {
                    known.insert((connection.clone(), list), *glance);
                }
            }
        }
        Ok(Glances(known))
    }

    /// A list's count, and how many of it are new today.
    async fn count_list(
        &self,
        connection: &ConnectionId,
        list: List,
        midnight: Timestamp,
    ) -> Result<(Count, Count), StoreError> {
        const NONE: Count = Count { counted: 0, more: false };
        let open = |status| self.count_status_and_since(connection, status, midnight, COUNTED);
        let since_midnight = |status| self.count_status(connection, status, Some(midnight), COUNTED);
        Ok(match list {
            List::Hold => open(Status::Hold).await?,
            List::Ready => open(Status::Ready).await?,
            List::Picking => open(Status::Picking).await?,
            List::ShippedToday => (since_midnight(Status::Shipped).await?, NONE),
            List::CancelledToday => {
                let count = since_midnight(Status::Cancelled).await?;
                (count, count)
            }
            List::NotImported => (self.count_not_imported(connection, NOT_IMPORTED_COUNTED).await?, NONE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shops(names: &[&str]) -> Vec<ConnectionId> {
        names.iter().map(|name| ConnectionId::parse(*name).unwrap()).collect()
    }

    fn seen(at: i64) -> Glance {
        Glance { at, counted: 1, more: false, new: 0, more_new: false }
    }

    #[test]
    fn one_shop_is_counted_wholly_and_nothing_is_kept() {
        let (lists, is_kept) = due(&shops(&["a"]), &Kept::new(), 6);
        assert_eq!((lists.len(), is_kept), (6, false));
    }

    #[test]
    fn more_shops_are_counted_in_turn_and_none_is_left_out() {
        let shops = shops(&["a", "b", "c"]);
        let mut kept = Kept::new();
        let mut met = std::collections::BTreeSet::new();
        for visit in 0..4 {
            let (lists, is_kept) = due(&shops, &kept, 6);
            assert!(is_kept && lists.len() == 5, "{lists:?}");
            if visit == 0 {
                assert!(lists.iter().take(3).all(|(_, list)| *list == List::Hold), "{lists:?}");
            }
            for (connection, list) in lists {
                kept.entry(connection.clone()).or_default().insert(list.as_str().to_owned(), seen(visit));
                met.insert((connection, list));
            }
        }
        assert_eq!(met.len(), 18);
        // Then the oldest come again.
        assert!(due(&shops, &kept, 6).0.iter().all(|(shop, list)| kept[shop][list.as_str()].at <= 1));
    }

    #[test]
    fn a_count_of_yesterday_or_of_long_ago_says_nothing() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (midnight, now) = (at("2026-11-24T15:00:00Z"), at("2026-11-24T15:05:00Z"));
        assert!(seen(midnight.as_second()).is_fresh(midnight, now));
        assert!(!seen(midnight.as_second() - 1).is_fresh(midnight, now));
        assert!(!seen(midnight.as_second()).is_fresh(midnight, at("2026-11-24T15:10:01Z")));
    }
}
