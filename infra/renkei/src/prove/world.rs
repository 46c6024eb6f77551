//! A world: the merchants, shops and orders of one seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::GateState;
use renkei_domain::ids::TenantId;
use renkei_domain::run::Run;
use renkei_domain::settings::Action;
use renkei_domain::sync::RECONCILED_PAGES;
use renkei_domain::sync::reading::LATE_WITHIN;
use renkei_simulator::Simulator;
use renkei_simulator::api::{Endpoint, FaultKind, FaultRule, NewOrders, OrderOptions, ShopSpec};
use renkei_store::access::Opens;
use renkei_store::gate::GateWrite;
use renkei_store::sync::SyncMark;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::office::Wish;
use super::staff::Edit;
use super::warehouse::Warehouse;
use crate::commands::{Secrets, apply, create_grant, run, start};
use crate::error::CliError;
use crate::stack::{Found, Stack};

/// Stands in every secret and every field of a customer that is planted; it must be seen nowhere else.
pub const CANARY: &str = "kanariya";
/// How far apart Renkei is told to keep its calls, in milliseconds.
const INTERVAL_MS: u64 = 200;
/// How far apart they must arrive; what leaves at an even pace does not arrive at one.
const BORNE_INTERVAL_MS: u64 = 100;
/// How many seconds a shop's clock is before or behind ours, at most.
const CLOCK_APART: i64 = 180;
/// Rows of a page of orders.
const PAGE: u64 = 100;
/// Calls of a day that the nightly comparison leaves to other robots, besides the quarter or so that is theirs.
const LEFT_TO_OTHERS: u64 = 20;
/// Calls whose numbers a shop drops when all else is well again: fewer than the tellings in vain that make an order a person's.
const DROPPED_CALLS: u64 = 2;

/// An order with a canary in every field of a person.
struct Planted {
    sku: &'static str,
    /// The first part of its postal code, if it is to be another than a real one.
    zip01: Option<&'static str>,
}

/// What is planted in each shop. Nobody there touches it.
const PLANTED: [Planted; 4] = [
    Planted { sku: "SOAP-80", zip01: None },
    Planted { sku: "SOAP-80", zip01: None },
    // Its address goes on no label.
    Planted { sku: "SOAP-80", zip01: Some("ABC") },
    // It cannot be imported: what is said about that must not say more.
    Planted { sku: UNKNOWN_SKU, zip01: None },
];
/// No product of any merchant.
const UNKNOWN_SKU: &str = "NOT-OURS";

/// How many of the orders that are planted in a shop are imported, and how many of those leave.
pub fn planted() -> (usize, usize) {
    let imported = || PLANTED.iter().filter(|order| order.sku != UNKNOWN_SKU);
    (imported().count(), imported().filter(|order| order.zip01.is_none()).count())
}

/// A shop's peculiarities.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a peculiarity of its own")]
struct Kind {
    /// Most of its orders go to several addresses.
    several_addresses: bool,
    /// It moves an order to shipped by itself.
    automation: bool,
    /// Payments are captured with the first tracking number.
    captures: bool,
    /// It sends webhooks.
    hooks: bool,
}

impl Kind {
    /// May it say yes to a tracking number and drop it? The nightly comparison finds it: where the shop itself moves orders
    /// that have a number, one without stays working. A payment that is lost with a number is for people, and nobody is
    /// here.
    fn may_drop_numbers(self) -> bool {
        self.automation && !self.captures && !self.several_addresses
    }
}

/// The shops: of which merchant, and of which kind.
const SHOPS: [(&str, u32, Kind); 3] = [
    ("a", 1, Kind { several_addresses: true, automation: false, captures: false, hooks: true }),
    ("a", 2, Kind { several_addresses: false, automation: true, captures: false, hooks: false }),
    ("b", 1, Kind { several_addresses: false, automation: false, captures: true, hooks: false }),
];

/// A shop of a world.
pub struct Place {
    /// Its connection. A shop is called as its connection.
    pub found: Found,
    /// Where its webhooks go, if it sends them.
    pub hook: Option<String>,
    /// How many seconds its clock is ahead of ours.
    pub ahead: i64,
    /// Orders of its that nobody there touches.
    pub planted: BTreeSet<u64>,
    kind: Kind,
    options: OrderOptions,
    edits: Mutex<Vec<Edit>>,
    wishes: Mutex<Vec<Wish>>,
}

