//! The commands, one file each.

mod anew;
mod apply;
mod backfill;
mod connection;
mod counts;
mod dead_letters;
mod doctor;
mod dry_run;
mod files;
mod grants;
mod member;
mod notices;
mod orders;
mod plan;
mod products;
mod quota;
mod refused;
mod run;
mod runs;
mod shipments;
mod stock;
mod tenant;
mod try_robot;
mod versions;

use std::io::Write as _;

use clap::CommandFactory;
use renkei_setup::Consents;

use crate::cli::{Cli, Command, ConnectionCommand, DeadLettersCommand, FilesCommand, MemberCommand, ProductsCommand};
use crate::error::{CliError, Exit};
use crate::stack::Stack;
use crate::{bench, demo, local, output, prove};

pub use apply::{Secrets, apply};
pub use dead_letters::put_back as replay_dead_letters;
pub use grants::create as create_grant;
pub use member::{LOCAL_PASSWORD, LOCAL_PEOPLE, local_accounts, put as put_member};
pub use run::{run, start};

/// Carries a command out.
#[expect(clippy::too_many_lines, reason = "a line or two for each command")]
pub async fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    let at = cli.at;
    match cli.command {
        Command::Demo(arguments) => Box::pin(demo::run_demo(arguments)).await,
        Command::Prove(arguments) => Box::pin(prove::prove(arguments)).await,
        Command::Bench(arguments) => Box::pin(bench::bench(arguments)).await,
        Command::Local(command) => local::run(command).await,
        Command::Completion { shell } => {
            // Into memory first: the generator panics where a write fails, and a closed pipe is no reason for that.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "renkei", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(Exit::Done)
        }
        Command::Apply { file, tenant, dry_run, leave_quarantined, same_shop } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| CliError::said(format!("{} cannot be read: {error}", file.display())))?;
            let consents = Consents { leave_quarantined, same_shop };
            let manner = apply::Manner { tenant: tenant.as_deref(), dry_run, consents };
            apply::apply_so(&Stack::open(&at).await?, &text, Secrets::Environment, manner, &output::line).await
        }
        Command::Export { tenant, version } => {
            versions::export(&Stack::open(&at).await?, tenant.as_deref(), version).await
        }
        Command::History { tenant, json } => versions::history(&Stack::open(&at).await?, tenant.as_deref(), json).await,
        Command::Rollback { tenant, to, dry_run } => {
            versions::rollback(&Stack::open(&at).await?, tenant.as_deref(), to, dry_run).await
        }
        Command::Plan { scope, orders_per_day, json } => {
            plan::list(&Stack::open(&at).await?, &scope, orders_per_day, json).await
        }
        Command::Connection(ConnectionCommand::Test { id, tenant }) => {
            connection::test(&Stack::open(&at).await?, tenant.as_deref(), &id, &output::line).await
        }
        Command::Run { robot, tenant, dry_run: true, json, .. } => {
            dry_run::command(&Stack::open(&at).await?, tenant.as_deref(), &robot, json).await
        }
        Command::Run { robot, tenant, wait, timeout, json, .. } => {
            run::command(&Stack::open(&at).await?, tenant.as_deref(), &robot, wait, timeout, json).await
        }
        Command::Backfill(arguments) => backfill::command(&Stack::open(&at).await?, &arguments).await,
        Command::Shipments { scope, status, limit, json } => {
            shipments::list(&Stack::open(&at).await?, &scope, status.as_deref(), limit, json).await
        }
        Command::Shipment { id, tenant, json } => {
            shipments::show_one(&Stack::open(&at).await?, tenant.as_deref(), &id, json).await
        }
        Command::Orders { scope, outcome, json } => {
            orders::list(&Stack::open(&at).await?, &scope, outcome.as_deref(), json).await
        }
        Command::Products(ProductsCommand::List { tenant, json }) => {
            products::list(&Stack::open(&at).await?, tenant.as_deref(), json).await
        }
        Command::Products(ProductsCommand::Import { file, from_shop, tenant, dry_run }) => {
            let stack = Stack::open(&at).await?;
            match (file, from_shop) {
                (_, Some(shop)) => products::import_shop(&stack, tenant.as_deref(), &shop, dry_run).await,
                (Some(file), None) => products::import_csv(&stack, tenant.as_deref(), &file, dry_run).await,
                (None, None) => Err(CliError::said("name a CSV file, or a shop with --from-shop")),
            }
        }
        Command::Try { robot, open: Some(shop), tenant, json, .. } => {
            try_robot::on_open(&Stack::open(&at).await?, tenant.as_deref(), &robot, &shop, json).await
        }
        Command::Try { robot, shipment, tenant, json, .. } => {
            let shipment = shipment.unwrap_or_default();
            try_robot::command(&Stack::open(&at).await?, tenant.as_deref(), &robot, &shipment, json).await
        }
        Command::Retry { scope, order: None, shipment: Some(id), capture, .. } => {
            refused::retry_one(&Stack::open(&at).await?, scope.tenant.as_deref(), &id, capture).await
        }
        Command::Retry { scope, refused: true, .. } => refused::retry_all(&Stack::open(&at).await?, &scope).await,
        Command::Retry { order: None, all: false, .. } => Err(CliError::said(
            "say what is tried again: --order ID or --all of the orders that were not imported, --shipment ID or \
             --refused of what the shop refused",
        )),
        Command::Retry { scope, order, .. } => orders::retry(&Stack::open(&at).await?, &scope, order).await,
        Command::Dismiss { scope, order, .. } => orders::dismiss(&Stack::open(&at).await?, &scope, order).await,
        Command::Anew { id, tenant } => anew::wish(&Stack::open(&at).await?, tenant.as_deref(), &id).await,
        Command::Stock { connection, tenant, drift, json } => {
            stock::list(&Stack::open(&at).await?, tenant.as_deref(), &connection, drift, json).await
        }
        Command::Files(FilesCommand::Layouts) => files::layouts(),
        Command::Files(FilesCommand::Export {
            layout,
            connection,
            tenant,
            status,
            claimed_since,
            ship_until,
            methods,
            set,
            skip,
            claim,
            out,
        }) => {
            let wanted = files::Wanted {
                tenant: tenant.as_deref(),
                connection: &connection,
                status: &status,
                claimed_since: claimed_since.as_deref(),
                ship_until: ship_until.as_deref(),
                methods: &methods,
                set: &set,
                skip,
            };
            files::export(&Stack::open(&at).await?, &layout, &wanted, claim, &out).await
        }
        Command::Files(FilesCommand::Counts { ship_from, tenant, file }) => {
            counts::read(&Stack::open(&at).await?, tenant.as_deref(), &ship_from, &file).await
        }
        Command::Files(FilesCommand::Results { layout, tenant, connection, file, json }) => {
            let (tenant, connection) = (tenant.as_deref(), connection.as_deref());
            files::results(&Stack::open(&at).await?, &layout, tenant, connection, &file, json).await
        }
        Command::Quota { scope, json } => quota::list(&Stack::open(&at).await?, &scope, json).await,
        Command::Runs { run: Some(run), tenant, calls, json, .. } => {
            runs::one(&Stack::open(&at).await?, tenant.as_deref(), &run, calls, json).await
        }
        Command::Runs { run: None, tenant, limit, json, .. } => {
            runs::list(&Stack::open(&at).await?, tenant.as_deref(), limit, json).await
        }
        Command::WarehouseKey(command) => grants::warehouse_key(&Stack::open(&at).await?, command).await,
        Command::Webhook(command) => grants::webhook(&Stack::open(&at).await?, command).await,
        Command::Notices(command) => notices::command(&Stack::open(&at).await?, command).await,
        Command::Member(MemberCommand::Add { email, tenant, role, password_env }) => {
            member::add(&Stack::open(&at).await?, &email, &tenant, role, password_env.as_deref()).await
        }
        Command::Member(MemberCommand::List { tenant, json }) => {
            member::list(&Stack::open(&at).await?, tenant.as_deref(), json).await
        }
        Command::Member(MemberCommand::Remove { email, tenant }) => {
            member::remove(&Stack::open(&at).await?, &email, &tenant).await
        }
        Command::Doctor { calls, json } => doctor::command(&Stack::open(&at).await?, calls, json).await,
        Command::Tenant(crate::cli::TenantCommand::Export { tenant, to }) => {
            tenant::export(&Stack::open(&at).await?, &tenant, &to).await
        }
        Command::Tenant(crate::cli::TenantCommand::Erase { tenant, confirm }) => {
            tenant::erase(&Stack::open(&at).await?, &tenant, &confirm).await
        }
        Command::DeadLetters(DeadLettersCommand::List { json }) => {
            dead_letters::list(&Stack::open(&at).await?, json).await
        }
        Command::DeadLetters(DeadLettersCommand::Replay { id, queue }) => {
            dead_letters::replay(&Stack::open(&at).await?, id.as_deref(), queue.as_deref()).await
        }
    }
}
