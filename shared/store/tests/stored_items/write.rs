//! Writes an item of every kind as functions write it, with everything in it that it can hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::document;
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane};
use renkei_domain::ids::{
    AddressId, ConnectionId, OrderId, OrderNumber, RobotId, RuleId, ShipFromId, ShipmentId, ShippingMethodId, Sku,
    WarehouseId,
};
use renkei_domain::member::{Email, Role};
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::payment::Payment;
use renkei_domain::run::{CallMade, Outcome, Run, RunState};
use renkei_domain::settings::{Action, TenantSettings};
use renkei_domain::shipment::{
    Cancellation, CancellationState, Difference, HoldReason, Item, RobotTrace, ShipTo, Shipment, ShipmentDetail,
    ShopError, ShopSync, Status, Totals,
};
use renkei_domain::work::{self, Cause, Fetched, ImportOrder, Place};
use renkei_store::access::{Opens, Random, Secret};
use renkei_store::audit::{AuditEntry, AuditOutcome};
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
use renkei_store::shipments::detail_version;
use renkei_store::stock::StockCount;
use renkei_store::sync::{Backfill, Named, SyncMark};
use renkei_store::{Store, Tenant};
use serde_json::json;

/// The time of everything.
pub const NOW: &str = "2026-11-24T01:02:03.25Z";
pub const RUN: &str = "3f1c0f6e-0d5a-4e0b-8f59-2f6f0c1d7a11";
pub const OWNER: &str = "owner@midori.example";
pub const DIGEST: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
pub const PEOPLE: [(&str, Role); 2] = [(OWNER, Role::Owner), ("viewer@midori.example", Role::Viewer)];
/// Made of 32 times the same byte: nobody's keys.
pub const KEYS: [(&str, &str); 3] = [
    (Secret::WAREHOUSE, "rkw_0707070707070707070707070707070707070707070707070707070707070707a790e2a6"),
    (Secret::WAREHOUSE, "rkw_0808080808080808080808080808080808080808080808080808080808080808e03830c4"),
    (Secret::HOOK, "rkh_0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0bfa6e421a"),
];

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub fn shop() -> ConnectionId {
    ConnectionId::parse("midori-ecforce").unwrap()
}

pub fn robot() -> RobotId {
    RobotId::parse("midori-ecforce/fetch-orders").unwrap()
}

