//! A sheet as PDF. The same sheet gives the same bytes: there is no date in it but the sheet's own.

mod text;

use krilla::{
    Document,
    color::luma,
    error::KrillaError,
    geom::{PathBuilder, Point, Rect, Transform},
    metadata::Metadata,
    page::PageSettings,
    paint::Fill,
    surface::Surface,
};

use self::text::{Faces, Line, Weight};
use super::sheet::{Column, Sheet, Table};

// A4 in points, ISO 216.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 51.0;
const RIGHT: f32 = WIDTH - MARGIN;
const BOTTOM: f32 = HEIGHT - MARGIN;

const TITLE: f32 = 18.0;
const BODY: f32 = 9.0;
const CAPTION: f32 = 11.0;
const CELL: f32 = 8.0;
const STAMP: f32 = 130.0;

/// From one line to the next, in sizes of the font.
const LEADING: f32 = 1.4;
/// Around what is in a cell.
const PADDING: f32 = 2.5;

const BLACK: u8 = 0;
const GREY: u8 = 225;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub(super) enum PdfError {
    /// The font that comes with the program is not readable.
    #[error("the font is not readable")]
    Font,
    /// The measures of the page are none.
    #[error("a page has no size")]
    Size,
    /// It cannot be written.
    #[error("it cannot be written: {0:?}")]
    Written(KrillaError),
}

enum Mark {
    Text { x: f32, baseline: f32, size: f32, line: Line },
    Rule { y: f32 },
}

/// The PDF of a sheet.
pub(super) fn pdf(sheet: &Sheet) -> Result<Vec<u8>, PdfError> {
    let faces = Faces::own().ok_or(PdfError::Font)?;
    let mut layout = Layout { faces, full: Vec::new(), page: Vec::new(), y: MARGIN };
    layout.head(sheet);
    for table in &sheet.tables {
        layout.table(table);
    }
    layout.turn();
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PdfError::Size)?;
    let mut document = Document::new();
    let count = layout.full.len();
    for (at, marks) in layout.full.iter().enumerate() {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        if let Some(stamp) = sheet.stamp {
            draw_stamp(&mut surface, &faces.line(stamp, Weight::Bold));
        }
        ink(&mut surface, BLACK);
        for mark in marks {
            draw(&mut surface, mark);
        }
        let baseline = HEIGHT - MARGIN / 2.0;
        let foot = faces.line(&format!("{} / {count}", at + 1), Weight::Regular);
        draw(&mut surface, &Mark::Text { x: RIGHT - foot.width(CELL), baseline, size: CELL, line: foot });
        let title = faces.line(&sheet.title, Weight::Regular);
        draw(&mut surface, &Mark::Text { x: MARGIN, baseline, size: CELL, line: title });
        surface.finish();
        page.finish();
    }
    document.set_metadata(Metadata::new().title(sheet.title.clone()).language("en".to_owned()));
    document.finish().map_err(PdfError::Written)
}

struct Layout {
    faces: &'static Faces,
    full: Vec<Vec<Mark>>,
    page: Vec<Mark>,
    /// Where what comes next begins.
    y: f32,
}

impl Layout {
    fn text(&mut self, x: f32, top: f32, size: f32, line: Line) {
        self.page.push(Mark::Text { x, baseline: top + size, size, line });
    }

    fn turn(&mut self) {
        self.full.push(std::mem::take(&mut self.page));
        self.y = MARGIN;
    }

