//! The first user.

use serde_json::json;
use testkit::{Parts, Result};

use crate::{administrator, instance::Instance, logs, sign_in};

const NAME_PASSWORD: &str = "administrator-password";
const NAME_EMAIL: &str = "administrator-email";

pub(crate) async fn made_once(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    let rows =
        "select key, etag, convert_from(value, 'UTF8')::jsonb as document from state.state where key like 'user/%'";
    let made = parts.sql(rows).await?;
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made[0]["document"]["version"], 1);

    let other = "another-password-of-the-same-person";
    restart_with(&parts, &[(NAME_PASSWORD, Some(other))]).await?;
    assert_eq!(parts.sql(rows).await?, made);
    assert_eq!(sign_in(&parts, email, password).await?.0, 200);
    assert_eq!(sign_in(&parts, email, other).await?.0, 401);

    // A new address is a new user.
    restart_with(&parts, &[(NAME_PASSWORD, Some(other)), (NAME_EMAIL, Some("Second@Clinic.example"))]).await?;
    assert_eq!(sign_in(&parts, "second@clinic.example", other).await?.0, 200);
    assert_eq!(sign_in(&parts, email, password).await?.0, 200);
    let users = parts.sql("select role, active from projection.users").await?;
    assert_eq!(users, vec![json!({ "role": "admin", "active": true }); 2]);
    assert_eq!(parts.sql("select * from document.outbox").await?, Vec::<serde_json::Value>::new());
    Ok(())
}

pub(crate) async fn not_wanted(parts: Parts) -> Result<()> {
    let users = "select count(*) as count from projection.users";
    let before = parts.sql(users).await?;
    restart_with(&parts, &[(NAME_PASSWORD, None), (NAME_EMAIL, None)]).await?;
    assert!(logs::so_far().contains("no secrets administrator-email and administrator-password"));

    restart_with(&parts, &[(NAME_PASSWORD, Some("short")), (NAME_EMAIL, Some("third@clinic.example"))]).await?;
    assert!(
        logs::so_far().contains("the secret administrator-password cannot be used: must have at least 15 characters")
    );
    assert_eq!(sign_in(&parts, "third@clinic.example", "short").await?.0, 401);
    assert_eq!(parts.sql(users).await?, before);
    Ok(())
}

/// Another instance, started when the secrets are others; the sidecar sees that they are.
async fn restart_with(parts: &Parts, secrets: &[(&str, Option<&str>)]) -> Result<()> {
    for (name, value) in secrets {
        parts.set_secret(name, *value)?;
    }
    Instance::start(parts)?.ready(parts).await
}
