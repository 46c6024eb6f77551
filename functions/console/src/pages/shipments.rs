//! 出荷管理: a shop's shipments by status, the newest first, and the search.
//!
//! A page costs the same however many shipments there are: what has left is counted once and kept, other counts stop at a
//! thousand, a list is one page of an index and the records on it.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use futures::future::{try_join, try_join_all};
use jiff::civil::Date;
use renkei_domain::ids::{ConnectionId, ShipmentId};
use renkei_domain::needs::{Need, Needs};
use renkei_domain::payment::Payment;
use renkei_domain::shipment::{HoldReason, Shipment, ShipmentDetail, Status};
use renkei_store::StoreError;
use renkei_store::desk::{Desk, KeptCounts};
use renkei_store::lists::{Count, Listed, Mark};
use renkei_store::settings::AppliedSettings;
use serde::Deserialize;
use std::sync::Arc;

use super::day::OfToday;
use super::needs::{self, NeedTab};
use super::search::{Found, Place, search};
use super::{COUNTED, Page, chosen, counted, encoded, spread, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::secret;
use crate::shell::Shell;
use crate::{App, Daily};

/// Rows of a page.
pub const ROWS: i32 = 50;
/// Cancelled ones, which nobody works through, are counted to here: they only become more.
const CANCELLED_COUNTED: i32 = 300;
/// Searches of one person in a minute.
const SEARCHES: u64 = 40;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    connection: Option<String>,
    status: Option<String>,
    needs: Option<String>,
    taken: Option<String>,
    shipped: Option<String>,
    after: Option<String>,
    q: Option<String>,
    from: Option<String>,
    done: Option<String>,
}

impl Filter {
    /// Where the page begins, in the list of a shop.
    fn mark(&self) -> Result<Option<Mark>, Problem> {
        let text = self.after.as_deref().filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|()| Problem::not_found())).transpose()
    }
}

#[derive(Template)]
#[template(path = "shipments.html")]
struct ListPage {
    s: Shell,
    connections: Vec<String>,
    connection: String,
    tabs: Vec<Tab>,
    status: Status,
    /// What the shipments of this list wait for, where it is not a list of a status.
    need: Option<Need>,
    need_tabs: Vec<NeedTab>,
    /// Which of today's lists it is, if it is one.
    of_today: Option<OfToday>,
    rows: Vec<Row>,
    next: Option<String>,
    is_later_page: bool,
    q: String,
    /// Rows of the page.
    count: usize,
    found: Option<Found>,
    done: Option<String>,
    reasons: Vec<(&'static str, &'static str)>,
    /// Robots that can be applied to chosen shipments: id and name.
    robots: Vec<(String, String)>,
}

struct Tab {
    status: Status,
    label: &'static str,
    count: String,
}

/// A shipment in a list.
pub struct Row {
    /// The record.
    pub shipment: Shipment,
    /// To whom.
    pub name: String,
    /// What, in short.
    pub items: String,
    /// 出荷予定日.
    ship_on: Option<Date>,
    status: &'static str,
    holds: Vec<&'static str>,
    sync: &'static str,
    marks: Vec<(&'static str, String)>,
}

impl Row {
    /// As a list shows it.
    pub fn of(shell: &Shell, shipment: Shipment, detail: &ShipmentDetail) -> Self {
        let lang = shell.lang;
        let mut marks = Vec::new();
        if let Some(cancellation) = shipment.cancellation.filter(|it| it.closed_at.is_none()) {
            marks.push(("bad", words::cancellation(lang, cancellation.state).to_owned()));
        }
        if let Some(error) = &shipment.shop_error {
            marks.push(("bad", format!("{} {}", lang.of("ショップ拒否", "shop refused"), error.code)));
        }
        if Needs::of(&shipment).is_some_and(|needs| needs.payment_state.is_some()) {
            marks.push(("warn", lang.of("決済状況の意味が未設定", "unknown payment state").to_owned()));
        }
        if shipment.all_differences().next().is_some() {
            let list: Vec<_> = shipment.all_differences().map(|it| words::difference(lang, it)).collect();
            marks.push(("warn", format!("{}: {}", lang.of("差分", "differs"), list.join("・"))));
        }
        let items: Vec<String> =
            detail.items.iter().take(3).map(|item| format!("{}×{}", item.sku, item.quantity)).collect();
        let more = if detail.items.len() > 3 { " …" } else { "" };
        Self {
            name: shortened(&detail.ship_to.name, 40),
            items: format!("{}{more}", items.join(" ")),
            ship_on: detail.ship_on,
            status: words::status(lang, shipment.status),
            holds: shipment.holds.iter().map(|reason| words::hold(lang, *reason)).collect(),
            sync: words::sync(lang, shipment.shop_sync),
            marks,
            shipment,
        }
    }

