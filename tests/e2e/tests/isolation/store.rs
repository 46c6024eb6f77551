//! Every method of a tenant's handle, called for a tenant that has nothing with all the ids of one that has everything:
//! it finds nothing, and changes nothing of the other's. A method that is not called here fails the test.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Debug;

use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::GateState;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RobotId, RuleId, ShipFromId, ShipmentId, Sku, TenantId};
use renkei_domain::member::{Email, Role};
use renkei_domain::processing::{Facts, Goods, RobotSet};
use renkei_domain::run::{Outcome, Run, RunState};
use renkei_domain::shipment::{HoldReason, ShopError, ShopSync, ShopWork, Status};
use renkei_domain::stock::Shelf;
use renkei_e2e::{Aws, World, aws, root, run, store};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use renkei_store::access::{Opens, Random};
use renkei_store::audit::{AuditEntry, AuditOutcome};
use renkei_store::days::Usual;
use renkei_store::import::NewOrder;
use renkei_store::members::MemberChange;
use renkei_store::notices::{NoticeLang, NoticeState};
use renkei_store::offers::{Before, Heard};
use renkei_store::processing::{Application, Became};
use renkei_store::runs::Progress;
use renkei_store::sales::Sale;
use renkei_store::shipments::WorkEntry;
use renkei_store::stock::StockCount;
use renkei_store::sync::{Backfill, Named, SyncMark};
use renkei_store::warehouse::From;
use renkei_store::{StoreError, Tenant};
use serde_json::{Value, json};

const THEIRS: &str = "walk-theirs";
const NOTHING: &str = "Ok([])";
const NO_PAGE: &str = "Ok(Page { rows: [], next: None })";
const NONE_COUNTED: &str = "Ok(Count { counted: 0, more: false })";

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

fn refused<T: Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(error) if !error.is_passing())
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
    theirs.note_hints(connection, &named, now).await.expect("hints");
    theirs.announce_drain(connection, "a-drain", now).await.expect("a drain");
    let range = Backfill { from: now, before: now };
    theirs.ask_backfill(connection, "a-run", range).await.expect("a back-fill");
    let state = NoticeState::begin(None, NoticeLang::Ja, "somebody", now);
    assert!(theirs.put_notices(&state).await.expect("notices"));
    let mark = SyncMark { began: now, reported_on: None, late_known: None, epoch: 1 };
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
    reads(&mut walk, &theirs, &ours, now).await;
    writes(&mut walk, &theirs, &ours, now).await;
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

