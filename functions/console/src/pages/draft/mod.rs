//! A robot while somebody writes it in a form: every field as text, as it was typed, be it right or wrong. A form and the
//! text of the document are two ways to write the same: [`Draft::json`] is what a document would say, and is checked as
//! one; [`Draft::of`] is the form of what a document says.
//!
//! Rows are added and taken away by buttons that send the whole form (see [`Draft::step`]), so it works without script,
//! and nothing that was typed is lost.

mod action;
mod condition;
mod integration;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use renkei_domain::processing::{ProcessingRobot, Run};
use renkei_domain::settings::{ConversionRobot, CustomRobot};
use serde_json::{Map, Value, json};

pub use action::{Doing, Input, KINDS, find};
pub use condition::{Node, OPERATORS, number};
pub use integration::{Integration, TRIGGERS};

use super::Form;
use super::piece::Kind;

/// Actions or fields that a form may have; a document may have fewer, and says so itself.
const MOST_ROWS: usize = 100;

/// A robot in a form.
#[derive(Debug, Clone, PartialEq)]
pub enum Draft {
    Processing(Processing),
    Conversion(Conversion),
    Integration(Integration),
}

/// 処理ロボット.
#[derive(Debug, Clone, PartialEq)]
pub struct Processing {
    pub id: String,
    pub name: String,
    pub enabled: bool,
    /// `on_import` or `always`.
    pub run: String,
    pub conversions: Vec<String>,
    pub excludes: Vec<String>,
    pub when: Node,
    pub does: Vec<Doing>,
}

/// 変換ロボット.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    pub id: String,
    pub name: String,
    pub enabled: bool,
    pub copy_of: String,
    /// Fields made otherwise, and by which template.
    pub fields: Vec<(String, String)>,
}

/// What is wrong with a form that no document could say. Where, by the name of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub at: String,
    pub ja: &'static str,
    pub en: &'static str,
}

/// The fields of a form, found by name.
pub struct Names<'a> {
    first: HashMap<&'a str, &'a str>,
    all: &'a [(String, String)],
}

impl<'a> Names<'a> {
    pub fn of(form: &'a Form) -> Self {
        let mut first = HashMap::new();
        for (name, value) in &form.0 {
            first.entry(name.as_str()).or_insert(value.as_str());
        }
        Self { first, all: &form.0 }
    }

    /// A field's text as it came.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.first.get(name).copied()
    }

    /// A field's text, its lines ended as documents end them; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().replace("\r\n", "\n")
    }

    /// All that are chosen of a field.
    pub fn every(&self, name: &str) -> Vec<String> {
        let found = self.all.iter().filter(|(found, value)| found == name && !value.trim().is_empty());
        found.map(|(_, value)| value.trim().to_owned()).collect()
    }
}

impl Draft {
    pub fn of_processing(robot: &ProcessingRobot) -> Self {
        let ids = |ids: &[renkei_domain::ids::RuleId]| ids.iter().map(ToString::to_string).collect();
        Self::Processing(Processing {
            id: robot.id.to_string(),
            name: robot.name.clone(),
            enabled: robot.enabled,
            run: match robot.run {
                Run::OnImport => "on_import",
                Run::Always => "always",
            }
            .to_owned(),
            conversions: ids(&robot.conversion_robots),
            excludes: ids(&robot.excludes),
            when: Node::of(&robot.when),
            does: robot.actions.iter().map(Doing::of).collect(),
        })
    }

    pub fn of_conversion(robot: &ConversionRobot) -> Self {
        Self::Conversion(Conversion {
            id: robot.id.to_string(),
            name: robot.name.clone(),
            enabled: robot.enabled,
            copy_of: robot.copy_of.to_string(),
            fields: robot.fields.clone().into_iter().collect(),
        })
    }

    pub fn of_integration(robot: &CustomRobot) -> Self {
        Self::Integration(Integration::of(robot))
    }