pub fn ship_from() -> ShipFromId {
    ShipFromId::parse("tama-dc").unwrap()
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

/// The settings of the document that the domain's own tests use.
pub fn settings() -> TenantSettings {
    let text = include_str!("../../../domain/tests/fixtures/midori.yaml");
    document::read(text, &|url| Ok(url.to_owned())).unwrap_or_else(|problems| panic!("{problems:?}")).settings
}

/// Two orders: of one parcel with everything in its record, and of two parcels with next to nothing.
pub fn numbers() -> Vec<(OrderId, OrderNumber)> {
    [(88_111, "E-88111"), (88_112, "E#88112")]
        .map(|(id, number)| (OrderId(id), OrderNumber::parse(number).unwrap()))
        .to_vec()
}

pub fn parcels() -> Vec<ShipmentId> {
    let parcel = |order, parcel| ShipmentId { connection: shop(), order: OrderId(order), parcel };
    vec![parcel(88_111, 1), parcel(88_112, 1), parcel(88_112, 2), needy()]
}

/// A parcel that waits for a person: nobody knows its payment's state.
fn needy() -> ShipmentId {
    ShipmentId::lead(shop(), OrderId(88_115))
}

fn source(order: u64) -> SourceOrder {
    let address = |id, name: &str| SourceAddress {
        id: AddressId(id),
        parts: [("name01", name), ("zip01", "135-0064"), ("prefecture_name", "東京都"), ("addr01", "江東区見本町1-1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let line = SourceLine {
        sku: sku("TEA-100"),
        name: "煎茶 100g".to_owned(),
        quantity: 2,
        price: Yen(980),
        address: Some(AddressId(1)),
        bundled: false,
    };
    SourceOrder {
        id: OrderId(order),
        number: numbers()[0].1.clone(),
        state: "complete".to_owned(),
        payment_state: "authed".to_owned(),
        total: Yen(2_200),
        updated_at: Some(now()),
        carrier: Some(SourceCarrier { id: Some(6), name: Some("メール便".to_owned()) }),
        addresses: vec![address(1, "見本 花子"), address(2, "見本 太郎")],
        lines: vec![line.clone(), SourceLine { bundled: true, address: None, price: Yen(-100), ..line }],
        attributes: BTreeMap::from([
            ("remark".to_owned(), json!("置き配希望")),
            ("times".to_owned(), json!(3)),
            ("rate".to_owned(), json!(0.1)),
            ("subs".to_owned(), json!(true)),
        ]),
    }
}

fn full_detail() -> ShipmentDetail {
    let text = str::to_owned;
    ShipmentDetail {
        ship_to: ShipTo {
            name: text("見本 花子"),
            kana: text("ミホン ハナコ"),
            company: text("見本商事"),
            postal_code: text("135-0064"),
            prefecture: text("東京都"),
            address1: text("江東区見本町1-1"),
            address2: text("見本ビル101"),
            address3: text("見本方"),
            phone: text("03-0000-0000"),
        },
        items: vec![
            Item { sku: sku("TEA-100"), name: text("煎茶 100g"), quantity: 2, price: Yen(980), added_by: None },
            Item {
                sku: sku("LEAFLET-1"),
                name: text("はじめての方へ（冊子）"),
                quantity: 1,
                price: Yen(0),
                added_by: Some(RuleId::parse("first-subscription-leaflet").unwrap()),
            },
        ],
        totals: Totals {
            total: Yen(2_200),
            subtotal: Yen(1_960),
            delivery_fee: Yen(300),
            charge: Yen(100),
            discount: Yen(-60),
            points: Yen(-100),
            tax: Yen(200),
        },
        payment_method: text("クレジットカード"),
        delivery_note: text("置き配希望"),
        ship_on: Some("2026-11-25".parse().unwrap()),
        deliver_on: Some("2026-11-27".parse().unwrap()),
        delivery_time: text("午前中"),
        tags: vec![text("定期")],
        robots: vec![RobotTrace {
            robot: RuleId::parse("first-subscription-leaflet").unwrap(),
            changes: vec![text("added LEAFLET-1")],
        }],
        source: source(88_111),
    }
}

fn plain_shipment(id: ShipmentId, number: &OrderNumber, detail: &ShipmentDetail) -> Shipment {
    Shipment {
        id,
        order_number: number.clone(),
        address_id: AddressId(1),
        parcels: 2,
        ship_from: ship_from(),
        status: Status::Ready,
        holds: Vec::new(),
        payment: Payment::Paid,
        payment_state: "authed".to_owned(),
        payment_unknown: false,
        released_unpaid: false,
        shop_sync: ShopSync::Registered,
        shipping_method: None,
        tracking_number: None,
        shipped_at: None,
        claimed_at: None,
        result_at: None,
        cancellation: None,
        seen_at: None,
        differences: Vec::new(),
        tracking_told: None,
        told_at: None,
        shop_error: None,
        reappeared: 0,
        imported_at: now(),
        updated_at: now(),
        run: RUN.to_owned(),
        place: Place { page: 1, row: 1 },
        rev: 0,
        detail: detail_version(detail),
        events: Vec::new(),
    }
}

fn full_shipment(id: ShipmentId, number: &OrderNumber, detail: &ShipmentDetail) -> Shipment {
    let mut shipment = Shipment {
        parcels: 1,
        status: Status::Shipped,
        holds: vec![HoldReason::Remark, HoldReason::AwaitingPayment],
        payment: Payment::Unpaid,
        shop_sync: ShopSync::WrittenBack,
        shipping_method: Some(ShippingMethodId::parse("mailbin").unwrap()),
        tracking_number: Some("4000-88111".to_owned()),
        shipped_at: Some(now()),
        claimed_at: Some(now()),
        result_at: Some(now()),
        cancellation: Some(Cancellation {
            state: CancellationState::TooLate,
            requested_at: now(),
            answered_at: Some(now()),
            closed_at: Some(now()),
            by_person: false,
        }),
        seen_at: Some(now()),
        differences: vec![
            Difference::Address,
            Difference::Lines,
            Difference::PaymentMethod,
            Difference::Total,
            Difference::Payment,
        ],
        tracking_told: Some("4000-88110".to_owned()),
        told_at: Some(now()),
        shop_error: Some(ShopError { code: "AOR2001".to_owned(), message: "更新できません".to_owned() }),
        reappeared: 2,
        place: Place { page: 12, row: 99 },
        rev: 7,
        ..plain_shipment(id, number, detail)
    };
    shipment.note(now(), "imported", "fetch-orders");
    shipment
}

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
        epoch: 37,
    };
    assert!(tenant.move_sync_mark(&shop(), &mark).await.unwrap());
    assert!(tenant.announce_drain(&shop(), RUN, now()).await.unwrap());
    tenant
        .ask_backfill(&shop(), RUN, Backfill { from: "2026-11-01T00:00:00Z".parse().unwrap(), before: now() })
        .await
        .unwrap();
    let named = [Named::Id(88_111), Named::Number("E#88112".to_owned()), Named::Cancelled(88_112)];
    tenant.note_hints(&shop(), &BTreeSet::from(named), now()).await.unwrap();
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
