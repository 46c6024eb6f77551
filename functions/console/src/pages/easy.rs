//! かんたん設定: a shop's robots from one page, with what they will spend beside it. Applied like any other change.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::{ConnectionId, RuleId};
use renkei_domain::plan::{Plan, RobotPlan, Volume, plan_with};
use renkei_domain::settings::{Action, Connection, EasySetup, Every, OneOrMany, TenantSettings};
use renkei_setup::volume;

use super::{Form, Page, chosen, proposal, sentences, words};
use crate::App;
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::{Shell, grouped};

/// How often robots may start, in minutes.
const OFTEN: [u32; 9] = [5, 10, 15, 30, 60, 120, 360, 720, 1_440];

#[derive(Template)]
#[template(path = "easy.html")]
struct EasyPage {
    s: Shell,
    version: u64,
    connections: Vec<String>,
    connection: String,
    is_new: bool,
    setup: EasySetup,
    has_location: bool,
    has_automation: bool,
    conversions: Vec<(String, String)>,
    plan: Option<Plan>,
    /// The merchant's own robots: what each is called.
    own: Vec<(String, String)>,
}

impl EasyPage {
    fn tells_shipped(&self) -> bool {
        self.setup.shipped.unwrap_or(!self.has_automation)
    }
    fn is_conversion(&self, id: &str) -> bool {
        self.setup.conversion_robot.as_ref().is_some_and(|own| own.as_str() == id)
    }
    fn often(&self) -> Vec<(u32, String, bool)> {
        let now = self.setup.every.as_minutes();
        let mut all = OFTEN.to_vec();
        if !all.contains(&now) {
            all.push(now);
            all.sort_unstable();
        }
        all.into_iter().map(|minutes| (minutes, words::every(self.s.lang, minutes), minutes == now)).collect()
    }
    fn g(&self, number: &u32) -> String {
        grouped(*number)
    }
    fn name_of<'a>(&'a self, robot: &'a RobotPlan) -> &'a str {
        named(self.s.lang, &self.own, robot.robot.as_str())
    }
    fn advice(&self, plan: &Plan) -> Option<String> {
        plan.advice().map(|advice| sentences::said(self.s.lang, &advice))
    }
}

/// What people call a robot of the plan: the merchant's own by its name, one of the easy set-up by what it does.
fn named<'a>(lang: Lang, own: &'a [(String, String)], robot: &'a str) -> &'a str {
    if let Some((_, name)) = own.iter().find(|(id, _)| id == robot) {
        return name;
    }
    match robot.split_once('/') {
        Some((_, "hints")) => lang.of("Webhookで知らされた受注の確認", "orders that webhooks name"),
        Some((_, does)) => {
            let action = Action::ALL.into_iter().find(|action| action.as_str() == does);
            action.map_or(robot, |action| words::robot(lang, action))
        }
        None => robot,
    }
}

/// What a form says a shop's robots should be.
fn wanted(form: &Form, connection: &Connection) -> Result<EasySetup, Problem> {
    let not_understood = || Problem::bad("設定を読み取れません。", "This cannot be understood.");
    let minutes: u32 = form.get("every").parse().map_err(|_| not_understood())?;
    let conversion = form.get("conversion");
    Ok(EasySetup {
        connection: connection.id.clone(),
        conversion_robot: match conversion.as_str() {
            "" => None,
            id => Some(RuleId::parse(id).map_err(|_| not_understood())?),
        },
        every: Every::minutes(minutes).map_err(|_| not_understood())?,
        inventory: form.has("inventory"),
        shipped: match (form.has("shipped"), connection.automation_option) {
            // What goes without saying is not written down.
            (true, false) | (false, true) => None,
            (is_on, _) => Some(is_on),
        },
    })
}

fn present<'a>(settings: &'a TenantSettings, connection: &ConnectionId) -> Option<&'a EasySetup> {
    settings.integration_robots.easy_setup.iter().find(|setup| setup.connection == *connection)
}

fn one<'a>(settings: &'a TenantSettings, id: &ConnectionId) -> Result<&'a Connection, Problem> {
    settings.connection(id).ok_or_else(Problem::not_found)
}

/// Shows a shop's set-up, or one that is being put together, with what it will spend.
pub async fn show(Extension(caller): Extension<Caller>, RawQuery(query): RawQuery) -> Page {
    let form = Form::read(query.unwrap_or_default().as_bytes());
    let applied = caller.settings().await?;
    let Some(id) = chosen(&applied, Some(form.get("connection").as_str()))? else {
        return Err(Problem::bad(
            "先に設定の画面でAPI認証設定（ショップ）を登録してください。",
            "Set up a shop first, among the settings.",
        ));
    };
    let settings = applied.settings;
    let connection = one(&settings, &id)?;
    let before = present(&settings, &id).cloned();
    let is_new = before.is_none();
    let setup = if form.has("every") {
        wanted(&form, connection)?
    } else {
        before.map_or_else(|| wanted(&Form::read(b"every=15&shipped=1"), connection), Ok)?
    };
    let measured = volume::measured(&caller.tenant, caller.now).await?;
    let skus = if setup.inventory { volume::offered(&caller.tenant.products().await?) } else { 0 };
    let webhooks = volume::webhooks(&caller.tenant, caller.now).await?;
    let volume = Volume { orders: measured.get(&id).copied().unwrap_or(0), skus };
    let page = EasyPage {
        version: applied.version,
        connections: settings.connections.iter().map(|it| it.id.to_string()).collect(),
        connection: id.to_string(),
        is_new,
        has_location: connection.stock_location_code.is_some(),
        has_automation: connection.automation_option,
        conversions: settings
            .conversion_robots
            .iter()
            .filter(|robot| robot.enabled)
            .map(|robot| (robot.id.to_string(), robot.name.clone()))
            .collect(),
        own: settings.integration_robots.custom.iter().map(|own| (own.id.to_string(), own.name.clone())).collect(),
        plan: Some(plan_with(&settings, connection, &setup, volume, webhooks.contains(&id))),
        setup,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Applies it.
pub async fn apply(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let id = chosen(&applied, Some(form.get("connection").as_str()))?.ok_or_else(Problem::not_found)?;
    let setup = wanted(&form, one(&applied.settings, &id)?)?;
    proposal::step(&app, &caller, form.version()?, |settings| {
        let setups = &settings.integration_robots.easy_setup;
        let mut all: Vec<EasySetup> = setups.iter().filter(|other| other.connection != id).cloned().collect();
        all.push(setup);
        settings.integration_robots.easy_setup = OneOrMany::Many(all);
        Ok(())
    })
    .await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/robots?done"))]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robots_of_the_plan_have_peoples_names() {
        let own = [("night".to_owned(), "夜の取得".to_owned())];
        let ja = |robot| named(Lang::Ja, &own, robot);
        assert_eq!([ja("shop/fetch-orders"), ja("shop/hints")], ["出荷指示取得", "Webhookで知らされた受注の確認"]);
        assert_eq!([ja("night"), ja("gone"), ja("shop/other")], ["夜の取得", "gone", "shop/other"]);
        assert_eq!(named(Lang::En, &own, "shop/fetch-orders"), "fetch-orders");
    }
}
