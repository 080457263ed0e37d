//! Whatever is done to a chain is found, and where.

use anyhow::{Result, ensure};
use audit::checkpoint::{Checkpoint, Forged, Key};
use audit_verifier::Finding;
use jiff::Timestamp;
use serde_json::json;

use crate::chain::{Chain, KEY, OTHER_KEY, SERVICE, append, entry};
use crate::cluster::Cluster;

/// Tampers with one row or more, and compares what is found.
async fn found(chain: &Chain, statement: &str, expected: &[Finding]) -> Result<()> {
    ensure!(chain.tamper(statement).await? > 0, "{statement}: nothing was changed");
    let findings = chain.verify(&[]).await?.findings;
    ensure!(findings == expected, "{statement}: {findings:?}");
    Ok(())
}

pub(crate) async fn an_untouched_chain_is_intact(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::empty(cluster).await?;
    let report = chain.verify(&[]).await?;
    ensure!(report.is_intact() && report.entries == 0 && report.checkpoint.is_none(), "{report:?}");

    let chain = Chain::of_thirty(cluster).await?;
    append(&mut chain.functions().await?, &[entry(31)]).await?;
    let report = chain.verify(&[]).await?;
    ensure!(report.is_intact(), "{report:?}");
    ensure!((report.entries, report.details, report.purged, report.waiting) == (30, 20, 0, 1), "{report:?}");
    ensure!(report.checkpoint.as_ref().is_some_and(|newest| newest.position == 30), "{report:?}");
    // What this run tells is what the next one is given.
    ensure!(chain.verify(&report.checkpoint.into_iter().collect::<Vec<_>>()).await?.is_intact(), "it does not last");
    Ok(())
}

pub(crate) async fn purged_details_are_counted_and_no_failure(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    chain.tamper("delete from audit.details where position in (1, 17)").await?;
    let report = chain.verify(&[]).await?;
    ensure!(report.is_intact() && (report.details, report.purged) == (18, 2), "{report:?}");
    Ok(())
}

pub(crate) async fn every_changed_field_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    for (field, other) in [
        ("entry_id", "'00000000-0000-0000-0000-000000000000'"),
        ("recorded", "recorded + interval '1 microsecond'"),
        ("action", "'R'"),
        ("subtype", "'user-changee'"),
        ("outcome", "8"),
        ("agent", "null"),
        ("agent_role", "'nurse'"),
        ("session", "gen_random_uuid()"),
        ("entity_type", "'usee'"),
        ("entity_id", "'16'"),
        ("entity_version", "entity_version + 1"),
        ("request_id", "null"),
        ("trace_id", "upper(trace_id || 'a')"),
        ("details_digest", "null"),
        ("patient", "null"),
        ("patient", "gen_random_uuid()"),
    ] {
        chain
            .tamper("drop table if exists kept; create table kept as select * from audit.entries where position = 17")
            .await?;
        let expected = match field {
            "details_digest" => vec![Finding::Changed(17), Finding::StrayDetails(17)],
            _ => vec![Finding::Changed(17)],
        };
        found(&chain, &format!("update audit.entries set {field} = {other} where position = 17"), &expected).await?;
        chain
            .tamper("delete from audit.entries where position = 17; insert into audit.entries select * from kept")
            .await?;
        ensure!(chain.verify(&[]).await?.is_intact(), "{field} was not put back");
    }
    // What two fields hold cannot move from one to the other.
    let moved = "update audit.entries set agent_role = 'a', entity_type = 'dminuser' where position = 18";
    found(&chain, moved, &[Finding::Changed(18)]).await?;
    // Nor does an entry become of a patient that was of none.
    let chain = Chain::of_thirty(cluster).await?;
    let added = "update audit.entries set patient = gen_random_uuid() where position = 19";
    found(&chain, added, &[Finding::Changed(19)]).await
}

