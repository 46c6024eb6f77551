//! 在庫: what may be sold of each SKU and why, and what the shop was told of it. As `renkei stock` says it; the shop is not
//! called.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Html;
use jiff::Timestamp;
use renkei_domain::stock::{Told, is_not_there, is_old_count};
use renkei_setup::stock::{self, Line};
use serde::Deserialize;

use super::search::folded;
use super::shipments::not_too_often;
use super::{Page, chosen, encoded};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::shell::{Shell, grouped};
use crate::{App, Daily};

/// Rows of a page.
const ROWS: usize = 200;
/// So many shipments are looked at for a page, which takes some seconds; with more of them it is a matter for the command
/// line.
const MOST: u32 = 5_000;
/// Where nothing is known.
const NOTHING: &str = "—";

/// What the address says.
#[derive(Deserialize)]
pub struct Which {
    connection: Option<String>,
    /// What is looked for.
    q: Option<String>,
    /// The SKU that the page before ended with.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "stock.html")]
struct StockPage {
    s: Shell,
    connections: Vec<String>,
    connection: String,
    /// Has the shop a place for its stock?
    has_location: bool,
    q: String,
    /// None where too many shipments would have to be looked at.
    list: Option<List>,
}

/// A page of the list.
struct List {
    rows: Vec<Row>,
    /// SKUs on all pages.
    found: String,
    is_later_page: bool,
    /// The SKU behind which the next page begins, as an address can carry it.
    next: Option<String>,
}

struct Row {
    sku: String,
    name: String,
    counted_at: Option<Timestamp>,
    /// So long ago that not all is taken off which has left since.
    is_old: bool,
    count: String,
    buffer: String,
    reserved: String,
    sellable: String,
    told: Said,
}

/// What is said of what the shop was told.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    what: String,
    /// How grave it is, as the style sheet says.
    class: &'static str,
    why: String,
}

impl StockPage {
    /// This list from its beginning.
    fn own_address(&self) -> String {
        format!("{}?connection={}&q={}", self.s.to("/stock"), encoded(&self.connection), encoded(&self.q))
    }

    fn most(&self) -> String {
        grouped(MOST)
    }
}

