//! Writes an item of every kind as functions write it, with everything in it that it can hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane};
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RuleId, ShipmentId, WarehouseId};
use renkei_domain::member::Email;
use renkei_domain::money::Yen;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::run::{CallMade, Outcome, Run, RunState};
use renkei_domain::settings::Action;
use renkei_domain::shipment::{HoldReason, ShipTo, Shipment, ShipmentDetail, ShopError, Status, Totals};
use renkei_domain::work::{self, Cause, Fetched, ImportOrder, Place};
use renkei_store::access::{Opens, Random};
use renkei_store::audit::{AuditEntry, AuditOutcome};
use renkei_store::called_off::Gone;
use renkei_store::days::Usual;
use renkei_store::desk::KeptCounts;
use renkei_store::gate::GateWrite;
use renkei_store::import::NewOrder;
use renkei_store::members::MemberChange;
use renkei_store::notices::{NoticeLang, NoticeState};
use renkei_store::offers::{Before, Heard};
use renkei_store::orders::{NotImported, NotImportedSummary};
use renkei_store::runs::Progress;
use renkei_store::sales::Sale;
use renkei_store::sessions::{Session, Sessions, SignIn};
use renkei_store::stock::StockCount;
use renkei_store::sync::{Backfill, Named, SyncMark};
use renkei_store::{Store, Tenant};

use crate::midori::{
    DIGEST, KEYS, OWNER, PEOPLE, RUN, full_detail, full_shipment, needy, now, numbers, parcels, plain_shipment, robot,
    settings, ship_from, shop, sku, source,
};

/// Everything.
pub async fn everything(store: &Store, tenant: &Tenant, sessions: &Sessions) {
    orders(tenant).await;
    merchant(tenant).await;
    sync(tenant).await;
    access(store, tenant).await;
    gate(tenant).await;
    stock(tenant).await;
    run(tenant).await;
    console(tenant, sessions).await;
    counts(tenant).await;
}

async fn orders(tenant: &Tenant) {
    let (ids, numbers, full) = (parcels(), numbers(), full_detail());
    let least = ShipmentDetail {
        ship_to: ShipTo {
            kana: String::new(),
            company: String::new(),
            address2: String::new(),
            address3: String::new(),
            ..full.ship_to.clone()
        },
        items: full.items[..1].to_vec(),
        totals: Totals { total: Yen(980), ..Totals::default() },
        payment_method: String::new(),
        delivery_note: String::new(),
        ship_on: None,
        deliver_on: None,
        delivery_time: String::new(),
        tags: Vec::new(),
        robots: Vec::new(),
        source: SourceOrder { updated_at: None, carrier: None, attributes: BTreeMap::new(), ..source(88_112) },
    };
    let one = vec![(full_shipment(ids[0].clone(), &numbers[0].1, &full), full)];
    let two = ids[1..3].iter().map(|id| (plain_shipment(id.clone(), &numbers[1].1, &least), least.clone())).collect();
    let waits = Shipment {
        parcels: 1,
        status: Status::Hold,
        holds: vec![HoldReason::AwaitingPayment],
        payment: Payment::Unpaid,
        payment_state: "新しい#状態".to_owned(),
        payment_unknown: true,
        released_unpaid: true,
        ..plain_shipment(needy(), &OrderNumber::parse("E-88115").unwrap(), &least)
    };
    let stored = tenant
        .store_orders(vec![
            NewOrder { parcels: one, claim_number: true },
            NewOrder { parcels: two, claim_number: true },
            NewOrder { parcels: vec![(waits, least)], claim_number: false },
        ])
        .await
        .unwrap();
    assert!(stored.iter().all(|stored| matches!(stored, renkei_store::import::Stored::New)), "{stored:?}");

    let orders: Vec<OrderId> = numbers.iter().map(|(id, _)| *id).collect();
    assert_eq!(tenant.intend_sales(&shop(), &orders, RUN, now()).await.unwrap(), [true, true]);
    tenant.settle_sales(&shop(), &orders[..1], Sale::Unproven, now()).await.unwrap();

    let message = |order| ImportOrder {
        v: work::VERSION,
        tenant: tenant.id().clone(),
        connection: shop(),
        run: RUN.to_owned(),
        place: Place { page: 2, row: 3 },
        conversion_robot: Some(RuleId::parse("ecforce-own").unwrap()),
        fetched_at: now(),
        order,
    };
    let summary = |order_id, order_number: Option<&str>, outcome, missing: &[&str]| NotImportedSummary {
        order_id,
        order_number: order_number.map(str::to_owned),
        outcome,
        reason: "商品 TEA-100 is not among the products".to_owned(),
        missing_skus: missing.iter().map(|text| sku(text)).collect(),
        at: now(),
        changed_at: None,
        run: RUN.to_owned(),
    };
    let unreadable = Fetched::Unreadable { id: None, number: None, reason: "it has no lines".to_owned() };
    let kept = [
        NotImported {
            summary: summary(Some(88_113), Some("E-88113"), Outcome::Quarantined, &["TEA-100"]),
            message: message(Fetched::Order(Box::new(source(88_113)))),
        },
        NotImported { summary: summary(None, None, Outcome::Refused, &[]), message: message(unreadable) },
    ];
    tenant.keep_not_imported(&shop(), &kept).await.unwrap();
}

