//! What lies in merchants' tables outlives a deploy. `tests/golden/items` keeps each version's items as they were stored: an
//! item of every kind, with everything in it. Here the store of today reads them, on the deployed stack; writes the same things
//! itself, which must come out as the newest file; and refuses each of them by name if a newer release has written it.
//!
//! Which kinds there are is read from the tables in `shared/store/src/keys.rs` and `sessions.rs`: one that they gain fails
//! here until `write.rs` writes it, `read.rs` reads it and a golden file has it.
//!
//! A file may gain items as long as its version is not released; after that it stays as it is, and what its version has come
//! to write since stands in a file beside it, `v1.more.json`. `RENKEI_GOLDEN=write` writes those of the newest version anew:
//! each item to the file that has it, a new one to the file beside.
//!
//! They need the programs (`cargo build --workspace --bins`), take the stack at `RENKEI_TEST_PORT` (4596) for themselves and
//! begin it anew (`RENKEI_TEST_STACK=up` takes the one that is up): `cargo test --workspace --exclude renkei-e2e --test stored_items -- --ignored`.

mod golden;
mod midori;
mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use aws_config::Region;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use golden::{Golden, Stored};
use renkei_domain::ids::TenantId;
use renkei_platform::aws;
use renkei_store::sessions::Sessions;
use renkei_store::{Store, Tables, Tenant};
use serde_json::{Value, json};

/// The version that the store writes.
const VERSION: u32 = 1;
/// The made-up merchant of the golden files.
const TENANT: &str = "midori";
/// Kinds of which nothing but the key is ever read, and why that is enough.
const READ_BY_KEY: [(&str, &str); 2] = [
    ("TENANTS tenant", "that it is there is all it says"),
    ("R#what#who#window R", "is only counted up, and ends with its window"),
];

/// The store, and a way around it.
struct Shelf {
    client: Client,
    /// Full names by the stack's short ones.
    tables: BTreeMap<&'static str, String>,
    tenant: Tenant,
    store: Store,
    sessions: Sessions,
    /// All tables are one test's at a time.
    _alone: tokio::sync::MutexGuard<'static, ()>,
}

