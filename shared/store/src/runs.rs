//! Runs of robots, and the progress of what they queued.
//!
//! A run that fetches queues its orders page by page; whoever imports notes the rows that are done in the page's sets.
//! A set counts a row once however often it is noted, so a run's end is seen exactly, whatever is delivered twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::GateState;
use renkei_domain::ids::ConnectionId;
use renkei_domain::run::{CallMade, FOR_A_PERSON, Outcome, Run, RunState};
use renkei_domain::work::Place;

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::gate::gate_of;
use crate::keys::{self, Key};
use crate::reads;
use crate::shipments::{Cursor, Page};
use crate::{Tables, Tenant};

const KIND: &str = "run";
/// Its calls, packed.
const CALLED: &str = "called";
/// Its calls take no more bytes than these, packed: the record is written some times more after its calls are known, and
/// read with a hundred others for a list.
const MOST_CALLED: usize = 2_048;
/// How long runs are kept.
pub(crate) const KEPT_DAYS: i64 = 90;

/// What became of the rows of a page of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageProgress {
    /// How many rows the page had; None if that is not known (yet).
    pub rows: Option<u64>,
    /// Rows by what became of them.
    pub done: BTreeMap<Outcome, BTreeSet<u16>>,
}

impl PageProgress {
    /// How many rows had this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.done.get(&outcome).map_or(0, |rows| rows.len() as u64)
    }

    /// Are all rows done?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let done: BTreeSet<u16> = self.done.values().flatten().copied().collect();
        self.rows.is_some_and(|rows| done.len() as u64 >= rows)
    }
}

/// Where a fetching run stands, so that it can go on after a stop or a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last page that is queued.
    pub page: u32,
    /// The last order id that is queued: the next page begins after it.
    pub after: u64,
}