async fn merchant(tenant: &Tenant) {
    let settings = settings();
    tenant.apply_settings(&settings, 0, now(), "owner@midori.example").await.unwrap();
    tenant.put_products(&settings.products).await.unwrap();
    let usual = Usual { day: "2026-11-24".to_owned(), orders: [(shop(), 1_200)].into() };
    tenant.keep_usual(&usual).await.unwrap();
    let notices = NoticeState {
        told_at: Some(now()),
        silent: ["midori-ecforce/inventory".to_owned()].into(),
        blocked: [(shop(), "2026-11-25T00:05:00Z".parse().unwrap())].into(),
        failure: Some("the webhook did not answer".to_owned()),
        ..NoticeState::begin(None, NoticeLang::Ja, "owner@midori.example", now())
    };
    assert!(tenant.put_notices(&notices).await.unwrap());
    for (email, role) in PEOPLE {
        let put = tenant.put_member(&Email::parse(email).unwrap(), role, now()).await.unwrap();
        assert_eq!(put, MemberChange::Done);
    }
}

async fn sync(tenant: &Tenant) {
    let mark = SyncMark {
        began: now(),
        reported_on: Some("2026-11-24".parse().unwrap()),
        late_known: Some("2026-11-23T01:02:03Z".parse().unwrap()),
        tables: None,
        epoch: 37,
    };
    assert!(tenant.move_sync_mark(&shop(), &mark).await.unwrap());
    assert!(tenant.announce_drain(&shop(), RUN, (now(), now()), now()).await.unwrap());
    tenant
        .ask_backfill(&shop(), RUN, Backfill { from: "2026-11-01T00:00:00Z".parse().unwrap(), before: now() })
        .await
        .unwrap();
    let gone = Gone { order: OrderId(88_119), changed_at: None };
    assert_eq!(tenant.call_off(&shop(), &[gone], now()).await.unwrap(), [gone.order]);
    let named = [Named::Id(88_111), Named::Number("E#88112".to_owned()), Named::Cancelled(88_112)];
    tenant.note_hints(&shop(), &BTreeSet::from(named), None, now()).await.unwrap();
}

async fn access(store: &Store, tenant: &Tenant) {
    let random = |secret| Random { secret: [secret; 32], seal: [9; 32] };
    let warehouse = Opens::Warehouse(WarehouseId::parse("tama-soko").unwrap());
    let (_, secret) = tenant.grant(warehouse.clone(), random(7), "01KAT0V0F9A".to_owned(), now()).await.unwrap();
    assert_eq!(secret.expose(), KEYS[0].1);
    assert!(store.opened_by(&secret, now()).await.unwrap().is_some());
    let (ending, _) = tenant.grant(warehouse.clone(), random(8), "01KAT0V0F9B".to_owned(), now()).await.unwrap();
    tenant.end_grant(&ending, "2026-12-01T00:00:00Z".parse().unwrap()).await.unwrap();
    let (revoked, _) = tenant.grant(warehouse, random(10), "01KAT0V0F9C".to_owned(), now()).await.unwrap();
    tenant.revoke_grant(&revoked, now()).await.unwrap();
    tenant.grant(Opens::Hook(shop()), random(11), "01KAT0V0F9D".to_owned(), now()).await.unwrap();
}

/// A day's last call, so that every field says something.
async fn gate(tenant: &Tenant) {
    let rules = GateRules::new(2);
    let fresh = GateState::fresh(now());
    let Entry::Entered(entered) = fresh.enter(&rules, now(), RUN, Lane::Fetch, None) else {
        panic!("the gate is free")
    };
    assert_eq!(tenant.write_gate(&shop(), &fresh, &entered).await.unwrap(), GateWrite::Written);
    let mut state = entered;
    for (n, kind) in [Kind::SignIn, Kind::Call].into_iter().enumerate() {
        let call_id = format!("{RUN}-{n}");
        let call = Call {
            run: RUN,
            epoch: state.epoch(),
            lane: Lane::WriteBack,
            robot: "midori-ecforce/write-back",
            call_id: &call_id,
            kind,
            last_began: None,
        };
        let at = now() + Duration::from_secs(2 * (n as u64 + 1));
        let CallDecision::Granted(next) = state.call(&rules, at, &call) else { panic!("there are calls left") };
        assert_eq!(tenant.write_gate(&shop(), &state, &next).await.unwrap(), GateWrite::Written);
        state = next;
    }
}

