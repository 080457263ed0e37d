//! What each case comes to. Every claim asks for 10,000 and 5,000.
//!
//! A balance is debit less credit: what is owed is above nothing, what was earned and what is a payer's is below.

/// How the clinic answers what it is told.
pub(super) const TAKEN: &str = "taken";
pub(super) const REFUSED: &str = "refused";

const ACCEPTED: (&str, &str) = ("accepted", TAKEN);
const ANSWERED: (&str, &str) = ("answered", TAKEN);
const PLAIN: &[(&str, &str)] = &[ACCEPTED, ANSWERED];

/// A case.
pub(super) struct Expected {
    pub(super) case: &'static str,
    /// What the member's number begins with.
    pub(super) member: &'static str,
    /// What the clearing house tells, and how the clinic answers.
    pub(super) steps: &'static [(&'static str, &'static str)],
    /// The claim's status in the end.
    pub(super) status: &'static str,
    /// What has moved since before the invoice was issued.
    pub(super) ledger: &'static [(&'static str, i64)],
    /// What is done then, and what has moved after that.
    pub(super) next: Option<(Next, &'static [(&'static str, i64)])>,
}

/// What is done after an answer.
#[derive(Debug)]
pub(super) enum Next {
    /// The claim is closed.
    Close,
    /// It is mended and sent again.
    Resubmit { steps: &'static [(&'static str, &'static str)], status: &'static str },
    /// The same payer has another claim to answer.
    OfPayer { member: &'static str, steps: &'static [(&'static str, &'static str)], status: &'static str },
    /// Another claim takes its place, or takes it back.
    Frequency {
        frequency: &'static str,
        steps: &'static [(&'static str, &'static str)],
        status: &'static str,
        prior: &'static str,
    },
    /// Another payer is asked for what is left.
    SecondPayer { steps: &'static [(&'static str, &'static str)], status: &'static str },
}

/// 6,000 and 2,000 are paid, 2,000 and 1,000 are by contract, 2,000 each are the patient's.
const PAID: &[(&str, i64)] =
    &[("bank", 8_000), ("contractual-adjustment", 3_000), ("patient-receivable", 4_000), ("revenue", -15_000)];

/// Of what was paid, 1,000 are the payer's again and 1,000 more are by contract.
const CORRECTED: &[(&str, i64)] = &[
    ("bank", 8_000),
    ("contractual-adjustment", 4_000),
    ("insurance-unapplied", -1_000),
    ("patient-receivable", 4_000),
    ("revenue", -15_000),
];

const fn plain(case: &'static str) -> Expected {
    Expected { case, member: case, steps: PLAIN, status: "adjudicated-paid", ledger: PAID, next: None }
}

pub(super) const ALL: &[Expected] = &[
    plain("PAY"),
    plain("SLOW"),
    Expected { steps: &[ACCEPTED, ("pended", TAKEN), ANSWERED], ..plain("PEND") },
    Expected { steps: &[ACCEPTED, ANSWERED, ("answered again", TAKEN)], ..plain("DUPLICATE") },
    Expected { steps: &[ACCEPTED, ("answered with a wrong sum", REFUSED), ANSWERED], ..plain("UNBALANCED") },
    Expected {
        ledger: &[("contractual-adjustment", 3_000), ("patient-receivable", 12_000), ("revenue", -15_000)],
        ..plain("DEDUCTIBLE")
    },
    // What is denied may be appealed, and is the payer's to pay until somebody gives it up.
    Expected {
        status: "denied",
        ledger: &[("insurance-receivable", 15_000), ("revenue", -15_000)],
        next: Some((Next::Close, &[("denial-write-off", 15_000), ("revenue", -15_000)])),
        ..plain("DENY")
    },
    Expected {
        status: "partially-paid",
        ledger: &[
            ("bank", 6_000),
            ("contractual-adjustment", 2_000),
            ("insurance-receivable", 5_000),
            ("patient-receivable", 2_000),
            ("revenue", -15_000),
        ],
        next: Some((
            Next::Close,
            &[
                ("bank", 6_000),
                ("contractual-adjustment", 2_000),
                ("denial-write-off", 5_000),
                ("patient-receivable", 2_000),
                ("revenue", -15_000),
            ],
        )),
        ..plain("PARTIAL")
    },
    // Whatever is sent back is mended: it stays with the payer until somebody withdraws it.
    Expected {
        steps: &[("rejected", TAKEN)],
        status: "rejected",
        ledger: &[("insurance-receivable", 15_000), ("revenue", -15_000)],
        next: Some((Next::Resubmit { steps: PLAIN, status: "adjudicated-paid" }, PAID)),
        ..plain("REJECT")
    },
    Expected { steps: &[ACCEPTED, ANSWERED, ("corrected", TAKEN)], ledger: CORRECTED, ..plain("REVERSE") },
    // Whichever of the answers is booked, and whatever waits: the money is the same.
    Expected { steps: &[ACCEPTED, ("corrected", TAKEN), ANSWERED], ledger: CORRECTED, ..plain("REORDER") },
    // All that was paid is the payer's again, which keeps it of what it pays next.
    Expected {
        steps: &[ACCEPTED, ANSWERED, ("taken back", TAKEN)],
        status: "pended",
        ledger: &[
            ("bank", 8_000),
            ("insurance-receivable", 15_000),
            ("insurance-unapplied", -8_000),
            ("revenue", -15_000),
        ],
        next: Some((
            Next::OfPayer { member: "PAY", steps: PLAIN, status: "adjudicated-paid" },
            &[
                ("bank", 8_000),
                ("contractual-adjustment", 3_000),
                ("insurance-receivable", 15_000),
                ("patient-receivable", 4_000),
                ("revenue", -30_000),
            ],
        )),
        ..plain("TAKEBACK")
    },
    Expected {
        steps: &[ACCEPTED, ("answered with interest", TAKEN)],
        ledger: &[
            ("bank", 8_150),
            ("contractual-adjustment", 3_000),
            ("interest-income", -150),
            ("patient-receivable", 4_000),
            ("revenue", -15_000),
        ],
        ..plain("INTEREST")
    },
    // What is for nobody waits for somebody to look at it.
    Expected {
        steps: &[ACCEPTED, ("answered beside a claim of nobody's", TAKEN)],
        ledger: &[
            ("bank", 16_000),
            ("contractual-adjustment", 3_000),
            ("insurance-unapplied", -8_000),
            ("patient-receivable", 4_000),
            ("revenue", -15_000),
        ],
        ..plain("UNKNOWN")
    },
    // 6,000 were paid of the first line alone; all of it is taken back, and 6,000 and 2,000 are paid.
    Expected {
        case: "REPLACE",
        status: "partially-paid",
        ledger: &[
            ("bank", 6_000),
            ("contractual-adjustment", 2_000),
            ("insurance-receivable", 5_000),
            ("patient-receivable", 2_000),
            ("revenue", -15_000),
        ],
        next: Some((
            Next::Frequency {
                frequency: "replacement",
                steps: &[ACCEPTED, ("replaced", TAKEN)],
                status: "adjudicated-paid",
                prior: "corrected",
            },
            PAID,
        )),
        ..plain("PARTIAL")
    },
    // All that was paid is the payer's again, and nobody but the patient is asked any more.
    Expected {
        case: "VOID",
        next: Some((
            Next::Frequency {
                frequency: "void",
                steps: &[ACCEPTED, ("taken back", TAKEN)],
                status: "accepted",
                prior: "voided",
            },
            &[("bank", 8_000), ("insurance-unapplied", -8_000), ("patient-receivable", 15_000), ("revenue", -15_000)],
        )),
        ..plain("PAY")
    },
    // The first payer has left 2,000 of each line to the patient, and the second one pays half of that.
    Expected {
        case: "SECOND",
        next: Some((
            Next::SecondPayer { steps: PLAIN, status: "adjudicated-paid" },
            &[("bank", 10_000), ("contractual-adjustment", 3_000), ("patient-receivable", 2_000), ("revenue", -15_000)],
        )),
        ..plain("PAY")
    },
];