    /// From what a browser sent.
    pub fn read(kind: Kind, form: &Form) -> Self {
        let names = Names::of(form);
        let text = |name: &str| names.text(name).trim().to_owned();
        let (id, name, enabled) = (text("id"), names.text("name"), names.get("enabled").is_some());
        match kind {
            Kind::Integration => Self::Integration(Integration::read(&names)),
            Kind::Conversion => {
                let fields = (0..MOST_ROWS).map_while(|place| {
                    let field = format!("f.{place}.field");
                    names.get(&field)?;
                    Some((names.text(&field), names.text(&format!("f.{place}.template"))))
                });
                Self::Conversion(Conversion { id, name, enabled, copy_of: text("copy_of"), fields: fields.collect() })
            }
            Kind::Processing => Self::Processing(Processing {
                id,
                name,
                enabled,
                run: text("run"),
                conversions: names.every("conversion"),
                excludes: names.every("exclude"),
                when: Node::read(&names, "c", 0)
                    .unwrap_or_else(|| Node::of(&renkei_domain::processing::Condition::default())),
                does: (0..MOST_ROWS).map_while(|place| Doing::read(&names, &format!("a.{place}"))).collect(),
            }),
        }
    }

    /// Do browsers keep each of its texts as it is? Fields of one line have no line ends, and none has other control
    /// characters. What a form would change in silence can be written as text only.
    pub fn fits_a_form(&self) -> bool {
        self.fields().iter().all(|(name, text)| {
            let is_long = name.rsplit_once('.').is_some_and(|(_, last)| last != "field");
            text.chars().all(|c| !c.is_control() || c == '\t' || (c == '\n' && is_long))
        })
    }

