//! A processing robot, applied to shipments that are stored (処理ロボット適用): by a robot after a sync, or by a person to
//! those that they chose. What it changes is processed further by the robots that run always, in the same write.
//!
//! Each shipment is judged by its record as it was read a moment ago, together with others, and written on condition that it
//! still is that record: one whose payment went back in between is judged anew. Applying again changes nothing more.

use std::collections::HashSet;

use jiff::Timestamp;
use renkei_domain::ids::{RuleId, Sku};
use renkei_domain::processing::{self, Facts, Goods, RobotSet, STAYS, as_known};
use renkei_domain::shipment::{Shipment, ShipmentDetail};

use crate::{StoreError, Tenant};

/// A robot, and to which shipments it is to be applied.
pub struct Application<'a> {
    /// The robots that are on; the one that is applied is among them.
    pub robots: &'a RobotSet,
    /// Which of them.
    pub rule: &'a RuleId,
    /// Whether a shipment, as it is when it is written, still is one of those that are meant.
    pub fits: &'a (dyn Fn(&Shipment) -> bool + Sync),
    /// How the shipments' products are kept.
    pub goods: &'a Goods,
    /// Who applies it: a robot's id, or a person's address.
    pub by: &'a str,
}

/// What became of a shipment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Became {
    /// In words to count. None of them if it is not meant any more, or if its large part changed while it was judged.
    pub words: Vec<String>,
    /// Was it changed? If not, it may still have said what keeps it from that.
    pub changed: bool,
}

impl Tenant {
    /// How the products of these shipments are kept (温度帯), read once for all of them.
    pub async fn goods_of(&self, details: &[ShipmentDetail]) -> Result<Goods, StoreError> {
        let skus: HashSet<Sku> = details.iter().flat_map(|detail| &detail.items).map(|item| item.sku.clone()).collect();
        Ok(self.products_of(&skus).await?.into_iter().map(|product| (product.sku, product.temperature)).collect())
    }

    /// Applies a robot to one shipment, which is written by itself: a crash leaves the others as they were.
    pub async fn apply_robot(
        &self,
        application: &Application<'_>,
        facts: &Facts<'_>,
        shipment: Shipment,
        detail: ShipmentDetail,
    ) -> Result<Became, StoreError> {
        let Application { robots, rule, fits, goods, by } = *application;
        // What robots change in the large part is stored before the record names it; nobody reads it until then.
        let mut tried = shipment.clone();
        let mut changed = as_known(&shipment, &detail);
        let applied = robots.apply_later(goods, rule, facts, &mut tried, &mut changed);
        changed.source.clone_from(&detail.source);
        let version = if applied.detail_changed { Some(self.put_detail(&shipment.id, &changed).await?) } else { None };
        let mut became = Became::default();
        let read_detail = shipment.detail.clone();
        self.change_from(shipment, |shipment| {
            became = Became::default();
            // The detail that was judged must be the one that it has.
            if !fits(shipment) || shipment.detail != read_detail {
                return false;
            }
            let before = shipment.clone();
            let mut view = as_known(shipment, &detail);
            let applied = robots.apply_later(goods, rule, facts, shipment, &mut view);
            if applied.detail_changed {
                view.source.clone_from(&detail.source);
                // Of a record that changed meanwhile another large part may come than the one that is stored: then it is
                // left to the next time.
                let Some(version) = version.as_ref().filter(|_| view == changed) else { return false };
                shipment.detail.clone_from(version);
            }
            became.words = processing::became(&before, shipment);
            let said: Vec<String> = applied.traces.into_iter().flat_map(|trace| trace.changes).collect();
            if *shipment == before || said.is_empty() {
                // Nothing moved. What keeps it is said once, not every time.
                *shipment = before;
                return say_once(shipment, &said, facts.now, by);
            }
            shipment.note(facts.now, said.join("; "), by);
            became.changed = true;
            true
        })
        .await?;
        Ok(became)
    }
}

/// Several robots may say in turn why it stays: what one has said is not said again before something else happens.
fn say_once(shipment: &mut Shipment, said: &[String], now: Timestamp, by: &str) -> bool {
    let what = said.join("; ");
    let mut said_lately = shipment.events.iter().rev().take_while(|event| event.what.starts_with(STAYS));
    let last = shipment.events.last().is_some_and(|event| event.what == what && event.by == by);
    if what.is_empty() || last || said_lately.any(|event| event.what == what && event.by == by) {
        return false;
    }
    shipment.note(now, what, by);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One robot for each reason of being on hold: each says after every sync why the shipment stays.
    #[test]
    fn robots_that_speak_in_turn_do_not_write_the_history_away() {
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let mut shipment: Shipment = serde_json::from_value(serde_json::json!({
            "id": "shop.1.1", "order_number": "H-1", "address_id": 1, "parcels": 1, "ship_from": "dc", "status": "hold",
            "holds": ["remark", "needs-review"], "payment": "paid", "payment_state": "authed", "shop_sync": "acknowledged",
            "run": "r", "place": { "page": 1, "row": 0 }, "imported_at": now, "updated_at": now, "detail": "1"
        }))
        .unwrap();
        let stays = [format!("{STAYS}remark, needs-review")];
        let say = |shipment: &mut Shipment, by: &str| say_once(shipment, &stays, now, by);
        assert!(say(&mut shipment, "one") && say(&mut shipment, "two"));
        assert!(!say(&mut shipment, "one") && !say(&mut shipment, "two"));
        assert_eq!(shipment.events.len(), 2);
        shipment.note(now, "hold remark", "hanako");
        assert!(say(&mut shipment, "one"), "something else happened since");
    }
}