pub(crate) async fn a_changed_hash_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let flip = "update audit.entries set hash = set_byte(hash, 5, 255 - get_byte(hash, 5)) where position = ";
    found(&chain, &format!("{flip} 17"), &[Finding::Changed(17), Finding::Changed(18)]).await?;
    let chain = Chain::of_thirty(cluster).await?;
    let rewritten = Finding::Rewritten { after: 20, position: 30 };
    found(&chain, &format!("{flip} 30"), &[Finding::Changed(30), rewritten, Finding::Head(30)]).await
}

pub(crate) async fn changed_details_are_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let flip = "update audit.details set details = overlay(details placing '8' from length(details) - 10 for 1) \
                where position = 17";
    found(&chain, flip, &[Finding::Details(17)]).await
}

pub(crate) async fn a_changed_salt_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    found(&chain, "update audit.details set salt = gen_random_uuid() where position = 17", &[Finding::Details(17)])
        .await
}

pub(crate) async fn details_that_never_were_are_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    found(
        &chain,
        "insert into audit.details select n, gen_random_uuid(), '{}' from unnest(array[-3, 18]) as n",
        &[Finding::StrayDetails(-3), Finding::StrayDetails(18)],
    )
    .await
}

pub(crate) async fn a_dropped_entry_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    found(&chain, "delete from audit.entries where position = 17", &[Finding::Missing { from: 17, to: 17 }]).await?;
    let chain = Chain::of_thirty(cluster).await?;
    found(&chain, "delete from audit.entries where position < 4", &[Finding::Missing { from: 1, to: 3 }]).await?;
    // With the others moved up, so that there is no gap.
    let chain = Chain::of_thirty(cluster).await?;
    chain.tamper("delete from audit.entries where position = 17").await?;
    chain.tamper("delete from audit.details").await?;
    chain.tamper("update audit.entries set position = -position where position > 17").await?;
    chain.tamper("update audit.entries set position = -position - 1 where position < 0").await?;
    let report = chain.verify(&[]).await?;
    ensure!(report.findings.first() == Some(&Finding::Changed(17)), "{report:?}");
    ensure!(report.findings.contains(&Finding::Truncated { from: 30, to: 30 }), "{report:?}");
    Ok(())
}

pub(crate) async fn two_swapped_entries_are_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    chain.tamper("delete from audit.details where position in (16, 17)").await?;
    // Their contents, with their hashes or without them.
    let swapped = "update audit.entries set position = -17 where position = 16; \
                   update audit.entries set position = 16 where position = 17; \
                   update audit.entries set position = 17 where position = -17";
    found(&chain, swapped, &[16, 17, 18].map(Finding::Changed)).await?;
    let hashes = "update audit.entries as one set hash = other.hash from audit.entries as other \
                  where one.position in (16, 17) and other.position = 33 - one.position";
    found(&chain, hashes, &[16, 17].map(Finding::Changed)).await
}

pub(crate) async fn a_truncated_end_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let cut = "delete from audit.entries where position > 25";
    found(&chain, cut, &[Finding::Truncated { from: 26, to: 30 }]).await?;
    // Also when the head tells the same story: there is a checkpoint beyond it.
    found(&chain, MOVE_HEAD, &[Finding::Truncated { from: 26, to: 30 }]).await?;
    let chain = Chain::of_thirty(cluster).await?;
    found(&chain, "delete from audit.entries", &[Finding::Truncated { from: 1, to: 30 }]).await
}

const MOVE_HEAD: &str = "update audit.head set (position, hash) = \
                         (select position, hash from audit.entries order by position desc limit 1)";

pub(crate) async fn an_end_that_was_truncated_with_its_checkpoints_is_found_by_one_kept_elsewhere(
    cluster: &'static Cluster,
) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let kept: Vec<Checkpoint> = chain.verify(&[]).await?.checkpoint.into_iter().collect();
    for statement in [
        "delete from audit.entries where position > 25",
        MOVE_HEAD,
        "delete from audit.checkpoints where position > 25",
    ] {
        chain.tamper(statement).await?;
    }
    chain.tamper("delete from audit.details where position > 25").await?;
    ensure!(chain.verify(&[]).await?.is_intact(), "the database alone cannot know");
    let findings = chain.verify(&kept).await?.findings;
    ensure!(findings == [Finding::Truncated { from: 26, to: 30 }, Finding::LostCheckpoint(30)], "{findings:?}");
    Ok(())
}

