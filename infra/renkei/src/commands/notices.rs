//! `renkei notices`: whether a merchant's staff are told of what needs them. The same as the console's page.

use jiff::Timestamp;
use renkei_notify::{Messenger, Notices};
use renkei_store::notices::NoticeLang;
use serde::Serialize;

use super::member;
use crate::cli::NoticesCommand;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// By the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct NoticesLine<'a> {
    tenant: &'a str,
    lang: NoticeLang,
    since: Timestamp,
    by: &'a str,
    last_message: Option<Timestamp>,
    failure: Option<&'a str>,
}

/// Carries out `renkei notices`.
pub async fn command(stack: &Stack, command: NoticesCommand) -> Result<Exit, CliError> {
    match command {
        NoticesCommand::On { tenant, url_env, lang } => {
            let (tenant, _) = stack.one_tenant(Some(&tenant)).await?;
            let url = std::env::var(&url_env).map_err(|_| {
                CliError::said(format!(
                    "the environment variable {url_env} is not set; it should hold the webhook's address"
                ))
            })?;
            let lang = if lang == "en" { NoticeLang::En } else { NoticeLang::Ja };
            let by = member::operator();
            notices(stack)?.switch_on(&tenant, &url, lang, &by, Timestamp::now()).await.map_err(said)?;
            member::write_down(&tenant, Timestamp::now(), "notices.on", "", "").await?;
            output::line(format!("the staff of {} are told from now on; a first message has arrived", tenant.id()))?;
        }
        NoticesCommand::Off { tenant } => {
            let (tenant, _) = stack.one_tenant(Some(&tenant)).await?;
            if notices(stack)?.switch_off(&tenant).await.map_err(said)? {
                member::write_down(&tenant, Timestamp::now(), "notices.off", "", "").await?;
                output::line(format!("the staff of {} are told no more", tenant.id()))?;
            } else {
                output::line(format!("the staff of {} were not told", tenant.id()))?;
            }
        }
        NoticesCommand::List { tenant, json } => list(stack, tenant.as_deref(), json).await?,
    }
    Ok(Exit::Done)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(error: renkei_notify::NoticesError) -> CliError {
    CliError::said(error.to_string())
}

fn notices(stack: &Stack) -> Result<Notices, CliError> {
    let messenger = Messenger::new(stack.allowed_addresses()?).map_err(|error| CliError::said(error.to_string()))?;
    let console = stack.output("ConsoleUrl")?.trim_end_matches('/').to_owned();
    Ok(Notices { secrets: stack.secrets()?, messenger, console })
}

async fn list(stack: &Stack, tenant: Option<&str>, json: bool) -> Result<(), CliError> {
    let mut rows = Vec::new();
    for (tenant, _) in stack.tenants(tenant).await? {
        let Some(state) = tenant.notices().await? else { continue };
        let line = NoticesLine {
            tenant: tenant.id().as_str(),
            lang: state.lang,
            since: state.since,
            by: &state.by,
            last_message: state.told_at,
            failure: state.failure.as_deref(),
        };
        if json {
            output::json_line(&line)?;
            continue;
        }
        rows.push(vec![
            line.tenant.to_owned(),
            renkei_domain::jst::display(line.since),
            output::plain(line.by),
            line.last_message.map(renkei_domain::jst::display).unwrap_or_default(),
            output::plain(line.failure.unwrap_or_default()),
        ]);
    }
    if !json {
        output::table(&["tenant", "since", "by", "last message", "why the last did not arrive"], &rows)?;
    }
    Ok(())
}
