//! What runs, for people and for scripts.

use std::path::PathBuf;

use serde::Serialize;

use super::{LocalError, LocalStack, Project};
use crate::commands::{LOCAL_PASSWORD, LOCAL_PEOPLE};
use crate::error::CliError;
use crate::output;

/// One running stack, as `local status --json` prints it.
#[derive(Debug, Serialize)]
struct StatusLine {
    #[serde(flatten)]
    stack: LocalStack,
    directory: String,
}

/// Lists the local stacks that run.
pub fn show(project: &Project, json: bool) -> Result<(), CliError> {
    let mut running = Vec::new();
    for port in project.ports()? {
        let paths = project.stack(port);
        if let Some(stack) = LocalStack::running(&paths)? {
            running.push(StatusLine { stack, directory: project.short(&paths.directory) });
        }
    }
    if json {
        return running.iter().try_for_each(output::json_line);
    }
    if running.is_empty() {
        eprintln!("No local stack runs in this checkout. `renkei local up` starts one.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = running
        .iter()
        .map(|StatusLine { stack, directory }| {
            let functions = stack.functions.join(", ");
            let pid = stack.pid.to_string();
            vec![
                stack.stack.clone(),
                stack.port.to_string(),
                stack.aws_endpoint.clone(),
                pid,
                directory.clone(),
                functions,
            ]
        })
        .collect();
    output::table(&["stack", "port", "AWS", "pid", "directory", "functions"], &rows)
}

/// Says what `local up` has brought up, and what to do with it.
pub fn describe(project: &Project, stack: &LocalStack) -> Result<(), CliError> {
    let paths = project.stack(stack.port);
    let mut lines = vec![
        format!("The stack {} runs on port {}.", stack.stack, stack.port),
        String::new(),
        format!("  AWS        {} ({})", stack.aws_endpoint, stack.region),
        format!("  functions  {}", stack.functions.join(", ")),
    ];
    lines.extend(stack.warehouse_url.as_ref().map(|url| format!("  warehouse  {url}")));
    lines.extend(stack.console_url.as_ref().map(|url| format!("  console    {url}")));
    if stack.console_url.is_some() {
        let people: Vec<&str> = LOCAL_PEOPLE.iter().map(|(email, _)| *email).collect();
        lines.push(format!("             sign in as {}, password {LOCAL_PASSWORD}", people.join(", ")));
    }
    lines.push(format!("  log        {}", project.short(&paths.aws_log())));
    lines.push(String::new());
    lines.push("Next:".to_owned());
    let (program, port) = (program(), stack.port);
    let commands = [
        (format!("{program} --local {port} apply FILE.yaml"), "set a merchant up (docs/document.md)"),
        (format!("{program} --local {port} runs"), "see what robots do"),
        (
            format!("{program} --local {port} member add owner@renkei.example --tenant TENANT --role owner"),
            "open a merchant in the console",
        ),
        (format!("{program} local down --port {port}"), "end it; what it stores is kept"),
    ];
    lines.extend(commands.map(|(command, why)| format!("  {command:<52} {why}")));
    lines.iter().try_for_each(output::line)
}

/// How this program was called, so that the commands shown can be copied as they stand.
pub fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let here = std::env::current_dir().unwrap_or_default();
    match called.strip_prefix(here).unwrap_or(&called).to_str() {
        None | Some("") => "renkei".to_owned(),
        Some(called) => called.to_owned(),
    }
}

impl From<LocalError> for CliError {
    fn from(error: LocalError) -> Self {
        Self::said(error.to_string())
    }
}
