use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::*;
use crate::{
    domain::{
        fees::{Code, Tax, TaxCategory},
        ids::{ClinicId, CreditNoteId, SeriesId},
        invoice::{Balance, CreditNote, CreditedLine, Discount, Invoice, Line, Number, Status},
        ledger::Act,
        money::{Amount, Currency, Rate},
        payment::Method,
        statement::{Happened, OpenInvoice, Period, Standing, Statement},
    },
    outbound::demographics::RecipientData,
    service::print::{AccountStatement, Printable},
};

const NOW: &str = "2026-11-30T10:00:00Z";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn euro() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn standard(millionths: u32) -> Tax {
    Tax { category: TaxCategory::Standard, rate: Rate::from_millionths(millionths).unwrap() }
}

fn line(code: &str, units: u32, price: i64, discount: i64, tax: Tax) -> Line {
    let discount = Discount { amount: Amount(discount), reason: "staff".to_owned() };
    Line {
        code: Code { system: "urn:x".to_owned(), code: code.to_owned() },
        modifiers: vec!["25".to_owned()],
        text: Some("Office visit".to_owned()),
        date: day("2026-11-29"),
        units,
        unit_price: Some(Amount(price)),
        discount: Some(discount).filter(|discount| !discount.amount.is_zero()),
        tax,
        diagnoses: Vec::new(),
        credited: Amount::ZERO,
    }
}

fn number(text: &str) -> Number {
    Number { series_id: SeriesId(Uuid::nil()), place: 42, text: text.to_owned() }
}

fn recipient(name: &str) -> RecipientData {
    RecipientData {
        patient_version: 3,
        record_number: "00000000018".to_owned(),
        name: name.to_owned(),
        birth_date: "1984-02-11".to_owned(),
        line: vec!["1 Bank Row".to_owned()],
        city: "Springfield".to_owned(),
        state: String::new(),
        postal_code: "12345".to_owned(),
        country: "US".to_owned(),
    }
}

fn printable(name: &str, lines: Vec<Line>) -> Printable {
    let mut invoice = Invoice {
        id: InvoiceId(Uuid::nil()),
        patient_id: PatientId(Uuid::nil()),
        clinic_id: ClinicId(Uuid::nil()),
        source: None,
        status: Status::Issued,
        currency: euro(),
        lines,
        diagnoses: Vec::new(),
        review: Vec::new(),
        edited: false,
        created_at: NOW.parse().unwrap(),
        number: Some(number("INV-000042")),
        issued_at: Some(NOW.parse().unwrap()),
        issued_by: None,
        due: Some(day("2026-12-30")),
        balance: Balance::default(),
        credit_notes: Vec::new(),
        reason: None,
    };
    invoice.balance.patient_open = invoice.totals().total;
    Printable { invoice, recipient: Some(recipient(name)) }
}

fn sheet(printable: &Printable) -> Sheet {
    invoice::sheet(printable, |moment| moment.to_zoned(TimeZone::UTC).date())
}

/// How many pages there are, and what stands on them.
fn read(pdf: &[u8]) -> (usize, String) {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages: Vec<_> = document.get_pages().into_keys().collect();
    (pages.len(), document.extract_text(&pages).unwrap())
}

/// Every text of a sheet.
fn texts(sheet: &Sheet) -> BTreeSet<&str> {
    let facts = sheet.facts.iter().flat_map(|(name, told)| [*name, told]);
    let tables = sheet.tables.iter().flat_map(|table| {
        let heads = table.columns.iter().map(|column| column.head);
        let cells = table.rows.iter().chain(&table.sums).flatten().map(String::as_str);
        [table.caption.as_str()].into_iter().chain(heads).chain(cells)
    });
    let all = [sheet.title.as_str()].into_iter().chain(sheet.addressee.iter().map(String::as_str));
    all.chain(facts).chain(tables).filter(|text| !text.is_empty()).collect()
}

fn table<'a>(sheet: &'a Sheet, caption: &str) -> &'a sheet::Table {
    sheet.tables.iter().find(|table| table.caption == caption).unwrap()
}

