//! What is told, and what is not told twice: pure, from a merchant's runs and from what was told before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use renkei_domain::health::Expected;
use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
use renkei_domain::jst;
use renkei_domain::run::{Run, RunState};
use renkei_store::notices::{NoticeLang, NoticeState};
use renkei_words::forms::times;
use renkei_words::{Lang, counts, robots, runs};

/// Robots that are told of in one message.
const ROBOTS: usize = 15;
/// Of a sentence.
const SENTENCE: usize = 300;

/// A message, and what is to be remembered once it has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The message; None if there is nothing new.
    pub text: Option<String>,
    /// What is known then.
    pub silent: BTreeSet<String>,
    /// What is known then.
    pub blocked: BTreeMap<ConnectionId, Timestamp>,
}

/// How often a robot's runs came to an end that needs somebody, and how the latest did.
struct Trouble<'a> {
    failed: u32,
    needs_person: u32,
    latest: &'a Run,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The merchant.
    pub tenant: &'a TenantId,
    /// The ids and names of its own robots.
    pub own: &'a [(String, String)],
    /// Where the console is, without a slash at its end.
    pub console: &'a str,
}

/// Looks at the runs that ended since (the newest first), those that wait, and robots that stand still.
#[must_use]
pub fn digest(reader: Reader<'_>, state: &NoticeState, runs: &[Run], silent: &[Expected], now: Timestamp) -> Digest {
    let lang = state.lang;
    let mut troubles: BTreeMap<String, Trouble<'_>> = BTreeMap::new();
    for run in runs {
        if !is_new(state, run) || !matches!(run.state, RunState::Failed | RunState::NeedsPerson) {
            continue;
        }
        let trouble = troubles.entry(name(&run.connection, run.robot.as_str())).or_insert(Trouble {
            failed: 0,
            needs_person: 0,
            latest: run,
        });
        if run.state == RunState::Failed {
            trouble.failed += 1;
        } else {
            trouble.needs_person += 1;
        }
        if run.ended_at > trouble.latest.ended_at {
            trouble.latest = run;
        }
    }
    let now_silent: BTreeMap<String, &Expected> =
        silent.iter().map(|it| (name(&it.connection, it.robot.as_str()), it)).collect();
    let shown = |connection: &ConnectionId, robot: &RobotId| match lang {
        NoticeLang::Ja => format!("{connection} {}", robots::called(Lang::Ja, reader.own, robot.as_str())),
        // As the command line has it.
        NoticeLang::En => name(connection, robot.as_str()),
    };
    let trouble = |it: &Trouble<'_>| line(lang, &shown(&it.latest.connection, &it.latest.robot), it);
    let mut lines: Vec<String> = troubles.values().map(trouble).collect();
    for (_, new) in now_silent.iter().filter(|(robot, _)| !state.silent.contains(*robot)) {
        let robot = shown(&new.connection, &new.robot);
        lines.push(match lang {
            NoticeLang::Ja => format!("・{robot}: 予定の時間を過ぎても実行されていません"),
            NoticeLang::En => format!("- {robot}: has not run for longer than it may"),
        });
    }
    let waiting = waiting(state, runs, now);
    lines.extend(waiting.for_others.iter().map(|(shop, (until, why))| waits(lang, shop, *until, why)));
    let is_told = |shop: &ConnectionId, until: &Timestamp| state.blocked.get(shop).is_some_and(|told| told >= until);
    let spent = waiting.spent.iter().filter(|(shop, until)| !is_told(shop, until));
    lines.extend(spent.map(|(shop, until)| spent_day(lang, shop, *until)));
    let text = (!lines.is_empty()).then(|| message(lang, reader, &lines));
    Digest { text, silent: now_silent.into_keys().collect(), blocked: waiting.spent }
}

fn is_new(state: &NoticeState, run: &Run) -> bool {
    run.ended_at.is_some_and(|ended| ended > state.told_until)
}

/// Shops whose robots wait.
struct Waiting<'a> {
    /// For the next day's calls, and until when. Those of which staff know already are among them until then, whatever
    /// their robots do meanwhile: a day is told once.
    spent: BTreeMap<ConnectionId, Timestamp>,
    /// For something else since staff were last told, until when, and why by the run's own sentence.
    for_others: BTreeMap<&'a ConnectionId, (Timestamp, &'a str)>,
}

