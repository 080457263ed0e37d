//! Registrations that come at the same time share transactions, and nothing else.

use futures::future::try_join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{get, id, person, register, unique};

/// People of one family name, each with a given name of their own.
fn crowd(family: &str, size: usize) -> Vec<Value> {
    let one = |number: usize| {
        let mut one = person(family);
        one["name"][0]["given"] = json!([format!("Number {number}")]);
        one
    };
    (0..size).map(one).collect()
}

/// Registers all of them at once, each with a key of its own; answers status and body in their order.
async fn at_once(parts: &Parts, people: &[Value]) -> Result<Vec<(u16, Value)>> {
    try_join_all(people.iter().map(async |body| {
        let answer = register(parts, &unique("key"), body).await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }))
    .await
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_crowd_is_stored_in_few_transactions", parts, |parts| async move {
            let family = unique("Crowd");
            let answers = at_once(&parts, &crowd(&family, 60)).await?;
            for (status, patient) in &answers {
                assert_eq!(*status, 201, "{patient}");
                let read: Value = get(&parts, &format!("/api/patients/{}", id(patient))).await?.json().await?;
                assert_eq!(read["name"], patient["name"]);
            }
            let sql = format!(
                "select count(*) as rows, count(distinct xmin::text) as transactions from projection.patients \
                 where family = '{}'",
                family.to_lowercase()
            );
            let stored = parts.sql(&sql).await?.remove(0);
            assert_eq!(stored["rows"], 60);
            assert!(stored["transactions"].as_u64() < Some(30), "{stored}");
            Ok(())
        }),
        test("one_that_is_refused_undoes_nobody_else", parts, |parts| async move {
            let family = unique("Twice");
            // Numbers 0 to 9 come twice, next to each other, among others who come once.
            let people = crowd(&family, 30);
            let sent: Vec<Value> = people.iter().take(10).chain(&people).cloned().collect();
            let answers = at_once(&parts, &sent).await?;
            for (number, body) in people.iter().enumerate() {
                let of = sent.iter().zip(&answers).filter(|(sent, _)| *sent == body);
                let mut statuses: Vec<_> = of.map(|(_, (status, _))| *status).collect();
                statuses.sort_unstable();
                assert_eq!(statuses, if number < 10 { vec![201, 409] } else { vec![201] }, "number {number}");
            }
            let sql = format!(
                "select count(*) as patients from projection.patients where family = '{}'",
                family.to_lowercase()
            );
            assert_eq!(parts.sql(&sql).await?[0]["patients"], 30);
            Ok(())
        }),
    ]
}
