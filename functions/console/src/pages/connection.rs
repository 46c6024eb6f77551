//! 接続テスト: what is wrong with a shop's connection, each thing in a sentence of its own; what `renkei connection test`
//! says.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use renkei_domain::jst;
use renkei_domain::settings::Connection;
use renkei_shop::ShopError;
use renkei_shop::diagnosis::{Diagnosis, Finding, Verdict};
use renkei_store::audit::AuditOutcome;

use super::{Page, sentences};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// Tests of one shop within a window, whoever asks for them: they spend its calls.
const TESTS: u64 = 6;
/// The window, in seconds.
const WINDOW: i64 = 600;
/// No call is begun after so long: the gateway waits for 29 seconds, and a call with its sign-in takes up to 16.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Template)]
#[template(path = "connection.html")]
struct ConnectionPage {
    s: Shell,
    connection: Connection,
    /// The address that merchants register for this service at their shop; empty if the deployment has none.
    service_email: String,
    result: Option<TestResult>,
}

struct TestResult {
    findings: Vec<Finding>,
    calls: u32,
    is_wrong: bool,
    ended: Option<String>,
}

impl ConnectionPage {
    fn check(&self, finding: &Finding) -> &'static str {
        label(self.s.lang, finding.check)
    }
    fn sentence(&self, finding: &Finding) -> String {
        match self.s.lang {
            Lang::Ja => sentences::times(&finding.sentence_ja),
            Lang::En => finding.sentence.clone(),
        }
    }
    fn verdict(&self, finding: &Finding) -> &'static str {
        match finding.verdict {
            Verdict::Ok => self.s.lang.of("正常", "right"),
            Verdict::Wrong => self.s.lang.of("要修正", "wrong"),
            Verdict::Unknown => self.s.lang.of("確認できません", "cannot be told"),
        }
    }
    fn class(&self, finding: &Finding) -> &'static str {
        match finding.verdict {
            Verdict::Ok => "good",
            Verdict::Wrong => "bad",
            Verdict::Unknown => "warn",
        }
    }
}

/// What a check is called here.
pub(super) fn label(lang: Lang, check: &str) -> &str {
    match check {
        "url" => "API URL",
        "sign-in" => lang.of("認証", "Sign-in"),
        "token" => lang.of("トークン", "Token"),
        "firewall" => lang.of("ファイアウォール", "Firewall"),
        "rights" => lang.of("受注の権限", "Rights to orders"),
        "stock-rights" => lang.of("在庫の権限", "Rights to stock"),
        "state-fetch" => lang.of("対応状況（取得）", "State to fetch"),
        "state-working" => lang.of("対応状況（作業中）", "State “working”"),
        "state-shipped" => lang.of("対応状況（出荷済み）", "State “shipped”"),
        "stock-location" => lang.of("在庫ロケーション", "Stock location"),
        other => other,
    }
}

/// Why a test ended before everything was asked.
pub(super) fn ended(lang: Lang, error: &ShopError) -> String {
    let (ja, en) = match error {
        ShopError::Closed(closure) => {
            let until = jst::display(closure.until);
            (
                format!(
                    "API呼び出しの上限に達しているため、{} まで呼び出せません。それ以降にもう一度テストしてください。",
                    sentences::times(&until)
                ),
                format!("The limit of calls is reached: none may be made before {until}. Test again then."),
            )
        }
        ShopError::NotBefore { until } => {
            let until = jst::display(*until);
            (
                format!(
                    "ショップが {} まで呼び出しを控えるよう求めています。それ以降にもう一度テストしてください。",
                    sentences::times(&until)
                ),
                format!("The shop wants no call before {until}. Test again then."),
            )
        }
        ShopError::Busy => (
            "ロボットがこのショップと通信中です。数分後にもう一度テストしてください。".to_owned(),
            "A robot is talking to this shop. Test again in a few minutes.".to_owned(),
        ),
        ShopError::OutOfTime | ShopError::LeaseLost => (
            "ショップの応答に時間がかかり、最後まで確認できませんでした。時間をおいてもう一度テストしてください。"
                .to_owned(),
            "The shop answers slowly: not everything could be asked. Test again later.".to_owned(),
        ),
        ShopError::Shop(error) => (
            format!(
                "ショップの応答が正常ではないため、最後まで確認できませんでした。時間をおいてもう一度テストしてください。（{}）",
                sentences::runs::said(Lang::Ja, &error.to_string()).trim_end_matches('。')
            ),
            format!("Not everything could be asked: {error}. Test again later."),
        ),
        other => {
            tracing::error!(error = other.for_log(), "a connection could not be tested");
            (
                "システムの問題でテストできませんでした。続く場合は運用者にご連絡ください。".to_owned(),
                "It could not be tested: something is wrong on our side. If it stays so, tell your operator."
                    .to_owned(),
            )
        }
    };
    lang.of(&ja, &en).to_owned()
}

