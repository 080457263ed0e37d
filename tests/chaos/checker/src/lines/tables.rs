//! Tables that are made of something else, against a fresh look at that.

use std::collections::BTreeMap;

use crate::{
    databases::{Databases, Pair},
    report::Line,
};

/// The typed tables say what the documents say.
pub(crate) fn projections(databases: &Databases) -> Line {
    equal(Line::new("projections", "the projections equal the documents, row for row"), &databases.projections)
}

/// The facts say what the newest documents of the others say.
pub(crate) fn facts(databases: &Databases) -> Line {
    equal(Line::new("facts", "analytics equal the patients and the accounts, row for row"), &databases.facts)
}

/// The figures say what the producers' databases come to.
pub(crate) fn figures(databases: &Databases) -> Line {
    equal(
        Line::new("figures", "figures, also told apart, equal what the producers' own databases come to"),
        &databases.figures,
    )
}

fn equal(mut line: Line, pairs: &[Pair]) -> Line {
    for Pair { name, is, should_be } in pairs {
        let mut rows = BTreeMap::<String, i64>::new();
        for row in should_be {
            *rows.entry(row.to_string()).or_default() += 1;
        }
        for row in is {
            *rows.entry(row.to_string()).or_default() -= 1;
        }
        for (row, difference) in rows {
            line.check(difference == 0, || match difference {
                1.. => format!("{name} lacks {row}"),
                _ => format!("{name} has {row}"),
            });
        }
    }
    line
}
