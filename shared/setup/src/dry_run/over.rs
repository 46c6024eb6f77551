//! A processing robot applied to copies of a shop's shipments, one after the other.

use jiff::Timestamp;
use renkei_domain::ids::RuleId;
use renkei_domain::processing::{Facts, RobotSet, became};
use renkei_domain::shipment::{Shipment, Status};
use renkei_store::Tenant;
use serde_json::json;

use super::{Calls, DryRunError, Foreseen, Line, Place};
use crate::try_robot::{ChangeLine, on_a_copy};

/// Shipments that are read from the store in one go.
const AT_ONCE: usize = 100;

/// How many shipments were looked at.
pub(super) struct Seen {
    pub looked_at: usize,
    /// And how many there are besides.
    pub left_out: usize,
}

/// Applies a robot that is on among `robots` to copies of the latest `most` shipments in these statuses, of those that fit.
pub(super) async fn foresee(
    place: &Place<'_>,
    robots: &RobotSet,
    rule: &RuleId,
    statuses: &[Status],
    fits: &(dyn Fn(&Shipment) -> bool + Sync),
    most: usize,
) -> Result<(Foreseen, Seen), DryRunError> {
    let Place { tenant, connection, .. } = *place;
    let open = tenant.open_orders(&connection.id, statuses).await?;
    let ids = Tenant::open_ids(&connection.id, &open);
    let left_out = ids.len().saturating_sub(most);
    let mut seen = Seen { looked_at: 0, left_out };
    let mut foreseen = Foreseen { calls: Calls::exactly(0), ..Foreseen::default() };
    for ids in ids[left_out..].chunks(AT_ONCE) {
        let mut shipments = tenant.shipments(ids).await?;
        shipments.retain(|shipment| fits(shipment));
        seen.looked_at += shipments.len();
        let details = tenant.details(&shipments).await?;
        let goods = tenant.goods_of(&details).await?;
        for (shipment, detail) in shipments.into_iter().zip(details) {
            let facts = Facts {
                connection,
                conversion_robot: place.settings.tie_of(&connection.id),
                unknown_skus: &[],
                duplicate_number: false,
                now: Timestamp::now(),
            };
            let (after, changes) = on_a_copy(robots, rule, &facts, &goods, &shipment, &detail);
            for word in became(&shipment, &after) {
                foreseen.add(word, 1);
            }
            if changes.is_empty() {
                continue;
            }
            let shown: Vec<String> = changes.iter().map(told).collect();
            foreseen.lines.push(Line {
                text: format!("{}: {}", shipment.id, shown.join("; ")),
                ja: shipment.id.to_string(),
                keys: json!({ "kind": "shipment", "id": shipment.id.to_string(), "changes": changes }),
                changes,
            });
        }
    }
    Ok((foreseen, seen))
}

fn told(ChangeLine { field, before, after }: &ChangeLine) -> String {
    let [before, after] = [before, after].map(|value| if value.is_empty() { "nothing" } else { value.as_str() });
    format!("{field}: {before} → {after}")
}
