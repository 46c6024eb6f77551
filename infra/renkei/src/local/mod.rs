//! The local stack: the functions of this checkout on an AWS of this machine, started and ended with one command.
//!
//! It is the stack that the cloud gets, from the same template, so what is seen here is what would happen there. Each
//! stack has a port and a directory, `.renkei/local/<port>`, and shares nothing else: two may run beside each other.
//!
//! [`ensure_up`] is the whole story: tools, functions, AWS, deployment. What runs is found again by the records in the
//! directory, so any later `renkei` can look at it or end it.

mod aws;
mod build;
mod deploy;
mod error;
mod paths;
mod process;
mod progress;
mod stack;
mod status;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::At;
use crate::commands::local_accounts;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

pub use build::{BARE, BOOTSTRAP, Built, build};
pub use error::LocalError;
pub use paths::{Project, StackPaths, last_lines, read_record, write_record};
pub use process::{Detached, running};
pub use progress::Progress;
pub use stack::LocalStack;
pub use status::program;

/// `renkei local …`
#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Start a local stack, or bring a running one up to date with this checkout
    Up(UpArguments),
    /// End a local stack; what it stores stays until `up --fresh`
    Down(DownArguments),
    /// Show the local stacks that run
    Status(StatusArguments),
}

/// `renkei local up`
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Port of 127.0.0.1 at which its AWS answers; each port is a stack of its own
    #[arg(long, default_value_t = DEFAULT_PORT, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// Throw away what the stack stores, and begin anew
    #[arg(long)]
    pub fresh: bool,
    /// Name of the stack
    #[arg(long, env = "RENKEI_STACK", default_value = DEFAULT_STACK, value_parser = stack_name)]
    pub stack: String,
    /// Start nothing that a schedule starts at a certain hour, such as a shop's nightly comparison: what a test counts
    /// does not depend on when it runs
    #[arg(long)]
    pub no_time_of_day: bool,
    /// Print the endpoints as JSON
    #[arg(long)]
    pub json: bool,
}

/// `renkei local down`
#[derive(Debug, Args)]
pub struct DownArguments {
    /// Port of the stack
    #[arg(long, default_value_t = DEFAULT_PORT, conflicts_with = "all")]
    pub port: u16,
    /// End all local stacks of this checkout
    #[arg(long)]
    pub all: bool,
}

/// `renkei local status`
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// The port of a stack that nobody asked another for.
pub const DEFAULT_PORT: u16 = 4566;
/// The name of a stack that nobody gave another.
pub const DEFAULT_STACK: &str = "renkei";

fn stack_name(text: &str) -> Result<String, String> {
    let fits = text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits { Ok(text.to_owned()) } else { Err("lower-case letters, digits and dashes, at most 40".to_owned()) }
}

/// Which local stack is wanted, and how.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way of its own")]
pub struct UpOptions {
    /// Port of its AWS.
    pub port: u16,
    /// Begin without what it stored.
    pub fresh: bool,
    /// Its name.
    pub stack: String,
    /// It is the demo's: whatever it stores may be thrown away by the next one.
    pub demo: bool,
    /// Where its functions find AWS, if not at its port: a proxy that fails on purpose.
    pub functions_endpoint: Option<String>,
    /// Its AWS counts what would be charged for.
    pub metered: bool,
    /// Its schedules start nothing at a certain hour.
    pub no_time_of_day: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            port: DEFAULT_PORT,
            fresh: false,
            stack: DEFAULT_STACK.to_owned(),
            demo: false,
            functions_endpoint: None,
            metered: false,
            no_time_of_day: false,
        }
    }
}

/// A stack that is up.
#[derive(Debug)]
pub struct Up {
    /// The stack.
    pub stack: LocalStack,
    /// The program that plays the demo's shops, of the same build.
    pub simulator: PathBuf,
}

/// What `local up --json` prints: stable keys that others script against.
#[derive(Debug, Serialize)]
struct Endpoints<'a> {
    aws_endpoint: &'a str,
    region: &'a str,
    stack: &'a str,
    warehouse_url: Option<&'a str>,
    console_url: Option<&'a str>,
}

impl<'a> From<&'a LocalStack> for Endpoints<'a> {
    fn from(stack: &'a LocalStack) -> Self {
        Self {
            aws_endpoint: &stack.aws_endpoint,
            region: &stack.region,
            stack: &stack.stack,
            warehouse_url: stack.warehouse_url.as_deref(),
            console_url: stack.console_url.as_deref(),
        }
    }
}