async fn named(caller: &Caller, id: &str) -> Result<Connection, Problem> {
    let connections = caller.settings().await?.settings.connections;
    connections.into_iter().find(|connection| connection.id.as_str() == id).ok_or_else(Problem::not_found)
}

fn page(app: &App<Settings>, caller: Caller, connection: Connection, result: Option<TestResult>) -> Page {
    let service_email = app.part.shops.service_email().to_owned();
    Ok(Html(ConnectionPage { s: caller.shell, connection, service_email, result }.render()?))
}

/// Shows what a test would ask, and offers it.
pub async fn show(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path((_, id)): Path<(String, String)>,
) -> Page {
    let connection = named(&caller, &id).await?;
    page(&app, caller, connection, None)
}

/// A session with a shop lends itself to closures, and such a future cannot be proven to be `Send`, which a page's must be:
/// it runs on a thread of its own, and this process's runtime drives its connections.
async fn diagnose(app: &Arc<App<Settings>>, caller: &Caller, connection: &Connection) -> Result<Diagnosis, Problem> {
    let (app, tenant, connection) = (Arc::clone(app), caller.tenant.clone(), connection.clone());
    let runtime = tokio::runtime::Handle::current();
    let work =
        tokio::task::spawn_blocking(move || runtime.block_on(app.part.shops.diagnose(&tenant, &connection, PATIENCE)));
    work.await.map_err(|error| {
        tracing::error!(%error, "the test of a connection broke off");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "接続テストが途中で止まりました。もう一度お試しください。続く場合は運用者にご連絡ください。",
            "The test broke off. Try again; if it stays so, tell your operator.",
        )
    })
}

/// Tests it.
pub async fn test(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Path((_, id)): Path<(String, String)>,
) -> Page {
    let connection = named(&caller, &id).await?;
    let whose = format!("{}/{}", caller.tenant.id(), connection.id);
    if app.sessions.count("connection-test", &whose, WINDOW, caller.now).await? > TESTS {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "このショップの接続テストは10分間に6回までです。10分ほど待ってからもう一度お試しください。",
            "A shop is tested up to 6 times in 10 minutes. Wait 10 minutes and try again.",
        ));
    }
    let diagnosis = diagnose(&app, &caller, &connection).await?;
    let is_wrong = diagnosis.is_wrong();
    let found: Vec<String> =
        diagnosis.findings.iter().map(|it| format!("{} {}", it.verdict.label(), it.check)).collect();
    let note = format!("{}; {} calls", found.join(", "), diagnosis.calls);
    caller.audit("connection.test", connection.id.as_str(), AuditOutcome::Done, note).await?;
    let result = TestResult {
        findings: diagnosis.findings,
        calls: diagnosis.calls,
        is_wrong,
        ended: diagnosis.ended.map(|error| ended(caller.shell.lang, &error)),
    };
    page(&app, caller, connection, Some(result))
}
