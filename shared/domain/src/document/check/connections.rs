//! Ship-froms and connections.

use std::collections::HashMap;

use super::super::nearest::{nearest, quoted};
use super::super::problem::Report;
use super::{CheckUrl, exists, filled, unique};
use crate::payment::Meaning;
use crate::prefecture;
use crate::settings::{Connection, TenantSettings};

/// The batch size that is proven with the shop's API.
const PROVEN_BATCH: u16 = 100;
/// The longest time between two calls that still makes sense, in milliseconds.
const LONGEST_INTERVAL: u32 = 60_000;
/// Variables that are the machine's or another tool's, in capitals; `*` stands for any end. A merchant writes the document
/// and an operator applies it: by such a name the operator's own secrets would be sent to a host of the merchant's choice.
const OF_OTHERS: [&str; 25] = [
    "AWS_*", "RENKEI_*", "AMAZON_*", "GITHUB_*", "GITLAB_*", "CI_*", "AZURE_*", "GOOGLE_*", "GCP_*", "SSH_*", "GPG_*",
    "NPM_*", "PYPI_*", "CARGO_*", "DOCKER_*", "KUBE*", "LD_*", "PATH", "HOME", "USER", "SHELL", "HOSTNAME", "LANG",
    "PWD", "TERM",
];

/// Brings each shop's address into its normal form.
pub(super) fn addresses(settings: &mut TenantSettings, check_url: CheckUrl<'_>, report: &mut Report<'_>) {
    for (at, connection) in settings.connections.iter_mut().enumerate() {
        let path = format!("connections[{at}].api_url");
        if !filled(report, path.clone(), &connection.api_url) {
            continue;
        }
        match check_url(connection.api_url.trim()) {
            Ok(normal) => connection.api_url = normal,
            Err(sentence) => report.problem(path, sentence),
        }
    }
}

pub(super) fn ship_froms(settings: &TenantSettings, report: &mut Report<'_>) {
    unique(report, "ship_froms", "id", settings.ship_froms.iter().map(|from| from.id.as_str()));
    for (at, from) in settings.ship_froms.iter().enumerate() {
        let path = |key: &str| format!("ship_froms[{at}].{key}");
        filled(report, path("name"), &from.name);
        filled(report, path("address"), &from.address);
        filled(report, path("phone"), &from.phone);
        let digits = from.postal_code.chars().filter(char::is_ascii_digit).count();
        if digits != 7 || from.postal_code.chars().any(|c| !c.is_ascii_digit() && c != '-') {
            let sentence = format!(
                "{} is not a postal code: it has seven digits, such as \"135-0064\"",
                quoted(&from.postal_code)
            );
            report.problem(path("postal_code"), sentence);
        }
        if !prefecture::ALL.contains(&from.prefecture.as_str()) {
            let hint = nearest(&from.prefecture, prefecture::ALL).map_or_else(
                || ": write it in full, such as 東京都".into(),
                |near| format!(": did you mean {near:?}?"),
            );
            report.problem(path("prefecture"), format!("{} is not a prefecture{hint}", quoted(&from.prefecture)));
        }
    }
}

pub(super) fn connections(settings: &TenantSettings, report: &mut Report<'_>) {
    unique(report, "connections", "id", settings.connections.iter().map(|connection| connection.id.as_str()));
    let ship_froms: Vec<&str> = settings.ship_froms.iter().map(|from| from.id.as_str()).collect();
    let mut shops: HashMap<&str, usize> = HashMap::new();
    for (at, connection) in settings.connections.iter().enumerate() {
        let path = |key: &str| format!("connections[{at}].{key}");
        exists(report, path("ship_from"), "ship-from", connection.ship_from.as_str(), &ship_froms);
        credentials(at, connection, report);
        pace(at, connection, report);
        states(at, connection, report);
        payment_states(at, connection, report);
        if connection.stock_location_code.as_deref().is_some_and(|code| code.trim().is_empty()) {
            report.problem(path("stock_location_code"), "this is empty: write the code, or leave the key out");
        }
        if let Some(first) = shops.insert(&connection.api_url, at) {
            let sentence = format!(
                "the connection {} reaches the same shop: its orders are imported twice and both spend the same calls",
                quoted(settings.connections[first].id.as_str())
            );
            report.warning(path("api_url"), sentence);
        }
        if !settings.integration_robots.easy_setup.iter().any(|setup| setup.connection == connection.id) {
            report
                .warning(path("id"), "no robot works for this connection: name it in `integration_robots.easy_setup`");
        }
    }
}

