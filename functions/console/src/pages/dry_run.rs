//! 試し実行: what a run of an integration robot would do now, by the same code as `renkei run --dry-run`. Nothing is written,
//! and no call is made unless somebody chooses it: what waits at the shop only the shop knows.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use renkei_domain::ids::RobotId;
use renkei_domain::settings::{Action, Connection, TenantSettings};
use renkei_domain::shipment::HoldReason;
use renkei_setup::dry_run::{self, Calls, DryRunError, Foreseen, Line, Looking, Note, Place};
use renkei_store::audit::AuditOutcome;
use serde::Deserialize;

use super::connection::ended;
use super::{Form, Page, words};
use crate::App;
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::{Shell, grouped};

/// Lines that are shown.
const SHOWN: usize = 100;
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
    action: Action,
    foreseen: Option<Foreseen>,
    /// Why the run would fail, or why nothing can be said.
    problem: Option<String>,
    /// Nothing was asked of the shop yet, and it alone could say.
    is_unseen: bool,
    after: Vec<String>,
}

impl DryRunPage {
    fn action_name(&self) -> &'static str {
        words::robot(self.s.lang, self.action)
    }
    fn pages(&self) -> usize {
        PAGES
    }
    fn counts(&self, foreseen: &Foreseen) -> Vec<(String, String)> {
        let there = foreseen.counts.iter().filter(|(_, count)| **count > 0);
        there
            .map(|(word, count)| (counted(self.s.lang, word), grouped(i64::try_from(*count).unwrap_or(i64::MAX))))
            .collect()
    }
    fn calls(&self, calls: &Calls) -> String {
        let times = self.s.l("回", " calls");
        match *calls {
            Calls { least, most: Some(most) } if least == most => format!("{least}{times}"),
            Calls { least, most: Some(most) } => format!("{least}–{most}{times}"),
            Calls { least, most: None } => {
                format!("{}{least}{times}{}", self.s.l("", "at least "), self.s.l("以上", ""))
            }
        }
    }
    fn shown<'a>(&self, foreseen: &'a Foreseen) -> &'a [Line] {
        &foreseen.lines[..foreseen.lines.len().min(SHOWN)]
    }
    fn hidden(&self, foreseen: &Foreseen) -> usize {
        foreseen.lines.len().saturating_sub(SHOWN)
    }
    fn line<'a>(&self, line: &'a Line) -> &'a str {
        self.s.lang.of(&line.ja, &line.text)
    }
    fn note<'a>(&self, note: &'a Note) -> &'a str {
        self.s.lang.of(&note.ja, &note.en)
    }
}

/// A word that runs count with.
fn counted(lang: Lang, word: &str) -> String {
    let reason = |name: &str| HoldReason::from_name(name).map(|reason| words::hold(lang, reason));
    if let Some(reason) = word.strip_prefix("hold-").and_then(reason) {
        return format!("{}{reason}", lang.of("保留: ", "on hold: "));
    }
    if let Some(reason) = word.strip_prefix("stays-").and_then(reason) {
        return format!("{}{reason}", lang.of("保留のまま: ", "stays on hold: "));
    }
    let ja = match word {
        "imported" => "取込",
        "duplicate" => "取込済み（対象外）",
        "quarantined" => "取込保留",
        "refused" => "取込拒否",
        "ready" => "出荷待ち",
        "hold" => "保留",
        "told" => "通知",
        "unchanged" | "stays" => "変更なし",
        "open" => "確認する未出荷の受注",
        "released" => "出荷待ちへ",
        "cancelled" => "キャンセル",
        "changed" => "変更",
        "written-back" => "実績戻し",
        other => other,
    };
    lang.of(ja, word).to_owned()
}

/// The robot of this name, and its shop.
fn named<'a>(settings: &'a TenantSettings, name: &str) -> Result<(RobotId, &'a Connection, Action), Problem> {
    let own = settings.integration_robots.custom.iter();
    let own = own.map(|robot| (robot.id.clone(), robot.on.connection(), robot.action.action()));
    let easy = settings.integration_robots.easy_setup.iter().flat_map(|setup| {
        settings.easy_robots(setup).into_iter().map(|(robot, action)| (robot, &setup.connection, action))
    });
    let (robot, connection, action) =
        own.chain(easy).find(|(robot, _, _)| robot.as_str() == name).ok_or_else(Problem::not_found)?;
    Ok((robot, settings.connection(connection).ok_or_else(Problem::not_found)?, action))
}

/// A session with a shop cannot be proven to be `Send`; see [`super::connection`].
async fn foreseen(
    app: &Arc<App>,
    caller: &Caller,
    settings: &TenantSettings,
    (robot, connection, action): (RobotId, Connection, Action),
    asks: bool,
) -> Result<Result<Foreseen, DryRunError>, Problem> {
    let (app, tenant, settings) = (Arc::clone(app), caller.tenant.clone(), settings.clone());
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let place = Place { tenant: &tenant, settings: &settings, connection: &connection };
        let looking = asks.then_some(Looking { shops: &app.shops, pages: PAGES, patience: PATIENCE });
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

async fn page(app: &Arc<App>, caller: Caller, name: &str, asks: bool) -> Page {
    let settings = caller.settings().await?.settings;
    let (robot, connection, action) = named(&settings, name)?;
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
    let (foreseen, problem) = match foreseen(app, &caller, &settings, whole, asks).await? {
        Ok(foreseen) => (Some(foreseen), None),
        Err(DryRunError::Robot(sentence)) => (None, Some(sentence)),
        Err(DryRunError::Shop(error)) => (None, Some(ended(caller.shell.lang, &error))),
        Err(DryRunError::Store(error)) => return Err(error.into()),
    };
    if asks {
        let spent = foreseen.as_ref().map_or_else(|| "ended early".to_owned(), |it| format!("{} calls", it.spent));
        caller.audit("robot.dry-run", name, AuditOutcome::Done, spent).await?;
    }
    let is_unseen = action == Action::FetchOrders && !asks;
    let page = DryRunPage { robot: name.to_owned(), action, foreseen, problem, is_unseen, after, s: caller.shell };
    Ok(Html(page.render()?))
}

/// What an address says.
#[derive(Deserialize)]
pub struct Asked {
    robot: String,
}

/// Says what a robot would do, as far as it can be said without a call.
pub async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Page {
    page(&app, caller, &asked.robot, false).await
}

/// The same with a few calls of the shop's day, which somebody chose to spend.
pub async fn look(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>, form: Bytes) -> Page {
    page(&app, caller, &Form::read(&form).get("robot"), true).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_in_peoples_words() {
        assert_eq!(
            counted(Lang::Ja, "hold-awaiting-payment"),
            format!("保留: {}", HoldReason::AwaitingPayment.label())
        );
        assert_eq!(counted(Lang::En, "stays-remark"), "stays on hold: remark");
        assert_eq!(counted(Lang::Ja, "told"), "通知");
        assert_eq!(counted(Lang::Ja, "hold-nonsense"), "hold-nonsense");
    }
}
