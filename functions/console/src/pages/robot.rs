//! One robot, as its piece of the document: looked at, tried on a real order while it is being written, saved through the
//! same checks as the whole document.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use futures::future::try_join_all;
use renkei_domain::document;
use renkei_domain::ids::ShipmentId;
use renkei_domain::settings::{EnabledRobot, STANDARD_CONVERSION, STANDARD_CONVERSION_NAME, TenantSettings};
use renkei_setup::try_robot::{self, Subject, TrialLine, TryError};
use serde::Deserialize;

use super::foreseen::Shown;
use super::opening::{Manner, Opening};
use super::piece::{self, Kind};
use super::said::{Choice, several};
use super::{Form, Page, dry_run, proposal, sentences, trial_words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// Latest orders of each shop that a robot may be tried on.
const ORDERS: usize = 10;

#[derive(Template)]
#[template(path = "robot.html")]
struct RobotPage {
    s: Shell,
    kind: Kind,
    id: String,
    name: String,
    manner: Manner,
    /// Built in: it can be tried and copied, not changed.
    is_fixed: bool,
    text: String,
    version: u64,
    orders: Vec<(String, String)>,
    chosen: String,
    problems: Vec<String>,
    trial: Option<Tried>,
    /// Shops on whose open shipments a processing robot may be tried.
    shops: Vec<String>,
    shop: String,
    /// Conversion robots that a built-in robot may be tied to; none where it is off, or not built in.
    ties: Vec<Choice>,
}

/// What a trial found.
pub(super) enum Tried {
    /// On one order.
    One(TrialLine),
    /// On all open shipments of a shop.
    Open(String, Shown),
}

/// The shops on whose open shipments a robot of this kind may be tried.
pub(super) fn shops(settings: &TenantSettings, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Processing => settings.connections.iter().map(|connection| connection.id.to_string()).collect(),
        Kind::Conversion | Kind::Integration => Vec::new(),
    }
}

/// All conversion robots: id and name.
pub(super) fn conversions(settings: &TenantSettings) -> impl Iterator<Item = (String, String)> {
    let standard = (STANDARD_CONVERSION.to_string(), STANDARD_CONVERSION_NAME.to_owned());
    let own = settings.conversion_robots.iter().map(|own| (own.id.to_string(), own.name.clone()));
    std::iter::once(standard).chain(own)
}

/// The conversion robots that a built-in robot which is on may be tied to; those that it is first.
fn ties(settings: &TenantSettings, which: &Which) -> Vec<Choice> {
    let on = settings.processing_robots.enable.iter().find(|robot| robot.id().as_str() == which.id);
    let tied = on.filter(|_| which.kind == Kind::Processing).map(EnabledRobot::conversion_robots);
    tied.map_or_else(Vec::new, |tied| {
        let tied: Vec<String> = tied.iter().map(ToString::to_string).collect();
        several(conversions(settings), &tied)
    })
}

/// The robot that an address names.
#[derive(Deserialize)]
pub struct Which {
    pub(super) kind: Kind,
    pub(super) id: String,
}

/// What its query says.
#[derive(Deserialize)]
pub struct Opened {
    copy: Option<String>,
    new: Option<String>,
}

impl Opened {
    pub(super) fn manner(&self) -> Manner {
        Manner::of(self.copy.is_some(), self.new.is_some())
    }
}

/// A robot's piece of the document, as somebody wrote it.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) version: u64,
    pub(super) problems: Vec<String>,
}

pub(super) async fn latest_orders(
    caller: &Caller,
    settings: &TenantSettings,
) -> Result<Vec<(String, String)>, Problem> {
    let latest =
        try_join_all(settings.connections.iter().map(|it| caller.tenant.latest_orders(&it.id, ORDERS))).await?;
    Ok(latest
        .into_iter()
        .flatten()
        .map(|shipment| (shipment.id.to_string(), format!("{} ({})", shipment.order_number, shipment.id.connection)))
        .collect())
}

