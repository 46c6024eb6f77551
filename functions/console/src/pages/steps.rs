//! The small steps that the list of robots offers: on, off, up, down, to another place, away. Each is a change of the
//! settings like any other: checked as a whole, over the version that the page showed, and written in the history.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use renkei_domain::ids::RuleId;
use renkei_domain::processing::built_in;
use renkei_domain::settings::{CustomAction, EnabledRobot, TenantSettings, TiedRobot};

use super::draft::Names;
use super::{Form, encoded, proposal};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::{App, Settings};

/// What is to become of a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    On,
    Off,
    Remove,
    Up,
    Down,
    /// To this place of its own list, from 0.
    To(usize),
}

impl Step {
    fn read(form: &Form) -> Result<Self, Problem> {
        Ok(match form.get("step").as_str() {
            "on" => Self::On,
            "off" => Self::Off,
            "remove" => Self::Remove,
            "up" => Self::Up,
            "down" => Self::Down,
            "to" => Self::To(form.get("to").parse().map_err(|_| nowhere())?),
            _ => return Err(Problem::not_found()),
        })
    }

    fn moves(self) -> bool {
        matches!(self, Self::Up | Self::Down | Self::To(_))
    }
}

fn nowhere() -> Problem {
    Problem::bad("移動先がロボットの一覧にありません。", "The list of robots has no such place.")
}

/// Makes a step.
pub async fn step(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let (list, id) = (form.get("list"), form.get("robot"));
    if form.get("step") == "tie" {
        let conversions = Names::of(&form).every("conversion");
        proposal::step(&app, &caller, form.version()?, |settings| tied(settings, &id, &conversions)).await?;
        return Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/robots?done"))]).into_response());
    }
    let what = Step::read(&form)?;
    proposal::step(&app, &caller, form.version()?, |settings| stepped(settings, &list, &id, what)).await?;
    let moved = if what.moves() { format!("&moved={}", encoded(&id)) } else { String::new() };
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to(&format!("/robots?done{moved}")))]).into_response())
}

fn stepped(settings: &mut TenantSettings, list: &str, id: &str, what: Step) -> Result<(), Problem> {
    match list {
        "built-in" => {
            let known = RuleId::parse(id).ok().and_then(|id| built_in::find(&id)).ok_or_else(Problem::not_found)?;
            let enabled = &mut settings.processing_robots.enable;
            let at = enabled.iter().position(|robot| *robot.id() == known.id);
            match (what, at) {
                (Step::On, None) => enabled.push(known.id.clone().into()),
                (Step::On, Some(_)) => {}
                (Step::Off, Some(at)) => drop(enabled.remove(at)),
                (step, Some(at)) => moved(enabled, at, step)?,
                (_, None) => return Err(Problem::not_found()),
            }
        }
        "processing" => {
            let own = &mut settings.processing_robots.custom;
            let at = own.iter().position(|robot| robot.id.as_str() == id).ok_or_else(Problem::not_found)?;
            match what {
                Step::On | Step::Off => own[at].enabled = what == Step::On,
                Step::Remove => {
                    free(&applying(settings, id))?;
                    settings.processing_robots.custom.remove(at);
                }
                step => moved(own, at, step)?,
            }
        }
        "conversion" => {
            let own = &mut settings.conversion_robots;
            let at = own.iter().position(|robot| robot.id.as_str() == id).ok_or_else(Problem::not_found)?;
            match what {
                Step::On | Step::Off => own[at].enabled = what == Step::On,
                Step::Remove => {
                    free(&converting(settings, id))?;
                    settings.conversion_robots.remove(at);
                }
                _ => return Err(Problem::not_found()),
            }
        }
        "integration" => {
            let own = &mut settings.integration_robots.custom;
            let at = own.iter().position(|robot| robot.id.as_str() == id).ok_or_else(Problem::not_found)?;
            match what {
                Step::On | Step::Off => own[at].enabled = what == Step::On,
                Step::Remove => drop(own.remove(at)),
                _ => return Err(Problem::not_found()),
            }
        }
        _ => return Err(Problem::not_found()),
    }
    Ok(())
}

/// Refuses to take away what these name. The checks would say of them that they name what there is not.
fn free(users: &[String]) -> Result<(), Problem> {
    if users.is_empty() {
        return Ok(());
    }
    let [ja, en] = ["、", ", "].map(|between| users.join(between));
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("{ja} がこのロボットを使っています。先にそちらを変えるか、外してください。何も変えていません。"),
        format!("Still used by {en}: change those first, or take them away. Nothing was changed."),
    ))
}

