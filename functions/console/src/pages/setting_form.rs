//! 発送元, API認証設定 and 配送方法 as forms: one of them at a time, checked with everything around it while it is written,
//! and put in force like any other change. What it makes is the same part of the document that people may write by hand;
//! see [`super::setting_fields`].

mod in_use;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::document;
use renkei_domain::settings::TenantSettings;
use renkei_store::settings::AppliedSettings;
use serde::Deserialize;
use serde_json::Value;

use self::in_use::in_use;
use super::proposal;
use super::said::{Choice, Said, said};
use super::setting_fields::{self, Entry, Field, Group, Input, Kind};
use super::{Form, sentences};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

#[derive(Template)]
#[template(path = "setting_form.html")]
struct FormPage {
    s: Shell,
    kind: Kind,
    /// The id in the address.
    id: String,
    is_new: bool,
    version: u64,
    settings: TenantSettings,
    groups: Vec<Group>,
    entry: Entry,
    looked_at: Looked,
    /// The address that merchants register for this service at their shop; empty if the deployment has none.
    service_email: String,
}

/// What looking at a form found.
#[derive(Default)]
struct Looked {
    problems: Vec<Said>,
    warnings: Vec<String>,
    /// It was looked at and is right.
    is_good: bool,
    /// What taking it away would change.
    removal: Option<Vec<String>>,
}

impl Looked {
    fn wrong(problems: Vec<Said>) -> Self {
        Self { problems, ..Self::default() }
    }
}

impl FormPage {
    fn address(&self) -> String {
        self.s.to(&format!("/setting/{}/{}", self.kind.as_str(), self.id))
    }
    fn words(&self) -> &'static str {
        self.kind.words(self.s.lang)
    }
    fn text(&self, field: &Field) -> &str {
        self.entry.get(&field.key)
    }
    fn choices(&self, field: &Field) -> Option<Vec<Choice>> {
        setting_fields::choices(field.input, self.text(field), &self.settings, self.s.lang)
    }
    /// An id is named by others: it does not change.
    fn is_fixed(&self, field: &Field) -> bool {
        field.key == "id" && !self.is_new
    }
    fn is_secret(&self, field: &Field) -> bool {
        field.input == Input::Secret
    }
    fn is_number(&self, field: &Field) -> bool {
        field.input == Input::Number
    }
    fn is_lines(&self, field: &Field) -> bool {
        field.input == Input::Lines
    }
    fn is_box(&self, field: &Field) -> bool {
        field.input == Input::Yes
    }
}

/// What an address names.
#[derive(Deserialize)]
pub struct Which {
    kind: Kind,
    id: String,
}

/// What its query says.
#[derive(Deserialize)]
pub struct Opened {
    new: Option<String>,
}

/// A part of the settings that a page opened, at its place in all of them.
struct Open {
    which: Which,
    is_new: bool,
    version: u64,
    settings: TenantSettings,
    groups: Vec<Group>,
    /// Its place in its list.
    place: usize,
    /// What the document says of it; what a new one begins with.
    item: Value,
}

fn open(which: Which, is_new: bool, version: u64, applied: AppliedSettings, shell: &Shell) -> Result<Open, Problem> {
    let settings = applied.settings;
    let ids = which.kind.ids(&settings);
    let place = if is_new { Some(ids.len()) } else { ids.iter().position(|id| *id == which.id) };
    let place = place.ok_or_else(Problem::not_found)?;
    let item = if is_new {
        setting_fields::blank(which.kind, &settings)
    } else {
        let whole = serde_json::to_value(&settings).map_err(|_| Problem::ours("settings that are not JSON"))?;
        let item = whole.get(which.kind.list()).and_then(|list| list.get(place)).cloned();
        item.ok_or_else(|| Problem::ours("settings that do not hold what they hold"))?
    };
    let groups = setting_fields::groups(which.kind, &settings, shell.lang);
    Ok(Open { which, is_new, version, settings, groups, place, item })
}

fn page(app: &App<Settings>, caller: Caller, open: Open, entry: Entry, looked_at: Looked) -> Result<Response, Problem> {
    let page = FormPage {
        kind: open.which.kind,
        id: open.which.id,
        is_new: open.is_new,
        version: open.version,
        settings: open.settings,
        groups: open.groups,
        entry,
        looked_at,
        service_email: app.part.shops.service_email().to_owned(),
        s: caller.shell,
    };
    Ok(Html(page.render()?).into_response())
}

