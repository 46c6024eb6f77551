//! 試し実行: what a run of an integration robot would do now, by the same code as `renkei run --dry-run`; and what a processing
//! robot would make of a shop's open shipments, as `renkei try --open` says it. Nothing is written, and no call is made
//! unless somebody chooses it: what waits at the shop only the shop knows.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use renkei_domain::ids::{RobotId, RuleId};
use renkei_domain::processing::{ProcessingRobot, built_in};
use renkei_domain::settings::{Action, Connection, TenantSettings};
use renkei_setup::dry_run::{self, DryRunError, Foreseen, Looking, Place};
use renkei_setup::run_now;
use renkei_store::audit::AuditOutcome;
use serde::Deserialize;

use super::connection::ended;
use super::foreseen::Shown;
use super::{Form, Page, chosen, sentences, shipments, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// Open shipments that a processing robot is applied to copies of: the latest.
const OPEN: usize = 1_000;
/// Pages of the shop that are read, a hundred orders each.
const PAGES: usize = 3;
/// No call is begun after so long: the gateway waits for 29 seconds, and a call with its sign-in takes up to 16.
const PATIENCE: Duration = Duration::from_secs(10);
/// Looks with calls at one shop within a window, whoever asks for them: they spend its calls.
const LOOKS: u64 = 6;
/// The window, in seconds.
const WINDOW: i64 = 600;

#[derive(Template)]
#[template(path = "dry_run.html")]
struct DryRunPage {
    s: Shell,
    robot: String,
    name: String,
    /// Shops that a processing robot may be applied in; none for integration robots, which have one.
    connections: Vec<String>,
    connection: String,
    shown: Option<Shown>,
    /// Why the run would fail, or why nothing can be said.
    problem: Option<String>,
    /// Nothing was asked of the shop yet, and it alone could say.
    is_unseen: bool,
    after: Vec<String>,
}

impl DryRunPage {
    fn pages(&self) -> usize {
        PAGES
    }
}

/// A session with a shop cannot be proven to be `Send`; see [`super::connection`].
async fn foreseen(
    app: &Arc<App<Settings>>,
    caller: &Caller,
    settings: &TenantSettings,
    (robot, connection, action): (RobotId, Connection, Action),
    asks: bool,
) -> Result<Result<Foreseen, DryRunError>, Problem> {
    let (app, tenant, settings) = (Arc::clone(app), caller.tenant.clone(), settings.clone());
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let place = Place { tenant: &tenant, settings: &settings, connection: &connection };
        let looking = asks.then_some(Looking { shops: &app.part.shops, pages: PAGES, patience: PATIENCE });
        runtime.block_on(dry_run::foresee(&place, &robot, action, looking))
    });
    work.await.map_err(|error| {
        tracing::error!(%error, "a dry run broke off");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "試し実行が途中で止まりました。もう一度お試しください。続く場合は運用者にご連絡ください。",
            "The dry run broke off. Try again; if it stays so, tell your operator.",
        )
    })
}