/// A run that gives no reason waits for calls: those of the next day if that is how long it waits. Otherwise they are kept
/// for the shop's other robots for a while, which is as it should be and nobody's trouble.
fn waiting<'a>(state: &NoticeState, runs: &'a [Run], now: Timestamp) -> Waiting<'a> {
    let known = state.blocked.iter().filter(|(_, until)| **until > now);
    let mut spent: BTreeMap<ConnectionId, Timestamp> = known.map(|(shop, until)| (shop.clone(), *until)).collect();
    let mut for_others = BTreeMap::new();
    for run in runs.iter().filter(|run| run.state == RunState::Blocked) {
        let Some(until) = run.blocked_until.filter(|until| *until > now) else { continue };
        match &run.error {
            Some(why) if is_new(state, run) => {
                for_others.entry(&run.connection).or_insert((until, why.as_str()));
            }
            None if until == jst::next_reset(now) => {
                spent.insert(run.connection.clone(), until);
            }
            Some(_) | None => {}
        }
    }
    Waiting { spent, for_others }
}

fn waits(lang: NoticeLang, shop: &ConnectionId, until: Timestamp, why: &str) -> String {
    let (until, why) = (time(lang, until), said(lang, why));
    match lang {
        NoticeLang::Ja => format!("・{shop}: {until} まで待機し、自動で再開します — {why}"),
        NoticeLang::En => format!("- {shop}: waits, and goes on by itself at {until} — {why}"),
    }
}

fn spent_day(lang: NoticeLang, shop: &ConnectionId, until: Timestamp) -> String {
    let until = time(lang, until);
    match lang {
        NoticeLang::Ja => format!("・{shop}: 本日のAPI呼び出しの上限に達しました。{until} から自動で再開します"),
        NoticeLang::En => format!("- {shop}: the day's calls are spent; goes on by itself at {until}"),
    }
}

/// The language of the words that the console has, too.
fn read_in(lang: NoticeLang) -> Lang {
    match lang {
        NoticeLang::Ja => Lang::Ja,
        NoticeLang::En => Lang::En,
    }
}

/// A run's own sentence. It is cut as the last thing: its Japanese is found by the whole of it.
fn said(lang: NoticeLang, sentence: &str) -> String {
    runs::said(read_in(lang), sentence).chars().take(SENTENCE).collect()
}

/// A time, as it stands in the sentences beside it.
fn time(lang: NoticeLang, at: Timestamp) -> String {
    let at = jst::display(at);
    match lang {
        NoticeLang::Ja => times(&at),
        NoticeLang::En => at,
    }
}

/// What a run counted. In English it is in the record's own words, as the command line has them.
fn counted(lang: NoticeLang, run: &Run) -> String {
    match lang {
        NoticeLang::Ja => format!("（{}）", counts::counts(Lang::Ja, run)),
        NoticeLang::En => {
            let counts: Vec<String> = run.counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
            format!(" ({})", counts.join(", "))
        }
    }
}

fn name(connection: &ConnectionId, robot: &str) -> String {
    // Robots of the easy set-up are called after their shop already.
    if robot.starts_with(&format!("{connection}/")) { robot.to_owned() } else { format!("{connection}: {robot}") }
}

fn line(lang: NoticeLang, robot: &str, trouble: &Trouble<'_>) -> String {
    let run = trouble.latest;
    let mut line = match lang {
        NoticeLang::Ja => format!("・{robot}:"),
        NoticeLang::En => format!("- {robot}:"),
    };
    let mut add = |ja: String, en: String| {
        line.push(' ');
        line.push_str(&if lang == NoticeLang::Ja { ja } else { en });
    };
    if trouble.failed > 0 {
        add(format!("失敗 {}回", trouble.failed), format!("failed {} times", trouble.failed));
    }
    if trouble.needs_person > 0 {
        add(
            format!("要対応で終了 {}回", trouble.needs_person),
            format!("ended {} times with something for a person", trouble.needs_person),
        );
    }
    let sentences = run.error.iter().chain(&run.notes).map(String::as_str);
    if let Some(sentence) = sentences.into_iter().next() {
        let _ = write!(line, " — {}", said(lang, sentence));
    } else if !run.counts.is_empty() {
        line.push_str(&counted(lang, run));
    }
    line
}

