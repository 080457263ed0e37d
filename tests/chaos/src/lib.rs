#![doc = include_str!("../README.md")]

mod client;
mod clinic;
mod drain;
mod evidence;
mod injection;
mod journal;
mod killer;
mod pace;
mod people;
pub mod plan;
mod run;
pub mod sabotage;
pub mod settings;
mod stage;
mod tally;
mod tampering;
pub mod verdict;

pub use self::{
    plan::Plan,
    run::{Controls, Outcome, run},
    sabotage::Sabotage,
    settings::Settings,
};
