//! Orders that the shop showed as cancelled before they were imported. Whoever read one before that may have it in hand
//! still, in a queue or in quarantine, and would make a parcel of what nobody wants any more.
//!
//! One small item for each shop, which import reads twice for a whole batch: before it decides, and once what is new is
//! stored. Who notes an order looks for its shipment after that. So one of the two sees the other, whichever comes first.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::{ConnectionId, OrderId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::sync::written;
use crate::{Tenant, codec, keys, reads};

const KIND: &str = "orders called off before their import";
/// No reading is imported after an hour (`renkei_domain::import::too_old`); the clocks of functions and shops differ.
const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// Those that were called off last, where there are more: every batch of import reads the item.
const MOST: usize = 500;
/// A shop's clock may be so far ahead of ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// Whoever else notes one at the same moment is done soon.
const TRIES: usize = 10;

/// Orders of a shop that were called off lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledOff {
    /// Counts the changes: each is made on condition that nobody else made one meanwhile.
    rev: u64,
    /// The order that was called off last stands last.
    orders: Vec<Seen>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    order: OrderId,
    /// When the shop was asked that showed it so.
    at: Timestamp,
}

/// An order that the shop shows as cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub order: OrderId,
    /// Its last change at the shop, if the shop says it.
    pub changed_at: Option<Timestamp>,
}

impl CalledOff {
    /// Was the order called off after it was read? One that was put back at the shop has been read later.
    #[must_use]
    pub fn since(&self, order: OrderId, read_at: Timestamp) -> bool {
        self.orders.iter().any(|seen| seen.order == order && read_at < seen.at)
    }

    /// Those of these that are news `at` this time: what was noted since its last change is known, and what changed long ago
    /// was read as it is by all who may have it in hand.
    #[must_use]
    pub fn news(&self, gone: &[Gone], at: Timestamp) -> Vec<OrderId> {
        let is_news = |it: &&Gone| {
            let Some(changed) = it.changed_at else { return true };
            let is_noted = |seen: &Seen| seen.order == it.order && seen.at.duration_since(changed) >= CLOCKS;
            at.duration_since(changed) <= KEPT && !self.orders.iter().any(is_noted)
        };
        gone.iter().filter(is_news).map(|it| it.order).collect()
    }

    /// With these as well, and without what can be in nobody's hands any more.
    fn with(&self, orders: &[OrderId], at: Timestamp) -> Self {
        let is_kept = |seen: &&Seen| at.duration_since(seen.at) <= KEPT && !orders.contains(&seen.order);
        let mut all: Vec<Seen> = self.orders.iter().filter(is_kept).cloned().collect();
        all.extend(orders.iter().map(|order| Seen { order: *order, at }));
        let over = all.len().saturating_sub(MOST);
        all.drain(..over);
        Self { rev: self.rev + 1, orders: all }
    }
}

impl Tenant {
    /// The orders of a shop that were called off lately, read consistently.
    pub async fn called_off(&self, connection: &ConnectionId) -> Result<CalledOff, StoreError> {
        let item = reads::get(self, &self.tables().robots, &keys::called_off(&self.id, connection)).await?;
        item.map_or_else(|| Ok(CalledOff::default()), |item| codec::from_item(KIND, item))
    }

    /// Notes orders that the shop, asked `at` this time, shows as cancelled, and that are not imported. Gives those of them
    /// that were news ([`CalledOff::news`]). Safe to repeat.
    pub async fn call_off(
        &self,
        connection: &ConnectionId,
        gone: &[Gone],
        at: Timestamp,
    ) -> Result<Vec<OrderId>, StoreError> {
        for _ in 0..TRIES {
            let before = self.called_off(connection).await?;
            let news = before.news(gone, at);
            if news.is_empty() {
                return Ok(news);
            }
            let mut item = codec::to_item(KIND, before.with(&news, at))?;
            item.extend(keys::called_off(&self.id, connection).attributes());
            item.insert("v".into(), codec::version());
            let put = self
                .client()
                .put_item()
                .table_name(&self.tables().robots)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk) OR rev = :before")
                .expression_attribute_values(":before", codec::number(before.rev))
                .send()
                .await;
            if written(put)? {
                return Ok(news);
            }
        }
        Err(StoreError::Conflict { kind: KIND })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    #[test]
    fn what_was_read_before_it_was_called_off_is_known_and_what_was_read_since_is_not() {
        let orders = CalledOff::default().with(&[OrderId(1), OrderId(2)], at(10));
        assert!(orders.since(OrderId(1), at(9)) && orders.since(OrderId(2), at(9)));
        assert!(!orders.since(OrderId(1), at(10)), "this very reading");
        assert!(!orders.since(OrderId(1), at(11)), "it was put back, and read anew");
        assert!(!orders.since(OrderId(3), at(9)));
        let again = orders.with(&[OrderId(1)], at(20));
        assert!(again.since(OrderId(1), at(15)) && again.since(OrderId(2), at(9)), "cancelled once more");
        assert_eq!(again.orders.len(), 2);
    }

    #[test]
    fn what_nobody_can_have_in_hand_any_more_is_forgotten_and_a_flood_keeps_the_latest() {
        let orders = CalledOff::default().with(&[OrderId(1)], at(0)).with(&[OrderId(2)], at(121));
        assert!(!orders.since(OrderId(1), at(-1)) && orders.since(OrderId(2), at(120)));
        let many: Vec<OrderId> = (1..=MOST as u64 + 5).map(OrderId).collect();
        let orders = orders.with(&many, at(122));
        assert_eq!(orders.orders.len(), MOST);
        assert!(!orders.since(OrderId(5), at(121)) && orders.since(OrderId(6), at(121)));
    }

    #[test]
    fn what_is_known_or_of_long_ago_is_not_noted_again() {
        let gone = |order: u64, changed: Option<i64>| Gone { order: OrderId(order), changed_at: changed.map(at) };
        let orders = CalledOff::default().with(&[OrderId(1)], at(200));
        let news = |it: Gone| !orders.news(&[it], at(210)).is_empty();
        assert!(!news(gone(1, Some(195))), "noted since");
        assert!(news(gone(1, Some(196))), "by a clock that is ahead it may have changed after the note");
        assert!(news(gone(1, None)) && news(gone(2, None)) && news(gone(2, Some(90))));
        assert!(!news(gone(2, Some(89))), "whoever read it within the hour has read it so");
    }

    /// Golden: what earlier releases wrote.
    #[test]
    fn stored_shapes_stay_readable() {
        let golden = r#"{"rev":2,"orders":[{"order":88111,"at":"2026-11-30T01:00:00Z"}]}"#;
        let orders: CalledOff = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_string(&orders).unwrap(), golden);
        let item = codec::to_item(KIND, &orders).unwrap();
        assert_eq!(codec::from_item::<CalledOff>(KIND, item).unwrap(), orders);
    }
}
