//! A merchant's own notices: switched on and off by its staff, looked after by the hour.
//!
//! Whoever looks posts first and notes then what was told. If it dies in between, the same is told once more; if two look
//! at the same moment, both tell. Nothing is passed over: a message that did not arrive is told with the next look.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::run::Run;
use renkei_platform::secrets::{ConnectionSecrets, SecretsError};
use renkei_store::notices::{NoticeLang, NoticeState};
use renkei_store::settings::AppliedSettings;
use renkei_store::{StoreError, Tenant};
use renkei_words::robots;
use secrecy::ExposeSecret;

use crate::digest::{Reader, digest};
use crate::webhook::{Messenger, TellError, WebhookAddress, WebhookError};

/// Runs that are read at a time, and at most in one look.
const A_PAGE: i32 = 50;
const AT_MOST: usize = 3_000;
/// A run may begin so long before its end is looked at.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(26);
/// The list of runs follows their ends a moment behind, and clocks of functions differ.
const SETTLES: SignedDuration = SignedDuration::from_mins(2);

/// What notices need of a stack.
pub struct Notices {
    /// Where the webhooks' addresses are.
    pub secrets: ConnectionSecrets,
    /// What posts.
    pub messenger: Messenger,
    /// Where people find the console, without a slash at its end.
    pub console: String,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This merchant's staff are not told.
    Off,
    /// Nothing new.
    Nothing,
    /// It was told.
    Told,
    /// It could not be told; the next look tries again.
    NotTold,
}

/// Why notices could not be switched on or looked after.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    /// What was typed is no webhook. Permanent.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The webhook did not take the first message, so nothing was switched on.
    #[error("nothing was switched on: {0}")]
    NotTaken(TellError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl Notices {
    /// Tells a merchant's staff from now on. A first message is posted before anything is kept: an address that takes none
    /// is not kept. Repeating it is safe.
    pub async fn switch_on(
        &self,
        tenant: &Tenant,
        typed: &str,
        lang: NoticeLang,
        by: &str,
        now: Timestamp,
    ) -> Result<(), NoticesError> {
        let address = self.messenger.address(typed)?;
        self.messenger.post(&address, &first(tenant, lang, &self.console)).await.map_err(NoticesError::NotTaken)?;
        self.secrets.put_webhook(tenant.id(), address.secret()).await?;
        loop {
            let before = tenant.notices().await?;
            if tenant.put_notices(&NoticeState::begin(before.as_ref(), lang, by, now)).await? {
                return Ok(());
            }
        }
    }

    /// Tells them no more, and forgets the address. Says whether they were told until now.
    pub async fn switch_off(&self, tenant: &Tenant) -> Result<bool, NoticesError> {
        let was = tenant.end_notices().await?;
        let had = self.secrets.delete_webhook(tenant.id()).await?;
        Ok(was || had)
    }

    /// Looks whether there is something new, and tells it.
    pub async fn look(&self, tenant: &Tenant, applied: &AppliedSettings, now: Timestamp) -> Result<Seen, NoticesError> {
        let Some(state) = tenant.notices().await? else { return Ok(Seen::Off) };
        let until = (now - SETTLES).max(state.told_until);
        let runs: Vec<Run> = runs_since(tenant, state.told_until - LONGEST_RUN)
            .await?
            .into_iter()
            .filter(|run| run.ended_at.is_none_or(|ended| ended <= until))
            .collect();
        let silent = tenant.silent_robots(applied, now).await?;
        let own = robots::own(&applied.settings);
        let reader = Reader { tenant: tenant.id(), own: &own, console: &self.console };
        let found = digest(reader, &state, &runs, &silent, now);
        let mut next = NoticeState { silent: found.silent, blocked: found.blocked, ..state.clone() };
        let seen = match &found.text {
            None => Seen::Nothing,
            Some(text) => match self.tell(tenant, text).await? {
                Ok(()) => {
                    (next.told_at, next.failure) = (Some(now), None);
                    Seen::Told
                }
                Err(why) => {
                    tracing::warn!(tenant = %tenant.id(), %why, "staff could not be told; the next look tries again");
                    // What was not told stays to be told.
                    next = NoticeState { failure: Some(why.clone()), ..state.clone() };
                    Seen::NotTold
                }
            },
        };
        if seen != Seen::NotTold {
            next.told_until = until;
        }
        let is_worth_a_write = seen != Seen::Nothing
            || next.silent != state.silent
            || next.blocked != state.blocked
            || !runs.is_empty() && state.told_until < now - SignedDuration::from_hours(6);
        if is_worth_a_write && !tenant.put_notices(&next).await? {
            tracing::info!(tenant = %tenant.id(), "notices were changed meanwhile; the next look sees to it");
        }
        Ok(seen)
    }

    async fn tell(&self, tenant: &Tenant, text: &str) -> Result<Result<(), String>, NoticesError> {
        let Some(kept) = self.secrets.webhook(tenant.id()).await? else {
            return Ok(Err("the webhook's address is gone: enter it again".to_owned()));
        };
        // Checked again: the deployment's ranges may have changed since.
        let address: WebhookAddress = match self.messenger.address(kept.expose_secret()) {
            Ok(address) => address,
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok(self.messenger.post(&address, text).await.map_err(|error| error.to_string()))
    }
}

fn first(tenant: &Tenant, lang: NoticeLang, console: &str) -> String {
    let tenant = tenant.id();
    match lang {
        NoticeLang::Ja => format!(
            "【Renkei】{tenant}: 通知を設定しました。ロボットの失敗・要対応・停止・API上限を、1時間に1回までここにお知らせします。\n{console}/t/{tenant}"
        ),
        NoticeLang::En => format!(
            "[Renkei] {tenant}: notices are on. Robots that fail, need a person, stand still or wait for the next day's \
             calls are told here, once an hour at most.\n{console}/t/{tenant}"
        ),
    }
}

/// The newest first.
async fn runs_since(tenant: &Tenant, since: Timestamp) -> Result<Vec<Run>, StoreError> {
    let mut runs = Vec::new();
    let mut from = None;
    loop {
        let page = tenant.runs(A_PAGE, from).await?;
        let older = page.rows.last().is_some_and(|run| run.started_at < since);
        runs.extend(page.rows);
        from = page.next;
        if from.is_none() || older || runs.len() >= AT_MOST {
            return Ok(runs);
        }
    }
}
