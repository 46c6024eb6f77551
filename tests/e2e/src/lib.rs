//! The deployed stack under test: the command line of this checkout against a local stack, and shops that are simulated.
//!
//! The tests say what people say: apply a document, run a robot, look at the shipments. `renkei` must be built before
//! (`cargo build --workspace --bins`); the stack is brought up by the first test that needs it.

pub mod article;
mod aws;
pub mod browser;
pub mod snapshot;
pub mod warehouse;
pub mod ways;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{LazyLock, OnceLock};

use aws_config::Region;
use aws_sdk_dynamodb::config::Credentials;
use renkei_simulator::Simulator;
use renkei_simulator::api::{ShopSpec, ShopStatus};
use renkei_store::{Store, Tables};
use serde_json::{Value, json};

pub use aws::Aws;

/// The stack of the tests; one more on this machine does not disturb it. `RENKEI_TEST_PORT` names another.
static PORT: LazyLock<String> =
    LazyLock::new(|| std::env::var("RENKEI_TEST_PORT").unwrap_or_else(|_| "4596".to_owned()));
/// The password of the tests' shops.
pub const PASSWORD: &str = "only-for-tests";

/// A command's end.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it answered.
    pub out: String,
    /// What it said besides.
    pub err: String,
}

impl Ended {
    /// The lines of JSON that it answered.
    ///
    /// # Panics
    /// If one is not JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// The checkout.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

fn renkei(arguments: &[&str], secret: Option<&str>) -> Output {
    let program = root().join("target/debug/renkei");
    let mut command = Command::new(&program);
    command.current_dir(root()).args(arguments).env_remove("AWS_ENDPOINT_URL").env("SHOP_PASSWORD", PASSWORD);
    if let Some(secret) = secret {
        command.env("SHOP_PASSWORD", secret);
    }
    command.output().unwrap_or_else(|error| {
        panic!("{} does not run ({error}); build it with `cargo build --workspace --bins`", program.display())
    })
}

static UP: OnceLock<()> = OnceLock::new();

/// Takes the stack as it stands: nothing is thrown away when the tests of this process first need it.
pub fn stack_as_it_stands() {
    UP.get_or_init(|| ());
}

/// Brings the stack up, once for all tests of a process.
///
/// # Panics
/// If it does not come up.
pub fn stack() {
    UP.get_or_init(|| {
        let up = renkei(&["local", "up", "--port", &PORT, "--fresh", "--no-time-of-day", "--json"], None);
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    });
}

/// A shop with a merchant of its own, so that tests do not meet.
pub struct World {
    /// The shops; they end with the test.
    pub simulator: Simulator,
    /// The shop.
    pub shop: ShopStatus,
    name: &'static str,
}

impl World {
    /// A shop, and a merchant set up for it.
    ///
    /// # Panics
    /// If the merchant's document is not taken.
    pub async fn new(name: &'static str, spec: ShopSpec, daily_call_limit: u32) -> Self {
        stack();
        let spec = ShopSpec {
            name: name.to_owned(),
            email: "renkei@service.example".to_owned(),
            password: PASSWORD.into(),
            ..spec
        };
        let (simulator, shop) = Simulator::with_shop(&spec).await.expect("a shop");
        let world = Self { simulator, shop, name };
        let applied = world.apply(daily_call_limit, None);
        assert_eq!(applied.code, 0, "{applied:?}");
        world
    }

    /// A merchant who has been set up already, and the shop.
    #[must_use]
    pub fn taken_over(name: &'static str, simulator: Simulator, shop: ShopStatus) -> Self {
        Self { simulator, shop, name }
    }

    /// Applies the merchant's document.
    ///
    /// # Panics
    /// If the document cannot be written.
    #[must_use]
    pub fn apply(&self, daily_call_limit: u32, password: Option<&str>) -> Ended {
        self.apply_with(daily_call_limit, password, |_| {})
    }

