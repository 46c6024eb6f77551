//! What is wrong with a connection, each thing in a sentence of its own: `renkei connection test`, and the console's page
//! of a shop.
//!
//! It asks the shop through the gate as any robot does, with at most four calls and one sign-in, and changes nothing
//! there. What cannot be known without a write is said to be unknown.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use renkei_domain::gate::Lane;
use renkei_domain::jst;
use renkei_domain::settings::Connection;
use renkei_ecforce::{Direction, Error, MAX_PER, OrderQuery, PageRequest, SortBy};
use renkei_platform::secrets::SecretsError;
use renkei_store::Tenant;

use crate::token::token_key;
use crate::{Session, SessionRequest, ShopError, Shops};

/// Whose calls these are in the quota.
const ROBOT: &str = "connection-test";

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Ok,
    /// It is wrong, and has to be corrected.
    Wrong,
    /// Cannot be told without a write, or from what the shop has at the moment.
    Unknown,
}

impl Verdict {
    /// The sign that people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "○",
            Self::Wrong => "×",
            Self::Unknown => "？",
        }
    }
}

/// What was found out about one thing.
#[derive(Debug)]
pub struct Finding {
    /// About what: `url`, `sign-in`, `token`, `firewall`, `rights`, `stock-rights`, `state-fetch`, `state-working`,
    /// `state-shipped` or `stock-location`.
    pub check: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// In English, with what to do about it.
    pub sentence: String,
    /// The same in Japanese.
    pub sentence_ja: String,
}

/// What a test found, and what it cost.
#[derive(Debug)]
pub struct Diagnosis {
    /// What was found, in the order in which it was asked.
    pub findings: Vec<Finding>,
    /// Calls that the shop has counted for it, sign-ins and repetitions included.
    pub calls: u32,
    /// Why it ended before everything was asked: the day's calls are spent, the shop wants to be left alone, another run
    /// has it, time is over, or something of ours failed. Says nothing about the connection.
    pub ended: Option<ShopError>,
}

impl Diagnosis {
    /// Is anything wrong?
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Wrong)
    }
}

fn finding(
    check: &'static str,
    verdict: Verdict,
    sentence: impl Into<String>,
    sentence_ja: impl Into<String>,
) -> Finding {
    Finding { check, verdict, sentence: sentence.into(), sentence_ja: sentence_ja.into() }
}

impl Shops {
    /// Tests a connection. After `patience` no further call is begun: one that is under way then is waited for.
    pub async fn diagnose(&self, tenant: &Tenant, connection: &Connection, patience: Duration) -> Diagnosis {
        let request = SessionRequest {
            connection,
            holder: format!("{ROBOT}-{}", ulid::Ulid::generate()),
            robot: ROBOT,
            lane: Lane::Fetch,
            deadline: Instant::now() + patience,
            after_failure: false,
        };
        // A process that lives on may know a token of credentials that were replaced since.
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.remove(&token_key(tenant, connection));
        }
        let email = connection.email.as_deref().unwrap_or(&self.service_email);
        let mut session = match self.open(tenant, request).await {
            Ok(session) => session,
            Err(error) => {
                let (findings, ended) = match explain(error, connection, email) {
                    Ok(finding) => (vec![finding], None),
                    Err(error) => (Vec::new(), Some(error)),
                };
                return Diagnosis { findings, calls: 0, ended };
            }
        };
        let mut findings = Vec::new();
        let asked = ask(&mut session, connection, email, &mut findings).await;
        let calls = session.calls();
        let left = session.leave().await;
        Diagnosis { findings, calls, ended: asked.and(left).err() }
    }
}