    fn is_paid(&self) -> bool {
        self.shipment.payment == Payment::Paid
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The status that an address names.
pub fn status_named(name: Option<&str>) -> Result<Status, Problem> {
    match name.filter(|name| !name.is_empty()) {
        None => Ok(Status::Hold),
        Some(name) => Status::ALL.into_iter().find(|status| status.as_str() == name).ok_or_else(Problem::not_found),
    }
}

/// Rows for these shipments, in their order; those that do not exist are left out.
pub async fn rows(caller: &Caller, ids: &[ShipmentId]) -> Result<Vec<Row>, StoreError> {
    let shipments = caller.tenant.shipments(ids).await?;
    rows_of(caller, shipments).await
}

/// Rows for these records, in their order.
pub async fn rows_of(caller: &Caller, shipments: Vec<Shipment>) -> Result<Vec<Row>, StoreError> {
    let details = caller.tenant.details(&shipments).await?;
    Ok(shipments.into_iter().zip(&details).map(|(shipment, detail)| Row::of(&caller.shell, shipment, detail)).collect())
}

/// Shows a list, or what was searched for.
pub async fn list(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Extension(desk): Extension<Desk>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let (settings, _, kept) = spread(desk)?;
    if let Some(q) = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        not_too_often(&app, &caller).await?;
        let found = search(&caller, &settings, q, filter.from.as_deref()).await?;
        // Where the search began and ended here, and found one, that one is meant.
        if let ([only], None, None) = (found.rows.as_slice(), &found.further, &filter.from) {
            let to = caller.shell.to(&format!("/shipment/{}", only.shipment.id));
            return Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response());
        }
        return Ok(page_of_found(caller, &settings, &filter, q, found)?.into_response());
    }
    let need = filter.needs.as_deref().filter(|name| !name.is_empty());
    if let Some(need) = need {
        let need = match need {
            needs::ANY => None,
            name => Some(Need::from_name(name).ok_or_else(Problem::not_found)?),
        };
        return Ok(page_of_needs(caller, &settings, need, &filter).await?.into_response());
    }
    if let Some(of_today) = OfToday::named(filter.taken.as_deref(), filter.shipped.as_deref())? {
        return Ok(page_of_today(caller, &settings, of_today, &filter).await?.into_response());
    }
    Ok(page(caller, &settings, &kept, &filter).await?.into_response())
}

/// What costs more than a page is done so often in a minute by one person, and no more.
pub async fn not_too_often<P>(app: &App<P>, caller: &Caller) -> Result<(), Problem> {
    let who = secret::person(&caller.email);
    let count = app.sessions.count("search", &who, 60, caller.now).await?;
    if count > SEARCHES { Err(Problem::too_often()) } else { Ok(()) }
}

async fn page(caller: Caller, settings: &AppliedSettings, kept: &KeptCounts, filter: &Filter) -> Page {
    let status = status_named(filter.status.as_deref())?;
    let after = filter.mark()?;
    let connection = chosen(settings, filter.connection.as_deref())?;
    let (tabs, rows, next) = match &connection {
        None => (Vec::new(), Vec::new(), None),
        Some(connection) => {
            let (counts, listed) = page_and_counts(&caller, connection, status, after, kept).await?;
            let tabs = Status::ALL
                .into_iter()
                .zip(&counts)
                .map(|(status, count)| Tab {
                    status,
                    label: words::status(caller.shell.lang, status),
                    count: counted(count),
                })
                .collect();
            (tabs, rows(&caller, &listed.ids).await?, listed.next)
        }
    };
    let next = next.map(|mark| mark.to_string());
    let connection = connection.map(|id| id.to_string()).unwrap_or_default();
    shown(&ListPage { connection, tabs, status, next, ..ListPage::of(caller.shell, settings, filter, rows) })
}

/// Shipments of a shop that wait for a person, in whatever status they are.
async fn page_of_needs(caller: Caller, settings: &AppliedSettings, need: Option<Need>, filter: &Filter) -> Page {
    let connection = chosen(settings, filter.connection.as_deref())?.ok_or_else(Problem::not_found)?;
    let shop = settings.settings.connection(&connection).ok_or_else(Problem::not_found)?;
    let listed = needs::list(&caller, shop, need, filter.after.as_deref()).await?;
    let rows = rows(&caller, &listed.ids).await?;
    let (need, need_tabs, next) = (Some(listed.need), listed.tabs, listed.next);
    let connection = connection.to_string();
    shown(&ListPage { connection, need, need_tabs, next, ..ListPage::of(caller.shell, settings, filter, rows) })
}

/// Shipments of a shop that today's page counts by the day, in whatever status they are.
async fn page_of_today(caller: Caller, settings: &AppliedSettings, of_today: OfToday, filter: &Filter) -> Page {
    let connection = chosen(settings, filter.connection.as_deref())?.ok_or_else(Problem::not_found)?;
    let listed = of_today.list(&caller, &connection, filter.mark()?).await?;
    let rows = rows(&caller, &listed.ids).await?;
    let (of_today, next) = (Some(of_today), listed.next.map(|mark| mark.to_string()));
    let connection = connection.to_string();
    shown(&ListPage { connection, of_today, next, ..ListPage::of(caller.shell, settings, filter, rows) })
}

/// A page of a list, and the counts of all lists. What is counted from its newest on is read once for both.
async fn page_and_counts(
    caller: &Caller,
    connection: &ConnectionId,
    status: Status,
    after: Option<Mark>,
    kept: &KeptCounts,
) -> Result<(Vec<Count>, Listed), StoreError> {
    let is_together = after.is_none() && status != Status::Shipped;
    let listed = async {
        if is_together {
            let (listed, count) =
                caller.tenant.newest_and_count(connection, status, ROWS as usize, bound(status)).await?;
            return Ok((listed, Some(count)));
        }
        Ok((caller.tenant.newest(connection, status, ROWS, after).await?, None))
    };
    let counts = try_join_all(Status::ALL.map(async |it| {
        if it == status && is_together { Ok(None) } else { count(caller, connection, it, kept).await.map(Some) }
    }));
    let (counts, (listed, together)) = try_join(counts, listed).await?;
    Ok((counts.into_iter().filter_map(|count| count.or(together)).collect(), listed))
}

/// How far a list is counted.
fn bound(status: Status) -> i32 {
    match status {
        Status::Hold | Status::Ready | Status::Picking | Status::Shipped => COUNTED,
        Status::Cancelled => CANCELLED_COUNTED,
    }
}

/// What has left is counted once and kept; what comes and goes is counted anew, to a bound.
async fn count(
    caller: &Caller,
    connection: &ConnectionId,
    status: Status,
    kept: &KeptCounts,
) -> Result<Count, StoreError> {
    match status {
        Status::Shipped => caller.tenant.count_shipped(connection, kept, bound(status), caller.now).await,
        Status::Hold | Status::Ready | Status::Picking | Status::Cancelled => {
            caller.tenant.count_status(connection, status, None, bound(status)).await
        }
    }
}

fn page_of_found(caller: Caller, settings: &AppliedSettings, filter: &Filter, q: &str, mut found: Found) -> Page {
    let rows = std::mem::take(&mut found.rows);
    let (q, found) = (shortened(q, 100), Some(found));
    shown(&ListPage { q, found, ..ListPage::of(caller.shell, settings, filter, rows) })
}

fn shown(page: &ListPage) -> Page {
    Ok(Html(page.render()?))
}

/// What a person does about it.
fn need_says(shell: &Shell, need: Need) -> &'static str {
    match need {
        Need::Cancellation => shell.l(
            "倉庫の回答期限を過ぎた依頼、拒否、出荷後のキャンセルです。出荷を開いて結果を登録してください。",
            "Requests that the warehouse has not answered in time, refusals, and cancellations after the parcel left. \
             Open each and say what became of it.",
        ),
        Need::Asked => shell.l(
            "倉庫にキャンセルを依頼し、回答を待っている出荷です。API連携のない倉庫には電話などで連絡し、出荷を開いて結果を登録してください。",
            "The warehouse was asked to let go of these. One without the API has to be told by telephone; open each and say what \
             became of it.",
        ),
        Need::WriteBack => shell.l(
            "ショップが受け付けなかった通知です。原因を直し、出荷を開いて「もう一度ショップに通知する」を押してください。",
            "What the shop refused to be told. Mend the cause, open each and tell it again.",
        ),
        Need::Returned => shell.l(
            "倉庫が送れずに戻した出荷です（理由は履歴にあります）。出荷を開いて、保留を解除するかキャンセルしてください。",
            "What the warehouse could not send; the history says why. Open each: release it, or cancel it.",
        ),
        Need::Difference => shell.l(
            "取込後にショップ側で送付先・明細・お届け希望などが変わった、未出荷の出荷指示です。出荷指示を開き、ショップの最新内容で作り直すか、確認済みにしてください。",
            "Not out yet, and otherwise at the shop since import. Open each: make it anew from what the shop has, or say \
             that you have seen it.",
        ),
        Need::Payment => shell.l(
            "決済状況の対応表にない状態のため、入金待ちとして扱っています。ショップの設定（API認証設定）の「決済状況の対応表」で意味を決めてください。",
            "Their payment state is not in the shop's table, so they wait. Say what it means among the shop's \
             settings.",
        ),
    }
}