    fn has_room(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// The title; on the left whom it is for, on the right what is to be known.
    fn head(&mut self, sheet: &Sheet) {
        let title = self.faces.line(&sheet.title, Weight::Bold);
        self.text(MARGIN, self.y, TITLE, title);
        self.y += TITLE * LEADING + 10.0;
        let (middle, told_at) = (MARGIN + (RIGHT - MARGIN) * 0.45, MARGIN + (RIGHT - MARGIN) * 0.60);
        let (step, mut left, mut right) = (BODY * LEADING, self.y, self.y);
        for line in &sheet.addressee {
            for line in self.faces.broken(line, Weight::Regular, BODY, middle - MARGIN - 10.0) {
                self.text(MARGIN, left, BODY, line);
                left += step;
            }
        }
        for (name, told) in &sheet.facts {
            let name = self.faces.line(name, Weight::Regular);
            self.text(middle, right, BODY, name);
            for line in self.faces.broken(told, Weight::Regular, BODY, RIGHT - told_at) {
                self.text(told_at, right, BODY, line);
                right += step;
            }
        }
        self.y = left.max(right);
    }

    fn table(&mut self, table: &Table) {
        let head: Vec<_> = table.columns.iter().map(|column| column.head.to_owned()).collect();
        let least = CAPTION * LEADING + 3.0 * (CELL * LEADING + 2.0 * PADDING);
        self.y += 16.0;
        if !self.has_room(least) {
            self.turn();
        }
        let caption = self.faces.line(&table.caption, Weight::Bold);
        self.text(MARGIN, self.y, CAPTION, caption);
        self.y += CAPTION * LEADING;
        self.row(self.cells(table, &head, Weight::Bold));
        self.rule();
        for row in &table.rows {
            self.fitting(table, row, Weight::Regular, &head);
        }
        if !table.sums.is_empty() {
            self.rule();
        }
        for row in &table.sums {
            self.fitting(table, row, Weight::Bold, &head);
        }
    }

    /// A row that is not torn; on a new page below the heads once more.
    fn fitting(&mut self, table: &Table, row: &[String], weight: Weight, head: &[String]) {
        let cells = self.cells(table, row, weight);
        let most = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1);
        let lines = f32::from(u16::try_from(most).unwrap_or(u16::MAX));
        if !self.has_room(lines * CELL * LEADING + 2.0 * PADDING) {
            self.turn();
            self.row(self.cells(table, head, Weight::Bold));
            self.rule();
        }
        self.row(cells);
    }

    fn cells(&self, table: &Table, row: &[String], weight: Weight) -> Vec<(Column, Vec<Line>)> {
        let broken = |(column, cell): (&Column, &String)| {
            (*column, self.faces.broken(cell, weight, CELL, width(column) - 2.0 * PADDING))
        };
        table.cells(row).map(broken).collect()
    }

    fn row(&mut self, cells: Vec<(Column, Vec<Line>)>) {
        let (mut x, mut end) = (MARGIN, self.y);
        for (column, lines) in cells {
            let mut top = self.y + PADDING;
            for line in lines {
                let free = width(&column) - PADDING - line.width(CELL);
                self.text(x + if column.is_number { free } else { PADDING }, top, CELL, line);
                top += CELL * LEADING;
            }
            x += width(&column);
            end = end.max(top + PADDING);
        }
        self.y = end;
    }

    fn rule(&mut self) {
        self.page.push(Mark::Rule { y: self.y });
    }
}

fn width(column: &Column) -> f32 {
    (RIGHT - MARGIN) * f32::from(column.share) / 100.0
}

fn ink(surface: &mut Surface<'_>, lightness: u8) {
    surface.set_fill(Some(Fill { paint: luma::Color::new(lightness).into(), ..Fill::default() }));
}

fn draw(surface: &mut Surface<'_>, mark: &Mark) {
    match mark {
        Mark::Text { x, baseline, size, line } => {
            let mut x = *x;
            for run in &line.runs {
                let start = Point::from_xy(x, *baseline);
                surface.draw_glyphs(start, &run.glyphs, line.font.clone(), &run.text, *size, false);
                x += run.width * size;
            }
        }
        Mark::Rule { y } => {
            let mut path = PathBuilder::new();
            if let Some(rule) = Rect::from_ltrb(MARGIN, *y, RIGHT, y + 0.6) {
                path.push_rect(rule);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

/// Below what is to be read.
fn draw_stamp(surface: &mut Surface<'_>, line: &Line) {
    ink(surface, GREY);
    surface.push_transform(&Transform::from_rotate_at(-45.0, WIDTH / 2.0, HEIGHT / 2.0));
    let x = (WIDTH - line.width(STAMP)) / 2.0;
    for run in &line.runs {
        let start = Point::from_xy(x, HEIGHT / 2.0 + STAMP * 0.35);
        surface.draw_glyphs(start, &run.glyphs, line.font.clone(), &run.text, STAMP, false);
    }
    surface.pop();
}