/// Asks the shop, as far as its answers go.
async fn ask(
    session: &mut Session,
    connection: &Connection,
    email: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), ShopError> {
    let latest = OrderQuery::new().sort(SortBy::Id, Direction::Descending).per(MAX_PER);
    let page = match session.call(async |client, token| client.orders(token, &latest).await).await {
        Ok(page) => page,
        Err(error) => {
            findings.push(explain(error, connection, email)?);
            return Ok(());
        }
    };
    let host = &connection.api_url;
    findings.push(finding("url", Verdict::Ok, format!("{host} answers"), format!("{host} から応答がありました")));
    findings.push(finding("sign-in", Verdict::Ok, "the shop took the credentials", "認証できました"));
    findings.push(finding("rights", Verdict::Ok, "orders may be read", "受注を参照できます"));
    let seen: BTreeSet<String> = page.orders.iter().flatten().map(|order| order.state.clone()).collect();

    let waiting = OrderQuery::new().state_eq(&connection.states.fetch).per(1);
    match session.call(async |client, token| client.orders(token, &waiting).await).await {
        Ok(page) => findings.push(fetch_state(&connection.states.fetch, page.rows > 0, page.meta.total_count, &seen)),
        Err(error) => findings.push(explain(error, connection, email)?),
    }
    findings.push(written_state("state-working", &connection.states.working, &seen));
    findings.push(written_state("state-shipped", &connection.states.shipped, &seen));

    let Some(code) = &connection.stock_location_code else { return Ok(()) };
    let first = PageRequest::new(1, MAX_PER);
    match session.call(async |client, token| client.stock_items(token, first).await).await {
        Ok(page) => {
            let codes = page.records.iter().flatten().filter_map(|item| item.stock_location_code.clone()).collect();
            findings.push(location(code, &codes, page.is_last(MAX_PER)));
        }
        Err(ShopError::Shop(Error::Forbidden { page: false, .. })) => findings.push(finding(
            "stock-rights",
            Verdict::Wrong,
            "stock may not be read: give the API user the right to stock at the shop",
            "在庫を参照する権限がありません。ショップの管理画面で、ecforceのログインアカウントに在庫の権限を付けてください",
        )),
        Err(error) => findings.push(explain(error, connection, email)?),
    }
    Ok(())
}

fn listed(words: &BTreeSet<String>) -> String {
    if words.is_empty() {
        return "-".to_owned();
    }
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn nearest<'a>(word: &str, seen: &'a BTreeSet<String>) -> Option<&'a String> {
    seen.iter()
        .filter(|other| strsim::osa_distance(word, other) <= word.chars().count().div_ceil(3))
        .min_by_key(|other| strsim::osa_distance(word, other))
}

/// A shop answers a state that it does not have as it answers one in which there is no order.
fn fetch_state(state: &str, found: bool, total: Option<u64>, seen: &BTreeSet<String>) -> Finding {
    const CHECK: &str = "state-fetch";
    if found {
        let total = total.map(|total| total.to_string()).unwrap_or_default();
        return finding(
            CHECK,
            Verdict::Ok,
            format!("orders are in the state {state:?} ({total} by the shop's count)"),
            format!("対応状況「{state}」の受注があります（{total}件）"),
        );
    }
    if seen.contains(state) {
        return finding(
            CHECK,
            Verdict::Ok,
            format!("the state {state:?} exists; no order is in it now"),
            format!("対応状況「{state}」は存在します。いま該当する受注はありません"),
        );
    }
    if let Some(near) = nearest(state, seen) {
        return finding(
            CHECK,
            Verdict::Wrong,
            format!(
                "no order is in the state {state:?}, but orders are in {near:?}: correct states.fetch in the document"
            ),
            format!(
                "対応状況「{state}」の受注がなく、「{near}」の受注があります。\
                 取得する対応状況（states.fetch）を確認してください"
            ),
        );
    }
    finding(
        CHECK,
        Verdict::Unknown,
        format!(
            "no order is in the state {state:?}: either none waits, or the shop has no such state. States of its latest \
             orders: {}",
            listed(seen)
        ),
        format!(
            "対応状況「{state}」の受注がありません（該当なしか、対応状況の名前違いかは区別できません）。最近の受注の対応状況: {}",
            listed(seen)
        ),
    )
}

