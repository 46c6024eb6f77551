//! The stack that a command works on: where it is, what its parts are called, and the way to them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_sqs::config::Credentials;
use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
use renkei_domain::settings::{Action, Connection, TenantSettings};
use renkei_ecforce::AddressPolicy;
use renkei_platform::aws;
use renkei_platform::aws::AwsFailure;
use renkei_platform::queue::Queue;
use renkei_platform::secrets::ConnectionSecrets;
use renkei_setup::dead_letters::{DeadLetters, DeadQueue};
use renkei_setup::{Schedules, Setup, queue_output, run_now};
use renkei_shop::Shops;
use renkei_store::settings::AppliedSettings;
use renkei_store::{Store, Tables, Tenant};
use serde::Deserialize;
use url::Url;

use crate::cli::{At, Scope};
use crate::error::CliError;

/// A local AWS is one process, which other work on the machine may keep from answering for long; it loses nothing that it has
/// taken, so what waits is not asked anew.
fn of_one_process() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_mins(1))
        .operation_timeout(Duration::from_mins(3))
        .build()
}

/// A deployed stack.
pub struct Stack {
    /// How AWS is spoken to.
    pub aws: SdkConfig,
    /// What Renkei keeps.
    pub store: Store,
    /// Is it one of this machine, which no mail leaves?
    pub is_local: bool,
    outputs: BTreeMap<String, String>,
    /// Where warehouses call, if the stack is one of this machine.
    local_warehouse_url: Option<String>,
}

/// What `renkei local up` leaves for other commands.
#[derive(Debug, Deserialize)]
struct LocalStack {
    aws_endpoint: String,
    region: String,
    stack: String,
    access_key_id: String,
    #[serde(default)]
    warehouse_url: Option<String>,
}

impl Stack {
    /// Finds the stack, and what its parts are called.
    pub async fn open(at: &At) -> Result<Self, CliError> {
        let mut local_warehouse_url = None;
        let local = local_stack(at)?;
        let is_local = local.is_some();
        let (aws, name) = match local {
            Some(local) => {
                local_warehouse_url.clone_from(&local.warehouse_url);
                let credentials = Credentials::new(&local.access_key_id, "local", None, None, "local stack");
                let aws = aws::tuned()
                    .endpoint_url(&local.aws_endpoint)
                    .region(Region::new(local.region))
                    .credentials_provider(credentials)
                    .timeout_config(of_one_process())
                    .load()
                    .await;
                (aws, local.stack)
            }
            None => (aws::load().await, at.stack.clone()),
        };
        let outputs = outputs(&aws, &name).await?;
        let tables = Tables {
            shipments: output(&outputs, "ShipmentsTable")?.to_owned(),
            robots: output(&outputs, "RobotsTable")?.to_owned(),
            gate: output(&outputs, "GateTable")?.to_owned(),
            runs: output(&outputs, "RunsTable")?.to_owned(),
            stock: output(&outputs, "StockTable")?.to_owned(),
        };
        Ok(Self { store: Store::new(&aws, tables), aws, is_local, outputs, local_warehouse_url })
    }

    /// A part's name, by the template's outputs.
    pub fn output(&self, name: &str) -> Result<&str, CliError> {
        output(&self.outputs, name)
    }

    /// Where warehouses and webhooks call.
    pub fn warehouse_url(&self) -> Result<&str, CliError> {
        match &self.local_warehouse_url {
            Some(url) => Ok(url),
            None => self.output("WarehouseApiUrl"),
        }
    }

    /// The connections' secrets.
    pub fn secrets(&self) -> Result<ConnectionSecrets, CliError> {
        Ok(ConnectionSecrets::new(&self.aws, self.output("SecretPrefix")?))
    }

    /// The ranges of addresses that are allowed beside public ones; empty if none are.
    pub fn allowed_addresses(&self) -> Result<&str, CliError> {
        // An output cannot be empty.
        Ok(match self.output("AllowedShopAddressRanges")? {
            "none" => "",
            ranges => ranges,
        })
    }

    /// What settings come into force with.
    pub fn setup(&self) -> Result<Setup, CliError> {
        let queues = ["FetchOrders", "PushStatuses", "SyncPayments", "SyncInventory"]
            .into_iter()
            .map(|queue| Ok((queue.to_owned(), self.output(&format!("{queue}QueueArn"))?.to_owned())))
            .collect::<Result<_, CliError>>()?;
        let (group, role) = (self.output("ScheduleGroupName")?, self.output("SchedulerRoleArn")?);
        Ok(Setup {
            secrets: self.secrets()?,
            import_orders: Queue::new(&self.aws, self.output("ImportOrdersQueueUrl")?),
            schedules: Schedules::new(&self.aws, group, role, queues),
        })
    }

    /// Which addresses shops may have.
    pub fn address_policy(&self) -> Result<AddressPolicy, CliError> {
        self.allowed_addresses()?.parse().map_err(|error| CliError::said(format!("AllowedShopAddressRanges: {error}")))
    }