/// Shows it.
pub async fn show(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    Query(opened): Query<Opened>,
) -> Result<Response, Problem> {
    let applied = caller.settings().await?;
    let version = applied.version;
    let open = open(which, opened.new.is_some(), version, applied, &caller.shell)?;
    let entry = Entry::of(&open.groups, &open.item);
    if !entry.fits_a_form(&open.groups) {
        return Err(Problem::bad(
            "フォームの欄に入れると変わってしまう文字（改行や制御文字）があります。設定文書で編集してください。",
            "This has characters that a form would change (line ends, control characters). Edit the document.",
        ));
    }
    page(&app, caller, open, entry, Looked::default())
}

/// What its buttons do: looked at while it is written, saved, taken away in two steps.
pub async fn change(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let open = open(which, form.get("manner") == "new", form.version()?, applied, &caller.shell)?;
    let mut entry = Entry::read(&open.groups, &form);
    if !open.is_new {
        entry.keep_id(&open.which.id);
    }
    match form.get("do").as_str() {
        what @ ("remove" | "remove-now") if !open.is_new => {
            let looked_at = match remove(&app, &caller, &open, what == "remove-now").await? {
                Removed::Not(looked_at) => looked_at,
                Removed::Done => return Ok(back(&caller, "removed", open.which.kind, "")),
            };
            page(&app, caller, open, entry, looked_at)
        }
        "save" => match judge(&app, &open, &entry, &caller.shell) {
            Err(problems) => page(&app, caller, open, entry, Looked::wrong(problems)),
            Ok((whole, _)) => {
                let problems = save(&app, &caller, &open, whole, &entry, &form).await?;
                match problems {
                    None => Ok(back(&caller, "saved", open.which.kind, entry.get("id"))),
                    Some(problems) => page(&app, caller, open, entry, Looked::wrong(problems)),
                }
            }
        },
        _ => {
            let looked_at = match judge(&app, &open, &entry, &caller.shell) {
                Err(mut problems) => {
                    // What is still to be written is no mistake yet.
                    problems.retain(|problem| problem.at.as_deref().is_none_or(|at| !entry.get(at).trim().is_empty()));
                    Looked::wrong(problems)
                }
                Ok((_, warnings)) => Looked { warnings, is_good: true, ..Looked::default() },
            };
            page(&app, caller, open, entry, looked_at)
        }
    }
}

