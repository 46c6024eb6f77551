//! The merchant's own people: they see that an order was changed at the shop, and have its shipments made anew (作り直し).

use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_domain::settings::Action;
use renkei_domain::shipment::Status;
use renkei_setup::anew::{self, Wished};
use renkei_store::Tenant;
use tokio::time::sleep;

use super::world::Place;
use crate::error::CliError;
use crate::stack::Stack;

/// Who they are, in the history of shipments.
pub const OFFICE: &str = "office@merchant.example";
/// Shipments that are looked at a time.
const LOOKED_AT: usize = 12;
/// How often of a hundred a shipment is made anew of which nothing is otherwise.
const FOR_NOTHING: u8 = 10;

/// An order whose shipments were to be made anew: by our clock, nobody had wished for it before this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Which order.
    pub order: u64,
    /// When somebody set out to wish for it.
    pub asked_at: Timestamp,
}

/// Works while it storms. Gives how many orders were to be made anew.
pub async fn work(stack: &Stack, place: &Place, mut random: fastrand::Rng, until: Instant) -> Result<u64, CliError> {
    let (tenant, connection) = (&place.found.tenant, place.found.id());
    let hints = stack.queue_of(Action::StatusSync)?;
    let mut wished = 0;
    while Instant::now() < until {
        sleep(Duration::from_millis(random.u64(2_500..7_000))).await;
        let open = tenant.open_orders(connection, &[Status::Hold, Status::Ready]).await?;
        let mut ids = Tenant::open_ids(connection, &open);
        random.shuffle(&mut ids);
        ids.truncate(LOOKED_AT);
        for shipment in tenant.shipments(&ids).await? {
            if !shipment.has_unseen_differences() && random.u8(..100) >= FOR_NOTHING {
                continue;
            }
            // Noted first: a robot may be done with it before this returns.
            place.note_wish(Wish { order: shipment.id.order.0, asked_at: Timestamp::now() });
            let now = Timestamp::now();
            wished += u64::from(anew::wish(tenant, &hints, &shipment, now, OFFICE).await? == Wished::Yes);
        }
    }
    Ok(wished)
}
