//! `renkei member`: who may see and change what of a merchant.
//!
//! A member is two things: a role at the merchant, kept by the store, and an account to sign in with. Where people sign in
//! at the stack's own user pool, `add` makes the account as well, and invites once more who has not signed in yet; with
//! another provider that is the provider's matter.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, DeliveryMediumType, MessageActionType, UserStatusType};
use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::member::{Email, Role};
use renkei_platform::aws::AwsFailure;
use renkei_store::Tenant;
use renkei_store::audit::{AuditEntry, AuditOutcome};
use renkei_store::members::{Member, MemberChange};
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// By the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct MemberLine<'a> {
    tenant: &'a str,
    email: &'a str,
    role: &'a str,
    since: Timestamp,
}

/// What became of the account to sign in with.
#[derive(Debug)]
pub enum Account {
    /// It is new.
    Made,
    /// It was there already.
    There,
    /// It was there, but nobody has signed in with it yet: the invitation is sent once more.
    InvitedAgain,
    /// It was there, and an invitation that may be due could not be sent.
    NotInvited(AwsFailure),
    /// People sign in at another provider.
    Elsewhere,
}

/// Makes a person a member, or gives a member another role.
pub async fn add(
    stack: &Stack,
    email: &Email,
    tenant: &str,
    role: Role,
    password_env: Option<&str>,
) -> Result<Exit, CliError> {
    let place = tenant_of(stack, tenant).await?;
    let password = match password_env {
        None => None,
        Some(name) => Some(std::env::var(name).map_err(|_| {
            CliError::said(format!("the environment variable {name} is not set; it should hold {email}'s password"))
        })?),
    };
    // The account first: a member without one could not sign in, an account without a role sees nothing.
    let account = make_account(stack, email, password.as_deref()).await?;
    put(&place, email, role).await?;
    output::line(format!("{email} is {role} of {tenant}"))?;
    output::line(said_of(&account, password.is_some(), stack.is_local)?)?;
    Ok(Exit::Done)
}

/// What is said of the account, once the role is given.
fn said_of(account: &Account, has_password: bool, is_local: bool) -> Result<&'static str, CliError> {
    Ok(match account {
        Account::Made if has_password => "they sign in with the password that you gave",
        Account::Made | Account::InvitedAgain if is_local => {
            "no mail leaves a stack of this machine: repeat the command with --password-env NAME, and they sign in with the \
             password in that variable"
        }
        Account::Made => "an invitation with a first password is on its way to this address",
        Account::There if has_password => {
            "they have an account already; its password is the one that you gave from now on"
        }
        Account::There => "they sign in with the account that they have",
        Account::InvitedAgain => {
            "they have not signed in yet: the invitation is sent again, with a first password that replaces the former"
        }
        Account::NotInvited(failure) => {
            return Err(CliError::said(format!(
                "the role is given, and they have an account; an invitation that they may still wait for could not be \
                 sent again: {failure}. Repeat the command for it"
            )));
        }
        Account::Elsewhere => "they sign in at your own provider, with this verified address",
    })
}

/// Gives a person a role, and writes that down.
pub async fn put(tenant: &Tenant, email: &Email, role: Role) -> Result<(), CliError> {
    let now = Timestamp::now();
    changed(tenant.put_member(email, role, now).await?, email, tenant.id().as_str())?;
    write_down(tenant, now, "member.add", email.as_str(), role.as_str()).await
}

/// Lists members.
pub async fn list(stack: &Stack, tenant: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for (place, _) in stack.tenants(tenant).await? {
        for member in place.members().await? {
            let line = MemberLine {
                tenant: place.id().as_str(),
                email: member.email.as_str(),
                role: member.role.as_str(),
                since: member.since,
            };
            if json {
                output::json_line(&line)?;
                continue;
            }
            rows.push(vec![
                line.tenant.to_owned(),
                output::plain(line.email),
                format!("{} ({})", line.role, member.role.label()),
                renkei_domain::jst::display(line.since),
            ]);
        }
    }
    if !json {
        output::table(&["tenant", "e-mail", "role", "since"], &rows)?;
    }
    Ok(Exit::Done)
}

/// Takes a membership away. It ends with the person's next click. With the last one their account goes, too.
pub async fn remove(stack: &Stack, email: &Email, tenant: &str) -> Result<Exit, CliError> {
    let place = tenant_of(stack, tenant).await?;
    let change = place.remove_member(email).await?;
    if change == MemberChange::Done {
        write_down(&place, Timestamp::now(), "member.remove", email.as_str(), "").await?;
        output::line(format!("{email} is no member of {tenant} any more"))?;
    }
    // Of who is no member either: an attempt before may have ended between the membership and the account.
    if change != MemberChange::LastOwner && remove_account(stack, email, None).await? {
        output::line(format!("the account of {email} is removed: they are a member nowhere"))?;
        return Ok(Exit::Done);
    }
    changed(change, email, tenant)?;
    Ok(Exit::Done)
}

