//! 記録: what the robots did, run by run, and the calls it cost.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::Query;
use axum::response::Html;
use jiff::{Timestamp, ToSpan};
use renkei_domain::jst;
use renkei_domain::run::{Run, RunState};
use renkei_words::counts;
use serde::Deserialize;

use super::{Page, encoded, sentences, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::shell::Shell;

/// The latest runs that are shown.
const RUNS: i32 = 100;
const HOURS: i64 = 24;
const CHART_HEIGHT: u64 = 100;

/// What the address says.
#[derive(Deserialize)]
pub struct Filter {
    state: Option<String>,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    s: Shell,
    runs: Vec<Run>,
    states: Vec<(&'static str, &'static str)>,
    state: String,
    bars: Vec<Bar>,
    covers_all: bool,
}

/// An hour of the chart.
struct Bar {
    x: u64,
    y: u64,
    height: u64,
    hour: String,
    calls: u64,
}

impl RunsPage {
    fn id(&self, run: &Run) -> String {
        encoded(&run.id)
    }
    fn action(&self, run: &Run) -> &'static str {
        words::robot(self.s.lang, run.action)
    }
    fn state_of(&self, run: &Run) -> &'static str {
        words::run_state(self.s.lang, run.state)
    }
    fn class(&self, run: &Run) -> &'static str {
        words::run_class(run.state)
    }
    fn took(&self, run: &Run) -> String {
        let seconds = run.ended_at.map(|end| end.duration_since(run.started_at).as_secs().max(0));
        seconds.map(|seconds| lasted(self.s.lang, seconds)).unwrap_or_default()
    }
    fn counts(&self, run: &Run) -> String {
        counts::counts(self.s.lang, run)
    }
    fn said(&self, error: &str) -> String {
        sentences::runs::said(self.s.lang, error)
    }
}

/// So many seconds.
fn lasted(lang: Lang, seconds: i64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (lang, minutes) {
        (Lang::Ja, 0) => format!("{rest}秒"),
        (Lang::Ja, minutes) => format!("{minutes}分{rest:02}秒"),
        (Lang::En, 0) => format!("{rest}s"),
        (Lang::En, minutes) => format!("{minutes}m{rest:02}s"),
    }
}

/// Shows the runs.
pub async fn show(Extension(caller): Extension<Caller>, Query(filter): Query<Filter>) -> Page {
    const STATES: [RunState; 5] =
        [RunState::Running, RunState::Done, RunState::Blocked, RunState::NeedsPerson, RunState::Failed];
    let latest = caller.tenant.runs(RUNS, None).await?;
    let state = filter.state.unwrap_or_default();
    let lang = caller.shell.lang;
    let from = caller.now.checked_sub((HOURS - 1).hours()).unwrap_or(caller.now);
    let page = RunsPage {
        bars: bars(&latest.rows, caller.now),
        covers_all: latest.next.is_none() || latest.rows.last().is_some_and(|run| run.started_at < from),
        runs: latest.rows.into_iter().filter(|run| state.is_empty() || run.state.as_str() == state).collect(),
        states: STATES.map(|state| (state.as_str(), words::run_state(lang, state))).to_vec(),
        state,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Calls by the hour in which their run began.
fn bars(runs: &[Run], now: Timestamp) -> Vec<Bar> {
    let hour = |at: Timestamp| at.as_second().div_euclid(3_600);
    let mut calls: BTreeMap<i64, u64> = BTreeMap::new();
    for run in runs {
        *calls.entry(hour(run.started_at)).or_default() += u64::from(run.calls);
    }
    let first = hour(now) - HOURS + 1;
    let most = (first..=hour(now)).filter_map(|hour| calls.get(&hour)).copied().max().unwrap_or(0).max(1);
    (first..=hour(now))
        .enumerate()
        .map(|(place, hour)| {
            let calls = calls.get(&hour).copied().unwrap_or(0);
            let height = (calls * CHART_HEIGHT).div_ceil(most);
            let begins = Timestamp::from_second(hour * 3_600).unwrap_or(now);
            Bar {
                x: place as u64 * 30 + 4,
                y: CHART_HEIGHT + 14 - height,
                height,
                hour: begins.to_zoned_datetime(jst::zone()).strftime("%H").to_string(),
                calls,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_run_took_is_said_in_minutes_and_seconds() {
        assert_eq!([0, 12, 62].map(|seconds| lasted(Lang::Ja, seconds)), ["0秒", "12秒", "1分02秒"]);
        assert_eq!([12, 62].map(|seconds| lasted(Lang::En, seconds)), ["12s", "1m02s"]);
    }
}
