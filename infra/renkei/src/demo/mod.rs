//! `renkei demo` (being written).
use clap::Args;

use crate::error::{CliError, Exit};

/// `renkei demo`
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// Carries out `renkei demo`.
#[expect(clippy::unused_async, reason = "being written")]
pub async fn run(_: DemoArgs) -> Result<Exit, CliError> {
    Ok(Exit::Done)
}
