//! What the shop's staff, and tests, do behind the API's back: place orders, change them, look at the truth.

use serde_json::{Map, Value};

use super::Shop;
use super::documents;
use super::edit::{Ids, lay_over};
use crate::api::{
    AddedOrder, FaultRule, Hidden, LedgerEntry, LedgerSummary, NewOrders, OrderBrief, OrderTruth, ShopStatus,
    StockTruth, Writer,
};
use crate::generate::Generator;

/// Why something was refused.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// There is no order of this id.
    #[error("the shop has no order {0}")]
    NoSuchOrder(u64),
    /// The id of an explicit order is taken.
    #[error("the shop already has an order {0}")]
    IdTaken(u64),
    /// An attribute cannot be set so.
    #[error("{0}")]
    BadAttribute(String),
}

impl Shop {
    /// Places the orders that the shop opens with.
    pub fn place_initial(&self) -> Result<(), StaffError> {
        let order = NewOrders { generate: self.spec.orders, seed: Some(self.spec.seed), ..NewOrders::default() };
        self.place(&order).map(drop)
    }

    /// Places orders. All explicit ones are checked before any is placed.
    pub fn place(&self, new: &NewOrders) -> Result<Vec<AddedOrder>, StaffError> {
        let options = new.options.as_ref().unwrap_or(&self.spec.order_options);
        let mut inner = self.lock();
        let now = inner.now();
        let mut ids = inner.ids.clone();
        // Away from the seed of the opening orders, and different at each later call.
        let seed = new.seed.unwrap_or_else(|| self.spec.seed.wrapping_add((inner.placed + 1) << 20));
        let mut generator = Generator::new(&self.spec, options, seed);
        let mut orders = generator.orders(new.generate, now, &mut ids);
        for attributes in &new.orders {
            let mut order = generator.order(now.plus_seconds(-60), &mut ids);
            let mut fresh = Ids { next_address: &mut ids.next_address, next_line: &mut ids.next_line };
            lay_over(&mut order, attributes, &self.spec.products, &mut fresh, None)
                .map_err(StaffError::BadAttribute)?;
            if inner.book.has(order.id) {
                return Err(StaffError::IdTaken(order.id));
            }
            // An id given by hand must not be given out again.
            ids.next_order = ids.next_order.max(order.id.saturating_add(1));
            orders.push(order);
        }
        let mut added = Vec::with_capacity(orders.len());
        for order in orders {
            let placed = AddedOrder { id: order.id, number: order.number.clone() };
            if !inner.book.add(order) {
                return Err(StaffError::IdTaken(placed.id));
            }
            added.push(placed);
        }
        inner.placed += added.len() as u64;
        inner.ids = ids;
        Ok(added)
    }

    /// Changes an order as the staff would. A payment voided cancels the order, unless the state is changed along with it.
    pub fn change(&self, id: u64, attributes: &Map<String, Value>) -> Result<OrderTruth, StaffError> {
        let mut inner = self.lock();
        let now = inner.now();
        let mut ids = inner.ids.clone();
        let changed = inner.book.change(id, |order| {
            let mut edited = order.clone();
            let mut fresh = Ids { next_address: &mut ids.next_address, next_line: &mut ids.next_line };
            lay_over(&mut edited, attributes, &self.spec.products, &mut fresh, Some((Writer::Staff, now)))?;
            let voided = matches!(attributes.get("payment_state").and_then(Value::as_str), Some("voided" | "void"));
            if voided && !attributes.contains_key("state") {
                edited.move_to(&self.spec.states.canceled, Writer::Staff, now);
            }
            *order = edited;
            Ok(())
        });
        inner.ids = ids;
        drop(inner);
        changed.ok_or(StaffError::NoSuchOrder(id))?.map_err(StaffError::BadAttribute)?;
        self.truth(id)
    }

    /// Everything about an order.
    pub fn truth(&self, id: u64) -> Result<OrderTruth, StaffError> {
        let order = self.lock().book.get(id).cloned();
        order.map(|order| documents::truth(&order, &self.spec)).ok_or(StaffError::NoSuchOrder(id))
    }

    /// Orders in short, by id ascending, perhaps of one state only.
    pub fn briefs(&self, state: Option<&str>) -> Vec<OrderBrief> {
        let orders: Vec<_> = self.lock().book.all().values().cloned().collect();
        orders
            .iter()
            .filter(|order| state.is_none_or(|state| order.state == state))
            .map(|order| order.brief(&self.spec.states))
            .collect()
    }

    /// How the shop stands.
    pub fn status(&self) -> ShopStatus {
        let mut inner = self.lock();
        let now = inner.now();
        let (day, calls_today) = inner.access.used(now);
        ShopStatus {
            name: self.spec.name.clone(),
            port: self.port(),
            url: self.url(),
            orders: inner.book.len() as u64,
            by_state: inner.book.count_by_state(),
            by_payment_state: inner.book.count_by_payment_state(),
            quota_day: day.to_string(),
            calls_today,
            daily_call_limit: self.spec.daily_call_limit,
            violations: inner.violations.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
        }
    }

    /// Stock as it stands, and every count written.
    pub fn stock(&self) -> Vec<StockTruth> {
        let inner = self.lock();
        let mut truths = Vec::new();
        for (location, items) in self.spec.stock_locations.iter().zip(&inner.stock) {
            for (product, item) in self.spec.products.iter().zip(items) {
                truths.push(StockTruth {
                    sku: product.sku.clone(),
                    location: location.clone(),
                    stock: item.stock,
                    written: item.written.clone(),
                });
            }
        }
        truths
    }

    /// Every call so far.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.lock().ledger.entries()
    }

    /// The ledger in figures.
    pub fn ledger_summary(&self) -> LedgerSummary {
        self.lock().ledger.summary()
    }

    /// Empties the ledger and forgets violations; orders and quota stay.
    pub fn clear_ledger(&self) {
        let mut inner = self.lock();
        inner.ledger.clear();
        inner.violations.clear();
    }

    /// The fault rules in force.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.lock().faults.rules()
    }

    /// Replaces the fault rules.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.lock().faults.set(rules);
    }

    /// Moves the shop's clock so many seconds ahead of the real one.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.lock().clock_offset_seconds = seconds;
    }

    /// Gives the day's allowance back.
    pub fn reset_quota(&self) {
        self.lock().access.reset_quota();
    }

    /// A day has passed, for what is allowed in a day or in an hour; the clock stays.
    pub fn begin_anew(&self) {
        self.lock().access.begin_anew();
    }

    /// Spends calls of the day as another system would.
    pub fn spend_quota(&self, calls: u64) {
        let mut inner = self.lock();
        let now = inner.now();
        inner.access.spend(calls, self.spec.daily_call_limit, now);
    }

    /// Makes all tokens invalid, perhaps with a new ready-made one.
    pub fn replace_tokens(&self, ready_made: Option<&Hidden>) {
        self.lock().access.replace_tokens(ready_made);
    }
}
