//! `renkei tenant`: the end of a contract. What is kept of a merchant is written to files, then removed everywhere.
//!
//! A merchant's beginning is `renkei apply` of one document. Its end is in the opposite order: first what starts robots, then
//! what they call shops with, then everything that is stored; each step is safe to repeat.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use jiff::{Timestamp, ToSpan};
use renkei_domain::document;
use renkei_domain::ids::{ConnectionId, ShipFromId, TenantId};
use renkei_domain::member::Email;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Status;
use renkei_platform::aws::AwsFailure;
use renkei_setup::dead_letters::Wanted;
use renkei_store::Tenant;
use renkei_store::audit::{AuditEntry, AuditOutcome};
use serde::Serialize;
use serde_json::json;

use super::member::remove_account;
use crate::error::{CliError, Exit};
use crate::stack::Stack;
use crate::{output, private};

const A_PAGE: i32 = 100;
/// A run that has shown nothing of itself for so many minutes and has no end is none that still works: a function notes its
/// calls within ten minutes, and a run that stopped goes on a quarter of an hour later at the latest.
const LONGEST_SILENCE: i64 = 45;
/// How often a run is looked at that is under way, and how long after each look: five minutes in all.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);
/// How long a batch of orders is imported at most: its function's time in `template.yaml`, and some seconds.
const LONGEST_IMPORT: Duration = Duration::from_secs(66);
/// How often dead letters are looked for again that somebody else has in hand, and how long after each look: a look has them
/// for half a minute at most, and SQS counts them some seconds late.
const LOOKS_AGAIN: u32 = 2;
const LONGEST_IN_HAND: Duration = Duration::from_secs(35);

/// Writes all that is kept of a tenant: its document, and everything else as lines of JSON.
pub async fn export(stack: &Stack, tenant: &str, to: &Path) -> Result<Exit, CliError> {
    let (tenant, applied) = stack.one_tenant(Some(tenant)).await?;
    private::directory(to)?;
    if to.read_dir()?.next().is_some() {
        return Err(CliError::said(format!("{} is not empty; name a directory of its own", to.display())));
    }
    let mut settings = applied.settings.clone();
    settings.products = tenant.products().await?;
    private::create_new(&to.join("document.yaml"))?.write_all(document::write(&settings).as_bytes())?;
    let history = tenant.settings_history().await?;
    let mut versions = Lines::new(to, "versions")?;
    for version in &history {
        versions.add(&json!({ "version": version.version, "at": version.at, "by": version.by,
                              "document": document::write(&version.settings) }))?;
    }
    versions.end()?;
    let all = history.iter().map(|version| &version.settings).chain(std::iter::once(&settings));
    export_places(&tenant, &Places::of(all), to).await?;
    let mut runs = Lines::new(to, "runs")?;
    let mut from = None;
    loop {
        let page = tenant.runs(A_PAGE, from).await?;
        for run in &page.rows {
            runs.add(run)?;
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    runs.end()?;
    let (mut members, mut audit) = (Lines::new(to, "members")?, Lines::new(to, "audit")?);
    for member in tenant.members().await? {
        members.add(&json!({ "email": member.email.as_str(), "role": member.role.as_str(), "since": member.since }))?;
    }
    let mut before: Option<String> = None;
    loop {
        let page = tenant.audit_log(A_PAGE, before.as_deref()).await?;
        for (_, entry) in &page.rows {
            audit.add(entry)?;
        }
        before = page.rows.last().map(|(key, _)| key.clone());
        if page.next.is_none() || before.is_none() {
            break;
        }
    }
    members.end()?;
    audit.end()?;
    output::line("secrets are not among it; the files hold customers' data: keep them as such")?;
    Ok(Exit::Done)
}

/// All shops and ship-froms that a merchant has, or has had: what is stored of one that was taken out of the document is
/// stored all the same.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    connections: BTreeSet<ConnectionId>,
    ship_froms: BTreeSet<ShipFromId>,
}

impl Places {
    fn of<'a>(all: impl IntoIterator<Item = &'a TenantSettings>) -> Self {
        let mut places = Self::default();
        for settings in all {
            places.connections.extend(settings.connections.iter().map(|connection| connection.id.clone()));
            places.ship_froms.extend(settings.ship_froms.iter().map(|ship_from| ship_from.id.clone()));
        }
        places
    }
}

