//! From a merchant's robots to robots that can be applied: everything is checked, every mistake named at once.

use std::collections::HashSet;

use super::check::Check;
use super::effect::Effect;
use super::field::Field;
use super::problem::{Problem, did_you_mean, shown};
use super::{Action, ProcessingRobot, Run, built_in};
use crate::ids::RuleId;
use crate::settings::{STANDARD_CONVERSION, TenantSettings};

mod actions;
mod conditions;

/// Most robots of a merchant's own.
const MAX_ROBOTS: usize = 1_000;
/// Most actions of one robot.
const MAX_ACTIONS: usize = 20;
/// Longest text in a robot, in characters.
const MAX_TEXT: usize = 1_000;

/// A merchant's robots, ready to be applied.
#[derive(Debug, Clone)]
pub struct RobotSet {
    pub(super) robots: Vec<Robot>,
    warnings: Vec<Problem>,
}

/// One robot, ready to be applied.
#[derive(Debug, Clone)]
pub(super) struct Robot {
    /// As it was written.
    pub(super) form: ProcessingRobot,
    pub(super) check: Check,
    pub(super) effects: Vec<Effect>,
}

/// What is gathered while robots are read.
struct Reader<'a> {
    settings: &'a TenantSettings,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Regular expressions so far, over all robots: each takes memory.
    patterns: usize,
    /// The robot being read.
    robot: Option<RuleId>,
}

impl Reader<'_> {
    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), robot: self.robot.clone(), message: message.into() });
    }

    fn warning(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(Problem { path: path.to_owned(), robot: self.robot.clone(), message: message.into() });
    }

    /// Texts that people read, or that are stored on each shipment.
    fn text(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.problem(path, "the text is empty");
        }
        self.length(path, text);
    }

    fn length(&mut self, path: &str, text: &str) {
        let length = text.chars().count();
        if length > MAX_TEXT {
            self.problem(path, format!("the text has {length} characters; {MAX_TEXT} is the most"));
        }
    }
}

impl RobotSet {
    /// The robots that `settings` switch on: built-in ones first, in the order of `enable`, then the merchant's own.
    ///
    /// Robots that are switched off are checked too. Which SKUs exist is not checked: products come and go.
    ///
    /// # Errors
    /// All that is wrong, each with its place and a sentence.
    pub fn compile(settings: &TenantSettings) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { settings, problems: Vec::new(), warnings: Vec::new(), patterns: 0, robot: None };
        let mut enabled = Vec::new();
        let mut robots = Vec::new();
        let built_in = reader.enabled_built_in();
        for (place, robot) in &built_in {
            enabled.push(robot);
            robots.extend(reader.robot(&format!("processing_robots.enable[{place}]"), robot));
        }
        let custom = &settings.processing_robots.custom;
        if custom.len() > MAX_ROBOTS {
            reader.problem("processing_robots.custom", format!("{} robots; {MAX_ROBOTS} is the most", custom.len()));
        }
        let mut ids = HashSet::new();
        for (place, robot) in custom.iter().take(MAX_ROBOTS).enumerate() {
            let path = format!("processing_robots.custom[{place}]");
            reader.robot = Some(robot.id.clone());
            if built_in::find(&robot.id).is_some() {
                reader.problem(&format!("{path}.id"), format!("`{}` is a built-in robot; choose another id", robot.id));
            } else if !ids.insert(&robot.id) {
                reader.problem(&format!("{path}.id"), format!("another robot has the id `{}` already", robot.id));
            }
            let compiled = reader.robot(&path, robot);
            if robot.enabled {
                enabled.push(robot);
                robots.extend(compiled);
            }
        }
        reader.robot = None;
        reader.exclusions(&enabled);
        reader.payment_order(&robots);
        reader.released_nowhere(&robots);
        if reader.problems.is_empty() { Ok(Self { robots, warnings: reader.warnings }) } else { Err(reader.problems) }
    }

    /// What is allowed but looks like a mistake.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

