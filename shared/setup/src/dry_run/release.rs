//! 処理ロボット適用: which shipments a processing robot would change now, and how.

use renkei_domain::ids::RobotId;
use renkei_domain::processing::{RobotSet, Target};
use renkei_domain::settings::CustomAction;
use renkei_domain::shipment::Shipment;

use super::{DryRunError, Foreseen, Place, over, said};

/// Applies the robot to copies.
pub(super) async fn foresee(place: &Place<'_>, robot: &RobotId) -> Result<Foreseen, DryRunError> {
    let settings = place.settings;
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
    let fits = |shipment: &Shipment| target.fits(shipment);
    let (foreseen, _) = over::foresee(place, &robots, rule, &[target.status()], &fits, usize::MAX).await?;
    Ok(foreseen)
}
