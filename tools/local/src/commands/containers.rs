//! `containers`: what a system of containers needs once.

use anyhow::Result;
use local::containers::{Volumes, publish_trust_anchors};

use crate::command_line::Containers;

pub(super) fn obey(command: Containers) -> Result<()> {
    match command {
        Containers::Secrets { volumes } => Volumes::new(&volumes).prepare(),
        Containers::TrustAnchors { authority, to } => publish_trust_anchors(&authority, &to),
        Containers::Env { volumes, url } => {
            let administrator = Volumes::new(&volumes).administrator()?;
            println!("PMS_URL='{url}'");
            println!("PMS_ADMIN_EMAIL='{}'", administrator.email);
            println!("PMS_ADMIN_PASSWORD='{}'", administrator.password);
            Ok(())
        }
    }
}
