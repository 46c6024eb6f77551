//! Where things lie: the checkout, and the directory of each local stack in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LocalError;

/// A checkout of Renkei.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its root: where `template.yaml` lies.
    pub root: PathBuf,
}

impl Project {
    /// The checkout that the current directory is in.
    pub fn find() -> Result<Self, LocalError> {
        let here = std::env::current_dir().map_err(LocalError::files("read", "."))?;
        Self::above(&here)
    }

    /// The checkout that this directory is in.
    pub fn above(directory: &Path) -> Result<Self, LocalError> {
        directory
            .ancestors()
            // Any project of SAM has a template.yaml; only ours has this program beside it.
            .find(|root| root.join("template.yaml").is_file() && root.join("infra/renkei").is_dir())
            .map(|root| Self { root: root.to_owned() })
            .ok_or_else(|| LocalError::NotInCheckout(directory.to_owned()))
    }

    /// The functions of the stack: a folder each.
    pub fn functions(&self) -> Result<Vec<String>, LocalError> {
        let folder = self.root.join("functions");
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(LocalError::files("list", &folder))? {
            let path = entry.map_err(LocalError::files("list", &folder))?.path();
            if path.join("Cargo.toml").is_file() {
                names.extend(path.file_name().and_then(|name| name.to_str()).map(str::to_owned));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Where everything is kept that is not the checkout's own.
    #[must_use]
    pub fn own(&self) -> PathBuf {
        self.root.join(".renkei")
    }

    /// A program of the pinned tools.
    #[must_use]
    pub fn tool(&self, environment: &str, program: &str) -> PathBuf {
        self.own().join("tools").join(environment).join("bin").join(program)
    }

    /// Where the stack of this port lives.
    #[must_use]
    pub fn stack(&self, port: u16) -> StackPaths {
        StackPaths { port, directory: self.own().join("local").join(port.to_string()) }
    }

    /// The ports that stacks have been made for, running or not.
    pub fn ports(&self) -> Result<Vec<u16>, LocalError> {
        let folder = self.own().join("local");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LocalError::files("list", folder)(error)),
        };
        let mut ports: Vec<u16> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        ports.sort_unstable();
        Ok(ports)
    }

    /// A path as somebody at the root would write it.
    #[must_use]
    pub fn short(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The directory of one local stack, and what lies in it.
#[derive(Debug, Clone)]
pub struct StackPaths {
    /// The port of its AWS.
    pub port: u16,
    /// `.renkei/local/<port>`.
    pub directory: PathBuf,
}

impl StackPaths {
    /// What the stack is, for other commands; there while the stack runs.
    #[must_use]
    pub fn stack_file(&self) -> PathBuf {
        self.directory.join("stack.json")
    }

    /// What was deployed last; stays while the stack's state stays.
    #[must_use]
    pub fn deployed_file(&self) -> PathBuf {
        self.directory.join("deployed.json")
    }

    /// The process that is AWS.
    #[must_use]
    pub fn aws_record(&self) -> PathBuf {
        self.directory.join("aws.pid.json")
    }

    /// What AWS says, its functions included.
    #[must_use]
    pub fn aws_log(&self) -> PathBuf {
        self.directory.join("aws.log")
    }

    /// What the last deployment said.
    #[must_use]
    pub fn deploy_log(&self) -> PathBuf {
        self.directory.join("deploy.log")
    }

    /// The process that is the demo's shops.
    #[must_use]
    pub fn simulator_record(&self) -> PathBuf {
        self.directory.join("simulator.pid.json")
    }

    /// Whether the demo may throw away what is here: nothing, or what an earlier demo left.
    #[must_use]
    pub fn is_demos(&self) -> bool {
        !self.deployed_file().exists() || self.demo_mark().exists()
    }

    /// From now on the demo may throw away what is here.
    pub fn give_to_demo(&self) -> Result<(), LocalError> {
        let mark = self.demo_mark();
        fs::write(&mark, "").map_err(LocalError::files("write", &mark))
    }

    fn demo_mark(&self) -> PathBuf {
        self.directory.join("demo")
    }

    /// Where the demo's shops are.
    #[must_use]
    pub fn shops_file(&self) -> PathBuf {
        self.directory.join("shops.json")
    }

    /// What the demo's shops say.
    #[must_use]
    pub fn simulator_log(&self) -> PathBuf {
        self.directory.join("simulator.log")
    }

    /// Whether a stack was ever made here.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.directory.is_dir()
    }

    /// Makes the directory.
    pub fn create(&self) -> Result<(), LocalError> {
        fs::create_dir_all(&self.directory).map_err(LocalError::files("make", &self.directory))
    }

    /// Removes the directory and all that the stack stored.
    pub fn remove(&self) -> Result<(), LocalError> {
        match fs::remove_dir_all(&self.directory) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LocalError::files("remove", &self.directory)(error)),
        }
    }