#[expect(clippy::too_many_lines, reason = "one line for each method")]
async fn reads(walk: &mut Walk, theirs: &Tenant, ours: &Tenant, now: Timestamp) {
    let c = &ConnectionId::parse(THEIRS).expect("an id");
    let shipments = theirs.latest_orders(c, 10).await.expect("shipments");
    let ids: Vec<ShipmentId> = shipments.iter().map(|shipment| shipment.id.clone()).collect();
    let (first, orders) = (&shipments[0], ids.iter().map(|id| id.order).collect::<Vec<OrderId>>());
    let runs = theirs.runs(1, None).await.expect("runs");
    let fetched = theirs.runs(10, None).await.expect("runs").rows.pop().expect("the run that fetched");
    let settings = theirs.settings().await.expect("settings").expect("some");
    let skus: HashSet<Sku> = [Sku::parse("SERUM-30").expect("a SKU")].into();
    let email = Email::parse("owner@theirs.example").expect("an address");
    let robot: &RobotId = &fetched.robot;
    let (since, until) = (later(now, -60), later(now, 60));

    walk.reads("id", theirs.id(), ours.id(), "TenantId(\"walk-ours\")");
    walk.reads("grants", &theirs.grants().await, &ours.grants().await, NOTHING);
    walk.reads("members", &theirs.members().await, &ours.members().await, NOTHING);
    walk.reads("member", &theirs.member(&email).await, &ours.member(&email).await, "Ok(None)");
    walk.reads("audit_log", &theirs.audit_log(10, None).await, &ours.audit_log(10, None).await, NO_PAGE);
    let place = theirs.audit_log(10, None).await.expect("a log").rows[0].0.clone();
    assert_eq!(format!("{:?}", ours.audit_log(10, Some(&place)).await), NO_PAGE);
    let parcels: Vec<(OrderId, u16)> = orders.iter().map(|order| (*order, 1)).collect();
    let none = format!("Ok({:?})", vec![Vec::<u8>::new(); orders.len()]);
    walk.reads("parcels", &theirs.parcels(c, &parcels).await, &ours.parcels(c, &parcels).await, &none);
    let between = (since, until);
    let both = (
        theirs.count_between(c, Status::Ready, between, 9).await,
        ours.count_between(c, Status::Ready, between, 9).await,
    );
    walk.reads("count_between", &both.0, &both.1, NONE_COUNTED);
    let kept = theirs.member_at_desk(&email).await.expect("an answer").expect("a member").1.kept;
    let both = (theirs.count_shipped(c, &kept, 9, now).await, ours.count_shipped(c, &kept, 9, now).await);
    walk.reads("count_shipped", &both.0, &both.1, NONE_COUNTED);
    let shops = [c.clone()];
    let both = (theirs.glance(&shops, &kept, (since, now), 6).await, ours.glance(&shops, &kept, (since, now), 6).await);
    let empty = format!("{:?}", both.1);
    assert!(!empty.contains("counted: 1") && empty.matches("counted: 0").count() == 6, "{empty}");
    walk.reads("glance", &both.0, &both.1, &empty);
    let none = "Ok(WaitingList { rows: [], more: false })";
    walk.reads("needs", &theirs.needs(9, None).await, &ours.needs(9, None).await, none);
    let place = theirs.needs(9, None).await.expect("one").rows.remove(0);
    assert_eq!(format!("{:?}", ours.needs(9, Some((c, place.mark))).await), none);
    let nothing = r#"Ok({"gate": 0, "robots": 0, "runs": 0, "shipments": 0, "stock": 0})"#;
    walk.reads("count_everything", &theirs.count_everything().await, &ours.count_everything().await, nothing);
    let fresh = format!("Ok({:?})", GateState::fresh(now));
    walk.reads("gate", &theirs.gate(c, now).await, &ours.gate(c, now).await, &fresh);
    walk.reads("is_failing", &theirs.is_failing(c, robot).await, &ours.is_failing(c, robot).await, "Ok(false)");
    let both = (theirs.failing_robots(&settings.settings).await, ours.failing_robots(&settings.settings).await);
    walk.reads("failing_robots", &both.0, &both.1, NOTHING);
    // Judged by the settings that are handed in; the runs that count are one's own.
    let at = settings.at.checked_add(1.hours()).expect("a time");
    let patient = renkei_store::settings::AppliedSettings {
        at: at.checked_sub(2_000.hours()).expect("a time"),
        ..settings.clone()
    };
    let all = format!("{:?}", ours.silent_robots(&patient, at).await);
    walk.reads(
        "silent_robots",
        &theirs.silent_robots(&patient, at).await,
        &ours.silent_robots(&patient, at).await,
        &all,
    );
    assert!(all.contains(robot.as_str()), "without runs of its own every robot is silent: {all}");
    walk.reads("latest_orders", &theirs.latest_orders(c, 9).await, &ours.latest_orders(c, 9).await, NOTHING);
    let open = format!("{:?}", ours.open_shipments(c, 9).await);
    assert!(!open.contains(", 1)") && !open.contains(", 2)"), "{open}");
    walk.reads("open_shipments", &theirs.open_shipments(c, 9).await, &ours.open_shipments(c, 9).await, &open);
    walk.reads("told_offers", &theirs.told_offers(c).await, &ours.told_offers(c).await, NOTHING);
    walk.reads("not_imported", &theirs.not_imported(c).await, &ours.not_imported(c).await, NOTHING);
    let order = OrderId(theirs.not_imported(c).await.expect("some")[0].summary.order_id.expect("an id"));
    walk.reads(
        "not_imported_order",
        &theirs.not_imported_order(c, order).await,
        &ours.not_imported_order(c, order).await,
        "Ok(None)",
    );
    walk.reads("member_at_desk", &theirs.member_at_desk(&email).await, &ours.member_at_desk(&email).await, "Ok(None)");
    let both =
        (theirs.newest_and_count(c, Status::Ready, 1, 9).await, ours.newest_and_count(c, Status::Ready, 1, 9).await);
    let none = "Ok((Shelf { ids: [], marks: [], next: None }, Count { counted: 0, more: false }))";
    walk.reads("newest_and_count", &both.0, &both.1, none);
    walk.reads("known_skus", &theirs.known_skus(&skus).await, &ours.known_skus(&skus).await, "Ok({})");
    walk.reads("products_of", &theirs.products_of(&skus).await, &ours.products_of(&skus).await, NOTHING);
    walk.reads("products", &theirs.products().await, &ours.products().await, NOTHING);
    walk.reads("run", &theirs.run(&fetched.id).await, &ours.run(&fetched.id).await, "Ok(None)");
    walk.reads(
        "run_progress",
        &theirs.run_progress(&fetched.id).await,
        &ours.run_progress(&fetched.id).await,
        "Ok(None)",
    );
    walk.reads("run_pages", &theirs.run_pages(&fetched.id).await, &ours.run_pages(&fetched.id).await, NOTHING);
    walk.reads("runs", &theirs.runs(10, None).await, &ours.runs(10, None).await, NO_PAGE);
    let none = format!("Ok(([], {:?}))", vec![GateState::fresh(now)]);
    let both = (theirs.runs_and_gates(10, &shops, now).await, ours.runs_and_gates(10, &shops, now).await);
    walk.reads("runs_and_gates", &both.0, &both.1, &none);
    let strayed = ours.runs(10, runs.next.clone()).await;
    assert!(strayed.as_ref().map_or(true, |page| page.rows.is_empty()), "{strayed:?}");
    let kept = [OrderId(1)];
    walk.reads("sales", &theirs.sales(c, &kept).await, &ours.sales(c, &kept).await, "Ok([None])");
    walk.reads("settings", &theirs.settings().await, &ours.settings().await, "Ok(None)");
    walk.reads("settings_version", &theirs.settings_version(1).await, &ours.settings_version(1).await, "Ok(None)");
    walk.reads("settings_history", &theirs.settings_history().await, &ours.settings_history().await, NOTHING);
    let (all, from) = (&settings.settings, &ship_from());
    // What is no product is on no shelf.
    let products = theirs.products().await.expect("products");
    let empty = format!("Ok({:?})", Shelf::new([], &products));
    let shelves = (theirs.shelf(all, from, &products, now).await, ours.shelf(all, from, &products, now).await);
    walk.reads("shelf", &shelves.0, &shelves.1, &empty);
    let none = "Ok(Shelf { ids: [], marks: [], next: None })";
    let ready = Status::Ready;
    walk.reads("newest", &theirs.newest(c, ready, 1, None).await, &ours.newest(c, ready, 1, None).await, none);
    let all = [Status::Hold, Status::Ready];
    let both = (theirs.newest_of(c, &all, since, 1, None).await, ours.newest_of(c, &all, since, 1, None).await);
    walk.reads("newest_of", &both.0, &both.1, none);
    let mark = theirs.newest(c, ready, 1, None).await.expect("one").next;
    assert_eq!(format!("{:?}", ours.newest_of(c, &all, since, 1, mark).await), none);
    assert_eq!(format!("{:?}", ours.newest(c, ready, 1, mark).await), none);
    let both = (
        theirs.count_status_and_since(c, ready, since, 9).await,
        ours.count_status_and_since(c, ready, since, 9).await,
    );
    let none = "Ok((Count { counted: 0, more: false }, Count { counted: 0, more: false }))";
    walk.reads("count_status_and_since", &both.0, &both.1, none);
    let both = (theirs.count_status(c, ready, None, 9).await, ours.count_status(c, ready, None, 9).await);
    walk.reads("count_status", &both.0, &both.1, NONE_COUNTED);
    walk.reads(
        "count_not_imported",
        &theirs.count_not_imported(c, 9).await,
        &ours.count_not_imported(c, 9).await,
        NONE_COUNTED,
    );
    let number = &first.order_number;
    walk.reads(
        "order_with_number",
        &theirs.order_with_number(c, number).await,
        &ours.order_with_number(c, number).await,
        "Ok(None)",
    );
    walk.reads(
        "shipments_of",
        &theirs.shipments_of(c, orders[0]).await,
        &ours.shipments_of(c, orders[0]).await,
        NOTHING,
    );
    let asked: Vec<(OrderId, OrderNumber)> = vec![(orders[0], number.clone())];
    let none = "Ok([Known { lead: None, number_of: None, not_imported: None }])";
    walk.reads("known_orders", &theirs.known_orders(c, &asked).await, &ours.known_orders(c, &asked).await, none);
    walk.reads("shipment", &theirs.shipment(&ids[0]).await, &ours.shipment(&ids[0]).await, "Ok(None)");
    walk.reads("shipments", &theirs.shipments(&ids).await, &ours.shipments(&ids).await, NOTHING);
    // Of one that is not its own it says that it is not there, which is an error for who holds a shipment.
    let (seen, hidden) = (theirs.details(&shipments).await, ours.details(&shipments).await);
    assert!(
        seen.is_ok_and(|found| found.len() == shipments.len()) && hidden.as_ref().map_or(true, Vec::is_empty),
        "{hidden:?}"
    );
    walk.called.insert("details");
    let both = (theirs.shipments_by_status(c, ready, 1, None).await, ours.shipments_by_status(c, ready, 1, None).await);
    walk.reads("shipments_by_status", &both.0, &both.1, NO_PAGE);
    let cursor = both.0.expect("a page").next;
    let strayed = ours.shipments_by_status(c, ready, 9, cursor).await;
    assert!(strayed.as_ref().map_or(true, |page| page.rows.is_empty()), "{strayed:?}");
    let both = (
        theirs.shipments_by_status_since(c, ready, Some(since), 9, None).await,
        ours.shipments_by_status_since(c, ready, Some(since), 9, None).await,
    );
    walk.reads("shipments_by_status_since", &both.0, &both.1, NO_PAGE);
    let work = ShopWork::TellWorking;
    walk.reads(
        "shop_work",
        &theirs.shop_work(c, work, 9, None).await,
        &ours.shop_work(c, work, 9, None).await,
        NO_PAGE,
    );
    walk.reads("counts", &theirs.counts(from).await, &ours.counts(from).await, NOTHING);
    walk.reads("sync_mark", &theirs.sync_mark(c).await, &ours.sync_mark(c).await, "Ok(None)");
    let open = [Status::Ready];
    walk.reads("open_orders", &theirs.open_orders(c, &open).await, &ours.open_orders(c, &open).await, "Ok({})");
    let listed = theirs.open_orders(c, &open).await.expect("open ones");
    walk.reads("open_ids", &Tenant::open_ids(c, &listed), &Tenant::open_ids(c, &BTreeMap::new()), "[]");
    walk.reads("notices", &theirs.notices().await, &ours.notices().await, "Ok(None)");
    let goods = theirs.details(&shipments).await.expect("details");
    walk.reads("goods_of", &theirs.goods_of(&goods).await, &ours.goods_of(&goods).await, "Ok({})");
    walk.reads("hints", &theirs.hints(c).await, &ours.hints(c).await, NOTHING);
    walk.reads("backfill", &theirs.backfill(c, "a-run").await, &ours.backfill(c, "a-run").await, "Ok(None)");
    let both = (theirs.status_rows(c, ready, From::Start, 9).await, ours.status_rows(c, ready, From::Start, 9).await);
    walk.reads("status_rows", &both.0, &both.1, "Ok(([], false))");
    let place = both.0.expect("rows").0[0].at.clone();
    assert_eq!(format!("{:?}", ours.status_rows(c, ready, From::At(&place), 9).await), "Ok(([], false))");
    // Those of an order in quarantine are not known yet.
    let none = format!("{:?}", ours.orders_with_products(c, Timestamp::MIN).await);
    assert_eq!(none, "Ok(NotWaiting { messages: [], with_next_fetch: 0 })");
    walk.called.insert("orders_with_products");
}

