//! 処理ロボット適用: which shipments a processing robot would change now, and how.

use jiff::Timestamp;
use renkei_domain::ids::RobotId;
use renkei_domain::processing::{Facts, RobotSet, Target, became};
use renkei_domain::settings::CustomAction;
use renkei_store::Tenant;
use serde_json::json;

use super::{Calls, DryRunError, Foreseen, Line, Place, said};
use crate::try_robot::{ChangeLine, on_a_copy};

/// Shipments that are read from the store in one go.
const AT_ONCE: usize = 100;

/// Applies the robot to copies.
pub(super) async fn foresee(place: &Place<'_>, robot: &RobotId) -> Result<Foreseen, DryRunError> {
    let Place { tenant, settings, connection } = *place;
    let custom = settings.integration_robots.custom.iter().find(|custom| custom.id == *robot);
    let Some(CustomAction::Apply(apply)) = custom.map(|custom| &custom.action) else {
        return Err(said(format!("the robot {robot} applies no processing robot")));
    };
    let robots = RobotSet::compile(settings).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        said(format!("the run would fail: the processing robots cannot be used: {first}"))
    })?;
    let rule = &apply.apply_processing_robot;
    if robots.get(rule).is_none() {
        return Err(said(format!(
            "the run would fail: the processing robot {rule} is not on: name it in processing_robots.enable"
        )));
    }
    let target = Target::of(&apply.to_status).ok_or_else(|| {
        said(format!("the run would fail: there is no status {:?} to apply a robot to", apply.to_status))
    })?;
    let open = tenant.open_orders(&connection.id, &[target.status()]).await?;
    let mut foreseen = Foreseen { calls: Calls::exactly(0), ..Foreseen::default() };
    for ids in Tenant::open_ids(&connection.id, &open).chunks(AT_ONCE) {
        let mut shipments = tenant.shipments(ids).await?;
        shipments.retain(|shipment| target.fits(shipment));
        let details = tenant.details(&shipments).await?;
        let goods = tenant.goods_of(&details).await?;
        for (shipment, detail) in shipments.into_iter().zip(details) {
            let facts = Facts {
                connection,
                conversion_robot: None,
                unknown_skus: &[],
                duplicate_number: false,
                now: Timestamp::now(),
            };
            let (after, changes) = on_a_copy(&robots, rule, &facts, &goods, &shipment, &detail);
            for word in became(&shipment, &after) {
                foreseen.add(word, 1);
            }
            if changes.is_empty() {
                continue;
            }
            let shown: Vec<String> = changes
                .iter()
                .map(|ChangeLine { field, before, after }| format!("{field}: {before:?} → {after:?}"))
                .collect();
            foreseen.lines.push(Line {
                text: format!("{}: {}", shipment.id, shown.join(", ")),
                ja: format!("{}: {}", shipment.id, shown.join("、")),
                keys: json!({ "kind": "shipment", "id": shipment.id.to_string(), "changes": changes }),
            });
        }
    }
    Ok(foreseen)
}
