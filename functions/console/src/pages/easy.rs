//! かんたん設定: a shop's robots from one page, with what they will spend and what to mind beside it, and all of them out
//! again. Applied like any other change.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::document;
use renkei_domain::ids::{ConnectionId, RuleId};
use renkei_domain::plan::{Plan, RobotPlan, Volume, plan_with};
use renkei_domain::settings::{Connection, EasySetup, Every, OneOrMany, TenantSettings};
use renkei_setup::volume;
use renkei_words::robots;

use super::confirm::{self, Question, SURE};
use super::{Form, Page, chosen, proposal, sentences, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::{Shell, grouped};
use crate::{App, Settings};

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
    looked_at: Looked,
    /// The merchant's own robots: what each is called.
    own: Vec<(String, String)>,
}

/// What the checks say of a set-up that is not in force yet.
struct Looked {
    problems: Vec<String>,
    warnings: Vec<String>,
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
        robots::called(self.s.lang, &self.own, robot.robot.as_str())
    }
    fn advice(&self, plan: &Plan) -> Option<String> {
        plan.advice().map(|advice| sentences::said(self.s.lang, &advice))
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

/// Puts this set-up, or none, in the place of the one that the shop has. It stands last.
fn replace(settings: &mut TenantSettings, connection: &ConnectionId, setup: Option<EasySetup>) {
    let setups = settings.integration_robots.easy_setup.iter();
    let others = setups.filter(|other| other.connection != *connection).cloned();
    let all: Vec<EasySetup> = others.chain(setup).collect();
    settings.integration_robots.easy_setup = OneOrMany::Many(all);
}

/// What the checks would say with this set-up in force: all that would be wrong, and what to mind about the set-up.
fn looked_at(app: &App<Settings>, lang: Lang, settings: &TenantSettings, setup: &EasySetup, plan: &Plan) -> Looked {
    let mut whole = settings.clone();
    replace(&mut whole, &setup.connection, Some(setup.clone()));
    let place = whole.integration_robots.easy_setup.iter().count() - 1;
    let own = format!("integration_robots.easy_setup[{place}].");
    let found = proposal::findings(app, whole);
    let problem = |it: &document::Problem| {
        if it.path.starts_with(own.as_str()) {
            sentences::said(lang, &it.sentence)
        } else {
            sentences::line(lang, &it.to_string())
        }
    };
    let warning = |it: &document::Warning| match it.path.strip_prefix(own.as_str())? {
        "every" => Some(starts_too_often(lang, setup.every.as_minutes(), plan)),
        _ => Some(sentences::said(lang, &it.sentence)),
    };
    Looked {
        problems: found.problems.iter().map(problem).collect(),
        warnings: found.warnings.iter().filter_map(warning).collect(),
    }
}

/// The warning of robots that start so often, with its numbers: the checks know none, and lead to this page for them.
fn starts_too_often(lang: Lang, minutes: u32, plan: &Plan) -> String {
    let (calls, limit) = (grouped(plan.calls), grouped(plan.limit));
    match lang {
        Lang::Ja => format!(
            "{}の実行は、できるだけ避けてください。API呼び出しは1日に最大{calls}回の見込みで、上限は{limit}回です。\
             上限に達すると、翌日9時まで連携が止まります。",
            words::every(lang, minutes)
        ),
        Lang::En => format!(
            "A start every {minutes} minutes is best avoided: that is up to {calls} calls a day of {limit}, and past \
             those everything stands still until 09:00."
        ),
    }
}

/// Shows a shop's set-up, or one that is being put together, with what it will spend and what to mind.
pub async fn show(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Page {
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
    let plan = plan_with(&settings, connection, &setup, volume, webhooks.contains(&id));
    let looked_at = looked_at(&app, caller.shell.lang, &settings, &setup, &plan);
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
        own: robots::own(&settings),
        plan: Some(plan),
        looked_at,
        setup,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Applies it, or takes all of it out.
pub async fn apply(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let id = chosen(&applied, Some(form.get("connection").as_str()))?.ok_or_else(Problem::not_found)?;
    if form.get("do") == "remove" {
        let is_there = present(&applied.settings, &id).is_some();
        return take_out(&app, &caller, form, &id, is_there).await;
    }
    let setup = wanted(&form, one(&applied.settings, &id)?)?;
    proposal::step(&app, &caller, form.version()?, |settings| {
        replace(settings, &id, Some(setup));
        Ok(())
    })
    .await?;
    Ok(done(&caller.shell))
}

/// To the robots, where it is said that they are changed.
fn done(shell: &Shell) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, shell.to("/robots?done"))]).into_response()
}