/// Carries out `renkei local …`.
pub async fn run(command: LocalCommand) -> Result<Exit, CliError> {
    match command {
        LocalCommand::Up(arguments) => up(arguments).await?,
        LocalCommand::Down(arguments) => down(&arguments)?,
        LocalCommand::Status(arguments) => status::show(&Project::find()?, arguments.json)?,
    }
    Ok(Exit::Done)
}

async fn up(arguments: UpArguments) -> Result<(), CliError> {
    let project = Project::find()?;
    let options = UpOptions {
        port: arguments.port,
        fresh: arguments.fresh,
        stack: arguments.stack,
        no_time_of_day: arguments.no_time_of_day,
        ..UpOptions::default()
    };
    let Up { stack, .. } = ensure_up(&project, &options, Progress::shown()).await?;
    local_accounts(&Stack::open(&At { stack: stack.stack.clone(), local: Some(stack.port) }).await?).await?;
    if arguments.json { output::json_line(&Endpoints::from(&stack)) } else { status::describe(&project, &stack) }
}

fn down(arguments: &DownArguments) -> Result<(), LocalError> {
    let project = Project::find()?;
    let ports = if arguments.all { project.ports()? } else { vec![arguments.port] };
    let mut ended = 0;
    for port in ports {
        if stop(&project.stack(port), Progress::shown())? {
            eprintln!("The local stack on port {port} has ended. What it stored is kept for the next `local up`.");
            ended += 1;
        }
    }
    if ended == 0 {
        eprintln!("No local stack was running{}.", if arguments.all { String::new() } else { at(arguments.port) });
    }
    Ok(())
}

fn at(port: u16) -> String {
    format!(" on port {port}")
}

/// Makes sure that the stack runs with the code and the template of this checkout, and answers.
///
/// Safe to repeat: what is there already is used, and only what changed is built or deployed.
pub async fn ensure_up(project: &Project, options: &UpOptions, progress: Progress) -> Result<Up, LocalError> {
    let paths = project.stack(options.port);
    // One at a time: two at once would start two AWS on one directory.
    let _alone = paths.lock()?;
    if options.fresh {
        stop_alone(&paths, progress)?;
        paths.remove()?;
    }
    paths.create()?;
    if options.demo {
        paths.give_to_demo()?;
    }
    build::install_tools(project, progress)?;
    let built = build(project, progress)?;
    let aws = aws::ensure(project, &paths, options, progress).await?;
    let stack = deploy::ensure(project, &paths, options, &built, &aws, progress).await?;
    Ok(Up { stack, simulator: built.simulator })
}

/// Ends a stack and everything that it started. False if nothing ran.
pub fn stop(paths: &StackPaths, progress: Progress) -> Result<bool, LocalError> {
    if !paths.exists() {
        return Ok(false);
    }
    let _alone = paths.lock()?;
    stop_alone(paths, progress)
}

fn stop_alone(paths: &StackPaths, progress: Progress) -> Result<bool, LocalError> {
    // AWS first: it ends its functions in an orderly way, before the shops that they call are gone.
    let aws = process::stop(&paths.aws_record(), &paths.directory, progress)?;
    let shops = process::stop(&paths.simulator_record(), &paths.directory, progress)?;
    LocalStack::forget(paths)?;
    Ok(aws || shops)
}

/// Whether nothing listens at the port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_names_are_what_cloudformation_and_our_queues_take() {
        for good in ["renkei", "renkei-2", "r"] {
            assert_eq!(stack_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "Renkei", "2renkei", "ren_kei", "-renkei", &"r".repeat(41)] {
            assert!(stack_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn endpoints_are_these_five_keys_in_this_order() {
        let stack = LocalStack {
            aws_endpoint: "http://127.0.0.1:4590".into(),
            region: "ap-northeast-1".into(),
            stack: "renkei".into(),
            port: 4590,
            access_key_id: "000000000000".into(),
            secret_access_key: "local".into(),
            pid: 1,
            warehouse_url: None,
            console_url: None,
            functions: vec!["renkei-fetch-orders".into()],
        };
        assert_eq!(
            serde_json::to_string(&Endpoints::from(&stack)).unwrap(),
            r#"{"aws_endpoint":"http://127.0.0.1:4590","region":"ap-northeast-1","stack":"renkei","warehouse_url":null,"console_url":null}"#
        );
    }
}
