//! warehouse-api: where warehouses take shipments and bring results and counts, and where shops' webhooks arrive.
//!
//! A request in the order of its way: [`caller`] (whose key is it) · [`body`], [`query`] (what is asked) · then one file
//! for each call: [`list`], [`claim`], [`results`], [`cancellation`], [`give_back`], [`stock`], [`hooks`] · [`problem`] (what
//! is answered if it cannot be). [`openapi`] describes all of it, out of the same code.
//!
//! What must stay true: a warehouse sees and changes shipments of its own ship-froms only, by the settings of this moment
//! ([`caller::Caller::may_see`]); every write may be repeated; what was answered 200 is on record; a bad record of a write
//! loses only itself.

pub mod body;
pub mod caller;
pub mod cancellation;
pub mod claim;
pub mod cursor;
pub mod fuzz;
pub mod give_back;
pub mod hooks;
pub mod limits;
pub mod list;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod results;
pub mod stock;
pub mod view;
pub mod writes;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use futures::FutureExt;
use renkei_platform::queue::Queue;
use renkei_platform::{Clock, Metric, Metrics};
use renkei_store::Store;

use crate::problem::Problem;

/// What requests need.
#[derive(Debug, Clone)]
pub struct App {
    /// What Renkei keeps.
    pub store: Store,
    /// Where hints from webhooks go.
    pub hints: Queue,
    /// The time.
    pub clock: Clock,
    /// What the stack is for.
    pub stage: Arc<str>,
}

/// The function's name.
pub const FUNCTION: &str = "warehouse-api";

/// Every address, with the methods that it takes. The one list: the router is made from it, and a test holds it against
/// the `OpenAPI` document.
fn endpoints() -> Vec<(&'static str, &'static [&'static str], MethodRouter<App>)> {
    vec![
        ("/v1/shipments", &["GET"], get(list::list)),
        ("/v1/shipments/claim", &["POST"], post(claim::claim)),
        ("/v1/shipments/results", &["POST"], post(results::report)),
        ("/v1/shipments/{id}", &["GET"], get(list::show)),
        ("/v1/shipments/{id}/cancellation", &["POST"], post(cancellation::answer)),
        ("/v1/shipments/{id}/return", &["POST"], post(give_back::give_back)),
        ("/v1/stock", &["PUT"], put(stock::put)),
        ("/v1/openapi.json", &["GET"], get(openapi::serve)),
        ("/hooks/ecforce/{secret}", &["POST"], post(hooks::receive)),
    ]
}

/// The addresses and what answers at each.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for (path, methods, route) in endpoints() {
        let refused = move || async move { problem::method_not_allowed(methods) };
        router = router.route(path, route.fallback(refused));
    }
    router.fallback(async || Problem::NotFound).layer(from_fn_with_state(app.clone(), around)).with_state(app)
}

/// Around every request: one line in the log, without anything of the customer's; and a mistake of ours becomes an answer
/// of the same form as others.
async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let metrics = Arc::new(Metrics::begin(&app.stage, FUNCTION, app.clock));
    // Never the path: it may hold a secret.
    metrics.note("route", caller::route(request.extensions().get::<MatchedPath>()));
    metrics.note("method", request.method().as_str());
    request.extensions_mut().insert(Arc::clone(&metrics));
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        // Where it happened stands in the log already.
        metrics.add(Metric::Panics, 1);
        Problem::Internal.into_response()
    });
    metrics.note("status", response.status().as_str());
    // Addresses of people, for whoever asked and for no store on the way.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::OpenApi as _;

    use super::*;

    #[test]
    fn the_document_has_every_address_and_no_other() {
        let document = serde_json::to_value(openapi::Api::openapi()).unwrap();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase()))
            })
            .collect();
        let routed: BTreeSet<(String, String)> = endpoints()
            .into_iter()
            .flat_map(|(path, methods, _)| methods.iter().map(move |method| (path.to_owned(), (*method).to_owned())))
            .collect();
        assert_eq!(documented, routed);
    }
}
