//! 確認: what cannot be undone is asked once more. The same form goes out again with `sure` in it; until it does, nothing
//! has changed.

use askama::Template;
use axum::response::Html;

use super::{Form, Page};
use crate::shell::Shell;

/// The field by which a form says that somebody was asked.
pub const SURE: &str = "sure";

/// What is asked.
pub struct Question<'a> {
    /// What would be done. Its button says the same.
    pub title: &'a str,
    /// To what; empty where that goes without saying.
    pub of: &'a str,
    /// What comes of it, a sentence each.
    pub said: Vec<String>,
    /// Where the form goes, below the merchant's part of the console.
    pub address: &'a str,
    /// Where they go who do not want it, below the same.
    pub back: &'a str,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    s: Shell,
    question: Question<'a>,
    /// What the form said before.
    fields: Vec<(String, String)>,
    address: String,
    back: String,
}

/// The page that asks, with the form that was sent.
pub fn ask(shell: &Shell, form: Form, question: Question<'_>) -> Page {
    let tenant = shell.tenant.as_deref().unwrap_or_default();
    let path = question.back.split('#').next().unwrap_or_default();
    // The switch of languages gets a page: here it would get one that is only posted to.
    let s = Shell { here: format!("/t/{tenant}{path}"), ..shell.clone() };
    let fields = form.0.into_iter().filter(|(name, _)| name != "csrf" && name != SURE).collect();
    let (address, back) = (shell.to(question.address), shell.to(question.back));
    let page = ConfirmPage { s, question, fields, address, back };
    Ok(Html(page.render()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_form_goes_out_again_and_is_sure() {
        let shell = Shell { tenant: Some("hanako".into()), csrf: "token".into(), ..Shell::default() };
        let form = Form::read(b"csrf=other&email=hanako%40shop.example&note=%22%3E%3Cb%3E&sure=&email=second");
        let question = Question {
            title: "外す",
            of: "<i>",
            said: vec!["外します。".to_owned()],
            address: "/members/remove",
            back: "/settings#members",
        };
        let Html(page) = ask(&shell, form, question).unwrap();
        let form = page.split("action=\"/t/hanako/members/remove\"").nth(1).unwrap().split("</form>").next().unwrap();
        for once in [
            "name=\"csrf\" value=\"token\"",
            "name=\"sure\" value=\"1\"",
            "name=\"email\" value=\"hanako@shop.example\"",
            "name=\"email\" value=\"second\"",
            "href=\"/t/hanako/settings#members\"",
        ] {
            assert_eq!(form.matches(once).count(), 1, "{once}: {form}");
        }
        assert_eq!((form.matches("name=\"csrf\"").count(), form.matches("name=\"sure\"").count()), (1, 1), "{form}");
        assert!(!page.contains("\"><b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("to=%2Ft%2Fhanako%2Fsettings\""), "{page}");
    }
}
