//! Commands that have commands of their own, such as `renkei products import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use renkei_domain::member::{Email, Role};
use renkei_setup::dead_letters::QUEUES;

/// Products.
#[derive(Debug, Subcommand)]
pub enum ProductsCommand {
    /// List them.
    List {
        /// Only this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Add products, or replace those with the same SKU. Orders that waited for them are imported by themselves.
    Import {
        /// CSV, UTF-8 or `Shift_JIS`, with the headings `sku`, `name`, `stock_buffer`, `not_for_sale`, `temperature` (商品コード,
        /// 商品名, 安全在庫, 販売対象外, 温度帯).
        #[arg(required_unless_present = "from_shop", conflicts_with = "from_shop")]
        file: Option<PathBuf>,
        /// From this shop instead: the SKUs that are not known yet.
        #[arg(long, value_name = "CONNECTION")]
        from_shop: Option<String>,
        /// Of this merchant; may be left out where there is one.
        #[arg(long)]
        tenant: Option<String>,
        /// Only say what would be imported. A shop is asked for its first page only.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What to read again.
#[derive(Debug, Args)]
pub struct BackfillArgs {
    /// The connection.
    pub connection: String,
    /// The first day, in Japan: 2026-11-24.
    #[arg(long, value_name = "DATE")]
    pub from: String,
    /// The last day, in Japan; it is included.
    #[arg(long, value_name = "DATE")]
    pub to: String,
    /// Of this merchant, where two have a shop of this name.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Return when everything that was found is imported.
    #[arg(long)]
    pub wait: bool,
    /// Give up waiting after so many seconds.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    pub timeout: u64,
    /// The run as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Shops.
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Say what is wrong with a connection: URL, e-mail or password, token, rights, firewall, states, location code.
    Test {
        /// The connection.
        id: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// Shipments out to warehouses, and their results in, as files.
#[derive(Debug, Subcommand)]
pub enum FilesCommand {
    /// The layouts that there are.
    Layouts,
    /// Write shipments into a file, such as a carrier's label software reads.
    Export {
        /// The layout: `yamato-b2`, `sagawa-ehiden3`, `standard`, or a file with a layout of your own.
        #[arg(long)]
        layout: String,
        /// The shop.
        #[arg(long)]
        connection: String,
        /// Of this merchant, where two have a shop of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// Those in this status: ready or picking.
        #[arg(long, default_value = "ready")]
        status: String,
        /// Of those that are picking, only what was claimed at this moment or since, such as 2026-11-25T09:30; without a
        /// zone it is Japan's. By it the file of a lost claim is made again.
        #[arg(long, value_name = "MOMENT")]
        claimed_since: Option<String>,
        /// Of what is ready, only what is to leave by this day (出荷予定日), such as 2026-11-25, or `all`; today in Japan if
        /// left out. What names no day is always written.
        #[arg(long, value_name = "DAY|all")]
        ship_until: Option<String>,
        /// Only those with this shipping method, by its id in the document. May be given several times.
        #[arg(long = "method")]
        methods: Vec<String>,
        /// What the layout's columns ask for that differ by merchant. May be given several times.
        #[arg(long = "set", value_name = "NAME=TEXT")]
        set: Vec<String>,
        /// Leave out shipments that cannot be written, instead of writing nothing.
        #[arg(long)]
        skip: bool,
        /// Take them: ready becomes picking.
        #[arg(long)]
        claim: bool,
        /// The file; it must not exist yet.
        #[arg(long)]
        out: PathBuf,
    },
    /// Read a file of counts: `商品コード,数量,計数日時` (or `sku,quantity,counted_at`) in UTF-8.
    Counts {
        /// The ship-from that was counted, by its id in the document.
        #[arg(long)]
        ship_from: String,
        /// The merchant, where there are several.
        #[arg(long)]
        tenant: Option<String>,
        /// The file.
        file: PathBuf,
    },
    /// Read a file of results: tracking numbers and dates of what left.
    Results {
        /// The layout, as for export.
        #[arg(long)]
        layout: String,
        /// Only shipments of this merchant.
        #[arg(long)]
        tenant: Option<String>,
        /// The shop, where the file names orders only and there are several.
        #[arg(long)]
        connection: Option<String>,
        /// The file.
        file: PathBuf,
        /// One JSON object a row.
        #[arg(long)]
        json: bool,
    },
}

/// Members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Make a person a member, or give a member another role; makes the account to sign in with, too. Who has not signed
    /// in yet is sent the invitation again.
    Add {
        /// Their e-mail address.
        email: Email,
        /// Of this merchant.
        #[arg(long)]
        tenant: String,
        /// viewer reads; operator works shipments; admin changes settings; owner also says who may.
        #[arg(long)]
        role: Role,
        /// The password in this environment variable becomes that of their account, new or existing; no invitation is sent.
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
    /// Take a membership away; it ends with the person's next click. With the last one their account goes, too.
    Remove {
        /// Their e-mail address.
        email: Email,
        /// Of this merchant.
        #[arg(long)]
        tenant: String,
    },
}

/// The end of a contract with a merchant.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Write a merchant's document with its versions, shipments, orders that were not imported, counts, runs, members
    /// and audit log into a directory. Secrets are not among it.
    Export {
        /// Which merchant.
        tenant: String,
        /// An empty directory, or one to be made.
        #[arg(long, value_name = "DIRECTORY")]
        to: PathBuf,
    },
    /// Remove all that is kept of a merchant, for good.
    Erase {
        /// Which merchant.
        tenant: String,
        /// The merchant's name once more.
        #[arg(long, value_name = "TENANT")]
        confirm: String,
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
        /// Only those of this queue, by the function that reads it.
        #[arg(long, value_parser = QUEUES)]
        queue: Option<String>,
    },
}

/// Keys of warehouses.
#[derive(Debug, Subcommand)]
pub enum WarehouseKeyCommand {
    /// Make a key, and show it this one time. Those there were stay valid.
    Create {
        /// The warehouse, as a ship-from of the merchant's document names it.
        warehouse: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List them: all but the secret itself.
    List {
        /// Only this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Make a new one; the former stay valid for a while, so that nothing stands still meanwhile.
    Rotate {
        /// The warehouse, as a ship-from of the merchant's document names it.
        warehouse: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// For how many hours the former stay valid.
        #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap_hours: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take them back at once: all that are valid, or one.
    Revoke {
        /// The warehouse, as a ship-from of the merchant's document names it.
        warehouse: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// Only this one, by its id in the list.
        #[arg(long)]
        id: Option<String>,
    },
}

/// A merchant's own notices.
#[derive(Debug, Subcommand)]
pub enum NoticesCommand {
    /// Tell a merchant's staff from now on. A first message is sent at once; if it does not arrive, nothing is changed.
    On {
        /// The merchant.
        #[arg(long)]
        tenant: String,
        /// The webhook's address (of Slack, or of a chat that takes the same) is in this environment variable.
        #[arg(long, value_name = "NAME")]
        url_env: String,
        /// In which language: ja or en.
        #[arg(long, default_value = "ja", value_parser = ["ja", "en"])]
        lang: String,
    },
    /// Tell them no more, and forget the address.
    Off {
        /// The merchant.
        #[arg(long)]
        tenant: String,
    },
    /// List which merchants' staff are told, and how it went; never the addresses.
    List {
        /// Only this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// Addresses for shops' webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Make an address, and show it this one time. Those there were stay valid.
    Create {
        /// The shop's connection.
        connection: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List them: all but the secret itself.
    List {
        /// Only this merchant's.
        #[arg(long)]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Make a new one; the former stay valid for a while, so that nothing stands still meanwhile.
    Rotate {
        /// The shop's connection.
        connection: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// For how many hours the former stay valid.
        #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap_hours: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take them back at once: all that are valid, or one.
    Revoke {
        /// The shop's connection.
        connection: String,
        /// Of this merchant, where several have one of this name.
        #[arg(long)]
        tenant: Option<String>,
        /// Only this one, by its id in the list.
        #[arg(long)]
        id: Option<String>,
    },
}
