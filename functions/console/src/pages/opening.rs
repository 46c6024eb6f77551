//! A robot that a page opens: as it is, as a copy, or new; at its place in settings that hold it, so that it can be checked
//! with everything around it.

use std::collections::BTreeMap;

use renkei_domain::ids::{RobotId, RuleId};
use renkei_domain::processing::{Condition, ProcessingRobot, Run, built_in};
use renkei_domain::settings::{
    Action, ConversionRobot, CustomAction, CustomRobot, STANDARD_CONVERSION, STANDARD_CONVERSION_NAME, TenantSettings,
    Trigger,
};

use super::Form;
use super::draft::Draft;
use super::piece::Kind;
use crate::problem::Problem;
use crate::shell::Shell;

/// How a robot is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it is.
    Edit,
    /// As a copy at the end of its list.
    Copy,
    /// One that there is not yet, at the end of its list.
    New,
}

impl Manner {
    /// From what an address says.
    pub fn of(is_copy: bool, is_new: bool) -> Self {
        match (is_copy, is_new) {
            (true, _) => Self::Copy,
            (false, true) => Self::New,
            (false, false) => Self::Edit,
        }
    }

    /// From a form's hidden field.
    pub fn read(form: &Form) -> Self {
        let manner = form.get("manner");
        Self::of(manner == "copy", manner == "new")
    }

    /// What a form's hidden field says.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "",
            Self::Copy => "copy",
            Self::New => "new",
        }
    }
}

/// A robot at its place.
pub struct Opening {
    /// Settings that hold it.
    pub settings: TenantSettings,
    /// Its place in its list, from 0.
    pub place: usize,
    pub name: String,
    /// Built in: it can be tried and copied, not changed.
    pub is_fixed: bool,
}

impl Opening {
    /// Opens the robot of this id.
    pub fn of(settings: &TenantSettings, kind: Kind, id: &str, manner: Manner, shell: &Shell) -> Result<Self, Problem> {
        let settings = settings.clone();
        match kind {
            Kind::Processing => processing(settings, id, manner, shell),
            Kind::Conversion => conversion(settings, id, manner, shell),
            Kind::Integration => integration(settings, id, manner, shell),
        }
    }

    /// The robot in a form.
    pub fn draft(&self, kind: Kind) -> Option<Draft> {
        let settings = &self.settings;
        match kind {
            Kind::Processing => settings.processing_robots.custom.get(self.place).map(Draft::of_processing),
            Kind::Conversion => settings.conversion_robots.get(self.place).map(Draft::of_conversion),
            Kind::Integration => settings.integration_robots.custom.get(self.place).map(Draft::of_integration),
        }
    }

    /// Puts what a form says in the robot's place, if it is a robot at all.
    pub fn put(&mut self, kind: Kind, said: &serde_json::Value) -> bool {
        fn read<T: serde::de::DeserializeOwned>(place: Option<&mut T>, said: &serde_json::Value) -> bool {
            match (place, T::deserialize(said)) {
                (Some(place), Ok(robot)) => {
                    *place = robot;
                    true
                }
                _ => false,
            }
        }
        let (settings, at) = (&mut self.settings, self.place);
        match kind {
            Kind::Processing => read(settings.processing_robots.custom.get_mut(at), said),
            Kind::Conversion => read(settings.conversion_robots.get_mut(at), said),
            Kind::Integration => read(settings.integration_robots.custom.get_mut(at), said),
        }
    }
}

fn processing(mut settings: TenantSettings, id: &str, manner: Manner, shell: &Shell) -> Result<Opening, Problem> {
    let own = &mut settings.processing_robots.custom;
    let taken =
        |own: &[ProcessingRobot], id: &RuleId| own.iter().any(|robot| robot.id == *id) || built_in::find(id).is_some();
    if manner == Manner::New {
        let name = shell.l("新しい処理ロボット", "New processing robot").to_owned();
        own.push(ProcessingRobot {
            id: free_id("robot", |id| taken(own, id))?,
            name: name.clone(),
            enabled: true,
            run: Run::OnImport,
            conversion_robots: Vec::new(),
            excludes: Vec::new(),
            when: Condition::default(),
            actions: Vec::new(),
        });
        return Ok(Opening { place: own.len() - 1, settings, name, is_fixed: false });
    }
    let at = own.iter().position(|robot| robot.id.as_str() == id);
    let robot = match at {
        Some(at) => own[at].clone(),
        None => RuleId::parse(id).ok().and_then(|id| built_in::find(&id).cloned()).ok_or_else(Problem::not_found)?,
    };
    let name = robot.name.clone();
    let place = match (at, manner) {
        (Some(at), Manner::Edit) => at,
        (_, manner) => {
            let copied = format!("{name}{}", shell.l(" - コピー", " (copy)"));
            own.push(if manner == Manner::Copy {
                ProcessingRobot { id: copy_id(id, |id| taken(own, id))?, name: copied, ..robot }
            } else {
                robot
            });
            own.len() - 1
        }
    };
    Ok(Opening { settings, place, name, is_fixed: at.is_none() && manner != Manner::Copy })
}

