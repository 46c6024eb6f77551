//! `renkei bench start`: how long functions take from the start of their process until they ask for work, against a bare
//! one in the same run; and how large each is, packed.
//!
//! A function's start is what whoever waits for its first answer waits for, and most of it is the program's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::runtime_api::RuntimeApi;
use super::{measure, open};
use crate::error::{CliError, Exit};
use crate::local::{BARE, BOOTSTRAP, build, stop};
use crate::output;

/// `renkei bench start`
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The programs of another build, such as the release build: a directory with `FUNCTION/bootstrap` or `FUNCTION` for each,
    /// and for `bare-function`. A function that is not in it is left out. Without this: what the local stack runs.
    #[arg(long, value_name = "DIRECTORY")]
    pub bins: Option<PathBuf>,
    /// How often each function is started, in turn with the bare one.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub times: u16,
    /// Port of the local stack that is used up for this.
    #[arg(long, default_value_t = 4569, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: u16,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What surrounds the one file of a package: its header, its entry in the directory, and the directory's end.
const AROUND: u64 = 30 + 46 + 22 + 2 * BOOTSTRAP.len() as u64;

/// The figures. The keys are those of `renkei bench start --json`.
#[derive(Debug, Serialize)]
struct Figures {
    times: u16,
    functions: BTreeMap<String, FunctionFigures>,
}

#[derive(Debug, Serialize)]
struct FunctionFigures {
    /// The middle one of all starts.
    start_ms: f64,
    /// The same of the bare function, which was started in turn with this one.
    bare_ms: f64,
    ratio: f64,
    /// Connections to AWS before the first request for work, the most of all starts.
    aws_connections: usize,
    /// The program, packed, in MB of 1,000,000 bytes.
    package_mb: f64,
}

/// Carries out `renkei bench start`.
pub async fn bench(arguments: StartArgs) -> Result<Exit, CliError> {
    // The stack only says what functions' environments have; it does not run while they are started.
    let (project, progress, local, _) = open(arguments.port).await?;
    let built = build(&project, progress)?;
    let mut environments = BTreeMap::new();
    for function in built.functions.keys() {
        environments.insert(function.clone(), measure::environment(&local, function).await?);
    }
    stop(&project.stack(arguments.port), progress)?;

    let (bare, functions) = match &arguments.bins {
        None => (built.bare, built.functions),
        Some(directory) => {
            let bare = program(directory, BARE)
                .ok_or_else(|| CliError::said(format!("there is no {BARE} in {}", directory.display())))?;
            let found = built.functions.into_keys().filter_map(|name| Some((name.clone(), program(directory, &name)?)));
            (bare, found.collect())
        }
    };
    let runtime_api = RuntimeApi::open()?;
    let mut figures = Figures { times: arguments.times, functions: BTreeMap::new() };
    for (function, program) in &functions {
        let environment = &environments[function];
        let measured = measured(&runtime_api, function, (program.as_path(), environment), &bare, arguments.times)?;
        figures.functions.insert(function.clone(), measured);
    }
    if arguments.json {
        output::json_line(&figures)?;
    } else {
        show(&figures)?;
    }
    Ok(Exit::Done)
}

fn program(directory: &Path, name: &str) -> Option<PathBuf> {
    [directory.join(name).join(BOOTSTRAP), directory.join(name)].into_iter().find(|path| path.is_file())
}

fn measured(
    runtime_api: &RuntimeApi,
    function: &str,
    (program, environment): (&Path, &BTreeMap<String, String>),
    bare: &Path,
    times: u16,
) -> Result<FunctionFigures, CliError> {
    let nothing = BTreeMap::new();
    let start = || runtime_api.start(function, &mut Command::new(program), environment);
    let start_bare = || runtime_api.start(BARE, &mut Command::new(bare), &nothing);
    // Once before, so that both are read from memory.
    let mut aws_connections = start()?.aws_connections;
    start_bare()?;
    let (mut took, mut bare_took) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let this = start()?;
        took.push(this.took);
        aws_connections = aws_connections.max(this.aws_connections);
        bare_took.push(start_bare()?.took);
    }
    let (start_ms, bare_ms) = (middle_ms(&mut took), middle_ms(&mut bare_took));
    let package_mb = package_bytes(program)? as f64 / 1_000_000.0;
    Ok(FunctionFigures { start_ms, bare_ms, ratio: start_ms / bare_ms, aws_connections, package_mb })
}

fn middle_ms(took: &mut [Duration]) -> f64 {
    took.sort_unstable();
    took.get(took.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1_000.0)
}

/// The size of the archive that is deployed, which holds the program alone.
fn package_bytes(program: &Path) -> io::Result<u64> {
    let mut packed = DeflateEncoder::new(io::sink(), Compression::default());
    packed.write_all(&fs::read(program)?)?;
    packed.try_finish()?;
    Ok(packed.total_out() + AROUND)
}

fn show(figures: &Figures) -> Result<(), CliError> {
    output::line(format!(
        "the middle one of {} starts of each, in turn with the bare function; wanted: ratio ≤ 2, package ≤ 4 MB\n",
        figures.times
    ))?;
    let rows: Vec<Vec<String>> = figures.functions.iter().map(|(name, of)| of.row(name)).collect();
    output::table(&["function", "start", "bare", "ratio", "asked of AWS before", "package"], &rows)
}

impl FunctionFigures {
    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            format!("{:.1} ms", self.start_ms),
            format!("{:.1} ms", self.bare_ms),
            format!("{:.2}", self.ratio),
            self.aws_connections.to_string(),
            format!("{:.2} MB", self.package_mb),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one_counts_and_not_the_mean() {
        let mut took = [9, 1, 100, 2, 3].map(Duration::from_millis);
        assert!((middle_ms(&mut took) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_package_is_as_large_as_its_deflated_program_and_what_surrounds_it() {
        let file = std::env::temp_dir().join(format!("renkei-package-{}", std::process::id()));
        fs::write(&file, vec![7; 1_000_000]).unwrap();
        let bytes = package_bytes(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!((AROUND + 100..5_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn programs_are_found_as_cargo_and_as_cargo_lambda_leave_them() {
        let folder = std::env::temp_dir().join(format!("renkei-bins-{}", std::process::id()));
        fs::create_dir_all(folder.join("watch")).unwrap();
        fs::write(folder.join("watch").join(BOOTSTRAP), "").unwrap();
        fs::write(folder.join("console"), "").unwrap();
        assert_eq!(program(&folder, "watch"), Some(folder.join("watch/bootstrap")));
        assert_eq!(program(&folder, "console"), Some(folder.join("console")));
        assert_eq!(program(&folder, "fetch-orders"), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