/// Brings the stack up, once for both tests.
fn stack() -> String {
    static UP: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    UP.get_or_init(|| {
        let port = std::env::var("RENKEI_TEST_PORT").unwrap_or_else(|_| "4596".to_owned());
        let endpoint = format!("http://127.0.0.1:{port}");
        if std::env::var("RENKEI_TEST_STACK").is_ok_and(|word| word == "up") {
            return endpoint;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let up = Command::new(root.join("target/debug/renkei"))
            .current_dir(&root)
            .args(["local", "up", "--port", &port, "--fresh"])
            .env_remove("AWS_ENDPOINT_URL")
            .output()
            .expect("`cargo build --workspace --bins` makes the program");
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        endpoint
    })
    .clone()
}

impl Shelf {
    async fn new() -> Self {
        static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let alone = ALONE.lock().await;
        let config = aws::tuned()
            .endpoint_url(stack())
            .region(Region::new("ap-northeast-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await;
        let client = Client::new(&config);
        let names = client.list_tables().send().await.unwrap().table_names.unwrap_or_default();
        let named = |short: &'static str| {
            let full = names.iter().find(|name| name.contains(short));
            (short, full.unwrap_or_else(|| panic!("no table {short}: {names:?}")).clone())
        };
        let tables: BTreeMap<_, _> = golden::TABLES.into_iter().map(named).collect();
        let store = Store::new(
            &config,
            Tables {
                shipments: tables["Shipments"].clone(),
                robots: tables["Robots"].clone(),
                gate: tables["Gate"].clone(),
                runs: tables["Runs"].clone(),
                stock: tables["Stock"].clone(),
            },
        );
        let tenant = store.tenant(TenantId::parse(TENANT).unwrap());
        let sessions = Sessions::new(&config, tables["Sessions"].clone());
        let shelf = Self { client, tables, tenant, store, sessions, _alone: alone };
        shelf.empty().await;
        shelf
    }

    /// All that is stored, as it is stored.
    async fn stored(&self) -> Golden {
        let mut all = Vec::new();
        for (short, full) in &self.tables {
            let mut pages = self.client.scan().table_name(full).consistent_read(true).into_paginator().items().send();
            while let Some(item) = pages.next().await {
                all.push(Stored::of(short, &item.unwrap()));
            }
        }
        Golden::of(all)
    }

    async fn put(&self, stored: &Stored) {
        let table = &self.tables[stored.table.as_str()];
        self.client.put_item().table_name(table).set_item(Some(stored.attributes())).send().await.unwrap();
    }

    /// Removes what was stored only to be counted.
    async fn forget_bulk(&self) {
        for stored in self.stored().await.0.iter().filter(|stored| stored.key().contains("#bulk#")) {
            self.delete(stored).await;
        }
    }

    async fn delete(&self, stored: &Stored) {
        let mut key = stored.attributes();
        key.retain(|name, _| matches!(name.as_str(), "pk" | "sk"));
        let table = &self.tables[stored.table.as_str()];
        self.client.delete_item().table_name(table).set_key(Some(key)).send().await.unwrap();
    }

    /// Removes everything, the merchant's by the way that merchants are removed.
    async fn empty(&self) {
        let theirs: usize = self.tenant.count_everything().await.unwrap().values().sum();
        let all = self.stored().await;
        let others: Vec<_> = all.0.iter().filter(|stored| stored.table == "Sessions").collect();
        let kinds: Vec<_> = all.0.iter().map(Stored::key).collect();
        assert_eq!(
            theirs + others.len(),
            all.0.len(),
            "what is erased with a merchant is not all that is theirs: {kinds:?}"
        );
        self.tenant.erase_everything().await.unwrap();
        for stored in others {
            self.delete(stored).await;
        }
        assert_eq!(self.stored().await.0.len(), 0);
    }

    async fn read(&self) -> Vec<(&'static str, Result<Value, String>)> {
        read::everything(&self.store, &self.tenant, &self.sessions).await
    }
}

#[tokio::test]
#[ignore = "needs the deployed stack"]
async fn every_kind_of_item_of_every_version_is_read_and_written_as_it_was() {
    let shelf = Shelf::new().await;

    write::everything(&shelf.store, &shelf.tenant, &shelf.sessions).await;
    shelf.forget_bulk().await;
    let (written, today) = (shelf.stored().await, shelf.read().await);
    shelf.empty().await;
    for (what, read) in &today {
        let read = read.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
        let nothing = [Value::Null, json!([]), json!("[]"), json!("None")];
        assert!(!nothing.contains(read), "{what}: nothing was written of it");
    }
    if std::env::var("RENKEI_GOLDEN").is_ok_and(|word| word == "write") {
        written.write(VERSION);
    }

    let goldens = Golden::all();
    assert_eq!(goldens.keys().copied().collect::<Vec<_>>(), (1..=VERSION).collect::<Vec<_>>());
    let newest = &goldens[&VERSION];
    let kinds = golden::kinds();
    let (have, want) = (newest.kinds(&kinds), kinds.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    assert_eq!(have, want, "kinds that are stored, against kinds that have a golden item");
    written.must_be(newest);

    for (version, golden) in &goldens {
        for stored in &golden.0 {
            shelf.put(stored).await;
        }
        assert_eq!(shelf.stored().await.0.len(), golden.0.len());
        for ((what, now), (_, then)) in today.iter().zip(shelf.read().await) {
            let then = then.unwrap_or_else(|error| panic!("{what} of version {version} is not read: {error}"));
            if *version == VERSION {
                assert_eq!(now, &Ok(then), "{what} is read otherwise than it was written");
            }
        }
        shelf.empty().await;
    }
    println!(
        "{} golden items of {} kinds in {} versions are read and written",
        written.0.len(),
        kinds.len(),
        goldens.len()
    );
}

/// A release that is deployed again after a newer one must not guess at what that one wrote.
#[tokio::test]
#[ignore = "needs the deployed stack"]
async fn an_item_of_a_newer_release_is_refused_by_whoever_reads_it() {
    let shelf = Shelf::new().await;
    let kinds = golden::kinds();
    let golden = Golden::all().remove(&VERSION).unwrap();
    for stored in &golden.0 {
        shelf.put(stored).await;
    }
    let mut refused = 0;
    for stored in &golden.0 {
        let kind = stored.kind(&kinds);
        assert_eq!(stored.item["v"], json!({ "N": VERSION.to_string() }), "{kind} carries no version");
        let mut newer = stored.clone();
        newer.item["v"] = json!({ "N": (VERSION + 1).to_string() });
        shelf.put(&newer).await;
        let errors: Vec<String> = shelf.read().await.into_iter().filter_map(|(_, read)| read.err()).collect();
        let says = errors.iter().filter(|error| error.contains(&format!("has version {}", VERSION + 1))).count();
        assert_eq!(says, errors.len(), "{kind}: {errors:?}");
        assert!(!errors.iter().any(|error| error.contains("見本")), "{errors:?}");
        let by_key = READ_BY_KEY.iter().any(|(exempt, _)| *exempt == kind);
        assert_eq!(errors.is_empty(), by_key, "{kind} of a newer release was read: {stored:?}");
        refused += usize::from(!by_key);
        shelf.put(stored).await;
    }
    assert!(refused >= 25, "{refused}");
    shelf.empty().await;
    println!("{refused} items of a newer release are refused");
}
