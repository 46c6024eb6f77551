//! The commands and their options.

mod groups;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use groups::{
    BackfillArgs, ConnectionCommand, DeadLettersCommand, FilesCommand, MemberCommand, NoticesCommand, ProductsCommand,
    TenantCommand, WarehouseKeyCommand, WebhookCommand,
};

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
        /// Apply it only if it is this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
        /// A connection that goes may leave orders in quarantine behind: they stay at the shop as they are.
        #[arg(long)]
        leave_quarantined: bool,
        /// A connection's new address is still the same shop's: its orders are those that are known here.
        #[arg(long)]
        same_shop: bool,
    },
    /// The document of a merchant as it is in force, on standard output.
    Export {
        /// Which merchant; not needed where there is one.
        #[arg(long)]
        tenant: Option<String>,
        /// As this version had it, instead of the one in force. Products are as they are now.
        #[arg(long)]
        version: Option<u64>,
    },
    /// The versions of a merchant's document, and what each changed.
    History {
        /// Which merchant; not needed where there is one.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Bring a former version of a merchant's document back into force, as a new version.
    Rollback {
        /// Which merchant; not needed where there is one.
        #[arg(long)]
        tenant: Option<String>,
        /// The version.
        #[arg(long)]
        to: u64,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Calls a day that robots will make, against each shop's limit, and what to change where it does not fit.
    Plan {
        #[command(flatten)]
        scope: Scope,
        /// Reckon with so many orders a day instead of what was imported lately.
        #[arg(long, value_name = "N")]
        orders_per_day: Option<u32>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
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
        /// Only say what it would do now, and the calls it would spend. fetch-orders reads up to ten pages of the
        /// shop for that, a call each.
        #[arg(long, conflicts_with = "wait")]
        dry_run: bool,
        /// Give up waiting after so many seconds.
        #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
        timeout: u64,
        /// The run as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read the orders of a range of dates again, after an outage: what is missing is imported.
    Backfill(BackfillArgs),
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
    /// Try again: orders that were not imported, or what the shop refused to be told of shipments.
    Retry {
        #[command(flatten)]
        scope: Scope,
        /// Only this order, by the shop's id.
        #[arg(long, conflicts_with_all = ["shipment", "refused", "all"])]
        order: Option<u64>,
        /// All orders that were not imported.
        #[arg(long, conflicts_with_all = ["shipment", "refused"])]
        all: bool,
        /// What the shop refused of this shipment, by its id.
        #[arg(long, conflicts_with = "refused")]
        shipment: Option<String>,
        /// What the shop refused of all shipments.
        #[arg(long)]
        refused: bool,
        /// With --shipment: somebody has looked at the shop, and the payment may be captured once more.
        #[arg(long, requires = "shipment")]
        capture: bool,
    },
    /// Take an order off the list of those that were not imported, because it was seen to at the shop. What is still to be
    /// fetched there comes back with the next fetch.
    Dismiss {
        #[command(flatten)]
        scope: Scope,
        /// The order, by the shop's id.
        #[arg(long, required_unless_present = "without_id")]
        order: Option<u64>,
        /// All rows of which not even an id could be read.
        #[arg(long, conflicts_with = "order")]
        without_id: bool,
    },
    /// 作り直し: have an order's shipments made anew from what the shop has now, such as an address that was mended there. They are
    /// on hold until a robot has done it, within seconds mostly.
    Anew {
        /// One of its shipments: `<connection>.<order id>.<parcel>`.
        id: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Products.
    #[command(subcommand)]
    Products(ProductsCommand),
    /// Try a conversion or processing robot on a stored shipment, or a processing robot on all open shipments of a shop: what
    /// it would change. Writes nothing.
    Try {
        /// The robot: its id, built in or of your own; 14448 is the standard conversion robot.
        robot: String,
        /// The shipment: `<connection>.<order id>.<parcel>`.
        #[arg(long, value_name = "ID", required_unless_present = "open")]
        shipment: Option<String>,
        /// All shipments of this shop that are on hold or ready.
        #[arg(long, value_name = "SHOP", conflicts_with = "shipment")]
        open: Option<String>,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// 在庫: what warehouses counted, what is reserved, what may be sold, and what the shop was told.
    Stock {
        /// The shop.
        connection: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// Read the shop's own stock too, a call for each hundred records, and compare.
        #[arg(long)]
        drift: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Shipments out to warehouses, and their results in, as files.
    #[command(subcommand)]
    Files(FilesCommand),
    /// Calls spent of each shop's daily limit.
    Quota {
        #[command(flatten)]
        scope: Scope,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Runs of robots, latest first; or one of them.
    Runs {
        /// Only this one.
        run: Option<String>,
        /// Its calls to the shop, one by one: the first and the latest.
        #[arg(long, requires = "run")]
        calls: bool,
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
    /// Look at everything of the stack, and say what is wrong and what to do.
    Doctor {
        /// Try each connection too: a sign-in and some calls to each shop.
        #[arg(long)]
        calls: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// The end of a contract with a merchant. Its beginning is `renkei apply`.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Prove on a stack of this machine that nothing is lost or done twice while everything around it breaks.
    Prove(crate::prove::ProveArgs),
    /// Keys of warehouses.
    #[command(subcommand)]
    WarehouseKey(WarehouseKeyCommand),
    /// Addresses for shops' webhooks.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// A merchant's own notices: what needs its staff, told to their chat.
    #[command(subcommand)]
    Notices(NoticesCommand),
    /// Measure on a stack of this machine what Renkei needs for its work.
    Bench(crate::bench::BenchArgs),
    /// Who may see and change what of a merchant.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Completion for a shell, on standard output.
    Completion {
        /// The shell.
        shell: Shell,
    },
}
