//! Orders as a Japanese shop really gets them: names that trip encodings, remarks that trip pages, payments in every state.
//!
//! Everything is invented and comes from a seed alone: the same seed, options and moment give the same orders.

mod addresses;
mod people;
mod remarks;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value};

use crate::api::{OrderOptions, ShopSpec};
use crate::shop::edit::take;
use crate::shop::order::{Address, Line, Money, Order, ShipTo, Text};
use crate::time::ShopTime;

/// Where ids come from. Ids that are skipped are given out later, so that a later order can have a lower id.
#[derive(Debug, Clone)]
pub struct IdSource {
    /// The next order's id.
    pub next_order: u64,
    skipped: Vec<u64>,
    /// The next address' id.
    pub next_address: u64,
    /// The next line's id.
    pub next_line: u64,
    next_customer: u64,
    next_subscription: u64,
}

impl Default for IdSource {
    fn default() -> Self {
        Self {
            next_order: 88_111,
            skipped: Vec::new(),
            next_address: 501,
            next_line: 9_001,
            next_customer: 30_111,
            next_subscription: 7_001,
        }
    }
}

/// Payment states with their weights, and whether goods may go out.
const PAYMENT_MIX: [(&str, f64, bool); 13] = [
    ("authed", 62.0, true),
    ("credit_exam_completed", 10.0, true),
    ("captured", 6.0, true),
    ("completed", 2.0, true),
    ("paid", 8.0, true),
    ("pending", 5.0, false),
    ("credit_exam_processing", 3.0, false),
    ("auth_failed", 1.0, false),
    ("update_failed", 0.5, false),
    ("credit_exam_hold", 1.0, false),
    ("credit_exam_failed", 0.5, false),
    ("voided", 0.7, false),
    ("void", 0.3, false),
];

/// SKUs that no shop of this simulator has: an old one, one misspelt, one with a space, one in full width.
pub const UNKNOWN_SKUS: [&str; 5] = ["GIFT-BOX-7", "SERUM-30-OLD", "serum30", "MASK -5", "ＳＯＡＰ－８０"];

const DELIVERY_TIMES: [(&str, &str); 6] = [
    ("午前中", "01"),
    ("14時〜16時", "14"),
    ("16時〜18時", "16"),
    ("18時〜20時", "18"),
    ("19時〜21時", "19"),
    ("指定なし", "00"),
];

/// Keys that a shop may leave out or set to null without making an order impossible to ship.
const DISPENSABLE: [&str; 14] = [
    "labels",
    "link_number",
    "wrapping",
    "tbc",
    "memo01",
    "memo02",
    "delivered_at",
    "scheduled_to_be_delivered_at",
    "subtotal8",
    "adjustment",
    "discount_with_point",
    "customer_number",
    "payment_voided_at",
    "human_state",
];

/// Makes orders for one shop.
pub struct Generator<'a> {
    shop: &'a ShopSpec,
    options: &'a OrderOptions,
    dice: StdRng,
}

impl<'a> Generator<'a> {
    /// A generator whose orders the seed decides.
    #[must_use]
    pub fn new(shop: &'a ShopSpec, options: &'a OrderOptions, seed: u64) -> Self {
        Self { shop, options, dice: StdRng::seed_from_u64(seed) }
    }

    /// So many orders placed within the options' span before now.
    pub fn orders(&mut self, count: u64, now: ShopTime, ids: &mut IdSource) -> Vec<Order> {
        let span = i64::from(self.options.span_hours.max(1)) * 3_600_000_000;
        (0..count)
            .map(|index| {
                let share = i128::from(span) * i128::from(index + 1) / i128::from(count.max(1));
                let at = now.micros() - span + i64::try_from(share).unwrap_or(0);
                let jitter = self.dice.random_range(1..60_000_000);
                self.order(ShopTime::from_micros(at - jitter), ids)
            })
            .collect()
    }