/// A state that we only write: the shop says whether it has it when something is written.
fn written_state(check: &'static str, state: &str, seen: &BTreeSet<String>) -> Finding {
    if seen.contains(state) {
        return finding(
            check,
            Verdict::Ok,
            format!("the state {state:?} exists"),
            format!("対応状況「{state}」は存在します"),
        );
    }
    finding(
        check,
        Verdict::Unknown,
        format!(
            "none of the shop's latest orders is in {state:?}; whether the state exists shows only when an order is moved to \
             it. States seen: {}",
            listed(seen)
        ),
        format!(
            "最近の受注に対応状況「{state}」はありません。存在するかどうかは実際に変更するまで確認できません。見つかった対応状況: {}",
            listed(seen)
        ),
    )
}

fn location(code: &str, seen: &BTreeSet<String>, last: bool) -> Finding {
    const CHECK: &str = "stock-location";
    if seen.contains(code) {
        return finding(
            CHECK,
            Verdict::Ok,
            format!("the stock location {code:?} exists"),
            format!("在庫ロケーションコード「{code}」は存在します"),
        );
    }
    if last && !seen.is_empty() {
        return finding(
            CHECK,
            Verdict::Wrong,
            format!(
                "the shop has no stock in a location {code:?}: correct stock_location_code. Its locations are {}",
                listed(seen)
            ),
            format!(
                "在庫ロケーションコード「{code}」が見つかりません。設定の在庫ロケーションコード（stock_location_code）を\
                 確認してください。ショップのコード: {}",
                listed(seen)
            ),
        );
    }
    finding(
        CHECK,
        Verdict::Unknown,
        format!(
            "the location {code:?} is not on the first page of the shop's stock; locations there: {}",
            listed(seen)
        ),
        format!(
            "在庫一覧の1ページ目に在庫ロケーションコード「{code}」がありません。見つかったコード: {}",
            listed(seen)
        ),
    )
}

