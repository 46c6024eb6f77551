//! `renkei anew`: shipments are made anew from what the shop has now (作り直し).

use jiff::Timestamp;
use renkei_domain::ids::{InvalidId, ShipmentId};
use renkei_domain::settings::Action;
use renkei_setup::anew::{self, Wished};

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

const BY: &str = "renkei anew";

/// Has the shipments of an order made anew, of which this is one.
pub async fn wish(stack: &Stack, tenant: Option<&str>, id: &str) -> Result<Exit, CliError> {
    let id: ShipmentId = id.parse().map_err(|error: InvalidId| CliError::said(error.to_string()))?;
    let place = stack.connection(tenant, id.connection.as_str()).await?;
    let Some(shipment) = place.tenant.shipment(&id).await? else {
        return Err(CliError::said(format!("there is no shipment {id}")));
    };
    let hints = stack.queue_of(Action::StatusSync)?;
    match anew::wish(&place.tenant, &hints, &shipment, Timestamp::now(), BY).await? {
        Wished::Yes => {
            output::line(format!(
                "the shipments of order {} are on hold until a robot has read the shop and made them anew; \
                 `renkei shipment {id}` says what came of it",
                output::plain(shipment.order_number.as_str())
            ))?;
            Ok(Exit::Done)
        }
        Wished::InHand => Err(CliError::said(
            "a shipment of this order is with the warehouse, has left or is cancelled: it cannot be made anew",
        )),
    }
}
