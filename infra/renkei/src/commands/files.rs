//! `renkei files`: shipments out to warehouses and results in, as files.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::civil::Date;
use renkei_domain::ids::ConnectionId;
use renkei_domain::jst;
use renkei_domain::shipment::Status;
use renkei_exchange::{Made, ResultLine, Taken};
use renkei_files::{Layout, Problem, export, results};
use renkei_store::StoreError;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::stack::{Found, Stack};
use crate::{output, private};

/// Shipments that are changed at the same moment.
const AT_ONCE: usize = 8;
/// How many problems people are shown.
const SHOWN: usize = 50;

/// Which shipments go into a file, and what the layout asks for.
pub struct Wanted<'a> {
    /// Of this merchant.
    pub tenant: Option<&'a str>,
    /// Of this shop.
    pub connection: &'a str,
    /// In this status.
    pub status: &'a str,
    /// Only those that were claimed at this moment or since.
    pub claimed_since: Option<&'a str>,
    /// Of what is ready, only what is to leave by this day: a day, or `all`. Today's if nobody says.
    pub ship_until: Option<&'a str>,
    /// With one of these methods; any if empty.
    pub methods: &'a [String],
    /// `name=text` for the layout's columns that differ by merchant.
    pub set: &'a [String],
    /// Leave out what cannot be written, instead of writing nothing.
    pub skip: bool,
}

/// Lists the layouts.
pub fn layouts() -> Result<Exit, CliError> {
    for layout in Layout::all().map_err(said)? {
        output::line(format!("{}  {}", layout.id, layout.name))?;
        for note in &layout.notes {
            output::line(format!("    {note}"))?;
        }
    }
    Ok(Exit::Done)
}

/// A layout of ours, or one from a file.
fn layout(name: &str) -> Result<Layout, CliError> {
    if Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        let text =
            std::fs::read_to_string(name).map_err(|error| CliError::said(format!("{name} cannot be read: {error}")))?;
        return Layout::parse(&text).map_err(|error| CliError::said(format!("{name}: {error}")));
    }
    Layout::built_in(name).map_err(said)
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn said(error: renkei_files::LayoutError) -> CliError {
    CliError::said(error.to_string())
}

/// Writes shipments into a file. Everything is made in memory first: a file is written whole or not at all.
pub async fn export(
    stack: &Stack,
    layout_name: &str,
    wanted: &Wanted<'_>,
    claim: bool,
    out: &Path,
) -> Result<Exit, CliError> {
    let layout = layout(layout_name)?;
    let place = stack.connection(wanted.tenant, wanted.connection).await?;
    let status = match wanted.status {
        "ready" => Status::Ready,
        "picking" => Status::Picking,
        other => return Err(CliError::said(format!("{other}: a file is made of `ready` or `picking` shipments"))),
    };
    if claim && status != Status::Ready {
        return Err(CliError::said("only `ready` shipments can be claimed; leave --claim out"));
    }
    if wanted.claimed_since.is_some() && status != Status::Picking {
        return Err(CliError::said("only `picking` shipments are claimed: --claimed-since goes with --status picking"));
    }
    let until = ship_until(wanted.ship_until, status, Timestamp::now())?;
    let Made { rows, problems, later, .. } = render(&place, &layout, wanted, status, until).await?;
    if !problems.is_empty() {
        report(&problems);
        if !wanted.skip {
            return Err(CliError::said(
                "nothing was written: mend these at the shop, or leave those shipments out with --skip",
            ));
        }
    }
    let beginning = export::beginning(&layout).map_err(|problem| CliError::said(problem.to_string()))?;
    // Before anything is claimed: a file that cannot be written must not leave shipments taken.
    let mut file = private::create_new(out)
        .map_err(|error| CliError::said(format!("{} cannot be made: {error}", out.display())))?;
    let now = Timestamp::now();
    let taken =
        if claim { renkei_exchange::take(&place.tenant, rows, now).await } else { Taken { rows, ..Taken::default() } };
    let written = file.write_all(&beginning).and_then(|()| {
        taken.rows.iter().try_for_each(|row| file.write_all(&row.bytes))?;
        file.sync_all()
    });
    if let Err(error) = written {
        return Err(CliError::said(format!(
            "{} was not written to its end: {error}. {}",
            out.display(),
            if claim {
                format!("The shipments are claimed: export them again with --status picking --claimed-since {now}")
            } else {
                "Try again".to_owned()
            }
        )));
    }
    for (id, reason) in &taken.refused {
        eprintln!("left out: {id} ({reason})");
    }
    if claim && !taken.rows.is_empty() {
        eprintln!("if this file is lost, --status picking --claimed-since {now} writes it again");
    }
    output::line(format!(
        "{} shipments {}written to {}{}",
        taken.rows.len(),
        if claim { "claimed and " } else { "" },
        out.display(),
        staying(later, until)
    ))?;
    if let Some(error) = &taken.failure {
        return Err(interrupted(&taken, error, now));
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::NeedsPerson })
}

