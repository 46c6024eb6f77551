//! Wires warehouse-api and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use std::sync::Arc;

use lambda_http::Error;
use renkei_platform::queue::Queue;
use renkei_platform::{Clock, Config, aws, telemetry};
use renkei_store::{Store, Tables};
use warehouse_api::{App, FUNCTION, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let tables = Tables {
        shipments: config.shipments_table()?.to_owned(),
        robots: config.robots_table()?.to_owned(),
        stock: config.stock_table()?.to_owned(),
        ..Tables::default()
    };
    let app = App {
        store: Store::new(&aws, tables),
        hints: Queue::new(&aws, config.sync_payments_queue()?),
        clock,
        stage: Arc::from(config.stage()?),
    };
    lambda_http::run(router(app)).await
}
