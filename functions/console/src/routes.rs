//! All routes, and whom each is for. A route that does not stand here does not exist.
//!
//! A route's handler and guard are made for a request that may be for it, and for no other: a router with all of them was
//! more than half of what the console did until it first asked for work.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use renkei_domain::member::Role;

use crate::guard::{Gatekeeper, Needs, guard};
use crate::parts::{Daily, Part, Settings};
use crate::{App, assets, pages, sign_in};

const VIEWER: Needs = Needs::Least(Role::Viewer);
const OPERATOR: Needs = Needs::Least(Role::Operator);
const ADMIN: Needs = Needs::Least(Role::Admin);
const OWNER: Needs = Needs::Least(Role::Owner);

/// A route.
pub struct Route<P> {
    /// `GET` or `POST`.
    pub method: Method,
    /// Its path, with the names of its parts.
    pub path: &'static str,
    /// Whom it is for.
    pub needs: Needs,
    /// Does its page begin with counts? Then what it begins with is read together with the membership.
    has_desk: bool,
    handler: Box<dyn FnOnce() -> MethodRouter<Arc<App<P>>>>,
}

impl<P: Part> Route<P> {
    /// The handler behind its guard.
    pub(crate) fn guarded(self, app: &Arc<App<P>>) -> MethodRouter<Arc<App<P>>> {
        let keeper = Gatekeeper { app: app.clone(), needs: self.needs, has_desk: self.has_desk };
        (self.handler)().layer(from_fn_with_state(keeper, guard::<P>))
    }

    /// May this path be for it? No for most; whether it is for it, [`axum`] says.
    pub(crate) fn is_like(&self, asked: &str) -> bool {
        are_alike(self.path, asked)
    }

    fn with_desk(self) -> Self {
        Self { has_desk: true, ..self }
    }
}

fn are_alike(path: &str, asked: &str) -> bool {
    let mut asked = asked.split('/');
    let alike = path.split('/').all(|part| asked.next().is_some_and(|it| part.starts_with('{') || part == it));
    alike && asked.next().is_none()
}

