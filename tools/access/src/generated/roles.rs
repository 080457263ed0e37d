//! `docs/roles.md`: the matrix of operations and roles as a table.

use std::fmt::Write as _;

use access::{
    Allowed, Role,
    matrix::{self, Operation, Whoever},
};
use anyhow::Result;

const INTRODUCTION: &str = "\
# Roles

Who may do what.
What is not here is not served; the gateway and the app behind it both look here, and the user's role decides at each.
An operation for everyone asks for no token.
Where a second factor is still to be set up, nothing is allowed but what says so.

";

/// The page.
pub(super) fn page() -> Result<String> {
    let mut page = String::from("<!-- Made by `pms-access write` from crates/access/roles.yaml: edit that. -->\n\n");
    page += INTRODUCTION;
    let operations = matrix::operations()?;
    page += "## Behind the gateway\n\n";
    table(&mut page, operations.iter().filter(|operation| operation.public))?;
    page += "\n## Between services\n\nThe roles are those of the user on whose behalf a service asks.\n\n";
    table(&mut page, operations.iter().filter(|operation| !operation.public))?;
    Ok(page)
}

fn table<'a>(page: &mut String, operations: impl Iterator<Item = &'a Operation>) -> Result<()> {
    let roles = Role::ALL.map(|role| role.to_string()).join(" | ");
    writeln!(page, "| app | operation | everyone | {roles} |")?;
    writeln!(page, "|{}", " --- |".repeat(Role::ALL.len() + 3))?;
    for Operation { app, name, allowed, .. } in operations {
        let everyone = match allowed {
            Allowed::Whoever(Whoever::Open) => "yes",
            Allowed::Whoever(Whoever::Cookie) => "with the cookie of a browser's session",
            _ => "",
        };
        let cells = Role::ALL.map(|role| match allowed {
            Allowed::Whoever(Whoever::Open | Whoever::Cookie) => "",
            Allowed::Whoever(Whoever::Enrolling) => "yes, also before the second factor",
            allowed if allowed.has(role) => "yes",
            _ => "",
        });
        writeln!(page, "| {app} | `{name}` | {everyone} | {} |", cells.join(" | "))?;
    }
    Ok(())
}
