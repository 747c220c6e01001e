//! `rxseal drill`: whether all of this would hold today.

mod answer;
mod bench;
mod compare;
mod draw;
mod end;
mod fault;
mod key_loss;
mod layout;
mod opening;
mod page;
mod patients;
mod random;
mod restore;
mod row;
mod theft;
mod thief;
mod undecided;

use crate::args::{Drill, Global};
use crate::failure::Failure;
use crate::output::Output;

pub async fn run(global: &Global, command: Drill, output: &Output) -> Result<(), Failure> {
    match command {
        Drill::Restore { data, rings, drill } => restore::run(global, data.as_deref(), &rings, &drill, output).await,
        Drill::Theft { data, rings, canaries, drill } => {
            theft::run(global, data.as_deref(), &rings, &canaries, &drill, output).await
        }
        Drill::KeyLoss { data, rings, subject_backup, drill } => {
            key_loss::run(global, data.as_deref(), &rings, subject_backup.as_deref(), &drill, output).await
        }
    }
}
