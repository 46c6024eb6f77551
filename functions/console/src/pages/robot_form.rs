//! One robot as a form: every part of it a field, rows added and taken away by buttons, tried on a real order while it is
//! being written. What it makes is the same piece of the document that the robot's text is, and is checked and saved by
//! the same code; see [`super::draft`].

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::convert;
use renkei_domain::document;
use renkei_domain::processing::{self, built_in};
use renkei_domain::settings::{Action, Temperature, TenantSettings};
use renkei_domain::shipment::HoldReason;

use super::draft::{self, Conversion, Draft, Input, Integration, Node, Processing};
use super::opening::{Manner, Opening};
use super::piece::{self, Kind};
use super::robot::{self, Opened, Tried, What, Which};
use super::said::{Choice, Said, chosen, owned, said, several};
use super::{Form, fields, proposal, sentences, words};
use crate::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

/// Robots of a merchant's own that are offered to be excluded; more can be written in the text.
const OFFERED: usize = 50;

#[derive(Template)]
#[template(path = "robot_form.html")]
struct FormPage {
    s: Shell,
    kind: Kind,
    id: String,
    name: String,
    manner: Manner,
    version: u64,
    draft: Draft,
    settings: TenantSettings,
    orders: Vec<(String, String)>,
    chosen: String,
    looked_at: Looked,
    trial: Option<Tried>,
    /// Shops on whose open shipments a processing robot may be tried.
    shops: Vec<String>,
    shop: String,
    /// The row to go on at.
    focus: String,
}

/// What looking at a form found.
#[derive(Default)]
struct Looked {
    problems: Vec<Said>,
    warnings: Vec<String>,
    /// It was looked at and is right.
    is_good: bool,
}

/// A row of the condition.
struct Row {
    at: String,
    number: String,
    depth: usize,
    is_group: bool,
    is_empty: bool,
    how: String,
    field: String,
    operator: String,
    value: String,
}

impl Row {
    fn is_root(&self) -> bool {
        self.at == "c"
    }
}

/// A row of what is made otherwise.
struct FieldRow {
    at: String,
    number: usize,
    field: String,
    template: String,
}

/// A row of what is done.
struct ActionRow {
    at: String,
    number: usize,
    kind: &'static str,
    words: String,
    texts: Vec<TextRow>,
}

/// A text of an action.
struct TextRow {
    name: String,
    label: String,
    value: String,
    is_long: bool,
    choices: Option<Vec<Choice>>,
}

impl FormPage {
    fn processing(&self) -> Option<&Processing> {
        if let Draft::Processing(robot) = &self.draft { Some(robot) } else { None }
    }
    fn conversion(&self) -> Option<&Conversion> {
        if let Draft::Conversion(robot) = &self.draft { Some(robot) } else { None }
    }
    fn integration(&self) -> Option<&Integration> {
        if let Draft::Integration(robot) = &self.draft { Some(robot) } else { None }
    }
    fn robot_id(&self) -> &str {
        match &self.draft {
            Draft::Processing(robot) => &robot.id,
            Draft::Conversion(robot) => &robot.id,
            Draft::Integration(robot) => &robot.id,
        }
    }
    fn robot_name(&self) -> &str {
        match &self.draft {
            Draft::Processing(robot) => &robot.name,
            Draft::Conversion(robot) => &robot.name,
            Draft::Integration(robot) => &robot.name,
        }
    }
    fn is_enabled(&self) -> bool {
        match &self.draft {
            Draft::Processing(robot) => robot.enabled,
            Draft::Conversion(robot) => robot.enabled,
            Draft::Integration(robot) => robot.enabled,
        }
    }
    fn is_at(&self, at: &str) -> bool {
        self.focus == at
    }
    fn address(&self) -> String {
        self.s.to(&format!("/robot/{}/{}/form", self.kind.as_str(), self.id))
    }

    fn rows(&self, when: &Node) -> Vec<Row> {
        let mut rows = Vec::new();
        flatten(when, "c", "", 0, &mut rows);
        rows
    }

    fn action_rows(&self, robot: &Processing) -> Vec<ActionRow> {
        robot
            .does
            .iter()
            .enumerate()
            .filter_map(|(place, doing)| {
                let kind = draft::find(&doing.kind)?;
                let at = format!("a.{place}");
                let texts = kind.takes.iter().map(|takes| {
                    let value = doing.texts.get(takes.name).cloned().unwrap_or_default();
                    TextRow {
                        name: format!("{at}.{}", takes.name),
                        label: self.s.l(takes.ja, takes.en).to_owned(),
                        is_long: takes.input == Input::Lines || value.contains('\n'),
                        choices: self.choices(takes.input, &value),
                        value,
                    }
                });
                let texts = texts.collect();
                Some(ActionRow {
                    number: place + 1,
                    kind: kind.key,
                    words: self.s.l(kind.ja, kind.en).to_owned(),
                    texts,
                    at,
                })
            })
            .collect()
    }

