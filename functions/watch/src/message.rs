//! An alarm as one line for people.

use serde::Deserialize;

use crate::Notification;

/// What a chat shows of one message without folding it.
const LONGEST: usize = 1_500;

/// The part of CloudWatch's message that people need.
#[derive(Deserialize)]
struct Alarm {
    #[serde(rename = "AlarmName")]
    name: String,
    #[serde(rename = "NewStateValue")]
    state: String,
    #[serde(rename = "AlarmDescription", default)]
    description: Option<String>,
}

/// The line for a notification: an alarm's state, name and description; of anything else its subject and text.
#[must_use]
pub fn text(notification: &Notification) -> String {
    let line = match serde_json::from_str::<Alarm>(&notification.message) {
        Ok(alarm) => {
            let sign = match alarm.state.as_str() {
                "ALARM" => "🔴",
                "OK" => "🟢",
                _ => "⚪",
            };
            let description = alarm.description.unwrap_or_default();
            format!("{sign} {} {}: {description}", alarm.state, alarm.name)
        }
        Err(_) => match &notification.subject {
            Some(subject) => format!("{subject}: {}", notification.message),
            None => notification.message.clone(),
        },
    };
    let one_line = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    one_line.take(LONGEST).collect::<String>().trim_end_matches([' ', ':']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subject: Option<&str>, message: &str) -> String {
        text(&Notification { subject: subject.map(str::to_owned), message: message.to_owned() })
    }

    #[test]
    fn an_alarm_is_one_line() {
        let message = r#"{"AlarmName":"renkei-FetchOrdersDeadLettersAlarm-1","AlarmDescription":"Runs failed.","NewStateValue":"ALARM"}"#;
        assert_eq!(of(Some("s"), message), "🔴 ALARM renkei-FetchOrdersDeadLettersAlarm-1: Runs failed.");
        let over = r#"{"AlarmName":"a","NewStateValue":"OK"}"#;
        assert_eq!(of(None, over), "🟢 OK a");
    }

    #[test]
    fn other_text_is_passed_on_as_one_line() {
        assert_eq!(of(Some("Test"), "hello\nagain"), "Test: hello again");
        assert_eq!(of(None, &"x".repeat(5_000)).len(), LONGEST);
    }
}
