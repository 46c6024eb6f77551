//! What a robot's story is given of its run, and what it hands back: what it did when it came to its end, or why it stopped
//! before that and what it had done by then.

use std::collections::BTreeMap;
use std::time::Instant;

use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::work::StartRobot;
use renkei_store::{StoreError, Tenant};

use crate::error::ShopError;
use crate::session::Session;

/// One run at work, as its story sees it.
pub struct Work<'a> {
    /// The tenant's data.
    pub tenant: &'a Tenant,
    /// The tenant's settings.
    pub settings: &'a TenantSettings,
    /// The shop's settings.
    pub connection: &'a Connection,
    /// The run's name.
    pub run: &'a str,
    /// The message that started it.
    pub message: &'a StartRobot,
    /// The way to the shop.
    pub session: &'a mut Session,
}

/// A run at work that needs no shop: it calls none, and holds no gate.
pub struct Indoors<'a> {
    /// The tenant's data.
    pub tenant: &'a Tenant,
    /// The tenant's settings.
    pub settings: &'a TenantSettings,
    /// The shop's settings.
    pub connection: &'a Connection,
    /// The run's name.
    pub run: &'a str,
    /// The message that started it.
    pub message: &'a StartRobot,
    /// After this nothing is begun.
    pub deadline: Instant,
}

/// How a story ended that came to its end.
#[derive(Debug, Default)]
pub struct Told {
    /// What it did, counted by word.
    pub counts: BTreeMap<String, u64>,
    /// Pages of work that it queued for another function; the run ends when all of them are done. 0 if it queued none.
    pub queued_pages: u32,
    /// Records that need a person.
    pub for_a_person: u64,
    /// Why it could not do its work, in a sentence that says what to mend; the run has failed then.
    pub failure: Option<String>,
    /// What a person should know of, in sentences.
    pub notes: Vec<String>,
}

/// Why a story stopped before its end, and what it had done by then. The run goes on in another invocation, which sees only
/// what is left: what is not handed over here is in nobody's counts, and no person is told of it.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub error: ShopError,
    /// What it did, and will not do again; its `queued_pages` and `failure` say nothing.
    pub done: Box<Told>,
}

impl Stopped {
    /// A story's end, with what it did until then.
    ///
    /// # Errors
    /// The story's own, with what was done.
    pub fn or_told(ended: Result<(), ShopError>, done: Told) -> Result<Told, Self> {
        match ended {
            Ok(()) => Ok(done),
            Err(error) => Err(Self { error, done: Box::new(done) }),
        }
    }
}

impl From<ShopError> for Stopped {
    fn from(error: ShopError) -> Self {
        Self { error, done: Box::default() }
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        ShopError::from(error).into()
    }
}
