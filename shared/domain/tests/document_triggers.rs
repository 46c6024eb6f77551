//! Integration robots of the merchant's own: every trigger and action as it is written, and what is refused, by line.

use renkei_domain::document::{self, Document, Problem};
use renkei_domain::settings::{Action, CustomAction, Trigger};

const MIDORI: &str = include_str!("fixtures/midori.yaml");
const ON: &str = "on: { after: status-sync, connection: midori-ecforce }";
const DO: &str = "do: { apply_processing_robot: ecforce-release, to_status: awaiting-payment }";

fn read(on: &str, action: &str) -> Result<Document, Vec<Problem>> {
    document::read(&MIDORI.replace(ON, on).replace(DO, action), &|url: &str| Ok(url.to_owned()))
}

fn robot(on: &str, action: &str) -> (Trigger, CustomAction) {
    let document = read(on, action).unwrap_or_else(|problems| panic!("{problems:?}"));
    // What is written comes back as it was written.
    let text = document::write(&document.settings);
    let again =
        document::read(&text, &|url: &str| Ok(url.to_owned())).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(again.settings, document.settings);
    let robot = document.settings.integration_robots.custom[0].clone();
    (robot.on, robot.action)
}

#[test]
fn every_trigger_and_action_can_be_written() {
    let (on, action) = robot(ON, DO);
    assert_eq!((on.after(), action.action()), (Some(Action::StatusSync), Action::ApplyProcessing));
    let (on, action) = robot("on: { every: 15 minutes, connection: midori-ecforce }", "do: fetch-orders");
    assert!(matches!(on, Trigger::Every { every, .. } if every.as_minutes() == 15));
    assert_eq!(action.action(), Action::FetchOrders);
    let (on, _) = robot("on: { daily_at: \"09:30\", connection: midori-ecforce }", "do: status-sync");
    assert!(matches!(on, Trigger::DailyAt { daily_at, .. } if daily_at.utc() == "cron(30 0 * * ? *)"));
    let (on, _) = robot("on: { cron: \"0 9-10 * * MON\", connection: midori-ecforce }", "do: inventory");
    assert!(matches!(on, Trigger::Cron { cron, .. } if cron.utc() == ["cron(0 0,1 ? * MON *)"]));
    let (on, _) = robot("on: { by_hand: true, connection: midori-ecforce }", "do: state-working");
    assert_eq!((on.after(), on.connection().as_str()), (None, "midori-ecforce"));
    let (on, action) = robot("on: { after: fetch-orders, connection: midori-ecforce }", "do: state-working");
    assert_eq!((on.after(), action.action()), (Some(Action::FetchOrders), Action::StateWorking));
}

#[test]
fn what_cannot_be_is_refused_with_its_line() {
    for (on, action, sentence) in [
        ("on: { daily_at: \"25:00\", connection: midori-ecforce }", "do: fetch-orders", "is not a time of day"),
        ("on: { cron: \"0 8 1 * *\", connection: midori-ecforce }", "do: fetch-orders", "another month"),
        ("on: { cron: \"0 8 * *\", connection: midori-ecforce }", "do: fetch-orders", "five fields"),
        ("on: { by_hand: false, connection: midori-ecforce }", "do: fetch-orders", "by_hand: true"),
        ("on: { after: status-sync, connection: midori-ecforce }", "do: status-sync", "never stop"),
        ("on: { after: write-back, connection: midori-ecforce }", DO, "would never start"),
        ("on: { every: 1 hour, connection: midori }", "do: fetch-orders", "no connection \"midori\""),
        ("on: { every: 1 hour, connection: midori-ecforce }", "do: apply-processing", "which robot to apply"),
        ("on: { every: 1 hour, connection: midori-ecforce }", "do: fetch-order", "fetch-orders"),
        (ON, "do: { apply_processing_robot: ecforce-release, to_status: waiting }", "is not one of"),
    ] {
        let problems = read(on, action).expect_err(on);
        let found = problems.iter().any(|problem| problem.line > 0 && problem.to_string().contains(sentence));
        assert!(found, "{on} {action}: {problems:?}");
    }
    let problems = read("on: { connection: midori-ecforce }", DO).expect_err("no trigger");
    assert!(!problems.is_empty());
    let both = "on: { every: 1 hour, daily_at: \"09:30\", connection: midori-ecforce }";
    assert!(read(both, DO).is_err(), "two triggers");
}

#[test]
fn where_the_shop_moves_states_by_itself_no_robot_of_ones_own_does() {
    let own = MIDORI.replace(ON, "on: { every: 1 hour, connection: midori-ecforce }").replace(DO, "do: state-shipped");
    let problems = |text: &str| document::read(text, &|url: &str| Ok(url.to_owned())).err().unwrap_or_default();
    assert_eq!(problems(&own), []);
    let both = problems(&own.replace("automation_option: false", "automation_option: true"));
    let paths: Vec<&str> = both.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["integration_robots.custom[0].do"], "it would run twice");
}

#[test]
fn a_robot_that_starts_every_5_minutes_is_warned_of_once_and_one_of_6_minutes_is_not() {
    let warned_of = |every: &str| {
        let on = format!("on: {{ every: {every}, connection: midori-ecforce }}");
        let document = read(&on, "do: status-sync").unwrap_or_else(|problems| panic!("{problems:?}"));
        document.warnings.iter().filter(|warning| warning.path == "integration_robots.custom[0].on.every").count()
    };
    assert_eq!((warned_of("5 minutes"), warned_of("6 minutes")), (1, 0));
}