async fn page(app: &Arc<App<Settings>>, caller: Caller, name: &str, asks: bool) -> Page {
    let settings = caller.settings().await?.settings;
    let (robot, connection, action) = run_now::robot(&settings, name).ok_or_else(Problem::not_found)?;
    let asks = asks && action == Action::FetchOrders;
    if asks {
        let whose = format!("{}/{}", caller.tenant.id(), connection.id);
        if app.sessions.count("dry-run", &whose, WINDOW, caller.now).await? > LOOKS {
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "ショップに問い合わせる試し実行は10分間に6回までです。10分ほど待ってからもう一度お試しください。",
                "A shop is asked for dry runs up to 6 times in 10 minutes. Wait 10 minutes and try again.",
            ));
        }
    }
    let after = settings.integration_robots.after(&connection.id, action).map(|robot| robot.name.clone()).collect();
    let whole = (robot, connection.clone(), action);
    let (foreseen, problem) = said(foreseen(app, &caller, &settings, whole, asks).await?, &caller)?;
    if asks {
        let spent = foreseen.as_ref().map_or_else(|| "ended early".to_owned(), |it| format!("{} calls", it.spent));
        caller.audit("robot.dry-run", name, AuditOutcome::Done, spent).await?;
    }
    let page = DryRunPage {
        robot: name.to_owned(),
        name: words::robot(caller.shell.lang, action).to_owned(),
        connections: Vec::new(),
        connection: connection.id.to_string(),
        shown: foreseen.map(|foreseen| Shown::of(caller.shell.lang, &settings, &foreseen)),
        problem,
        is_unseen: action == Action::FetchOrders && !asks,
        after,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// What was foreseen, or the sentence why nothing was.
fn said(answer: Result<Foreseen, DryRunError>, caller: &Caller) -> Result<(Option<Foreseen>, Option<String>), Problem> {
    match answer {
        Ok(foreseen) => Ok((Some(foreseen), None)),
        Err(DryRunError::Robot(sentence)) => Ok((None, Some(sentences::runs::said(caller.shell.lang, &sentence)))),
        Err(DryRunError::Shop(error)) => Ok((None, Some(ended(caller.shell.lang, &error)))),
        Err(DryRunError::Store(error)) => Err(error.into()),
    }
}

/// What a processing robot, stored or just being written, would make of a shop's open shipments.
pub(super) async fn on_open(
    app: &App<Settings>,
    caller: &Caller,
    settings: &TenantSettings,
    shop: &str,
    robot: &ProcessingRobot,
    is_built_in: bool,
) -> Result<Result<Shown, String>, Problem> {
    let connection = settings.connections.iter().find(|connection| connection.id.as_str() == shop);
    let connection = connection.ok_or_else(Problem::not_found)?;
    // It reads as much as a search does.
    shipments::not_too_often(app, caller).await?;
    let place = Place { tenant: &caller.tenant, settings, connection };
    let answer = dry_run::processing(&place, robot, is_built_in, OPEN).await;
    let (foreseen, problem) = said(answer, caller)?;
    Ok(match foreseen {
        Some(foreseen) => Ok(Shown::of_rule(caller.shell.lang, settings, &foreseen)),
        None => Err(problem.unwrap_or_default()),
    })
}

/// A processing robot over the open shipments of a shop.
async fn rule_page(app: &App<Settings>, caller: Caller, rule: &str, shop: Option<&str>) -> Page {
    let applied = caller.settings().await?;
    let rule = RuleId::parse(rule).map_err(|_| Problem::not_found())?;
    let settings = &applied.settings;
    let own = settings.processing_robots.custom.iter().find(|robot| robot.id == rule);
    let robot = own.or_else(|| built_in::find(&rule)).ok_or_else(Problem::not_found)?;
    let shop = chosen(&applied, shop)?.ok_or_else(Problem::not_found)?;
    let (shown, problem) = match on_open(app, &caller, settings, shop.as_str(), robot, own.is_none()).await? {
        Ok(shown) => (Some(shown), None),
        Err(problem) => (None, Some(problem)),
    };
    let page = DryRunPage {
        robot: rule.to_string(),
        name: robot.name.clone(),
        connections: settings.connections.iter().map(|connection| connection.id.to_string()).collect(),
        connection: shop.to_string(),
        shown,
        problem,
        is_unseen: false,
        after: Vec::new(),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// What an address says.
#[derive(Deserialize)]
pub struct Asked {
    /// An integration robot; or
    robot: Option<String>,
    /// a processing robot,
    processing: Option<String>,
    /// and in which shop.
    connection: Option<String>,
}

/// Says what a robot would do, as far as it can be said without a call.
pub async fn show(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Page {
    match (asked.robot, asked.processing) {
        (Some(robot), _) => page(&app, caller, &robot, false).await,
        (None, Some(rule)) => rule_page(&app, caller, &rule, asked.connection.as_deref()).await,
        (None, None) => Err(Problem::not_found()),
    }
}

/// The same with a few calls of the shop's day, which somebody chose to spend.
pub async fn look(State(app): State<Arc<App<Settings>>>, Extension(caller): Extension<Caller>, form: Bytes) -> Page {
    page(&app, caller, &Form::read(&form).get("robot"), true).await
}

#[cfg(test)]
mod tests {
    use super::super::sentences::sources::{Text, texts_of};
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn why_a_run_would_fail_has_its_japanese() {
        let ja = |sentence: &str| sentences::runs::said(Lang::Ja, sentence);
        let no_location = "the run would fail: the connection hanako-ecforce has no stock_location_code: write the \
                           shop's 在庫ロケーションコード and apply the document";
        assert_eq!(
            ja(no_location),
            "ショップ hanako-ecforce に在庫ロケーションコードがないため、実行すると失敗します。\
             ショップの設定に登録してください。"
        );
        // All of them, in the words that stand in their sources.
        let sources = [
            include_str!("../../../../shared/setup/src/dry_run.rs"),
            include_str!("../../../../shared/setup/src/dry_run/orders.rs"),
            include_str!("../../../../shared/setup/src/dry_run/release.rs"),
            include_str!("../../../../shared/setup/src/dry_run/rule.rs"),
        ];
        let told = sources.iter().flat_map(|source| texts_of(source));
        let told: Vec<Text> = told.filter(|text| text.is_given_to("said(") && text.is_sentence()).collect();
        assert!(told.len() > 6, "the sources are read: {}", told.len());
        for text in told {
            assert_ne!(ja(&text.said), text.said);
        }
    }
}