fn credentials(at: usize, connection: &Connection, report: &mut Report<'_>) {
    let path = |key: &str| format!("connections[{at}].{key}");
    match (&connection.password, &connection.token) {
        (Some(_), None) | (None, Some(_)) => {}
        (None, None) => report.problem(
            format!("connections[{at}]"),
            "the credential is missing: write `password: { env: NAME }`, or `token: { env: NAME }`",
        ),
        (Some(_), Some(_)) => {
            report.problem(
                path("token"),
                "write either `password` or `token`, not both: only one can be used to sign in",
            );
        }
    }
    for (key, source) in [("password", &connection.password), ("token", &connection.token)] {
        let Some(source) = source else { continue };
        let name = source.env.as_str();
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            // It may be the secret itself, so it is not repeated.
            report.problem(
                format!("connections[{at}].{key}.env"),
                "this is not the name of an environment variable: use letters, digits and `_`, such as SHOP_PASSWORD, and \
                 keep the secret itself out of the document",
            );
        } else if is_of_others(name) {
            let sentence = format!(
                "{} is not a merchant's: variables that belong to the machine or to other tools are not read; name one of \
                 its own, such as MIDORI_ECFORCE_PASSWORD",
                quoted(name)
            );
            // What is in force may have such a name from before; it is only where a value would be read that it is refused.
            report.warning(format!("connections[{at}].{key}.env"), sentence);
        }
    }
    if let Some(email) = &connection.email {
        if !is_plausible(email) {
            report.problem(path("email"), format!("{} is not an e-mail address", quoted(email)));
        } else if connection.token.is_some() {
            report.warning(path("email"), "a token is used to sign in, so this e-mail address is not");
        }
    }
}

/// Does a variable of this name belong to the machine or to another tool?
#[must_use]
pub fn is_of_others(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    OF_OTHERS.iter().any(|known| match known.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *known,
    })
}

fn is_plausible(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '@');
    email.len() <= 254
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn pace(at: usize, connection: &Connection, report: &mut Report<'_>) {
    let path = |key: &str| format!("connections[{at}].{key}");
    if connection.daily_call_limit == 0 {
        report.problem(
            path("daily_call_limit"),
            "with 0 calls a day nothing can be done: write the number in the shop's contract, such as 10000",
        );
    }
    if connection.call_interval_ms > LONGEST_INTERVAL {
        let sentence = format!(
            "{} ms between two calls is more than a minute: write 0 to {LONGEST_INTERVAL}, usually 1000",
            connection.call_interval_ms
        );
        report.problem(path("call_interval_ms"), sentence);
    } else if connection.call_interval_ms < 100 {
        report.warning(
            path("call_interval_ms"),
            "calls follow each other almost without a pause: a real shop refuses that; usual is 1000",
        );
    }
    if connection.batch_size == 0 {
        report.problem(path("batch_size"), "a write of 0 records does nothing: write 1 to 100");
    } else if connection.batch_size > PROVEN_BATCH {
        let sentence = format!(
            "{} records in one write is more than the {PROVEN_BATCH} that are proven: the shop may refuse the whole write",
            connection.batch_size
        );
        report.warning(path("batch_size"), sentence);
    }
}

fn states(at: usize, connection: &Connection, report: &mut Report<'_>) {
    let states = &connection.states;
    let path = |key: &str| format!("connections[{at}].states.{key}");
    let single = [("fetch", &states.fetch), ("working", &states.working), ("shipped", &states.shipped)];
    for (position, (key, state)) in single.iter().enumerate() {
        if !filled(report, path(key), state) {
            continue;
        }
        if let Some((first, _)) = single[..position].iter().find(|(_, other)| other == state) {
            let sentence = format!(
                "{} is the state for `{first}` already: with the same state twice, orders would be taken again and again",
                quoted(state)
            );
            report.problem(path(key), sentence);
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, state) in states.cancelled.iter().enumerate() {
        let path = path(&format!("cancelled[{index}]"));
        if !filled(report, path.clone(), state) {
            continue;
        }
        if let Some((key, _)) = single.iter().find(|(_, other)| *other == state) {
            let sentence =
                format!("{} is the state for `{key}` already: orders in it would be cancelled", quoted(state));
            report.problem(path, sentence);
        } else if seen.contains(&state.as_str()) {
            report.problem(path, format!("{} stands in this list twice", quoted(state)));
        } else {
            seen.push(state);
        }
    }
}

fn payment_states(at: usize, connection: &Connection, report: &mut Report<'_>) {
    let table = &connection.payment_states;
    let mut first: HashMap<&str, String> = HashMap::new();
    for (key, list) in [("paid", &table.paid), ("wait", &table.wait), ("cancelled", &table.cancelled)] {
        for (index, state) in list.iter().enumerate() {
            let own = format!("connections[{at}].payment_states.{key}[{index}]");
            if !filled(report, own.clone(), state) {
                continue;
            }
            if let Some(before) = first.get(state.as_str()) {
                let on_line = report.on_line(before);
                let sentence =
                    format!("{} is named twice, first{on_line}: a payment state has one meaning", quoted(state));
                report.problem(own, sentence);
                continue;
            }
            let meaning = table.meaning(state);
            if state == "pending" && meaning == Meaning::Paid {
                report.warning(
                    own.clone(),
                    "`pending` (入金待ち) counts as paid here: orders that nobody has paid yet will be shipped",
                );
            }
            first.insert(state, own);
        }
    }
}