/// Writes what is stored of each shop and ship-from.
async fn export_places(tenant: &Tenant, places: &Places, to: &Path) -> Result<(), CliError> {
    let (mut shipments, mut orders) = (Lines::new(to, "shipments")?, Lines::new(to, "orders")?);
    let (mut counts, mut offers) = (Lines::new(to, "counts")?, Lines::new(to, "offers")?);
    for connection in &places.connections {
        for status in Status::ALL {
            let mut from = None;
            loop {
                let page = tenant.shipments_by_status(connection, status, A_PAGE, from).await?;
                let found = tenant.shipments(&page.rows).await?;
                let details = tenant.details(&found).await?;
                for (shipment, detail) in found.iter().zip(&details) {
                    shipments.add(&json!({ "shipment": shipment, "detail": detail }))?;
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        for order in tenant.not_imported(connection).await? {
            orders.add(&json!({ "summary": order.summary, "message": order.message }))?;
        }
        for offer in tenant.told_offers(connection).await? {
            offers.add(&json!({ "connection": connection, "sku": offer.sku, "told": offer.told }))?;
        }
    }
    for ship_from in &places.ship_froms {
        for count in tenant.counts(ship_from).await? {
            counts.add(&json!({ "ship_from": ship_from, "count": count }))?;
        }
    }
    for lines in [shipments, orders, counts, offers] {
        lines.end()?;
    }
    Ok(())
}

/// A file of lines of JSON.
struct Lines {
    name: &'static str,
    file: BufWriter<File>,
    count: u64,
}

impl Lines {
    fn new(directory: &Path, name: &'static str) -> Result<Self, CliError> {
        let path = directory.join(format!("{name}.jsonl"));
        let file = private::create_new(&path)
            .map_err(|error| CliError::said(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Self { name, file: BufWriter::new(file), count: 0 })
    }

    fn add(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        serde_json::to_writer(&mut self.file, value)?;
        self.file.write_all(b"\n")?;
        self.count += 1;
        Ok(())
    }

    fn end(mut self) -> Result<(), CliError> {
        self.file.flush()?;
        output::line(format!("{}.jsonl: {}", self.name, self.count))
    }
}

/// Removes all that is kept of a tenant.
pub async fn erase(stack: &Stack, name: &str, confirm: &str) -> Result<Exit, CliError> {
    if name != confirm {
        return Err(CliError::said(format!(
            "nothing was erased: to erase everything of {name} for good, write --confirm {name}"
        )));
    }
    let id = TenantId::parse(name).map_err(|error| CliError::said(error.to_string()))?;
    let tenant = stack.store.tenant(id.clone());
    let known = stack.store.tenants().await?.contains(&id);
    if !known && tenant.count_everything().await?.values().all(|count| *count == 0) {
        // The tables come before what follows them: who repeats this may have stopped in between, and somebody may have saved
        // a password while they went.
        let schedules = remove_schedules(stack, &id).await?;
        let secrets = remove_secrets(stack, &id).await?.len();
        output::line(format!("secrets: {secrets}"))?;
        return match remove_dead_letters(stack, &id).await? {
            0 if schedules == 0 && secrets == 0 => Err(CliError::said(format!(
                "there is no tenant {name}, and nothing is left of one: nothing was erased"
            ))),
            removed => nothing_is_kept(name, removed),
        };
    }
    remove_schedules(stack, &id).await?;
    wait_for_runs(&tenant).await?;
    let mut secrets = remove_secrets(stack, &id).await?;
    output::line(format!("accounts: {}", remove_accounts(stack, &tenant).await?))?;
    let mut erased = tenant.erase_everything().await?;
    // By the settings that were still there, somebody may have saved, and orders may have been imported, while they went.
    remove_schedules(stack, &id).await?;
    let is_idle = wait_for_import(stack).await?;
    for (table, count) in tenant.erase_everything().await? {
        *erased.entry(table).or_default() += count;
    }
    secrets.extend(remove_secrets(stack, &id).await?);
    output::line(format!("secrets: {}", secrets.len()))?;
    for (table, count) in erased {
        output::line(format!("{table}: {count}"))?;
    }
    if !is_idle {
        eprintln!(
            "renkei: orders were being imported. If some of {name} were queued among them, they become dead letters within \
             the hour: run this again then"
        );
    }
    // What was under way when the settings went may have ended here meanwhile.
    nothing_is_kept(name, remove_dead_letters(stack, &id).await?)
}

/// Says how many there were.
async fn remove_schedules(stack: &Stack, tenant: &TenantId) -> Result<usize, CliError> {
    let removed = renkei_setup::schedules::remove_all(&stack.setup()?.schedules, tenant).await?;
    output::line(format!("schedules: {removed}"))?;
    Ok(removed)
}

/// Waits for the end of imports that began by settings which are gone by now. False if there may still be messages of
/// merchants, whosever they are.
async fn wait_for_import(stack: &Stack) -> Result<bool, CliError> {
    let mut waited = Duration::ZERO;
    while stack.dead_letters()?.queued_orders().await? > 0 {
        if waited >= LONGEST_IMPORT {
            return Ok(false);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        waited += BETWEEN_LOOKS;
    }
    Ok(true)
}

/// Looks again where somebody else has dead letters in hand, whosever they are. What is still in hand then, or was not looked
/// through, is an error: this is to be repeated.
async fn remove_dead_letters(stack: &Stack, tenant: &TenantId) -> Result<usize, CliError> {
    let theirs = Wanted { tenant: Some(tenant), ..Wanted::default() };
    let dead_letters = stack.dead_letters()?;
    let (mut count, mut looks) = (0, 0);
    loop {
        // Before this looks itself: AWS counts some seconds late.
        let in_hand = dead_letters.in_hand().await?;
        let removed = dead_letters.remove(theirs).await?;
        count += removed.count;
        let is_last = in_hand == 0 || looks == LOOKS_AGAIN;
        if is_last && removed.unreadable > 0 {
            eprintln!(
                "renkei: {} dead letters cannot be read, and may be anybody's: they stay; see `renkei dead-letters list`",
                removed.unreadable
            );
        }
        if removed.more {
            return Err(CliError::said(format!(
                "{count} dead letters of {tenant} are removed, and there are more dead letters than could be looked \
                 through: run this again"
            )));
        }
        if in_hand == 0 {
            return Ok(count);
        }
        if is_last {
            return Err(CliError::said(format!(
                "{count} dead letters of {tenant} are removed, and about {in_hand} dead letters are in somebody else's \
                 hands, whosever they are: run this again in a minute"
            )));
        }
        if looks == 0 {
            eprintln!("renkei: somebody else looks at dead letters; looking again after them, for a minute or so");
        }
        looks += 1;
        tokio::time::sleep(LONGEST_IN_HAND).await;
    }
}

fn nothing_is_kept(name: &str, dead_letters: usize) -> Result<Exit, CliError> {
    output::line(format!("dead letters: {dead_letters}"))?;
    output::line(format!("nothing is kept of {name}; backups of the tables end after 35 days"))?;
    Ok(Exit::Done)
}

/// Nothing starts a run any more; those under way come to an end within minutes, but for one that reads very many orders.
async fn wait_for_runs(tenant: &Tenant) -> Result<(), CliError> {
    // A back-fill keeps its beginning for hours, while hundreds begin after it: all runs are looked through, once.
    let mut open = BTreeSet::new();
    let mut from = None;
    loop {
        let page = tenant.runs(A_PAGE, from).await?;
        open.extend(without_end(page.rows));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut looks = 0;
    while let Some(run) = at_work(tenant, &open).await? {
        if looks == LOOKS {
            return Err(CliError::said(format!(
                "the run {} of {} is still at work, and nothing was erased yet. The schedules are removed, so no other \
                 begins; a back-fill may take hours. Run this again when `renkei runs` shows its end",
                run.id, run.robot
            )));
        }
        if looks == 0 {
            eprintln!("renkei: a run is under way; waiting for its end, 5 minutes at most");
        }
        looks += 1;
        tokio::time::sleep(BETWEEN_LOOKS).await;
        // What was queued before the schedules went may have begun meanwhile.
        open.extend(without_end(tenant.runs(A_PAGE, None).await?.rows));
    }
    Ok(())
}

fn without_end(runs: Vec<Run>) -> impl Iterator<Item = String> {
    runs.into_iter().filter(|run| run.state == RunState::Running).map(|run| run.id)
}

/// One of these runs that is still at work, if there is any.
async fn at_work(tenant: &Tenant, runs: &BTreeSet<String>) -> Result<Option<Run>, CliError> {
    for id in runs {
        // By itself: a list of runs does not have their calls.
        let run = tenant.run(id).await?;
        if let Some(run) = run.filter(|run| is_at_work(run, Timestamp::now())) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// By the last sign of life, which is the run's latest call: it keeps its name and its beginning however often it goes on.
fn is_at_work(run: &Run, now: Timestamp) -> bool {
    let seen = run.called.last().map_or(run.started_at, |call| call.at.max(run.started_at));
    let since = now.checked_sub(LONGEST_SILENCE.minutes()).unwrap_or(now);
    run.state == RunState::Running && seen >= since
}

/// Secrets of connections that were there in any version of the document. Gives their names.
async fn remove_secrets(stack: &Stack, tenant: &TenantId) -> Result<BTreeSet<String>, CliError> {
    let client = aws_sdk_secretsmanager::Client::new(&stack.aws);
    let prefix = format!("{}{tenant}/", stack.output("SecretPrefix")?);
    let by_name = Filter::builder().key(FilterNameStringType::Name).values(&prefix).build();
    let mut names = BTreeSet::new();
    let mut from = None;
    loop {
        let page = client
            .list_secrets()
            .filters(by_name.clone())
            .include_planned_deletion(true)
            .set_next_token(from)
            .send()
            .await
            .map_err(|error| AwsFailure::new("ListSecrets", &error))?;
        // Secrets Manager's own prefix search ignores case and may take a prefix for words.
        names.extend(
            page.secret_list
                .unwrap_or_default()
                .into_iter()
                .filter_map(|secret| secret.name)
                .filter(|name| name.starts_with(&prefix)),
        );
        from = page.next_token;
        if from.is_none() {
            break;
        }
    }
    for name in &names {
        // At once: a secret that can be got back is one that is kept.
        let deleted = client.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await;
        deleted.map_err(|error| AwsFailure::without_message("DeleteSecret", &error))?;
    }
    Ok(names)
}

/// Accounts of people who are members of nobody else, where the stack has them: of members, and of those who were, whose
/// account stays where an owner took them away in the console.
async fn remove_accounts(stack: &Stack, tenant: &Tenant) -> Result<usize, CliError> {
    let mut people: BTreeSet<Email> = tenant.members().await?.into_iter().map(|member| member.email).collect();
    let mut before: Option<String> = None;
    loop {
        let page = tenant.audit_log(A_PAGE, before.as_deref()).await?;
        people.extend(page.rows.iter().filter_map(|(_, entry)| member_of(entry)));
        before = page.rows.last().map(|(key, _)| key.clone());
        if page.next.is_none() || before.is_none() {
            break;
        }
    }
    let mut removed = 0;
    for email in &people {
        removed += usize::from(remove_account(stack, email, Some(tenant.id())).await?);
    }
    Ok(removed)
}

/// Whom an entry says that somebody made a member, or took away.
fn member_of(entry: &AuditEntry) -> Option<Email> {
    let is_of_members = entry.outcome == AuditOutcome::Done && entry.action.starts_with("member.");
    Email::parse(&entry.target).ok().filter(|_| is_of_members)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn settings(connections: &[&str], ship_froms: &[&str]) -> TenantSettings {
        let connections: Vec<Value> = connections.iter().map(|id| connection(id)).collect();
        let ship_froms: Vec<Value> = ship_froms.iter().map(|id| ship_from(id)).collect();
        let settings = json!({ "tenant": "hanako", "connections": connections, "ship_froms": ship_froms });
        serde_json::from_value(settings).unwrap()
    }

    fn connection(id: &str) -> Value {
        json!({ "id": id, "api": "ecforce", "api_url": "https://api.hanako.example", "ship_from": "dc",
                "daily_call_limit": 1_000 })
    }

    fn ship_from(id: &str) -> Value {
        json!({ "id": id, "name": "倉庫", "postal_code": "135-0064", "prefecture": "東京都", "address": "江東区見本町1-1",
                "phone": "03-0000-0000", "warehouse": "w" })
    }

    #[test]
    fn places_that_were_taken_out_of_the_document_are_exported_too() {
        let history = [settings(&["old-shop", "shop"], &["old-dc"]), settings(&["shop"], &["dc"])];
        let places = Places::of(&history);
        assert_eq!(places.connections.iter().map(ConnectionId::as_str).collect::<Vec<_>>(), ["old-shop", "shop"]);
        assert_eq!(places.ship_froms.iter().map(ShipFromId::as_str).collect::<Vec<_>>(), ["dc", "old-dc"]);
    }

    #[test]
    fn former_members_are_known_by_what_was_done() {
        let entry = |action: &str, target: &str, outcome| AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            by: "owner@hanako.example".to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome,
            note: String::new(),
        };
        let of = |action, target, outcome| member_of(&entry(action, target, outcome)).map(String::from);
        for action in ["member.add", "member.remove"] {
            let email = "former@hanako.example";
            assert_eq!(of(action, email, AuditOutcome::Done).as_deref(), Some(email));
        }
        assert_eq!(of("member.add", "stranger@else.example", AuditOutcome::Refused), None, "it was only tried");
        assert_eq!(of("page", "former@hanako.example", AuditOutcome::Done), None);
        assert_eq!(of("member.add", "/t/hanako/members", AuditOutcome::Done), None);
    }

    fn run(state: &str, started_at: &str, last_call: Option<&str>) -> Run {
        let mut run: Run = serde_json::from_value(json!({
            "id": "r", "connection": "shop", "robot": "shop/fetch-orders", "action": "fetch-orders", "cause": "hand",
            "state": state, "started_at": started_at,
        }))
        .unwrap();
        let call = last_call.map(|at| json!({ "t": at, "l": "fetch", "m": "GET", "p": "x", "d": 9 }));
        run.called = call.into_iter().map(|call| serde_json::from_value(call).unwrap()).collect();
        run
    }

    #[test]
    fn a_run_that_began_long_ago_is_at_work_as_long_as_it_calls() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let long_ago = "2026-11-25T02:00:00Z";
        assert!(is_at_work(&run("running", "2026-11-25T11:50:00Z", None), now), "it has not called yet");
        assert!(is_at_work(&run("running", long_ago, Some("2026-11-25T11:40:00Z")), now), "a back-fill");
        assert!(!is_at_work(&run("running", long_ago, Some("2026-11-25T02:10:00Z")), now), "it died");
        assert!(!is_at_work(&run("running", long_ago, None), now), "it died before its first call");
        assert!(!is_at_work(&run("done", long_ago, Some("2026-11-25T11:40:00Z")), now));
    }
}