impl Place {
    /// Has the shop a robot that does this?
    pub fn has(&self, action: Action) -> bool {
        match action {
            Action::WriteBack => self.found.connection.automation_option,
            Action::StateShipped => !self.found.connection.automation_option,
            _ => true,
        }
    }

    /// Notes that its people changed an address.
    pub fn note_edit(&self, edit: Edit) {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner).push(edit);
    }

    /// What its people made of an order's address, the latest last.
    pub fn edits_of(&self, order: u64) -> Vec<Edit> {
        let edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        edits.iter().filter(|edit| edit.order == order).cloned().collect()
    }

    /// Notes that an order's shipments are to be made anew.
    pub fn note_wish(&self, wish: Wish) {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).push(wish);
    }

    /// When an order's shipments were to be made anew for the first time, if they were.
    pub fn first_wish_of(&self, order: u64) -> Option<Timestamp> {
        let wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.iter().filter(|wish| wish.order == order).map(|wish| wish.asked_at).min()
    }

    fn robot(&self, action: Action) -> String {
        format!("{}/{}", self.found.id(), action.as_str())
    }

    /// Starts a robot without waiting for it.
    pub async fn start(&self, stack: &Stack, action: Action) -> Result<(), CliError> {
        start(stack, Some(self.found.tenant.id().as_str()), &self.robot(action)).await.map(drop)
    }

    /// Runs a robot, and those that its end starts.
    pub async fn run(&self, stack: &Stack, action: Action, patience: Duration) -> Result<Run, CliError> {
        let tenant = Some(self.found.tenant.id().as_str());
        run(stack, tenant, &self.robot(action), patience, &ProgressBar::hidden()).await
    }
}

/// The merchants, shops and orders of one seed.
pub struct World {
    /// The seed.
    pub seed: u64,
    /// The shops; they end with the world.
    pub simulator: Simulator,
    /// Their connections.
    pub places: Vec<Place>,
    /// The merchants' warehouses, one of each.
    pub warehouses: Vec<Warehouse>,
    per_shop: u64,
}

impl World {
    /// Opens the shops, and sets their merchants up. A third of the orders is there; the others come during the storm.
    pub async fn open(stack: &Stack, seed: u64, orders: u64) -> Result<Self, CliError> {
        let mut random = fastrand::Rng::with_seed(seed);
        let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
        let mut places = Vec::new();
        let mut warehouses = Vec::new();
        let per_shop = orders / SHOPS.len() as u64;
        for tenant in ["a", "b"] {
            let mut connections = Vec::new();
            let mut kinds = BTreeMap::new();
            let mut planted = BTreeMap::new();
            for (_, n, kind) in SHOPS.iter().filter(|(of, ..)| *of == tenant) {
                let name = format!("s{seed}{tenant}{n}");
                // Some shops have just enough calls for a day without faults.
                let tight = random.u8(..100) < 15;
                let limit = if tight { 24 + per_shop / 15 } else { 5_000 };
                let status = simulator
                    .add_shop(&ShopSpec {
                        name: name.clone(),
                        email: format!("{CANARY}@{name}.example"),
                        password: password(seed).as_str().into(),
                        daily_call_limit: limit,
                        min_interval_ms: Some(BORNE_INTERVAL_MS),
                        seed: random.u64(..),
                        orders: per_shop / 3,
                        order_options: options(*kind),
                        automation_option: kind.automation,
                        automation_delay_ms: 500,
                        ..ShopSpec::default()
                    })
                    .await?;
                planted.insert(name.clone(), plant(&simulator, &name).await?);
                connections.push(json!({
                    "id": name, "api": "ecforce", "api_url": status.url, "ship_from": "dc",
                    "email": format!("{CANARY}@{name}.example"), "password": { "env": "PROVE_PASSWORD" },
                    "daily_call_limit": limit, "call_interval_ms": INTERVAL_MS,
                    "stock_location_code": "default", "stock_buffer": random.u32(0..5),
                    "automation_option": kind.automation, "capture_payment_on_shipping": kind.captures,
                }));
                kinds.insert(name, *kind);
            }
            let name = format!("s{seed}{tenant}");
            let document = document(&name, &connections);
            let secrets = BTreeMap::from([("PROVE_PASSWORD".to_owned(), SecretString::from(password(seed)))]);
            apply(stack, &document, Secrets::Given(secrets), false, &|_| Ok(())).await?;
            let scope = crate::cli::Scope { tenant: Some(name), connection: None };
            for found in stack.connections(&scope).await? {
                let kind = kinds.get(found.id().as_str()).copied().unwrap_or_default();
                let hook = if kind.hooks {
                    let secret = create_grant(&found.tenant, Opens::Hook(found.id().clone())).await?;
                    Some(format!("{}/hooks/ecforce/{}", stack.warehouse_url()?, secret.expose()))
                } else {
                    None
                };
                let ahead = random.i64(-CLOCK_APART..=CLOCK_APART);
                simulator.set_clock(found.id().as_str(), ahead).await?;
                let planted = planted.remove(found.id().as_str()).unwrap_or_default();
                let (options, edits, wishes) = (options(kind), Mutex::default(), Mutex::default());
                places.push(Place { found, hook, ahead, planted, kind, options, edits, wishes });
            }
            if let Some(place) = places.last() {
                warehouses.push(Warehouse::open(stack, &place.found.tenant, seed).await?);
            }
        }
        Ok(Self { seed, simulator, places, warehouses, per_shop })
    }

