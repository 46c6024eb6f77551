//! What a person's page begins with, in one request: that the person is a member, the settings, what is usual, and counts
//! that are kept.
//!
//! # Counts that are kept
//! What has left never comes back, and its list is sorted by when that became known: it only grows at its end. So it is
//! counted once. A record per merchant keeps, for each shop, how many there are up to a place in the list; a page counts
//! what came behind that place, and moves the place on when that is some hundreds. That costs the robots nothing, and one
//! write for some hundreds of shipments. What is on hold, ready, picking or cancelled comes and goes at any
//! place, and is counted anew each time, to a bound.
//!
//! A place is moved only over what has been there for a while: the index follows the records a moment behind, and clocks
//! of functions differ. The move is conditional, so that two pages at once move it once.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::ConnectionId;
use renkei_domain::member::Email;
use renkei_domain::shipment::Status;
use serde::{Deserialize, Serialize};

use crate::days::{self, Usual};
use crate::lists::Count;
use crate::members::{Member, member};
use crate::settings::{AppliedSettings, applied};
use crate::shipments::sort_key;
use crate::{StoreError, Tenant, codec, glance, keys, reads};

const KIND: &str = "kept counts";
/// A place is moved over so many at least: each move is a write.
const WORTH_A_WRITE: usize = 250;
/// What is younger may still get a neighbour that is older.
const SETTLES: SignedDuration = SignedDuration::from_mins(10);

/// How much has left, up to a place in each shop's list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCounts {
    /// Counts the changes: each is made on condition that nobody else made one meanwhile.
    rev: u64,
    shipped: BTreeMap<ConnectionId, Kept>,
    /// What the day's page of several shops counted last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) glances: glance::Kept,
}

impl KeptCounts {
    pub(crate) fn with_glances(&self, glances: glance::Kept) -> Self {
        Self { glances, ..self.clone() }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    counted: u32,
    /// The place in the list, as the index sorts it.
    until: String,
}

impl Kept {
    /// The place behind those of these, the oldest first, that will get no neighbours any more; None if it is not worth it.
    fn moved(&self, places: &[&str], now: Timestamp) -> Option<Self> {
        let settled = places.iter().take_while(|place| is_settled(place, now)).count();
        let last = places.get(settled.checked_sub(1)?).filter(|_| settled >= WORTH_A_WRITE)?;
        let counted = self.counted.saturating_add(u32::try_from(settled).ok()?);
        Some(Self { counted, until: (*last).to_owned() })
    }
}

/// What a page begins with.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The settings in force; None before the first.
    pub settings: Option<AppliedSettings>,
    /// What was usual when it was last reckoned.
    pub usual: Option<Usual>,
    /// Counts that are kept.
    pub kept: KeptCounts,
}

impl Tenant {
    /// The person's membership of this merchant, and what their page begins with; None if it is none of theirs.
    pub async fn member_at_desk(&self, email: &Email) -> Result<Option<(Member, Desk)>, StoreError> {
        let person = keys::member(&self.id, email);
        let [settings, usual, kept] =
            [keys::current_settings(&self.id), keys::usual(&self.id), keys::kept_counts(&self.id)];
        let wanted = vec![person.clone(), settings.clone(), usual.clone(), kept.clone()];
        let mut found = reads::batch_get(self, &self.tables().robots, wanted).await?;
        let Some(member) = found.remove(&person).map(member).transpose()? else { return Ok(None) };
        let desk = Desk {
            settings: found.remove(&settings).map(applied).transpose()?,
            usual: found.remove(&usual).map(|item| codec::from_item(days::KIND, item)).transpose()?,
            kept: found.remove(&kept).map(|item| codec::from_item(KIND, item)).transpose()?.unwrap_or_default(),
        };
        Ok(Some((member, desk)))
    }