fn get<H, T, P>(path: &'static str, needs: Needs, handler: H) -> Route<P>
where
    H: Handler<T, Arc<App<P>>>,
    P: Part,
    T: 'static,
{
    let handler = Box::new(|| on(MethodFilter::GET, handler));
    Route { method: Method::GET, path, needs, has_desk: false, handler }
}

fn post<H, T, P>(path: &'static str, needs: Needs, handler: H) -> Route<P>
where
    H: Handler<T, Arc<App<P>>>,
    P: Part,
    T: 'static,
{
    let handler = Box::new(|| on(MethodFilter::POST, handler));
    Route { method: Method::POST, path, needs, has_desk: false, handler }
}

/// The table of everything else: the day's work, and who may come in.
#[must_use]
pub fn daily() -> Vec<Route<Daily>> {
    vec![
        // Without being known.
        get("/health", Needs::Nobody, assets::health),
        get("/assets/{file}", Needs::Nobody, assets::file),
        get("/lang/{code}", Needs::Nobody, sign_in::language),
        get("/auth/sign-in", Needs::Nobody, sign_in::begin),
        get("/auth/callback", Needs::Nobody, sign_in::callback),
        get("/auth/signed-out", Needs::Nobody, sign_in::signed_out),
        // Signed in, for no merchant yet.
        get("/", Needs::SignedIn, sign_in::home),
        post("/auth/sign-out", Needs::SignedIn, sign_in::sign_out),
        post("/auth/sign-out-everywhere", Needs::SignedIn, sign_in::sign_out_everywhere),
        // 今日.
        get("/t/{tenant}", VIEWER, pages::today::show).with_desk(),
        // 出荷管理.
        get("/t/{tenant}/shipments", VIEWER, pages::shipments::list).with_desk(),
        get("/t/{tenant}/shipments.csv", VIEWER, pages::csv::download),
        get("/t/{tenant}/shipment/{id}", VIEWER, pages::shipment::show),
        post("/t/{tenant}/shipment/{id}/cancellation", OPERATOR, pages::shipment::answer),
        post("/t/{tenant}/shipment/{id}/differences", OPERATOR, pages::differences::answer),
        post("/t/{tenant}/shipment/{id}/retry", OPERATOR, pages::shipment::tell_again),
        get("/t/{tenant}/shipments/preview", OPERATOR, pages::bulk::preview),
        post("/t/{tenant}/shipments/change", OPERATOR, pages::bulk::change),
        get("/t/{tenant}/shipments/robot", OPERATOR, pages::apply_robot::preview),
        post("/t/{tenant}/shipments/robot", OPERATOR, pages::apply_robot::apply),
        get("/t/{tenant}/files", OPERATOR, pages::files::show),
        post("/t/{tenant}/files/export", OPERATOR, pages::files::download),
        post("/t/{tenant}/files/results", OPERATOR, pages::files::upload),
        post("/t/{tenant}/files/counts", OPERATOR, pages::files::counts::upload),
        // 未取込.
        get("/t/{tenant}/orders", VIEWER, pages::orders::list),
        post("/t/{tenant}/orders/retry", OPERATOR, pages::orders::try_again),
        post("/t/{tenant}/orders/dismiss", OPERATOR, pages::orders::dismiss),
        get("/t/{tenant}/order/{connection}/{id}", VIEWER, pages::order::show),
        post("/t/{tenant}/order/{connection}/{id}/retry", OPERATOR, pages::order::try_again),
        post("/t/{tenant}/order/{connection}/{id}/product", ADMIN, pages::order::register),
        // ロボット.
        post("/t/{tenant}/robots/run", OPERATOR, pages::run_now::start),
        // 設定: what says who and what may come in, and products.
        get("/t/{tenant}/settings", VIEWER, pages::settings::show),
        post("/t/{tenant}/members", OWNER, pages::settings::put_member),
        post("/t/{tenant}/members/remove", OWNER, pages::settings::remove_member),
        get("/t/{tenant}/access", ADMIN, pages::access::show),
        post("/t/{tenant}/access/create", ADMIN, pages::access::create),
        post("/t/{tenant}/access/revoke", ADMIN, pages::access::revoke),
        get("/t/{tenant}/products", ADMIN, pages::products::show),
        post("/t/{tenant}/products/import", ADMIN, pages::products::import),
        // 在庫.
        get("/t/{tenant}/stock", VIEWER, pages::stock::show),
        // 記録.
        get("/t/{tenant}/runs", VIEWER, pages::runs::show),
        get("/t/{tenant}/run", VIEWER, pages::run::show),
        get("/t/{tenant}/dead-letters", VIEWER, pages::dead_letters::list),
        get("/t/{tenant}/dead-letters/count", OPERATOR, pages::dead_letters::count),
        post("/t/{tenant}/dead-letters/replay", OPERATOR, pages::dead_letters::replay),
        get("/t/{tenant}/charts", VIEWER, pages::charts::show),
        get("/t/{tenant}/audit", ADMIN, pages::audit::show),
    ]
}

/// The table of all pages that check or change a merchant's document, or call its shops or its chat. That the template leads
/// these paths to their function, and no others, is tested.
#[must_use]
pub fn settings() -> Vec<Route<Settings>> {
    vec![
        // ロボット.
        get("/t/{tenant}/robots", VIEWER, pages::robots::show),
        get("/t/{tenant}/document", VIEWER, pages::document::show),
        post("/t/{tenant}/document/check", ADMIN, pages::document::check),
        post("/t/{tenant}/document/apply", ADMIN, pages::document::apply),
        get("/t/{tenant}/history", VIEWER, pages::document::history),
        get("/t/{tenant}/robot/{kind}/{id}", VIEWER, pages::robot::show),
        post("/t/{tenant}/robot/{kind}/{id}/try", ADMIN, pages::robot::try_it),
        post("/t/{tenant}/robot/{kind}/{id}/save", ADMIN, pages::robot::save),
        get("/t/{tenant}/robot/{kind}/{id}/form", ADMIN, pages::robot_form::show),
        post("/t/{tenant}/robot/{kind}/{id}/form", ADMIN, pages::robot_form::change),
        get("/t/{tenant}/dry-run", ADMIN, pages::dry_run::show),
        post("/t/{tenant}/dry-run", ADMIN, pages::dry_run::look),
        get("/t/{tenant}/easy", ADMIN, pages::easy::show),
        post("/t/{tenant}/easy", ADMIN, pages::easy::apply),
        post("/t/{tenant}/robots/step", ADMIN, pages::steps::step),
        // 設定.
        get("/t/{tenant}/setting/{kind}/{id}", ADMIN, pages::setting_form::show),
        post("/t/{tenant}/setting/{kind}/{id}", ADMIN, pages::setting_form::change),
        get("/t/{tenant}/notices", ADMIN, pages::notices::show),
        post("/t/{tenant}/notices", ADMIN, pages::notices::switch_on),
        post("/t/{tenant}/notices/off", ADMIN, pages::notices::switch_off),
        get("/t/{tenant}/connection/{id}", ADMIN, pages::connection::show),
        post("/t/{tenant}/connection/{id}/test", ADMIN, pages::connection::test),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Method, path and whom it is for, of both tables.
    fn both() -> Vec<(Method, &'static str, Needs)> {
        fn told<P>(route: Route<P>) -> (Method, &'static str, Needs) {
            (route.method, route.path, route.needs)
        }
        daily().into_iter().map(told).chain(settings().into_iter().map(told)).collect()
    }

    /// What each role may, said a second time and by hand: who adds a route, or opens one further, says so here as well.
    const EXPECTED: &str = "\
GET /health nobody
GET /assets/{file} nobody
GET /lang/{code} nobody
GET /auth/sign-in nobody
GET /auth/callback nobody
GET /auth/signed-out nobody
GET / signed-in
POST /auth/sign-out signed-in
POST /auth/sign-out-everywhere signed-in
GET /t/{tenant} viewer
GET /t/{tenant}/shipments viewer
GET /t/{tenant}/shipments.csv viewer
GET /t/{tenant}/shipment/{id} viewer
POST /t/{tenant}/shipment/{id}/cancellation operator
POST /t/{tenant}/shipment/{id}/differences operator
POST /t/{tenant}/shipment/{id}/retry operator
GET /t/{tenant}/shipments/preview operator
POST /t/{tenant}/shipments/change operator
GET /t/{tenant}/shipments/robot operator
POST /t/{tenant}/shipments/robot operator
GET /t/{tenant}/files operator
POST /t/{tenant}/files/export operator
POST /t/{tenant}/files/results operator
POST /t/{tenant}/files/counts operator
GET /t/{tenant}/orders viewer
POST /t/{tenant}/orders/retry operator
POST /t/{tenant}/orders/dismiss operator
GET /t/{tenant}/order/{connection}/{id} viewer
POST /t/{tenant}/order/{connection}/{id}/retry operator
POST /t/{tenant}/order/{connection}/{id}/product admin
POST /t/{tenant}/robots/run operator
GET /t/{tenant}/settings viewer
POST /t/{tenant}/members owner
POST /t/{tenant}/members/remove owner
GET /t/{tenant}/access admin
POST /t/{tenant}/access/create admin
POST /t/{tenant}/access/revoke admin
GET /t/{tenant}/products admin
POST /t/{tenant}/products/import admin
GET /t/{tenant}/stock viewer
GET /t/{tenant}/runs viewer
GET /t/{tenant}/run viewer
GET /t/{tenant}/dead-letters viewer
GET /t/{tenant}/dead-letters/count operator
POST /t/{tenant}/dead-letters/replay operator
GET /t/{tenant}/charts viewer
GET /t/{tenant}/audit admin
GET /t/{tenant}/robots viewer
GET /t/{tenant}/document viewer
POST /t/{tenant}/document/check admin
POST /t/{tenant}/document/apply admin
GET /t/{tenant}/history viewer
GET /t/{tenant}/robot/{kind}/{id} viewer
POST /t/{tenant}/robot/{kind}/{id}/try admin
POST /t/{tenant}/robot/{kind}/{id}/save admin
GET /t/{tenant}/robot/{kind}/{id}/form admin
POST /t/{tenant}/robot/{kind}/{id}/form admin
GET /t/{tenant}/dry-run admin
POST /t/{tenant}/dry-run admin
GET /t/{tenant}/easy admin
POST /t/{tenant}/easy admin
POST /t/{tenant}/robots/step admin
GET /t/{tenant}/setting/{kind}/{id} admin
POST /t/{tenant}/setting/{kind}/{id} admin
GET /t/{tenant}/notices admin
POST /t/{tenant}/notices admin
POST /t/{tenant}/notices/off admin
GET /t/{tenant}/connection/{id} admin
POST /t/{tenant}/connection/{id}/test admin
";

    #[test]
    fn every_route_asks_for_the_role_that_it_should() {
        use std::fmt::Write as _;
        let mut is = String::new();
        for (method, path, needs) in both() {
            let needs = match needs {
                Needs::Nobody => "nobody".to_owned(),
                Needs::SignedIn => "signed-in".to_owned(),
                Needs::Least(role) => role.to_string(),
            };
            writeln!(is, "{method} {path} {needs}").unwrap();
        }
        assert_eq!(is, EXPECTED);
    }

    #[test]
    fn a_merchants_pages_ask_for_a_role_and_changes_for_more_than_reading() {
        for (method, path, needs) in both() {
            let is_merchants = path.starts_with("/t/{tenant}");
            match needs {
                Needs::Least(role) => {
                    assert!(is_merchants, "{path}: a role needs a merchant");
                    assert!(method == Method::GET || role > Role::Viewer, "{path} changes something");
                }
                Needs::Nobody => assert!(method == Method::GET && !is_merchants, "{path}"),
                Needs::SignedIn => assert!(!is_merchants, "{path}"),
            }
        }
    }

    #[test]
    fn a_path_meets_its_own_route_and_few_others() {
        for (_, path, _) in both() {
            let filled = |part: &str| if part.starts_with('{') { "a%2Fb".to_owned() } else { part.to_owned() };
            let asked = path.split('/').map(filled).collect::<Vec<_>>().join("/");
            assert!(are_alike(path, &asked), "{asked}");
            assert!(!are_alike(path, &format!("{asked}/")) && !are_alike(path, &format!("{asked}/x")), "{asked}");
            let alike: Vec<_> = both().into_iter().map(|it| it.1).filter(|other| are_alike(other, &asked)).collect();
            assert!(alike.len() <= 2, "{asked} would make handlers for {alike:?}");
        }
    }

    /// The gateway sends these paths to the function of settings, and everything else to that of the day's work.
    #[test]
    fn the_template_leads_each_path_to_the_function_that_has_it() {
        let template = include_str!("../../../template.yaml");
        let led: BTreeSet<&str> = template
            .lines()
            .filter_map(|line| line.split_once("RouteKey: ")?.1.split_once("ANY ")?.1.split(['"', ' ']).next())
            .collect();
        let is_settings = |path: &&str| settings().iter().any(|route| route.path == *path);
        let paths: BTreeSet<&str> = settings().iter().map(|route| route.path).collect();
        assert_eq!(led, paths);
        assert_eq!(daily().iter().map(|route| route.path).find(is_settings), None, "one path is one function's");
    }

    /// Routes that do not come from the table would have no guard.
    #[test]
    fn no_route_is_made_beside_the_table() {
        let source = include_str!("lib.rs");
        assert_eq!(source.matches(".route(").count(), 1, "the loop over the table");
        assert!(!source.contains(".nest(") && !source.contains(".merge(") && !source.contains(".route_service("));
    }
}