/// What is said where nothing was changed.
fn changed(change: MemberChange, email: &Email, tenant: &str) -> Result<(), CliError> {
    match change {
        MemberChange::Done => Ok(()),
        MemberChange::LastOwner => Err(CliError::said(format!(
            "{email} is the last owner of {tenant}, who cannot be taken away: make somebody else an owner first, with \
             `renkei member add … --tenant {tenant} --role owner`"
        ))),
        MemberChange::NotThere => {
            Err(CliError::said(format!("{email} is no member of {tenant}; see `renkei member list`")))
        }
    }
}

async fn tenant_of(stack: &Stack, tenant: &str) -> Result<Tenant, CliError> {
    let id = TenantId::parse(tenant).map_err(|error| CliError::said(error.to_string()))?;
    let mut found = stack.tenants(Some(id.as_str())).await?;
    found
        .pop()
        .map(|(place, _)| place)
        .ok_or_else(|| CliError::said(format!("there is no tenant {tenant}; `renkei apply` its document first")))
}

/// Who works on this machine, as an audit log says it.
pub(super) fn operator() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    format!("renkei {}", name.chars().filter(|c| !c.is_control()).take(60).collect::<String>())
}

/// Writes down what an operator did.
pub(super) async fn write_down(
    tenant: &Tenant,
    at: Timestamp,
    action: &str,
    target: &str,
    note: &str,
) -> Result<(), CliError> {
    let entry = AuditEntry {
        at,
        by: operator(),
        action: action.to_owned(),
        target: target.to_owned(),
        outcome: AuditOutcome::Done,
        note: note.to_owned(),
    };
    Ok(tenant.audit(&ulid::Ulid::generate().to_string(), &entry).await?)
}

/// Makes the account to sign in with, in the stack's own user pool. With a password, which local stacks give, nobody is
/// sent an invitation.
pub async fn make_account(stack: &Stack, email: &Email, password: Option<&str>) -> Result<Account, CliError> {
    let pool = match stack.output("UserPoolId")? {
        "none" => return Ok(Account::Elsewhere),
        pool => pool,
    };
    let client = Client::new(&stack.aws);
    let attribute = |name: &str, value: &str| {
        AttributeType::builder().name(name).value(value).build().map_err(|error| CliError::said(error.to_string()))
    };
    let mut create = client
        .admin_create_user()
        .user_pool_id(pool)
        .username(email.as_str())
        .user_attributes(attribute("email", email.as_str())?)
        .user_attributes(attribute("email_verified", "true")?)
        .desired_delivery_mediums(DeliveryMediumType::Email);
    if password.is_some() {
        create = create.message_action(MessageActionType::Suppress);
    }
    let account = match create.send().await {
        Ok(_) => Account::Made,
        Err(error) if error.as_service_error().is_some_and(|e| e.code() == Some("UsernameExistsException")) => {
            match password {
                Some(_) => Account::There,
                None => invite_again(&client, pool, email).await.unwrap_or_else(Account::NotInvited),
            }
        }
        Err(error) => return Err(AwsFailure::without_message("AdminCreateUser", &error).into()),
    };
    if let Some(password) = password {
        client
            .admin_set_user_password()
            .user_pool_id(pool)
            .username(email.as_str())
            .password(password)
            .permanent(true)
            .send()
            .await
            .map_err(|error| AwsFailure::without_message("AdminSetUserPassword", &error))?;
    }
    Ok(account)
}

/// Sends the invitation once more to who has not signed in with the account yet: the first password may be over by now.
async fn invite_again(client: &Client, pool: &str, email: &Email) -> Result<Account, AwsFailure> {
    let user = client.admin_get_user().user_pool_id(pool).username(email.as_str()).send().await;
    let user = user.map_err(|error| AwsFailure::without_message("AdminGetUser", &error))?;
    if !waits_for_first_sign_in(user.user_status()) {
        return Ok(Account::There);
    }
    client
        .admin_create_user()
        .user_pool_id(pool)
        .username(email.as_str())
        .message_action(MessageActionType::Resend)
        .desired_delivery_mediums(DeliveryMediumType::Email)
        .send()
        .await
        .map_err(|error| AwsFailure::without_message("AdminCreateUser", &error))?;
    Ok(Account::InvitedAgain)
}

