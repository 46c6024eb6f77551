//! Every command of `renkei`, by its own help: for our merchant, with the other's ids.

use std::collections::BTreeSet;
use std::fs;

use renkei_e2e::ways::yesterday;
use renkei_e2e::{root, run};

use crate::two::{Both, MARK, OURS, THEIRS};

/// What is wanted of a command, besides that it shows and changes nothing of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// With an error: what is named is not ours.
    Refused,
    /// However it likes: it names nothing of theirs, or leaves it out.
    Anyhow,
}
use Ends::{Anyhow, Refused};

/// Commands that take no ids of a merchant.
const NOT_WALKED: [&str; 9] = [
    // Of a machine, with stacks of their own.
    "demo",
    "local",
    "prove",
    "bench",
    // Of a shell, and of the program itself.
    "completion",
    "files layouts",
    // Of a whole stack, for its operator.
    "doctor",
    "dead-letters list",
    "dead-letters replay",
];

/// Command lines, without `--tenant`, which is added where a command takes it.
fn lines(both: &Both, files: &[String; 3], folder: &str) -> Vec<(String, Ends)> {
    let Both { shipment, order, key, run, .. } = both;
    let [results, counts, document] = files;
    [
        (format!("apply {document} --dry-run"), Refused),
        ("export --version 2".into(), Refused),
        ("history".into(), Anyhow),
        ("rollback --to 2".into(), Refused),
        (format!("plan --connection {THEIRS}"), Refused),
        (format!("connection test {THEIRS}"), Refused),
        (format!("run {THEIRS}/fetch-orders"), Refused),
        (format!("run {THEIRS}/fetch-orders --dry-run"), Refused),
        (format!("backfill {THEIRS} --from 2026-11-01 --to 2026-11-02"), Refused),
        (format!("shipments --connection {THEIRS}"), Anyhow),
        (format!("shipment {shipment}"), Refused),
        (format!("orders --connection {THEIRS}"), Anyhow),
        (format!("retry --connection {THEIRS} --order {order}"), Refused),
        (format!("retry --connection {THEIRS} --all"), Refused),
        (format!("retry --shipment {shipment}"), Refused),
        (format!("dismiss --connection {THEIRS} --order {order}"), Refused),
        (format!("dismiss --connection {THEIRS} --without-id"), Refused),
        (format!("anew {shipment}"), Refused),
        ("products list".into(), Anyhow),
        (format!("products import --from-shop {THEIRS}"), Refused),
        (format!("try their-conversion --shipment {shipment}"), Refused),
        (format!("try hold-unpaid --shipment {shipment}"), Refused),
        (format!("try hold-unpaid --open {THEIRS}"), Refused),
        (format!("stock {THEIRS}"), Refused),
        (format!("stock {THEIRS} --drift"), Refused),
        (format!("files export --layout standard --connection {THEIRS} --out {folder}/out.csv"), Refused),
        (format!("files export --layout standard --connection {THEIRS} --claim --out {folder}/out.csv"), Refused),
        (format!("files results --layout standard {results}"), Anyhow),
        (format!("files counts --ship-from dc {counts}"), Anyhow),
        (format!("quota --connection {THEIRS}"), Anyhow),
        ("runs".into(), Anyhow),
        (format!("runs {run}"), Refused),
        (format!("runs {run} --calls"), Refused),
        ("warehouse-key create dc".into(), Anyhow),
        ("warehouse-key list".into(), Anyhow),
        ("warehouse-key rotate dc".into(), Anyhow),
        (format!("warehouse-key revoke dc --id {key}"), Refused),
        (format!("webhook create {THEIRS}"), Refused),
        ("webhook list".into(), Anyhow),
        (format!("webhook rotate {THEIRS}"), Refused),
        (format!("webhook revoke {THEIRS}"), Refused),
        ("notices list".into(), Anyhow),
        ("notices on --url-env NOT_THERE".into(), Refused),
        ("notices off".into(), Anyhow),
        ("member add viewer@renkei.example --role operator".into(), Anyhow),
        ("member list".into(), Anyhow),
        ("member remove viewer@renkei.example".into(), Anyhow),
        (format!("tenant export {OURS} --to {folder}/export"), Anyhow),
        (format!("tenant erase {OURS} --confirm {THEIRS}"), Refused),
        // The last: ours is over, theirs goes on.
        (format!("tenant erase {OURS} --confirm {OURS}"), Anyhow),
    ]
    .into()
}

/// Runs them.
pub async fn walk(both: &Both, kept: &BTreeSet<String>) {
    let folder = root().join("target/isolation");
    let _from_before = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let results = format!("出荷指示ID,お問い合わせ番号,出荷日\r\n{},4000-0000-0001,{}\r\n", both.shipment, yesterday());
    let theirs = fs::read_to_string(root().join("target").join(format!("{THEIRS}.yaml"))).expect("their document");
    let files = [
        file("results.csv", results),
        file("counts.csv", "sku,quantity\r\nSERUM-30,1\r\n".into()),
        // Ours cannot take over their shop: its secret is theirs, and is in nobody's document.
        file(
            "document.yaml",
            theirs
                .replace(&format!("\"tenant\": \"{THEIRS}\""), &format!("\"tenant\": \"{OURS}\""))
                .replace("\"env\": \"SHOP_PASSWORD\"", "\"env\": \"NOT_THERE\""),
        ),
    ];
    let lines = lines(both, &files, folder.to_str().expect("a path"));
    let all = all_commands();
    assert!(all.len() > 30, "{all:?}");
    let is_of = |line: &str, name: &str| line == name || line.starts_with(&format!("{name} "));
    let missing: Vec<_> = all
        .iter()
        .filter(|name| {
            !lines.iter().any(|(line, _)| is_of(line, name)) && !NOT_WALKED.iter().any(|known| is_of(name, known))
        })
        .collect();
    assert!(missing.is_empty(), "call these for our merchant with the other's ids here, too: {missing:?}");
    for (line, ends) in lines {
        let mut words: Vec<&str> = line.split(' ').collect();
        if !["apply", "tenant"].contains(&words[0]) {
            words.extend(["--tenant", OURS]);
        }
        let ended = run(&words, None);
        assert!(ended.code != 2 && ended.code != 101, "{line}: it is not understood: {ended:?}");
        assert!(ends == Anyhow || ended.code != 0, "{line}: {ended:?}");
        assert!(!ended.out.contains(MARK) && !ended.err.contains(MARK), "{line}: {ended:?}");
        assert_eq!(both.kept().await, *kept, "{line}");
    }
    for file in fs::read_dir(folder.join("export")).expect("what was written of ours") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        assert!(!text.contains(MARK) && !text.contains(&both.shipment), "the export of ours has something of theirs");
    }
}

/// The commands below this one, by the program's own help.
fn below(command: &[&str]) -> Vec<String> {
    let help = run(&[command, &["--help"]].concat(), None);
    assert_eq!(help.code, 0, "{help:?}");
    let commands = help.out.split_once("\nCommands:\n").map(|(_, rest)| rest).unwrap_or_default();
    commands
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn all_commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for command in below(&[]) {
        let under = below(&[&command]);
        if under.is_empty() {
            found.insert(command);
        } else {
            found.extend(under.into_iter().map(|name| format!("{command} {name}")));
        }
    }
    found
}
