//! Wires push-statuses and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use renkei_platform::{Clock, Config, Metrics, aws, telemetry};
use renkei_shop::robot::{Robots, Work};
use renkei_store::Tables;

const FUNCTION: &str = "push-statuses";

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
    let (url, arn) = (config.push_statuses_queue()?, config.push_statuses_queue_arn()?);
    let robots = Robots::wire(&config, &aws, tables, url, arn)?;
    let stage = config.stage()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let metrics = Metrics::begin(stage, FUNCTION, clock);
        let story = async |work: Work<'_>| push_statuses::tell(work, &metrics).await;
        Ok::<_, Error>(Box::pin(robots.serve(event, &metrics, story)).await)
    }))
    .await
}
