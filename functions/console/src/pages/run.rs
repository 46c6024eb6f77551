//! One run, and its calls to the shop one by one: no bodies, and nothing that names a person.

use askama::Template;
use axum::Extension;
use axum::extract::Query;
use axum::response::Html;
use renkei_domain::run::{CallMade, Run, RunState};
use renkei_words::counts;
use serde::Deserialize;

use super::{Page, run_now, sentences, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

/// The run in the address. Its name can hold a robot's, with a slash.
#[derive(Deserialize)]
pub struct Which {
    id: String,
    /// The robot, where somebody has just started this run of it.
    robot: Option<String>,
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    s: Shell,
    run: Run,
    /// Whoever has just started it waits for its end.
    renews: bool,
}

impl RunPage {
    fn here(&self) -> String {
        self.s.at(&self.s.here)
    }
    fn action(&self) -> &'static str {
        words::robot(self.s.lang, self.run.action)
    }
    fn state(&self) -> &'static str {
        words::run_state(self.s.lang, self.run.state)
    }
    fn class(&self) -> &'static str {
        words::run_class(self.run.state)
    }
    fn counts(&self) -> String {
        counts::counts(self.s.lang, &self.run)
    }
    fn said(&self, sentence: &str) -> String {
        sentences::runs::said(self.s.lang, sentence)
    }
    fn lane(&self, call: &CallMade) -> &'static str {
        words::lane(self.s.lang, call.lane)
    }
    fn is_bad(&self, call: &CallMade) -> bool {
        call.status.is_none_or(|status| !(200..300).contains(&status))
    }
    /// Were there more calls than are kept?
    fn has_gap(&self) -> bool {
        self.run.called.len() < self.run.calls as usize
    }
}

/// Shows it.
pub async fn show(Extension(caller): Extension<Caller>, Query(which): Query<Which>) -> Page {
    if which.id.is_empty() || which.id.len() > 500 {
        return Err(Problem::not_found());
    }
    let Some(run) = caller.tenant.run(&which.id).await? else {
        let robot = which.robot.ok_or_else(Problem::not_found)?;
        return run_now::awaited(caller, &which.id, &robot).await;
    };
    let is_new = caller.now.duration_since(run.started_at) < run_now::SOON;
    let renews = which.robot.is_some() && run.state == RunState::Running && is_new;
    Ok(Html(RunPage { s: caller.shell, run, renews }.render()?))
}