    /// Waits until no other command starts or ends this stack; until the file is dropped none may.
    pub fn lock(&self) -> Result<File, LocalError> {
        // Beside the directory, not in it: the directory may be removed under the lock.
        let path = self.directory.with_extension("lock");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(LocalError::files("make", folder))?;
        }
        let file = File::create(&path).map_err(LocalError::files("open", &path))?;
        file.lock().map_err(LocalError::files("lock", &path))?;
        Ok(file)
    }
}

/// Reads a record; none if there is none.
pub fn read_record<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LocalError> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| LocalError::Damaged { path: path.to_owned(), error }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::files("read", path)(error)),
    }
}

/// Writes a record, all or nothing.
pub fn write_record(path: &Path, record: &impl Serialize) -> Result<(), LocalError> {
    let text = serde_json::to_vec_pretty(record).map_err(LocalError::Shape)?;
    let half = path.with_extension("new");
    fs::write(&half, text).map_err(LocalError::files("write", &half))?;
    fs::rename(&half, path).map_err(LocalError::files("write", path))
}

/// Removes a record if it is there.
pub fn remove_record(path: &Path) -> Result<(), LocalError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(LocalError::files("remove", path)(error)),
    }
}

/// The end of a log, for an error that quotes it.
#[must_use]
pub fn last_lines(path: &Path) -> String {
    const LINES: usize = 15;
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match &lines[lines.len().saturating_sub(LINES)..] {
        [] => "  (it is empty)".to_owned(),
        last => last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("renkei-paths-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&root));
        fs::create_dir_all(root.join("infra/renkei")).unwrap();
        fs::create_dir_all(root.join("functions/b-second")).unwrap();
        fs::create_dir_all(root.join("functions/a-first")).unwrap();
        fs::create_dir_all(root.join("functions/no-crate")).unwrap();
        for file in ["template.yaml", "functions/a-first/Cargo.toml", "functions/b-second/Cargo.toml"] {
            fs::write(root.join(file), "").unwrap();
        }
        root
    }

    #[test]
    fn a_checkout_is_found_from_any_folder_in_it() {
        let root = checkout("found");
        let project = Project::above(&root.join("functions/a-first")).unwrap();
        assert_eq!(project.root, root);
        assert_eq!(project.functions().unwrap(), ["a-first", "b-second"]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn outside_a_checkout_the_error_says_where_to_run() {
        let root = checkout("outside");
        // Another project's template is not ours.
        fs::remove_dir_all(root.join("infra")).unwrap();
        let error = Project::above(&root).unwrap_err().to_string();
        assert!(error.contains("run this from one") && error.contains(&*root.to_string_lossy()), "{error}");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn every_port_has_a_directory_and_locks_are_not_taken_for_one() {
        let root = checkout("ports");
        let project = Project { root: root.clone() };
        assert_eq!(project.ports().unwrap(), [0_u16; 0]);
        for port in [4567, 4566] {
            let paths = project.stack(port);
            paths.create().unwrap();
            drop(paths.lock().unwrap());
        }
        assert_eq!(project.ports().unwrap(), [4566, 4567]);
        assert_eq!(project.short(&project.stack(4566).aws_log()), ".renkei/local/4566/aws.log");
        project.stack(4566).remove().unwrap();
        project.stack(4566).remove().unwrap();
        assert_eq!(project.ports().unwrap(), [4567]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_demo_throws_away_only_its_own() {
        let root = checkout("demo");
        let paths = Project { root: root.clone() }.stack(4566);
        assert!(paths.is_demos());
        paths.create().unwrap();
        write_record(&paths.deployed_file(), &1).unwrap();
        assert!(!paths.is_demos());
        paths.give_to_demo().unwrap();
        assert!(paths.is_demos());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_damaged_record_is_an_error_and_a_missing_one_is_none() {
        let root = checkout("records");
        let path = root.join("record.json");
        assert_eq!(read_record::<u16>(&path).unwrap(), None);
        write_record(&path, &7_u16).unwrap();
        assert_eq!(read_record::<u16>(&path).unwrap(), Some(7));
        fs::write(&path, "{").unwrap();
        assert!(read_record::<u16>(&path).unwrap_err().to_string().contains("Remove it"));
        remove_record(&path).unwrap();
        remove_record(&path).unwrap();
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn an_error_quotes_the_end_of_a_log() {
        let root = checkout("logs");
        let log = root.join("some.log");
        assert_eq!(last_lines(&log), "  (it is empty)");
        fs::write(&log, (1..=40).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n\n")).unwrap();
        let quoted = last_lines(&log);
        assert!(quoted.starts_with("  line 26\n") && quoted.ends_with("  line 40"), "{quoted}");
        fs::remove_dir_all(root).unwrap();
    }
}
