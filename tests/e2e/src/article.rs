//! A merchant that follows the set-up article: its document, and what is done and looked at on the way.

use std::path::PathBuf;

use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

use crate::{Ended, World, root, run};

/// The copy of 14448, as the article names it.
pub const OWN: &str = "EC Force 出荷指示登録(標準・API用) - 独自";
/// 必ず、有効化・適用化してください: the article's five processing robots, in its order.
pub const FIVE: [&str; 5] = ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"];

/// A shop with so many plain orders that are paid.
#[must_use]
pub fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// The number that [`World::ship`] gives an order's parcel: no other has it.
#[must_use]
pub fn number_of(order: u64) -> String {
    format!("4000-{order}")
}

/// The document is refused whole, and each of these words is said.
///
/// # Panics
/// If not.
pub fn refused(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(words.iter().all(|word| ended.err.contains(word)), "{words:?}: {ended:?}");
    assert!(ended.err.contains("nothing was applied"), "{ended:?}");
}

impl World {
    /// What the article makes in some forty clicks.
    #[must_use]
    pub fn article(&self) -> Value {
        let name = self.name;
        let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
        json!({
            "tenant": name,
            "ship_froms": [{ "id": "tokyo-dc", "name": "東京第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                             "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "airlogi-tokyo" }],
            "connections": [{ "id": name, "api": "ecforce", "api_url": self.shop.url, "ship_from": "tokyo-dc",
                              "password": { "env": "SHOP_PASSWORD" }, "stock_location_code": "default",
                              "daily_call_limit": 10_000, "call_interval_ms": 50 }],
            "shipping_methods": [
                { "id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS", "keywords": ["ネコポス"],
                  "carrier_ids": { name: 6 } },
                { "id": "yamato", "name": "ヤマト宅急便", "warehouse_code": "YAMATO", "keywords": ["ヤマト運輸"],
                  "carrier_ids": { name: 1 }, "default": true }],
            "products": products,
            "conversion_robots": [{ "id": "ecforce-own", "name": OWN, "copy_of": 14448 }],
            "processing_robots": { "enable": FIVE },
            "integration_robots": { "easy_setup": { "connection": name, "conversion_robot": "ecforce-own",
                                                    "every": "24 hours", "inventory": true } },
        })
    }

    fn document_file(&self, document: &Value) -> PathBuf {
        let path = root().join("target").join(format!("{}.yaml", self.name));
        // JSON is YAML.
        std::fs::write(&path, serde_json::to_string_pretty(document).expect("JSON")).expect("a file");
        path
    }

    /// Applies a document, perhaps with a password of its own.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn put(&self, document: &Value, password: Option<&str>) -> Ended {
        run(&["apply", self.document_file(document).to_str().expect("a path")], password)
    }

    /// Shows what applying a document would do.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn put_dry(&self, document: &Value) -> Ended {
        run(&["apply", self.document_file(document).to_str().expect("a path"), "--dry-run"], None)
    }

    /// Applies a document that is right.
    ///
    /// # Panics
    /// If it is not taken.
    #[expect(clippy::must_use_candidate, reason = "mostly applied for what it does")]
    pub fn applied(&self, document: &Value) -> Ended {
        let ended = self.put(document, None);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    }

    /// What the merchant asks of its own.
    #[must_use]
    pub fn ask(&self, arguments: &[&str]) -> Ended {
        run(&[arguments, &["--tenant", self.name]].concat(), None)
    }

    /// Runs a robot to a good end: its run, and those that its end started.
    ///
    /// # Panics
    /// If it ends otherwise.
    #[expect(clippy::must_use_candidate, reason = "mostly run for what it does")]
    pub fn does(&self, action: &str) -> Vec<Value> {
        let ended = self.run(action);
        assert_eq!(ended.code, 0, "{action}: {ended:?}");
        ended.lines()
    }

    /// The actions that the plan reckons with.
    ///
    /// # Panics
    /// If there is no plan.
    #[must_use]
    pub fn planned(&self) -> Vec<String> {
        let plan = self.ask(&["plan", "--orders-per-day", "1000", "--json"]).lines().remove(0);
        let action = |robot: &Value| {
            robot["robot"].as_str().and_then(|name| name.split_once('/')).expect("a robot's name").1.to_owned()
        };
        plan["robots"].as_array().expect("robots").iter().map(action).collect()
    }

    /// Places a paid order with these attributes laid over it.
    ///
    /// # Panics
    /// If the shop does not take it.
    pub async fn order(&self, attributes: Value) -> u64 {
        let mut order =
            json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "SERUM-30", "quantity": 1 }] });
        order.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
        self.simulator.add_order(self.name, order).await.expect("an order").id
    }

    /// The customer pays.
    ///
    /// # Panics
    /// If the shop does not take it.
    pub async fn pay(&self, order: u64) {
        let paid = [("payment_state".to_owned(), json!("paid"))].into_iter().collect();
        self.simulator.change_order(self.name, order, &paid).await.expect("an edit");
    }

    /// The name of an order's only shipment.
    #[must_use]
    pub fn shipment_id(&self, order: u64) -> String {
        format!("{}.{order}.1", self.name)
    }

    /// An order's only shipment, with everything.
    #[must_use]
    pub fn shipment(&self, order: u64) -> Value {
        run(&["shipment", &self.shipment_id(order), "--json"], None).lines().remove(0)
    }

    /// An order's only shipment stands there.
    ///
    /// # Panics
    /// If not.
    pub fn stands(&self, order: u64, status: &str, hold_reason: Option<&str>) {
        let shipment = self.shipment(order);
        assert_eq!(
            (&shipment["status"], shipment["hold_reason"].as_str()),
            (&json!(status), hold_reason),
            "{shipment}"
        );
    }

    /// What a robot would do to an order's shipment.
    #[must_use]
    pub fn tries(&self, robot: &str, order: u64) -> Value {
        run(&["try", robot, "--shipment", &self.shipment_id(order), "--json"], None).lines().remove(0)
    }

    /// Calls that the shop saw.
    ///
    /// # Panics
    /// If the simulator does not answer.
    pub async fn calls(&self) -> u64 {
        self.simulator.ledger_summary(self.name).await.expect("the ledger").calls
    }

    /// The article's warehouse takes all that is ready and reports each with a number of its own; the shop is told.
    ///
    /// # Panics
    /// If any of it is not taken.
    pub async fn ship(&self) {
        let warehouse = self.warehouse("airlogi-tokyo");
        let ready = warehouse.all("status=ready").await;
        let ids: Vec<String> = ready.iter().map(|s| s["id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(warehouse.claim(&ids).await.ids("claimed").len(), ids.len());
        let result = |shipment: &Value| {
            let order = shipment["id"].as_str().and_then(|id| id.split('.').nth(1)).and_then(|id| id.parse().ok());
            json!({ "id": shipment["id"], "tracking_number": number_of(order.expect("an order's id")),
                    "shipping_method": shipment["shipping_method"], "shipped_at": jiff::Timestamp::now() })
        };
        let results: Vec<Value> = ready.iter().map(result).collect();
        let reported = warehouse.json("POST", "/v1/shipments/results", &json!({ "results": results })).await;
        assert_eq!(reported.ids("accepted").len(), ids.len(), "{reported:?}");
        self.does("state-shipped");
    }
}