    /// Applies the merchant's document with something changed in it.
    ///
    /// # Panics
    /// If the document cannot be written.
    #[must_use]
    pub fn apply_with(&self, daily_call_limit: u32, password: Option<&str>, change: impl FnOnce(&mut Value)) -> Ended {
        let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
        let mut document = json!({
            "tenant": self.name,
            "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                             "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
            "connections": [{ "id": self.name, "api": "ecforce", "api_url": self.shop.url, "ship_from": "dc",
                              "password": { "env": "SHOP_PASSWORD" }, "daily_call_limit": daily_call_limit,
                              "call_interval_ms": 50 }],
            "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"], "default": true }],
            "products": products,
            "processing_robots": { "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"] },
            "integration_robots": { "easy_setup": { "connection": self.name, "every": "24 hours" } },
        });
        change(&mut document);
        // JSON is YAML.
        let path = root().join("target").join(format!("{}.yaml", self.name));
        std::fs::write(&path, serde_json::to_string_pretty(&document).expect("JSON")).expect("a file");
        run(&["apply", path.to_str().expect("a path")], password)
    }

    /// Starts one of the shop's robots without waiting for it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(&self, action: &str) {
        let started = run(&["run", &format!("{}/{action}", self.name), "--json"], None);
        assert_eq!(started.code, 0, "{started:?}");
    }

    /// Waits until something holds, a few minutes at most.
    ///
    /// # Panics
    /// If it does not come to hold.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let began = std::time::Instant::now();
        while !holds().await {
            assert!(began.elapsed().as_secs() < 300, "{}: not within 5 minutes: {what}", self.name);
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }

    /// Runs one of the shop's robots to its end.
    #[must_use]
    pub fn run(&self, action: &str) -> Ended {
        run(&["run", &format!("{}/{action}", self.name), "--wait", "--timeout", "300", "--json"], None)
    }

    /// The shop's listing by this command.
    #[must_use]
    pub fn list(&self, command: &str) -> Vec<Value> {
        run(&[command, "--json", "--connection", self.name], None).lines()
    }
}

/// The AWS of the tests' stack.
#[must_use]
pub fn aws() -> Aws {
    Aws::new(&PORT)
}

/// The store of the tests' stack, as functions have it.
pub async fn store() -> Store {
    stack();
    let aws = renkei_platform::aws::tuned()
        .endpoint_url(format!("http://127.0.0.1:{}", *PORT))
        .region(Region::new("ap-northeast-1"))
        .credentials_provider(Credentials::new("000000000000", "local", None, None, "the tests"))
        .load()
        .await;
    let names = self::aws();
    let tables = Tables {
        shipments: names.table("Shipments").await,
        robots: names.table("Robots").await,
        gate: names.table("Gate").await,
        runs: names.table("Runs").await,
        stock: names.table("Stock").await,
    };
    Store::new(&aws, tables)
}

/// A page of the documentation.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).expect("a page of the documentation")
}

/// `renkei prove` on a stack of its own, beside the tests' one.
///
/// # Panics
/// If the port is no number.
#[must_use]
pub fn prove(arguments: &[&str]) -> Ended {
    let port: u16 = PORT.parse().expect("a port");
    let port = (port + 1).to_string();
    let all: Vec<&str> = ["prove", "--port", &port].into_iter().chain(arguments.iter().copied()).collect();
    ended(&renkei(&all, None))
}

/// `renkei bench cost` on a stack of its own, beside the tests' one.
///
/// # Panics
/// If the port is no number.
#[must_use]
pub fn cost(arguments: &[&str]) -> Ended {
    let port: u16 = PORT.parse().expect("a port");
    let port = (port + 3).to_string();
    let all: Vec<&str> = ["bench", "cost", "--port", &port].into_iter().chain(arguments.iter().copied()).collect();
    ended(&renkei(&all, None))
}

/// Runs `renkei` against the tests' stack.
#[must_use]
pub fn run(arguments: &[&str], secret: Option<&str>) -> Ended {
    let all: Vec<&str> = ["--local", PORT.as_str()].into_iter().chain(arguments.iter().copied()).collect();
    ended(&renkei(&all, secret))
}

fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Puts a webhook's hint onto the queue of sync-payments, as what receives hooks does. The tenant is called as its shop.
///
/// # Panics
/// If the stack does not take it.
pub async fn hint(name: &str, orders: &[u64]) {
    let state = root().join(".renkei/local").join(PORT.as_str()).join("stack.json");
    let stack: Value = serde_json::from_str(&std::fs::read_to_string(state).expect("a stack")).expect("JSON");
    let text = |key: &str| stack[key].as_str().unwrap_or_default().to_owned();
    let (account, region) = (text("access_key_id"), text("region"));
    let queue = format!("{}/{account}/{}-sync-payments", text("aws_endpoint"), text("stack"));
    let hint = json!({ "v": 1, "tenant": name, "connection": name, "order_ids": orders,
                       "received_at": "2026-11-24T00:00:00Z" });
    let body = json!({ "QueueUrl": queue, "MessageBody": hint.to_string(), "MessageGroupId": name });
    let sent = renkei_http::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .post(text("aws_endpoint"))
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .header("content-type", "application/x-amz-json-1.0")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/sqs/aws4_request, SignedHeaders=host, Signature=0"),
        )
        .body(body.to_string())
        .send()
        .await
        .expect("an answer");
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap_or_default());
}
