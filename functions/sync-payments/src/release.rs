//! 処理ロボット適用: a processing robot, to the shipments in a status, as they are now. No call to the shop.
//!
//! This is what moves paid shipments from *awaiting payment* to `ready` after a status sync. How each is judged and
//! written, `renkei_store::processing` says. Orders are gone through by their ids: a run that has no time for all of them
//! goes on where it stood, or the latest of very many would never be reached.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use renkei_domain::ids::OrderId;
use renkei_domain::processing::{Facts, RobotSet, Target};
use renkei_domain::settings::CustomAction;
use renkei_shop::ShopError;
use renkei_shop::robot::{Indoors, Stopped, Told};
use renkei_store::Tenant;
use renkei_store::processing::Application;
use renkei_store::runs::Progress;

/// Shipments that are read from the store in one go.
const AT_ONCE: usize = 100;
/// A run that needs no shop holds no gate, which would count its holders.
const NO_GATE: u64 = 0;

/// Applies what the robot says.
pub async fn apply(work: Indoors<'_>) -> Result<Told, Stopped> {
    let Indoors { tenant, settings, connection, run, message, deadline } = work;
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
    let mut at = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
    let mut open = tenant.open_orders(&connection.id, &[wanted.status()]).await?;
    let ids = Tenant::open_ids(&connection.id, &open.split_off(&OrderId(at.after.saturating_add(1))));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut left = ids.chunks(AT_ONCE).peekable();
    while let Some(ids) = left.next() {
        if Instant::now() > deadline {
            return Stopped::or_told(Err(ShopError::OutOfTime), Told { counts, ..Told::default() });
        }
        let mut shipments = tenant.shipments(ids).await?;
        shipments.retain(|shipment| wanted.fits(shipment));
        let details = tenant.details(&shipments).await?;
        let goods = tenant.goods_of(&details).await?;
        let application = Application {
            robots: &robots,
            rule,
            fits: &|shipment| wanted.fits(shipment),
            goods: &goods,
            by: message.robot.as_str(),
        };
        for (shipment, detail) in shipments.into_iter().zip(details) {
            let facts = Facts {
                connection,
                conversion_robot: settings.tie_of(&connection.id),
                unknown_skus: &[],
                duplicate_number: false,
                now: Timestamp::now(),
            };
            for word in tenant.apply_robot(&application, &facts, shipment, detail).await?.words {
                *counts.entry(word).or_default() += 1;
            }
        }
        // Where these were the last, the run's end is noted next. The first of the others may have parcels among these.
        if let Some(next) = left.peek().and_then(|ids| ids.first()) {
            at = Progress { page: at.page + 1, after: next.order.0.saturating_sub(1) };
            tenant.advance_run(run, at, NO_GATE).await?;
        }
    }
    Ok(Told { counts, ..Told::default() })
}

fn failed(sentence: String) -> Told {
    Told { failure: Some(sentence), ..Told::default() }
}
