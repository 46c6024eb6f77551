//! グラフ: orders by status over 30 days, and calls to the shop by the hour and lane. Drawn here, told apart by pattern as
//! well as by shade, and as tables beneath.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Html;
use futures::{StreamExt, TryStreamExt};
use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::Lane;
use renkei_domain::ids::ConnectionId;
use renkei_domain::jst;
use renkei_domain::run::Run;
use renkei_domain::shipment::Status;
use renkei_shop::robot::lane_of;
use renkei_store::{StoreError, Tenant};
use serde::Deserialize;

use super::shipments::not_too_often;
use super::today::midnight;
use super::{Page, chosen, words};
use crate::guard::Caller;
use crate::shell::{Shell, grouped};
use crate::{App, Daily};

const DAYS: i64 = 30;
const HOURS: i64 = 24;
/// Shipments of a day and status are counted to here.
const COUNTED: i32 = 5_000;
/// Counts that are asked for at the same moment.
const AT_ONCE: usize = 16;
/// Runs that are looked through for the last day's calls, at most.
const RUNS: usize = 1_000;
const HEIGHT: u64 = 160;

/// What the address says.
#[derive(Deserialize)]
pub struct Which {
    connection: Option<String>,
}

#[derive(Template)]
#[template(path = "charts.html")]
struct ChartsPage {
    s: Shell,
    connections: Vec<String>,
    connection: String,
    charts: Vec<Chart>,
}

