//! AWS on this machine: one process for each local stack, which goes on after the command that started it.

use std::process::Command;
use std::time::{Duration, Instant};

use super::paths::last_lines;
use super::process::{self, Detached, Recorded, clean};
use super::{LocalError, Progress, Project, StackPaths, UpOptions, is_free};

/// How long it may take to answer. Half a second is usual; a state of a million orders takes some seconds to read.
const PATIENCE: Duration = Duration::from_mins(2);

/// An AWS that answers.
#[derive(Debug, Clone)]
pub struct Aws {
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// Its process.
    pub process: Recorded,
}

/// Starts AWS for this stack, unless it runs.
pub async fn ensure(
    project: &Project,
    paths: &StackPaths,
    options: &UpOptions,
    progress: Progress,
) -> Result<Aws, LocalError> {
    let endpoint = format!("http://127.0.0.1:{}", paths.port);
    if let Some(process) = process::running(&paths.aws_record())? {
        // A start that was interrupted may not have come to its end.
        wait_until_ready(&endpoint, paths, None).await?;
        return Ok(Aws { endpoint, process });
    }
    // Functions of an AWS that was killed would go on calling shops.
    process::stop(&paths.aws_record(), &paths.directory, progress)?;
    if !is_free(paths.port) {
        return Err(LocalError::PortTaken(paths.port));
    }
    let step = progress.step(&format!("Starting AWS on port {}", paths.port));
    let mut command = Command::new(project.tool("local", "python"));
    clean(&mut command)
        .arg("infra/tools/local_aws.py")
        .args(["--port", &paths.port.to_string()])
        .arg("--directory")
        .arg(&paths.directory)
        .current_dir(&project.root);
    if let Some(endpoint) = &options.functions_endpoint {
        command.args(["--functions-endpoint", endpoint]);
    }
    if options.metered {
        command.arg("--metered");
    }
    if options.no_time_of_day {
        command.arg("--no-time-of-day");
    }
    let advice = "Run `python3 infra/tools/install.py`, then this again";
    let mut started = Detached::start(command, &paths.aws_log(), &paths.aws_record(), advice)?;
    wait_until_ready(&endpoint, paths, Some(&mut started)).await?;
    step.done();
    Ok(Aws { endpoint, process: started.recorded })
}

async fn wait_until_ready(
    endpoint: &str,
    paths: &StackPaths,
    mut started: Option<&mut Detached>,
) -> Result<(), LocalError> {
    let failed =
        |what: String| LocalError::Aws { what, log: paths.aws_log(), last_lines: last_lines(&paths.aws_log()) };
    let client = renkei_http::builder().no_proxy().timeout(Duration::from_secs(5)).build();
    let client = client.map_err(|error| failed(format!("cannot be asked: {error}")))?;
    let url = format!("{endpoint}/_ministack/ready");
    let began = Instant::now();
    loop {
        if let Some(how) = started.as_deref_mut().and_then(Detached::ended) {
            return Err(failed(format!("ended at its start ({how})")));
        }
        if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if began.elapsed() >= PATIENCE {
            return Err(failed(format!("did not answer within {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