/// Integration robots that apply this processing robot.
fn applying(settings: &TenantSettings, id: &str) -> Vec<String> {
    let own = settings.integration_robots.custom.iter();
    own.filter(|robot| match &robot.action {
        CustomAction::Apply(apply) => apply.apply_processing_robot.as_str() == id,
        CustomAction::Run(_) => false,
    })
    .map(|robot| robot.name.clone())
    .collect()
}

/// Shops whose orders go through this conversion robot, and processing robots that are tied to it.
fn converting(settings: &TenantSettings, id: &str) -> Vec<String> {
    let is_it = |conversion: &RuleId| conversion.as_str() == id;
    let setups = settings.integration_robots.easy_setup.iter();
    let shops = setups.filter(|setup| setup.conversion_robot.as_ref().is_some_and(is_it));
    let shops = shops.map(|setup| setup.connection.to_string());
    let own = settings.processing_robots.custom.iter().filter(|robot| robot.conversion_robots.iter().any(is_it));
    let built_in = settings.processing_robots.enable.iter().filter(|robot| robot.conversion_robots().iter().any(is_it));
    let built_in = built_in.filter_map(|robot| built_in::find(robot.id())).map(|robot| robot.name.clone());
    shops.chain(own.map(|robot| robot.name.clone())).chain(built_in).collect()
}

/// Ties a built-in robot to these conversion robots; to none, for all orders.
fn tied(settings: &mut TenantSettings, id: &str, conversions: &[String]) -> Result<(), Problem> {
    let enabled = settings.processing_robots.enable.iter_mut().find(|robot| robot.id().as_str() == id);
    let enabled = enabled.ok_or_else(Problem::not_found)?;
    let conversions: Result<Vec<RuleId>, _> = conversions.iter().map(RuleId::parse).collect();
    let (id, conversion_robots) = (enabled.id().clone(), conversions.map_err(|_| Problem::not_found())?);
    *enabled =
        if conversion_robots.is_empty() { id.into() } else { EnabledRobot::Tied(TiedRobot { id, conversion_robots }) };
    Ok(())
}

