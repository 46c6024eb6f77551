//! Parts of the console on the deployed stack, each with merchants of its own. They are one program because each program
//! deploys the stack anew.

mod anew;
mod connection;
mod document;
mod easy;
mod retry;
mod robots;
mod run_now;
mod runs;
mod stock;
mod sure;
