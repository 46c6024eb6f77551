//! Wires watch and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use renkei_platform::{Clock, Config, Metrics, aws, telemetry};
use renkei_store::{Store, Tables};
use watch::{Webhook, Woken, look, tell};

const FUNCTION: &str = "watch";
const NOTIFICATIONS_URL: &str = "RENKEI_NOTIFICATIONS_URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::load().await;
    let tables = Tables {
        robots: config.robots_table()?.to_owned(),
        runs: config.runs_table()?.to_owned(),
        ..Tables::default()
    };
    let store = Store::new(&aws, tables);
    let webhook = Webhook::new(config.required(NOTIFICATIONS_URL)?, config.allowed_shop_addresses()?)?;
    let stage = config.stage()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Woken>| {
        let metrics = Metrics::begin(stage, FUNCTION, clock);
        match event.payload {
            Woken::Told { records } => tell(&webhook, &records).await?,
            Woken::Look {} => look(&store, clock.now(), &metrics).await?,
        }
        Ok::<_, Error>(())
    }))
    .await
}
