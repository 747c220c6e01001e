//! The command for operators of keyrings. It uses the public API of the crate only.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]

mod args;
mod audit;
mod budget;
mod canary;
mod config;
mod count;
mod ddl;
mod drill;
mod dry_run;
mod environment;
mod evidence;
mod exit;
mod exposure;
mod failure;
mod index;
mod job;
mod journal;
mod keyring;
mod map;
#[cfg(not(all(feature = "aws-kms", feature = "pkcs11", feature = "postgres", feature = "vault")))]
mod not_built;
mod output;
#[cfg(feature = "postgres")]
mod postgres;
mod read;
mod record;
mod root;
mod scan;
mod subject;
mod token;
mod url;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use args::{Args, Command};
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(answer) => return not_parsed(&answer),
    };
    let output = Output::new(args.global.json);
    match run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_broken_pipe() {
                output.failure(&failure);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version are answers, not failures; clap says which.
fn not_parsed(answer: &clap::Error) -> ExitCode {
    // Arguments that cannot be parsed may still ask for JSON.
    let json = std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if !answer.use_stderr() || !json {
        let _ = answer.print();
        return ExitCode::from(if answer.use_stderr() { exit::USAGE } else { 0 });
    }
    let text = match answer.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command is given: `rxseal --help` lists them".to_owned()
        }
        _ => {
            let text = answer.to_string();
            let text = text.split("\n\nUsage:").next().unwrap_or_default();
            text.trim_start_matches("error: ").to_owned()
        }
    };
    Output::new(true).failure(&Failure::Usage(text));
    ExitCode::from(exit::USAGE)
}

fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let Args { global, command } = args;
    match command {
        Command::Keyring(command) => wait(keyring::run(&global, command, output)),
        Command::Subject(command) => wait(subject::run(&global, command, output)),
        Command::KeyFile(command) => keyring::make_key_file(&global, &command, output),
        Command::Token(command) => token::inspect(&command, output),
        Command::Record(command) => wait(record::run(&global, command, output)),
        Command::Map(command) => wait(map::run(&global, command, output)),
        Command::Count(command) => wait(count::run(&global, &command, output)),
        Command::Scan(command) => wait(scan::run(&global, command, output)),
        Command::Canary(command) => wait(canary::run(&global, command, output)),
        Command::Evidence(command) => wait(evidence::run(&global, command, output)),
        Command::Exposure(command) => wait(exposure::run(&global, *command, output)),
        Command::Ddl(command) => ddl::run(&command, output),
        Command::Index(command) => index::run(&command, output),
        Command::Audit(command) => audit::run(&global, command, output),
        Command::Budget(command) => budget::run(&global, command, output),
        Command::Drill(command) => wait(drill::run(&global, command, output)),
        Command::Job(command) => wait(job::run(&global, command, output)),
        Command::Completions { shell } => {
            // Into memory first, since clap panics if it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "rxseal", &mut script);
            Ok(io::stdout().lock().write_all(&script)?)
        }
        Command::Man => {
            let mut pages = Vec::new();
            write_pages(Args::command(), "", &mut pages)?;
            Ok(io::stdout().lock().write_all(&pages)?)
        }
    }
}

/// A page for the command, and one for each below it, one after the other.
fn write_pages(command: clap::Command, above: &str, pages: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{above}{}", command.get_name());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write_pages(below.clone(), &format!("{name}-"), pages)?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.name(name)).render(&mut page)?;
    // The command itself first.
    page.append(pages);
    *pages = page;
    Ok(())
}

/// Stores and root keys may wait for a network.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work)
}