    /// How many shipments of a connection have left: those that are counted already, and up to `bound` more. Moves the
    /// place on where that is worth it, which is one write.
    pub async fn count_shipped(
        &self,
        connection: &ConnectionId,
        kept: &KeptCounts,
        bound: i32,
        now: Timestamp,
    ) -> Result<Count, StoreError> {
        let known = kept.shipped.get(connection).cloned().unwrap_or_default();
        let query = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("by_status")
            .projection_expression("status_sk")
            .expression_attribute_values(":pk", codec::text(keys::status_pk(&self.id, connection, Status::Shipped)))
            .limit(bound);
        let query = if known.until.is_empty() {
            query.key_condition_expression("status_pk = :pk")
        } else {
            query
                .key_condition_expression("status_pk = :pk AND status_sk > :until")
                .expression_attribute_values(":until", codec::text(&*known.until))
        };
        let answer = query.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let items = answer.items.unwrap_or_default();
        let places = items.iter().map(|item| sort_key(item, "status_sk")).collect::<Result<Vec<_>, _>>()?;
        if let Some(next) = known.moved(&places, now) {
            let mut counts = kept.clone();
            counts.shipped.insert(connection.clone(), next);
            self.keep_counts(counts).await?;
        }
        Ok(Count { counted: known.counted.saturating_add(places.len() as u32), more })
    }

    /// Whoever comes second changes nothing: the next page counts from where the first has come to.
    pub(crate) async fn keep_counts(&self, mut counts: KeptCounts) -> Result<(), StoreError> {
        let before = counts.rev;
        counts.rev += 1;
        let mut item = codec::to_item(KIND, &counts)?;
        item.extend(keys::kept_counts(&self.id).attributes());
        item.insert("v".into(), codec::version());
        let put = self
            .client()
            .put_item()
            .table_name(&self.tables().robots)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR rev = :before")
            .expression_attribute_values(":before", codec::number(before))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) => Err(StoreError::from_sdk("PutItem", &error)),
        }
    }
}

/// Has everything come to the list that stands before this place?
fn is_settled(place: &str, now: Timestamp) -> bool {
    let at = place.split('#').next().and_then(|at| at.parse::<Timestamp>().ok());
    at.is_some_and(|at| now.duration_since(at) >= SETTLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_settled_after_ten_minutes() {
        let now = "2026-11-24T01:10:00Z".parse().unwrap();
        assert!(is_settled("2026-11-24T01:00:00.000Z#88111#1", now));
        assert!(!is_settled("2026-11-24T01:00:00.001Z#88111#1", now));
        assert!(!is_settled("", now) && !is_settled("#1#1", now));
    }

    #[test]
    fn a_place_moves_over_what_is_settled_and_only_then_when_it_is_worth_it() {
        let now: Timestamp = "2026-11-24T01:10:00Z".parse().unwrap();
        let old: Vec<String> = (0..300).map(|n| format!("2026-11-24T00:00:00.{n:03}Z#{n}#1")).collect();
        let new: Vec<String> = (0..50).map(|n| format!("2026-11-24T01:05:00.{n:03}Z#{n}#1")).collect();
        let all: Vec<&str> = old.iter().chain(&new).map(String::as_str).collect();
        let kept = Kept { counted: 1_000, until: String::new() };
        let moved = kept.moved(&all, now).unwrap();
        assert_eq!((moved.counted, moved.until.as_str()), (1_300, all[299]));
        assert_eq!(kept.moved(&all[51..], now), None, "249 are settled");
        assert_eq!(kept.moved(&all[50..], now).unwrap().counted, 1_250);
        assert_eq!(kept.moved(&all[300..], now), None);
        assert_eq!(kept.moved(&[], now), None);
    }

    #[test]
    fn what_is_kept_comes_back_as_it_went() {
        let kept = Kept { counted: 2_000, until: "2026-11-24T01:00:00.000Z#88111#1".into() };
        let counts = KeptCounts {
            rev: 2,
            shipped: [(ConnectionId::parse("shop").unwrap(), kept)].into(),
            ..KeptCounts::default()
        };
        let item = codec::to_item(KIND, &counts).unwrap();
        assert_eq!(codec::from_item::<KeptCounts>(KIND, item).unwrap(), counts);
    }
}
