//! Lists of several statuses as one: a connection's shipments since a time, the newest first, wherever they stand.
//!
//! All statuses but shipped have the same sort key for a shipment, the time of its import, its order and its parcel. So a
//! shipment that changes its status keeps its place in the merged list, and a page goes on behind the last place of the one
//! before, whatever has moved meanwhile.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::Timestamp;
use renkei_domain::ids::ConnectionId;
use renkei_domain::shipment::Status;

use crate::lists::{Listed, Mark, marks};
use crate::{StoreError, Tenant, codec, keys};

impl Tenant {
    /// Shipments of a connection in any of these statuses since a time, the newest first, from a mark on: shipped ones since
    /// that became known, all others since they were imported.
    ///
    /// Costs a request for each status, and reads of each at most two keys of the index more than there are rows on a page:
    /// whatever share of the page is its own.
    pub async fn newest_of(
        &self,
        connection: &ConnectionId,
        statuses: &[Status],
        since: Timestamp,
        rows: usize,
        after: Option<Mark>,
    ) -> Result<Listed, StoreError> {
        let least = keys::status_sk_since(since);
        let after = after.map(|mark| (keys::status_sk(mark.since, &mark.id(connection)), mark));
        // A bound above the upper one would be refused. So ends a list whose day has ended since its last page.
        if after.as_ref().is_some_and(|(key, _)| *key < least) {
            return Ok(Listed::of(connection, Vec::new(), false));
        }
        // One more tells whether there is more, and another is the mark itself, if it still stands there.
        let limit = i32::try_from(rows + 2).unwrap_or(i32::MAX);
        let lists = try_join_all(statuses.iter().map(async |status| {
            let query = self
                .client()
                .query()
                .table_name(&self.tables().shipments)
                .index_name("by_status")
                .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, *status)))
                .expression_attribute_values(":since", codec::text(&*least))
                .projection_expression("status_sk")
                .scan_index_forward(false)
                .limit(limit);
            let query = match &after {
                None => query.key_condition_expression("status_pk = :pk AND status_sk >= :since"),
                Some((key, _)) => query
                    .key_condition_expression("status_pk = :pk AND status_sk BETWEEN :since AND :after")
                    .expression_attribute_values(":after", codec::text(&**key)),
            };
            let answer = query.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
            marks(&answer.items.unwrap_or_default())
        }))
        .await?;
        let (page, more) = page(connection, lists, rows, after.map(|(_, mark)| mark));
        Ok(Listed::of(connection, page, more))
    }
}

/// The first rows of all lists together, and whether there are more. Each list is the newest first, and is whole or longer
/// than the page by one at least, the mark not counted.
fn page(connection: &ConnectionId, lists: Vec<Vec<Mark>>, rows: usize, after: Option<Mark>) -> (Vec<Mark>, bool) {
    // By the index's own order, in which texts are compared: of the same time order 99 comes before 100, newest first. The
    // index follows the records a moment behind: what changes its status just now may stand in two lists, and is one.
    let places: BTreeMap<Reverse<String>, Mark> = lists
        .into_iter()
        .flatten()
        .filter(|mark| Some(*mark) != after)
        .map(|mark| (Reverse(keys::status_sk(mark.since, &mark.id(connection))), mark))
        .collect();
    let more = places.len() > rows;
    (places.into_values().take(rows).collect(), more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn connection() -> ConnectionId {
        ConnectionId::parse("shop").unwrap()
    }

    fn key(mark: &Mark) -> String {
        keys::status_sk(mark.since, &mark.id(&connection()))
    }

    /// What the index would answer: the newest first, at or behind a key, so many.
    fn answered(list: &[Mark], after: Option<Mark>, rows: usize) -> Vec<Mark> {
        let mut found: Vec<Mark> = list.to_vec();
        found.sort_by_key(|mark| Reverse(key(mark)));
        found.retain(|mark| after.is_none_or(|after| key(mark) <= key(&after)));
        found.truncate(rows + 2);
        found
    }

    prop_compose! {
        // Few times and orders of different lengths: many stand at the same time, and texts sort otherwise than numbers.
        fn mark()(ms in 0_i64..3, order in prop_oneof![0_u64..4, 9_u64..12, 98_u64..102], parcel in 1_u16..3) -> Mark {
            Mark { since: Timestamp::from_millisecond(1_795_482_123_456 + ms).unwrap(), order, parcel }
        }
    }

    proptest! {
        #[test]
        fn pages_put_together_are_the_sorted_union(
            lists in prop::collection::vec(prop::collection::vec(mark(), 0..20), 1..5),
            rows in 1_usize..9,
        ) {
            // A shipment stands once in a list, and may stand in two.
            let lists: Vec<Vec<Mark>> = lists
                .into_iter()
                .map(|list| list.iter().map(|mark| (key(mark), *mark)).collect::<BTreeMap<_, _>>().into_values().collect())
                .collect();
            let mut wanted: Vec<Mark> = lists.iter().flatten().copied().collect();
            wanted.sort_by_key(|mark| Reverse(key(mark)));
            wanted.dedup();

            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let answers = lists.iter().map(|list| answered(list, after, rows)).collect();
                let (next, more) = page(&connection(), answers, rows, after);
                prop_assert!(next.len() == rows || !more);
                found.extend(next);
                prop_assert_eq!(more, found.len() < wanted.len());
                if !more {
                    break;
                }
                after = found.last().copied();
            }
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn what_moves_to_another_list_between_two_pages_is_met_once(
            list in prop::collection::vec(mark(), 1..30),
            moves in prop::collection::vec(any::<bool>(), 30),
            rows in 1_usize..9,
        ) {
            let list: Vec<Mark> =
                list.iter().map(|mark| (key(mark), *mark)).collect::<BTreeMap<_, _>>().into_values().collect();
            let (mut found, mut after, mut visit) = (Vec::new(), None, 0);
            loop {
                // In which of the two each stands is another with each page.
                let stands = |place: usize| moves[(place + visit) % moves.len()];
                let part = |side: bool| -> Vec<Mark> {
                    list.iter().enumerate().filter(|(place, _)| stands(*place) == side).map(|(_, mark)| *mark).collect()
                };
                let answers = [true, false].map(|side| answered(&part(side), after, rows)).to_vec();
                let (next, more) = page(&connection(), answers, rows, after);
                found.extend(next);
                if !more {
                    break;
                }
                (after, visit) = (found.last().copied(), visit + 1);
            }
            let mut wanted = list.clone();
            wanted.sort_by_key(|mark| Reverse(key(mark)));
            prop_assert_eq!(found, wanted);
        }
    }
}
