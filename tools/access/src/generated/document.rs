//! `docs/access.md`: the matrix as a diagram and two tables.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::Result;

use super::NOTICE;
use crate::{
    cells::{Use, Verdict},
    matrix::{Matrix, Topic},
    operation::Operation,
};

/// The page.
pub(super) fn of(matrix: &Matrix) -> Result<String> {
    let mut page = String::new();
    writeln!(page, "<!-- {NOTICE} -->\n")?;
    page += INTRODUCTION;
    diagram(&mut page, matrix)?;
    calls(&mut page, matrix)?;
    tolerated(&mut page, matrix)?;
    topics(&mut page, matrix)?;
    secrets(&mut page, matrix)?;
    Ok(page)
}

const INTRODUCTION: &str = "\
# Access

Who may call whom, and who may publish and subscribe what.
What is not here is denied: by the callee's sidecar, which knows the caller by its certificate, and by the own sidecar for topics, secrets and everything else.
None of it replaces the user's rights, which every service checks for itself.

";

fn diagram(page: &mut String, matrix: &Matrix) -> Result<()> {
    page.push_str("A solid arrow is a call, a dotted one an event.\n\n```mermaid\nflowchart LR\n");
    for caller in &matrix.apps {
        for callee in &matrix.apps {
            let operations: Vec<String> =
                matrix.operations(&caller.id, &callee.id).into_iter().map(Operation::to_string).collect();
            if !operations.is_empty() {
                writeln!(page, "  {} -->|\"{}\"| {}", caller.id, operations.join("<br/>"), callee.id)?;
            }
        }
    }
    for topic in matrix.topics.iter().filter(|topic| !topic.is_dead_letter()) {
        for (publisher, subscriber) in
            topic.publishers.iter().flat_map(|app| topic.subscribers.iter().map(move |other| (app, other)))
        {
            writeln!(page, "  {publisher} -.->|\"{}\"| {subscriber}", topic.name)?;
        }
    }
    page.push_str("```\n\n");
    Ok(())
}

fn calls(page: &mut String, matrix: &Matrix) -> Result<()> {
    page.push_str("## Calls\n\n");
    table(page, &["callee", "operation", "callers"])?;
    for grant in &matrix.calls {
        row(page, &[&grant.callee, &format!("`{}`", grant.operation), &list(&grant.callers)])?;
    }
    page.push_str(
        "
A call to one's own app id stays inside the sidecar, and Dapr asks no policy for it.
So every route of an app also answers at the app's own sidecar, to whoever has that sidecar's token.

Dapr lower-cases what a policy names but not the path of a gRPC call, so each capital of a gRPC operation is written as `*` there.
A policy for `billing.v1.Accounts/OpenAccounts` reads `/billing.v1.*ccounts/*pen*ccounts`: it fits this method and none of its neighbours.

",
    );
    Ok(())
}

fn tolerated(page: &mut String, matrix: &Matrix) -> Result<()> {
    let calls = matrix.calls_between_apps()?;
    let calls: Vec<_> = calls.iter().filter(|call| call.verdict == Verdict::Tolerated).collect();
    if calls.is_empty() {
        return Ok(());
    }
    page.push_str(
        "These calls are not allowed, but Dapr cannot tell them from one that is; the callee refuses them.\n\n",
    );
    table(page, &["callee", "operation", "caller"])?;
    for call in calls {
        row(page, &[&call.callee, &format!("`{}`", call.operation), &call.caller])?;
    }
    page.push('\n');
    Ok(())
}

fn topics(page: &mut String, matrix: &Matrix) -> Result<()> {
    page.push_str("## Topics\n\n");
    table(page, &["topic", "published by", "subscribed by"])?;
    for Topic { name, publishers, subscribers } in &matrix.topics {
        row(page, &[&format!("`{name}`"), &list(publishers), &list(subscribers)])?;
    }
    let uses = matrix.topic_uses();
    let refused = |direction| uses.iter().filter(|one| one.direction == direction && !one.allowed).count();
    writeln!(
        page,
        "
A topic that is not here does not exist for anyone.
Of the pairs of app and topic {} are refused for publishing and {} for subscribing.
",
        refused(Use::Publish),
        refused(Use::Subscribe)
    )?;
    Ok(())
}

fn secrets(page: &mut String, matrix: &Matrix) -> Result<()> {
    page.push_str("## Components and secrets\n\n");
    table(page, &["app", "components", "secrets that its code may read"])?;
    for app in &matrix.apps {
        let mut components: BTreeSet<String> = app.components.clone();
        if app.has_secret_store() {
            components.insert("secretstore".to_owned());
        }
        if matrix.uses_pubsub(&app.id) {
            components.insert("pubsub".to_owned());
        }
        row(page, &[&app.id, &list(&components), &list(&app.secrets)])?;
    }
    Ok(())
}

fn table(page: &mut String, titles: &[&str]) -> Result<()> {
    row(page, titles)?;
    row(page, &vec!["---"; titles.len()])
}

fn row(page: &mut String, cells: &[&str]) -> Result<()> {
    Ok(writeln!(page, "| {} |", cells.join(" | "))?)
}

fn list(items: &BTreeSet<String>) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