    /// More orders, while it storms.
    pub async fn place_more(&self) -> Result<(), CliError> {
        for place in &self.places {
            let name = place.found.id().as_str();
            self.simulator.generate_orders(name, self.per_shop / 3, place.options.clone()).await?;
        }
        Ok(())
    }

    /// What goes wrong at a shop during the storm.
    pub fn faults(&self, place: &Place, random: &mut fastrand::Rng) -> Result<Vec<FaultRule>, CliError> {
        faults(self.drops_numbers(place), random)
    }

    fn drops_numbers(&self, place: &Place) -> bool {
        place.kind.may_drop_numbers() && self.is_read_at_night(place)
    }

    /// Does a night's comparison read all orders of two states of a shop? It reads so many pages of each, and leaves
    /// calls to other robots.
    fn is_read_at_night(&self, place: &Place) -> bool {
        let pages = self.per_shop / PAGE + 2;
        let calls = u64::from(place.found.connection.daily_call_limit) * 3 / 4;
        pages <= u64::from(RECONCILED_PAGES) && calls >= LEFT_TO_OTHERS + 2 * pages
    }

    /// Heals all shops, but for a last lie: where a night finds dropped numbers, those of the next calls are dropped, since most
    /// numbers are told only when all is well again.
    pub async fn heal(&self) -> Result<(), CliError> {
        for place in &self.places {
            let left: &[FaultRule] = if self.drops_numbers(place) { &[last_lie()] } else { &[] };
            self.simulator.set_faults(place.found.id().as_str(), left).await?;
        }
        Ok(())
    }

    /// Takes its schedules away. Its shops end with it: a robot that was started by its schedule later would find none, be
    /// repeated, and the worlds after it would wait for quiet in vain.
    pub async fn end(&self, stack: &Stack) -> Result<(), CliError> {
        let schedules = stack.setup()?.schedules;
        let tenants: BTreeSet<&TenantId> = self.places.iter().map(|place| place.found.tenant.id()).collect();
        for tenant in tenants {
            renkei_setup::schedules::remove_all(&schedules, tenant).await?;
        }
        Ok(())
    }

    /// The day's calls and the hour's sign-ins begin anew, at the shop and here, as after a night. Clocks stay: a shop whose clock alone was a
    /// day ahead would date what happens there past the end of what the next sync asks for. The gate's epochs go on as
    /// they do over any midnight, for what was written in former ones stays fenced by them.
    pub async fn let_a_day_pass(&self, place: &Place) -> Result<(), CliError> {
        let (tenant, shop) = (&place.found.tenant, place.found.id());
        // The shop first: a call in between is then one too few here, never one too many there.
        self.simulator.begin_anew(shop.as_str()).await?;
        loop {
            let gate = tenant.gate(shop, Timestamp::now()).await?;
            let aged = days_ago(&gate)?;
            if gate.seq() == 0 || tenant.write_gate(shop, &gate, &aged).await? == GateWrite::Written {
                return Ok(());
            }
        }
    }

