//! console: what merchants' staff and operators see. Pages made here, sent whole; a little script for comfort, none that
//! anything depends on.
//!
//! A request goes through [`dress`] (language, headers, error pages), then through the [`guard`] of its route (who, for
//! whom, with which role, from our own page), then to a page. Which routes there are, and whom each is for, stands in
//! [`routes`] and nowhere else. Pages read and change through the same store as the command line.
//!
//! Two functions are made of it: `console-settings` has the pages that check or change a merchant's document, or call its
//! shops or its chat, `console` has all others and signs people in. Only the first can reach shops' credentials and robots'
//! schedules, only the second dead letters; and each is small enough to start quickly. To people both are one console at
//! one address.

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
mod parts;
mod problem;
pub mod routes;
mod secret;
mod shell;
mod sign_in;
mod signature;

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use lambda_http::tower::ServiceExt as _;
use renkei_platform::Clock;
use renkei_platform::queue::Queue;
use renkei_store::Store;
use renkei_store::meter::Meter;
use renkei_store::sessions::Sessions;

pub use config::{ConsoleConfig, DailyConfig, Provider, PublicUrl};
pub use guard::Needs;
pub use parts::{Daily, Part, Settings, StartError};
pub use routes::Route;

use cookies::Jar;

/// All that pages of one of the two functions work with.
pub struct App<P> {
    config: ConsoleConfig,
    store: Store,
    sessions: Sessions,
    meter: Meter,
    /// Where orders go that wait for products, or are tried again.
    import_orders: Queue,
    /// What only this function has.
    part: P,
    jar: Jar,
    clock: Clock,
}

impl App<Daily> {
    /// For the pages of the day's work, and of who may come in.
    #[must_use]
    pub fn daily(
        aws: &SdkConfig,
        config: ConsoleConfig,
        daily: DailyConfig,
        import_orders: Queue,
        clock: Clock,
    ) -> Self {
        Self::new(aws, config, import_orders, clock, |store| Daily::new(aws, daily, store))
    }
}

impl App<Settings> {
    /// For the pages that change robots and settings, or call shops.
    #[must_use]
    pub fn settings(aws: &SdkConfig, config: ConsoleConfig, settings: Settings, clock: Clock) -> Self {
        let import_orders = settings.setup.import_orders.clone();
        Self::new(aws, config, import_orders, clock, |_| settings)
    }
}

impl<P> App<P> {
    fn new(
        aws: &SdkConfig,
        config: ConsoleConfig,
        import_orders: Queue,
        clock: Clock,
        part: impl FnOnce(&Store) -> P,
    ) -> Self {
        let meter = Meter::default();
        let store = Store::metered(aws, config.tables.clone(), &meter);
        Self {
            sessions: Sessions::metered(aws, config.sessions_table.clone(), &meter),
            part: part(&store),
            store,
            meter,
            import_orders,
            jar: Jar::new(&config.url),
            config,
            clock,
        }
    }
}

/// One of the console's functions, with its routes: [`routes::daily`] or [`routes::settings`].
pub fn router<P: Part>(app: App<P>, routes: fn() -> Vec<Route<P>>) -> Router {
    let app = Arc::new(app);
    Router::new().fallback(move |request: Request| answer(app, routes, request))
}

/// Answers with the routes that the request may be for; see [`routes`].
async fn answer<P: Part>(app: Arc<App<P>>, routes: fn() -> Vec<Route<P>>, request: Request) -> Response {
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