fn message(lang: NoticeLang, reader: Reader<'_>, lines: &[String]) -> String {
    let Reader { tenant, console, .. } = reader;
    let mut text = match lang {
        NoticeLang::Ja => format!("【Renkei】{tenant}: ご確認ください\n"),
        NoticeLang::En => format!("[Renkei] {tenant}: please have a look\n"),
    };
    for line in lines.iter().take(ROBOTS) {
        text.push_str(line);
        text.push('\n');
    }
    let more = lines.len().saturating_sub(ROBOTS);
    if more > 0 {
        let _ = match lang {
            NoticeLang::Ja => writeln!(text, "・ほか {more}件"),
            NoticeLang::En => writeln!(text, "- and {more} more"),
        };
    }
    let _ = write!(text, "{console}/t/{tenant}");
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use renkei_domain::settings::Action;
    use renkei_domain::work::Cause;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run(robot: &str, state: RunState, ended: Option<&str>) -> Run {
        Run {
            id: "r".to_owned(),
            connection: ConnectionId::parse("shop").unwrap(),
            robot: RobotId::parse(robot).unwrap(),
            action: Action::FetchOrders,
            cause: Cause::Schedule,
            state,
            started_at: at("2026-11-24T00:50:00Z"),
            ended_at: ended.map(at),
            blocked_until: None,
            calls: 1,
            queued: None,
            counts: BTreeMap::new(),
            error: None,
            notes: Vec::new(),
            called: Vec::new(),
        }
    }

    fn state(lang: NoticeLang) -> NoticeState {
        NoticeState::begin(None, lang, "owner@shop.example", at("2026-11-24T01:00:00Z"))
    }

    fn told_at(now: &str, state: &NoticeState, runs: &[Run], silent: &[Expected]) -> Digest {
        let own = [("release".to_owned(), "入金済みになったら出荷待ちへ".to_owned())];
        let tenant = TenantId::parse("hanako").unwrap();
        let reader = Reader { tenant: &tenant, own: &own, console: "https://console.example" };
        digest(reader, state, runs, silent, at(now))
    }

    fn told(state: &NoticeState, runs: &[Run], silent: &[Expected]) -> Digest {
        told_at("2026-11-24T02:00:00Z", state, runs, silent)
    }

    #[test]
    fn what_needs_somebody_is_told_once() {
        let mut failed = run("shop/fetch-orders", RunState::Failed, Some("2026-11-24T01:30:00Z"));
        let refused = "the shop refuses e-mail or password: check that the account exists at the shop and apply the \
                       document again with the right password";
        failed.error = Some(refused.to_owned());
        let older = run("shop/fetch-orders", RunState::Failed, Some("2026-11-24T01:10:00Z"));
        let mut person = run("release", RunState::NeedsPerson, Some("2026-11-24T01:20:00Z"));
        person.counts = [("quarantined".to_owned(), 3)].into();
        let done = run("shop/inventory", RunState::Done, Some("2026-11-24T01:20:00Z"));
        let known = run("shop/status-sync", RunState::Failed, Some("2026-11-24T00:59:00Z"));
        let runs = [failed, older, person, done, known];
        assert_eq!(
            told(&state(NoticeLang::Ja), &runs, &[]).text.unwrap(),
            "【Renkei】hanako: ご確認ください\n\
             ・shop 出荷指示取得: 失敗 2回 — ショップがメールアドレスまたはパスワードを受け付けません。\
             ecforceのログインアカウントがあることを確認し、正しいパスワードを登録し直してください。\n\
             ・shop 入金済みになったら出荷待ちへ: 要対応で終了 1回（取込保留 3）\n\
             https://console.example/t/hanako"
        );
        assert_eq!(
            told(&state(NoticeLang::En), &runs, &[]).text.unwrap(),
            format!(
                "[Renkei] hanako: please have a look\n\
                 - shop/fetch-orders: failed 2 times — {refused}\n\
                 - shop: release: ended 1 times with something for a person (quarantined 3)\n\
                 https://console.example/t/hanako"
            )
        );
        let later = NoticeState { told_until: at("2026-11-24T01:58:00Z"), ..state(NoticeLang::Ja) };
        assert_eq!(told(&later, &runs, &[]).text, None);
    }

    #[test]
    fn what_robots_say_is_said_in_japanese_and_what_nobody_knows_as_it_is() {
        let long = format!("the shop does not have what was asked for (404: {})", "注文がありません".repeat(50));
        for (note, japanese) in [
            (
                "2 orders stand still (滞留): H-1001, H-1002",
                "長く動いていない受注が2件あります。出荷待ち・出荷準備中のものは倉庫に確認し、理由のない保留は解除するか\
                 理由を付けてください。ショップへの通知が進まないものは「記録」でそのロボットの失敗を確認してください: H-1001, H-1002",
            ),
            ("nobody has said this", "nobody has said this"),
            // It would not be known any more if it were cut before.
            (long.as_str(), "ショップに該当するものがありません（404: 注文がありません"),
        ] {
            let ended = run("shop/reconcile", RunState::NeedsPerson, Some("2026-11-24T01:30:00Z"));
            let ended = Run { notes: vec![note.to_owned()], ..ended };
            let text = told(&state(NoticeLang::Ja), &[ended], &[]).text.unwrap();
            let (_, sentence) = text.lines().nth(1).unwrap().split_once(" — ").unwrap();
            assert!(sentence.starts_with(japanese) && sentence.chars().count() <= SENTENCE, "{text}");
        }
    }

    #[test]
    fn a_robot_that_stands_still_and_a_spent_day_are_told_when_they_begin() {
        let silent = Expected {
            connection: ConnectionId::parse("shop").unwrap(),
            robot: RobotId::parse("shop/fetch-orders").unwrap(),
            patience: Duration::from_hours(1),
        };
        let blocked =
            Run { blocked_until: Some(at("2026-11-25T00:00:00Z")), ..run("shop/inventory", RunState::Blocked, None) };
        let first = state(NoticeLang::Ja);
        let digest = told(&first, std::slice::from_ref(&blocked), std::slice::from_ref(&silent));
        let text = digest.text.clone().unwrap();
        assert!(text.contains("・shop 出荷指示取得: 予定の時間を過ぎても実行されていません"), "{text}");
        assert!(text.contains("・shop: 本日のAPI呼び出しの上限に達しました"), "{text}");
        let known = NoticeState { silent: digest.silent, blocked: digest.blocked, ..first };
        assert_eq!(told(&known, std::slice::from_ref(&blocked), std::slice::from_ref(&silent)).text, None);
        // It ran again, and stands still again.
        let well = told(&known, &[], &[]);
        assert!(well.text.is_none() && well.silent.is_empty());
        let again = NoticeState { silent: well.silent, ..known };
        assert!(told(&again, &[], std::slice::from_ref(&silent)).text.is_some());
    }

    fn waits_until(robot: &str, until: &str, error: Option<&str>) -> Run {
        let (blocked_until, error) = (Some(at(until)), error.map(str::to_owned));
        Run { blocked_until, error, ..run(robot, RunState::Blocked, Some("2026-11-24T01:40:00Z")) }
    }

    #[test]
    fn a_shop_that_bears_no_sign_in_is_told_as_that_and_not_as_a_spent_day() {
        let why = "the shop bears no further sign-in before 2026-11-24 11:40 JST";
        let runs = [waits_until("shop/fetch-orders", "2026-11-24T02:40:00Z", Some(why))];
        let digest = told(&state(NoticeLang::Ja), &runs, &[]);
        let text = digest.text.unwrap();
        assert!(
            text.contains(
                "・shop: 2026/11/24 11:40 まで待機し、自動で再開します — ショップへの認証の回数が1時間の上限に達しました。\
                 2026/11/24 11:40 に自動で再開します（コンソールへのサインインには関係ありません）。\n"
            ),
            "{text}"
        );
        let english = told(&state(NoticeLang::En), &runs, &[]).text.unwrap();
        assert!(
            english.contains(&format!("- shop: waits, and goes on by itself at 2026-11-24 11:40 JST — {why}\n")),
            "{english}"
        );
        assert!(!text.contains("API呼び出しの上限") && digest.blocked.is_empty(), "{text}");
        let later = NoticeState { told_until: at("2026-11-24T01:58:00Z"), ..state(NoticeLang::Ja) };
        assert_eq!(told(&later, &runs, &[]).text, None, "told once");
    }

    #[test]
    fn calls_that_are_kept_for_other_robots_are_nobodys_trouble() {
        let runs = [waits_until("shop/inventory", "2026-11-24T18:00:00Z", None)];
        let digest = told(&state(NoticeLang::En), &runs, &[]);
        assert!(digest.text.is_none() && digest.blocked.is_empty(), "{digest:?}");
    }

    #[test]
    fn a_spent_day_is_told_once_a_day_and_each_day() {
        let spent = [waits_until("shop/inventory", "2026-11-25T00:00:00Z", None)];
        let told_of =
            NoticeState { blocked: told(&state(NoticeLang::En), &spent, &[]).blocked, ..state(NoticeLang::En) };
        // The limit was raised, the robots went on, and then that was spent as well.
        let meanwhile = told(&told_of, &[], &[]);
        assert_eq!((&meanwhile.text, &meanwhile.blocked), (&None, &told_of.blocked));
        let again = NoticeState { blocked: meanwhile.blocked, ..told_of };
        assert_eq!(told(&again, &spent, &[]).text, None);
        // The next day is another.
        let tomorrow = [waits_until("shop/inventory", "2026-11-26T00:00:00Z", None)];
        let next = told_at("2026-11-25T03:00:00Z", &again, &tomorrow, &[]);
        assert!(
            next.text.unwrap().contains("- shop: the day's calls are spent; goes on by itself at 2026-11-26 09:00")
        );
    }

    #[test]
    fn a_message_has_an_end() {
        let runs: Vec<Run> =
            (0..40).map(|n| run(&format!("robot-{n:02}"), RunState::Failed, Some("2026-11-24T01:30:00Z"))).collect();
        let text = told(&state(NoticeLang::Ja), &runs, &[]).text.unwrap();
        assert!(text.contains("ほか 25件") && text.lines().count() == 18, "{text}");
    }
}
