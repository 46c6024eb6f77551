//! Wires sync-payments and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use renkei_platform::queue::Queue;
use renkei_platform::{Clock, Config, Metrics, aws, telemetry};
use renkei_shop::robot::Robots;
use renkei_store::Tables;
use sync_payments::{Others, serve};

const FUNCTION: &str = "sync-payments";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let tables = Tables {
        shipments: config.shipments_table()?.to_owned(),
        robots: config.robots_table()?.to_owned(),
        gate: config.gate_table()?.to_owned(),
        runs: config.runs_table()?.to_owned(),
        ..Tables::default()
    };
    let (url, arn) = (config.sync_payments_queue()?, config.sync_payments_queue_arn()?);
    let robots = Robots::wire(&config, &aws, tables, url, arn)?;
    let others = Others {
        import_orders: Queue::new(&aws, config.import_orders_queue()?),
        fetch_orders: Queue::new(&aws, config.fetch_orders_queue()?),
        push_statuses: Queue::new(&aws, config.push_statuses_queue()?),
        // Stacks without stock have no such queue.
        sync_inventory: config.sync_inventory_queue().ok().map(|url| Queue::new(&aws, url)),
    };
    let stage = config.stage()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let metrics = Metrics::begin(stage, FUNCTION, clock);
        Ok::<_, Error>(serve(&robots, &others, event, &metrics).await)
    }))
    .await
}
