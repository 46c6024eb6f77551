//! Wires import-orders and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use aws_lambda_events::event::sqs::SqsEvent;
use import_orders::{Cache, serve};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use renkei_platform::queue::Queue;
use renkei_platform::{Clock, Config, Metrics, aws, telemetry};
use renkei_store::{Store, Tables};

const FUNCTION: &str = "import-orders";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let tables = Tables {
        shipments: config.shipments_table()?.to_owned(),
        robots: config.robots_table()?.to_owned(),
        runs: config.runs_table()?.to_owned(),
        ..Tables::default()
    };
    let store = Store::new(&aws, tables);
    let cache = Cache::default();
    let triggers = Queue::new(&aws, config.sync_payments_queue()?);
    let stage = config.stage()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let metrics = Metrics::begin(stage, FUNCTION, clock);
        Ok::<_, Error>(serve(&store, &cache, &triggers, event.payload, &metrics).await)
    }))
    .await
}
