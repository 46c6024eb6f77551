//! A merchant, a shop and an order that all tests of processing robots start from. All of it is invented.
#![allow(dead_code, reason = "each test takes what it needs")]

use jiff::Timestamp;
use renkei_domain::ids::{AddressId, OrderId, OrderNumber, RuleId, Sku};
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::processing::{Applied, Facts, Goods, Phase, Problem, ProcessingRobot, RobotSet};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::{Item, ShipTo, Shipment, ShipmentDetail, Totals};
use serde_json::{Value, json};

pub const FIVE: [&str; 5] = ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"];

/// The merchant's settings with these built-in and own robots.
pub fn settings(enable: &[&str], custom: &Value) -> TenantSettings {
    serde_json::from_value(json!({
        "tenant": "hanako",
        "ship_froms": [{
            "id": "tokyo-dc", "name": "東京第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
            "address": "江東区青海2-4-24", "phone": "03-0000-0000", "warehouse": "airlogi-tokyo"
        }],
        "connections": [{
            "id": "hanako-ecforce", "api": "ecforce", "api_url": "api.hanako.example", "ship_from": "tokyo-dc",
            "password": { "env": "HANAKO_ECFORCE_PASSWORD" }, "daily_call_limit": 10000,
            "payment_states": { "paid": ["cash_on_delivery_authed"] }
        }],
        "shipping_methods": [
            { "id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS", "keywords": ["ネコポス"] },
            { "id": "yamato", "name": "ヤマト宅急便", "warehouse_code": "YAMATO", "default": true }
        ],
        "conversion_robots": [{ "id": "ecforce-own", "name": "独自", "copy_of": 14448 }],
        "processing_robots": { "enable": enable, "custom": custom }
    }))
    .unwrap()
}

pub fn compiled(enable: &[&str], custom: &Value) -> RobotSet {
    RobotSet::compile(&settings(enable, custom)).unwrap()
}

/// One robot of the merchant's own that holds the condition and does the actions.
pub fn one(when: Value, actions: Value) -> Value {
    let mut robot = json!({ "id": "mine", "name": "自作" });
    robot["when"] = when;
    robot["do"] = actions;
    Value::Array(vec![robot])
}

/// What is wrong with the merchant's own robots: place and sentence.
pub fn problems(enable: &[&str], custom: &Value) -> Vec<(String, String)> {
    let found: Vec<Problem> = RobotSet::compile(&settings(enable, custom)).err().unwrap_or_default();
    found.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

/// Custom robots of the merchant's document, as it writes them.
pub fn hanako_custom() -> Vec<ProcessingRobot> {
    serde_json::from_value(hanako_custom_json()).unwrap()
}

pub fn hanako_custom_json() -> Value {
    json!([
        {
            "id": "first-subscription-leaflet", "name": "定期初回に冊子を同梱",
            "when": { "all": [{ "field": "order.kind", "equals": "定期受注" }, { "field": "order.times", "equals": 1 }] },
            "do": [{ "add_item": { "sku": "LEAFLET-1", "quantity": 1 } }]
        },
        {
            "id": "okinawa-by-yamato", "name": "沖縄のネコポスは宅急便へ",
            "when": { "all": [
                { "field": "ship_to.prefecture", "equals": "沖縄県" }, { "field": "shipping_method", "equals": "nekopos" }
            ] },
            "do": [{ "set_shipping_method": "yamato" }]
        },
        {
            "id": "remark-to-hold", "name": "備考に「至急」があれば保留",
            "when": { "any": [{ "field": "order.remark", "contains": "至急" }] },
            "do": [{ "hold": "remark" }]
        }
    ])
}

pub fn rule(id: &str) -> RuleId {
    RuleId::parse(id).unwrap()
}

pub fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub fn now() -> Timestamp {
    "2026-11-24T01:00:00Z".parse().unwrap()
}

/// An order, and the shipment that import makes of it: on hold, unpaid, without a reason.
pub struct Case {
    pub connection: Connection,
    pub shipment: Shipment,
    pub detail: ShipmentDetail,
    pub unknown_skus: Vec<Sku>,
    pub duplicate_number: bool,
    pub conversion_robot: Option<RuleId>,
}

// The types themselves do not print; the people here are invented.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("shipment", &json!(self.shipment).to_string())
            .field("detail", &json!(self.detail).to_string())
            .field("unknown_skus", &self.unknown_skus)
            .field("duplicate_number", &self.duplicate_number)
            .field("conversion_robot", &self.conversion_robot)
            .finish_non_exhaustive()
    }
}

