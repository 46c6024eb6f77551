//! 設定: ship-froms, shops (never their credentials), shipping methods, products, members.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use futures::future::try_join;
use renkei_domain::member::{Email, Role};
use renkei_domain::settings::{Product, ShippingMethod, TenantSettings};
use renkei_store::audit::AuditOutcome;
use renkei_store::members::{Member, MemberChange};
use serde::Deserialize;

use super::confirm::{self, Question, SURE};
use super::setting_fields::Kind;
use super::{Form, Page};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::{Shell, grouped, role_label};

/// Products that are shown.
const PRODUCTS: usize = 500;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    s: Shell,
    settings: TenantSettings,
    version: u64,
    applied_at: String,
    applied_by: String,
    products: Vec<Product>,
    more_products: usize,
    members: Vec<Member>,
    /// What was just done.
    done: Option<String>,
    /// What was just done about a member.
    member_done: Option<&'static str>,
    /// A shop that was just saved, and should be tested.
    tested: Option<String>,
    roles: Vec<(&'static str, &'static str)>,
}

impl SettingsPage {
    fn role(&self, member: &Member) -> &'static str {
        role_label(self.s.lang, member.role)
    }
    fn limit(&self, limit: &u32) -> String {
        grouped(*limit)
    }
    fn carriers(&self, method: &ShippingMethod) -> String {
        let ids: Vec<String> = method.carrier_ids.iter().map(|(shop, id)| format!("{shop}: {id}")).collect();
        ids.join(", ")
    }
}

/// What the address says: what a form did, and to which.
#[derive(Deserialize)]
pub struct After {
    saved: Option<Kind>,
    removed: Option<Kind>,
    id: Option<String>,
    /// What was done about a member.
    done: Option<String>,
}

impl After {
    fn done(&self, lang: Lang) -> Option<String> {
        let words = |kind: Kind| kind.words(lang);
        match (self.saved, self.removed) {
            (Some(kind), _) => Some(match lang {
                Lang::Ja => format!("{}を保存しました。", words(kind)),
                Lang::En => format!("Saved: the {}.", words(kind)),
            }),
            (None, Some(kind)) => Some(match lang {
                Lang::Ja => format!("{}を削除しました。", words(kind)),
                Lang::En => format!("Removed: the {}.", words(kind)),
            }),
            (None, None) => None,
        }
    }

    fn member_done(&self, lang: Lang) -> Option<&'static str> {
        match self.done.as_deref()? {
            "member" => Some(lang.of(
                "担当者を登録しました。この人がまだサインインできない場合は、運用者に招待の送信（renkei member add）を依頼してください。",
                "The member is registered. If they cannot sign in yet, ask your operator to send the invitation \
                 (renkei member add).",
            )),
            "member-removed" => Some(lang.of("担当者を外しました。", "The member is removed.")),
            _ => None,
        }
    }

    /// The shop that was saved, if there is one.
    fn tested(&self, settings: &TenantSettings) -> Option<String> {
        let id = self.id.as_deref().filter(|_| self.saved == Some(Kind::Connection))?;
        settings.connections.iter().find(|connection| connection.id.as_str() == id).map(|it| it.id.to_string())
    }
}

/// Shows them.
pub async fn show(Extension(caller): Extension<Caller>, Query(after): Query<After>) -> Page {
    let applied = caller.settings().await?;
    let (mut products, members) = try_join(caller.tenant.products(), caller.tenant.members()).await?;
    let more_products = products.len().saturating_sub(PRODUCTS);
    products.truncate(PRODUCTS);
    let lang = caller.shell.lang;
    let page = SettingsPage {
        done: after.done(lang),
        member_done: after.member_done(lang),
        tested: after.tested(&applied.settings).filter(|_| caller.shell.may("admin")),
        version: applied.version,
        applied_at: caller.shell.full_time(&applied.at),
        applied_by: applied.by,
        settings: applied.settings,
        products,
        more_products,
        // Who else works here is for those who may say so; a viewer sees none of their addresses.
        members: if caller.role >= Role::Admin { members } else { Vec::new() },
        roles: Role::ALL.map(|role| (role.as_str(), role_label(lang, role))).to_vec(),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

fn email(form: &Form) -> Result<Email, Problem> {
    Email::parse(form.get("email")).map_err(|_| {
        Problem::bad(
            "メールアドレスの形が正しくありません。",
            "This is not an e-mail address such as hanako@shop.example.",
        )
    })
}

/// What is said where nothing was changed.
fn changed(change: MemberChange) -> Result<(), Problem> {
    match change {
        MemberChange::Done => Ok(()),
        // There would be no one left to say who may.
        MemberChange::LastOwner => Err(Problem::new(
            StatusCode::CONFLICT,
            "最後の所有者は外せません。先に別の所有者を登録してください。",
            "The last owner cannot be taken away. Make somebody else an owner first.",
        )),
        MemberChange::NotThere => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "このメールアドレスの担当者は登録されていません。",
            "There is no member with this address.",
        )),
    }
}

/// Makes somebody a member, or changes their role.
pub async fn put_member(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let email = email(&form)?;
    let role: Role = form.get("role").parse().map_err(|_| Problem::bad("役割を選んでください。", "Choose a role."))?;
    changed(caller.tenant.put_member(&email, role, caller.now).await?)?;
    caller.audit("member.add", email.as_str(), AuditOutcome::Done, role.as_str()).await?;
    Ok(back(&caller.shell, "member"))
}

/// Takes a membership away; it ends with the member's next click.
pub async fn remove_member(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let email = email(&form)?;
    if !form.has(SURE) {
        if caller.tenant.member(&email).await?.is_none() {
            changed(MemberChange::NotThere)?;
        }
        return Ok(ask_to_remove(&caller.shell, form, &email)?.into_response());
    }
    changed(caller.tenant.remove_member(&email).await?)?;
    caller.audit("member.remove", email.as_str(), AuditOutcome::Done, "").await?;
    Ok(back(&caller.shell, "member-removed"))
}

fn ask_to_remove(shell: &Shell, form: Form, email: &Email) -> Page {
    let said = match shell.lang {
        Lang::Ja => format!("{email} を外します。次の操作から使えなくなります。"),
        Lang::En => format!("{email} is removed, and can do nothing here from their next click on."),
    };
    let question = Question {
        title: shell.l("担当者を外す", "Remove the member"),
        of: email.as_str(),
        said: vec![said],
        address: "/members/remove",
        back: "/settings#members",
    };
    confirm::ask(shell, form, question)
}

/// To the members, where it is said what was done.
fn back(shell: &Shell, done: &str) -> Response {
    let to = shell.to(&format!("/settings?done={done}#members"));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_about_a_member_is_looked_up() {
        let said = |done: Option<&str>| {
            let after = After { saved: None, removed: None, id: None, done: done.map(str::to_owned) };
            after.member_done(Lang::Ja).unwrap_or_default()
        };
        assert!(said(Some("member")).contains("renkei member add"));
        assert_eq!(said(Some("member-removed")), "担当者を外しました。");
        assert_eq!((said(Some("<b>anything</b>")), said(None)), ("", ""));
    }
}
