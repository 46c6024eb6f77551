//! The commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use renkei_domain::member::{Email, Role};

use crate::demo::DemoArgs;
use crate::local::LocalCommand;

/// Order robots for online shops: set up merchants, run robots, look at what they did.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// Which stack, and where.
    #[command(flatten)]
    pub at: At,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  renkei demo                                       see it work, on a stack of this machine
  renkei apply hanako.yaml                          set a merchant up
  renkei run hanako-ecforce/fetch-orders --wait     start a robot and wait for its end
  renkei shipments --status hold                    what is on hold, and why
  renkei quota                                      calls spent of each shop's daily limit";

/// Which stack, and where.
#[derive(Debug, Clone, Args)]
pub struct At {
    /// Name of the stack.
    #[arg(long, global = true, env = "RENKEI_STACK", default_value = "renkei")]
    pub stack: String,
    /// The local stack on this port. Without it: AWS as the environment has it, or else the local stack that runs.
    #[arg(long, global = true, env = "RENKEI_LOCAL_PORT", value_name = "PORT")]
    pub local: Option<u16>,
}

/// Which merchants and shops.
#[derive(Debug, Clone, Default, Args)]
pub struct Scope {
    /// Only this merchant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Only this shop.
    #[arg(long)]
    pub connection: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole main job on a stack of this machine, with made-up shops and orders.
    Demo(DemoArgs),
    /// Stacks on this machine.
    #[command(subcommand)]
    Local(LocalCommand),
    /// Set a merchant up by a document: all of it or nothing; twice is nothing.
    Apply {
        /// The document, YAML.
        file: PathBuf,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Shops.
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Start a robot.
    Run {
        /// The robot: `<connection>/fetch-orders`, `<connection>/state-working`, ….
        robot: String,
        /// Of this merchant, where two have a robot of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// Return when the run and everything it queued is done.
        #[arg(long)]
        wait: bool,
        /// Give up waiting after so many seconds.
        #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
        timeout: u64,
        /// The run as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shipments.
    Shipments {
        #[command(flatten)]
        scope: Scope,
        /// Only those in this status: hold, ready, picking, shipped, cancelled.
        #[arg(long)]
        status: Option<String>,
        /// At most so many; without it 50, or all with --json.
        #[arg(long)]
        limit: Option<usize>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// One shipment with everything: what the shop gave, what robots did, what happened.
    Shipment {
        /// Its id: `<connection>.<order id>.<parcel>`.
        id: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// What became of each order: imported, duplicate, quarantined, refused, and why.
    Orders {
        #[command(flatten)]
        scope: Scope,
        /// Only those with this outcome.
        #[arg(long)]
        outcome: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Try orders again that were not imported.
    Retry {
        #[command(flatten)]
        scope: Scope,
        /// Only this order, by the shop's id.
        #[arg(long)]
        order: Option<u64>,
    },
    /// Calls spent of each shop's daily limit.
    Quota {
        #[command(flatten)]
        scope: Scope,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Runs of robots, latest first.
    Runs {
        /// Only this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// At most so many of each merchant.
        #[arg(long, default_value_t = 50)]
        limit: i32,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Messages that could not be worked on.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Who may see and change what of a merchant.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Completion for a shell, on standard output.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

/// Shops.
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Say what is wrong with a connection: URL, e-mail, password, rights, location code, states, carriers.
    Test {
        /// The connection.
        id: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// Members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Make a person a member, or give a member another role; makes the account to sign in with, too.
    Add {
        /// Their e-mail address.
        email: Email,
        /// Of this merchant.
        #[arg(long)]
        tenant: String,
        /// viewer reads; operator works shipments; admin changes settings; owner also says who may.
        #[arg(long)]
        role: Role,
        /// Their password is in this environment variable: no invitation is sent.
        #[arg(long, value_name = "NAME")]
        password_env: Option<String>,
    },
    /// List members.
    List {
        /// Only of this merchant.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Take a membership away; it ends with the person's next click.
    Remove {
        /// Their e-mail address.
        email: Email,
        /// Of this merchant.
        #[arg(long)]
        tenant: String,
    },
}

/// Messages that could not be worked on.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, with the reason where it can be told.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Put them back onto their queues, once the cause is gone.
    Replay {
        /// Only this one, by its message id.
        #[arg(long)]
        id: Option<String>,
        /// Only those of this queue: fetch-orders, import-orders, push-statuses.
        #[arg(long)]
        queue: Option<String>,
    },
}
