//! One shop: its orders, its stock, who may call it, what goes wrong with it, and the ledger of who did.

mod access;
mod answer;
mod bent;
mod book;
mod call;
pub(crate) mod documents;
pub(crate) mod edit;
mod faults;
mod ledger;
mod line;
pub(crate) mod order;
pub(crate) mod query;
mod route;
mod staff;
mod wire;
mod writes;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::Value;
use tokio::sync::watch;

pub use staff::StaffError;

use crate::api::{ShopSpec, Writer};
use crate::generate::IdSource;
use crate::time::ShopTime;

/// A shop that listens. Shared by its server, its background moves and the control API.
pub struct Shop {
    /// As it was opened.
    pub spec: ShopSpec,
    address: SocketAddr,
    epoch: Instant,
    inner: Mutex<Inner>,
    closing: watch::Sender<bool>,
}

/// What changes. The lock is held for lookups and writes only, never while an answer is rendered or sent.
pub struct Inner {
    book: book::Book,
    ids: IdSource,
    placed: u64,
    /// By location, then by product, in the spec's order.
    stock: Vec<Vec<StockItem>>,
    access: access::Access,
    faults: faults::Faults,
    ledger: ledger::Ledger,
    violations: BTreeMap<&'static str, u64>,
    clock_offset_seconds: i64,
    next_job: u64,
}

/// Units of a product at a location, and every count that the API wrote.
struct StockItem {
    stock: i64,
    written: Vec<i64>,
}

impl Shop {
    /// Opens a shop at its port and starts to serve it. `epoch` is the moment that the ledger's clock counts from.
    pub async fn open(spec: ShopSpec, epoch: Instant) -> std::io::Result<Arc<Self>> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", spec.port)).await?;
        let address = listener.local_addr()?;
        let now = wall_clock();
        let stock = spec.stock_locations.iter().map(|_| {
            spec.products.iter().map(|product| StockItem { stock: product.stock, written: Vec::new() }).collect()
        });
        let inner = Inner {
            book: book::Book::default(),
            ids: IdSource::default(),
            placed: 0,
            stock: stock.collect(),
            access: access::Access::new(&spec, now),
            faults: faults::Faults::default(),
            ledger: ledger::Ledger::default(),
            violations: BTreeMap::new(),
            clock_offset_seconds: 0,
            next_job: 1234,
        };
        let (closing, mut closed) = watch::channel(false);
        let shop = Arc::new(Self { spec, address, epoch, inner: Mutex::new(inner), closing });
        let service = Router::new()
            .fallback(wire::serve)
            .with_state(Arc::clone(&shop))
            .into_make_service_with_connect_info::<line::Line>();
        tokio::spawn(async move {
            let serving = axum::serve(line::ShopListener::new(listener), service)
                .with_graceful_shutdown(async move { drop(closed.wait_for(|closed| *closed).await) });
            if let Err(error) = serving.await {
                tracing::error!(%error, "a shop stopped serving");
            }
        });
        Ok(shop)
    }

    /// Stops listening; calls in flight are answered.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What a connection enters as API URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in one request must not take the shop down for all others.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The automation option: orders whose every address has its tracking number move to shipped, some time later.
    fn automate(self: &Arc<Self>, orders: Vec<u64>) {
        if !self.spec.automation_option || orders.is_empty() {
            return;
        }
        let shop = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(shop.spec.automation_delay_ms)).await;
            let states = &shop.spec.states;
            let mut inner = shop.lock();
            let now = inner.now();
            for id in orders {
                inner.book.change(id, |order| {
                    if order.is_wholly_slipped() && order.state != states.shipped && order.state != states.canceled {
                        order.move_to(&states.shipped, Writer::Automation, now);
                    }
                });
            }
        });
    }

    /// A write `with_async`: answered with a job's id at once, carried out a little later.
    fn ship_later(self: &Arc<Self>, records: Vec<Value>, with_sale: bool, bend: writes::Bend) -> u64 {
        let job = edit::take(&mut self.lock().next_job);
        let shop = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(shop.spec.async_delay_ms)).await;
            let outcome = {
                let mut inner = shop.lock();
                let now = inner.now();
                writes::shipping(&mut inner, &shop.spec, &records, with_sale, &bend, now)
            };
            shop.automate(outcome.slipped);
        });
        job
    }
}

impl Inner {
    /// The shop's clock.
    fn now(&self) -> ShopTime {
        wall_clock().plus_seconds(self.clock_offset_seconds)
    }

    fn violate(&mut self, kind: &'static str) {
        *self.violations.entry(kind).or_default() += 1;
    }
}

fn wall_clock() -> ShopTime {
    ShopTime::from_micros(jiff::Timestamp::now().as_microsecond())
}
