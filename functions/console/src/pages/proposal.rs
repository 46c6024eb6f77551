//! A proposal: settings that somebody wants in force. However it came about (the document, a robot's page, the easy
//! set-up), it is checked as a whole and put in force here, by the same code and in the same order as `renkei apply`.

use renkei_domain::document::{self, Document, Findings, Places};
use renkei_domain::ids::ConnectionId;
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_ecforce::ApiAddress;
use renkei_platform::secrets::{Credentials, SecretsError};
use renkei_setup::{Consents, Plan, SetupError, credential, kept, volume};
use renkei_store::audit::AuditOutcome;
use renkei_store::settings::AppliedSettings;
use secrecy::SecretString;

use super::sentences::changes;
use super::{Form, sentences};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::{App, Settings};

/// Problems and changes that a page lists.
const MOST: usize = 100;

/// What a connection signs in with, as far as a page says it: never the thing itself.
#[derive(Debug, Clone)]
pub struct SecretField {
    /// The connection.
    pub id: ConnectionId,
    /// Does it sign in with a ready-made token? Else with a password.
    pub is_token: bool,
    /// Nothing is stored that would do: it has to be entered.
    pub must: bool,
}

/// A text against what is in force.
pub struct Proposal {
    /// The text, as it came.
    pub text: String,
    /// The version that it was made from.
    pub version: u64,
    /// Settings in force.
    pub current: AppliedSettings,
    /// The connections' credentials.
    pub secrets: Vec<SecretField>,
    /// What may be put in force, or what is wrong.
    pub outcome: Result<Ready, Vec<String>>,
}

/// What may be put in force.
pub struct Ready {
    settings: TenantSettings,
    plan: Plan,
    /// What is allowed but worth a second look.
    pub warnings: Vec<String>,
}

impl Ready {
    /// What would change, a sentence each.
    pub fn changes(&self, lang: Lang) -> Vec<String> {
        let settings = self.plan.changes().iter().map(|change| changes::change(lang, change));
        let secrets = self.plan.secrets().map(|change| changes::secret(lang, change));
        settings.chain(secrets).take(MOST).collect()
    }

    /// What conversion robots make otherwise of the latest orders.
    pub fn tried(&self, lang: Lang) -> Vec<String> {
        self.plan.tried().iter().take(MOST).map(|change| changes::tried(lang, change)).collect()
    }
}

fn changed_meanwhile() -> Problem {
    Problem::new(
        axum::http::StatusCode::CONFLICT,
        "編集中に別の人が設定を変えました。何も適用していません。画面を開き直し、変更をやり直してください。",
        "Somebody else changed the settings meanwhile; nothing was applied. Open the page again and redo your change.",
    )
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Conflict { .. } => changed_meanwhile(),
            SetupError::Store(error) => error.into(),
            other => {
                tracing::error!(error = %other, "settings did not come into force, or not wholly");
                Self::new(
                    axum::http::StatusCode::SERVICE_UNAVAILABLE,
                    "設定の適用が途中で止まりました。同じ内容をもう一度適用すると、残りが完了します（二重にはなりません）。",
                    "Applying stopped on its way. Apply the same again: it completes what is missing and does nothing twice.",
                )
            }
        }
    }
}