impl Reader<'_> {
    fn enabled_built_in(&mut self) -> Vec<(usize, ProcessingRobot)> {
        let settings = self.settings;
        let robots = &settings.processing_robots;
        let mut enabled = Vec::new();
        let mut ids = HashSet::new();
        for (place, robot) in robots.enable.iter().enumerate() {
            let id = robot.id();
            let ties = || robot.conversion_robots().to_vec();
            let path = format!("processing_robots.enable[{place}]");
            match built_in::find(id) {
                Some(_) if !ids.insert(id) => self.problem(&path, format!("`{id}` is named twice")),
                Some(robot) => enabled.push((place, ProcessingRobot { conversion_robots: ties(), ..robot.clone() })),
                None if robots.custom.iter().any(|own| own.id == *id) => self.problem(
                    &path,
                    format!("`{id}` is a robot of your own: it is on unless it says `enabled: false`; only built-in robots are enabled here"),
                ),
                None => {
                    let known = built_in::all().iter().map(|robot| robot.id.as_str());
                    let near = did_you_mean(id.as_str(), known);
                    self.problem(&path, format!("there is no built-in robot `{id}`{near}"));
                }
            }
        }
        enabled
    }

    fn robot(&mut self, path: &str, robot: &ProcessingRobot) -> Option<Robot> {
        self.robot = Some(robot.id.clone());
        self.text(&format!("{path}.name"), &robot.name);
        self.ties(path, robot);
        let check = self.condition(&format!("{path}.when"), &robot.when);
        let effects = self.actions(path, robot);
        Some(Robot { form: robot.clone(), check: check?, effects: effects? })
    }

    fn ties(&mut self, path: &str, robot: &ProcessingRobot) {
        let settings = self.settings;
        let standard = STANDARD_CONVERSION.to_string();
        for (place, id) in robot.conversion_robots.iter().enumerate() {
            let known = || settings.conversion_robots.iter().map(|own| own.id.as_str()).chain([standard.as_str()]);
            if !known().any(|known| known == id.as_str()) {
                let near = did_you_mean(id.as_str(), known());
                self.problem(
                    &format!("{path}.conversion_robots[{place}]"),
                    format!("there is no conversion robot `{id}`{near}"),
                );
            }
        }
        for (place, id) in robot.excludes.iter().enumerate() {
            let path = format!("{path}.excludes[{place}]");
            let own = settings.processing_robots.custom.iter();
            let mut known = built_in::all().iter().chain(own).map(|robot| robot.id.as_str());
            if *id == robot.id {
                self.problem(&path, "a robot cannot exclude itself");
            } else if !known.any(|known| known == id.as_str()) {
                let own = settings.processing_robots.custom.iter();
                let known = built_in::all().iter().chain(own).map(|robot| robot.id.as_str());
                let near = did_you_mean(id.as_str(), known);
                self.problem(&path, format!("there is no processing robot `{id}`{near}"));
            }
        }
    }

    fn actions(&mut self, path: &str, robot: &ProcessingRobot) -> Option<Vec<Effect>> {
        let actions = &robot.actions;
        if actions.is_empty() {
            self.problem(&format!("{path}.do"), "the robot does nothing: give it an action");
        }
        if actions.len() > MAX_ACTIONS {
            self.problem(&format!("{path}.do"), format!("{} actions; {MAX_ACTIONS} is the most", actions.len()));
        }
        let only_notifies = actions.iter().all(|action| matches!(action, Action::Notify(_)));
        if robot.run == Run::Always && only_notifies && !actions.is_empty() {
            self.problem(
                &format!("{path}.do"),
                "a robot that runs always would notify again and again: give it another action beside `notify`, such as \
                 `tag`, and it notifies when that changes something",
            );
        }
        let compiled: Vec<Option<Effect>> = actions
            .iter()
            .take(MAX_ACTIONS)
            .enumerate()
            .map(|(place, action)| self.action(&format!("{path}.do[{place}]"), robot, action))
            .collect();
        compiled.into_iter().collect()
    }

    fn exclusions(&mut self, robots: &[&ProcessingRobot]) {
        for (place, one) in robots.iter().enumerate() {
            for other in robots.iter().skip(place + 1) {
                if one.excludes.contains(&other.id) || other.excludes.contains(&one.id) {
                    self.problem(
                        "processing_robots",
                        format!(
                            "`{}` ({}) and `{}` ({}) cannot be on together: one excludes the other, because each would \
                             decide the same thing in its own way. Switch one of them off",
                            one.id,
                            shown(&one.name),
                            other.id,
                            shown(&other.name),
                        ),
                    );
                }
            }
        }
    }

    /// A new shipment counts as unpaid until a robot derives its payment.
    fn payment_order(&mut self, robots: &[Robot]) {
        let derives = |robot: &Robot| robot.effects.iter().any(|effect| matches!(effect, Effect::DerivePayment));
        for robot in robots.iter().take_while(|robot| !derives(robot)) {
            if robot.check.reads(&Field::Payment) {
                let id = &robot.form.id;
                self.warning(
                    "processing_robots",
                    format!(
                        "`{id}` looks at the payment before any robot derives it: enable `payment-check` before it"
                    ),
                );
            }
        }
    }

    /// Only a robot or a person makes a shipment ready. Robots that do it for some shops alone look as if they did for all.
    fn released_nowhere(&mut self, robots: &[Robot]) {
        let releases = |robot: &&Robot| robot.effects.iter().any(|effect| matches!(effect, Effect::ToReady));
        let releasing: Vec<&Robot> = robots.iter().filter(releases).collect();
        let Some(first) = releasing.first() else { return };
        let settings = self.settings;
        for connection in &settings.connections {
            let Some(conversion) = settings.tie_of(&connection.id) else { continue };
            let is_for = |robot: &&Robot| {
                robot.form.conversion_robots.is_empty() || robot.form.conversion_robots.contains(conversion)
            };
            if !releasing.iter().any(is_for) {
                self.warning(
                    "processing_robots",
                    format!(
                        "no robot makes the shipments of the connection `{}` ready: its orders go through the conversion \
                         robot `{conversion}`, and `{}` is tied to others",
                        connection.id, first.form.id,
                    ),
                );
            }
        }
    }
}
