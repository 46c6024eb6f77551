//! One robot as a form: every part of it a field, rows added and taken away by buttons, tried on a real order while it is
//! being written. What it makes is the same piece of the document that the robot's text is, and is checked and saved by
//! the same code; see [`super::draft`].

mod view;

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

use self::view::{FormPage, Looked, places};
use super::draft::Draft;
use super::opening::{Manner, Opening};
use super::piece::{self, Kind};
use super::robot::{self, Opened, Tried, What, Which};
use super::said::{Said, said};
use super::{Form, proposal, sentences};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// A form as the whole document that it would make.
struct Judged {
    whole: String,
    /// What the whole says, where it can be in force.
    settings: Option<TenantSettings>,
    looked_at: Looked,
}

fn judge(app: &App<Settings>, draft: &Draft, kind: Kind, opening: &mut Opening, shell: &Shell) -> Judged {
    let places = places(draft, shell);
    let value = match draft.json() {
        Ok(value) => value,
        Err(faults) => {
            let problems = faults
                .into_iter()
                .map(|fault| {
                    let label = places.iter().find(|(_, at, _)| *at == fault.at).map(|(_, _, label)| label.clone());
                    Said {
                        label: label.unwrap_or_default(),
                        at: Some(fault.at),
                        text: shell.l(fault.ja, fault.en).to_owned(),
                    }
                })
                .collect();
            let looked_at = Looked { problems, ..Looked::default() };
            return Judged { whole: String::new(), settings: None, looked_at };
        }
    };
    let before = document::write(&opening.settings);
    let whole = if opening.put(kind, &value) {
        document::write(&opening.settings)
    } else {
        // It is no robot: what is wrong with it is said by who reads documents.
        piece::put(&before, kind, opening.place, &value.to_string()).map(|(whole, _)| whole).unwrap_or_default()
    };
    let below = format!("{}[{}]", kind.path(), opening.place);
    match proposal::read(app, &whole) {
        Err(found) => {
            let problems = found.iter().map(|problem| said(shell.lang, &places, &below, problem)).collect();
            Judged { whole, settings: None, looked_at: Looked { problems, ..Looked::default() } }
        }
        Ok(read) => {
            let own = read.warnings.iter().filter(|warning| warning.path.starts_with(&below));
            let warnings = own.map(|warning| sentences::said(shell.lang, &warning.sentence)).collect();
            let looked_at = Looked { warnings, is_good: true, ..Looked::default() };
            Judged { whole, settings: Some(read.settings), looked_at }
        }
    }
}

/// A page's parts that its form does not hold.
struct Frame {
    which: Which,
    manner: Manner,
    version: u64,
    name: String,
    settings: TenantSettings,
    chosen: String,
    shop: String,
}

async fn page(
    caller: Caller,
    frame: Frame,
    draft: Draft,
    looked_at: Looked,
    trial: Option<Tried>,
    focus: String,
) -> Result<Response, Problem> {
    let Frame { which, manner, version, name, settings, chosen, shop } = frame;
    let orders =
        if which.kind == Kind::Integration { Vec::new() } else { robot::latest_orders(&caller, &settings).await? };
    let page = FormPage {
        kind: which.kind,
        id: which.id,
        name,
        manner,
        version,
        draft,
        shops: robot::shops(&settings, which.kind),
        shop,
        settings,
        orders,
        chosen,
        looked_at,
        trial,
        focus,
        s: caller.shell,
    };
    Ok(Html(page.render()?).into_response())
}

fn not_a_form() -> Problem {
    Problem::bad(
        "このロボットには、フォームの欄に入れると変わってしまう文字（改行や制御文字）があります。YAMLのまま編集してください。",
        "This robot has characters that a form would change (line ends, control characters). Edit its text.",
    )
}

fn fixed() -> Problem {
    Problem::bad("標準のロボットは変更できません。コピーしてください。", "A built-in robot cannot be changed; copy it.")
}

/// Shows it.
pub async fn show(
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    Query(opened): Query<Opened>,
) -> Result<Response, Problem> {
    let applied = caller.settings().await?;
    let manner = opened.manner();
    let opening = Opening::of(&applied.settings, which.kind, &which.id, manner, &caller.shell)?;
    if opening.is_fixed {
        return Err(fixed());
    }
    let draft = opening.draft(which.kind).ok_or_else(Problem::not_found)?;
    if !draft.fits_a_form() {
        return Err(not_a_form());
    }
    let frame = Frame {
        which,
        manner,
        version: applied.version,
        name: opening.name,
        settings: applied.settings,
        chosen: String::new(),
        shop: String::new(),
    };
    page(caller, frame, draft, Looked::default(), None, String::new()).await
}