impl Tenant {
    /// Notes that a run begins. False if it had begun before: then it goes on.
    pub async fn begin_run(&self, run: &Run) -> Result<bool, StoreError> {
        let mut item = codec::to_item(KIND, run)?;
        item.extend(keys::run(&self.id, &run.id).attributes());
        item.insert("v".into(), codec::version());
        item.insert("tenant_pk".into(), codec::text(self.id.as_str()));
        item.insert("started_sk".into(), codec::text(format!("{:.3}#{}", run.started_at, run.id)));
        let kept_until = run.started_at.saturating_add((KEPT_DAYS * 24).hours()).unwrap_or(run.started_at);
        item.insert("expires_at".into(), codec::number(kept_until.as_second()));
        let put = self
            .client()
            .put_item()
            .table_name(&self.tables().runs)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) if reads::conflicting_item(&error).is_some() => Ok(false),
            Err(error) => Err(StoreError::from_sdk("PutItem", &error)),
        }
    }

    /// A run.
    pub async fn run(&self, run: &str) -> Result<Option<Run>, StoreError> {
        let item = reads::get(self, &self.tables().runs, &keys::run(&self.id, run)).await?;
        let Some(item) = item else { return Ok(None) };
        let called = if item.contains_key(CALLED) { codec::unpack(KIND, &item, CALLED)? } else { Vec::new() };
        Ok(Some(Run { called, ..codec::from_item(KIND, item)? }))
    }

    /// Where a fetching run stands; None before its first page.
    pub async fn run_progress(&self, run: &str) -> Result<Option<Progress>, StoreError> {
        let item = reads::get(self, &self.tables().runs, &keys::run(&self.id, run)).await?;
        let Some(item) = item else { return Ok(None) };
        codec::known_version(KIND, &item)?;
        Ok(int(&item, "cursor_page").zip(int(&item, "cursor_after")).map(|(page, after)| Progress { page, after }))
    }

    /// Notes that a page is queued, and moves the run's cursor. `epoch` is the gate's: a run that was robbed of the gate
    /// while it was paused moves nothing, and gets false.
    pub async fn advance_run(&self, run: &str, progress: Progress, epoch: u64) -> Result<bool, StoreError> {
        let update = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run(&self.id, run).attributes()))
            .update_expression("SET cursor_page = :page, cursor_after = :after, #epoch = :epoch")
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(#epoch) OR #epoch <= :epoch)")
            .expression_attribute_names("#epoch", "epoch")
            .expression_attribute_values(":page", codec::number(progress.page))
            .expression_attribute_values(":after", codec::number(progress.after))
            .expression_attribute_values(":epoch", codec::number(epoch))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Notes how many rows a page has, before they are queued.
    pub async fn announce_page(&self, run: &str, page: u32, rows: u64) -> Result<(), StoreError> {
        self.client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run_page(&self.id, run, page).attributes()))
            .update_expression("SET #rows = :rows, expires_at = :expires, v = :v")
            .expression_attribute_values(":v", codec::version())
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_values(":rows", codec::number(rows))
            .expression_attribute_values(":expires", codec::number(expiry()))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        Ok(())
    }

    /// Notes what became of rows of one page, and gives the page's progress with them.
    pub async fn note_rows(
        &self,
        run: &str,
        page: u32,
        rows: &BTreeMap<Outcome, BTreeSet<u16>>,
    ) -> Result<PageProgress, StoreError> {
        let mut update = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run_page(&self.id, run, page).attributes()))
            .return_values(ReturnValue::AllNew)
            .expression_attribute_values(":expires", codec::number(expiry()))
            .expression_attribute_values(":v", codec::version());
        let mut adds = Vec::new();
        for (outcome, rows) in rows.iter().filter(|(_, rows)| !rows.is_empty()) {
            let name = outcome.as_str();
            adds.push(format!("#{name} :{name}"));
            update = update.expression_attribute_names(format!("#{name}"), name).expression_attribute_values(
                format!(":{name}"),
                AttributeValue::Ns(rows.iter().map(ToString::to_string).collect()),
            );
        }
        let adds = if adds.is_empty() { String::new() } else { format!(" ADD {}", adds.join(", ")) };
        let answer = update
            .update_expression(format!(
                "SET expires_at = if_not_exists(expires_at, :expires), v = if_not_exists(v, :v){adds}"
            ))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        page_progress(&answer.attributes.unwrap_or_default())
    }

    /// Notes that all of a page's rows are done. True if with it the whole run is: every page that it announced, and it
    /// announces no more.
    pub async fn complete_page(&self, run: &str, page: u32) -> Result<bool, StoreError> {
        let answer = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run(&self.id, run).attributes()))
            .update_expression("ADD pages_done :page")
            .expression_attribute_values(":page", AttributeValue::Ns(vec![page.to_string()]))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        all_pages_done(&answer.attributes.unwrap_or_default())
    }

    /// Notes that a fetching run has queued its last page. True if all of its pages are done already.
    pub async fn announce_end(&self, run: &str, pages: u32) -> Result<bool, StoreError> {
        let answer = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run(&self.id, run).attributes()))
            .update_expression("SET pages = :pages")
            .expression_attribute_values(":pages", codec::number(pages))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        all_pages_done(&answer.attributes.unwrap_or_default())
    }

    /// The progress of all pages of a run, by page.
    pub async fn run_pages(&self, run: &str) -> Result<Vec<PageProgress>, StoreError> {
        let pk = keys::run_pk(&self.id, run);
        let items = reads::partition(self, &self.tables().runs, &pk, Some("PAGE#")).await?;
        items.iter().map(page_progress).collect()
    }

    /// Writes how a run ended, or that it is blocked. The run's other marks (cursor, epoch) stay. That its robot's run ended
    /// so is noted first: a crash in between has the run go on, and end once more, and the second note counts nothing twice.
    /// The other way round the run would be over, and the note never made.
    pub async fn end_run(&self, run: &Run) -> Result<(), StoreError> {
        self.note_end(run).await?;
        let mut update = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(keys::run(&self.id, &run.id).attributes()))
            .condition_expression("attribute_exists(pk)");
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut item = codec::to_item(KIND, run)?;
        for name in ["state", "ended_at", "blocked_until", "calls", "queued", "counts", "error", "notes"] {
            update = update.expression_attribute_names(format!("#{name}"), name);
            match item.remove(name) {
                Some(value) => {
                    sets.push(format!("#{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), value);
                }
                None => removes.push(format!("#{name}")),
            }
        }
        // They come with what is written anyway, and are only ever added to.
        if !run.called.is_empty() {
            update = update
                .expression_attribute_names("#called", CALLED)
                .expression_attribute_values(":called", packed_calls(&run.called)?);
            sets.push("#called = :called".to_owned());
        }
        let removes = if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
        update
            .update_expression(format!("SET {}{removes}", sets.join(", ")))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        Ok(())
    }

    /// Ends a run whose queued work is done: counts what became of it. Safe to repeat; a run that has ended stays as it is.
    /// None if it is not done after all: a page that was done, and was read again with more rows after a crash, has those still
    /// before it. Whoever notes the last of them comes here again.
    pub async fn finish_queued_run(&self, run: &str) -> Result<Option<Run>, StoreError> {
        let Some(mut run) = self.run(run).await? else { return Ok(None) };
        if run.state != RunState::Running {
            return Ok(Some(run));
        }
        let pages = self.run_pages(&run.id).await?;
        if !are_done(&pages, run.queued) {
            return Ok(None);
        }
        let count = |outcome| pages.iter().map(|page| page.count(outcome)).sum::<u64>();
        for outcome in Outcome::ALL {
            run.counts.insert(outcome.as_str().to_owned(), count(outcome));
        }
        run.state = match &run.error {
            Some(_) => RunState::Failed,
            None if count(Outcome::Quarantined) > 0 || run.counts.get(FOR_A_PERSON).is_some_and(|count| *count > 0) => {
                RunState::NeedsPerson
            }
            None => RunState::Done,
        };
        run.ended_at = Some(Timestamp::now());
        self.end_run(&run).await?;
        Ok(Some(run))
    }

    /// Runs of this tenant, latest first.
    pub async fn runs(&self, limit: i32, from: Option<Cursor>) -> Result<Page<Run>, StoreError> {
        let (wanted, next) = self.run_keys(limit, from).await?;
        let mut found = reads::batch_get(self, &self.tables().runs, wanted.clone()).await?;
        let rows = wanted.iter().filter_map(|key| found.remove(key)).map(|item| codec::from_item(KIND, item));
        Ok(Page { rows: rows.collect::<Result<_, _>>()?, next })
    }

    /// The latest runs, latest first, and how the gates of these connections stand: together in two requests, as long as
    /// there are no more than a hundred of both.
    pub async fn runs_and_gates(
        &self,
        limit: i32,
        connections: &[ConnectionId],
        now: Timestamp,
    ) -> Result<(Vec<Run>, Vec<GateState>), StoreError> {
        let gate_keys: Vec<Key> = connections.iter().map(|connection| keys::gate(&self.id, connection)).collect();
        let (run_keys, _) = self.run_keys(limit, None).await?;
        let Tables { runs: run_table, gate: gate_table, .. } = self.tables();
        let (mut runs, mut gates) = if run_keys.len() + gate_keys.len() <= reads::READ_AT_ONCE {
            let wanted = vec![(run_table.as_str(), run_keys.clone()), (gate_table.as_str(), gate_keys.clone())];
            let mut found = reads::batch_get_tables(self, wanted).await?;
            let mut of = |table: &str| by_key(found.remove(table).unwrap_or_default());
            (of(run_table.as_str()), of(gate_table.as_str()))
        } else {
            let runs = reads::batch_get(self, run_table, run_keys.clone());
            futures::future::try_join(runs, reads::batch_get(self, gate_table, gate_keys.clone())).await?
        };
        let runs = run_keys.iter().filter_map(|key| runs.remove(key)).map(|item| codec::from_item(KIND, item));
        let gates = gate_keys.iter().map(|key| match gates.remove(key) {
            Some(item) => gate_of(item),
            None => Ok(GateState::fresh(now)),
        });
        Ok((runs.collect::<Result<_, _>>()?, gates.collect::<Result<_, _>>()?))
    }

    async fn run_keys(&self, limit: i32, from: Option<Cursor>) -> Result<(Vec<Key>, Option<Cursor>), StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(&self.tables().runs)
            .index_name("by_tenant")
            .key_condition_expression("tenant_pk = :tenant")
            .expression_attribute_values(":tenant", codec::text(self.id.as_str()))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        let keys = answer.items.unwrap_or_default().iter().filter_map(Key::of).collect();
        Ok((keys, answer.last_evaluated_key.filter(|key| !key.is_empty()).map(Cursor)))
    }
}