#[test]
fn amounts_are_those_of_the_invoice() {
    let exempt = Tax::default();
    let mut printable = printable(
        "Ada Okafor",
        vec![
            line("A", 2, 5_000, 1_000, standard(190_000)),
            line("B", 1, 333, 0, standard(190_000)),
            line("C", 1, 2_000, 0, standard(55_000)),
            line("D", 1, 700, 0, exempt),
        ],
    );
    let balance = &mut printable.invoice.balance;
    (balance.patient_paid, balance.credited, balance.written_off) = (Amount(3_000), Amount(500), Amount(1));
    balance.patient_open -= Amount(3_501);
    printable.invoice.credit_notes.push(CreditNote {
        id: CreditNoteId(Uuid::nil()),
        number: number("CN-000007"),
        issued_at: NOW.parse().unwrap(),
        lines: vec![CreditedLine { sequence: 1, amount: Amount(500) }],
        reason: "not done".to_owned(),
    });
    let sheet = sheet(&printable);
    let services = table(&sheet, "Services");
    let first =
        ["2026-11-29", "A 25", "Office visit (discount: staff)", "2", "50.00", "10.00", "19%", "17.10", "107.10"];
    assert_eq!(services.rows[0], first);
    assert_eq!(services.sums[0], ["Total", "", "", "", "", "10.00", "", "18.83", "139.16"]);
    assert_eq!(
        table(&sheet, "By tax rate").rows,
        [["exempt", "7.00", "0.00", "7.00"], ["5.5%", "20.00", "1.10", "21.10"], ["19%", "93.33", "17.73", "111.06"],]
    );
    let became = table(&sheet, "What became of it");
    assert_eq!(
        became.rows,
        [["Total", "139.16"], ["Paid by the patient", "-30.00"], ["Credited", "-5.00"], ["Written off", "-0.01"]]
    );
    assert_eq!(became.sums, [["Open for the patient", "104.15"]]);
    assert_eq!(table(&sheet, "Credit notes").rows, [["CN-000007", "2026-11-30", "not done", "5.00"]]);
    assert_eq!(sheet.facts[0], ("Issued", "2026-11-30".to_owned()));
    assert_eq!(sheet.stamp, None);
}

#[test]
fn yen_have_no_places() {
    let mut printable = printable("Ada Okafor", vec![line("A", 1, 1_200, 0, Tax::default())]);
    printable.invoice.currency = Currency::from_code("JPY").unwrap();
    assert_eq!(table(&sheet(&printable), "What became of it").sums, [["Open for the patient", "1200"]]);
}

#[test]
fn a_name_is_text_and_nothing_else() {
    let mut printable = printable("<script>alert(1)</script> & \"Co\"", vec![line("<b>", 1, 100, 0, Tax::default())]);
    printable.invoice.lines[0].text = Some("</td><img src=x onerror='y'>".to_owned());
    let page = html::page(&sheet(&printable)).unwrap();
    for tag in ["<script", "<b>", "<img", "onerror='"] {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    assert!(page.contains("alert(1)") && page.contains("&#38;"), "{page}");
}

#[test]
fn a_page_can_be_read_by_everybody() {
    let page = html::page(&sheet(&printable("Ada Okafor", vec![line("A", 1, 100, 0, Tax::default())]))).unwrap();
    for part in ["<html lang=\"en\">", "<title>Invoice INV-000042</title>", "<caption>Services</caption>", "@page"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(page.contains("<th scope=\"col\" class=\"number\">Total</th>"), "{page}");
    assert!(page.contains("<th scope=\"row\" dir=\"auto\">2026-11-29</th>"), "{page}");
    for load in ["http:", "https:", "url(", "@import", "<link", "style=\""] {
        assert!(!page.contains(load), "{load}");
    }
}

#[test]
fn the_policy_lets_the_style_of_the_page_in() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};
    let page = html::page(&sheet(&printable("Ada Okafor", Vec::new()))).unwrap();
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(html::POLICY.contains(&format!("style-src 'sha256-{hash}'")), "{}", *html::POLICY);
}

#[test]
fn what_is_void_says_so_across_every_page() {
    let mut printable = printable("Ada Okafor", vec![line("A", 1, 100, 0, Tax::default()); 50]);
    (printable.invoice.status, printable.invoice.balance) = (Status::Void, Balance::default());
    printable.invoice.reason = Some("wrong patient".to_owned());
    let sheet = sheet(&printable);
    assert!(html::page(&sheet).unwrap().contains("<p class=\"stamp\">VOID</p>"));
    let (pages, text) = read(&pdf::pdf(&sheet).unwrap());
    assert!(pages > 1);
    assert_eq!(text.matches("VOID").count(), pages);
    assert_eq!(table(&sheet, "What became of it").rows, [["Total", "50.00"], ["Taken back", "-50.00"]]);
}

#[test]
fn a_long_invoice_has_several_pages_and_all_of_the_page_of_html() {
    let lines: Vec<_> = (0..50).map(|at| line(&format!("S{at:03}"), 1, 100 + at, 0, standard(190_000))).collect();
    let sheet = sheet(&printable("Ada Okafor", lines));
    let (pages, text) = read(&pdf::pdf(&sheet).unwrap());
    assert!((2..=4).contains(&pages), "{pages} pages");
    assert!(text.contains(&format!("{pages} / {pages}")), "{text}");
    assert!(text.matches("Unit price").count() >= 2, "a table that goes on has its heads again");
    // Where a line is broken is another matter.
    let joined = |text: &str| text.split_whitespace().collect::<String>();
    let (whole, page) = (joined(&text), html::page(&sheet).unwrap());
    for told in texts(&sheet) {
        assert!(whole.contains(&joined(told)), "{told:?} is not in {text}");
        assert!(page.contains(told), "{told:?} is not in the page");
    }
}

