//! A merchant's conversion robots, compiled once and used for every order.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Environment;
use minijinja::value::Value;

use super::field::{Field, NAMES};
use super::template::{self, Fuel, TemplateError};
use super::view::{ROOTS, Root};
use super::{ConvertError, samples};
use crate::document::{nearest_name, suggestion};
use crate::ids::{ConnectionId, RuleId};
use crate::order::SourceOrder;
use crate::processing::attribute_meant;
use crate::settings::{ConversionRobot, TenantSettings};
use crate::shipment::ShipmentDetail;

/// Most robots of a merchant's own: their templates are kept ready in a memory that all merchants share.
const MOST_ROBOTS: usize = 100;

/// One thing that is wrong, or worth a second look, in a merchant's conversion robots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Place in the document: `conversion_robots[0].fields.delivery_note`.
    pub path: String,
    /// A sentence.
    pub message: String,
}

/// A merchant's conversion robots, ready to be used. The standard one needs no making ready: it is there where none of
/// these is asked for.
#[derive(Debug, Clone)]
pub struct ConversionRobots {
    environment: Environment<'static>,
    robots: Vec<Compiled>,
    warnings: Vec<Problem>,
}

#[derive(Debug, Clone)]
struct Compiled {
    id: RuleId,
    enabled: bool,
    /// Each field with the name of its template.
    fields: Vec<(Field, String)>,
}

/// One conversion robot that is on.
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'a> {
    environment: &'a Environment<'static>,
    robot: &'a Compiled,
}

impl ConversionRobots {
    /// Compiles robots of settings that were applied. One that cannot be used after all, because an earlier release took
    /// it, holds up its own orders: each goes to quarantine with the field named.
    #[must_use]
    pub fn of_applied(settings: &TenantSettings) -> Self {
        Self::gather(settings).0
    }

    /// Compiles the robots, those that are switched off too.
    ///
    /// # Errors
    /// All that is wrong, each with its place and a sentence.
    pub fn compile(settings: &TenantSettings) -> Result<Self, Vec<Problem>> {
        let (robots, problems) = Self::gather(settings);
        if problems.is_empty() { Ok(robots) } else { Err(problems) }
    }

    /// Compiles the robots and tries each on the built-in sample orders: for settings that are about to be applied.
    ///
    /// # Errors
    /// All that is wrong, each with its place and a sentence.
    pub fn check(settings: &TenantSettings) -> Result<Self, Vec<Problem>> {
        let (robots, mut problems) = Self::gather(settings);
        for (place, robot) in robots.robots.iter().enumerate() {
            robots.try_on_samples(&format!("conversion_robots[{place}].fields"), robot, &mut problems);
        }
        if problems.is_empty() { Ok(robots) } else { Err(problems) }
    }

    fn gather(settings: &TenantSettings) -> (Self, Vec<Problem>) {
        let mut robots = Self { environment: template::environment(), robots: Vec::new(), warnings: Vec::new() };
        let mut problems = Vec::new();
        let own = &settings.conversion_robots;
        if own.len() > MOST_ROBOTS {
            let message = format!("{} robots; {MOST_ROBOTS} is the most", own.len());
            problems.push(Problem { path: "conversion_robots".to_owned(), message });
        }
        for (place, robot) in own.iter().take(MOST_ROBOTS).enumerate() {
            let path = format!("conversion_robots[{place}].fields");
            let compiled = robots.read(place, &path, robot, &mut problems);
            robots.robots.push(compiled);
        }
        (robots, problems)
    }

    fn read(&mut self, place: usize, path: &str, robot: &ConversionRobot, problems: &mut Vec<Problem>) -> Compiled {
        let mut fields = Vec::with_capacity(robot.fields.len());
        for (name, text) in &robot.fields {
            let path = format!("{path}.{name}");
            let Some(field) = Field::parse(name) else {
                let message = format!("a shipment has no field {name:.60?}: {}", suggestion(name, &NAMES));
                problems.push(Problem { path, message });
                continue;
            };
            // By place, not by id: an id may stand in a faulty document twice.
            let template = format!("{place}/{name}");
            match template::add(&mut self.environment, template.clone(), text) {
                Ok(()) => {
                    for error in template::unknown_names(&self.environment, &template) {
                        problems.push(Problem { path: path.clone(), message: said(&error, text) });
                    }
                    self.names(&path, &template, problems);
                }
                Err(error) => problems.push(Problem { path, message: said(&error, text) }),
            }
            // Also where it cannot be read: orders must not be made without it in silence.
            fields.push((field, template));
        }
        Compiled { id: robot.id.clone(), enabled: robot.enabled, fields }
    }

