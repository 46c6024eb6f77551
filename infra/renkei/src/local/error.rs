//! What can go wrong with a local stack, each with what to do about it.

use std::io;
use std::path::PathBuf;

use renkei_platform::aws::AwsFailure;

/// Why a local stack could not be started, ended or found. None of these passes by itself: each names what to do.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Not within a checkout.
    #[error(
        "there is no template.yaml in {0} or above it. Local stacks are made from a checkout of Renkei: run this from one"
    )]
    NotInCheckout(PathBuf),
    /// The file system refused.
    #[error("cannot {doing} {path}: {error}")]
    Files {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A program that is needed did not start.
    #[error("cannot start {program}: {error}. {advice}")]
    Start {
        /// Which program.
        program: String,
        /// Why not.
        error: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A program that is needed ended with an error, after saying why.
    #[error("{what} failed ({status}). {advice}")]
    Failed {
        /// What failed.
        what: &'static str,
        /// How it ended.
        status: String,
        /// What to do.
        advice: String,
    },
    /// The port is taken.
    #[error(
        "port {0} is taken by a program that is not this checkout's local stack. End that program, or choose another port with --port"
    )]
    PortTaken(u16),
    /// AWS on this machine did not start.
    #[error("AWS on this machine {what}. Its log is {log}; the last lines are:\n{last_lines}")]
    Aws {
        /// What it did instead.
        what: String,
        /// The whole log.
        log: PathBuf,
        /// Its end.
        last_lines: String,
    },
    /// The shops of the demo did not start.
    #[error("the shop simulator {what}. Its log is {log}; the last lines are:\n{last_lines}")]
    Simulator {
        /// What it did instead.
        what: String,
        /// The whole log.
        log: PathBuf,
        /// Its end.
        last_lines: String,
    },
    /// The stack was not deployed.
    #[error(
        "the stack could not be deployed. The log is {log}; the last lines are:\n{last_lines}\nMend what they name and run this again; `renkei local up --fresh` begins without what the stack stored"
    )]
    Deploy {
        /// The whole log.
        log: PathBuf,
        /// Its end.
        last_lines: String,
    },
    /// AWS on this machine answered with an error.
    #[error("{0}. `renkei local down` and `renkei local up` start it anew")]
    Call(#[from] AwsFailure),
    /// Something stays although it was told to end.
    #[error("these processes did not end: {0}. End them by hand with `kill -9`")]
    StillRunning(String),
    /// The list of processes could not be read.
    #[error("the processes of this machine cannot be listed: {0}")]
    Processes(String),
    /// A record of ours is not readable.
    #[error("{path} is damaged: {error}. Remove it and run this again")]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// A value could not be written as JSON.
    #[error("cannot be written as JSON: {0}")]
    Shape(serde_json::Error),
}

impl LocalError {
    /// For `map_err` after a file operation.
    pub fn files(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Files { doing, path, error }
    }
}