    /// Its fields, as a browser would send them.
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut put = |name: &str, text: &str| fields.push((name.to_owned(), text.to_owned()));
        match self {
            Self::Integration(robot) => robot.fields(&mut fields),
            Self::Conversion(robot) => {
                put("id", &robot.id);
                put("name", &robot.name);
                put("copy_of", &robot.copy_of);
                if robot.enabled {
                    put("enabled", "1");
                }
                for (place, (field, template)) in robot.fields.iter().enumerate() {
                    put(&format!("f.{place}.field"), field);
                    put(&format!("f.{place}.template"), template);
                }
            }
            Self::Processing(robot) => {
                put("id", &robot.id);
                put("name", &robot.name);
                put("run", &robot.run);
                if robot.enabled {
                    put("enabled", "1");
                }
                robot.conversions.iter().for_each(|id| put("conversion", id));
                robot.excludes.iter().for_each(|id| put("exclude", id));
                robot.when.fields("c", &mut fields);
                for (place, doing) in robot.does.iter().enumerate() {
                    doing.fields(&format!("a.{place}"), &mut fields);
                }
            }
        }
        fields
    }

    /// As a document says it, or what none could say.
    pub fn json(&self) -> Result<Value, Vec<Fault>> {
        let mut faults = Vec::new();
        let robot = match self {
            Self::Integration(robot) => robot.json(),
            Self::Conversion(robot) => {
                let mut fields: HashMap<&str, &str> = HashMap::new();
                for (place, (field, template)) in robot.fields.iter().enumerate() {
                    match fields.entry(field) {
                        Entry::Vacant(free) => drop(free.insert(template)),
                        Entry::Occupied(_) => faults.push(Fault {
                            at: format!("f.{place}"),
                            ja: "同じ項目が2回あります。",
                            en: "This field stands here twice.",
                        }),
                    }
                }
                json!({
                    "id": robot.id, "name": robot.name, "copy_of": condition::number(&robot.copy_of),
                    "enabled": robot.enabled, "fields": fields,
                })
            }
            Self::Processing(robot) => {
                let mut map = Map::new();
                map.insert("id".to_owned(), robot.id.as_str().into());
                map.insert("name".to_owned(), robot.name.as_str().into());
                map.insert("enabled".to_owned(), robot.enabled.into());
                map.insert("run".to_owned(), robot.run.as_str().into());
                map.insert("conversion_robots".to_owned(), robot.conversions.clone().into());
                map.insert("excludes".to_owned(), robot.excludes.clone().into());
                map.insert("when".to_owned(), robot.when.json("c", &mut faults));
                map.insert("do".to_owned(), robot.does.iter().map(Doing::json).collect());
                map.into()
            }
        };
        if faults.is_empty() { Ok(robot) } else { Err(faults) }
    }

    /// A step of its rows, as its button says: `add-test c.0`, `remove a.1`, …. Gives the name of the row to go on at;
    /// none if there is no such step, which changes nothing.
    pub fn step(&mut self, what: &str, new: &str) -> Option<String> {
        let (verb, at) = what.split_once(' ')?;
        let mut parts = at.split('.');
        let list = parts.next()?;
        let place: Vec<usize> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
        match (self, list) {
            (Self::Processing(robot), "c") => match verb {
                "add-test" | "add-group" => {
                    let part = if verb == "add-test" { Node::new_test() } else { Node::new_group() };
                    let added = robot.when.at(&place)?.add(part);
                    Some(format!("{at}.{added}"))
                }
                "remove" => {
                    robot.when.remove(&place);
                    let before = at.rsplit_once('.').map_or("c", |(before, _)| before);
                    Some(before.to_owned())
                }
                _ => None,
            },
            (Self::Processing(robot), "a") => match verb {
                "add" if robot.does.len() < MOST_ROWS => {
                    robot.does.push(Doing::new(new)?);
                    Some(format!("a.{}", robot.does.len() - 1))
                }
                _ => rows(&mut robot.does, verb, &place).map(|now| format!("a.{now}")),
            },
            (Self::Conversion(robot), "f") => match verb {
                "add" if robot.fields.len() < MOST_ROWS && !new.is_empty() => {
                    robot.fields.push((new.to_owned(), String::new()));
                    Some(format!("f.{}", robot.fields.len() - 1))
                }
                "remove" => rows(&mut robot.fields, verb, &place).map(|now| format!("f.{now}")),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Up, down or away; gives the place to go on at.
fn rows<T>(rows: &mut Vec<T>, verb: &str, place: &[usize]) -> Option<usize> {
    let [at] = *place else { return None };
    if at >= rows.len() {
        return None;
    }
    match verb {
        "up" if at > 0 => rows.swap(at, at - 1),
        "down" if at + 1 < rows.len() => rows.swap(at, at + 1),
        "remove" => drop(rows.remove(at)),
        "up" | "down" => {}
        _ => return None,
    }
    Some(match verb {
        "up" => at.saturating_sub(1),
        "down" => (at + 1).min(rows.len() - 1),
        _ => at.min(rows.len().saturating_sub(1)),
    })
}

/// Values as lines of a form. Line ends in a value, and values that look like no line at all, are written with a
/// backslash: `\n`, `\r`, `\\`, and `\e` before nothing or blanks.
pub fn lines<T: AsRef<str>>(values: impl Iterator<Item = T>) -> String {
    let lines: Vec<String> = values
        .map(|value| {
            let value = value.as_ref().replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            if value.trim().is_empty() { format!("\\e{value}") } else { value }
        })
        .collect();
    lines.join("\n")
}

/// The values of lines; empty lines are none.
pub fn listed(text: &str) -> Vec<String> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut value = String::with_capacity(line.len());
            let mut rest = line.chars();
            while let Some(c) = rest.next() {
                if c != '\\' {
                    value.push(c);
                    continue;
                }
                match rest.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('e') => {}
                    Some('\\') | None => value.push('\\'),
                    Some(other) => value.extend(['\\', other]),
                }
            }
            value
        })
        .collect()
}