/// Takes a shop's set-up out, once somebody is sure.
async fn take_out(
    app: &App<Settings>,
    caller: &Caller,
    form: Form,
    id: &ConnectionId,
    is_there: bool,
) -> Result<Response, Problem> {
    let version = form.version()?;
    let out = |settings: &mut TenantSettings| -> Result<(), Problem> {
        replace(settings, id, None);
        Ok(())
    };
    if form.has(SURE) {
        proposal::step(app, caller, version, out).await?;
        return Ok(done(&caller.shell));
    }
    if !is_there {
        return Err(Problem::not_found());
    }
    let changes = proposal::step_changes(app, caller, version, out).await?;
    Ok(ask_to_take_out(&caller.shell, form, id, changes)?.into_response())
}

fn ask_to_take_out(shell: &Shell, form: Form, id: &ConnectionId, changes: Vec<String>) -> Page {
    let comes_of_it = shell.l(
        "このショップの受注を取り込まなくなり、入金・キャンセルの確認も、ショップへの通知（作業中・お問い合わせ番号・\
         出荷済み・在庫）も止まります。自社の連携ロボットは残ります。",
        "Orders of this shop are not fetched any more, payments and cancellations are not noticed, and the shop is not told \
         what is in work, tracking numbers, what is shipped, or stock. Integration robots of your own stay.",
    );
    let back = format!("/easy?connection={id}");
    let question = Question {
        title: shell.l("連携ロボットをすべて外す", "Take all its robots out"),
        of: id.as_str(),
        said: std::iter::once(comes_of_it.to_owned()).chain(changes).collect(),
        address: "/easy",
        back: &back,
    };
    confirm::ask(shell, form, question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_up_takes_the_place_of_its_own_shops() {
        let mut settings: TenantSettings = serde_json::from_value(serde_json::json!({
            "tenant": "hanako",
            "integration_robots": { "easy_setup": [
                { "connection": "a", "every": "15 minutes" },
                { "connection": "b", "every": "2 hours" },
            ] },
        }))
        .unwrap();
        let shops = |settings: &TenantSettings| -> Vec<String> {
            settings.integration_robots.easy_setup.iter().map(|it| it.connection.to_string()).collect()
        };
        let id = ConnectionId::parse("a").unwrap();
        let own = present(&settings, &id).cloned();
        replace(&mut settings, &id, own);
        assert_eq!(shops(&settings), ["b", "a"]);
        for _ in 0..2 {
            replace(&mut settings, &id, None);
            assert_eq!(shops(&settings), ["b"]);
        }
    }

    #[test]
    fn what_is_taken_out_is_asked_with_what_changes() {
        let shell = Shell { tenant: Some("hanako".into()), ..Shell::default() };
        let id = ConnectionId::parse("shop").unwrap();
        let form = Form::read(b"csrf=x&version=3&connection=shop&every=15&do=remove");
        let Html(page) = ask_to_take_out(&shell, form, &id, vec!["<b>かんたん設定".to_owned()]).unwrap();
        for once in [
            "action=\"/t/hanako/easy\"",
            "name=\"do\" value=\"remove\"",
            "name=\"version\" value=\"3\"",
            "href=\"/t/hanako/easy?connection=shop\"",
            "b&#62;かんたん設定",
        ] {
            assert_eq!(page.matches(once).count(), 1, "{once}: {page}");
        }
    }
}
