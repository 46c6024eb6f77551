//! Wires watch and nothing else.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use renkei_notify::{Messenger, Notices};
use renkei_platform::secrets::ConnectionSecrets;
use renkei_platform::{Clock, Config, Metrics, aws, telemetry};
use renkei_store::{Store, Tables};
use watch::{Woken, look, tell};

const FUNCTION: &str = "watch";
const NOTIFICATIONS_URL: &str = "RENKEI_NOTIFICATIONS_URL";
/// What the template writes where operators have no webhook.
const NONE: &str = "none";
const CONSOLE_URL: &str = "RENKEI_CONSOLE_URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env();
    let clock = Clock::system();
    telemetry::start(FUNCTION, config.log_level()?, clock)?;
    let aws = aws::of_function()?;
    let tables = Tables {
        robots: config.robots_table()?.to_owned(),
        runs: config.runs_table()?.to_owned(),
        ..Tables::default()
    };
    let store = Store::new(&aws, tables);
    let notices = Notices {
        secrets: ConnectionSecrets::new(&aws, config.secret_prefix()?),
        messenger: Messenger::new(config.allowed_shop_addresses()?)?,
        console: config.required(CONSOLE_URL)?.to_owned(),
    };
    let webhook = match config.required(NOTIFICATIONS_URL)? {
        NONE => Ok(None),
        url => notices.messenger.address(url).map(Some),
    };
    // Merchants are told, and robots looked for, all the same; alarms that it cannot pass on raise one of its own.
    let webhook = webhook.map_err(|error| format!("the parameter NotificationsUrl: {error}"));
    if let Err(error) = &webhook {
        tracing::error!(%error, "alarms are not passed on");
    }
    let stage = config.stage()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Woken>| {
        let metrics = Metrics::begin(stage, FUNCTION, clock);
        match event.payload {
            Woken::Told { records } => tell(&notices.messenger, webhook.clone()?.as_ref(), &records).await?,
            Woken::Look {} => look(&store, &notices, clock.now(), &metrics).await?,
        }
        Ok::<_, Error>(())
    }))
    .await
}
