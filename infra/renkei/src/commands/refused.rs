//! `renkei retry --shipment` and `--refused`: what a shop refused to be told is told again by the robot's next run.

use jiff::Timestamp;
use renkei_domain::ids::ShipmentId;
use renkei_domain::shipment::{ShopSync, Status};
use renkei_setup::retry::{self, ToldAgain};

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

const PAGE: i32 = 100;
const BY: &str = "renkei retry";

/// Takes up one shipment where the shop refused it; with `capture`, its payment may be captured once more too.
pub async fn retry_one(stack: &Stack, tenant: Option<&str>, id: &str, capture: bool) -> Result<Exit, CliError> {
    let id: ShipmentId =
        id.parse().map_err(|error: renkei_domain::ids::InvalidId| CliError::said(error.to_string()))?;
    let place = stack.connection(tenant, id.connection.as_str()).await?;
    let told = retry::shipment(&place.tenant, &id, capture, Timestamp::now(), BY).await?;
    output::line(match told {
        ToldAgain::Yes => format!("{id} is told to the shop by the robot's next run"),
        ToldAgain::NothingRefused => format!("{id}: the shop has refused nothing of it"),
        ToldAgain::NotToCapture => {
            return Err(CliError::said(format!(
                "the payment of order {} is not waiting for that: either it was never asked for, or it is captured",
                id.order
            )));
        }
        ToldAgain::Unknown => return Err(CliError::said(format!("there is no shipment {id}"))),
    })?;
    Ok(Exit::Done)
}

/// Takes up all shipments of a scope that the shop refused.
pub async fn retry_all(stack: &Stack, scope: &Scope) -> Result<Exit, CliError> {
    let mut count = 0_u64;
    for place in stack.connections(scope).await? {
        for status in Status::ALL {
            let mut from = None;
            loop {
                let page = place.tenant.shipments_by_status(place.id(), status, PAGE, from).await?;
                let mut shipments = place.tenant.shipments(&page.rows).await?;
                shipments.retain(|shipment| shipment.shop_sync == ShopSync::Failed);
                count += shipments.len() as u64;
                let now = Timestamp::now();
                place.tenant.change_all(&shipments, |shipment| shipment.replay(now, BY)).await?;
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
    }
    output::line(format!("{count} shipments are told to their shops by the robots' next runs"))?;
    Ok(Exit::Done)
}
