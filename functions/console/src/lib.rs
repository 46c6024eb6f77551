//! console: what merchants' staff and operators see. Pages made here, sent whole; a little script for comfort, none that
//! anything depends on.
//!
//! A request goes through [`dress`] (language, headers, error pages), then through the [`guard`] of its route (who, for
//! whom, with which role, from our own page), then to a page. Which routes there are, and whom each is for, stands in
//! [`routes`] and nowhere else. Pages read and change through the same store as the command line.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

mod assets;
mod config;
mod cookies;
mod dress;
pub mod fuzz;
mod guard;
mod lang;
mod oidc;
mod pages;
mod problem;
mod routes;
mod secret;
mod shell;
mod sign_in;
mod signature;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use lambda_http::tower::ServiceExt as _;
use renkei_ecforce::AddressPolicy;
use renkei_notify::{Messenger, Notices, WebhookError};
use renkei_platform::Clock;
use renkei_platform::queue::Queue;
use renkei_setup::Setup;
use renkei_setup::dead_letters::DeadLetters;
use renkei_shop::Shops;
use renkei_store::meter::Meter;
use renkei_store::sessions::Sessions;
use renkei_store::{Store, Tables};

pub use config::{ConsoleConfig, Provider, PublicUrl};
pub use guard::Needs;
pub use routes::{Route, routes};

use cookies::Jar;
use oidc::Oidc;

/// So many dead letters of a queue are looked at for one page: whoever waits for it does not wait for all there are.
const LOOKED_AT: usize = 300;

/// Why the console cannot start. Permanent: the deployment has to be mended.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ranges of addresses that shops may have cannot be read.
    #[error("RENKEI_ALLOWED_SHOP_ADDRESSES: {0}")]
    Addresses(String),
    /// Notices cannot be sent.
    #[error(transparent)]
    Notices(#[from] WebhookError),
}

/// All that pages work with.
pub struct App {
    config: ConsoleConfig,
    store: Store,
    sessions: Sessions,
    meter: Meter,
    import_orders: Queue,
    /// Where what a person wants to be looked at goes.
    hints: Queue,
    /// Where starts of robots go, by the functions that carry them out.
    starts: BTreeMap<&'static str, Queue>,
    setup: Setup,
    shops: Shops,
    notices: Notices,
    dead_letters: DeadLetters,
    policy: AddressPolicy,
    oidc: Oidc,
    jar: Jar,
    clock: Clock,
}

impl App {
    /// Over these parts of a stack.
    pub fn new(
        aws: &SdkConfig,
        tables: Tables,
        config: ConsoleConfig,
        setup: Setup,
        shops: Shops,
        allowed_shop_addresses: &str,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let meter = Meter::default();
        let store = Store::metered(aws, tables, &meter);
        Ok(Self {
            sessions: Sessions::metered(aws, config.sessions_table.clone(), &meter),
            meter,
            import_orders: setup.import_orders.clone(),
            hints: Queue::new(aws, config.hints_queue.clone()),
            starts: config.queues.iter().map(|queue| (queue.name, Queue::new(aws, &queue.url))).collect(),
            notices: Notices {
                secrets: setup.secrets.clone(),
                messenger: Messenger::new(allowed_shop_addresses)?,
                console: config.url.at(""),
            },
            setup,
            shops,
            dead_letters: DeadLetters::new(aws, store.clone(), config.queues.clone(), LOOKED_AT),
            store,
            policy: allowed_shop_addresses
                .parse()
                .map_err(|error: renkei_ecforce::PolicyError| StartError::Addresses(error.to_string()))?,
            oidc: Oidc::new(config.provider.clone()),
            jar: Jar::new(&config.url),
            config,
            clock,
        })
    }
}

/// The console.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new().fallback(move |request: Request| answer(app, request))
}

/// Answers with the routes that the request may be for; see [`routes`].
async fn answer(app: Arc<App>, request: Request) -> Response {
    let mut router = Router::new();
    for route in routes().into_iter().filter(|route| route.is_like(request.uri().path())) {
        router = router.route(route.path, route.guarded(&app));
    }
    let router = router
        .fallback(async || problem::Problem::not_found())
        .method_not_allowed_fallback(async || problem::Problem::not_found())
        .layer(axum::middleware::from_fn_with_state(app.clone(), dress::dress))
        .with_state(app);
    router.oneshot(request).await.into_response()
}
