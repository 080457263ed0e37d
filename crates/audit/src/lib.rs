#![doc = include_str!("../README.md")]

pub mod chain;
pub mod checkpoint;
mod entry;
mod page;
mod recorder;
mod sealer;
mod view;
mod watch;

pub use self::{
    entry::{Action, Agent, Entry, Outcome},
    page::{Asked, Page, find},
    recorder::Recorder,
    sealer::seal,
    view::view,
    watch::{Collections, OfPatient, watch},
};
