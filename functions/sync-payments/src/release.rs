//! 処理ロボット適用: a processing robot, to the shipments in a status, as they are now. No call to the shop.
//!
//! This is what moves paid shipments from *awaiting payment* to `ready` after a status sync. Each shipment is judged by
//! its record of this moment, and written on condition that it still is that record: one whose payment went back in
//! between is judged anew.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use jiff::Timestamp;
use renkei_domain::ids::{RuleId, Sku};
use renkei_domain::processing::{Facts, Goods, Phase, RobotSet, Target, as_known, became};
use renkei_domain::settings::CustomAction;
use renkei_domain::shipment::{Shipment, ShipmentDetail};
use renkei_shop::ShopError;
use renkei_shop::robot::{Indoors, Told};
use renkei_store::Tenant;

/// Shipments that are read from the store in one go.
const AT_ONCE: usize = 100;

/// Applies what the robot says.
pub async fn apply(work: Indoors<'_>) -> Result<Told, ShopError> {
    let Indoors { tenant, settings, connection, message, deadline, .. } = work;
    let robot = settings.integration_robots.custom.iter().find(|robot| robot.id == message.robot);
    let Some(CustomAction::Apply(apply)) = robot.map(|robot| &robot.action) else {
        return Ok(failed(format!("the robot {} is not in the tenant's settings any more", message.robot)));
    };
    let robots = match RobotSet::compile(settings) {
        Ok(robots) => robots,
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            return Ok(failed(format!("the processing robots cannot be used: {first}")));
        }
    };
    let rule = &apply.apply_processing_robot;
    if robots.get(rule).is_none() {
        return Ok(failed(format!("the processing robot {rule} is not on: name it in processing_robots.enable")));
    }
    let Some(wanted) = Target::of(&apply.to_status) else {
        return Ok(failed(format!("there is no status {:?} to apply a robot to", apply.to_status)));
    };
    let open = tenant.open_orders(&connection.id, &[wanted.status()]).await?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for ids in Tenant::open_ids(&connection.id, &open).chunks(AT_ONCE) {
        if Instant::now() > deadline {
            return Err(ShopError::OutOfTime);
        }
        let mut shipments = tenant.shipments(ids).await?;
        shipments.retain(|shipment| wanted.fits(shipment));
        let details = tenant.details(&shipments).await?;
        let goods = goods(tenant, &details).await?;
        for (shipment, detail) in shipments.into_iter().zip(details) {
            let facts = Facts {
                connection,
                conversion_robot: None,
                unknown_skus: &[],
                duplicate_number: false,
                now: Timestamp::now(),
            };
            let judge = Judge { robots: &robots, rule, wanted, facts, goods: &goods, by: message.robot.as_str() };
            for word in judge.apply(tenant, shipment, detail).await? {
                *counts.entry(word).or_default() += 1;
            }
        }
    }
    Ok(Told { counts, ..Told::default() })
}

/// How the products of these shipments are kept (温度帯), read once for all of them.
async fn goods(tenant: &Tenant, details: &[ShipmentDetail]) -> Result<Goods, ShopError> {
    let skus: HashSet<Sku> = details.iter().flat_map(|detail| &detail.items).map(|item| item.sku.clone()).collect();
    Ok(tenant.products_of(&skus).await?.into_iter().map(|product| (product.sku, product.temperature)).collect())
}

fn failed(sentence: String) -> Told {
    Told { failure: Some(sentence), ..Told::default() }
}

/// A robot, and what it needs to judge a shipment.
struct Judge<'a> {
    robots: &'a RobotSet,
    rule: &'a RuleId,
    wanted: Target,
    facts: Facts<'a>,
    goods: &'a Goods,
    by: &'a str,
}

impl Judge<'_> {
    /// Applies the robot to one shipment, and says in words to count what became of it.
    async fn apply(
        &self,
        tenant: &Tenant,
        shipment: Shipment,
        detail: ShipmentDetail,
    ) -> Result<Vec<String>, ShopError> {
        // What a robot changes in the large part is stored before the record names it; nobody reads it until then.
        let mut tried = shipment.clone();
        let mut changed = as_known(&shipment, &detail);
        let applied = self.robots.apply_with(self.goods, Phase::Only(self.rule), &self.facts, &mut tried, &mut changed);
        changed.source.clone_from(&detail.source);
        let version =
            if applied.detail_changed { Some(tenant.put_detail(&shipment.id, &changed).await?) } else { None };
        let mut words = Vec::new();
        let read_detail = &shipment.detail;
        let done = tenant
            .change(&shipment.id, |shipment| {
                words.clear();
                // The detail that was judged must be the one that it has.
                if !self.wanted.fits(shipment) || shipment.detail != *read_detail {
                    return false;
                }
                let before = shipment.clone();
                let mut view = as_known(shipment, &detail);
                let applied =
                    self.robots.apply_with(self.goods, Phase::Only(self.rule), &self.facts, shipment, &mut view);
                if applied.detail_changed
                    && let Some(version) = &version
                {
                    shipment.detail.clone_from(version);
                }
                words = became(&before, shipment);
                let said: Vec<String> = applied.traces.into_iter().flat_map(|trace| trace.changes).collect();
                if *shipment == before || said.is_empty() {
                    // Nothing moved. What keeps it is said once, not after every sync.
                    *shipment = before;
                    return self.say_once(shipment, &said);
                }
                shipment.note(self.facts.now, said.join("; "), self.by);
                true
            })
            .await?;
        Ok(if done.is_some() { words } else { Vec::new() })
    }

    fn say_once(&self, shipment: &mut Shipment, said: &[String]) -> bool {
        let what = said.join("; ");
        if what.is_empty() || shipment.events.last().is_some_and(|event| event.what == what && event.by == self.by) {
            return false;
        }
        shipment.note(self.facts.now, what, self.by);
        true
    }
}
