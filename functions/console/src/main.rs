//! Wires console and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use console::{App, ConsoleConfig};
use lambda_http::Error;
use renkei_platform::{Clock, Config, aws, telemetry};
use renkei_store::Tables;

const FUNCTION: &str = "console";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::load().await;
    let tables = Tables {
        shipments: config.shipments_table()?.to_owned(),
        robots: config.robots_table()?.to_owned(),
        gate: config.gate_table()?.to_owned(),
        runs: config.runs_table()?.to_owned(),
        ..Tables::default()
    };
    let app = App::new(
        &aws,
        tables,
        ConsoleConfig::read(&config)?,
        config.import_orders_queue()?,
        config.allowed_shop_addresses()?,
        clock,
    )?;
    lambda_http::run(console::router(app)).await
}