impl Default for Case {
    fn default() -> Self {
        Self::new()
    }
}

impl Case {
    pub fn new() -> Self {
        let connection = settings(&[], &json!([])).connections.remove(0);
        let line = |code: &str, quantity| SourceLine {
            sku: sku(code),
            name: code.to_owned(),
            quantity,
            price: Yen(1_980),
            address: None,
            bundled: false,
        };
        let source = SourceOrder {
            id: OrderId(88_111),
            number: OrderNumber::parse("H-1001").unwrap(),
            state: "complete".into(),
            payment_state: "authed".into(),
            total: Yen(4_500),
            updated_at: None,
            carrier: Some(SourceCarrier { id: Some(6), name: Some("ネコポス".into()) }),
            addresses: vec![SourceAddress { id: AddressId(120), parts: std::collections::BTreeMap::new() }],
            billing: None,
            lines: vec![line("SERUM-30", 2), line("MASK-5", 1)],
            attributes: serde_json::from_value(json!({
                "kind": "定期受注", "times": 1, "remark": "", "subtotal": "3960", "wrapping": null, "multiple_shipping": 0,
                "scheduled_to_be_delivered_at": "2026/12/01 00:00:00"
            }))
            .unwrap(),
        };
        let item = |line: &SourceLine| Item {
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            price: line.price,
            added_by: None,
        };
        let detail = ShipmentDetail {
            ship_to: ShipTo {
                name: "山田 花子".into(),
                postal_code: "900-0001".into(),
                prefecture: "沖縄県".into(),
                address1: "那覇市港町1-1".into(),
                phone: "098-000-0000".into(),
                ..ShipTo::default()
            },
            items: source.lines.iter().map(item).collect(),
            totals: Totals { total: Yen(4_500), subtotal: Yen(3_960), ..Totals::default() },
            payment_method: "クレジットカード".into(),
            delivery_note: String::new(),
            ship_on: None,
            deliver_on: None,
            delivery_time: String::new(),
            tags: Vec::new(),
            robots: Vec::new(),
            source,
        };
        let shipment: Shipment = serde_json::from_value(json!({
            "id": "hanako-ecforce.88111.1", "order_number": "H-1001", "address_id": 120, "parcels": 1, "ship_from": "tokyo-dc",
            "status": "hold", "payment": "unpaid", "payment_state": "authed", "shop_sync": "registered",
            "shipping_method": "nekopos", "imported_at": now(), "updated_at": now(), "run": "01HZX",
            "place": { "page": 1, "row": 0 }, "detail": "1"
        }))
        .unwrap();
        Self { connection, shipment, detail, unknown_skus: Vec::new(), duplicate_number: false, conversion_robot: None }
    }

    /// The payment state at the shop, in the order and as last read.
    pub fn paying(mut self, state: &str) -> Self {
        state.clone_into(&mut self.shipment.payment_state);
        state.clone_into(&mut self.detail.source.payment_state);
        self
    }

    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.source.attributes.insert(name.to_owned(), value.into());
        self
    }

    pub fn apply(&mut self, robots: &RobotSet, phase: Phase<'_>) -> Applied {
        let facts = Facts {
            connection: &self.connection,
            conversion_robot: self.conversion_robot.as_ref(),
            unknown_skus: &self.unknown_skus,
            duplicate_number: self.duplicate_number,
            now: now(),
        };
        robots.apply(phase, &facts, &mut self.shipment, &mut self.detail)
    }

    /// 処理ロボット適用, to the shipment as it is stored.
    pub fn apply_later(&mut self, robots: &RobotSet, id: &str) -> Applied {
        let facts = Facts {
            connection: &self.connection,
            conversion_robot: self.conversion_robot.as_ref(),
            unknown_skus: &self.unknown_skus,
            duplicate_number: self.duplicate_number,
            now: now(),
        };
        robots.apply_later(&Goods::new(), &rule(id), &facts, &mut self.shipment, &mut self.detail)
    }

    pub fn import(&mut self, robots: &RobotSet) -> Applied {
        self.apply(robots, Phase::OnImport)
    }

    /// Does the condition hold?
    pub fn holds(&mut self, when: Value) -> bool {
        let robots = compiled(&[], &one(when, json!([{ "tag": "matched" }])));
        !self.apply(&robots, Phase::Only(&rule("mine"))).traces.is_empty()
    }
}