#[expect(clippy::too_many_lines, reason = "one line for each method")]
#[expect(clippy::unit_arg, reason = "some of the methods answer nothing but that it is done")]
async fn writes(walk: &mut Walk, theirs: &Tenant, ours: &Tenant, now: Timestamp) {
    let c = &ConnectionId::parse(THEIRS).expect("an id");
    let shipments = theirs.latest_orders(c, 10).await.expect("shipments");
    let details = theirs.details(&shipments).await.expect("details");
    let ids: Vec<ShipmentId> = shipments.iter().map(|shipment| shipment.id.clone()).collect();
    let orders: Vec<OrderId> = ids.iter().map(|id| id.order).collect();
    let run = theirs.runs(10, None).await.expect("runs").rows.pop().expect("the run that fetched");
    let settings = theirs.settings().await.expect("settings").expect("some").settings;
    let email = Email::parse("owner@theirs.example").expect("an address");
    let sku = Sku::parse("SERUM-30").expect("a SKU");
    let hold = |shipment: &mut renkei_domain::shipment::Shipment| shipment.hold(HoldReason::NeedsReview);

    let grants = theirs.grants().await.expect("grants");
    let answer = ours.end_grant(&grants[0], now).await;
    assert!(matches!(walk.changes("end_grant", answer).await, Err(StoreError::NotOwn { .. })));
    let answer = ours.revoke_grant(&grants[0], now).await;
    assert!(matches!(walk.changes("revoke_grant", answer).await, Err(StoreError::NotOwn { .. })));
    let random = Random { secret: [1; 32], seal: [2; 32] };
    let answer = ours.grant(grants[0].opens.clone(), random, grants[0].id.clone(), now).await.expect("one's own");
    let (made, _) = walk.changes("grant", answer).await;
    assert_ne!(made.seal(), grants[0].seal(), "cursors are sealed with one's own");
    let answer = ours.remove_member(&email).await.expect("an answer");
    assert_eq!(walk.changes("remove_member", answer).await, MemberChange::NotThere);
    let answer = ours.put_member(&email, Role::Owner, now).await.expect("an answer");
    assert_eq!(walk.changes("put_member", answer).await, MemberChange::Done);
    let answer = ours.apply_settings(&settings, 0, now, "test").await;
    assert!(matches!(walk.changes("apply_settings", answer).await, Err(StoreError::NotOwn { .. })));
    let kept = theirs.not_imported(c).await.expect("some");
    let answer = ours.keep_not_imported(c, &kept).await;
    assert!(matches!(walk.changes("keep_not_imported", answer).await, Err(StoreError::NotOwn { .. })));
    let id = kept[0].summary.order_id.expect("an id");
    walk.changes("forget_not_imported", ours.forget_not_imported(c, id).await.expect("an answer")).await;
    walk.changes("audit", ours.audit("01AUDIT", &entry(now)).await.expect("one's own")).await;
    walk.changes("change_all", ours.change_all(&shipments, hold).await.expect("an answer")).await;
    walk.changes("complete", ours.complete(&ids, now).await.expect("an answer")).await;
    let answer = ours.change(&ids[0], hold).await.expect("an answer");
    assert!(walk.changes("change", answer).await.is_none());
    let ready = shipments.iter().find(|shipment| shipment.status == Status::Ready).expect("a ready one").clone();
    let answer = ours.change_from(ready, hold).await;
    assert!(refused(&walk.changes("change_from", answer).await));
    let entries: Vec<WorkEntry> = ids.iter().map(|id| WorkEntry { id: id.clone(), parcels: 1 }).collect();
    walk.changes("acknowledge", ours.acknowledge(&entries, now).await.expect("an answer")).await;
    let error = ShopError { code: "x".into(), message: "y".into() };
    walk.changes("shop_refused", ours.shop_refused(&entries[0], error.clone(), now, "test").await.expect("an answer"))
        .await;
    let usual = Usual { day: "2026-11-25".into(), orders: BTreeMap::new() };
    walk.changes("keep_usual", ours.keep_usual(&usual).await.expect("one's own")).await;
    let gate = theirs.gate(c, now).await.expect("a gate");
    let answer = ours.write_gate(c, &gate, &gate).await;
    assert!(refused(&walk.changes("write_gate", answer).await));
    let offers = [(sku.clone(), 99, Before::Here)];
    walk.changes("intend_offers", ours.intend_offers(c, None, &offers, 9, now).await.expect("an answer")).await;
    let heard = [(sku.clone(), 99, Heard::Refused(error))];
    walk.changes("note_offers", ours.note_offers(c, &heard, 9).await.expect("an answer")).await;
    let products = theirs.products().await.expect("products");
    walk.changes("put_products", ours.put_products(&products).await.expect("one's own")).await;
    let count = StockCount { sku, quantity: 0, counted_at: later(now, 60) };
    walk.changes("put_count", ours.put_count(&ship_from(), &count).await.expect("one's own")).await;
    let answer = ours.finish_queued_run(&run.id).await.expect("an answer");
    assert_eq!(walk.changes("finish_queued_run", answer).await, None);
    let answer = ours.end_run(&run).await;
    assert!(refused(&walk.changes("end_run", answer).await));
    let progress = Progress { page: 9, after: 9 };
    assert!(!walk.changes("advance_run", ours.advance_run(&run.id, progress, 9).await.expect("an answer")).await);
    walk.changes("announce_page", ours.announce_page(&run.id, 1, 9).await.expect("one's own")).await;
    let rows = BTreeMap::from([(Outcome::Refused, BTreeSet::from([7]))]);
    let noted = ours.note_rows(&run.id, 1, &rows).await.expect("one's own");
    assert_eq!(walk.changes("note_rows", noted).await.count(Outcome::Imported), 0);
    walk.changes("complete_page", ours.complete_page(&run.id, 1).await.expect("one's own")).await;
    walk.changes("announce_end", ours.announce_end(&run.id, 1).await.expect("one's own")).await;
    walk.changes("begin_run", ours.begin_run(&Run { id: "another".into(), ..run }).await.expect("one's own")).await;
    let sold = [OrderId(1)];
    assert_eq!(
        walk.changes("intend_sales", ours.intend_sales(c, &sold, "b-run", now).await.expect("one's own")).await,
        [true]
    );
    walk.changes("settle_sales", ours.settle_sales(c, &sold, Sale::Captured, now).await.expect("one's own")).await;
    walk.changes("withdraw_sale", ours.withdraw_sale(c, orders[0], now).await.expect("an answer")).await;
    walk.changes("doubt_sale", ours.doubt_sale(c, orders[0], now).await.expect("an answer")).await;
    let mark = SyncMark { began: later(now, 60), reported_on: None, late_known: None, epoch: 99 };
    walk.changes("move_sync_mark", ours.move_sync_mark(c, &mark).await.expect("one's own")).await;
    let hints = theirs.hints(c).await.expect("hints");
    walk.changes("forget_hints", ours.forget_hints(c, &hints).await.expect("an answer")).await;
    let named = BTreeSet::from([Named::Id(1)]);
    walk.changes("note_hints", ours.note_hints(c, &named, later(now, 60)).await.expect("one's own")).await;
    walk.changes("announce_drain", ours.announce_drain(c, "b-drain", now).await.expect("one's own")).await;
    walk.changes("begin_drain", ours.begin_drain(c).await.expect("one's own")).await;
    let range = Backfill { from: later(now, 1), before: later(now, 2) };
    walk.changes("ask_backfill", ours.ask_backfill(c, "a-run", range).await.expect("one's own")).await;
    let state = theirs.notices().await.expect("notices").expect("some");
    assert!(!walk.changes("put_notices", ours.put_notices(&state).await.expect("an answer")).await);
    assert!(!walk.changes("end_notices", ours.end_notices().await.expect("an answer")).await);
    let robots = RobotSet::compile(&settings).expect("robots");
    let rule = &RuleId::parse("hold-unpaid").expect("an id");
    let goods = Goods::new();
    let application = Application { robots: &robots, rule, fits: &|_| true, goods: &goods, by: "test" };
    let connection = &settings.connections[0];
    let facts = Facts { connection, conversion_robot: None, unknown_skus: &[], duplicate_number: false, now };
    let (shipment, detail) = (shipments[0].clone(), details[0].clone());
    let answer = ours.apply_robot(&application, &facts, shipment, detail).await.expect("an answer");
    assert_eq!(walk.changes("apply_robot", answer).await, Became::default());
    walk.changes("put_detail", ours.put_detail(&ids[0], &details[0]).await.expect("one's own")).await;
    let parcels = shipments.into_iter().zip(details);
    let new = parcels.map(|parcel| NewOrder { parcels: vec![parcel], claim_number: true }).collect();
    walk.changes("store_orders", ours.store_orders(new).await.expect("one's own")).await;
    let erased = ours.erase_everything().await.expect("one's own");
    assert!(erased.values().sum::<usize>() > 20, "{erased:?}");
    walk.changes("erase_everything", erased).await;
    assert_eq!(ours.count_everything().await.expect("counts").values().sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_remove_each_other_one_stays() {
    let tenant = store().await.tenant(TenantId::parse("two-owners").expect("an id"));
    let [a, b] = ["a@owners.example", "b@owners.example"].map(|email| Email::parse(email).expect("an address"));
    let now = Timestamp::now();
    for round in 0..20 {
        for email in [&a, &b] {
            assert_eq!(tenant.put_member(email, Role::Owner, now).await.expect("an owner"), MemberChange::Done);
        }
        let (one, other) = tokio::join!(tenant.remove_member(&a), async {
            if round % 2 == 0 { tenant.remove_member(&b).await } else { tenant.put_member(&b, Role::Admin, now).await }
        },);
        let both = [one.expect("an answer"), other.expect("an answer")];
        let owners =
            tenant.members().await.expect("members").iter().filter(|member| member.role == Role::Owner).count();
        assert_eq!(owners, 1, "{both:?}");
        assert!(both.contains(&MemberChange::Done) && both.contains(&MemberChange::LastOwner), "{both:?}");
    }
    let listed = run(&["member", "list", "--tenant", "two-owners", "--json"], None);
    assert!(!listed.out.contains("owners.example"), "without settings it is no tenant to list: {listed:?}");
    tenant.erase_everything().await.expect("nothing is left");
}
