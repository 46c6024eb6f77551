//! いま実行する: an integration robot is started, by the same code as `renkei run`; and the page of its run until its function
//! begins, which is when a run gets its record.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::RobotId;
use renkei_domain::settings::{Action, TenantSettings};
use renkei_setup::run_now;
use renkei_store::audit::AuditOutcome;

use super::{Form, Page, encoded, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// Starts of one robot within a window, whoever asks for them: its runs spend the shop's calls.
const STARTS: u64 = 6;
/// The window, in seconds.
const WINDOW: i64 = 600;
/// So long somebody waits for a run before its page, which renews itself meanwhile.
pub(super) const SOON: SignedDuration = SignedDuration::from_mins(10);
/// A run that has no record after so long is not waited for any more.
const AWAITED: SignedDuration = SignedDuration::from_hours(24);
/// Clocks differ by less than this.
const APART: SignedDuration = SignedDuration::from_mins(1);

#[derive(Template)]
#[template(path = "run_awaited.html")]
struct AwaitedPage {
    s: Shell,
    name: String,
    robot: String,
    run: String,
    /// It should have begun by now.
    is_late: bool,
}

impl AwaitedPage {
    fn here(&self) -> String {
        self.s.at(&self.s.here)
    }
    fn said(&self) -> String {
        let name = &self.name;
        match (self.s.lang, self.is_late) {
            (Lang::Ja, false) => format!("ロボット「{name}」を開始しました。結果は数分以内にここに表示されます。"),
            (Lang::En, false) => format!("The robot “{name}” is started. Its result is shown here within minutes."),
            (Lang::Ja, true) => format!(
                "ロボット「{name}」の実行はまだ始まっていません。このまま始まらない場合は運用者にご連絡ください。"
            ),
            (Lang::En, true) => {
                format!("The run of the robot “{name}” has not begun yet. If it stays so, tell your operator.")
            }
        }
    }
}

/// Starts a robot.
pub async fn start(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let name = Form::read(&form).get("robot");
    let settings = caller.settings().await?.settings;
    let (robot, connection, action) = run_now::robot(&settings, &name).ok_or_else(Problem::not_found)?;
    let whose = format!("{}/{robot}", caller.tenant.id());
    if app.sessions.count("run-now", &whose, WINDOW, caller.now).await? > STARTS {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "同じロボットの「いま実行する」は10分間に6回までです。10分ほど待ってからもう一度お試しください。",
            "A robot is started up to 6 times in 10 minutes. Wait 10 minutes and try again.",
        ));
    }
    let queue = app.part.starts.get(run_now::function_of(action));
    let queue = queue.ok_or_else(|| Problem::ours("the queue of a robot's function is not known"))?;
    let run = run_now::start(queue, caller.tenant.id(), &connection.id, robot, action).await?;
    caller.audit("robot.run", name.as_str(), AuditOutcome::Done, run.as_str()).await?;
    let to = caller.shell.to(&format!("/run?id={run}&robot={}", encoded(&name)));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// The page of a run that has no record: one of a robot of this merchant's, asked for not long ago. No other has a page.
pub(super) async fn awaited(caller: Caller, run: &str, robot: &str) -> Page {
    let ago = asked_ago(run, caller.now).ok_or_else(Problem::not_found)?;
    let settings = caller.settings().await?.settings;
    let (robot, _, action) = run_now::robot(&settings, robot).ok_or_else(Problem::not_found)?;
    let page = AwaitedPage {
        name: called(caller.shell.lang, &settings, &robot, action),
        robot: robot.to_string(),
        run: run.to_owned(),
        is_late: ago >= SOON,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// How long ago a run was asked for; None if its name does not say so, or if that is too long ago.
fn asked_ago(run: &str, now: Timestamp) -> Option<SignedDuration> {
    let ago = now.duration_since(run_now::asked_at(run)?);
    (ago > -APART && ago < AWAITED).then_some(ago)
}

/// What people call a robot.
fn called(lang: Lang, settings: &TenantSettings, robot: &RobotId, action: Action) -> String {
    let own = settings.integration_robots.custom.iter().find(|own| own.id == *robot);
    own.map_or_else(|| words::robot(lang, action).to_owned(), |own| own.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_awaited_for_a_day_by_the_time_in_its_name() {
        // Asked for at 2026-11-25T00:00:00Z.
        let run = ulid::Ulid::from_parts(1_795_564_800_000, 7).to_string().to_lowercase();
        let ago = |now: &str| asked_ago(&run, now.parse().unwrap());
        assert_eq!(ago("2026-11-25T00:00:03Z"), Some(SignedDuration::from_secs(3)));
        assert_eq!(ago("2026-11-24T23:59:59Z"), Some(SignedDuration::from_secs(-1)), "another machine's clock");
        assert_eq!((ago("2026-11-24T23:58:00Z"), ago("2026-11-26T00:00:00Z")), (None, None));
        assert_eq!(asked_ago("nobodys", Timestamp::now()), None);
    }

    #[test]
    fn what_is_late_is_said_to_be_so() {
        let here = "/t/hanako/run?id=x&robot=y";
        let page = |lang, is_late| AwaitedPage {
            s: Shell { lang, tenant: Some("hanako".into()), here: here.into(), ..Shell::default() },
            name: "夜間照合<b>".to_owned(),
            robot: "shop/reconcile".to_owned(),
            run: "01jdcv".to_owned(),
            is_late,
        };
        let (soon, late) = (page(Lang::Ja, false), page(Lang::Ja, true));
        assert_eq!(soon.said(), "ロボット「夜間照合<b>」を開始しました。結果は数分以内にここに表示されます。");
        assert!(late.said().contains("まだ始まっていません") && page(Lang::En, true).said().contains("not begun yet"));
        let (soon, late) = (soon.render().unwrap(), late.render().unwrap());
        assert!(soon.contains("hx-trigger") && !late.contains("hx-trigger"), "a page that is late waits no more");
        assert!(!soon.contains("<b>"), "{soon}");
    }
}