async fn stock(tenant: &Tenant) {
    let count = StockCount { sku: sku("TEA-100"), quantity: 120, counted_at: now() };
    assert!(tenant.put_count(&ship_from(), &count).await.unwrap());
    let nothing = Before::Nothing;
    // As before there were locations, which leaves what is stored as it was …
    let offers = [(sku("TEA-100"), 115, nothing), (sku("TEA-BAG-20"), 9, nothing), (sku("00450"), 3, nothing)];
    assert_eq!(tenant.intend_offers(&shop(), None, &offers, 37, now()).await.unwrap(), [true; 3]);
    // … and with the location that was told.
    let offers = [(sku("TEA-CUP"), 4, nothing)];
    assert_eq!(tenant.intend_offers(&shop(), Some("tokyo-1"), &offers, 37, now()).await.unwrap(), [true]);
    let refused = ShopError { code: "ASI2001".to_owned(), message: "在庫管理外です".to_owned() };
    let heard = [
        (sku("TEA-100"), 115, Heard::Taken),
        (sku("00450"), 3, Heard::Refused(refused)),
        (sku("TEA-CUP"), 4, Heard::Taken),
    ];
    tenant.note_offers(&shop(), &heard, 37).await.unwrap();
}

async fn run(tenant: &Tenant) {
    let begun = Run {
        id: RUN.to_owned(),
        connection: shop(),
        robot: robot(),
        action: Action::FetchOrders,
        cause: Cause::Schedule,
        state: RunState::Running,
        started_at: now(),
        ended_at: None,
        blocked_until: None,
        calls: 0,
        queued: None,
        counts: BTreeMap::new(),
        error: None,
        notes: Vec::new(),
        called: Vec::new(),
    };
    assert!(tenant.begin_run(&begun).await.unwrap());
    assert!(tenant.advance_run(RUN, Progress { page: 2, after: 88_113 }, 37).await.unwrap());
    for page in [1, 2] {
        tenant.announce_page(RUN, page, 2).await.unwrap();
    }
    for (page, row, outcome) in
        [(1, 0, Outcome::Imported), (1, 1, Outcome::Duplicate), (2, 3, Outcome::Quarantined), (2, 4, Outcome::Refused)]
    {
        tenant.note_rows(RUN, page, &[(outcome, [row].into())].into()).await.unwrap();
    }
    assert!(!tenant.complete_page(RUN, 1).await.unwrap());
    assert!(!tenant.announce_end(RUN, 2).await.unwrap());
    // What is noted of its robot has everything in it once runs have done their work, failed and waited.
    for state in [RunState::Done, RunState::Failed] {
        tenant.end_run(&Run { state, ended_at: Some(now()), ..begun.clone() }).await.unwrap();
    }
    let blocked = Run {
        state: RunState::Blocked,
        ended_at: Some(now()),
        blocked_until: Some("2026-11-25T00:05:00Z".parse().unwrap()),
        calls: 3,
        queued: Some(2),
        counts: [("pages".to_owned(), 2), ("told".to_owned(), 40)].into(),
        error: Some("the day's calls are spent".to_owned()),
        notes: vec!["two orders wait for a product".to_owned()],
        called: vec![CallMade {
            at: now(),
            lane: Lane::Fetch,
            method: "GET".into(),
            path: "admin/orders.json?page=1&q[id_gt]=88110".into(),
            status: Some(200),
            milliseconds: 317,
        }],
        ..begun
    };
    tenant.end_run(&blocked).await.unwrap();
}

async fn console(tenant: &Tenant, sessions: &Sessions) {
    let entry = AuditEntry {
        at: now(),
        by: OWNER.to_owned(),
        action: "shipment.hold".to_owned(),
        target: "midori-ecforce.88111.1".to_owned(),
        outcome: AuditOutcome::Refused,
        note: "a viewer may not".to_owned(),
    };
    tenant.audit("01KAT0V0F9", &entry).await.unwrap();
    let session =
        Session { email: Email::parse(OWNER).unwrap(), started_at: now(), seen_at: now(), expires_at: 4_000_000_000 };
    sessions.begin(OWNER, DIGEST, &session).await.unwrap();
    let sign_in = SignIn {
        browser: DIGEST.to_owned(),
        nonce: "n".repeat(43),
        verifier: "v".repeat(43),
        to: "/shipments?status=hold".to_owned(),
        expires_at: 4_000_000_000,
    };
    sessions.begin_sign_in(DIGEST, &sign_in).await.unwrap();
    assert_eq!(sessions.count("sign-in", "192.0.2.7", 600, now()).await.unwrap(), 1);
}

/// What has left is kept as a count once there is enough of it: so much leaves at a second shop, and its records are taken
/// away again.
async fn counts(tenant: &Tenant) {
    let bulk = ConnectionId::parse("bulk").unwrap();
    let detail = full_detail();
    let orders = (1..=260)
        .map(|order| {
            let id = ShipmentId::lead(bulk.clone(), OrderId(order));
            let shipment = Shipment {
                place: Place { page: 1, row: order as u16 },
                ..full_shipment(id, &OrderNumber::parse(order.to_string()).unwrap(), &detail)
            };
            NewOrder { parcels: vec![(shipment, detail.clone())], claim_number: false }
        })
        .collect();
    tenant.store_orders(orders).await.unwrap();
    // Nothing is kept yet.
    let kept = KeptCounts::default();
    let later = now() + Duration::from_hours(1);
    assert_eq!(tenant.count_shipped(&bulk, &kept, 1_000, later).await.unwrap().counted, 260);
}
