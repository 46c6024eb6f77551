//! The deployment: the same `sam deploy` of the same template as for the cloud, against AWS on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::config::Credentials;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::StackStatus;
use renkei_platform::aws::{AwsFailure, tuned};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::aws::Aws;
use super::build::hex;
use super::paths::{read_record, remove_record, write_record};
use super::process::{clean, run_logged};
use super::{Built, LocalError, LocalStack, Progress, Project, StackPaths, UpOptions};

const REGION: &str = "ap-northeast-1";
const ACCESS_KEY_ID: &str = "000000000000";
const SECRET_ACCESS_KEY: &str = "local";

/// What was deployed last.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deployed {
    stack: String,
    digest: String,
}

/// Brings the stack to what was built, if it is not that already.
pub async fn ensure(
    project: &Project,
    paths: &StackPaths,
    options: &UpOptions,
    built: &Built,
    aws: &Aws,
    progress: Progress,
) -> Result<LocalStack, LocalError> {
    let wanted = Deployed { stack: options.stack.clone(), digest: digest(project, built)? };
    let there = outputs(&aws.endpoint, &options.stack).await?;
    let last: Option<Deployed> = read_record(&paths.deployed_file())?;
    let outputs = match there {
        Some(outputs) if last.as_ref() == Some(&wanted) => outputs,
        Some(_) | None => {
            let step = progress.step(&format!("Deploying the stack {}", options.stack));
            remove_record(&paths.deployed_file())?;
            deploy(project, paths, options, aws)?;
            let outputs = outputs(&aws.endpoint, &options.stack).await?.ok_or_else(|| LocalError::Deploy {
                log: paths.deploy_log(),
                last_lines: "  (the stack did not come to stand)".to_owned(),
            })?;
            write_record(&paths.deployed_file(), &wanted)?;
            step.done();
            outputs
        }
    };
    let stack = describe(paths, options, aws, &outputs);
    stack.record(paths)?;
    Ok(stack)
}

fn describe(paths: &StackPaths, options: &UpOptions, aws: &Aws, outputs: &BTreeMap<String, String>) -> LocalStack {
    LocalStack {
        aws_endpoint: aws.endpoint.clone(),
        region: REGION.to_owned(),
        stack: options.stack.clone(),
        port: paths.port,
        access_key_id: ACCESS_KEY_ID.to_owned(),
        secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        pid: aws.process.pid,
        // The gateway's own address names AWS's hosts; on this machine it is a path.
        warehouse_url: outputs.get("WarehouseApiId").map(|api| format!("{}/_aws/execute-api/{api}", aws.endpoint)),
        console_url: outputs.get("ConsoleUrl").cloned(),
        functions: outputs
            .iter()
            .filter(|(name, _)| name.ends_with("Function"))
            .map(|(_, function)| function.clone())
            .collect(),
    }
}

/// Changes when anything does that a deployment takes.
fn digest(project: &Project, built: &Built) -> Result<String, LocalError> {
    let mut digest = Sha256::new();
    digest.update(&built.digest);
    for file in ["template.yaml", "samconfig.toml"] {
        let path = project.root.join(file);
        digest.update(Sha256::digest(fs::read(&path).map_err(LocalError::files("read", &path))?));
    }
    Ok(hex(&digest.finalize()))
}

fn deploy(project: &Project, paths: &StackPaths, options: &UpOptions, aws: &Aws) -> Result<(), LocalError> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let mut command = Command::new(project.tool("build", "sam"));
    clean(&mut command)
        .args(["deploy", "--config-env", "local", "--stack-name", &options.stack, "--parameter-overrides"])
        .args(["Stage=local", &format!("Architecture={architecture}"), "AllowedShopAddressRanges=127.0.0.0/8,::1/128"])
        .arg(format!("LocalAwsUrl={}", aws.endpoint))
        .current_dir(&project.root)
        .env("AWS_ENDPOINT_URL", &aws.endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        // The operator's own settings may name another endpoint or a proxy.
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_POLL_DELAY", "0.2")
        // What sam remembers between its runs: this stack's own.
        .env("__SAM_CLI_APP_DIR", paths.directory.join("sam"));
    let advice = "Run `python3 infra/tools/install.py`, then this again";
    run_logged(command, &paths.deploy_log(), advice)?
        .map_err(|last_lines| LocalError::Deploy { log: paths.deploy_log(), last_lines })
}

/// How AWS on this machine is spoken to.
async fn sdk_config(endpoint: &str) -> SdkConfig {
    tuned()
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local stack"))
        .load()
        .await
}

/// The outputs of the stack; none if there is no such stack that stands.
async fn outputs(endpoint: &str, stack: &str) -> Result<Option<BTreeMap<String, String>>, LocalError> {
    let client = Client::new(&sdk_config(endpoint).await);
    let described = match client.describe_stacks().stack_name(stack).send().await {
        Ok(described) => described,
        // Its way of saying that there is none.
        Err(error) if error.as_service_error().is_some_and(|e| e.code() == Some("ValidationError")) => return Ok(None),
        Err(error) => return Err(AwsFailure::new("DescribeStacks", &error).into()),
    };
    let stands = |status: &StackStatus| matches!(status, StackStatus::CreateComplete | StackStatus::UpdateComplete);
    let found = described.stacks.unwrap_or_default().into_iter().next();
    Ok(found.filter(|stack| stack.stack_status.as_ref().is_some_and(stands)).map(|stack| {
        let outputs = stack.outputs.unwrap_or_default();
        outputs.into_iter().filter_map(|output| Some((output.output_key?, output.output_value?))).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::process::Recorded;
    use std::path::PathBuf;

    #[test]
    fn urls_and_functions_come_from_the_outputs() {
        let paths = StackPaths { port: 4590, directory: PathBuf::from("/nowhere") };
        let aws = Aws { endpoint: "http://127.0.0.1:4590".into(), process: Recorded { pid: 7, started: 1 } };
        let outputs = BTreeMap::from(
            [
                ("FetchOrdersFunction", "renkei-fetch-orders"),
                ("ConsoleUrl", "http://c"),
                ("GateTable", "t"),
                ("WarehouseApiId", "w1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let stack = describe(&paths, &UpOptions { port: 4590, ..UpOptions::default() }, &aws, &outputs);
        assert_eq!(stack.functions, ["renkei-fetch-orders"]);
        assert_eq!(stack.warehouse_url.as_deref(), Some("http://127.0.0.1:4590/_aws/execute-api/w1"));
        assert_eq!(stack.console_url.as_deref(), Some("http://c"));
        assert_eq!((stack.pid, stack.port), (7, 4590));
    }
}