fn conversion(mut settings: TenantSettings, id: &str, manner: Manner, shell: &Shell) -> Result<Opening, Problem> {
    let own = &mut settings.conversion_robots;
    let at = own.iter().position(|robot| robot.id.as_str() == id);
    let robot = match at {
        Some(at) => own[at].clone(),
        None if id == STANDARD_CONVERSION.to_string() => ConversionRobot {
            id: RuleId::parse("standard").map_err(|_| Problem::not_found())?,
            name: STANDARD_CONVERSION_NAME.to_owned(),
            copy_of: STANDARD_CONVERSION,
            enabled: true,
            fields: BTreeMap::new(),
        },
        None => return Err(Problem::not_found()),
    };
    let name = robot.name.clone();
    let place = match (at, manner) {
        (Some(at), Manner::Edit) => at,
        // There is none but copies of the standard.
        (None, Manner::Edit) | (_, Manner::New) => return Err(Problem::not_found()),
        (_, Manner::Copy) => {
            let base = if at.is_some() { id } else { "ecforce-own" };
            let taken = |id: &RuleId| own.iter().any(|robot| robot.id == *id);
            let id = match RuleId::parse(base) {
                Ok(id) if at.is_none() && !taken(&id) => id,
                _ => copy_id(base, taken)?,
            };
            let name = format!("{name}{}", shell.l(" - 独自", " (own)"));
            own.push(ConversionRobot { id, name, ..robot });
            own.len() - 1
        }
    };
    Ok(Opening { settings, place, name, is_fixed: false })
}

fn integration(mut settings: TenantSettings, id: &str, manner: Manner, shell: &Shell) -> Result<Opening, Problem> {
    let first = settings.connections.first().map(|connection| connection.id.clone());
    let own = &mut settings.integration_robots.custom;
    let free = |base: &str| {
        let named = |id: &RuleId| own.iter().any(|robot| robot.id.as_str() == id.as_str());
        let id = if manner == Manner::New { free_id(base, named) } else { copy_id(base, named) };
        RobotId::parse(id?.to_string()).map_err(|_| Problem::not_found())
    };
    if manner == Manner::New {
        let connection = first.ok_or_else(|| {
            Problem::bad(
                "先に設定の画面でAPI認証設定（ショップ）を登録してください。",
                "Set up a shop first, among the settings.",
            )
        })?;
        let name = shell.l("新しい連携ロボット", "New integration robot").to_owned();
        let robot = CustomRobot {
            id: free("integration")?,
            name: name.clone(),
            enabled: true,
            on: Trigger::ByHand { by_hand: true, connection },
            action: CustomAction::Run(Action::StatusSync),
        };
        own.push(robot);
        return Ok(Opening { place: own.len() - 1, settings, name, is_fixed: false });
    }
    let at = own.iter().position(|robot| robot.id.as_str() == id).ok_or_else(Problem::not_found)?;
    let name = own[at].name.clone();
    let place = if manner == Manner::Copy {
        let copy = CustomRobot {
            id: free(id)?,
            name: format!("{name}{}", shell.l(" - コピー", " (copy)")),
            ..own[at].clone()
        };
        own.push(copy);
        own.len() - 1
    } else {
        at
    };
    Ok(Opening { settings, place, name, is_fixed: false })
}

/// An id for a copy that none has yet.
fn copy_id(of: &str, taken: impl Fn(&RuleId) -> bool) -> Result<RuleId, Problem> {
    free_id(&format!("{of}-copy"), taken)
}

/// An id with this beginning that none has yet.
fn free_id(base: &str, taken: impl Fn(&RuleId) -> bool) -> Result<RuleId, Problem> {
    (1..1_000)
        .map(|number| if number == 1 { base.to_owned() } else { format!("{base}-{number}") })
        .filter_map(|id| RuleId::parse(id).ok())
        .find(|id| !taken(id))
        .ok_or_else(|| Problem::bad("IDが長すぎてコピーできません。", "The id is too long for a copy."))
}
