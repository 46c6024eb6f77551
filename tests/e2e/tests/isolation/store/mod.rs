//! Every method of a tenant's handle, called for a tenant that has nothing with all the ids of one that has everything:
//! it finds nothing, and changes nothing of the other's. A method that is not called here fails the test.

mod owners;
mod reads;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::{Timestamp, ToSpan};
use renkei_domain::ids::{ConnectionId, OrderId, ShipFromId, Sku, TenantId};
use renkei_domain::member::{Email, Role};
use renkei_domain::run::{Run, RunState};
use renkei_domain::shipment::{ShopSync, Status};
use renkei_e2e::{Aws, World, aws, root, store};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use renkei_store::Tenant;
use renkei_store::access::{Opens, Random};
use renkei_store::audit::{AuditEntry, AuditOutcome};
use renkei_store::called_off::Gone;
use renkei_store::days::Usual;
use renkei_store::members::MemberChange;
use renkei_store::notices::{NoticeLang, NoticeState};
use renkei_store::offers::Before;
use renkei_store::stock::StockCount;
use renkei_store::sync::{Backfill, Named, SyncMark};
use serde_json::{Value, json};

const THEIRS: &str = "walk-theirs";

/// The tenant that an item belongs to, by its key.
fn owner(table: &str, item: &Value) -> String {
    let (pk, sk) = (item["pk"]["S"].as_str().unwrap_or_default(), item["sk"]["S"].as_str().unwrap_or_default());
    let mut parts = pk.split('#');
    let first = parts.next().unwrap_or_default();
    match first {
        _ if table.contains("Gate") || table.contains("Runs") => first.to_owned(),
        "TENANTS" | "U" => sk.to_owned(),
        "K" => item["tenant"]["S"].as_str().unwrap_or_default().to_owned(),
        _ => parts.next().unwrap_or_default().to_owned(),
    }
}

async fn all_of(aws: &Aws, tenant: &str) -> BTreeSet<String> {
    let everything = aws.everything().await;
    everything.iter().filter(|(table, item)| owner(table, item) == tenant).map(|found| format!("{found:?}")).collect()
}

/// What was called so far, and what the other tenant has.
struct Walk {
    aws: Aws,
    theirs: BTreeSet<String>,
    called: BTreeSet<&'static str>,
}

impl Walk {
    /// A reading: there is something to see, and nothing of it is seen.
    fn reads<T: Debug>(&mut self, method: &'static str, theirs: &T, ours: &T, nothing: &str) {
        let (theirs, ours) = (format!("{theirs:?}"), format!("{ours:?}"));
        assert_eq!(ours, nothing, "{method}");
        assert_ne!(theirs, nothing, "{method}: there has to be something that could be seen");
        self.called.insert(method);
    }

    /// A change: whatever it answers, nothing of theirs is another.
    async fn changes<T>(&mut self, method: &'static str, answer: T) -> T {
        assert_eq!(all_of(&self.aws, THEIRS).await, self.theirs, "{method}");
        self.called.insert(method);
        answer
    }
}