    /// The way to shops.
    pub fn shops(&self) -> Result<Shops, CliError> {
        Ok(Shops::new(self.secrets()?, self.allowed_addresses()?, self.output("ServiceEmail")?.to_owned())?)
    }

    /// All queues.
    pub fn queues(&self) -> Result<Vec<DeadQueue>, CliError> {
        [
            ("fetch-orders", "FetchOrders"),
            ("import-orders", "ImportOrders"),
            ("push-statuses", "PushStatuses"),
            ("sync-payments", "SyncPayments"),
            ("sync-inventory", "SyncInventory"),
        ]
        .into_iter()
        .map(|(name, output)| {
            Ok(DeadQueue {
                name,
                url: self.output(&format!("{output}QueueUrl"))?.to_owned(),
                dead_letters: self.output(&format!("{output}DeadLettersUrl"))?.to_owned(),
            })
        })
        .collect()
    }

    /// What failed in them at every attempt.
    pub fn dead_letters(&self) -> Result<DeadLetters, CliError> {
        Ok(DeadLetters::new(&self.aws, self.store.clone(), self.queues()?, usize::MAX))
    }

    /// The queue of the function that does this.
    pub fn queue_of(&self, action: Action) -> Result<Queue, CliError> {
        Ok(Queue::new(&self.aws, self.output(&format!("{}QueueUrl", queue_output(action)))?))
    }

    /// The tenants of a scope, with their settings.
    pub async fn tenants(&self, tenant: Option<&str>) -> Result<Vec<(Tenant, AppliedSettings)>, CliError> {
        let names = match tenant {
            Some(name) => vec![TenantId::parse(name).map_err(|error| CliError::said(error.to_string()))?],
            None => self.store.tenants().await?,
        };
        let mut found = Vec::new();
        for name in names {
            let handle = self.store.tenant(name.clone());
            match handle.settings().await? {
                Some(applied) => found.push((handle, applied)),
                None if tenant.is_some() => {
                    return Err(CliError::said(format!(
                        "there is no tenant {name}; `renkei apply` its document first"
                    )));
                }
                None => {}
            }
        }
        Ok(found)
    }

    /// One tenant, with its settings: the named one, or the only one there is.
    pub async fn one_tenant(&self, tenant: Option<&str>) -> Result<(Tenant, AppliedSettings), CliError> {
        let mut found = self.tenants(tenant).await?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(CliError::said("there are several tenants; say which with --tenant")),
            (None, _) => Err(CliError::said("there is no tenant yet; `renkei apply` a document first")),
        }
    }

    /// The connections of a scope.
    pub async fn connections(&self, scope: &Scope) -> Result<Vec<Found>, CliError> {
        let mut found = Vec::new();
        let mut known = Vec::new();
        for (tenant, applied) in self.tenants(scope.tenant.as_deref()).await? {
            for connection in &applied.settings.connections {
                known.push(connection.id.to_string());
                if scope.connection.as_deref().is_none_or(|wanted| wanted == connection.id.as_str()) {
                    found.push(Found {
                        tenant: tenant.clone(),
                        settings: applied.settings.clone(),
                        connection: connection.clone(),
                    });
                }
            }
        }
        match &scope.connection {
            Some(wanted) if found.is_empty() => Err(unknown("connection", wanted, &known)),
            _ => Ok(found),
        }
    }

    /// One connection by id.
    pub async fn connection(&self, tenant: Option<&str>, id: &str) -> Result<Found, CliError> {
        let scope = Scope { tenant: tenant.map(str::to_owned), connection: Some(id.to_owned()) };
        one(self.connections(&scope).await?, "connection", id)
    }

    /// A robot by name.
    pub async fn robot(&self, tenant: Option<&str>, name: &str) -> Result<(Found, RobotId, Action), CliError> {
        let mut found = Vec::new();
        let mut known = Vec::new();
        for (tenant, applied) in self.tenants(tenant).await? {
            for (robot, connection, action) in run_now::robots(&applied.settings) {
                known.push(robot.to_string());
                if robot.as_str() == name {
                    let place = Found {
                        tenant: tenant.clone(),
                        settings: applied.settings.clone(),
                        connection: connection.clone(),
                    };
                    found.push((place, robot, action));
                }
            }
        }
        if found.is_empty() {
            return Err(unknown("robot", name, &known));
        }
        one(found, "robot", name)
    }
}

/// A connection with all around it.
#[derive(Clone)]
pub struct Found {
    /// Whose.
    pub tenant: Tenant,
    /// The tenant's settings.
    pub settings: TenantSettings,
    /// The shop.
    pub connection: Connection,
}

impl Found {
    /// The shop's id.
    pub fn id(&self) -> &ConnectionId {
        &self.connection.id
    }
}

fn one<T>(mut found: Vec<T>, kind: &str, name: &str) -> Result<T, CliError> {
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(CliError::said(format!("several tenants have a {kind} {name}; say which with --tenant")))
        }
        (None, _) => Err(CliError::said(format!("there is no {kind} {name}"))),
    }
}

