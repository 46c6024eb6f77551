//! What the form shows: its rows, and what can be chosen in each.

use askama::Template;
use renkei_domain::convert;
use renkei_domain::processing::{self, built_in};
use renkei_domain::settings::{Action, Temperature, TenantSettings};
use renkei_domain::shipment::HoldReason;
use renkei_words::fields;

use crate::pages::draft::{self, Conversion, Draft, Input, Integration, Node, Processing};
use crate::pages::opening::Manner;
use crate::pages::piece::Kind;
use crate::pages::robot::{self, Tried};
use crate::pages::said::{Choice, Said, chosen, owned, several};
use crate::pages::words;
use crate::shell::Shell;

/// Robots of a merchant's own that are offered to be excluded; more can be written in the text.
const OFFERED: usize = 50;

#[derive(Template)]
#[template(path = "robot_form.html")]
pub(super) struct FormPage {
    pub(super) s: Shell,
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) manner: Manner,
    pub(super) version: u64,
    pub(super) draft: Draft,
    pub(super) settings: TenantSettings,
    pub(super) orders: Vec<(String, String)>,
    pub(super) chosen: String,
    pub(super) looked_at: Looked,
    pub(super) trial: Option<Tried>,
    /// Shops on whose open shipments a processing robot may be tried.
    pub(super) shops: Vec<String>,
    pub(super) shop: String,
    /// The row to go on at.
    pub(super) focus: String,
}

/// What looking at a form found.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) problems: Vec<Said>,
    pub(super) warnings: Vec<String>,
    /// It was looked at and is right.
    pub(super) is_good: bool,
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
        let all = [
            ("on_import", self.s.l("取込時（以後は適用したとき）", "on import, later where it is applied")),
            (
                "always",
                self.s.l(
                    "常に処理（適用した別のロボットが出荷指示を変えたときも）",
                    "always, also where another that is applied changes a shipment",
                ),
            ),
        ];
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
pub(super) fn places(draft: &Draft, shell: &Shell) -> Vec<(String, String, String)> {
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
