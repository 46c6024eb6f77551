//! Wires the console's pages that change robots and settings, or call shops, and nothing else. The pages are in `functions/console`.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use std::time::Duration;

use console::{App, ConsoleConfig, Settings, routes};
use lambda_http::Error;
use renkei_ecforce::Timeouts;
use renkei_platform::queue::Queue;
use renkei_platform::secrets::ConnectionSecrets;
use renkei_platform::{Clock, Config, aws, telemetry};
use renkei_setup::{Schedules, Setup};
use renkei_shop::Shops;

const FUNCTION: &str = "console-settings";
/// How long a shop may take for one call, in all: whoever tests its connection waits before a page.
const SHOP_ANSWERS_WITHIN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let queues = [
        ("FetchOrders", config.fetch_orders_queue_arn()?),
        ("PushStatuses", config.push_statuses_queue_arn()?),
        ("SyncPayments", config.sync_payments_queue_arn()?),
        ("SyncInventory", config.sync_inventory_queue_arn()?),
    ];
    let queues = queues.into_iter().map(|(name, arn)| (name.to_owned(), arn.to_owned())).collect();
    let secrets = ConnectionSecrets::new(&aws, config.secret_prefix()?);
    let timeouts = Timeouts { total: SHOP_ANSWERS_WITHIN, ..Timeouts::default() };
    let (addresses, service_email) = (config.allowed_shop_addresses()?, config.service_email()?.to_owned());
    let shops = Shops::with_timeouts(secrets.clone(), addresses, service_email, &timeouts)?;
    let setup = Setup {
        secrets,
        import_orders: Queue::new(&aws, config.import_orders_queue()?),
        schedules: Schedules::new(&aws, config.schedule_group()?, config.scheduler_role_arn()?, queues),
    };
    let console = ConsoleConfig::read(&config)?;
    let settings = Settings::new(&console.url, setup, shops, addresses)?;
    lambda_http::run(console::router(App::settings(&aws, console, settings, clock), routes::settings)).await
}
