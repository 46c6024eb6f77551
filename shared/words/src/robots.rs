//! What people call robots: a merchant's own by its name, one of the easy set-up by what it does.

use renkei_domain::settings::{Action, TenantSettings};

use crate::Lang;

/// What a robot does. In English as documents and the command line have it.
#[must_use]
pub fn action(lang: Lang, action: Action) -> &'static str {
    let ja = match action {
        Action::FetchOrders => "出荷指示取得",
        Action::StateWorking => "ステータス変更（出荷作業中）",
        Action::StateShipped => "ステータス変更（出荷済み）",
        Action::StatusSync => "ステータス同期",
        Action::WriteBack => "実績戻し",
        Action::Inventory => "在庫連携",
        Action::ApplyProcessing => "処理ロボット適用",
        Action::Reconcile => "夜間照合",
    };
    lang.of(ja, action.as_str())
}

/// The ids and names of a merchant's own robots.
#[must_use]
pub fn own(settings: &TenantSettings) -> Vec<(String, String)> {
    settings.integration_robots.custom.iter().map(|own| (own.id.to_string(), own.name.clone())).collect()
}

/// What people call a robot, by its id; the id itself where nobody knows it any more.
#[must_use]
pub fn called<'a>(lang: Lang, own: &'a [(String, String)], robot: &'a str) -> &'a str {
    if let Some((_, name)) = own.iter().find(|(id, _)| id == robot) {
        return name;
    }
    match robot.split_once('/') {
        Some((_, "hints")) => lang.of("Webhookで知らされた受注の確認", "orders that webhooks name"),
        Some((_, does)) => {
            let known = Action::ALL.into_iter().find(|action| action.as_str() == does);
            known.map_or(robot, |does| action(lang, does))
        }
        None => robot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robots_have_peoples_names() {
        let own = [("night".to_owned(), "夜の取得".to_owned())];
        let ja = |robot| called(Lang::Ja, &own, robot);
        assert_eq!([ja("shop/fetch-orders"), ja("shop/hints")], ["出荷指示取得", "Webhookで知らされた受注の確認"]);
        assert_eq!([ja("night"), ja("gone"), ja("shop/other")], ["夜の取得", "gone", "shop/other"]);
        assert_eq!(called(Lang::En, &own, "shop/fetch-orders"), "fetch-orders");
    }
}
