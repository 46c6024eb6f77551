//! `renkei-simulator serve`: the simulator as a process of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_simulator::Simulator;
use renkei_simulator::api::ShopSpec;
use serde::Deserialize;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Ecforce shops that exist only on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve shops until SIGTERM or Ctrl-C. Prints one line of JSON with the control URL and the shops when ready.
    Serve {
        /// Port of the control API at 127.0.0.1; 0 picks a free one.
        #[arg(long, default_value_t = 9100)]
        control_port: u16,
        /// Shops to open at the start: JSON, {"shops":[{"name":…},…]}.
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    shops: Vec<ShopSpec>,
}

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("cannot read {0}: {1}")]
    ReadConfig(PathBuf, std::io::Error),
    #[error("{0} is not a configuration: {1}")]
    BadConfig(PathBuf, serde_json::Error),
    #[error(transparent)]
    Start(#[from] renkei_simulator::StartError),
    #[error(transparent)]
    Open(#[from] renkei_simulator::ClientError),
    #[error("cannot wait for signals: {0}")]
    Signal(std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Command::Serve { control_port, config } = Arguments::parse().command;
    match serve(control_port, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("renkei-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(control_port: u16, config: Option<PathBuf>) -> Result<(), ServeError> {
    let config = match config {
        None => Config { shops: Vec::new() },
        Some(path) => {
            let text = std::fs::read(&path).map_err(|error| ServeError::ReadConfig(path.clone(), error))?;
            serde_json::from_slice(&text).map_err(|error| ServeError::BadConfig(path, error))?
        }
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let simulator = Simulator::start(control_port).await?;
    let mut shops = Vec::new();
    for spec in &config.shops {
        let shop = simulator.add_shop(spec).await?;
        shops.push(json!({"name": shop.name, "port": shop.port, "url": shop.url}));
    }
    println!("{}", json!({"control_url": simulator.control_url(), "shops": shops}));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