    /// What has left was last looked at for cancellations hours ago.
    pub async fn let_hours_pass(&self, place: &Found) -> Result<(), CliError> {
        let known = Timestamp::now() - 2 * LATE_WITHIN;
        // None before the first sync: then that one reads all.
        while let Some(mark) = place.tenant.sync_mark(place.id()).await? {
            let aged = SyncMark { late_known: Some(known), ..mark };
            if place.tenant.move_sync_mark(place.id(), &aged).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether nothing waits at this shop but what is not to be taken.
    pub async fn is_through(&self, place: &Found) -> Result<bool, CliError> {
        let waiting = self.simulator.orders(place.id().as_str(), Some("complete")).await?;
        let kept = place.tenant.not_imported(place.id()).await?;
        let is_kept = |id: u64| kept.iter().any(|order| order.summary.order_id == Some(id));
        Ok(waiting.iter().all(|order| is_kept(order.id)))
    }
}

/// What goes wrong at a shop. Numbers are dropped without a word only where that can be found.
fn faults(drops_numbers: bool, random: &mut fastrand::Rng) -> Result<Vec<FaultRule>, CliError> {
    let all = [
        json!({ "kind": "too_many_requests_seconds", "seconds": 1, "probability": 0.05 }),
        json!({ "kind": "too_many_requests_date", "seconds": 1, "probability": 0.05 }),
        json!({ "kind": "server_error", "probability": 0.05 }),
        json!({ "kind": "server_error", "applied": true, "probability": 0.05 }),
        json!({ "kind": "html503", "probability": 0.05 }),
        json!({ "kind": "reset_before", "probability": 0.05 }),
        json!({ "kind": "reset_after", "probability": 0.05 }),
        json!({ "kind": "slow", "ms": 1_500, "probability": 0.1 }),
        json!({ "kind": "truncated_json", "probability": 0.05 }),
        json!({ "kind": "silent_no_op", "endpoint": "bulk_update", "probability": 0.2 }),
        json!({ "kind": "partial_failure", "endpoint": "bulk_update", "percent": 20, "code": "AOR9999", "probability": 0.2 }),
        json!({ "kind": "partial_failure", "endpoint": "shipping", "percent": 20, "code": "AOR9999", "probability": 0.2 }),
        json!({ "kind": "reset_after", "endpoint": "shipping", "probability": 0.1 }),
        json!({ "kind": "partial_failure", "endpoint": "stock_items", "percent": 40, "code": "AOR9999", "probability": 0.2 }),
        json!({ "kind": "reset_after", "endpoint": "stock_items", "method": "PUT", "probability": 0.2 }),
        json!({ "kind": "wrong_totals", "endpoint": "orders_list", "probability": 0.3 }),
        json!({ "kind": "duplicate_rows", "endpoint": "orders_list", "probability": 0.3 }),
        json!({ "kind": "shuffled_included", "endpoint": "orders_list", "probability": 0.3 }),
        // A shop bears five sign-ins an hour.
        json!({ "kind": "revoked_token", "endpoint": "orders_list", "times": 1, "skip": 3 }),
    ];
    let mut chosen = Vec::new();
    if drops_numbers {
        // Always, and before the others, of which a call meets the first: a shop is told numbers in a few calls only.
        let often =
            json!({ "kind": "dropped_numbers", "endpoint": "shipping", "probability": 0.6, "seed": random.u32(..) });
        chosen.push(serde_json::from_value(often)?);
    }
    for mut rule in all {
        rule["seed"] = random.u32(..).into();
        if random.u8(..100) < 60 {
            chosen.push(serde_json::from_value(rule)?);
        }
    }
    Ok(chosen)
}

fn last_lie() -> FaultRule {
    FaultRule::always(FaultKind::DroppedNumbers).at(Endpoint::Shipping).times(DROPPED_CALLS)
}

/// The gate as if its calls and sign-ins had been made so long ago that none counts any more.
fn days_ago(gate: &GateState) -> Result<GateState, CliError> {
    const LONG_AGO: i64 = 3;
    let told = |error: serde_json::Error| CliError::said(format!("the gate cannot be made older: {error}"));
    let mut item = serde_json::to_value(gate).map_err(told)?;
    item["seq"] = json!(gate.seq() + 1);
    item["day"] = json!(gate.day().saturating_sub(LONG_AGO.days()));
    item["sign_ins"] = json!([]);
    item["closed"] = Value::Null;
    serde_json::from_value(item).map_err(told)
}

fn password(seed: u64) -> String {
    format!("{CANARY}-password-{seed}")
}

fn options(kind: Kind) -> OrderOptions {
    OrderOptions {
        unknown_sku_percent: 1.0,
        multi_address_percent: if kind.several_addresses { 60.0 } else { 5.0 },
        unpaid_percent: Some(30.0),
        ..OrderOptions::default()
    }
}

/// Orders whose every field about a person says that it is one. Gives their ids.
async fn plant(simulator: &Simulator, shop: &str) -> Result<BTreeSet<u64>, CliError> {
    let new = NewOrders { options: Some(OrderOptions::plain()), orders: planted_orders(), ..NewOrders::default() };
    Ok(simulator.add_orders(shop, &new).await?.into_iter().map(|order| order.id).collect())
}

fn planted_orders() -> Vec<Map<String, Value>> {
    let of = |(n, planted): (usize, &Planted)| {
        let mut address = json!({
            "name01": format!("{CANARY}name"), "name02": format!("{CANARY}given"), "kana01": format!("{CANARY}kana"),
            "company": format!("{CANARY}company"), "addr01": format!("{CANARY}city"), "addr02": format!("{CANARY}street"),
            "addr03": format!("{CANARY}house"),
        });
        if let Some(zip01) = planted.zip01 {
            address["zip01"] = zip01.into();
        }
        // Who ordered it is another.
        let billing = json!({
            "name01": format!("{CANARY}orderer"), "name02": format!("{CANARY}of"), "addr01": format!("{CANARY}town"),
        });
        let order = json!({
            "payment_state": "authed", "email": format!("{CANARY}{n}@person.example"), "remark": format!("{CANARY} remark"),
            "memo01": format!("{CANARY} memo"), "shipping_addresses": [address], "billing_address": billing,
            "order_items": [{ "variant_sku": planted.sku, "quantity": 1 }],
        });
        order.as_object().cloned().unwrap_or_default()
    };
    PLANTED.iter().enumerate().map(of).collect()
}

fn document(tenant: &str, connections: &[serde_json::Value]) -> String {
    let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
    let names: Vec<&str> = connections.iter().filter_map(|connection| connection["id"].as_str()).collect();
    let setups: Vec<_> =
        names.iter().map(|name| json!({ "connection": name, "every": "24 hours", "inventory": true })).collect();
    let releases: Vec<_> = names
        .iter()
        .map(|name| {
            json!({ "id": format!("{name}-release"), "name": "入金済みになったら出荷待ちへ",
                    "on": { "after": "status-sync", "connection": name },
                    "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } })
        })
        .collect();
    let carriers: BTreeMap<&str, u64> = names.iter().map(|name| (*name, 1)).collect();
    // JSON is YAML.
    json!({
        "tenant": tenant,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        "connections": connections,
        "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"],
                               "carrier_ids": carriers, "default": true }],
        "products": products,
        "processing_robots": { "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"] },
        "integration_robots": { "easy_setup": setups, "custom": releases },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is it among what may go wrong, in the one or the other of many storms?
    fn may_happen(drops_numbers: bool, kind: &str) -> bool {
        (0..50).any(|seed| {
            let rules = faults(drops_numbers, &mut fastrand::Rng::with_seed(seed)).unwrap();
            rules.iter().any(|rule| rule.kind.name() == kind)
        })
    }

    #[test]
    fn numbers_are_dropped_where_a_night_finds_them_and_nowhere_else() {
        let of = |name: &str, n: u32| SHOPS.iter().find(|(of, at, _)| (*of, *at) == (name, n)).unwrap().2;
        assert!(of("a", 2).may_drop_numbers());
        assert!(!of("a", 1).may_drop_numbers() && !of("b", 1).may_drop_numbers());
        assert!(may_happen(true, "dropped_numbers") && !may_happen(false, "dropped_numbers"));
        assert!(may_happen(false, "silent_no_op") && may_happen(true, "silent_no_op"));
    }

    #[test]
    fn one_planted_order_goes_on_no_label_and_one_is_of_goods_that_are_not_known() {
        let orders = planted_orders();
        assert_eq!((orders.len(), planted()), (4, (3, 2)));
        let bad = orders.iter().filter(|order| order["shipping_addresses"][0]["zip01"] == "ABC");
        assert_eq!(bad.count(), 1);
        assert!(orders.iter().all(|order| order["email"].as_str().unwrap().contains(CANARY)));
    }
}