    fn choices(&self, input: Input, now: &str) -> Option<Vec<Choice>> {
        let lang = self.s.lang;
        let methods = || {
            let methods = self.settings.shipping_methods.iter();
            methods.map(|method| (method.id.to_string(), format!("{} ({})", method.name, method.id)))
        };
        let none = || std::iter::once((String::new(), self.s.l("（指定しない）", "(none)").to_owned()));
        let all: Vec<(String, String)> = match input {
            Input::Line | Input::Lines => return None,
            Input::HoldReason => HoldReason::ALL
                .into_iter()
                .map(|reason| (reason.as_str().to_owned(), words::hold(lang, reason).to_owned()))
                .collect(),
            Input::Slot => fields::SETTABLE.map(|name| (name.to_owned(), fields::labelled(lang, name))).into(),
            Input::Method => methods().collect(),
            Input::MethodOrNone => none().chain(methods()).collect(),
            Input::TemperatureOrNone => none()
                .chain(
                    Temperature::ALL
                        .into_iter()
                        .map(|it| (it.as_str().to_owned(), self.s.l(it.label(), it.as_str()).to_owned())),
                )
                .collect(),
        };
        Some(chosen(all, now))
    }

    fn hows(&self, how: &str) -> Vec<Choice> {
        let all = [
            ("all", self.s.l("次のすべてを満たす", "all of these hold")),
            ("any", self.s.l("次のいずれかを満たす", "at least one of these holds")),
            ("not", self.s.l("次の条件ではない", "this does not hold")),
        ];
        chosen(owned(&all), how)
    }

    fn operators(&self, operator: &str) -> Vec<Choice> {
        chosen(draft::OPERATORS.map(|(key, ja, en)| (key.to_owned(), self.s.l(ja, en).to_owned())).into(), operator)
    }

    fn runs(&self, run: &str) -> Vec<Choice> {
        let all =
            [("on_import", self.s.l("取込み時のみ", "on import only")), ("always", self.s.l("常に処理", "always"))];
        chosen(owned(&all), run)
    }

    /// Conversion robots that it can be tied to; those that it is first, in their order.
    fn ties(&self, robot: &Processing) -> Vec<Choice> {
        several(robot::conversions(&self.settings), &robot.conversions)
    }

    /// Robots that it can exclude.
    fn excludes(&self, robot: &Processing) -> Vec<Choice> {
        let built_in = built_in::all().iter();
        let own = self.settings.processing_robots.custom.iter().take(OFFERED);
        let all = built_in.chain(own).map(|other| (other.id.to_string(), other.name.clone()));
        several(all.filter(|(id, _)| *id != robot.id), &robot.excludes)
    }

    fn new_actions(&self) -> Vec<(String, String)> {
        draft::KINDS.iter().map(|kind| (kind.key.to_owned(), self.s.l(kind.ja, kind.en).to_owned())).collect()
    }

    fn field_names(&self) -> Vec<(String, String)> {
        processing::field_names().map(|name| (name.to_owned(), fields::label(self.s.lang, name).to_owned())).collect()
    }

    fn templates(&self, field: &str) -> Vec<Choice> {
        let lang = self.s.lang;
        chosen(convert::FIELDS.map(|name| (name.to_owned(), fields::labelled(lang, name))).into(), field)
    }

    /// Fields of a shipment that are still the standard's.
    fn new_fields(&self, robot: &Conversion) -> Vec<Choice> {
        let mut all = self.templates("");
        all.retain(|(name, _, _)| !name.is_empty() && robot.fields.iter().all(|(field, _)| field != name));
        all
    }

    fn triggers(&self, now: &str) -> Vec<Choice> {
        chosen(draft::TRIGGERS.map(|(key, ja, en)| (key.to_owned(), self.s.l(ja, en).to_owned())).into(), now)
    }

    fn field_rows(&self, robot: &Conversion) -> Vec<FieldRow> {
        let rows = robot.fields.iter().enumerate();
        rows.map(|(place, (field, template))| FieldRow {
            at: format!("f.{place}"),
            number: place + 1,
            field: field.clone(),
            template: template.clone(),
        })
        .collect()
    }

    fn connections(&self, now: &str) -> Vec<Choice> {
        let all = self.settings.connections.iter().map(|it| (it.id.to_string(), it.id.to_string())).collect();
        chosen(all, now)
    }

    fn tasks(&self, now: &str) -> Vec<Choice> {
        let all = Action::ALL.map(|it| (it.as_str().to_owned(), words::robot(self.s.lang, it).to_owned()));
        chosen(all.into(), now)
    }

