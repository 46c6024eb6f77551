//! The warehouse of a merchant: two workers over the deployed API, who take the same lists at the same moment, repeat
//! themselves, correct themselves, and write down what they were answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::{TenantId, WarehouseId};
use renkei_store::Tenant;
use renkei_store::access::Opens;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::PATIENCE;
use crate::commands::create_grant;
use crate::error::CliError;
use crate::stack::Stack;

/// What the warehouse counts.
pub const SKUS: [&str; 3] = ["SERUM-30", "MASK-5", "SOAP-80"];
/// Ids in one request at the end, when nothing is to be seen of pages any more.
const MANY: usize = 500;
/// How often everything is counted again where an answer is not heard although all is well.
const COUNTED_AGAIN: u32 = 5;
/// A request that takes longer is given up; what became of it is not known then.
const GIVEN_UP: Duration = Duration::from_secs(40);

/// The two workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// One.
    First,
    /// And the other.
    Second,
}

/// What the warehouse says of a parcel that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// By which number it can be followed.
    pub number: String,
    /// When it left.
    pub at: Timestamp,
}

/// What the warehouse reported of a parcel.
#[derive(Debug, Clone, Default)]
pub struct Reported {
    /// The latest that was answered as accepted.
    pub accepted: Option<Left>,
    /// The latest request about it had no answer: nobody knows which number counts.
    pub unsure: bool,
    /// How often another number followed.
    corrections: u32,
    /// When it left, by the latest report.
    left_at: Option<Timestamp>,
}

impl Reported {
    /// What is said of it: again the same, unless it was corrected. If when it left has not been said yet, it was then.
    fn repeated(&mut self, id: &str, left_at: Timestamp) -> Left {
        Left { number: number_of(id, self.corrections), at: *self.left_at.get_or_insert(left_at) }
    }
}

/// What the workers were answered.
#[derive(Debug, Default)]
pub struct Notes {
    /// Who was told that a parcel is theirs.
    pub claimed: BTreeMap<String, BTreeSet<Worker>>,
    /// What was reported of each parcel.
    pub results: BTreeMap<String, Reported>,
    /// Parcels whose cancellation was answered with yes, by a worker who heard that this counts.
    pub consented: BTreeSet<String>,
    /// Parcels that a worker gave back, or wanted to: whose they are since is for who claims them anew.
    pub given_back: BTreeSet<String>,
    /// The latest count of each SKU.
    pub counts: BTreeMap<String, (u32, Timestamp)>,
    /// Counts whose request had no answer.
    unsure_counts: bool,
    /// Requests.
    pub requests: u64,
    /// Requests without an answer, or with one that says "again".
    pub unanswered: u64,
}

/// A merchant's warehouse.
pub struct Warehouse {
    /// Whose.
    pub tenant: TenantId,
    http: reqwest::Client,
    url: String,
    key: String,
    seed: u64,
    notes: Mutex<Notes>,
}

impl Warehouse {
    /// Gives the merchant's warehouse a key.
    pub async fn open(stack: &Stack, tenant: &Tenant, seed: u64) -> Result<Self, CliError> {
        let warehouse = WarehouseId::parse("dc").map_err(|error| CliError::said(error.to_string()))?;
        let secret = create_grant(tenant, Opens::Warehouse(warehouse)).await?;
        let http = renkei_http::builder().no_proxy().timeout(GIVEN_UP).build();
        Ok(Self {
            tenant: tenant.id().clone(),
            http: http.map_err(|error| CliError::said(error.to_string()))?,
            url: stack.warehouse_url()?.to_owned(),
            key: secret.expose().to_owned(),
            seed,
            notes: Mutex::default(),
        })
    }

