//! Shops whose merchants have settings of their own, and the way of their shipments through files.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use renkei_domain::jst;
use renkei_simulator::Simulator;
use renkei_simulator::api::{OrderBrief, ShopSpec, ShopStatus};
use serde_json::{Value, json};

use crate::{Ended, PASSWORD, root, run, stack};

/// A shop with a merchant whose document is changed as the test wants.
pub struct Shop {
    /// The shops; they end with the test.
    pub simulator: Simulator,
    /// The shop.
    pub shop: ShopStatus,
    /// The name of merchant, connection and shop.
    pub name: &'static str,
}

impl Shop {
    /// A shop, and a merchant whose document `change` has changed.
    ///
    /// # Panics
    /// If the document is not taken.
    pub async fn new(name: &'static str, spec: ShopSpec, change: impl FnOnce(&mut Value)) -> Self {
        stack();
        let spec = ShopSpec {
            name: name.to_owned(),
            email: "renkei@service.example".to_owned(),
            password: PASSWORD.into(),
            daily_call_limit: 100_000,
            ..spec
        };
        let (simulator, shop) = Simulator::with_shop(&spec).await.expect("a shop");
        let shop = Self { simulator, shop, name };
        shop.apply(change);
        shop
    }

    /// Applies the merchant's document, changed.
    ///
    /// # Panics
    /// If it is not taken.
    pub fn apply(&self, change: impl FnOnce(&mut Value)) {
        let applied = self.applied(change, &[]);
        assert_eq!(applied.code, 0, "{applied:?}");
    }

    /// The same, with these options; whatever becomes of it.
    ///
    /// # Panics
    /// If the document cannot be written.
    #[must_use]
    pub fn applied(&self, change: impl FnOnce(&mut Value), options: &[&str]) -> Ended {
        let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
        let mut document = json!({
            "tenant": self.name,
            "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                             "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
            "connections": [{ "id": self.name, "api": "ecforce", "api_url": self.shop.url, "ship_from": "dc",
                              "password": { "env": "SHOP_PASSWORD" }, "daily_call_limit": 10_000,
                              "call_interval_ms": 50, "stock_location_code": "default" }],
            "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"],
                                   "carrier_ids": { self.name: 1 }, "default": true }],
            "products": products,
            "processing_robots": { "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"] },
            "integration_robots": { "easy_setup": { "connection": self.name, "every": "24 hours", "inventory": true } },
        });
        change(&mut document);
        let path = self.file("yaml", &serde_json::to_string_pretty(&document).expect("JSON"));
        run(&[&["apply", path.to_str().expect("a path")], options].concat(), None)
    }

    /// Where a file of this test's own is.
    #[must_use]
    pub fn path(&self, ending: &str) -> PathBuf {
        root().join("target").join(format!("{}.{ending}", self.name))
    }

    /// A file of this test's own.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn file(&self, ending: &str, text: &str) -> PathBuf {
        let path = self.path(ending);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Runs one of the shop's robots to its end.
    #[must_use]
    pub fn robot(&self, action: &str) -> Ended {
        run(&["run", &format!("{}/{action}", self.name), "--wait", "--timeout", "300", "--json"], None)
    }

    /// Runs one of the shop's robots to a good end.
    ///
    /// # Panics
    /// If it ends otherwise.
    #[expect(clippy::must_use_candidate, reason = "mostly run for what it does")]
    pub fn robot_does(&self, action: &str) -> Value {
        let ended = self.robot(action);
        assert_eq!(ended.code, 0, "{action}: {ended:?}");
        ended.lines().remove(0)
    }

    /// The shop's shipments.
    #[must_use]
    pub fn shipments(&self) -> Vec<Value> {
        run(&["shipments", "--json", "--connection", self.name], None).lines()
    }

    /// Takes all that is ready, by a file.
    ///
    /// # Panics
    /// If that does not succeed.
    pub fn claim(&self) {
        let out = self.path("out.csv");
        let _ = std::fs::remove_file(&out);
        let out = out.to_str().expect("a path").to_owned();
        let ended = run(
            &[
                "files",
                "export",
                "--layout",
                "standard",
                "--connection",
                self.name,
                "--claim",
                "--ship-until",
                "all",
                "--out",
                &out,
            ],
            None,
        );
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// Sends results by a file: shipment and tracking number.
    ///
    /// # Panics
    /// If they are not taken.
    pub fn results(&self, results: &[(String, String)]) {
        let mut text = "出荷指示ID,お問い合わせ番号,出荷日\r\n".to_owned();
        for (id, number) in results {
            writeln!(text, "{id},{number},{}\r", yesterday()).expect("a string takes all");
        }
        let file = self.file("results.csv", &text);
        let ended = run(&["files", "results", "--layout", "standard", file.to_str().expect("a path")], None);
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// Brings all that is ready out: claimed, with a tracking number that only this parcel has.
    pub fn ship_all(&self) {
        self.claim();
        let results: Vec<(String, String)> = self
            .shipments()
            .iter()
            .filter(|shipment| shipment["status"] == "picking")
            .map(|shipment| (text(&shipment["id"]), number_of(shipment)))
            .collect();
        self.results(&results);
    }

    /// Every order as the shop has it.
    ///
    /// # Panics
    /// If the simulator does not answer.
    pub async fn orders(&self) -> Vec<OrderBrief> {
        self.simulator.orders(self.name, None).await.expect("orders")
    }

    /// Every parcel's number stands at the shop, at its own order and address, and at no other.
    ///
    /// # Panics
    /// If not.
    pub async fn assert_numbers_are_where_they_belong(&self) {
        let mut seen = 0;
        for shipment in self.shipments().iter().filter(|shipment| shipment["status"] == "shipped") {
            let order = shipment["order_id"].as_u64().expect("an id");
            let truth = self.simulator.order(self.name, order).await.expect("an order");
            let address = truth.shipping_addresses.iter().find(|a| Some(a.id) == shipment["address_id"].as_u64());
            let slip = address.and_then(|address| address.shipping_slip.clone());
            assert_eq!(slip.as_deref(), shipment["tracking_number"].as_str(), "{order}");
            assert_eq!(address.and_then(|address| address.shipping_carrier_id), Some(1), "{order}");
            assert_eq!(address.and_then(|a| a.shipped_at).map(jst::date), Some(yesterday()));
            seen += 1;
        }
        assert!(seen > 0);
    }
}

/// The day before this one in Japan: when parcels left, by the tests' files of results. One that is long ago is refused.
#[must_use]
pub fn yesterday() -> Date {
    jst::date(Timestamp::now()).saturating_sub(1.day())
}

/// The number that the tests give a parcel: no other parcel has it.
#[must_use]
pub fn number_of(shipment: &Value) -> String {
    let parcel = text(&shipment["id"]).rsplit('.').next().unwrap_or_default().to_owned();
    format!("{:08}{parcel:0>4}", shipment["order_id"].as_u64().unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
