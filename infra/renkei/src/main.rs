//! `renkei`: the operator's command line, the same against a local stack and a cloud stack.
//!
//! Everything it does goes through the same functions and the same store as the Lambda functions: there is no second
//! way in. See `docs/cli.md` for what others may script against.

// The AWS SDK nests its futures deeply.
#![recursion_limit = "512"]

mod bare;
mod bench;
mod cli;
mod commands;
mod demo;
mod error;
mod local;
mod output;
mod private;
mod prove;
mod stack;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::dispatch(cli).await {
        Ok(code) => code.into(),
        Err(error) => {
            if error.is_closed_pipe() {
                return ExitCode::SUCCESS;
            }
            eprintln!("renkei: {error}");
            error.code().into()
        }
    }
}