    /// What was noted so far.
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request. None if there was no answer, or one that says "again".
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        self.answered(if let Some(body) = body { request.json(body) } else { request }).await
    }

    async fn answered(&self, request: reqwest::RequestBuilder) -> Option<Value> {
        self.notes().requests += 1;
        let request = request.bearer_auth(&self.key);
        let answer = async {
            let answer = request.send().await.ok()?;
            // 409 is an answer: nobody asked, or it is too late.
            let answers = answer.status().is_success() || answer.status().as_u16() == 409;
            answers.then_some(answer)?.json::<Value>().await.ok()
        };
        let answer = answer.await;
        if answer.is_none() {
            self.notes().unanswered += 1;
        }
        answer
    }

    /// Works while it storms.
    pub async fn work(&self, worker: Worker, mut random: fastrand::Rng, until: Instant) {
        while Instant::now() < until {
            sleep(Duration::from_millis(random.u64(200..1_500))).await;
            match random.u8(..100) {
                0..45 => self.take_some(worker, &mut random).await,
                45..75 => self.report_some(worker, &mut random).await,
                75..87 => self.answer_requests(&mut random).await,
                87..92 => self.give_one_back(worker, &mut random).await,
                _ => self.count_some(&mut random).await,
            }
        }
    }

    async fn listed(&self, query: &str) -> Option<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.ask(Method::GET, &format!("/v1/shipments?{query}{cursor}"), None).await?;
            all.extend(page["shipments"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Some(all),
            }
        }
    }

    /// The same once nothing strikes any more. With dozens of worlds on one machine an answer may take its time.
    async fn listed_surely(&self, query: &str) -> Result<Vec<Value>, CliError> {
        let since = Instant::now();
        loop {
            if let Some(all) = self.listed(query).await {
                return Ok(all);
            }
            if since.elapsed() > PATIENCE {
                return Err(CliError::said(format!(
                    "the warehouse API has not answered for {} minutes, although nothing is struck any more",
                    PATIENCE.as_secs() / 60
                )));
            }
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn take_some(&self, worker: Worker, random: &mut fastrand::Rng) {
        let page = self.ask(Method::GET, &format!("/v1/shipments?status=ready&limit={}", random.u8(5..60)), None).await;
        let mut ids = page.map(|page| ids_of(&page["shipments"])).unwrap_or_default();
        ids.retain(|_| random.u8(..100) < 80);
        self.claim(worker, &ids).await;
    }

    async fn claim(&self, worker: Worker, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        let key = ulid::Ulid::generate().to_string();
        let body = json!({ "ids": ids });
        let mut answer = None;
        // Without an answer nobody knows what it took: the same is asked once more by the same key, and then left, as by a
        // worker who dies.
        for _ in 0..2 {
            let request = self.http.post(format!("{}/v1/shipments/claim", self.url)).header("idempotency-key", &key);
            answer = self.answered(request.json(&body)).await;
            if answer.is_some() {
                break;
            }
        }
        let Some(answer) = answer else { return };
        let mut notes = self.notes();
        for id in ids_of(&answer["claimed"]) {
            notes.claimed.entry(id).or_default().insert(worker);
        }
    }

    async fn report_some(&self, worker: Worker, random: &mut fastrand::Rng) {
        let now = Timestamp::now();
        let batch: Vec<(String, Left)> = {
            let mut notes = self.notes();
            let mine: Vec<String> = notes
                .claimed
                .iter()
                // A parcel that two were given is reported by the first, and found in the account.
                .filter(|(_, workers)| workers.first() == Some(&worker))
                .map(|(id, _)| id.clone())
                .filter(|_| random.u8(..100) < 50)
                .take(40)
                .collect();
            mine.into_iter()
                .map(|id| {
                    let reported = notes.results.entry(id.clone()).or_default();
                    // What was accepted is repeated, and now and then corrected: the number, or only when it left.
                    if reported.accepted.is_some() {
                        match random.u8(..100) {
                            0..15 => {
                                reported.corrections += 1;
                                reported.left_at = None;
                            }
                            15..25 => reported.left_at = None,
                            _ => {}
                        }
                    }
                    let left = reported.repeated(&id, now - SignedDuration::from_secs(random.i64(0..600)));
                    (id, left)
                })
                .collect()
        };
        self.report(&batch).await;
    }

    /// Reports that these parcels left.
    async fn report(&self, batch: &[(String, Left)]) {
        if batch.is_empty() {
            return;
        }
        let results: Vec<Value> = batch
            .iter()
            .map(|(id, left)| json!({ "id": id, "tracking_number": left.number, "shipped_at": left.at }))
            .collect();
        let answer = self.ask(Method::POST, "/v1/shipments/results", Some(&json!({ "results": results }))).await;
        let mut notes = self.notes();
        match answer {
            Some(answer) => {
                let accepted: BTreeSet<String> = ids_of(&answer["accepted"]).into_iter().collect();
                let later: BTreeSet<&str> = answer["refused"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|refused| refused["reason"] == "unavailable")
                    .filter_map(|refused| refused["id"].as_str())
                    .collect();
                for (id, left) in batch {
                    let reported = notes.results.entry(id.clone()).or_default();
                    reported.unsure = later.contains(id.as_str());
                    if accepted.contains(id) {
                        reported.accepted = Some(left.clone());
                    }
                }
            }
            None => {
                for (id, _) in batch {
                    notes.results.entry(id.clone()).or_default().unsure = true;
                }
            }
        }
    }

    async fn answer_requests(&self, random: &mut fastrand::Rng) {
        let Some(asked) = self.listed("status=picking&cancel_requested=true&limit=100").await else { return };
        for shipment in asked {
            let Some(id) = shipment["id"].as_str() else { continue };
            self.answer(id, random.bool()).await;
            if random.u8(..100) < 20 {
                // A worker who did not remember having answered, and thinks otherwise.
                self.answer(id, random.bool()).await;
            }
        }
    }

    async fn answer(&self, id: &str, accept: bool) {
        let path = format!("/v1/shipments/{id}/cancellation");
        let answer = self.ask(Method::POST, &path, Some(&json!({ "accept": accept }))).await;
        if answer.is_some_and(|answer| accept && answer["cancellation"] == "accepted") {
            self.notes().consented.insert(id.to_owned());
        }
    }

    /// One of the parcels that nothing was reported of goes back: out of stock, perhaps. As documented, it is not said again
    /// later: nobody knows then whose the parcel is.
    async fn give_one_back(&self, worker: Worker, random: &mut fastrand::Rng) {
        let id = {
            let mut notes = self.notes();
            let notes = &mut *notes;
            let is_mine = |workers: &BTreeSet<Worker>| workers.len() == 1 && workers.contains(&worker);
            let mine =
                notes.claimed.iter().filter(|(id, workers)| is_mine(workers) && !notes.results.contains_key(*id));
            let Some(id) = random.choice(mine.map(|(id, _)| id.clone()).collect::<Vec<_>>()) else { return };
            // Whether the request arrives or not, this worker has it no more.
            notes.claimed.remove(&id);
            notes.given_back.insert(id.clone());
            id
        };
        self.ask(Method::POST, &format!("/v1/shipments/{id}/return"), Some(&json!({ "reason": "在庫切れ" }))).await;
    }

    async fn count_some(&self, random: &mut fastrand::Rng) {
        // Some arrive long after they were made.
        let at = Timestamp::now() - SignedDuration::from_secs(random.i64(0..60));
        let counts: Vec<(&str, u32, Timestamp)> = SKUS
            .into_iter()
            .map(|sku| (sku, random.u32(0..4_000), at))
            .filter(|(_, count, _)| *count < 2_000)
            .collect();
        self.count(&counts).await;
    }

    async fn count(&self, counts: &[(&str, u32, Timestamp)]) {
        if counts.is_empty() {
            return;
        }
        let rows: Vec<Value> = counts
            .iter()
            .map(|(sku, quantity, at)| json!({ "sku": sku, "quantity": quantity, "counted_at": at }))
            .collect();
        let answer = self.ask(Method::PUT, "/v1/stock", Some(&json!({ "ship_from": "dc", "counts": rows }))).await;
        let mut notes = self.notes();
        let Some(answer) = answer else {
            notes.unsure_counts = true;
            return;
        };
        let (accepted, stale) = (ids_of(&answer["accepted"]), ids_of(&answer["stale"]));
        for (sku, quantity, at) in counts {
            if !accepted.iter().any(|taken| taken == sku) {
                // Refused for now, it may have been written all the same, and its answer lost.
                notes.unsure_counts |= !stale.iter().any(|late| late == sku);
                continue;
            }
            // Two workers count, and answers come in any order: the newest count stands, not the one heard of last.
            if notes.counts.get(*sku).is_none_or(|(_, before)| before <= at) {
                notes.counts.insert((*sku).to_owned(), (*quantity, *at));
            }
        }
    }

    /// Counts once more, if any count had no answer; before the last parcels are taken, so that they are reserved.
    pub async fn count_again(&self, random: &mut fastrand::Rng) {
        for _ in 0..COUNTED_AGAIN {
            if !self.notes().unsure_counts && self.notes().counts.len() == SKUS.len() {
                return;
            }
            self.notes().unsure_counts = false;
            let now = Timestamp::now();
            let counts: Vec<(&str, u32, Timestamp)> =
                SKUS.into_iter().map(|sku| (sku, random.u32(500..2_000), now)).collect();
            self.count(&counts).await;
        }
    }

    /// Brings everything in hand to its end: answers what is asked, takes all that is ready, reports all that was taken.
    /// True if nothing was left to do.
    pub async fn finish(&self) -> Result<bool, CliError> {
        let mut idle = true;
        for shipment in self.listed_surely("status=picking&cancel_requested=true&limit=500").await? {
            let Some(id) = shipment["id"].as_str() else { continue };
            let open = shipment["cancellation"].is_null() || shipment["cancellation"] == "requested";
            if open {
                idle = false;
                // One of two consents.
                self.answer(id, id.bytes().map(u64::from).sum::<u64>().wrapping_add(self.seed) % 2 == 0).await;
            }
        }
        let ready = self.listed_surely("status=ready&limit=500").await?;
        let ready: Vec<String> =
            ready.iter().filter_map(|shipment| shipment["id"].as_str()).map(str::to_owned).collect();
        idle &= ready.is_empty();
        for ids in ready.chunks(MANY) {
            self.claim(Worker::First, ids).await;
        }
        let picking = self.listed_surely("status=picking&limit=500").await?;
        let mut open: BTreeSet<String> =
            picking.iter().filter_map(|shipment| shipment["id"].as_str()).map(str::to_owned).collect();
        open.extend(self.notes().results.iter().filter(|(_, reported)| reported.unsure).map(|(id, _)| id.clone()));
        idle &= open.is_empty();
        let now = Timestamp::now();
        let batch: Vec<(String, Left)> = {
            let mut notes = self.notes();
            open.into_iter()
                .map(|id| {
                    let left = notes.results.entry(id.clone()).or_default().repeated(&id, now);
                    (id, left)
                })
                .collect()
        };
        for some in batch.chunks(MANY) {
            self.report(some).await;
        }
        Ok(idle)
    }
}

/// A number that tells its parcel and its correction, so that one that ends up elsewhere is seen.
fn number_of(id: &str, corrections: u32) -> String {
    let mut parts = id.rsplit('.');
    let (parcel, order) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{order}-{parcel}-{corrections}")
}

/// A list's ids: of texts, or of objects with an id.
fn ids_of(list: &Value) -> Vec<String> {
    let id = |entry: &Value| entry.as_str().or(entry["id"].as_str()).map(str::to_owned);
    list.as_array().into_iter().flatten().filter_map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_repeated_is_the_same_and_one_that_corrects_is_not() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut reported = Reported::default();
        let first = reported.repeated("shop.7.1", at(1));
        assert_eq!(first, Left { number: "7-1-0".to_owned(), at: at(1) });
        assert_eq!(reported.repeated("shop.7.1", at(9)), first);
        reported.left_at = None;
        assert_eq!(reported.repeated("shop.7.1", at(9)), Left { at: at(9), ..first });
    }
}