/// A chart of stacked bars.
struct Chart {
    id: &'static str,
    title: &'static str,
    note: &'static str,
    kinds: Vec<(usize, &'static str)>,
    bars: Vec<Bar>,
    width: u64,
    most: u64,
    /// Something was counted to its bound only.
    is_short: bool,
}

struct Bar {
    label: String,
    x: u64,
    parts: Vec<Part>,
    total: u64,
}

struct Part {
    kind: usize,
    y: u64,
    height: u64,
    number: u64,
}

impl ChartsPage {
    fn g(&self, number: &u64) -> String {
        grouped(i64::try_from(*number).unwrap_or(i64::MAX))
    }
}

/// Stacks numbers, a row for each bar, into a chart of fixed height.
fn stacked(labels: Vec<String>, rows: &[Vec<u64>]) -> (Vec<Bar>, u64) {
    let most = rows.iter().map(|row| row.iter().sum::<u64>()).max().unwrap_or(0);
    let bars = labels
        .into_iter()
        .zip(rows)
        .enumerate()
        .map(|(place, (label, row))| {
            let (mut below, mut parts) = (0, Vec::new());
            for (kind, number) in row.iter().enumerate() {
                // By the sums, not the parts: roundings must not add up.
                let (from, to) = (below * HEIGHT / most.max(1), (below + number) * HEIGHT / most.max(1));
                below += number;
                parts.push(Part { kind, y: HEIGHT + 10 - to, height: to - from, number: *number });
            }
            Bar { label, x: place as u64 * 30 + 4, parts, total: below }
        })
        .collect();
    (bars, most)
}

/// Shows them.
pub async fn show(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Page {
    let applied = caller.settings().await?;
    let connection = chosen(&applied, which.connection.as_deref())?;
    // Many counts are asked for: as often as a search may be, and no more.
    not_too_often(&app, &caller).await?;
    let mut charts = Vec::new();
    if let Some(connection) = &connection {
        charts.push(by_status(&caller, connection).await?);
        charts.push(by_lane(&caller, connection).await?);
    }
    let page = ChartsPage {
        connections: applied.settings.connections.iter().map(|it| it.id.to_string()).collect(),
        connection: connection.map(|id| id.to_string()).unwrap_or_default(),
        charts,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

async fn by_status(caller: &Caller, connection: &ConnectionId) -> Result<Chart, StoreError> {
    let lang = caller.shell.lang;
    let today = midnight(caller.now);
    let day = |back: i64| today.checked_sub((back * 24).hours()).unwrap_or(today);
    let wanted: Vec<(Timestamp, Status)> =
        (0..DAYS).rev().flat_map(|back| Status::ALL.map(|status| (day(back), status))).collect();
    let counts: Vec<_> = futures::stream::iter(wanted)
        .map(|(from, status)| async move {
            let until = from.checked_add(24.hours()).unwrap_or(from);
            caller.tenant.count_between(connection, status, (from, until), COUNTED).await
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let is_short = counts.iter().any(|count| count.more);
    let rows: Vec<Vec<u64>> = counts
        .chunks(Status::ALL.len())
        .map(|day| day.iter().map(|count| u64::from(count.counted)).collect())
        .collect();
    let labels = (0..DAYS).rev().map(|back| jst::date(day(back)).strftime("%m/%d").to_string()).collect();
    let (bars, most) = stacked(labels, &rows);
    Ok(Chart {
        id: "status",
        title: lang.of("出荷の状況（30日）", "Shipments by status (30 days)"),
        note: lang.of(
            "出荷済みは出荷が分かった日、それ以外は取り込んだ日で数えています。状況はいまのものです。",
            "Shipped ones by the day that became known, all others by the day of import; by their present status.",
        ),
        kinds: Status::ALL.into_iter().map(|status| words::status(lang, status)).enumerate().collect(),
        width: DAYS as u64 * 30 + 8,
        bars,
        most,
        is_short,
    })
}

/// The runs of the last day. True if there were more than are looked through.
async fn runs(tenant: &Tenant, since: Timestamp) -> Result<(Vec<Run>, bool), StoreError> {
    let (mut runs, mut from) = (Vec::new(), None);
    loop {
        let page = tenant.runs(100, from).await?;
        for run in page.rows {
            if run.started_at < since {
                return Ok((runs, false));
            }
            runs.push(run);
        }
        from = page.next;
        if from.is_none() || runs.len() >= RUNS {
            return Ok((runs, from.is_some()));
        }
    }
}

async fn by_lane(caller: &Caller, connection: &ConnectionId) -> Result<Chart, StoreError> {
    let lang = caller.shell.lang;
    let hour = |at: Timestamp| at.as_second().div_euclid(3_600);
    let first = hour(caller.now) - HOURS + 1;
    let since = Timestamp::from_second(first * 3_600).unwrap_or(caller.now);
    let (runs, is_short) = runs(&caller.tenant, since).await?;
    let mut rows = vec![vec![0; Lane::ALL.len()]; HOURS as usize];
    for run in runs.iter().filter(|run| run.connection == *connection) {
        let lane = Lane::ALL.into_iter().position(|lane| lane == lane_of(run.action));
        let row = usize::try_from(hour(run.started_at) - first).ok().and_then(|at| rows.get_mut(at));
        if let (Some(row), Some(lane)) = (row, lane) {
            row[lane] += u64::from(run.calls);
        }
    }
    let labels = (0..HOURS)
        .map(|at| {
            let begins = Timestamp::from_second((first + at) * 3_600).unwrap_or(since);
            format!("{}{}", begins.to_zoned_datetime(jst::zone()).strftime("%H"), lang.of("時", "h"))
        })
        .collect();
    let (bars, most) = stacked(labels, &rows);
    Ok(Chart {
        id: "lanes",
        title: lang.of("1時間ごとのAPI呼び出し（24時間、用途別）", "Calls by the hour and lane (24 hours)"),
        note: lang.of("実行が始まった時刻で数えています。", "By the hour in which a run began."),
        kinds: Lane::ALL.into_iter().map(|lane| words::lane(lang, lane)).enumerate().collect(),
        width: HOURS as u64 * 30 + 8,
        bars,
        most,
        is_short,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_on_each_other_and_fill_the_height() {
        let (bars, most) = stacked(vec!["a".into(), "b".into()], &[vec![1, 2, 4], vec![0, 0, 0]]);
        assert_eq!(most, 7);
        let heights: Vec<u64> = bars[0].parts.iter().map(|part| part.height).collect();
        assert_eq!(heights.iter().sum::<u64>(), HEIGHT);
        for pair in bars[0].parts.windows(2) {
            assert_eq!(pair[1].y + pair[1].height, pair[0].y);
        }
        assert!(bars[1].parts.iter().all(|part| part.height == 0), "nothing is no bar");
    }
}
