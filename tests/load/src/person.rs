//! People who have never been registered, as a clerk would write them down.

use std::fmt::Write as _;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

const GIVEN: [&str; 16] = [
    "Ada",
    "Benjamin",
    "Chidi",
    "Dolores",
    "Emeka",
    "Fatima",
    "Grace",
    "Hiroshi",
    "Ines",
    "Jamal",
    "Katarzyna",
    "Liam",
    "Mei",
    "Nadia",
    "Omar",
    "Priya",
];
const STREETS: [&str; 8] = ["High", "Church", "Station", "Mill", "Park", "Main", "Spring", "Lake"];
const LETTERS: u32 = 10;

/// The people of a seed: the same seed gives the same people.
#[derive(Clone, Copy, Debug)]
pub struct People {
    seed: u64,
}

impl People {
    /// The people of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The body that registers the `n`-th of them.
    ///
    /// Of the 26^10 family names two people hardly draw the same, and then their birth dates differ.
    pub fn body(self, n: u64) -> Vec<u8> {
        let mut random = self.random(n);
        let family = family(&mut random);
        let given = GIVEN[random.random_range(0..GIVEN.len())];
        let gender = if random.random() { "female" } else { "male" };
        let born = format!(
            "{}-{:02}-{:02}",
            random.random_range(1935..2020),
            random.random_range(1..=12),
            random.random_range(1..=28)
        );
        let digits: u32 = random.random_range(0..10_000_000);
        let street = STREETS[random.random_range(0..STREETS.len())];
        let mut email = given.to_lowercase();
        let _ = write!(email, ".{}@mail.example", family.to_lowercase());
        json!({
            "name": [{ "use": "official", "family": family, "given": [given] }],
            "gender": gender,
            "birthDate": born,
            "telecom": [
                { "system": "phone", "value": format!("+1 555 {digits:07}") },
                { "system": "email", "value": email },
            ],
            "address": [{
                "line": [format!("{} {street} Street", digits % 200 + 1)],
                "city": "Springfield", "postalCode": format!("{:05}", digits % 100_000), "country": "US",
            }],
        })
        .to_string()
        .into_bytes()
    }

    /// The first letters of the `n`-th one's family name, by which a clerk looks for them.
    pub fn prefix(self, n: u64) -> String {
        family(&mut self.random(n))[..2].to_lowercase()
    }

    /// The key that the `n`-th one's registration is repeated with.
    pub fn key(self, n: u64) -> String {
        format!("{:016x}-{n}", self.seed)
    }

    fn random(self, n: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

fn family(random: &mut StdRng) -> String {
    let mut name = String::new();
    for _ in 0..LETTERS {
        name.push(char::from(random.random_range(b'a'..=b'z')));
    }
    name[..1].make_ascii_uppercase();
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_people_and_nobody_twice() {
        let people = People::new(7);
        let bodies: HashSet<_> = (0..10_000).map(|n| people.body(n)).collect();
        assert_eq!(bodies.len(), 10_000);
        assert_eq!(People::new(7).body(3), people.body(3));
        assert_ne!(People::new(8).body(3), people.body(3));
        let body: serde_json::Value = serde_json::from_slice(&people.body(3)).unwrap();
        let name = body["name"][0]["family"].as_str().unwrap().to_lowercase();
        assert!(name.starts_with(&people.prefix(3)));
    }
}