/// Names what the file does not hold because the store failed on the way, and says what to do about it.
fn interrupted(taken: &Taken, error: &StoreError, now: Timestamp) -> CliError {
    for id in &taken.unsure {
        eprintln!("left out: {id} (claimed or not: the store did not say)");
    }
    for id in taken.untouched.iter().take(SHOWN) {
        eprintln!("left out: {id} (not claimed)");
    }
    if taken.untouched.len() > SHOWN {
        eprintln!("… and {} more that are not claimed", taken.untouched.len() - SHOWN);
    }
    CliError::said(format!(
        "{error}. The file holds what was claimed until then. Export the rest into another file; of the {} that may be \
         claimed without being in a file, `renkei shipment ID` shows the status: one that is picking comes with --status \
         picking --claimed-since {now}",
        taken.unsure.len()
    ))
}

/// A moment; without a zone it is Japan's.
fn since(text: &str) -> Result<Timestamp, CliError> {
    renkei_exchange::counts::moment(text)
        .ok_or_else(|| CliError::said(format!("--claimed-since {text}: write a moment, such as 2026-11-25T09:30")))
}

/// The last day of shipping that is wanted; None for all.
fn ship_until(text: Option<&str>, status: Status, now: Timestamp) -> Result<Option<Date>, CliError> {
    if status != Status::Ready {
        // What was taken is written again whatever its day.
        return match text {
            None | Some("all") => Ok(None),
            Some(_) => Err(CliError::said("what is picking was taken, whatever its ship date: leave --ship-until out")),
        };
    }
    match text {
        None => Ok(Some(jst::date(now))),
        Some("all") => Ok(None),
        Some(day) => day
            .parse::<Date>()
            .map(Some)
            .map_err(|_| CliError::said(format!("--ship-until {day}: write a day, such as 2026-11-25, or all"))),
    }
}

/// How many stay for later days, if any do.
fn staying(later: usize, until: Option<Date>) -> String {
    match until {
        Some(day) if later > 0 => format!("; {later} later, to leave after {day}"),
        Some(_) | None => String::new(),
    }
}

async fn render(
    place: &Found,
    layout: &Layout,
    wanted: &Wanted<'_>,
    status: Status,
    until: Option<Date>,
) -> Result<Made, CliError> {
    let set: BTreeMap<String, String> = wanted
        .set
        .iter()
        .map(|pair| {
            let (name, text) =
                pair.split_once('=').ok_or_else(|| CliError::said(format!("--set {pair}: write name=text")))?;
            Ok((name.to_owned(), text.to_owned()))
        })
        .collect::<Result<_, CliError>>()?;
    let claimed = wanted.claimed_since.map(since).transpose()?;
    let wanted = renkei_exchange::Wanted {
        connection: place.id(),
        status,
        methods: wanted.methods,
        set: &set,
        most: usize::MAX,
        most_bytes: usize::MAX,
        // What cannot be taken any more is left out and named.
        to_take: false,
        ship_until: until,
        claimed: claimed.map(|since| since..=Timestamp::MAX),
    };
    Ok(renkei_exchange::render(&place.tenant, &place.settings, layout, &wanted, Timestamp::now()).await?)
}

