use std::process::Command;

use renkei_platform::{Clock, telemetry};

const CANARY: &str = "canary-4f7a";

/// Logs and the panic hook belong to the process, so this one has a process of its own.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    telemetry::start("fetch-orders", telemetry::LogLevel::parse("info").unwrap(), Clock::system()).unwrap();
    assert!(telemetry::start("fetch-orders", telemetry::LogLevel::parse("info").unwrap(), Clock::system()).is_err());
    let order = CANARY;
    let panicked = std::panic::catch_unwind(|| panic!("this order is impossible: {order}"));
    assert!(panicked.is_err());
}

#[test]
fn a_panic_tells_where_it_was_and_not_what_it_said() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["panics::child", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let said = String::from_utf8([child.stdout, child.stderr].concat()).unwrap();
    assert!(said.contains("panics.rs:") && said.contains(r#""level":"ERROR""#), "{said}");
    assert!(!said.contains(CANARY), "{said}");
}
