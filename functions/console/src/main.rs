//! Wires the console's pages of the day's work and nothing else; see `console-settings` for those of settings.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use console::{App, ConsoleConfig, DailyConfig, routes};
use lambda_http::Error;
use renkei_platform::queue::Queue;
use renkei_platform::{Clock, Config, aws, telemetry};

const FUNCTION: &str = "console";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let import_orders = Queue::new(&aws, config.import_orders_queue()?);
    let (console, daily) = (ConsoleConfig::read(&config)?, DailyConfig::read(&config)?);
    lambda_http::run(console::router(App::daily(&aws, console, daily, import_orders, clock), routes::daily)).await
}