/// To the settings, which say what was done.
fn back(caller: &Caller, done: &str, kind: Kind, id: &str) -> Response {
    let id = super::encoded(id);
    let to = caller.shell.to(&format!("/settings?{done}={}&id={id}#{}", kind.as_str(), kind.list()));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// The whole document that a form would make, and what is worth a second look; or what is wrong, each at its field.
fn judge(app: &App<Settings>, open: &Open, entry: &Entry, shell: &Shell) -> Result<(String, Vec<String>), Vec<Said>> {
    let list = open.which.kind.list();
    let mut item = open.item.clone();
    entry.put(&open.groups, &mut item);
    let Some(whole) = setting_fields::within(open.which.kind, &open.settings, open.place, item) else {
        return Err(vec![Said::of_all(shell.l("設定を読み取れません。", "The settings cannot be read.").to_owned())]);
    };
    let below = format!("{list}[{}]", open.place);
    match proposal::read(app, &whole.to_string()) {
        Err(problems) => {
            let places = places(&open.groups);
            Err(problems.iter().map(|problem| said(shell.lang, &places, &below, problem)).collect())
        }
        Ok(read) => {
            let own = read.warnings.iter().filter(|warning| warning.path.starts_with(&below) || warning.path == list);
            let warnings = own.map(|warning| sentences::said(shell.lang, &warning.sentence)).collect();
            Ok((document::write(&read.settings), warnings))
        }
    }
}

/// Where the parts of the document stand in the form.
fn places(groups: &[Group]) -> Vec<(String, String, String)> {
    let mut places = Vec::new();
    for field in groups.iter().flat_map(|group| &group.fields) {
        let mut put = |path: &str| places.push((path.to_owned(), field.key.to_string(), field.label.to_string()));
        match field.input {
            Input::SignIn => {
                put("password");
                put("token");
            }
            _ => put(&field.key),
        }
    }
    places
}

/// Puts it in force. Gives what is wrong otherwise.
async fn save(
    app: &App<Settings>,
    caller: &Caller,
    open: &Open,
    whole: String,
    entry: &Entry,
    form: &Form,
) -> Result<Option<Vec<Said>>, Problem> {
    let id = entry.get("id");
    // What was entered is this shop's; all others go on with what is stored.
    let secrets = match open.which.kind {
        Kind::Connection => Form(vec![(format!("secret.{id}"), form.get("secret"))]),
        Kind::ShipFrom | Kind::ShippingMethod => Form::default(),
    };
    let proposal = proposal::check(app, caller, whole, open.version, Some(&secrets)).await?;
    let Err(problems) = proposal::enforce(app, caller, &proposal).await? else { return Ok(None) };
    let own = format!("{id}: ");
    let label = open.groups.iter().flat_map(|group| &group.fields).find(|field| field.input == Input::Secret);
    let problems = problems.into_iter().map(|text| match (text.strip_prefix(&own), label) {
        (Some(text), Some(field)) => {
            let text = sentences::said(caller.shell.lang, text);
            Said { at: Some(field.key.to_string()), label: field.label.to_string(), text }
        }
        _ => Said::of_all(sentences::line(caller.shell.lang, &text)),
    });
    Ok(Some(problems.collect()))
}

/// What became of a wish to take something away.
enum Removed {
    Done,
    /// It is shown what would change, or what stands against it.
    Not(Looked),
}

async fn remove(app: &App<Settings>, caller: &Caller, open: &Open, is_sure: bool) -> Result<Removed, Problem> {
    let lang = caller.shell.lang;
    let users = in_use(lang, open.which.kind, &open.settings, &open.which.id);
    if !users.is_empty() {
        return Ok(Removed::Not(Looked::wrong(users.into_iter().map(Said::of_all).collect())));
    }
    let mut settings = open.settings.clone();
    open.which.kind.remove(&mut settings, &open.which.id);
    let text = document::write(&settings);
    let proposal = proposal::check(app, caller, text, open.version, Some(&Form::default())).await?;
    let problems = match &proposal.outcome {
        Err(problems) => problems.clone(),
        Ok(ready) if !is_sure => {
            return Ok(Removed::Not(Looked { removal: Some(ready.changes(lang)), ..Looked::default() }));
        }
        Ok(_) => match proposal::enforce(app, caller, &proposal).await? {
            Ok(_) => return Ok(Removed::Done),
            Err(problems) => problems,
        },
    };
    let list = open.which.kind.list();
    let problems = problems.iter().map(|text| Said::of_all(sentences::line(lang, of_list(list, text))));
    Ok(Removed::Not(Looked::wrong(problems.collect())))
}

/// A problem without its place, where that is the list of what the form is about: the sentence names which of it.
fn of_list<'t>(list: &str, problem: &'t str) -> &'t str {
    let rest = problem.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).map_or(problem, |(_, rest)| rest);
    rest.strip_prefix(list).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn a_problem_of_the_list_stands_without_it() {
        let open = "dc is not in the document any more, but has open shipments: 2 ready (出荷待ち)";
        assert_eq!(of_list("ship_froms", &format!("line 7: ship_froms: {open}")), open);
        assert_eq!(of_list("ship_froms", open), open);
        let other = "line 7: connections[0].api_url: the API URL is too long";
        assert_eq!(of_list("connections", other), other);
    }

    #[test]
    fn every_field_can_be_led_to() {
        let settings: TenantSettings = serde_json::from_value(serde_json::json!({ "tenant": "a" })).unwrap();
        for kind in [Kind::ShipFrom, Kind::Connection, Kind::ShippingMethod] {
            let places = places(&setting_fields::groups(kind, &settings, Lang::Ja));
            let problem =
                |path: &str| document::Problem { line: 1, column: 1, path: path.into(), sentence: "x".into() };
            let at = |path: &str| said(Lang::Ja, &places, "all[0]", &problem(&format!("all[0].{path}"))).at;
            assert_eq!(at("id").as_deref(), Some("id"), "{kind:?}");
            if kind == Kind::Connection {
                assert_eq!(at("states.cancelled[1]").as_deref(), Some("states.cancelled"));
                assert_eq!(at("token.env").as_deref(), Some("sign_in"));
            }
        }
    }
}