pub(crate) async fn an_entry_that_was_not_sealed_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    // With a hash as it should be.
    let added = "insert into audit.entries (position, entry_id, recorded, action, subtype, outcome, hash) \
                 values (31, gen_random_uuid(), now(), 'E', 'login', 0, ''); \
                 update audit.entries as entry set hash = audit.link(before.hash, entry) \
                 from audit.entries as before where entry.position = 31 and before.position = 30";
    found(&chain, added, &[Finding::Head(31)]).await
}

pub(crate) async fn a_replaced_checkpoint_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let original = chain.verify(&[]).await?.checkpoint.into_iter().collect::<Vec<_>>();
    let replace = |checkpoint: &Checkpoint| {
        format!("update audit.checkpoints set checkpoint = '{}' where position = 30", json!(checkpoint))
    };
    let hash = original[0].hash.clone();
    let forged = |why| Finding::Forged { position: 30, why };

    let other = Key::from_pem(OTHER_KEY)?.sign(SERVICE, 30, &hash, Timestamp::now());
    found(&chain, &replace(&other), &[forged(Forged::UnknownKey)]).await?;
    let claimed = Checkpoint { key: original[0].key.clone(), ..other };
    found(&chain, &replace(&claimed), &[forged(Forged::Signature)]).await?;
    let flipped = Checkpoint { hash: hash.replace(['0', '1'], "2"), ..original[0].clone() };
    found(&chain, &replace(&flipped), &[forged(Forged::Signature)]).await?;
    let moved = Checkpoint { position: 29, ..original[0].clone() };
    found(&chain, &replace(&moved), &[Finding::BadCheckpoint(30)]).await?;
    found(&chain, "update audit.checkpoints set checkpoint = '{}' where position = 30", &[Finding::BadCheckpoint(30)])
        .await?;
    // By one of the service's own, of another moment.
    let again = Key::from_pem(KEY)?.sign(SERVICE, 30, &hash, Timestamp::UNIX_EPOCH);
    found(&chain, &replace(&again), &[]).await?;
    let findings = chain.verify(&original).await?.findings;
    ensure!(findings == [Finding::LostCheckpoint(30)], "{findings:?}");
    Ok(())
}

pub(crate) async fn a_chain_that_was_made_anew_is_found(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    // All hashes after the change are as they should be, and so is the head.
    let anew = "do $$ declare at bigint; begin \
                  update audit.entries set outcome = 8 where position = 17; \
                  for at in 17..30 loop \
                    update audit.entries as entry set hash = audit.link(before.hash, entry) \
                    from audit.entries as before where entry.position = at and before.position = at - 1; \
                  end loop; end $$";
    chain.tamper(anew).await?;
    let expected = [20, 30].map(|position| Finding::Rewritten { after: 10, position });
    found(&chain, MOVE_HEAD, &expected).await
}

pub(crate) async fn a_checkpoint_of_another_service_is_none(cluster: &'static Cluster) -> Result<()> {
    let chain = Chain::of_thirty(cluster).await?;
    let hash = chain.verify(&[]).await?.checkpoint.map(|newest| newest.hash).unwrap_or_default();
    let other = Key::from_pem(KEY)?.sign("another", 30, &hash, Timestamp::now());
    let replace = format!("update audit.checkpoints set checkpoint = '{}' where position = 30", json!(other));
    found(&chain, &replace, &[Finding::BadCheckpoint(30)]).await?;
    // Kept elsewhere it is about another chain, and says nothing of this one.
    let chain = Chain::of_thirty(cluster).await?;
    ensure!(chain.verify(&[other]).await?.is_intact(), "it was taken for this one's");
    Ok(())
}
