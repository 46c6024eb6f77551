//! What people are told without looking: a line to a webhook, in the form that Slack and what imitates it take.
//!
//! Operators have one webhook for their whole deployment, which alarms go to. Each merchant may have one of its own
//! ([`Notices`]): there its staff read, at most once an hour, which of their robots failed, left something for a person,
//! stand still, or wait: for the next day's calls, which is told once a day, or for the shop to bear another sign-in.
//! Nothing of a customer is in it, only numbers and the robots' own sentences, and where to look. Runs have those
//! sentences in English; their Japanese is that of the console's pages (`renkei-words`).
//!
//! An address of a webhook is a secret: who has it may write there. It is kept in Secrets Manager, guarded as shops'
//! addresses are (it was typed by a person, and is called from within our network), and shown nowhere.

mod digest;
mod notices;
mod webhook;

pub use digest::{Digest, digest};
pub use notices::{Notices, NoticesError, Seen};
pub use webhook::{Messenger, TellError, WebhookAddress, WebhookError};