/// The public methods of a type's own blocks in the store's sources.
fn public_methods(of: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(root().join("shared/store/src")).expect("the store's sources") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("its text");
        for block in text.split(&format!("\nimpl {of} {{\n")).skip(1) {
            let block = block.split("\n}\n").next().unwrap_or_default();
            for line in block.lines() {
                let line = line.trim_start();
                let rest = line
                    .strip_prefix("pub ")
                    .map(|rest| rest.trim_start_matches("async ").trim_start_matches("const "));
                if let Some(name) = rest.and_then(|rest| rest.strip_prefix("fn ")) {
                    found.insert(name.split(['(', '<']).next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    found
}

/// A shop with an order of each kind, and of everything else that the store can keep of it something.
async fn everything(theirs: &Tenant, world: &World, now: Timestamp) {
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] });
    world.simulator.add_order(&world.shop.name, odd).await.expect("an order");
    let _needs_a_person = world.run("fetch-orders");
    let connection = &ConnectionId::parse(THEIRS).expect("an id");
    let sku = Sku::parse("SERUM-30").expect("a SKU");
    let random = Random { secret: [7; 32], seal: [8; 32] };
    theirs.grant(Opens::Hook(connection.clone()), random, "01THEIRS".into(), now).await.expect("a grant");
    let email = Email::parse("owner@theirs.example").expect("an address");
    assert_eq!(theirs.put_member(&email, Role::Owner, now).await.expect("a member"), MemberChange::Done);
    let usual = Usual { day: "2026-11-24".into(), orders: BTreeMap::from([(connection.clone(), 42)]) };
    theirs.keep_usual(&usual).await.expect("what is usual");
    let count = StockCount { sku: sku.clone(), quantity: 12, counted_at: now };
    assert!(theirs.put_count(&ship_from(), &count).await.expect("a count"));
    theirs.intend_offers(connection, None, &[(sku, 11, Before::Nothing)], 1, now).await.expect("an offer");
    theirs.intend_sales(connection, &[OrderId(1)], "a-run", now).await.expect("a sale");
    let named = BTreeSet::from([Named::Id(1), Named::Number("THEIR-1".into())]);
    theirs.note_hints(connection, &named, None, now).await.expect("hints");
    theirs.announce_drain(connection, "a-drain", (now, now), now).await.expect("a drain");
    let range = Backfill { from: now, before: now };
    theirs.ask_backfill(connection, "a-run", range).await.expect("a back-fill");
    let gone = Gone { order: OrderId(1), changed_at: None };
    theirs.call_off(connection, &[gone], now).await.expect("one that was called off");
    let state = NoticeState::begin(None, NoticeLang::Ja, "somebody", now);
    assert!(theirs.put_notices(&state).await.expect("notices"));
    let mark = SyncMark { began: now, reported_on: None, late_known: None, tables: None, epoch: 1 };
    theirs.move_sync_mark(connection, &mark).await.expect("a mark");
    theirs.audit("01AUDIT", &entry(now)).await.expect("an entry");
    // Three runs that failed; and orders that have left.
    let model = theirs.runs(10, None).await.expect("runs").rows.pop().expect("the run that fetched");
    for n in 0..3 {
        let at = later(now, 60 + n);
        let id = format!("failed-{n}");
        let failed = Run { id, state: RunState::Failed, started_at: at, ended_at: Some(at), ..model.clone() };
        assert!(theirs.begin_run(&failed).await.expect("a run"));
        theirs.end_run(&failed).await.expect("its end");
    }
    let ready = theirs.shipments_by_status(connection, Status::Ready, 10, None).await.expect("ready ones").rows;
    let leaves = |shipment: &mut renkei_domain::shipment::Shipment| {
        shipment.status = Status::Shipped;
        shipment.result_at = Some(now);
        // The shop did not take its number: somebody has to look.
        shipment.shop_sync = ShopSync::Failed;
        true
    };
    theirs.change(&ready[0], leaves).await.expect("one that left");
}

fn later(now: Timestamp, minutes: i64) -> Timestamp {
    now.checked_add(minutes.minutes()).expect("a time")
}

fn ship_from() -> ShipFromId {
    ShipFromId::parse("dc").expect("an id")
}

fn entry(at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        by: "somebody".into(),
        action: "test".into(),
        target: "x".into(),
        outcome: AuditOutcome::Done,
        note: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_shows_or_changes_what_is_another_tenants() {
    let spec =
        ShopSpec { orders: 3, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() };
    let world = World::new(THEIRS, spec, 1_000).await;
    let (store, now) = (store().await, Timestamp::now());
    let theirs = store.tenant(TenantId::parse(THEIRS).expect("an id"));
    everything(&theirs, &world, now).await;
    let aws = aws();
    let mut walk = Walk { theirs: all_of(&aws, THEIRS).await, aws, called: BTreeSet::new() };
    assert!(walk.theirs.len() > 30, "{:?}", walk.theirs);
    let ours = store.tenant(TenantId::parse("walk-ours").expect("an id"));
    reads::walk(&mut walk, &theirs, &ours, now).await;
    writes::walk(&mut walk, &theirs, &ours, now).await;
    let expected = public_methods("Tenant");
    assert!(expected.len() > 80, "the sources are read: {expected:?}");
    let called: BTreeSet<String> = walk.called.iter().map(|name| (*name).to_owned()).collect();
    let missing: Vec<&String> = expected.difference(&called).collect();
    assert!(missing.is_empty(), "call these with another tenant's ids here, too: {missing:?}");
    let unknown: Vec<&String> = called.difference(&expected).collect();
    assert!(unknown.is_empty(), "these are called by another name: {unknown:?}");
    // What begins with no tenant: a list that may only shrink.
    let unscoped = public_methods("Store");
    let known = ["memberships", "metered", "new", "opened_by", "tenant", "tenants"];
    assert_eq!(unscoped, known.map(str::to_owned).into(), "a reading that begins with no tenant needs a reason");
}
