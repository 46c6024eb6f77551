//! The shop's orders, with an index by state so that a listing touches only what it shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::order::Order;

/// The orders. An order is shared out as an [`Arc`], so that answers are written without holding the shop's lock.
#[derive(Default)]
pub struct Book {
    orders: BTreeMap<u64, Arc<Order>>,
    by_state: HashMap<String, BTreeSet<u64>>,
}

impl Book {
    /// How many orders there are.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Adds an order; `false` when its id is taken.
    pub fn add(&mut self, order: Order) -> bool {
        if self.orders.contains_key(&order.id) {
            return false;
        }
        self.by_state.entry(order.state.clone()).or_default().insert(order.id);
        self.orders.insert(order.id, Arc::new(order));
        true
    }

    /// Whether the id is taken.
    pub fn has(&self, id: u64) -> bool {
        self.orders.contains_key(&id)
    }

    /// An order.
    pub fn get(&self, id: u64) -> Option<&Arc<Order>> {
        self.orders.get(&id)
    }

    /// Changes an order and keeps the index right; `None` when there is none of this id.
    pub fn change<R>(&mut self, id: u64, change: impl FnOnce(&mut Order) -> R) -> Option<R> {
        let order = Arc::make_mut(self.orders.get_mut(&id)?);
        let before = order.state.clone();
        let result = change(order);
        if order.state != before {
            let after = order.state.clone();
            if let Some(ids) = self.by_state.get_mut(&before) {
                ids.remove(&id);
            }
            self.by_state.entry(after).or_default().insert(id);
        }
        Some(result)
    }

    /// The ids in a state, ascending.
    pub fn in_state(&self, state: &str) -> Option<&BTreeSet<u64>> {
        self.by_state.get(state)
    }

    /// All orders, by id ascending.
    pub fn all(&self) -> &BTreeMap<u64, Arc<Order>> {
        &self.orders
    }

    /// Orders by state, without empty states.
    pub fn count_by_state(&self) -> BTreeMap<String, u64> {
        self.by_state
            .iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(state, ids)| (state.clone(), ids.len() as u64))
            .collect()
    }

    /// Orders by payment state.
    pub fn count_by_payment_state(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::<String, u64>::new();
        for order in self.orders.values() {
            if let Some(count) = counts.get_mut(&order.payment_state) {
                *count += 1;
            } else {
                counts.insert(order.payment_state.clone(), 1);
            }
        }
        counts
    }
}
