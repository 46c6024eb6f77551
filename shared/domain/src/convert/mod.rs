//! 変換ロボット: how a shop's order becomes shipments, field by field.
//!
//! [`standard`] is the built-in robot 14448, "EC Force 出荷指示登録(標準・API用)". A merchant's own robot is a copy of it
//! with some fields made otherwise by templates. Conversion comes after fetching and before the processing robots; it
//! decides nothing but what stands in a field.

mod field;
mod filters;
mod forms;
mod robot;
pub mod samples;
pub mod standard;
mod template;
mod view;
mod width;

use std::sync::Arc;

pub use field::{Field, NAMES as FIELDS};
pub use filters::FILTERS;
pub use robot::{Conversion, ConversionRobots, Problem};
pub use template::TemplateError;

use crate::ids::{ConnectionId, RuleId, ShipmentId};
use crate::order::{SourceAddress, SourceOrder};
use crate::shipment::ShipmentDetail;

/// Why an order cannot become shipments. The order goes to quarantine with this sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// No line goes to an address, or there is no address.
    #[error("the order has no line to ship")]
    NothingToShip,
    /// More addresses than one order can be stored with.
    #[error("the order goes to {0} addresses; at most {MOST_PARCELS} can be imported, split it at the shop")]
    TooManyParcels(usize),
    /// A line that could go to any of several addresses.
    #[error("the order goes to {0} addresses, and a line of it does not say to which: split it at the shop")]
    LineWithoutAddress(usize),
    /// A template of the merchant's own robot failed on it.
    #[error("the conversion robot {robot} cannot make {field} of this order: {reason}")]
    Field {
        /// The robot.
        robot: RuleId,
        /// The field.
        field: &'static str,
        /// Why, in a sentence without anything of the order.
        reason: String,
    },
}

/// Most parcels that one order may become.
pub const MOST_PARCELS: usize = 90;

/// What one address of an order became.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Its id.
    pub id: ShipmentId,
    /// The shop's address.
    pub address: SourceAddress,
    /// What is to be shipped.
    pub detail: ShipmentDetail,
    /// What is missing in the address for a label, if anything.
    pub bad_address: Option<&'static str>,
}

/// Makes an order's shipments: one for each address to which a line goes. `robot` is the merchant's own; the standard
/// one if none.
pub fn convert(
    connection: &ConnectionId,
    order: &SourceOrder,
    robot: Option<&Conversion<'_>>,
) -> Result<Vec<Converted>, ConvertError> {
    // What the shop itself adds to an order, such as a leaflet, may go with any parcel; what was bought may not.
    if order.addresses.len() > 1 && order.lines.iter().any(|line| line.address.is_none() && !line.bundled) {
        return Err(ConvertError::LineWithoutAddress(order.addresses.len()));
    }
    let shared = robot.map(|robot| (robot, Arc::new(order.clone())));
    let mut fuel = template::Fuel::default();
    let mut parcels = Vec::with_capacity(order.addresses.len());
    for (place, address) in order.addresses.iter().enumerate() {
        if order.lines_to(address.id).next().is_none() {
            continue;
        }
        let id = ShipmentId {
            connection: connection.clone(),
            order: order.id,
            parcel: u16::try_from(parcels.len() + 1).unwrap_or(u16::MAX),
        };
        let mut detail = standard::detail(order, address);
        if let Some((robot, order)) = &shared {
            robot.apply(order, place, connection, &mut detail, &mut fuel)?;
        }
        let bad_address = standard::missing_for_a_label(&detail.ship_to);
        parcels.push(Converted { id, address: address.clone(), detail, bad_address });
    }
    match parcels.len() {
        0 => Err(ConvertError::NothingToShip),
        n if n > MOST_PARCELS => Err(ConvertError::TooManyParcels(n)),
        _ => Ok(parcels),
    }
}