/// For those who may apply them.
fn robots(shell: &Shell, settings: &AppliedSettings) -> Vec<(String, String)> {
    if shell.may("operator") { super::apply_robot::choices(&settings.settings) } else { Vec::new() }
}

fn reasons(shell: &Shell) -> Vec<(&'static str, &'static str)> {
    [HoldReason::NeedsReview, HoldReason::BadAddress, HoldReason::Remark, HoldReason::AwaitingPayment]
        .map(|reason| (reason.as_str(), words::hold(shell.lang, reason)))
        .to_vec()
}

impl ListPage {
    /// What all lists have; whatever else a list has is to be said.
    fn of(s: Shell, settings: &AppliedSettings, filter: &Filter, rows: Vec<Row>) -> Self {
        Self {
            connections: settings.settings.connections.iter().map(|connection| connection.id.to_string()).collect(),
            connection: String::new(),
            tabs: Vec::new(),
            status: Status::Hold,
            need: None,
            need_tabs: Vec::new(),
            of_today: None,
            next: None,
            is_later_page: filter.after.as_deref().is_some_and(|after| !after.is_empty()),
            q: String::new(),
            count: rows.len(),
            rows,
            found: None,
            done: filter.done.as_deref().and_then(|code| super::bulk::done(s.lang, code)),
            reasons: reasons(&s),
            robots: robots(&s, settings),
            s,
        }
    }