#[test]
fn one_sheet_is_one_file() {
    let printable = printable("Ада Окафор", vec![line("A", 1, 100, 0, Tax::default()); 50]);
    let first = pdf::pdf(&sheet(&printable)).unwrap();
    for _ in 0..3 {
        assert_eq!(first, pdf::pdf(&sheet(&printable)).unwrap());
    }
    // Only the letters that it has are in it.
    assert!(first.len() < 200_000, "{} bytes", first.len());
}

#[test]
fn names_of_the_world_come_out_and_no_letter_prevents_the_print() {
    for name in ["Zoë Łukasiewicz-Ñúñez", "Ελένη Παπαδοπούλου", "Наталія Коваленко", "Նարե Սարգսյան", "Nguyễn Thị Hằng"]
    {
        let (_, text) = read(&pdf::pdf(&sheet(&printable(name, Vec::new()))).unwrap());
        assert!(text.contains(name), "{name} is not in {text}");
    }
    for name in ["עדה כהן", "عمر الخطيب", "Dr عمر الخطيب Jr", "王秀英", "नेहा शर्मा", "👩‍⚕️ a\u{0}b\nc\u{202e}d", ""]
    {
        let (pages, _) = read(&pdf::pdf(&sheet(&printable(name, Vec::new()))).unwrap());
        assert_eq!(pages, 1, "{name}");
    }
}

#[test]
fn a_statement_tells_how_it_came_to_what_is_owed() {
    let happened = |act, method, receivable, unapplied| Happened {
        date: day("2026-11-10"),
        act,
        invoices: vec!["INV-000001".to_owned()],
        credit_note: (act == Act::InvoiceCredited).then(|| "CN-000001".to_owned()),
        method,
        change: Standing { receivable: Amount(receivable), unapplied: Amount(unapplied) },
    };
    let open = OpenInvoice {
        id: InvoiceId(Uuid::nil()),
        number: "INV-000001".to_owned(),
        issued: day("2026-11-10"),
        due: Some(day("2026-12-10")),
        open: Amount(6_500),
    };
    let statement = Statement::of(
        euro(),
        Standing { receivable: Amount(500), unapplied: Amount::ZERO },
        vec![
            happened(Act::InvoiceIssued, None, 10_000, 0),
            happened(Act::PaymentCaptured, Some(Method::Card), -3_000, 200),
            happened(Act::InvoiceCredited, None, -1_000, 0),
        ],
        vec![open],
    );
    let told = AccountStatement {
        patient: PatientId(Uuid::nil()),
        recipient: recipient("Ada Okafor"),
        period: Period { from: day("2026-11-01"), to: day("2026-11-30") },
        today: day("2026-11-30"),
        statements: vec![statement],
    };
    let sheet = statement::sheet(&told);
    let account = table(&sheet, "Account");
    assert_eq!(
        account.rows,
        [
            ["2026-11-01", "Opening balance", "", "", "", "5.00"],
            ["2026-11-10", "Invoice issued", "INV-000001", "100.00", "", "105.00"],
            ["2026-11-10", "Payment captured, card", "INV-000001", "", "32.00", "73.00"],
            ["2026-11-10", "Invoice credited", "CN-000001, INV-000001", "", "10.00", "63.00"],
        ]
    );
    assert_eq!(account.sums, [["2026-11-30", "Closing balance", "", "", "", "63.00"]]);
    let open = table(&sheet, "Open invoices");
    assert_eq!(open.rows, [["INV-000001", "2026-11-10", "2026-12-10", "65.00"]]);
    let sums: Vec<_> = open.sums.iter().map(|row| (row[0].as_str(), row[3].as_str())).collect();
    assert_eq!(sums, [("Open", "65.00"), ("Unapplied credit", "-2.00"), ("To be paid", "63.00")]);
    let (pages, text) = read(&pdf::pdf(&sheet).unwrap());
    assert_eq!(pages, 1);
    assert!(text.contains("Payment captured, card"), "{text}");
    assert_eq!(sheet.name, "statement-2026-11-30");
}

#[test]
fn html_is_what_there_is_unless_pdf_is_preferred() {
    for (accept, form) in [
        ("", Form::Html),
        ("*/*", Form::Html),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Html),
        ("application/pdf", Form::Pdf),
        ("application/pdf, */*;q=0.1", Form::Pdf),
        ("text/html;q=0.5, application/pdf;q=0.4", Form::Html),
        ("text/html; q=0.2, Application/PDF", Form::Pdf),
        ("application/pdf;q=0", Form::Html),
        ("image/png", Form::Html),
        ("application/pdf;q=x, text/html;q=0.1", Form::Html),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        assert_eq!(Form::wanted(&headers), form, "{accept}");
    }
}

#[test]
fn a_period_is_two_days_and_nothing_else() {
    let asked = |parameters: &[(&str, &str)]| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        period(Ok(Query(parameters.collect())))
    };
    assert_eq!(asked(&[("to", "2026-11-30")]).unwrap(), (None, Some(day("2026-11-30"))));
    let wrong = asked(&[("from", "yesterday"), ("limit", "5")]).unwrap_err();
    let fields: Vec<_> = wrong.errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(fields, ["from", "limit"]);
}
