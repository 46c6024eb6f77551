//! The made-up merchant of the golden files: its settings, people and keys, and its orders.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_domain::document;
use renkei_domain::ids::{
    AddressId, ConnectionId, OrderId, OrderNumber, RobotId, RuleId, ShipFromId, ShipmentId, ShippingMethodId, Sku,
};
use renkei_domain::member::Role;
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::payment::Payment;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{
    Cancellation, CancellationState, Difference, HoldReason, Item, RobotTrace, ShipTo, Shipment, ShipmentDetail,
    ShopError, ShopSync, Status, Totals,
};
use renkei_domain::work::Place;
use renkei_store::access::Secret;
use renkei_store::shipments::detail_version;
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

pub fn now() -> Timestamp {
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

pub fn sku(text: &str) -> Sku {
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
pub fn needy() -> ShipmentId {
    ShipmentId::lead(shop(), OrderId(88_115))
}

pub fn source(order: u64) -> SourceOrder {
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
        billing: None,
        lines: vec![line.clone(), SourceLine { bundled: true, address: None, price: Yen(-100), ..line }],
        attributes: BTreeMap::from([
            ("remark".to_owned(), json!("置き配希望")),
            ("times".to_owned(), json!(3)),
            ("rate".to_owned(), json!(0.1)),
            ("subs".to_owned(), json!(true)),
        ]),
    }
}

pub fn full_detail() -> ShipmentDetail {
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

pub fn plain_shipment(id: ShipmentId, number: &OrderNumber, detail: &ShipmentDetail) -> Shipment {
    Shipment {
        id,
        order_number: number.clone(),
        address_id: AddressId(1),
        parcels: 2,
        several_addresses: false,
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
        claim_key: None,
        result_at: None,
        cancellation: None,
        seen_at: None,
        cancelled_by_shop: false,
        differences: Vec::new(),
        more_differences: Vec::new(),
        differences_of: None,
        differences_seen: false,
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

pub fn full_shipment(id: ShipmentId, number: &OrderNumber, detail: &ShipmentDetail) -> Shipment {
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
        claim_key: None,
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