fn unknown(kind: &str, name: &str, known: &[String]) -> CliError {
    const NAMED: usize = 3;
    let mut nearest: Vec<&str> = known.iter().map(String::as_str).collect();
    nearest.sort_by(|a, b| strsim::jaro_winkler(name, b).total_cmp(&strsim::jaro_winkler(name, a)));
    nearest.dedup();
    nearest.truncate(NAMED);
    CliError::said(if nearest.is_empty() {
        format!("there is no {kind} {name}, nor any other; `renkei apply` a merchant's document first")
    } else {
        format!("there is no {kind} {name}; did you mean {}?", nearest.join(", or "))
    })
}

fn output<'a>(outputs: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, CliError> {
    outputs.get(name).map(String::as_str).ok_or_else(|| {
        CliError::said(format!("the stack has no output {name}: it is of another release; deploy this one's template"))
    })
}

async fn outputs(aws: &SdkConfig, name: &str) -> Result<BTreeMap<String, String>, CliError> {
    let answer = aws_sdk_cloudformation::Client::new(aws).describe_stacks().stack_name(name).send().await;
    let answer = answer.map_err(|error| {
        if error.as_service_error().is_some_and(|e| e.code() == Some("ValidationError")) {
            return CliError::said(format!(
                "there is no stack {name}; name it with --stack, deploy it with `sam deploy`, or start one on this machine \
                 with `renkei local up`"
            ));
        }
        let failure = AwsFailure::new("DescribeStacks", &error);
        CliError::said(format!("{failure}; is a local stack up (`renkei local status`), or are AWS credentials set?"))
    })?;
    let stack = answer.stacks.unwrap_or_default().into_iter().next();
    let outputs = stack.and_then(|stack| stack.outputs).unwrap_or_default();
    Ok(outputs.into_iter().filter_map(|output| Some((output.output_key?, output.output_value?))).collect())
}

/// The local stack that a command is for: the one asked for, or the one that runs when nothing else is said.
fn local_stack(at: &At) -> Result<Option<LocalStack>, CliError> {
    if let Some(port) = at.local {
        return read_state(&local_directory().join(port.to_string()).join(STATE)).map(Some).map_err(|_| {
            CliError::said(format!(
                "there is no local stack on port {port}; start it with `renkei local up --port {port}`"
            ))
        });
    }
    if is_aws_set() {
        return Ok(None);
    }
    let found = latest();
    if let Some(local) = &found {
        eprintln!("renkei: using the local stack at {} (another: --local PORT)", local.aws_endpoint);
    }
    Ok(found)
}

/// Does the environment say which AWS is meant?
fn is_aws_set() -> bool {
    const NAMES: [&str; 6] = [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    NAMES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The state file of a local stack, in the folder of its port.
const STATE: &str = "stack.json";

fn read_state(path: &Path) -> Result<LocalStack, CliError> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// Of the local stacks that answer the one that started last.
fn latest() -> Option<LocalStack> {
    let mut states: Vec<(SystemTime, LocalStack)> = std::fs::read_dir(local_directory())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let path = entry.path().join(STATE);
            let changed = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
            Some((changed, read_state(&path).ok()?))
        })
        .collect();
    states.sort_by_key(|(changed, _)| Reverse(*changed));
    states.into_iter().map(|(_, state)| state).find(answers)
}

/// A stack that was killed leaves its state file behind.
fn answers(local: &LocalStack) -> bool {
    let Ok(url) = Url::parse(&local.aws_endpoint) else { return false };
    let addresses = url.socket_addrs(|| None).unwrap_or_default();
    addresses.iter().any(|address| TcpStream::connect_timeout(address, Duration::from_secs(3)).is_ok())
}

/// Where local stacks keep what they need: below the checkout that the command is run in.
fn local_directory() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("template.yaml").is_file()).unwrap_or(&here);
    root.join(".renkei").join("local")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_answered_with_the_nearest_names() {
        let known = ["hanako-ecforce/fetch-orders", "hanako-ecforce/state-working", "taro-ecforce/fetch-orders"];
        let said = unknown("robot", "hanako-ecforce/fetch-order", &known.map(str::to_owned)).to_string();
        assert!(said.contains("did you mean hanako-ecforce/fetch-orders"), "{said}");
        let said = unknown("robot", "x", &[]).to_string();
        assert!(said.contains("renkei apply"), "{said}");
    }

    #[test]
    fn a_stack_that_does_not_answer_is_passed_over() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = |port: u16| LocalStack {
            aws_endpoint: format!("http://127.0.0.1:{port}"),
            region: "ap-northeast-1".into(),
            stack: "renkei".into(),
            access_key_id: "000000000000".into(),
            warehouse_url: None,
        };
        let port = free.local_addr().unwrap().port();
        assert!(answers(&endpoint(port)));
        drop(free);
        assert!(!answers(&endpoint(port)));
    }
}