    /// Where the search goes on.
    fn further(&self, place: &Place) -> String {
        format!("{}?q={}&from={}", self.s.to("/shipments"), encoded(&self.q), encoded(&place.to_string()))
    }

    fn address(&self, status: &str) -> String {
        format!("{}?connection={}&status={status}", self.s.to("/shipments"), encoded(&self.connection))
    }
    fn need_address(&self, need: &Need) -> String {
        format!("{}?connection={}&needs={}", self.s.to("/shipments"), encoded(&self.connection), need.as_str())
    }
    /// This list, from its beginning.
    fn own_address(&self) -> String {
        let (name, value) = self.own_name();
        format!("{}?connection={}&{name}={value}", self.s.to("/shipments"), encoded(&self.connection))
    }
    /// What it is called in an address.
    fn own_name(&self) -> (&'static str, &'static str) {
        match (self.need, self.of_today) {
            (Some(need), _) => ("needs", need.as_str()),
            (None, Some(of_today)) => (of_today.as_str(), "today"),
            (None, None) => ("status", self.status.as_str()),
        }
    }
    /// Is it a list of a status? Others hold shipments of several.
    fn is_of_status(&self) -> bool {
        self.own_name().0 == "status"
    }
    fn need_label(&self, need: &Need) -> &'static str {
        words::need(self.s.lang, *need)
    }
    fn need_says(&self, need: &Need) -> &'static str {
        need_says(&self.s, *need)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shortened("髙橋花子", 2), "髙橋…");
        assert_eq!(shortened("髙橋", 2), "髙橋");
    }

    #[test]
    fn a_status_that_does_not_exist_is_not_found() {
        assert_eq!(status_named(None).unwrap(), Status::Hold);
        assert_eq!(status_named(Some("shipped")).unwrap(), Status::Shipped);
        assert_eq!(status_named(Some("<b>")).unwrap_err().status, StatusCode::NOT_FOUND);
    }
}