/// Reads a file of results.
pub async fn results(
    stack: &Stack,
    layout_name: &str,
    tenant: Option<&str>,
    connection: Option<&str>,
    file: &Path,
    json: bool,
) -> Result<Exit, CliError> {
    let layout = layout(layout_name)?;
    let bytes =
        std::fs::read(file).map_err(|error| CliError::said(format!("{} cannot be read: {error}", file.display())))?;
    let scope = Scope { tenant: tenant.map(str::to_owned), connection: connection.map(str::to_owned) };
    let places = stack.connections(&scope).await?;
    // Where there is one shop only, nobody has to name it.
    let only: Option<ConnectionId> = match places.as_slice() {
        [place] => Some(place.id().clone()),
        _ => None,
    };
    let read = results::read(&layout, only.as_ref(), &bytes);
    let lines: Vec<ResultLine> = futures::stream::iter(read.rows)
        .map(|row| {
            let place = one_of(&places, &row.id.connection);
            async move {
                let tenant = place?.map(|place| &place.tenant);
                Ok::<_, CliError>(renkei_exchange::ship(tenant, row, Timestamp::now()).await?)
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    report(&read.problems);
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for line in &lines {
        *counts.entry(line.outcome).or_default() += 1;
        if json {
            output::json_line(line)?;
        } else if !line.is_taken() {
            eprintln!("row {} ({}): {}", line.row, line.id, line.outcome);
        }
    }
    let refused = counts.iter().any(|(outcome, _)| !matches!(*outcome, "shipped" | "corrected" | "known"));
    if !json {
        let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
        output::line(format!(
            "{counts}; {} rows without a number, {} with problems",
            read.without_number,
            read.problems.len()
        ))?;
    }
    Ok(if refused || !read.problems.is_empty() { Exit::NeedsPerson } else { Exit::Done })
}

/// The place of a connection. Two merchants may call a shop alike: then it must be said whose is meant.
fn one_of<'a>(places: &'a [Found], connection: &ConnectionId) -> Result<Option<&'a Found>, CliError> {
    let mut found = places.iter().filter(|place| place.id() == connection);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => {
            Err(CliError::said(format!("several tenants have a connection {connection}; say which with --tenant")))
        }
    }
}

/// Problems name rows and columns. They may quote an address: they are for the person at the keyboard, and never logged.
fn report(problems: &[Problem]) {
    for problem in problems.iter().take(SHOWN) {
        eprintln!("{}", output::plain(&problem.to_string()));
    }
    if problems.len() > SHOWN {
        eprintln!("… and {} more", problems.len() - SHOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_what_is_ready_takes_what_is_due_today_in_japan() {
        // Half past midnight of the 25th in Japan.
        let now = "2026-11-24T15:30:00Z".parse().unwrap();
        let until = |text| ship_until(text, Status::Ready, now).unwrap().map(|day| day.to_string());
        assert_eq!(until(None).as_deref(), Some("2026-11-25"));
        assert_eq!(until(Some("2026-12-01")).as_deref(), Some("2026-12-01"));
        assert_eq!(until(Some("all")), None);
        let wrong = ship_until(Some("soon"), Status::Ready, now).unwrap_err().to_string();
        assert!(wrong.contains("2026-11-25") && wrong.contains("all"), "{wrong}");
    }

    #[test]
    fn what_was_taken_is_written_again_whatever_its_day() {
        let until = |text| ship_until(text, Status::Picking, Timestamp::UNIX_EPOCH);
        assert_eq!(until(None).unwrap(), None);
        assert_eq!(until(Some("all")).unwrap(), None);
        assert!(until(Some("2026-12-01")).is_err());
    }

    #[test]
    fn what_stays_is_said_where_there_is_any() {
        let day = Some("2026-11-25".parse().unwrap());
        assert_eq!(staying(3, day), "; 3 later, to leave after 2026-11-25");
        assert_eq!((staying(0, day), staying(0, None)), (String::new(), String::new()));
    }
}
