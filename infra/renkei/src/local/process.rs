//! Processes that outlive the command that started them, and how they are found again and ended.
//!
//! A process id alone says nothing after a restart of the machine: it is somebody else's by then. So the time at which
//! it started is recorded with it, and a process of another time is never touched.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::paths::{last_lines, read_record, remove_record, write_record};
use super::{LocalError, Progress};

/// How long a process has for ending by itself. AWS writes all its state in this time, and what is not written by then is
/// lost: after a proof of two hundred worlds, 20 seconds were not enough for its tables.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long a killed process may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// How far two readings of one process' start may be apart: the kernel counts it from a start of the machine that
/// is itself an estimate.
const SAME_START_SECONDS: u64 = 2;

/// A process as it was when it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recorded {
    /// Its id.
    pub pid: u32,
    /// When it started, in seconds since 1970.
    pub started: u64,
}

impl Recorded {
    fn is(&self, process: &sysinfo::Process) -> bool {
        process.pid() == Pid::from_u32(self.pid)
            && process.start_time().abs_diff(self.started) <= SAME_START_SECONDS
            && is_alive(process)
    }

    /// Whether it still runs.
    pub fn runs(self) -> Result<bool, LocalError> {
        let pid = Pid::from_u32(self.pid);
        let system = look(ProcessesToUpdate::Some(&[pid]))?;
        Ok(system.process(pid).is_some_and(|process| self.is(process)))
    }

    fn as_rustix(self) -> Option<rustix::process::Pid> {
        i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw)
    }
}

/// A zombie has ended, and only waits for its parent to look: in a container perhaps forever.
fn is_alive(process: &sysinfo::Process) -> bool {
    !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
}

fn look(which: ProcessesToUpdate<'_>) -> Result<System, LocalError> {
    let mut system = System::new().map_err(|error| LocalError::Processes(error.to_string()))?;
    let what = ProcessRefreshKind::nothing().with_exe(UpdateKind::Always).without_tasks();
    system.refresh_processes_specifics(which, true, what);
    Ok(system)
}

/// The process of this record, if it still runs.
pub fn running(record: &Path) -> Result<Option<Recorded>, LocalError> {
    match read_record::<Recorded>(record)? {
        Some(process) if process.runs()? => Ok(Some(process)),
        Some(_) | None => Ok(None),
    }
}

/// A process that was just started and goes on without us.
#[derive(Debug)]
pub struct Detached {
    child: Child,
    /// How it is found again.
    pub recorded: Recorded,
}

