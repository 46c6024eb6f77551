//! Two merchants on one stack, each with all that a merchant has: what isolation is walked with.

use std::collections::BTreeSet;

use renkei_e2e::{Aws, World, aws, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

pub const THEIRS: &str = "iso-theirs";
pub const OURS: &str = "iso-ours";
/// What stands in their orders, products and settings, and nowhere else.
pub const MARK: &str = "他社限定";

/// Both merchants, each with a shop, orders of several kinds and keys.
pub struct Both {
    _worlds: [World; 2],
    /// Their shipment.
    pub shipment: String,
    /// Its order's number.
    pub number: String,
    /// A run of theirs.
    pub run: String,
    /// Their order in quarantine.
    pub order: String,
    /// The id of their warehouse's key.
    pub key: String,
    /// That key itself.
    pub secret: String,
    aws: Aws,
}

pub async fn both() -> Both {
    let spec =
        ShopSpec { orders: 2, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() };
    let (theirs, ours) = (World::new(THEIRS, spec.clone(), 1_000).await, World::new(OURS, spec, 1_000).await);
    let applied = theirs.apply_with(1_000, None, |document| {
        document["ship_froms"][0]["name"] = json!(format!("{MARK}倉庫"));
        document["products"][0]["name"] = json!(format!("{MARK}商品"));
        document["conversion_robots"] = json!([{ "id": "their-conversion", "name": MARK, "copy_of": 14448 }]);
    });
    assert_eq!(applied.code, 0, "{applied:?}");
    for world in [&theirs, &ours] {
        let mark = if world.tenant_name() == THEIRS { MARK } else { "自社" };
        let order = json!({ "payment_state": "authed", "remark": mark, "shipping_addresses": [{ "name01": mark, "addr01": mark }] });
        world.simulator.add_order(&world.shop.name, order).await.expect("an order");
        let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-KNOWN", "quantity": 1 }] });
        world.simulator.add_order(&world.shop.name, odd).await.expect("an order");
        let _needs_a_person = world.run("fetch-orders");
    }
    for (tenant, who, role) in [(OURS, "owner", "owner"), (THEIRS, "viewer", "viewer")] {
        let added = run(&["member", "add", &format!("{who}@renkei.example"), "--tenant", tenant, "--role", role], None);
        assert_eq!(added.code, 0, "{added:?}");
    }
    let made = [OURS, THEIRS].map(|tenant| run(&["warehouse-key", "create", "dc", "--tenant", tenant, "--json"], None));
    assert!(made.iter().all(|made| made.code == 0), "{made:?}");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let ready = theirs.list("shipments").into_iter().find(|it| it["status"] == "ready").expect("a ready shipment");
    let run_id = run(&["runs", "--tenant", THEIRS, "--json"], None).lines().remove(0);
    let order = run(&["orders", "--tenant", THEIRS, "--json"], None)
        .lines()
        .into_iter()
        .find(|it| it["outcome"] == "quarantined");
    let key = run(&["warehouse-key", "list", "--tenant", THEIRS, "--json"], None).lines().remove(0);
    Both {
        shipment: text(&ready["id"]),
        number: text(&ready["order_number"]),
        run: text(&run_id["run"]),
        order: text(&order.expect("one in quarantine")["order_id"]),
        key: text(&key["id"]),
        secret: text(&made[1].lines()[0]["key"]),
        _worlds: [theirs, ours],
        aws: aws(),
    }
}

impl Both {
    /// All that is kept of theirs.
    pub async fn kept(&self) -> BTreeSet<String> {
        let everything = self.aws.everything().await;
        let is_theirs = |item: &Value| {
            let (pk, sk) = (item["pk"]["S"].as_str().unwrap_or_default(), item["sk"]["S"].as_str().unwrap_or_default());
            pk.split('#').take(2).any(|part| part == THEIRS)
                || (matches!(pk.split('#').next(), Some("U" | "TENANTS")) && sk == THEIRS)
                || item["tenant"]["S"] == THEIRS
        };
        everything.iter().filter(|(_, item)| is_theirs(item)).map(|found| format!("{found:?}")).collect()
    }
}