    fn happens(&mut self, percent: f64) -> bool {
        self.dice.random_bool((percent / 100.0).clamp(0.0, 1.0))
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.dice.random_range(0..choices.len())]
    }

    /// One order, placed at this moment.
    pub fn order(&mut self, placed_at: ShopTime, ids: &mut IdSource) -> Order {
        let id = self.order_id(ids);
        let (payment_state, fit) = self.payment();
        let is_void = matches!(payment_state.as_ref(), "voided" | "void");
        let state = if is_void && self.options.states.is_empty() {
            // The one move that ecforce makes by itself.
            self.shop.states.canceled.clone()
        } else {
            self.state()
        };
        let subscription = self.happens(self.options.subscription_percent);
        let times = match (subscription, self.dice.random_range(0..3)) {
            (true, 1..) => self.dice.random_range(2..=12),
            _ => 1,
        };
        let several = self.happens(self.options.multi_address_percent);
        let ship_to = self.ship_to(several, ids);
        let lines = self.lines(ship_to.len(), ids);
        let billing = (several || self.happens(8.0)).then(|| Box::new(self.address(ids)));
        let customer = take(&mut ids.next_customer);
        let paid_at = matches!(payment_state.as_ref(), "paid" | "captured" | "completed")
            .then(|| placed_at.plus_seconds(self.dice.random_range(60..7_200)));
        let completed_at = placed_at.plus_seconds(self.dice.random_range(2..30));
        let mut order = Order {
            id,
            number: format!("a{:04x}{id:06x}", self.dice.random::<u16>()),
            state,
            payment_method: payment_method(&payment_state),
            payment_state: payment_state.into_owned(),
            email: format!("customer{customer}@{}.example", self.one_of(&["mail", "home", "phone", "office"])),
            customer_id: (!self.happens(1.0)).then_some(customer),
            subs_order_id: subscription.then(|| take(&mut ids.next_subscription)),
            times,
            kind: Cow::Borrowed(if subscription { "定期受注" } else { "単品受注" }),
            money: Money::default(),
            carrier_id: self.carrier(),
            stock_location_id: Some(1),
            ship_on: self.happens(70.0).then(|| placed_at.japan_midnight(self.dice.random_range(1..4))),
            deliver_on: self.happens(20.0).then(|| placed_at.japan_midnight(self.dice.random_range(4..10))),
            delivery_time: self.happens(35.0).then(|| {
                let (label, code) = self.one_of(&DELIVERY_TIMES);
                (Cow::Borrowed(label), Cow::Borrowed(code))
            }),
            remark: self.remark(),
            memo01: String::new(),
            memo02: String::new(),
            created_at: placed_at,
            updated_at: paid_at.unwrap_or(completed_at).max(completed_at),
            completed_at: Some(completed_at),
            shipped_at: None,
            delivered_at: None,
            paid_at,
            voided_at: is_void.then(|| placed_at.plus_seconds(600)),
            billing,
            ship_to,
            lines,
            overrides: Map::new(),
            omitted: Vec::new(),
            history: Vec::new(),
        };
        self.price(&mut order);
        self.finish_by_state(&mut order, fit);
        if self.happens(self.options.missing_keys_percent) {
            self.lose_keys(&mut order);
        }
        order
    }

    fn order_id(&mut self, ids: &mut IdSource) -> u64 {
        if self.happens(self.options.late_id_percent)
            && let Some(id) = ids.skipped.pop()
        {
            return id;
        }
        if self.dice.random_ratio(1, 8) {
            ids.skipped.push(take(&mut ids.next_order));
        }
        take(&mut ids.next_order)
    }

    fn payment(&mut self) -> (Text, bool) {
        if !self.options.payment_states.is_empty() {
            let state = weighted(&mut self.dice, &self.options.payment_states);
            let fit = PAYMENT_MIX.iter().any(|(name, _, fit)| *name == state && *fit);
            return (Cow::Owned(state), fit);
        }
        let wanted = self.options.unpaid_percent.map(|percent| !self.happens(percent));
        let choices: Vec<_> =
            PAYMENT_MIX.iter().filter(|(_, _, fit)| wanted.is_none_or(|wanted| *fit == wanted)).collect();
        // Weights are constants above 0, so there always is a choice.
        let chosen = choices.choose_weighted(&mut self.dice, |choice| choice.1).ok();
        chosen.map_or((Cow::Borrowed("authed"), true), |(state, _, fit)| (Cow::Borrowed(*state), *fit))
    }

    fn state(&mut self) -> String {
        if self.options.states.is_empty() {
            self.shop.states.fetch.clone()
        } else {
            weighted(&mut self.dice, &self.options.states)
        }
    }

    fn carrier(&mut self) -> Option<u64> {
        self.shop
            .carriers
            .choose_weighted(&mut self.dice, |carrier| match carrier.name.as_str() {
                "ネコポス" => 50.0,
                "ヤマト運輸" => 38.0,
                _ => 12.0,
            })
            .ok()
            .map(|carrier| carrier.id)
    }

    fn ship_to(&mut self, several: bool, ids: &mut IdSource) -> Vec<ShipTo> {
        let count = if several { self.dice.random_range(2..=3) } else { 1 };
        (0..count)
            .map(|_| ShipTo { address: self.address(ids), slip: None, carrier_id: None, shipped_at: None })
            .collect()
    }

    fn address(&mut self, ids: &mut IdSource) -> Address {
        let mut address = Address { id: take(&mut ids.next_address), ..Address::default() };
        people::name(&mut self.dice, &mut address);
        addresses::place(&mut self.dice, &mut address);
        if self.happens(self.options.company_percent) {
            address.company_name = Some(people::company(&mut self.dice));
        }
        if self.happens(3.0) {
            address.note = Some(Cow::Borrowed("宅配ボックス利用可"));
        }
        address
    }

    fn lines(&mut self, addresses: usize, ids: &mut IdSource) -> Vec<Line> {
        let ordered: Vec<usize> =
            (0..self.shop.products.len()).filter(|index| self.shop.products[*index].ordered).collect();
        let mut lines = Vec::new();
        for ship_to in 0..addresses {
            let kinds = self.one_of(&[1, 1, 1, 2, 2, 3]).min(ordered.len());
            let chosen: Vec<usize> = ordered.sample(&mut self.dice, kinds).copied().collect();
            for index in chosen {
                let quantity = self.one_of(&[1, 1, 1, 1, 2, 2, 3, 6]);
                let mut line = Line::of(&self.shop.products[index], index, take(&mut ids.next_line), quantity);
                line.ship_to = ship_to;
                lines.push(line);
            }
        }
        if lines.is_empty() || self.happens(self.options.unknown_sku_percent) {
            lines.push(self.unknown_line(ids));
        }
        lines
    }

    fn unknown_line(&mut self, ids: &mut IdSource) -> Line {
        let sku = self.one_of(&UNKNOWN_SKUS);
        Line {
            id: take(&mut ids.next_line),
            variant_id: 900,
            sku: Cow::Borrowed(sku),
            product_number: Cow::Borrowed(sku),
            product_name: Cow::Borrowed("取扱終了商品"),
            list_price: 1500,
            price: 1500,
            quantity: 1,
            tax_rate: 10,
            bundled_item_id: None,
            ship_to: 0,
            overrides: Map::new(),
        }
    }

    fn remark(&mut self) -> Text {
        if self.happens(self.options.long_remark_percent) {
            Cow::Owned(remarks::long(&mut self.dice))
        } else if self.happens(self.options.remark_percent) {
            remarks::short(&mut self.dice)
        } else {
            Cow::Borrowed("")
        }
    }

    /// Fees, discounts, and for some orders prices without tax.
    fn price(&mut self, order: &mut Order) {
        order.money.deliv_fee = if order.subtotal() >= 5_000 { 0 } else { 550 };
        if order.payment_method.contains("後払い") {
            order.money.charge = 330;
        }
        if self.happens(self.options.tax_exclusive_percent) {
            for line in &mut order.lines {
                line.price = line.price * 100 / (100 + i64::from(line.tax_rate));
            }
            order.money.deliv_fee = order.money.deliv_fee * 100 / 110;
            order.money.charge = order.money.charge * 100 / 110;
            order.money.tax8 = order.subtotal_at(8) * 8 / 100;
            let at10 = order.subtotal_at(10) + order.money.deliv_fee + order.money.charge;
            order.money.tax10 = at10 * 10 / 100;
        }
        if self.happens(self.options.discount_percent) {
            order.money.discount = order.subtotal() * i64::from(self.one_of(&[5_u8, 10, 20])) / 100;
        }
        if self.happens(self.options.point_percent) {
            order.money.point = self.dice.random_range(1..=500).min(order.total().max(0));
        }
    }

    /// An order placed as shipped has its tracking numbers and its captured payment.
    fn finish_by_state(&mut self, order: &mut Order, fit: bool) {
        if order.state != self.shop.states.shipped {
            return;
        }
        let at = order.created_at.plus_seconds(86_400);
        order.shipped_at = Some(at);
        for ship_to in &mut order.ship_to {
            let number: u64 = self.dice.random_range(100_000_000_000..999_999_999_999);
            ship_to.slip = Some(number.to_string());
            ship_to.carrier_id = order.carrier_id;
            ship_to.shipped_at = Some(at);
        }
        if fit {
            "captured".clone_into(&mut order.payment_state);
            order.paid_at = Some(at);
        }
        order.updated_at = at;
    }

    fn lose_keys(&mut self, order: &mut Order) {
        for _ in 0..self.dice.random_range(1..5) {
            let key = self.one_of(&DISPENSABLE);
            if self.dice.random() {
                order.omitted.push(key.to_owned());
            } else {
                order.overrides.insert(key.to_owned(), Value::Null);
            }
        }
        if order.remark.is_empty() {
            order.overrides.insert("remark".to_owned(), Value::Null);
        }
        let address = &mut order.ship_to[0].address;
        if address.addr03.is_empty() {
            address.overrides.insert("addr03".to_owned(), Value::Null);
        }
        address.omitted.push("shipping_address_note".to_owned());
        if self.dice.random() {
            address.overrides.insert("kana01".to_owned(), Value::Null);
            address.overrides.insert("kana02".to_owned(), Value::Null);
        }
    }
}

fn payment_method(state: &str) -> Text {
    Cow::Borrowed(match state {
        "credit_exam_completed" | "credit_exam_processing" | "credit_exam_hold" | "credit_exam_failed" => "NP後払い",
        "paid" | "pending" => "銀行振込",
        "completed" => "Amazon Pay",
        _ => "クレジットカード",
    })
}

/// A key, chosen by its weight.
fn weighted(dice: &mut StdRng, weights: &std::collections::BTreeMap<String, f64>) -> String {
    let choices: Vec<_> = weights.iter().collect();
    match choices.choose_weighted(dice, |(_, weight)| weight.max(0.0)) {
        Ok((name, _)) => (*name).clone(),
        // All weights are 0: the first, so that the options still decide.
        Err(_) => choices.first().map(|(name, _)| (*name).clone()).unwrap_or_default(),
    }
}