/// What its buttons do: a row more or less, a trial, over to the text and back, saved.
pub async fn change(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let manner = Manner::read(&form);
    let mut opening = Opening::of(&applied.settings, which.kind, &which.id, manner, &caller.shell)?;
    if opening.is_fixed {
        return Err(fixed());
    }
    let what = form.get("do");
    if what == "from-text" {
        return from_text(app, caller, which, form, manner, opening, applied.settings).await;
    }
    let mut draft = Draft::read(which.kind, &form);
    let frame = Frame {
        which,
        manner,
        version: form.version()?,
        name: opening.name.clone(),
        settings: applied.settings.clone(),
        chosen: form.get("shipment"),
        shop: form.get("shop"),
    };
    if !matches!(what.as_str(), "" | "try" | "try-open" | "save" | "to-text") {
        let focus = draft.step(&what, &form.get("new")).unwrap_or_default();
        return page(caller, frame, draft, Looked::default(), None, focus).await;
    }
    let judged = judge(&app, &draft, frame.which.kind, &mut opening, &caller.shell);
    let mut looked_at = judged.looked_at;
    let Some(settings) = judged.settings else {
        // Over to the text goes what is a robot, if not a right one.
        return page(caller, frame, draft, looked_at, None, String::new()).await;
    };
    match what.as_str() {
        "save" => {
            let proposal = proposal::check(&app, &caller, judged.whole, frame.version, Some(&Form::default())).await?;
            match proposal::enforce(&app, &caller, &proposal).await? {
                Ok(_) => Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/robots?done"))]).into_response()),
                Err(problems) => {
                    let lang = caller.shell.lang;
                    let problems = problems.into_iter().map(|text| sentences::line(lang, &text));
                    let problems = problems.map(Said::of_all);
                    looked_at = Looked { problems: problems.collect(), ..Looked::default() };
                    page(caller, frame, draft, looked_at, None, String::new()).await
                }
            }
        }
        "to-text" => {
            let text = piece::cut(&document::write(&settings), frame.which.kind, opening.place)
                .ok_or_else(|| Problem::ours("a robot that its document does not hold"))?;
            let text = robot::Written { text: text.text, version: frame.version, problems: Vec::new() };
            robot::as_text(caller, frame.which, manner, &frame.settings, opening.name, text).await
        }
        _ => {
            let mut trial = None;
            let tried = What { kind: frame.which.kind, place: opening.place, is_built_in: false };
            match robot::tried(&app, &caller, &settings, tried, &form).await? {
                Ok(found) => trial = found,
                Err(text) => looked_at.problems.push(Said::of_all(text)),
            }
            page(caller, frame, draft, looked_at, trial, String::new()).await
        }
    }
}

/// A form of what stands in the text, with changes that are not saved.
async fn from_text(
    app: Arc<App<Settings>>,
    caller: Caller,
    which: Which,
    form: Form,
    manner: Manner,
    opening: Opening,
    current: TenantSettings,
) -> Result<Response, Problem> {
    let text = form.get("text").replace("\r\n", "\n");
    let written = document::write(&opening.settings);
    let (whole, before) = piece::put(&written, which.kind, opening.place, &text)
        .ok_or_else(|| Problem::ours("a robot that its document does not hold"))?;
    let (version, name) = (form.version()?, opening.name.clone());
    let problems = match proposal::read(&app, &whole) {
        Err(found) => found
            .iter()
            .map(|problem| sentences::line(caller.shell.lang, &piece::in_piece(&problem.to_string(), before)))
            .collect(),
        Ok(read) => {
            let opening = Opening { settings: read.settings, ..opening };
            let draft = opening.draft(which.kind).ok_or_else(Problem::not_found)?;
            if draft.fits_a_form() {
                let frame = Frame {
                    which,
                    manner,
                    version,
                    name: opening.name,
                    settings: current,
                    chosen: form.get("shipment"),
                    shop: form.get("shop"),
                };
                return page(caller, frame, draft, Looked::default(), None, String::new()).await;
            }
            let Problem { ja, en, .. } = not_a_form();
            vec![caller.shell.l(&ja, &en).to_owned()]
        }
    };
    let text = robot::Written { text, version, problems };
    robot::as_text(caller, which, manner, &current, name, text).await
}

#[cfg(test)]
mod tests {
    use renkei_domain::document::Problem;

    use super::*;
    use crate::lang::Lang;

    #[test]
    fn the_help_beside_templates_has_every_filter() {
        let help = include_str!("../../../templates/template_help.html");
        for filter in renkei_domain::convert::FILTERS {
            assert!(help.contains(&format!("<dt><code>{filter}</code></dt>")), "{filter}");
        }
    }

    #[test]
    fn a_problem_leads_to_the_row_that_it_is_about() {
        let form =
            "id=a&name=b&run=on_import&c.how=all&c.0.field=a&c.1.how=any&c.1.0.how=not&c.1.0.0.field=b&a.0.kind=tag";
        let draft = Draft::read(Kind::Processing, &Form::read(form.as_bytes()));
        let places = places(&draft, &Shell::default());
        let below = "processing_robots.custom[2]";
        let at = |path: &str| {
            let path = format!("{below}{path}");
            said(Lang::En, &places, below, &Problem { line: 1, column: 1, path, sentence: "x".into() }).at
        };
        assert_eq!(at(".when.all[1].any[0].not.field").as_deref(), Some("c.1.0.0"));
        assert_eq!(at(".when.all[0].equals").as_deref(), Some("c.0"));
        assert_eq!(at(".when.all[10]").as_deref(), Some("c"));
        assert_eq!(at(".do[0].tag").as_deref(), Some("a.0"));
        assert_eq!(at(".do").as_deref(), Some("a"));
        assert_eq!(at(".name").as_deref(), Some("name"));
        assert_eq!(at(".nonsense"), None);
    }
}
