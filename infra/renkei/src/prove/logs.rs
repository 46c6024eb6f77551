//! What functions log: that they do, and that nothing of a customer's and no secret is in it. What was found is never
//! shown, only of which kind it is.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use renkei_store::access::Secret;
use serde_json::{Value, json};

use super::world::CANARY;
use crate::bare::{Answer, Bare};
use crate::error::CliError;
use crate::stack::Stack;

/// Functions that are called over HTTP. What they log is in no log but CloudWatch's.
const CALLED: [&str; 1] = ["warehouse-api"];
/// Functions that queues feed, all of which work in every round. The local AWS shows what they log.
const FED: [&str; 5] = ["fetch-orders", "import-orders", "push-statuses", "sync-payments", "sync-inventory"];
/// What a function logs at the end of each invocation.
const SIGN_OF_LIFE: &str = "invocation ended";

/// What is to be seen nowhere.
struct Hidden {
    /// How it begins.
    begins: &'static str,
    /// Are the next characters of it hexadecimal?
    is_random: bool,
    what: &'static str,
}

const HIDDEN: [Hidden; 4] = [
    Hidden { begins: CANARY, is_random: false, what: "what is a customer's, or how to sign in at a shop" },
    Hidden { begins: "simtoken", is_random: true, what: "a session's token at a shop" },
    Hidden { begins: Secret::WAREHOUSE, is_random: true, what: "a warehouse's key" },
    Hidden { begins: Secret::HOOK, is_random: true, what: "the secret in a webhook's address" },
];
/// So many hexadecimal digits are no word.
const RANDOM: usize = 8;

/// If a text holds what is to be seen nowhere, of which kind that is.
pub fn hidden_in(text: &str) -> Option<&'static str> {
    HIDDEN.iter().find(|hidden| hidden.is_in(text)).map(|hidden| hidden.what)
}

impl Hidden {
    fn is_in(&self, text: &str) -> bool {
        text.match_indices(self.begins).any(|(at, begins)| {
            let next = text.bytes().skip(at + begins.len()).take(RANDOM);
            !self.is_random || next.filter(u8::is_ascii_hexdigit).count() == RANDOM
        })
    }
}

/// What is wrong with what a round's functions have logged, in sentences: in the local AWS's log after so many bytes, and
/// in CloudWatch's since the round began.
pub async fn wrong(
    stack: &Stack,
    name: &str,
    (log, logged_before): (&Path, u64),
    began: Timestamp,
) -> Result<Vec<String>, CliError> {
    let mut wrong = Vec::new();
    for function in CALLED {
        let lines = logged(stack, &format!("{name}-{function}"), began).await?;
        wrong.extend(silent(&lines.join("\n"), &[function]));
        wrong.extend(hidden(lines.iter().map(String::as_str)));
    }
    let log = read_log(log, logged_before)?;
    wrong.extend(silent(&log, &FED));
    wrong.extend(hidden(log.lines()));
    Ok(wrong)
}

/// Which of these functions has shown no sign of life in a log, so that it says nothing of what they log.
fn silent(log: &str, functions: &[&str]) -> Vec<String> {
    let shows = |function: &str| {
        let named = format!("\"function\":\"{function}\"");
        log.lines().any(|line| line.contains(SIGN_OF_LIFE) && line.contains(&named))
    };
    let silent = functions.iter().filter(|function| !shows(function));
    silent.map(|function| format!("{function} has logged nothing, so that nothing is known of what it logs")).collect()
}

/// Says of what is to be seen nowhere in how many lines it is.
fn hidden<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for what in lines.filter_map(hidden_in) {
        *found.entry(what).or_default() += 1;
    }
    found.into_iter().map(|(what, lines)| format!("{lines} lines of the log hold {what}")).collect()
}

/// The local AWS's log, functions' included, after so many bytes.
fn read_log(log: &Path, from: u64) -> Result<String, CliError> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a function has logged since.
async fn logged(stack: &Stack, function: &str, since: Timestamp) -> Result<Vec<String>, CliError> {
    let logs = Bare::new(&stack.aws, "logs")?;
    let mut asked = json!({
        "logGroupName": format!("/aws/lambda/{function}"), "startTime": since.as_millisecond(),
    });
    let mut lines = Vec::new();
    loop {
        let Answer::Found(mut page) = logs.call("Logs_20140328.FilterLogEvents", &asked).await? else {
            return Ok(lines);
        };
        let events = page["events"].as_array().into_iter().flatten();
        lines.extend(events.filter_map(|event| event["message"].as_str()).map(str::to_owned));
        asked["nextToken"] = page["nextToken"].take();
        if asked["nextToken"] == Value::Null {
            return Ok(lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_each_kind_are_known_and_not_shown() {
        let key = format!("{}{}", Secret::WAREHOUSE, "0f".repeat(36));
        let hook = format!("POST /hooks/ecforce/{}{}", Secret::HOOK, "0f".repeat(36));
        let lines = ["simtoken00ff00ff00ff00ff0001", key.as_str(), hook.as_str(), "kanariya-password-7", key.as_str()];
        let said = hidden(lines.into_iter());
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said.iter().any(|sentence| sentence == "2 lines of the log hold a warehouse's key"), "{said:?}");
        assert!(!said.concat().contains("0f0f"));
        assert_eq!(hidden_in("a key begins with rkw_, a webhook's secret with rkh_…"), None);
        assert_eq!(hidden_in(r#"{"message":"invocation ended"}"#), None);
    }

    #[test]
    fn a_function_that_logs_nothing_is_named() {
        let log = "Lambda prove-push-statuses output:\n\
                   {\"function\":\"push-statuses\",\"message\":\"invocation ended\"}\n\
                   {\"function\":\"fetch-orders\",\"message\":\"a call failed\"}\n";
        let silent = silent(log, &["push-statuses", "fetch-orders"]);
        assert_eq!(silent.len(), 1, "{silent:?}");
        assert!(silent[0].starts_with("fetch-orders"));
    }
}