fn by_key(items: Vec<Item>) -> HashMap<Key, Item> {
    items.into_iter().filter_map(|item| Some((Key::of(&item)?, item))).collect()
}

/// Rows by page and outcome, as [`Tenant::note_rows`] takes them.
#[must_use]
pub fn rows_by_page(done: &[(Place, Outcome)]) -> BTreeMap<u32, BTreeMap<Outcome, BTreeSet<u16>>> {
    let mut pages: BTreeMap<u32, BTreeMap<Outcome, BTreeSet<u16>>> = BTreeMap::new();
    for (place, outcome) in done {
        pages.entry(place.page).or_default().entry(*outcome).or_default().insert(place.row);
    }
    pages
}

/// Calls as they are kept. If they are too large, some of the middle go.
fn packed_calls(calls: &[CallMade]) -> Result<AttributeValue, StoreError> {
    let mut kept = calls.to_vec();
    loop {
        let packed = codec::pack(KIND, &kept)?;
        // Two are never too large: a path has its length.
        if kept.len() <= 2 || packed.as_b().map_or(0, |bytes| bytes.as_ref().len()) <= MOST_CALLED {
            return Ok(packed);
        }
        let some = (kept.len() / 4).max(1);
        kept.drain(some..some * 2);
    }
}

/// Are all rows of the pages done that a run queued, by how many each was announced with last? Pages are numbered without a gap.
/// One beyond the last was announced before a crash, and had no rows any more when it was read again.
fn are_done(pages: &[PageProgress], queued: Option<u64>) -> bool {
    let queued = queued.and_then(|queued| usize::try_from(queued).ok()).unwrap_or(0);
    pages.len() >= queued && pages.iter().take(queued).all(PageProgress::is_complete)
}