/// Removes the account to sign in with, where the stack has them, of who is a member nowhere any more, or only of the
/// merchant who is `going`. Says whether there was one.
pub(super) async fn remove_account(stack: &Stack, email: &Email, going: Option<&TenantId>) -> Result<bool, CliError> {
    let pool = match stack.output("UserPoolId")? {
        "none" => return Ok(false),
        pool => pool,
    };
    // Made-up people have their accounts whether they are anybody's members or not, and nobody could invite them again.
    let is_made_up = LOCAL_PEOPLE.iter().any(|(known, _)| *known == email.as_str());
    if is_made_up || is_needed(&stack.store.memberships(email).await?, going) {
        return Ok(false);
    }
    match Client::new(&stack.aws).admin_delete_user().user_pool_id(pool).username(email.as_str()).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|e| e.code() == Some("UserNotFoundException")) => Ok(false),
        Err(error) => Err(AwsFailure::without_message("AdminDeleteUser", &error).into()),
    }
}

/// Does a person with these memberships still sign in once this merchant is gone?
fn is_needed(memberships: &[Member], going: Option<&TenantId>) -> bool {
    memberships.iter().any(|membership| Some(&membership.tenant) != going)
}

/// Has the account still the first password that it was made with?
fn waits_for_first_sign_in(status: Option<&UserStatusType>) -> bool {
    status == Some(&UserStatusType::ForceChangePassword)
}

/// Made-up people of a local stack, one of each role. They are nobody's, and can do nothing before they are a merchant's
/// members.
pub const LOCAL_PEOPLE: [(&str, Role); 4] = [
    ("owner@renkei.example", Role::Owner),
    ("admin@renkei.example", Role::Admin),
    ("operator@renkei.example", Role::Operator),
    ("viewer@renkei.example", Role::Viewer),
];
/// Their password. Not a secret: it opens nothing but a stack of this machine.
pub const LOCAL_PASSWORD: &str = "Renkei-Local-2026";

/// Makes the accounts of a local stack's made-up people. Safe to repeat.
pub async fn local_accounts(stack: &Stack) -> Result<(), CliError> {
    let emails = LOCAL_PEOPLE.iter().map(|(email, _)| Email::parse(email).map_err(CliError::said));
    for email in emails.collect::<Result<Vec<_>, _>>()? {
        make_account(stack, &email, Some(LOCAL_PASSWORD)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::error::SdkError;
    use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserError;

    use super::*;

    #[test]
    fn only_who_has_not_signed_in_yet_is_invited_again() {
        assert!(waits_for_first_sign_in(Some(&UserStatusType::ForceChangePassword)));
        for status in [UserStatusType::Confirmed, UserStatusType::ResetRequired, UserStatusType::ExternalProvider] {
            assert!(!waits_for_first_sign_in(Some(&status)), "{status:?}");
        }
        assert!(!waits_for_first_sign_in(None));
    }

    #[test]
    fn what_became_of_the_account_is_said() {
        let said = |account: Account, has_password| said_of(&account, has_password, false).unwrap();
        for account in [Account::Made, Account::InvitedAgain] {
            let local = said_of(&account, false, true).unwrap();
            assert!(local.contains("--password-env NAME") && !local.contains("invitation"), "{local}");
        }
        assert_eq!(said_of(&Account::Made, true, true).unwrap(), said(Account::Made, true));
        assert!(said(Account::Made, false).contains("is on its way"));
        assert!(said(Account::InvitedAgain, false).contains("is sent again"));
        assert!(said(Account::There, true).contains("from now on"));
        assert!(!said(Account::There, false).contains("invitation"));
        let failed = SdkError::<AdminGetUserError>::construction_failure("no request");
        let failure = AwsFailure::without_message("AdminGetUser", &failed);
        let refused = said_of(&Account::NotInvited(failure), false, false).unwrap_err().to_string();
        assert!(refused.contains("AWS AdminGetUser failed") && refused.contains("the role is given"), "{refused}");
    }

    #[test]
    fn an_account_is_kept_as_long_as_a_membership_is_left() {
        let [hanako, taro] = ["hanako", "taro"].map(|name| TenantId::parse(name).unwrap());
        let of = |tenant: &TenantId| Member {
            email: Email::parse("owner@hanako.example").unwrap(),
            tenant: tenant.clone(),
            role: Role::Owner,
            since: Timestamp::UNIX_EPOCH,
        };
        assert!(!is_needed(&[], None) && is_needed(&[of(&hanako)], None), "one was taken away before");
        assert!(!is_needed(&[], Some(&hanako)) && !is_needed(&[of(&hanako)], Some(&hanako)), "hanako goes");
        assert!(is_needed(&[of(&hanako), of(&taro)], Some(&hanako)) && is_needed(&[of(&taro)], Some(&hanako)));
    }

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let line = MemberLine {
            tenant: "hanako",
            email: "owner@hanako.example",
            role: Role::Owner.as_str(),
            since: "2026-11-24T01:02:03Z".parse().unwrap(),
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"tenant":"hanako","email":"owner@hanako.example","role":"owner","since":"2026-11-24T01:02:03Z"}"#
        );
    }
}