/// A shop's address in its normal form, if this deployment may speak to it.
fn address(app: &App<Settings>, url: &str) -> Result<String, String> {
    match ApiAddress::parse(url, &app.part.policy) {
        Ok(address) => Ok(address.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a text as a document, with addresses that this deployment may speak to.
pub fn read(app: &App<Settings>, text: &str) -> Result<Document, Vec<document::Problem>> {
    document::read(text, &|url: &str| address(app, url))
}

/// What the checks say of settings that are no text yet.
pub fn findings(app: &App<Settings>, mut settings: TenantSettings) -> Findings {
    document::check(&mut settings, &Places::default(), &|url: &str| address(app, url))
}

/// Checks a text. Changes nothing.
pub async fn check(
    app: &App<Settings>,
    caller: &Caller,
    text: String,
    version: u64,
    form: Option<&Form>,
) -> Result<Proposal, Problem> {
    let current = caller.settings().await?;
    let document = match read(app, &text) {
        Ok(document) => document,
        Err(problems) => {
            let problems = problems.iter().take(MOST).map(ToString::to_string).collect();
            return Ok(Proposal { text, version, current, secrets: Vec::new(), outcome: Err(problems) });
        }
    };
    if document.settings.tenant != *caller.tenant.id() {
        let problem = caller.shell.l("tenant はこの契約企業のものではありません。", "`tenant` is not this company.");
        let outcome = Err(vec![problem.to_owned()]);
        return Ok(Proposal { text, version, current, secrets: Vec::new(), outcome });
    }
    let (secrets, credentials, problems) = credentials(app, caller, &current.settings, &document, form).await?;
    if !problems.is_empty() {
        return Ok(Proposal { text, version, current, secrets, outcome: Err(problems) });
    }
    let plan = app.part.setup.plan(&caller.tenant, &document.settings, credentials).await?;
    let problems = plan.problems(&caller.tenant, &document, Consents::default()).await?;
    let outcome = if problems.is_empty() {
        let mut warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        if form.is_none() {
            warnings.extend(volume::advice(&caller.tenant, &document.settings, caller.now).await?);
        }
        Ok(Ready { settings: document.settings, plan, warnings })
    } else {
        Err(problems)
    };
    Ok(Proposal { text, version, current, secrets, outcome })
}

/// What each connection signs in with: what was entered, else what is stored. `form` is None where nothing could be
/// entered yet; then what is missing is no problem, but has a field.
async fn credentials(
    app: &App<Settings>,
    caller: &Caller,
    current: &TenantSettings,
    document: &Document,
    form: Option<&Form>,
) -> Result<(Vec<SecretField>, Vec<(ConnectionId, Credentials)>, Vec<String>), Problem> {
    let (mut fields, mut found, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for connection in &document.settings.connections {
        let stored = if goes_to_the_same(current, connection) { stored(app, caller, connection).await? } else { None };
        fields.push(SecretField {
            id: connection.id.clone(),
            is_token: connection.token.is_some(),
            must: stored.is_none(),
        });
        let entered = form.map(|form| form.get(&format!("secret.{}", connection.id))).filter(|text| !text.is_empty());
        match (entered, stored) {
            (Some(secret), _) => match credential(connection, SecretString::from(secret)) {
                Ok(credentials) => found.push((connection.id.clone(), credentials)),
                Err(why) => problems.push(format!("{}: {why}", connection.id)),
            },
            (None, Some(stored)) => found.push((connection.id.clone(), stored)),
            (None, None) if form.is_none() => {}
            (None, None) => problems.push(format!(
                "{}: {}",
                connection.id,
                caller.shell.l("パスワードまたはトークンを入力してください。", "enter the password or token.")
            )),
        }
    }
    Ok((fields, found, problems))
}

/// Would what is stored be sent to where it was entered for? To nowhere else does it go unseen: whoever may change an
/// address must not be able to read a password by it. Of what an earlier release stored only the settings in force say so.
fn goes_to_the_same(current: &TenantSettings, connection: &Connection) -> bool {
    current.connection(&connection.id).is_some_and(|known| known.api_url == connection.api_url)
}

async fn stored(app: &App<Settings>, caller: &Caller, connection: &Connection) -> Result<Option<Credentials>, Problem> {
    match app.part.setup.secrets.credentials(caller.tenant.id(), &connection.id, &connection.api_url).await {
        Ok((stored, _)) => Ok(kept(connection, &stored)),
        Err(SecretsError::Missing { .. } | SecretsError::Unreadable { .. } | SecretsError::OtherAddress { .. }) => {
            Ok(None)
        }
        Err(error @ SecretsError::Aws { .. }) => Err(SetupError::from(error).into()),
    }
}

/// Puts a proposal in force, over the version that it was made from. Gives what is wrong with it otherwise.
pub async fn enforce(
    app: &App<Settings>,
    caller: &Caller,
    proposal: &Proposal,
) -> Result<Result<u64, Vec<String>>, Problem> {
    let ready = match &proposal.outcome {
        Ok(ready) => ready,
        Err(problems) if proposal.version == proposal.current.version => return Ok(Err(problems.clone())),
        Err(_) => return Err(changed_meanwhile()),
    };
    // Somebody may have saved since it was made, or between the two readings. If what is in force by now is what was asked
    // for, it was this same proposal, and it ended on its way: the rest is done.
    let is_in_force = ready.plan.count() == 0;
    if [proposal.current.version, ready.plan.version()] != [proposal.version; 2] && !is_in_force {
        return Err(changed_meanwhile());
    }
    let by = caller.email.as_str();
    let version = app.part.setup.put_in_force(&caller.tenant, &ready.settings, &ready.plan, caller.now, by).await?;
    let note = format!("version {version}, {} changes", ready.plan.count());
    let noted = caller.audit("settings.apply", caller.tenant.id().as_str(), AuditOutcome::Done, note).await;
    // By what is in force by then: somebody else may save while these are under way.
    let rest = async {
        app.part.setup.release(&caller.tenant).await?;
        app.part.setup.drop_secrets(&caller.tenant, &ready.plan).await?;
        app.part.setup.reconcile(&caller.tenant).await
    };
    if let Err(error) = rest.await {
        tracing::error!(%error, version, "settings are in force, what follows from them is not done");
        return Err(not_wholly(version));
    }
    noted?;
    Ok(Ok(version))
}

/// What was asked for is in force, and what follows from it ended on its way. Many forms cannot be sent again then: a robot
/// that is there by now cannot be added. The document can, as it is.
fn not_wholly(version: u64) -> Problem {
    Problem::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        format!(
            "設定は第{version}版として保存しましたが、続きの処理（待っている注文の取込、ロボットの開始時刻）が途中で止まりました。\
             「設定文書」を開き、そのまま検査して適用すると、残りが完了します（二重にはなりません）。"
        ),
        format!(
            "The settings are saved as version {version}, but what follows (orders that wait, when robots start) stopped on its \
             way. Open the settings document, check and apply it as it is: that completes the rest and does nothing twice."
        ),
    )
}

/// Changes the settings in force by a step that a page offers, checked as a whole like any other change.
pub async fn step(
    app: &App<Settings>,
    caller: &Caller,
    version: u64,
    change: impl FnOnce(&mut TenantSettings) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let proposal = proposed(app, caller, version, change).await?;
    enforce(app, caller, &proposal).await?.map_err(|problems| cannot_be(&problems))
}

/// What a step would change, a sentence each; or what stands against it. Changes nothing.
pub async fn step_changes(
    app: &App<Settings>,
    caller: &Caller,
    version: u64,
    change: impl FnOnce(&mut TenantSettings) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    let proposal = proposed(app, caller, version, change).await?;
    if proposal.version != proposal.current.version {
        return Err(changed_meanwhile());
    }
    let ready = proposal.outcome.map_err(|problems| cannot_be(&problems))?;
    Ok(ready.changes(caller.shell.lang))
}

async fn proposed(
    app: &App<Settings>,
    caller: &Caller,
    version: u64,
    change: impl FnOnce(&mut TenantSettings) -> Result<(), Problem>,
) -> Result<Proposal, Problem> {
    let mut settings = caller.settings().await?.settings;
    change(&mut settings)?;
    let nothing = Form::default();
    check(app, caller, document::write(&settings), version, Some(&nothing)).await
}

fn cannot_be(problems: &[String]) -> Problem {
    let list = |lang| {
        let said: Vec<String> = problems.iter().map(|problem| sentences::line(lang, problem)).collect();
        said.join(" / ")
    };
    Problem::new(
        axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        format!("この変更はできません。何も適用していません。{}", list(Lang::Ja)),
        format!("This cannot be; nothing was applied. {}", list(Lang::En)),
    )
}