/// What a failure says about the connection; the failure itself where it says nothing about it.
fn explain(error: ShopError, connection: &Connection, email: &str) -> Result<Finding, ShopError> {
    let host = &connection.api_url;
    let wrong_url = |why: String, why_ja: &str| {
        finding(
            "url",
            Verdict::Wrong,
            format!("the API URL {host} is wrong: {why}"),
            format!("API URL「{host}」が正しくありません。{why_ja}"),
        )
    };
    Ok(match error {
        ShopError::Address(why) => wrong_url(why.to_string(), "形式を確認してください"),
        ShopError::Shop(error @ (Error::UnknownHost { .. } | Error::AddressRefused { .. })) => {
            wrong_url(error.to_string(), "このホスト名は見つからないか、公開されたアドレスではありません")
        }
        ShopError::Shop(error @ Error::Connect { .. }) => {
            wrong_url(format!("{error} (or the shop is down)"), "接続できません（ショップの停止中の可能性もあります）")
        }
        ShopError::Shop(error @ Error::Redirect { .. }) => {
            wrong_url(error.to_string(), "別のアドレスに転送されます。APIのアドレスを設定してください")
        }
        ShopError::Shop(Error::NotFound { .. }) => {
            wrong_url("there is no ecforce API at this address".to_owned(), "このアドレスにecforceのAPIがありません")
        }
        ShopError::Shop(error @ Error::BadBody(_)) => wrong_url(
            format!("{error}; is this the address of the shop's API?"),
            "APIの応答ではありません。APIのアドレスか、ショップがメンテナンス中でないか確認してください",
        ),
        ShopError::SignInRefused(_) if connection.token.is_some() => finding(
            "token",
            Verdict::Wrong,
            "the shop refuses the token: get a new one from the shop, enter it and apply the document again",
            "トークンが拒否されました。ショップで新しいトークンを取得し、「設定」のAPI認証設定で登録し直すか、\
             入力して設定文書をもう一度適用してください",
        ),
        ShopError::SignInRefused(_) => finding(
            "sign-in",
            Verdict::Wrong,
            format!(
                "the shop refuses e-mail or password (it does not say which): is {email} an API user of the shop, and the \
                 password right? Enter it and apply the document again"
            ),
            format!(
                "メールアドレスかパスワードが違います（どちらかはショップの応答では区別できません）。{email} \
                 がecforceのログインアカウントとして登録されているか、パスワードが正しいか確認し、\
                 「設定」のAPI認証設定で登録し直すか、入力して設定文書をもう一度適用してください"
            ),
        ),
        ShopError::BadToken(why) => finding(
            "token",
            Verdict::Wrong,
            why.to_string(),
            "トークンの形式が正しくありません。正しいトークンを「設定」のAPI認証設定で登録し直すか、\
             入力して設定文書をもう一度適用してください",
        ),
        ShopError::Secrets(error @ SecretsError::OtherAddress { .. }) => finding(
            if connection.token.is_some() { "token" } else { "sign-in" },
            Verdict::Wrong,
            error.to_string(),
            "登録されているパスワードまたはトークンは別のアドレス用のため、ショップを呼び出していません。\
             「設定」のAPI認証設定で登録し直すか、入力して設定文書をもう一度適用してください",
        ),
        ShopError::Shop(error @ Error::Forbidden { page: true, .. }) => finding(
            "firewall",
            Verdict::Wrong,
            error.to_string(),
            "ショップの前段のファイアウォールに拒否されました。ショップに接続の許可を依頼してください",
        ),
        ShopError::Shop(error @ Error::Forbidden { .. }) => finding(
            "rights",
            Verdict::Wrong,
            error.to_string(),
            "権限が足りません。ショップの管理画面で、ecforceのログインアカウントの権限を確認してください",
        ),
        ShopError::SignInsSpent { until } => finding(
            "sign-in",
            Verdict::Unknown,
            format!("the shop bears no further sign-in before {}; test again then", jst::display(until)),
            format!(
                "ショップへの認証の回数が1時間の上限に達しています。{} 以降にもう一度試してください",
                jst::display(until)
            ),
        ),
        other @ (ShopError::Closed(_)
        | ShopError::NotBefore { .. }
        | ShopError::Busy
        | ShopError::LeaseLost
        | ShopError::OutOfTime
        | ShopError::Http(_)
        | ShopError::Store(_)
        | ShopError::Secrets(_)
        | ShopError::Queue(_)
        | ShopError::Shop(_)) => return Err(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_state_without_orders_is_wrong_only_where_a_near_one_has_some() {
        let verdict = |state: &str, found, seen: &[&str]| fetch_state(state, found, Some(3), &states(seen)).verdict;
        assert_eq!(verdict("complete", true, &[]), Verdict::Ok);
        assert_eq!(verdict("complete", false, &["complete", "working"]), Verdict::Ok);
        assert_eq!(verdict("compleet", false, &["complete", "working"]), Verdict::Wrong);
        assert_eq!(verdict("confirmed", false, &["complete", "working"]), Verdict::Unknown);
        assert_eq!(verdict("complete", false, &[]), Verdict::Unknown);
    }

    #[test]
    fn a_location_is_wrong_only_if_all_of_the_stock_was_seen() {
        assert_eq!(location("default", &states(&["default"]), true).verdict, Verdict::Ok);
        assert_eq!(location("defalt", &states(&["default"]), true).verdict, Verdict::Wrong);
        assert_eq!(location("other", &states(&["default"]), false).verdict, Verdict::Unknown);
        assert_eq!(location("default", &states(&[]), true).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_is_not_seen_of_a_written_state_is_unknown_and_never_wrong() {
        assert_eq!(written_state("state-working", "working", &states(&["working"])).verdict, Verdict::Ok);
        assert_eq!(written_state("state-working", "wroking", &states(&["working"])).verdict, Verdict::Unknown);
    }
}
