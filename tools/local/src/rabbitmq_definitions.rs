//! What RabbitMQ knows of the system: an exchange for each topic, a queue for each reader of it, and a user for each app who
//! can do with its own what `dapr/access.yaml` says.
//!
//! <https://www.rabbitmq.com/docs/definitions>

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{access::Topic, app::App, secrets::Secrets};

const HOST: &str = "/";
/// A password of 256 random bits needs none; the form of the hash does.
const SALT: [u8; 4] = *b"pms1";

/// What Dapr's component calls the queue of an app for a topic.
fn queue(app: &str, topic: &str) -> String {
    format!("{app}-{topic}")
}

/// The file of definitions for these topics.
pub(crate) fn definitions(secrets: &Secrets, topics: &[Topic]) -> Result<String> {
    let exchanges: Vec<Value> = topics
        .iter()
        .map(|topic| {
            json!({ "name": topic.name, "vhost": HOST, "type": "fanout", "durable": true, "auto_delete": false,
                    "internal": false, "arguments": {} })
        })
        .collect();
    let readers = || topics.iter().flat_map(|topic| topic.subscribe.iter().map(move |app| (app, topic)));
    let queues: Vec<Value> = readers()
        .map(|(app, topic)| {
            json!({ "name": queue(app, &topic.name), "vhost": HOST, "durable": true, "auto_delete": false,
                    "arguments": { "x-queue-type": "quorum" } })
        })
        .collect();
    let bindings: Vec<Value> = readers()
        .map(|(app, topic)| {
            json!({ "source": topic.name, "vhost": HOST, "destination": queue(app, &topic.name),
                    "destination_type": "queue", "routing_key": "", "arguments": {} })
        })
        .collect();
    let mut users = Vec::new();
    let mut permissions = Vec::new();
    for app in App::ALL {
        let id = app.id();
        let published: Vec<_> = topics.iter().filter(|topic| topic.publish.iter().any(|app| app == id)).collect();
        let read: Vec<_> = topics.iter().filter(|topic| topic.subscribe.iter().any(|app| app == id)).collect();
        if published.is_empty() && read.is_empty() {
            continue;
        }
        let name = |topic: &&Topic| topic.name.clone();
        let queues: Vec<String> = read.iter().map(|topic| queue(id, &topic.name)).collect();
        // Who declares what is there already has to be allowed to make it; who binds a queue writes to it and reads the exchange.
        let own = [published.iter().map(name).collect::<Vec<_>>(), queues.clone()].concat();
        let seen = [read.iter().map(name).collect::<Vec<_>>(), queues].concat();
        users.push(json!({ "name": id, "password_hash": hash(secrets, id)?,
                           "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "" }));
        permissions
            .push(json!({ "user": id, "vhost": HOST, "configure": any_of(&[own.clone(), seen.clone()].concat()),
                                 "write": any_of(&own), "read": any_of(&seen) }));
    }
    let all = json!({ "vhosts": [{ "name": HOST }], "users": users, "permissions": permissions, "exchanges": exchanges,
                      "queues": queues, "bindings": bindings });
    Ok(serde_json::to_string_pretty(&all)?)
}

/// A pattern of these names and no others.
fn any_of(names: &[String]) -> String {
    let mut names: Vec<_> = names.iter().map(|name| name.replace('.', "\\.")).collect();
    names.sort();
    names.dedup();
    format!("^({})$", names.join("|"))
}

/// The form in which RabbitMQ keeps a password: <https://www.rabbitmq.com/docs/passwords#computing-password-hash>.
fn hash(secrets: &Secrets, user: &str) -> Result<String> {
    let password = secrets.broker_password(user).with_context(|| format!("{user} has no password for the broker"))?;
    let salted = [&SALT[..], password.as_bytes()].concat();
    Ok(BASE64_STANDARD.encode([&SALT[..], &Sha256::digest(salted)].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{broker::Kind, home::Home, ports::Ports};

    #[test]
    fn a_user_has_its_own_exchanges_and_queues_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let secrets = Secrets::prepare(&home, Ports::new(9000).unwrap(), Kind::RabbitMq).unwrap();
        let topic = |name: &str, publish: &str, subscribe: &[&str]| Topic {
            publish: vec![publish.to_owned()],
            subscribe: subscribe.iter().map(|&app| app.to_owned()).collect(),
            ..Topic::new(name)
        };
        let topics = [topic("a.made", "patient", &["billing"]), topic("b.made", "billing", &[])];
        let text = definitions(&secrets, &topics).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let permission = |user: &str, right: &str| {
            let of = all["permissions"].as_array().unwrap().iter().find(|permission| permission["user"] == user);
            of.map(|permission| permission[right].as_str().unwrap().to_owned())
        };
        assert_eq!(permission("patient", "write").unwrap(), r"^(a\.made)$");
        assert_eq!(permission("patient", "read").unwrap(), "^()$", "nothing has an empty name");
        assert_eq!(permission("billing", "write").unwrap(), r"^(b\.made|billing-a\.made)$");
        assert_eq!(permission("billing", "read").unwrap(), r"^(a\.made|billing-a\.made)$");
        assert_eq!(permission("gateway", "read"), None);
        assert_eq!(all["queues"].as_array().unwrap().len(), 1);
        assert_eq!(all["queues"][0]["arguments"]["x-queue-type"], "quorum");
        assert_eq!(all["bindings"][0]["source"], "a.made");
        assert!(!text.contains(secrets.broker_password("patient").unwrap()), "a password in the open");
    }
}
