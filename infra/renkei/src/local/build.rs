//! What a local stack is made of: the pinned tools, and this checkout's functions built for this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{LocalError, Progress, Project};

/// The program that plays the demo's shops.
const SIMULATOR: &str = "renkei-simulator";
/// The function that does nothing.
pub const BARE: &str = "bare-function";
/// What Lambda starts.
pub const BOOTSTRAP: &str = "bootstrap";

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// Changes when any function does.
    pub digest: String,
    /// The program that plays the demo's shops.
    pub simulator: PathBuf,
    /// The function that does nothing, to compare others with.
    pub bare: PathBuf,
    /// Each function as it is packed, by name.
    pub functions: BTreeMap<String, PathBuf>,
}

/// Installs the pinned tools where they are missing or of another release.
pub fn install_tools(project: &Project, progress: Progress) -> Result<(), LocalError> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut install = Command::new(&python)
        .arg("infra/tools/install.py")
        .current_dir(&project.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| LocalError::Start {
            program: python.clone(),
            error,
            advice: "Python 3.11 or later is needed; if it is called otherwise here, name it in the variable PYTHON",
        })?;
    if let Some(output) = install.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Most of the time there is nothing to do, and nothing to say.
            if !line.ends_with("up to date") {
                progress.say(&format!("  tools: {line}"));
            }
        }
    }
    let status = install.wait().map_err(LocalError::files("wait for", python))?;
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Failed {
        what: "installing the tools",
        status: status.to_string(),
        advice: "What it said above tells what to do; then run this again".to_owned(),
    })
}

/// One line of what `cargo build --message-format=json` says.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the functions, and puts each where the template takes it from: `target/lambda/<function>/bootstrap`.
pub fn build(project: &Project, progress: Progress) -> Result<Built, LocalError> {
    let functions = project.functions()?;
    progress.say(&format!("Building {} functions for this machine", functions.len()));
    let executables = cargo_build(project)?;
    let of = |name: &str| {
        let found = executables.iter().find(|(target, _)| target == name);
        found.map(|(_, path)| path.clone()).ok_or_else(|| LocalError::Failed {
            what: "the build",
            status: format!("it made no program {name}"),
            advice: format!("Does the package {name} have a binary of its own name?"),
        })
    };
    let mut digest = Sha256::new();
    for function in &functions {
        let program = of(function)?;
        let binary = fs::read(&program).map_err(LocalError::files("read", &program))?;
        digest.update(function.as_bytes());
        digest.update(Sha256::digest(&binary));
        place(&binary, &placed(project, function))?;
    }
    let bootstraps = functions.into_iter().map(|name| (name.clone(), placed(project, &name).join(BOOTSTRAP))).collect();
    Ok(Built { digest: hex(&digest.finalize()), simulator: of(SIMULATOR)?, bare: of(BARE)?, functions: bootstraps })
}

/// Where the template takes a function from.
fn placed(project: &Project, function: &str) -> PathBuf {
    project.root.join("target/lambda").join(function)
}

fn cargo_build(project: &Project) -> Result<Vec<(String, PathBuf)>, LocalError> {
    // The cargo that runs us, if one does: it has the toolchain of the checkout.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--message-format=json-render-diagnostics"]);
    // The whole workspace: dependencies are then compiled once, with the same features as for the tests.
    command.args(["--workspace", "--bins"]);
    forget_outer_cargo(&mut command);
    let mut building =
        command.current_dir(&project.root).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| {
            LocalError::Start {
                program: cargo.to_string_lossy().into_owned(),
                error,
                advice: "Rust is needed: install it from https://rustup.rs",
            }
        })?;
    let mut executables = Vec::new();
    if let Some(messages) = building.stdout.take() {
        for line in BufReader::new(messages).lines().map_while(Result::ok) {
            if let Ok(Message { target: Some(target), executable: Some(path) }) = serde_json::from_str(&line) {
                executables.push((target.name, path));
            }
        }
    }
    let status = building.wait().map_err(LocalError::files("wait for", "cargo build"))?;
    if status.success() {
        return Ok(executables);
    }
    Err(LocalError::Failed {
        what: "building the functions",
        status: status.to_string(),
        advice: "Mend what the compiler names above and run this again".to_owned(),
    })
}

/// `cargo run` sets variables for the program it runs; a build inside it would take them for changed settings.
fn forget_outer_cargo(command: &mut Command) {
    const OUTER: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OUTER.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

/// Puts a program in its place all at once: a deployment that runs now must not pack half of it.
fn place(binary: &[u8], folder: &Path) -> Result<(), LocalError> {
    let bootstrap = folder.join(BOOTSTRAP);
    if fs::read(&bootstrap).is_ok_and(|there| there == binary) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(LocalError::files("make", folder))?;
    // Not in the folder: all that is in it would be packed.
    let half = folder.with_extension(format!("{}.new", std::process::id()));
    fs::write(&half, binary).map_err(LocalError::files("write", &half))?;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o755))
        .map_err(LocalError::files("make executable", &half))?;
    fs::rename(&half, &bootstrap).map_err(LocalError::files("write", &bootstrap))
}

/// As text.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_placed_executable_and_alone_in_its_folder() {
        let folder = std::env::temp_dir().join(format!("renkei-build-{}/lambda/some-function", std::process::id()));
        place(b"one", &folder).unwrap();
        place(b"two", &folder).unwrap();
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["bootstrap"]);
        let bootstrap = folder.join("bootstrap");
        assert_eq!(fs::read(&bootstrap).unwrap(), b"two");
        assert_eq!(fs::metadata(&bootstrap).unwrap().permissions().mode() & 0o777, 0o755);
        fs::remove_dir_all(folder.ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn cargo_says_which_programs_it_made() {
        let line = r#"{"reason":"compiler-artifact","package_id":"x","target":{"kind":["bin"],"name":"fetch-orders"},
            "executable":"/t/debug/fetch-orders","fresh":true}"#;
        let message: Message = serde_json::from_str(line).unwrap();
        assert_eq!(message.target.unwrap().name, "fetch-orders");
        assert_eq!(message.executable.unwrap(), Path::new("/t/debug/fetch-orders"));
        let line = r#"{"reason":"build-finished","success":true}"#;
        assert!(serde_json::from_str::<Message>(line).unwrap().executable.is_none());
    }

    #[test]
    fn digests_are_written_in_full() {
        assert_eq!(hex(&[0, 1, 0xab]), "0001ab");
    }
}