/// Shows a shop's stock.
pub async fn show(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Page {
    let applied = caller.settings().await?;
    let id = chosen(&applied, which.connection.as_deref())?;
    // Many shipments may be read: as often as a search may be, and no more.
    not_too_often(&app, &caller).await?;
    let settings = &applied.settings;
    let connection = settings.connections.iter().find(|it| Some(&it.id) == id.as_ref());
    let lines = match connection {
        Some(connection) => stock::lines_within(&caller.tenant, settings, connection, caller.now, MOST).await?,
        None => Some(Vec::new()),
    };
    let (q, after) = (which.q.unwrap_or_default(), which.after.unwrap_or_default());
    let page = StockPage {
        connections: settings.connections.iter().map(|it| it.id.to_string()).collect(),
        connection: id.map(|id| id.to_string()).unwrap_or_default(),
        has_location: connection.is_some_and(|it| it.stock_location_code.is_some()),
        list: lines.map(|lines| list(caller.shell.lang, lines, &q, &after, caller.now)),
        q,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// The page of these lines that comes behind a SKU; of those only whose SKU or name holds what is looked for.
fn list(lang: Lang, mut lines: Vec<Line>, q: &str, after: &str, now: Timestamp) -> List {
    let wanted = folded(q);
    let holds = |text: &str| folded(text).contains(&wanted);
    lines.retain(|line| holds(line.sku.as_str()) || line.name.as_deref().is_some_and(holds));
    let found = number(i64::try_from(lines.len()).ok());
    lines.retain(|line| line.sku.as_str() > after);
    let has_more = lines.len() > ROWS;
    lines.truncate(ROWS);
    List {
        next: lines.last().filter(|_| has_more).map(|line| encoded(line.sku.as_str())),
        is_later_page: !after.is_empty(),
        rows: lines.into_iter().map(|line| row(lang, line, now)).collect(),
        found,
    }
}

fn row(lang: Lang, line: Line, now: Timestamp) -> Row {
    let offer = line.offer;
    Row {
        sku: line.sku.to_string(),
        name: line.name.unwrap_or_default(),
        counted_at: line.counted_at,
        is_old: line.counted_at.is_some_and(|at| is_old_count(at, now)),
        count: number(offer.map(|offer| offer.count)),
        buffer: number(offer.map(|offer| offer.buffer)),
        reserved: number(offer.map(|offer| i64::try_from(offer.reserved).unwrap_or(i64::MAX))),
        sellable: number(offer.map(|offer| offer.sellable)),
        told: said(lang, line.told.as_ref()),
    }
}

fn number(known: Option<impl Into<i64>>) -> String {
    known.map_or_else(|| NOTHING.to_owned(), grouped)
}

/// What the shop was told: that it refused comes before that its answer was lost, and this before a value.
fn said(lang: Lang, told: Option<&Told>) -> Said {
    let plain = |what: String| Said { what, class: "", why: String::new() };
    let Some(told) = told else { return plain(NOTHING.to_owned()) };
    if let Some((_, error)) = &told.refused {
        let no_such = lang.of(
            "ショップに、この商品コードか在庫ロケーションがありません。",
            "The shop has no such SKU, or no such stock location.",
        );
        let why = if is_not_there(error) { no_such.to_owned() } else { error.message.clone() };
        let what = lang.of("拒否（{}）", "refused ({})").replace("{}", &error.code);
        return Said { what, class: "bad", why };
    }
    if told.intended.is_some() {
        return Said { class: "warn", ..plain(lang.of("結果不明（次回再通知）", "uncertain").to_owned()) };
    }
    plain(number(told.told))
}

#[cfg(test)]
mod tests {
    use renkei_domain::ids::Sku;
    use renkei_domain::member::Role;
    use renkei_domain::shipment::ShopError;
    use renkei_domain::stock::Offer;

    use super::*;

    fn line(sku: &str, name: &str) -> Line {
        let offer = Offer { count: 1_200, buffer: 5, reserved: 3, sellable: 1_192 };
        Line {
            sku: Sku::parse(sku).unwrap(),
            name: Some(name.to_owned()),
            offer: Some(offer),
            counted_at: Some(Timestamp::UNIX_EPOCH),
            told: None,
        }
    }

    #[test]
    fn a_page_ends_where_the_next_begins_and_holds_what_is_looked_for() {
        let lines = || (0..450).map(|n| line(&format!("A {n:03}"), "美容液")).collect::<Vec<_>>();
        let now = Timestamp::UNIX_EPOCH;
        let (mut after, mut seen) = (String::new(), Vec::new());
        for (rows, is_later_page) in [(200, false), (200, true), (50, true)] {
            let page = list(Lang::Ja, lines(), "", &after, now);
            assert_eq!((page.rows.len(), page.is_later_page, page.found.as_str()), (rows, is_later_page, "450"));
            seen.extend(page.rows.into_iter().map(|row| row.sku));
            // As it comes back from an address.
            after = page.next.unwrap_or_default().replace('+', " ");
        }
        assert_eq!(after, "", "the last page has none behind it");
        assert_eq!(seen, lines().iter().map(|line| line.sku.to_string()).collect::<Vec<_>>());

        let lines = || vec![line("SERUM-30", "美容液 30ml"), line("MASK-5", "マスク")];
        let found = |q: &str| -> Vec<String> {
            list(Lang::Ja, lines(), q, "", now).rows.into_iter().map(|row| row.sku).collect()
        };
        assert_eq!(found("ｓｅｒｕｍ"), ["SERUM-30"], "in any width and size");
        assert_eq!(found("ﾏｽｸ"), ["MASK-5"]);
        assert!(found("NOT-OURS").is_empty());
    }

    #[test]
    fn what_the_shop_was_told_is_said_in_words() {
        let words = |told: Option<Told>| said(Lang::Ja, told.as_ref());
        let error = |code: &str| ShopError { code: code.into(), message: "在庫数が不正です".into() };
        assert_eq!(words(None).what, NOTHING);
        assert_eq!(words(Some(Told { told: Some(1_234), ..Told::default() })).what, "1,234");
        let lost = Told { told: Some(5), intended: Some(6), ..Told::default() };
        assert_eq!(
            (words(Some(lost.clone())).what.as_str(), words(Some(lost.clone())).class),
            ("結果不明（次回再通知）", "warn")
        );
        let refused = words(Some(Told { refused: Some((5, error("AOR3001"))), ..lost }));
        assert_eq!((refused.what.as_str(), refused.why.as_str()), ("拒否（AOR3001）", "在庫数が不正です"));
        let not_there = words(Some(Told { refused: Some((5, error("AOR2001"))), ..Told::default() }));
        assert!(not_there.why.contains("この商品コードか在庫ロケーションがありません"), "{not_there:?}");
    }

    #[test]
    fn a_row_has_its_numbers_and_marks_a_count_that_is_too_old() {
        let now = Timestamp::from_second(100 * 24 * 3_600).unwrap();
        let old = row(Lang::Ja, line("A", "美容液"), now);
        assert_eq!([&old.count, &old.buffer, &old.reserved, &old.sellable], ["1,200", "5", "3", "1,192"]);
        assert!(old.is_old && !row(Lang::Ja, line("A", ""), Timestamp::UNIX_EPOCH).is_old);
        let gone = row(Lang::Ja, Line { name: None, offer: None, counted_at: None, ..line("A", "") }, now);
        assert_eq!([&gone.count, &gone.sellable, &gone.told.what], [NOTHING; 3]);
        assert!(!gone.is_old && gone.name.is_empty());
    }

    #[test]
    fn the_page_shows_a_row_or_says_what_is_missing() {
        let page = |list: Option<List>, has_location: bool| {
            let s = Shell { tenant: Some("hanako".into()), role: Some(Role::Admin), ..Shell::default() };
            let (connections, connection) = (vec!["shop".to_owned()], "shop".to_owned());
            StockPage { s, connections, connection, has_location, q: "a&b".into(), list }.render().unwrap()
        };
        let of = |lines: Vec<Line>| list(Lang::Ja, lines, "", "", Timestamp::UNIX_EPOCH);
        let shown = page(Some(of(vec![line("<A>", "<b>")])), true);
        assert!(shown.contains("1,192") && !shown.contains("<b>") && !shown.contains("<A>"), "{shown}");
        assert!(!shown.contains("renkei stock") && !shown.contains("/setting/connection/shop"), "{shown}");
        let many = page(Some(of((0..201).map(|n| line(&format!("A{n:03}"), "")).collect())), true);
        assert!(many.contains("after=A199\""), "{many}");
        assert!(page(Some(of(Vec::new())), false).contains("/setting/connection/shop"));
        let too_many = page(None, true);
        assert!(too_many.contains("renkei stock shop") && too_many.contains("5,000"), "{too_many}");
    }
}