/// Up and down at the ends of a list there is nowhere to go; that is no mistake of whoever clicked twice.
fn moved<T>(list: &mut [T], at: usize, step: Step) -> Result<(), Problem> {
    let to = match step {
        Step::Up => at.saturating_sub(1),
        Step::Down => (at + 1).min(list.len() - 1),
        Step::To(to) if to < list.len() => to,
        Step::To(_) => return Err(nowhere()),
        Step::On | Step::Off | Step::Remove => return Err(Problem::not_found()),
    };
    if to < at {
        list[to..=at].rotate_right(1);
    } else {
        list[at..=to].rotate_left(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_move_within_their_list_and_no_further() {
        let mut list = vec!["a", "b", "c"];
        moved(&mut list, 1, Step::Up).unwrap();
        assert_eq!(list, ["b", "a", "c"]);
        moved(&mut list, 0, Step::Up).unwrap();
        moved(&mut list, 2, Step::Down).unwrap();
        assert_eq!(list, ["b", "a", "c"]);
        assert!(moved(&mut list, 0, Step::Remove).is_err());
    }

    #[test]
    fn a_robot_goes_to_any_place_and_the_others_keep_their_order() {
        for (from, to, then) in
            [(0, 3, "bcda"), (3, 0, "dabc"), (1, 2, "acbd"), (2, 2, "abcd"), (0, 1, "bacd"), (3, 1, "adbc")]
        {
            let mut list: Vec<char> = "abcd".chars().collect();
            moved(&mut list, from, Step::To(to)).unwrap();
            assert_eq!(list.iter().collect::<String>(), then, "{from} to {to}");
        }
        let mut list = vec!["a", "b"];
        assert!(moved(&mut list, 0, Step::To(2)).is_err(), "past the end");
        assert_eq!(list, ["a", "b"]);
    }

    #[test]
    fn a_step_is_read_or_refused() {
        let read = |form: &str| Step::read(&Form::read(form.as_bytes()));
        assert_eq!(read("step=to&to=3").unwrap(), Step::To(3));
        assert_eq!(read("step=up&to=").unwrap(), Step::Up);
        for bad in ["step=to", "step=to&to=", "step=to&to=-1", "step=to&to=x", "step=sideways", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    /// Built-in ones and a merchant's own are two lists: neither moves into the other.
    #[test]
    fn each_list_moves_by_itself() {
        let text = r#"{"tenant":"a","processing_robots":{"enable":["payment-check","hold-unpaid","require-product"],
            "custom":[{"id":"one","name":"1","do":["to_ready"]},{"id":"two","name":"2","enabled":false,"do":["to_ready"]}]}}"#;
        let mut settings: TenantSettings = serde_json::from_str(text).unwrap();
        stepped(&mut settings, "built-in", "require-product", Step::To(0)).unwrap();
        stepped(&mut settings, "processing", "two", Step::To(0)).unwrap();
        let robots = &settings.processing_robots;
        let enabled: Vec<&str> = robots.enable.iter().map(|robot| robot.id().as_str()).collect();
        let own: Vec<&str> = robots.custom.iter().map(|robot| robot.id.as_str()).collect();
        assert_eq!(
            (enabled.as_slice(), own.as_slice()),
            (&["require-product", "payment-check", "hold-unpaid"][..], &["two", "one"][..])
        );
        assert!(!robots.custom[0].enabled, "moving switches nothing on");
        for (list, id, step) in [
            ("processing", "hold-unpaid", Step::To(0)),
            ("built-in", "one", Step::To(0)),
            ("built-in", "release", Step::To(0)),
            ("processing", "one", Step::To(2)),
            ("conversion", "one", Step::Up),
        ] {
            let before = settings.clone();
            assert!(stepped(&mut settings, list, id, step).is_err(), "{list} {id}");
            assert_eq!(settings, before);
        }
    }

    #[test]
    fn what_another_robot_needs_is_not_taken_away_and_that_one_is_named() {
        let text = serde_json::json!({
            "tenant": "a",
            "conversion_robots": [{ "id": "own", "name": "独自", "copy_of": 14448 }],
            "processing_robots": {
                "enable": [{ "id": "hold-unpaid", "conversion_robots": ["own"] }],
                "custom": [{ "id": "free", "name": "放す", "do": ["to_ready"] }],
            },
            "integration_robots": {
                "easy_setup": { "connection": "shop", "every": "15 minutes", "conversion_robot": "own" },
                "custom": [{
                    "id": "later", "name": "入金後", "on": { "by_hand": true, "connection": "shop" },
                    "do": { "apply_processing_robot": "free", "to_status": "awaiting-payment" },
                }],
            },
        });
        let mut settings: TenantSettings = serde_json::from_value(text).unwrap();
        let mut refused = |list, id| stepped(&mut settings, list, id, Step::Remove).unwrap_err().ja.to_string();
        assert!(refused("processing", "free").starts_with("入金後 が"));
        let conversion = refused("conversion", "own");
        assert!(conversion.starts_with("shop、") && conversion.contains("未入金の注文を保留"), "{conversion}");

        settings.integration_robots.custom.clear();
        settings.integration_robots.easy_setup = serde_json::from_str("[]").unwrap();
        settings.processing_robots.enable.clear();
        stepped(&mut settings, "processing", "free", Step::Remove).unwrap();
        stepped(&mut settings, "conversion", "own", Step::Remove).unwrap();
        assert!(settings.processing_robots.custom.is_empty() && settings.conversion_robots.is_empty());
    }

    #[test]
    fn a_built_in_robot_is_tied_only_where_it_is_on() {
        let text = serde_json::json!({ "tenant": "a", "processing_robots": { "enable": ["payment-check"] } });
        let mut settings: TenantSettings = serde_json::from_value(text).unwrap();
        tied(&mut settings, "payment-check", &["own".to_owned(), "14448".to_owned()]).unwrap();
        let ties = |settings: &TenantSettings| settings.processing_robots.enable[0].conversion_robots().len();
        assert_eq!(ties(&settings), 2);
        tied(&mut settings, "payment-check", &[]).unwrap();
        assert_eq!(settings.processing_robots.enable, [RuleId::parse("payment-check").unwrap().into()]);
        assert_eq!(tied(&mut settings, "hold-unpaid", &[]).unwrap_err().status, StatusCode::NOT_FOUND);
    }
}