    /// What a template names must be there; an attribute that no shop is known to send may be a misspelling.
    fn names(&mut self, path: &str, template: &str, problems: &mut Vec<Problem>) {
        let Ok(compiled) = self.environment.get_template(template) else { return };
        let globals: BTreeSet<String> = self.environment.globals().map(|(name, _)| name.to_owned()).collect();
        let named: BTreeSet<String> = compiled.undeclared_variables(true).into_iter().collect();
        for name in named {
            let root = name.split('.').next().unwrap_or_default();
            if !ROOTS.contains(&root) {
                if !globals.contains(root) {
                    let near = nearest_name(root, ROOTS).map(|near| format!(": did you mean `{near}`?"));
                    let near = near.unwrap_or_else(|| format!("; there are {}", ROOTS.join(", ")));
                    let message = format!("a template sees nothing of the name `{root:.60}`{near}");
                    problems.push(Problem { path: path.to_owned(), message });
                }
                continue;
            }
            if let Some(meant) = attribute_meant(&name) {
                let message = format!(
                    "`{name:.60}` is not an attribute that shops are known to send: was `order.{meant}` meant?"
                );
                self.warnings.push(Problem { path: path.to_owned(), message });
            }
        }
    }

    fn try_on_samples(&self, path: &str, robot: &Compiled, problems: &mut Vec<Problem>) {
        let conversion = Conversion { environment: &self.environment, robot };
        let faulty = |field: &Field| problems.iter().any(|known| known.path == format!("{path}.{}", field.name()));
        let mut told: Vec<Field> = Field::all().filter(faulty).collect();
        for sample in samples::all() {
            let order = Arc::new(sample.order.clone());
            for (place, address) in order.addresses.iter().enumerate() {
                let mut detail = super::standard::detail(&order, address);
                let seen = Value::from_object(Root::new(&order, place, &sample.connection, &detail));
                for (field, template) in &robot.fields {
                    if told.contains(field) {
                        continue;
                    }
                    if let Err(error) = conversion.fill(*field, template, &seen, &mut detail, &mut Fuel::default()) {
                        told.push(*field);
                        let at = error.line.map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
                        let message = format!("on the sample \"{}\": {}{at}", sample.name, error.sentence);
                        problems.push(Problem { path: format!("{path}.{}", field.name()), message });
                    }
                }
            }
        }
    }

    /// What is allowed but looks like a mistake.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The robot of this id, if it is on and makes something otherwise. None means the standard: also for a robot that
    /// was switched off or removed while an order was on its way.
    #[must_use]
    pub fn get(&self, id: Option<&RuleId>) -> Option<Conversion<'_>> {
        let robot = self.robots.iter().find(|robot| Some(&robot.id) == id)?;
        (robot.enabled && !robot.fields.is_empty()).then_some(Conversion { environment: &self.environment, robot })
    }
}

impl Conversion<'_> {
    /// Makes fields of what the standard robot made otherwise. All templates see what the standard made, so their order
    /// does not matter.
    pub(super) fn apply(
        &self,
        order: &Arc<SourceOrder>,
        place: usize,
        connection: &ConnectionId,
        detail: &mut ShipmentDetail,
        fuel: &mut Fuel,
    ) -> Result<(), ConvertError> {
        let root = Value::from_object(Root::new(order, place, connection, detail));
        for (field, template) in &self.robot.fields {
            self.fill(*field, template, &root, detail, fuel).map_err(|error| ConvertError::Field {
                robot: self.robot.id.clone(),
                field: field.name(),
                reason: error.sentence,
            })?;
        }
        Ok(())
    }

    fn fill(
        &self,
        field: Field,
        template: &str,
        root: &Value,
        detail: &mut ShipmentDetail,
        fuel: &mut Fuel,
    ) -> Result<(), TemplateError> {
        let text = template::render(self.environment, template, root.clone(), fuel)?;
        field.put(detail, &text).map_err(|sentence| TemplateError { line: None, sentence })
    }
}

fn said(error: &TemplateError, text: &str) -> String {
    match error.line {
        Some(line) if text.trim_end().contains('\n') => format!("{} (line {line} of the template)", error.sentence),
        Some(_) | None => error.sentence.clone(),
    }
}