    fn rules(&self, now: &str) -> Vec<Choice> {
        let own = self.settings.processing_robots.custom.iter();
        let all = built_in::all().iter().chain(own).map(|robot| (robot.id.to_string(), robot.name.clone()));
        chosen(std::iter::once((String::new(), "—".to_owned())).chain(all).collect(), now)
    }

    fn statuses(&self, now: &str) -> Vec<Choice> {
        let lang = self.s.lang;
        let holds = HoldReason::ALL.into_iter().map(|reason| {
            (reason.as_str().to_owned(), format!("{} {}", lang.of("保留:", "on hold:"), words::hold(lang, reason)))
        });
        let ready = ("ready".to_owned(), lang.of("出荷待ち", "ready").to_owned());
        chosen(std::iter::once((String::new(), "—".to_owned())).chain([ready]).chain(holds).collect(), now)
    }

    fn units(&self, now: &str) -> Vec<Choice> {
        chosen(owned(&[("minutes", self.s.l("分ごと", "minutes")), ("hours", self.s.l("時間ごと", "hours"))]), now)
    }
}

fn flatten(node: &Node, at: &str, number: &str, depth: usize, rows: &mut Vec<Row>) {
    let row = Row {
        at: at.to_owned(),
        number: number.to_owned(),
        // Deeper ones are not moved further in: a telephone has no room.
        depth: depth.min(6),
        is_group: matches!(node, Node::Group { .. }),
        is_empty: false,
        how: String::new(),
        field: String::new(),
        operator: String::new(),
        value: String::new(),
    };
    match node {
        Node::Group { how, parts } => {
            rows.push(Row { how: how.clone(), is_empty: parts.is_empty(), ..row });
            for (place, part) in parts.iter().enumerate() {
                let number =
                    if number.is_empty() { format!("{}", place + 1) } else { format!("{number}.{}", place + 1) };
                flatten(part, &format!("{at}.{place}"), &number, depth + 1, rows);
            }
        }
        Node::Test { field, operator, value } => {
            rows.push(Row { field: field.clone(), operator: operator.clone(), value: value.clone(), ..row });
        }
    }
}

/// Where the parts of a document's robot stand in its form: path, row, and what people call it.
fn places(draft: &Draft, shell: &Shell) -> Vec<(String, String, String)> {
    fn conditions(
        node: &Node,
        path: &str,
        at: &str,
        number: &str,
        word: &str,
        into: &mut Vec<(String, String, String)>,
    ) {
        into.push((path.to_owned(), at.to_owned(), format!("{word} {number}").trim().to_owned()));
        if let Node::Group { how, parts } = node {
            for (place, part) in parts.iter().enumerate() {
                let path = if how == "not" { format!("{path}.not") } else { format!("{path}.{how}[{place}]") };
                let dot = if number.is_empty() { "" } else { "." };
                let number = format!("{number}{dot}{}", place + 1);
                conditions(part, &path, &format!("{at}.{place}"), &number, word, into);
            }
        }
    }
    let mut all: Vec<(String, String, String)> = [
        ("id", "id", "ID"),
        ("name", "name", shell.l("名前", "Name")),
        ("on", "on", shell.l("トリガー", "Trigger")),
        ("on.connection", "connection", shell.l("ショップ", "Shop")),
        ("conversion_robots", "conversion", shell.l("変換ロボット", "Conversion robots")),
        ("excludes", "exclude", shell.l("併用不可", "Excludes")),
    ]
    .map(|(path, at, label)| (path.to_owned(), at.to_owned(), label.to_owned()))
    .into();
    match draft {
        Draft::Processing(robot) => {
            all.push(("do".to_owned(), "a".to_owned(), shell.l("処理", "Actions").to_owned()));
            conditions(&robot.when, "when", "c", "", shell.l("条件", "Condition"), &mut all);
            for place in 0..robot.does.len() {
                let label = format!("{} {}", shell.l("処理", "Action"), place + 1);
                all.push((format!("do[{place}]"), format!("a.{place}"), label));
            }
        }
        Draft::Conversion(robot) => {
            for (place, (field, _)) in robot.fields.iter().enumerate() {
                all.push((format!("fields.{field}"), format!("f.{place}"), fields::labelled(shell.lang, field)));
            }
        }
        Draft::Integration(_) => {
            all.push(("do".to_owned(), "does".to_owned(), shell.l("アクション", "Action").to_owned()));
        }
    }
    all
}

/// A form as the whole document that it would make.
struct Judged {
    whole: String,
    /// What the whole says, where it can be in force.
    settings: Option<TenantSettings>,
    looked_at: Looked,
}

fn judge(app: &App, draft: &Draft, kind: Kind, opening: &mut Opening, shell: &Shell) -> Judged {
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
    State(app): State<Arc<App>>,
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
    app: Arc<App>,
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
