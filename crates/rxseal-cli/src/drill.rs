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
mod rows;
mod tables;
mod theft;
mod thief;
mod undecided;

use crate::args::{Drill, Global};
use crate::failure::Failure;
use crate::output::Output;

pub async fn run(global: &Global, command: Drill, output: &Output) -> Result<(), Failure> {
    match command {
        Drill::Restore { data, rings, expect_rows, drill } => {
            restore::run(global, data.as_deref(), &rings, &expect_rows, &drill, output).await
        }
        Drill::Theft { data, rings, canaries, without_phi, drill } => {
            theft::run(global, data.as_deref(), &rings, &canaries, &without_phi, &drill, output).await
        }
        Drill::KeyLoss { data, rings, subject_backup, drill } => {
            key_loss::run(global, data.as_deref(), &rings, subject_backup.as_deref(), &drill, output).await
        }
    }
}
