//! A processing robot over a shop's open shipments: what it would make of each if something applied it now. The robot is one
//! that is stored, on or off, or one that somebody is just writing.

use renkei_domain::processing::{ProcessingRobot, Run};
use renkei_domain::shipment::Status;

use super::{DryRunError, Foreseen, Place, note, over, said};
use crate::try_robot;

/// What can still be changed: from picking on the warehouse has it.
const OPEN: [Status; 2] = [Status::Hold, Status::Ready];

/// Applies the robot to copies of the latest `most` open shipments.
pub(super) async fn foresee(
    place: &Place<'_>,
    robot: &ProcessingRobot,
    is_built_in: bool,
    most: usize,
) -> Result<Foreseen, DryRunError> {
    let alone = try_robot::alone(place.settings, robot, is_built_in)
        .map_err(|problem| said(format!("the processing robot cannot be used: {problem}")))?;
    let robots = try_robot::with_always(place.settings, robot, is_built_in).unwrap_or(alone);
    let (mut foreseen, seen) = over::foresee(place, &robots, &robot.id, &OPEN, &|_| true, most).await?;
    foreseen.add("looked-at", seen.looked_at as u64);
    foreseen.add("changed", foreseen.lines.len() as u64);
    if seen.left_out > 0 {
        foreseen.notes.push(note(
            format!("新しいものから {most} 件を確認しました。ほかに未出荷の出荷指示が {} 件あります。", seen.left_out),
            format!("looked at the latest {most}; {} more are open", seen.left_out),
        ));
    }
    if robot.run == Run::OnImport {
        foreseen.notes.push(note(
            "このロボットは取込時に動き、既にある出荷指示では、連携ロボットか担当者が適用したときだけ動きます。\
             いま適用したとしたらどうなるかを示しています。",
            "this robot runs on import, and on shipments that are there only where an integration robot or a person \
             applies it: shown is what would be if it were applied now",
        ));
    }
    Ok(foreseen)
}