impl Detached {
    /// Starts it in a process group of its own, so that neither Ctrl-C nor the end of the terminal reaches it, with both
    /// outputs in the log; and records it.
    pub fn start(mut command: Command, log: &Path, record: &Path, advice: &'static str) -> Result<Self, LocalError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let (out, err) = open_log(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|error| LocalError::Start { program, error, advice })?;
        let pid = Pid::from_u32(child.id());
        let started = look(ProcessesToUpdate::Some(&[pid]))?.process(pid).map_or(0, sysinfo::Process::start_time);
        let recorded = Recorded { pid: child.id(), started };
        write_record(record, &recorded)?;
        Ok(Self { child, recorded })
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// A new log; the one before it is kept beside it.
fn open_log(log: &Path) -> Result<(File, File), LocalError> {
    if log.exists() {
        let before = log.with_extension("log.before");
        fs::rename(log, &before).map_err(LocalError::files("move", log))?;
    }
    let file = File::create(log).map_err(LocalError::files("write", log))?;
    let twin = file.try_clone().map_err(LocalError::files("write", log))?;
    Ok((file, twin))
}

/// Ends the process of this record with everything that it started, and whatever else runs from the directory. False if
/// nothing ran.
pub fn stop(record: &Path, directory: &Path, progress: Progress) -> Result<bool, LocalError> {
    let found = running(record)?;
    let mut family: HashSet<Recorded> = HashSet::new();
    if let Some(process) = found {
        let step = progress.step("Ending what runs");
        family = descendants(process)?;
        family.insert(process);
        signal(process, Signal::TERM);
        wait(PATIENCE, || Ok(!process.runs()?))?;
        if let Some(pid) = process.as_rustix() {
            // Its group outlives it where it could not end its own children. Gone is fine.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        step.done();
    }
    // Functions whose AWS was killed are nobody's children any more; they run from its directory.
    family.extend(running_from(directory)?);
    for process in &family {
        if process.runs()? {
            signal(*process, Signal::KILL);
        }
    }
    let gone = || Ok(still_running(&family)?.is_empty() && running_from(directory)?.is_empty());
    if !wait(AFTER_KILL, gone)? {
        let mut left = still_running(&family)?;
        left.extend(running_from(directory)?);
        let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
        return Err(LocalError::StillRunning(pids.join(", ")));
    }
    remove_record(record)?;
    Ok(!family.is_empty())
}

fn signal(process: Recorded, signal: Signal) {
    if let Some(pid) = process.as_rustix() {
        // It may have ended in between, which is what is wanted.
        let _ = kill_process(pid, signal);
    }
}

fn wait(patience: Duration, done: impl Fn() -> Result<bool, LocalError>) -> Result<bool, LocalError> {
    let began = Instant::now();
    loop {
        if done()? {
            return Ok(true);
        }
        if began.elapsed() >= patience {
            return Ok(false);
        }
        sleep(Duration::from_millis(50));
    }
}

fn still_running(family: &HashSet<Recorded>) -> Result<Vec<Recorded>, LocalError> {
    let system = look(ProcessesToUpdate::All)?;
    let runs = |member: &&Recorded| system.process(Pid::from_u32(member.pid)).is_some_and(|process| member.is(process));
    Ok(family.iter().filter(runs).copied().collect())
}

/// Everything that this process started, and what that started.
fn descendants(of: Recorded) -> Result<HashSet<Recorded>, LocalError> {
    let system = look(ProcessesToUpdate::All)?;
    let mut known = HashSet::from([Pid::from_u32(of.pid)]);
    loop {
        let more: Vec<Pid> = system
            .processes()
            .values()
            .filter(|process| process.parent().is_some_and(|parent| known.contains(&parent)))
            .map(sysinfo::Process::pid)
            .filter(|pid| !known.contains(pid))
            .collect();
        if more.is_empty() {
            break;
        }
        known.extend(more);
    }
    let family = system.processes().values().filter(|process| known.contains(&process.pid()) && is_alive(process));
    Ok(family.map(recorded).filter(|process| process.pid != of.pid).collect())
}

/// Processes whose program lies in the directory.
fn running_from(directory: &Path) -> Result<HashSet<Recorded>, LocalError> {
    let Ok(directory) = directory.canonicalize() else {
        return Ok(HashSet::new());
    };
    let system = look(ProcessesToUpdate::All)?;
    let from = |process: &&sysinfo::Process| {
        is_alive(process) && process.exe().is_some_and(|program| program.starts_with(&directory))
    };
    Ok(system.processes().values().filter(from).map(recorded).collect())
}

fn recorded(process: &sysinfo::Process) -> Recorded {
    Recorded { pid: process.pid().as_u32(), started: process.start_time() }
}

/// A program of ours that is to run and be heard: what it says goes to the log, and its end into the error.
pub fn run_logged(mut command: Command, log: &Path, advice: &'static str) -> Result<Result<(), String>, LocalError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let (out, err) = open_log(log)?;
    let status = command.stdin(Stdio::null()).stdout(out).stderr(err).status().map_err(|error| LocalError::Start {
        program,
        error,
        advice,
    })?;
    Ok(if status.success() { Ok(()) } else { Err(last_lines(log)) })
}

/// An environment with nothing of the operator's in it but what programs need to run: no AWS account, no proxy between
/// processes of this machine, no secrets of a shell.
pub fn clean(command: &mut Command) -> &mut Command {
    const KEPT: [&str; 8] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("renkei-process-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_is_ended_with_its_children_even_if_it_ignores_the_request() {
        let folder = folder("family");
        let record = folder.join("pid.json");
        // Two generations; the parent is gone at SIGTERM at once, the children ignore it.
        let script = "sh -c 'trap \"\" TERM; sleep 300 & wait; sleep 300' & echo ready; wait";
        let log = folder.join("log");
        let mut started = Detached::start(shell(script), &log, &record, "").unwrap();
        assert!(wait(Duration::from_secs(5), || Ok(fs::read_to_string(&log).unwrap().contains("ready"))).unwrap());
        assert!(wait(Duration::from_secs(5), || Ok(descendants(started.recorded)?.len() >= 2)).unwrap());
        let family = descendants(started.recorded).unwrap();

        assert!(stop(&record, &folder, Progress::shown()).unwrap());

        assert_eq!(still_running(&family).unwrap(), []);
        assert!(started.ended().is_some());
        assert!(!record.exists());
        assert!(!stop(&record, &folder, Progress::shown()).unwrap());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_process_of_another_time_is_not_touched() {
        let folder = folder("stranger");
        let record = folder.join("pid.json");
        let mut stranger = Detached::start(shell("exec sleep 300"), &folder.join("log"), &record, "").unwrap();
        let old = Recorded { started: stranger.recorded.started - 3600, ..stranger.recorded };
        write_record(&record, &old).unwrap();

        assert_eq!(running(&record).unwrap(), None);
        assert!(!stop(&record, &folder, Progress::shown()).unwrap());

        assert_eq!(stranger.ended(), None);
        write_record(&record, &stranger.recorded).unwrap();
        assert!(stop(&record, &folder, Progress::shown()).unwrap());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_runs_from_the_directory_is_ended_without_a_record() {
        let folder = folder("orphan");
        let program = folder.join("orphan");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut orphan = Command::new(&program).arg("300").spawn().unwrap();

        assert!(stop(&folder.join("pid.json"), &folder, Progress::shown()).unwrap());

        assert!(!orphan.wait().unwrap().success());
        fs::remove_dir_all(folder).unwrap();
    }
}
