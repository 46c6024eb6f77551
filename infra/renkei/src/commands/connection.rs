//! `renkei connection test`: what is wrong with a connection, each thing in a sentence of its own.

use std::time::Duration;

use renkei_shop::diagnosis::{Diagnosis, Finding};

use crate::error::{CliError, Exit};
use crate::output::plain;
use crate::stack::Stack;

/// How long the test may take: waiting for another run, pace, and a shop that answers slowly.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tests a connection. What is found is said line by line.
pub async fn test(
    stack: &Stack,
    tenant: Option<&str>,
    id: &str,
    say: &dyn Fn(String) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let found = stack.connection(tenant, id).await?;
    let diagnosis = stack.shops()?.diagnose(&found.tenant, &found.connection, PATIENCE).await;
    show(&diagnosis, say)?;
    let is_wrong = diagnosis.is_wrong();
    match diagnosis.ended {
        Some(error) => Err(error.into()),
        None if is_wrong => Ok(Exit::Failed),
        None => Ok(Exit::Done),
    }
}

fn show(diagnosis: &Diagnosis, say: &dyn Fn(String) -> Result<(), CliError>) -> Result<(), CliError> {
    for Finding { check, verdict, sentence, sentence_ja } in &diagnosis.findings {
        say(format!("{} {check}: {}", verdict.label(), plain(sentence_ja)))?;
        say(format!("   {}", plain(sentence)))?;
    }
    let calls = diagnosis.calls;
    say(format!("{calls} calls spent (API呼び出し {calls}回)"))
}
