//! The lines of an invoice and the fees of a schedule, as they are sent.

use contracts::billing::v1::{self as wire, TaxCategory as Category};
use problem::input::Findings;

use super::read;
use crate::{
    domain::{
        fees::{Code, Fee, Tax, TaxCategory},
        invoice::{Discount, MOST_LINES},
        money::{Amount, Rate},
    },
    service::draft::NewLine,
};

const MOST_DIAGNOSES: usize = 12;
const LONGEST_TEXT: usize = 200;

/// The lines, unless one is wrong.
pub(super) fn read(given: &[wire::InvoiceLine], findings: &mut Findings) -> Option<Vec<NewLine>> {
    if given.len() > MOST_LINES {
        findings.add("lines", format!("must have at most {MOST_LINES} items"));
        return None;
    }
    given.iter().enumerate().map(|(at, line)| read_line(at, line, findings)).collect::<Vec<_>>().into_iter().collect()
}

fn read_line(at: usize, line: &wire::InvoiceLine, findings: &mut Findings) -> Option<NewLine> {
    let pointer = format!("lines[{at}].");
    let place = |name: &str| format!("{pointer}{name}");
    for (name, is_given) in [
        ("sequence", line.sequence != 0),
        ("total", line.total != 0),
        ("tax_amount", line.tax_amount != 0),
        ("credited", line.credited != 0),
    ] {
        if is_given {
            findings.add(place(name), "is not given: it follows from the others");
        }
    }
    let code = read::code(&line.system, &line.code, &pointer, findings);
    let modifiers = read::modifiers(&line.modifiers, &pointer, findings);
    let text = read::optional_text(line.text.as_deref(), LONGEST_TEXT, &place("text"), findings);
    let date = read::date(&line.date, &place("date"), findings);
    let units = read::count(line.units, &place("units"), findings);
    let discount = line.discount.as_ref().map(|discount| {
        let reason = read::text(&discount.reason, LONGEST_TEXT, &place("discount.reason"), findings);
        reason.map(|reason| Discount { amount: Amount(discount.amount), reason })
    });
    let tax = line.tax.map(|given| tax(given, &place("tax"), findings));
    let diagnoses: Vec<_> =
        line.diagnoses.iter().map(|&number| read::count(number, &place("diagnoses"), findings)).collect();
    Some(NewLine {
        code: code?,
        modifiers: modifiers?,
        text,
        date: date?,
        units: units?,
        unit_price: line.unit_price.map(Amount),
        discount: match discount {
            Some(discount) => Some(discount?),
            None => None,
        },
        tax: match tax {
            Some(tax) => Some(tax?),
            None => None,
        },
        diagnoses: diagnoses.into_iter().collect::<Option<_>>()?,
    })
}

/// A tax.
pub(super) fn tax(given: wire::Tax, pointer: &str, findings: &mut Findings) -> Option<Tax> {
    let category = match given.category() {
        Category::Unspecified | Category::Exempt => TaxCategory::Exempt,
        Category::Zero => TaxCategory::Zero,
        Category::Standard => TaxCategory::Standard,
    };
    let rate = u32::try_from(given.rate_millionths).ok().and_then(Rate::from_millionths);
    let Some(rate) = rate else {
        findings.add(format!("{pointer}.rate_millionths"), "must be from 0 to 1000000");
        return None;
    };
    if (category == TaxCategory::Standard) == (rate == Rate::default()) {
        findings.add(format!("{pointer}.rate_millionths"), "must be there if, and only if, the category is standard");
        return None;
    }
    Some(Tax { category, rate })
}

/// The diagnoses that lines point to.
pub(super) fn diagnoses(given: &[wire::Diagnosis], findings: &mut Findings) -> Option<Vec<Code>> {
    if given.len() > MOST_DIAGNOSES {
        findings.add("diagnoses", format!("must have at most {MOST_DIAGNOSES} items"));
        return None;
    }
    let read = |(at, one): (usize, &wire::Diagnosis)| {
        read::code(&one.system, &one.code, &format!("diagnoses[{at}]."), findings)
    };
    given.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
}

/// The fees of a schedule, unless one is wrong.
pub(super) fn fees(given: &[wire::Fee], findings: &mut Findings) -> Option<Vec<Fee>> {
    let read = |(at, fee): (usize, &wire::Fee)| {
        let pointer = format!("fee_schedule.fees[{at}].");
        let code = read::code(&fee.system, &fee.code, &pointer, findings);
        let modifier: Vec<_> = fee.modifier.iter().cloned().collect();
        let modifier = read::modifiers(&modifier, &pointer, findings);
        let text = read::optional_text(fee.text.as_deref(), LONGEST_TEXT, &format!("{pointer}text"), findings);
        let tax = fee.tax.map_or(Some(Tax::default()), |given| tax(given, &format!("{pointer}tax"), findings));
        Some(Fee { code: code?, modifier: modifier?.pop(), text, unit_price: Amount(fee.unit_price), tax: tax? })
    };
    given.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
}
