//! `containers`: what a system of containers needs once.

use std::path::Path;

use anyhow::Result;
use jiff::{Timestamp, Unit};
use local::{
    containers::{Volumes, publish_trust_anchors},
    signing_keys::{self, NOTICE},
};

use crate::command_line::Containers;

pub(super) fn obey(command: Containers) -> Result<()> {
    match command {
        Containers::Secrets { volumes } => Volumes::new(&volumes).prepare(),
        Containers::TrustAnchors { authority, to } => publish_trust_anchors(&authority, &to),
        Containers::RotateKeys { volumes, compromised } => rotate(&volumes, compromised),
        Containers::Env { volumes, url } => {
            let administrator = Volumes::new(&volumes).administrator()?;
            println!("PMS_URL='{url}'");
            println!("PMS_ADMIN_EMAIL='{}'", administrator.email);
            println!("PMS_ADMIN_PASSWORD='{}'", administrator.password);
            Ok(())
        }
    }
}

fn rotate(volumes: &Path, compromised: bool) -> Result<()> {
    let volumes = Volumes::new(volumes);
    if compromised {
        let rotated = volumes.change_signing_key(signing_keys::replace)?;
        println!("All other keys are gone ({}): `docker compose restart auth-sidecar`, at once.", rotated.forgotten);
    } else {
        let now = Timestamp::now().round(Unit::Second)?;
        let signs_from = now + NOTICE;
        volumes.change_signing_key(|text| signing_keys::add(text, now, signs_from))?;
        println!("A new key signs from {signs_from}: `docker compose restart auth-sidecar` before that.");
    }
    Ok(())
}