/// Shows it.
pub async fn show(
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    Query(opened): Query<Opened>,
) -> Page {
    let applied = caller.settings().await?;
    let manner = opened.manner();
    let opening = Opening::of(&applied.settings, which.kind, &which.id, manner, &caller.shell)?;
    let text = piece::cut(&document::write(&opening.settings), which.kind, opening.place)
        .ok_or_else(|| Problem::ours("a robot that its document does not hold"))?;
    let page = RobotPage {
        ties: ties(&applied.settings, &which),
        kind: which.kind,
        id: which.id,
        name: opening.name,
        manner,
        is_fixed: opening.is_fixed,
        text: text.text,
        version: applied.version,
        orders: if caller.shell.may("admin") { latest_orders(&caller, &applied.settings).await? } else { Vec::new() },
        chosen: String::new(),
        problems: Vec::new(),
        trial: None,
        shops: shops(&applied.settings, which.kind),
        shop: String::new(),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Shows what was written in its form, to be written on as text.
pub(super) async fn as_text(
    caller: Caller,
    which: Which,
    manner: Manner,
    settings: &TenantSettings,
    name: String,
    written: Written,
) -> Result<Response, Problem> {
    let Written { text, version, problems } = written;
    let page = RobotPage {
        ties: Vec::new(),
        kind: which.kind,
        id: which.id,
        name,
        manner,
        is_fixed: false,
        text,
        version,
        orders: latest_orders(&caller, settings).await?,
        chosen: String::new(),
        problems,
        trial: None,
        shops: shops(settings, which.kind),
        shop: String::new(),
        s: caller.shell,
    };
    Ok(Html(page.render()?).into_response())
}

/// What a form holds: the piece put into the whole document.
struct Edited {
    piece: String,
    whole: String,
    /// Lines of the whole before the piece.
    before: usize,
    place: usize,
    manner: Manner,
    name: String,
    is_fixed: bool,
}

fn edited(settings: &TenantSettings, which: &Which, form: &Form, shell: &Shell) -> Result<Edited, Problem> {
    let manner = Manner::read(form);
    let opening = Opening::of(settings, which.kind, &which.id, manner, shell)?;
    let written = document::write(&opening.settings);
    let piece = form.get("text").replace("\r\n", "\n");
    let (whole, before) = piece::put(&written, which.kind, opening.place, &piece)
        .ok_or_else(|| Problem::ours("a robot that its document does not hold"))?;
    let (place, name, is_fixed) = (opening.place, opening.name, opening.is_fixed);
    Ok(Edited { piece, whole, before, place, manner, name, is_fixed })
}

/// A problem of the whole, as one of the piece, in the page's language.
fn told(shell: &Shell, problem: &str, before: usize) -> String {
    sentences::line(shell.lang, &piece::in_piece(problem, before))
}

/// What would become of an order if the robot were so. Changes nothing.
pub async fn try_it(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Page {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let edited = edited(&applied.settings, &which, &form, &caller.shell)?;
    let (mut problems, mut trial) = (Vec::new(), None);
    match proposal::read(&app, &edited.whole) {
        Err(found) => {
            problems = found.iter().map(|problem| told(&caller.shell, &problem.to_string(), edited.before)).collect();
        }
        Ok(document) => {
            let what = What { kind: which.kind, place: edited.place, is_built_in: edited.is_fixed };
            match tried(&app, &caller, &document.settings, what, &form).await? {
                Ok(found) => trial = found,
                Err(sentence) => problems.push(sentence),
            }
        }
    }
    let page = RobotPage {
        ties: ties(&applied.settings, &which),
        kind: which.kind,
        id: which.id,
        name: edited.name,
        manner: edited.manner,
        is_fixed: edited.is_fixed,
        text: edited.piece,
        version: form.version()?,
        orders: latest_orders(&caller, &applied.settings).await?,
        chosen: form.get("shipment"),
        problems,
        trial,
        shops: shops(&applied.settings, which.kind),
        shop: form.get("shop"),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// The robot that is tried: its place in settings that hold it.
#[derive(Clone, Copy)]
pub(super) struct What {
    pub(super) kind: Kind,
    pub(super) place: usize,
    pub(super) is_built_in: bool,
}

/// Tries a robot on what its page chose: one order, or by its button all open shipments of a shop. Nothing was chosen where
/// the answer has nothing. Changes nothing.
pub(super) async fn tried(
    app: &App<Settings>,
    caller: &Caller,
    settings: &TenantSettings,
    what: What,
    form: &Form,
) -> Result<Result<Option<Tried>, String>, Problem> {
    let (shipment, shop) = (form.get("shipment"), form.get("shop"));
    if form.get("do") == "try-open" && what.kind == Kind::Processing {
        let robot = settings.processing_robots.custom.get(what.place).ok_or_else(Problem::not_found)?;
        let found = dry_run::on_open(app, caller, settings, &shop, robot, what.is_built_in).await?;
        return Ok(found.map(|shown| Some(Tried::Open(shop, shown))));
    }
    // An integration robot does something with many orders, not with one.
    if shipment.is_empty() || what.kind == Kind::Integration {
        return Ok(Ok(None));
    }
    let found = tried_on(caller, settings, what, shipment).await?;
    Ok(found.map(|line| Some(Tried::One(line))))
}

async fn tried_on(
    caller: &Caller,
    settings: &TenantSettings,
    What { kind, place, is_built_in }: What,
    shipment: String,
) -> Result<Result<TrialLine, String>, Problem> {
    let id = ShipmentId::try_from(shipment).map_err(|_| Problem::not_found())?;
    let shipment = caller.tenant.shipment(&id).await?.ok_or_else(Problem::not_found)?;
    let connection = settings.connection(&id.connection).ok_or_else(Problem::not_found)?;
    let detail = caller.tenant.details(std::slice::from_ref(&shipment)).await?.pop();
    let detail = detail.ok_or_else(|| Problem::ours("a shipment without a detail"))?;
    let subject = Subject { tenant: &caller.tenant, settings, connection, shipment: &shipment, detail: &detail };
    let line = match kind {
        Kind::Processing => {
            let robot = settings.processing_robots.custom.get(place).cloned().ok_or_else(Problem::not_found)?;
            try_robot::processing(&subject, robot, is_built_in, caller.now).await
        }
        Kind::Conversion => {
            let robot = settings.conversion_robots.get(place).ok_or_else(Problem::not_found)?;
            try_robot::conversion(&subject, Some(robot))
        }
        Kind::Integration => return Err(Problem::not_found()),
    };
    match line {
        Ok(line) => Ok(Ok(trial_words::line(caller.shell.lang, settings, line))),
        Err(TryError::Robot(sentence)) => Ok(Err(sentences::line(caller.shell.lang, &sentence))),
        Err(TryError::Store(error)) => Err(error.into()),
    }
}

/// Saves it, over the version that it was made from.
pub async fn save(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let edited = edited(&applied.settings, &which, &form, &caller.shell)?;
    if edited.is_fixed {
        return Err(Problem::bad(
            "標準のロボットは変更できません。コピーしてください。",
            "A built-in robot cannot be changed; copy it.",
        ));
    }
    let proposal = proposal::check(&app, &caller, edited.whole, form.version()?, Some(&Form::default())).await?;
    match proposal::enforce(&app, &caller, &proposal).await? {
        Ok(_) => Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/robots?done"))]).into_response()),
        Err(problems) => {
            let page = RobotPage {
                ties: Vec::new(),
                kind: which.kind,
                id: which.id,
                name: edited.name,
                manner: edited.manner,
                is_fixed: false,
                text: edited.piece,
                version: form.version()?,
                orders: latest_orders(&caller, &applied.settings).await?,
                chosen: form.get("shipment"),
                problems: problems.iter().map(|problem| told(&caller.shell, problem, edited.before)).collect(),
                trial: None,
                shops: shops(&applied.settings, which.kind),
                shop: form.get("shop"),
                s: caller.shell,
            };
            Ok(Html(page.render()?).into_response())
        }
    }
}