fn expiry() -> i64 {
    Timestamp::now().as_second() + KEPT_DAYS * 24 * 3600
}

fn all_pages_done(run: &Item) -> Result<bool, StoreError> {
    codec::known_version(KIND, run)?;
    let done = run.get("pages_done").and_then(|v| v.as_ns().ok()).map_or(0, Vec::len) as u64;
    Ok(int::<u64>(run, "pages").is_some_and(|pages| done >= pages))
}

fn page_progress(item: &Item) -> Result<PageProgress, StoreError> {
    codec::known_version("page of a run", item)?;
    let set = |outcome: Outcome| -> BTreeSet<u16> {
        let rows = item.get(outcome.as_str()).and_then(|v| v.as_ns().ok());
        rows.map(|rows| rows.iter().filter_map(|row| row.parse().ok()).collect()).unwrap_or_default()
    };
    Ok(PageProgress {
        rows: int(item, "rows"),
        done: Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome, set(outcome)))
            .filter(|(_, rows)| !rows.is_empty())
            .collect(),
    })
}

fn int<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn condition_failed<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

#[cfg(test)]
mod tests {
    use renkei_domain::gate::Lane;

    use super::*;

    fn calls(count: usize, path: &str) -> Vec<CallMade> {
        let call = |n: usize| CallMade {
            at: Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(n).unwrap() * 317).unwrap(),
            lane: Lane::Fetch,
            method: "GET".into(),
            path: format!("{path}{}", n * 7_919),
            status: Some(200),
            milliseconds: (n * 31 % 900) as u32,
        };
        (0..count).map(call).collect()
    }

    #[test]
    fn a_page_is_done_by_the_rows_that_it_was_announced_with_last() {
        let page = |rows: Option<u64>, done: std::ops::Range<u16>| PageProgress {
            rows,
            done: BTreeMap::from([(Outcome::Imported, done.collect())]),
        };
        // Announced with 60 rows, done, and read again with 100.
        assert!(are_done(&[page(Some(60), 0..60)], Some(1)));
        assert!(!are_done(&[page(Some(100), 0..60), page(Some(3), 0..3)], Some(2)));
        assert!(are_done(&[page(Some(100), 0..100), page(Some(3), 0..3)], Some(2)));
        // Read again with fewer: all that was announced last is done.
        assert!(are_done(&[page(Some(40), 0..60)], Some(1)));
        // A page that is not there, or not announced yet; one that had no rows any more.
        assert!(!are_done(&[page(Some(1), 0..1)], Some(2)));
        assert!(!are_done(&[page(None, 0..1)], Some(1)));
        assert!(are_done(&[page(Some(1), 0..1), page(Some(9), 0..0)], Some(1)));
    }

    #[test]
    fn calls_come_back_as_they_went_and_never_take_more_than_their_bytes() {
        let unpacked = |packed: AttributeValue| -> Vec<CallMade> {
            codec::unpack(KIND, &Item::from([(CALLED.to_owned(), packed)]), CALLED).unwrap()
        };
        let few = calls(12, "admin/orders.json?page=1&q[id_gt]=");
        assert_eq!(unpacked(packed_calls(&few).unwrap()), few);
        // As long as paths get, and nothing in common.
        let noise: String = (0..400_u32).map(|n| char::from_u32(0x4E00 + n * 37 % 20_000).unwrap()).take(200).collect();
        for many in [calls(80, "admin/orders.json?page=1&q[id_gt]="), calls(80, &noise), calls(1, &noise)] {
            let packed = packed_calls(&many).unwrap();
            assert!(packed.as_b().unwrap().as_ref().len() <= MOST_CALLED);
            let kept = unpacked(packed);
            assert_eq!((kept.first(), kept.last()), (many.first(), many.last()), "the ends stay");
        }
    }
}
