//! Orders that the shop has and we do not: queued for import from here, as if they had been fetched.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, RuleId, TenantId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::work::{ImportOrder, Place, StartRobot, VERSION};
use renkei_ecforce::{BadRecord, Order};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::order::{fetched, outgoing};
use renkei_store::Tenant;
use renkei_store::runs::Progress;

/// Orders that are queued for import, page by page, within one run.
pub struct Missing {
    tenant: TenantId,
    connection: ConnectionId,
    run: String,
    conversion_robot: Option<RuleId>,
    page: u32,
    /// The last order that was looked at, for runs that go on.
    pub after: u64,
}

impl Missing {
    /// For a run, or for what is left of it.
    pub async fn begin(
        settings: &TenantSettings,
        tenant: &Tenant,
        message: &StartRobot,
        run: &str,
    ) -> Result<Self, ShopError> {
        let progress = tenant.run_progress(run).await?.unwrap_or(Progress { page: 0, after: 0 });
        Ok(Self {
            tenant: message.tenant.clone(),
            connection: message.connection.clone(),
            run: run.to_owned(),
            conversion_robot: settings.conversion_robot_of(&message.connection).cloned(),
            page: progress.page,
            after: progress.after,
        })
    }

    /// Queues these rows, which were read then, as a page of the run, then moves the run's cursor. Gives how many.
    pub async fn queue(
        &mut self,
        tenant: &Tenant,
        import: &Queue,
        (rows, fetched_at): (Vec<Result<Order, BadRecord>>, Timestamp),
        epoch: u64,
    ) -> Result<u64, ShopError> {
        let count = rows.len() as u64;
        if count > 0 {
            let page = self.page + 1;
            tenant.announce_page(&self.run, page, count).await?;
            let messages: Vec<_> = (0..)
                .zip(rows)
                .map(|(row, order)| {
                    outgoing(ImportOrder {
                        v: VERSION,
                        tenant: self.tenant.clone(),
                        connection: self.connection.clone(),
                        run: self.run.clone(),
                        place: Place { page, row },
                        conversion_robot: self.conversion_robot.clone(),
                        fetched_at,
                        order: fetched(order),
                    })
                })
                .collect();
            import.send_batch(&messages).await?;
            self.page = page;
        }
        let progress = Progress { page: self.page, after: self.after };
        if (count > 0 || self.after > 0) && !tenant.advance_run(&self.run, progress, epoch).await? {
            return Err(ShopError::LeaseLost);
        }
        Ok(count)
    }

    /// How many pages were queued.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.page
    }
}
