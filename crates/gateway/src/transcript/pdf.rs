//! A document on pages of A4: shaped, broken into lines and pages, drawn as PDF. Everything is embedded and nothing is fetched. Gives up where it takes longer or
//! gets larger than allowed.

use std::collections::HashMap;
use std::time::Instant;

use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;

use super::document::{Document, Entry, Part};
use super::fonts::Fonts;
use super::picture::Picture;
use super::shape::{self, Line, Setting};

const PAGE_WIDTH: f32 = 595.0;
const PAGE_HEIGHT: f32 = 842.0;
const MARGIN: f32 = 56.0;
const FOOTER: f32 = 30.0;
const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const BOTTOM: f32 = PAGE_HEIGHT - MARGIN - FOOTER;
/// Largest picture.
const PICTURE_WIDTH: f32 = 260.0;
const PICTURE_HEIGHT: f32 = 220.0;
/// A document of more pages is not for reading.
const MAX_PAGES: usize = 2_000;

/// Red, green and blue.
type Colour = (u8, u8, u8);
const INK: Colour = (28, 32, 38);
const GREY: Colour = (92, 100, 111);
const RULE: Colour = (214, 218, 224);
const OWN: Colour = (229, 238, 253);
const THEIRS: Colour = (242, 243, 246);
const LINK: Colour = (20, 86, 190);
const WHITE: Colour = (255, 255, 255);

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It would take longer than allowed.
    TooSlow,
    /// It would be larger than allowed.
    TooLarge,
    /// It could not be written.
    Broken,
}

/// What a document may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) until: Instant,
    pub(crate) max_bytes: usize,
}

/// A document, and how many characters no font had.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pages: usize,
    pub(crate) undrawn: u64,
}

/// Something on a page.
enum Item {
    Line { x: f32, y: f32, line: Line, colour: Colour },
    Picture { rect: [f32; 4], image: Image },
    Link { rect: [f32; 4], url: String },
    Rule { y: f32 },
}

/// A rectangle behind what is on a page.
struct Back {
    rect: [f32; 4],
    look: Look,
    depth: usize,
}

#[derive(Clone, Copy)]
struct Look {
    fill: Colour,
    border: Option<Colour>,
}

#[derive(Default)]
struct Sheet {
    backs: Vec<Back>,
    items: Vec<Item>,
}

/// A rectangle that is not at its end yet.
struct Open {
    x: f32,
    width: f32,
    top: f32,
    look: Look,
}

/// Where the next thing goes.
struct Placer<'a> {
    fonts: &'a mut Fonts,
    pictures: HashMap<u64, Picture>,
    chosen: &'a str,
    budget: Budget,
    sheets: Vec<Sheet>,
    open: Vec<Open>,
    y: f32,
    undrawn: u64,
    /// The bytes of pictures so far.
    weight: usize,
}

/// How a text looks and where it stands.
#[derive(Clone, Copy)]
struct Style<'u> {
    size: f32,
    colour: Colour,
    x: f32,
    width: f32,
    url: Option<&'u str>,
}

/// Writes a document as PDF. `pictures` are those that it may show, by number; each is shown once.
pub(super) fn write(
    fonts: &mut Fonts,
    document: &Document,
    pictures: HashMap<u64, Picture>,
    chosen: &str,
    budget: Budget,
) -> Result<Written, Refused> {
    let sheets = vec![Sheet::default()];
    let mut placer =
        Placer { fonts, pictures, chosen, budget, sheets, open: Vec::new(), y: MARGIN, undrawn: 0, weight: 0 };
    placer.head(document)?;
    for entry in &document.entries {
        placer.entry(entry)?;
    }
    let Placer { sheets, mut undrawn, fonts, .. } = placer;
    let pages = sheets.len();
    let mut pdf = krilla::Document::new();
    let about = Metadata::new().title(document.title.clone()).creator("Sportello".to_owned());
    let lang = document.lang.as_str();
    let is_tag = !lang.is_empty() && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    pdf.set_metadata(if is_tag { about.language(lang.to_owned()) } else { about });
    for (position, sheet) in sheets.into_iter().enumerate() {
        in_time(budget)?;
        let number = position.saturating_add(1).to_string();
        let foot = document.page.replace("{page}", &number).replace("{pages}", &pages.to_string());
        let foot = format!("{} · {foot}", document.title);
        let setting = Setting { size: 8.0, width: WIDTH, until: budget.until };
        let foot = shape::lines(fonts, &foot, setting, &mut undrawn).ok_or(Refused::TooSlow)?;
        draw(&mut pdf, sheet, foot, fonts)?;
    }
    let bytes = pdf.finish().map_err(|_| Refused::Broken)?;
    if bytes.len() > budget.max_bytes {
        return Err(Refused::TooLarge);
    }
    Ok(Written { bytes, pages, undrawn })
}

fn in_time(budget: Budget) -> Result<(), Refused> {
    if Instant::now() > budget.until { Err(Refused::TooSlow) } else { Ok(()) }
}

impl Placer<'_> {
    fn sheet(&mut self) -> Option<&mut Sheet> {
        self.sheets.last_mut()
    }

    /// Makes room for something of a height; begins a page where there is none on this one.
    fn room(&mut self, height: f32) -> Result<(), Refused> {
        if self.y + height <= BOTTOM || self.y <= MARGIN {
            return Ok(());
        }
        let bottom = self.y;
        let depth = self.open.len();
        for index in 0..depth {
            self.close(index, bottom);
        }
        self.sheets.push(Sheet::default());
        if self.sheets.len() > MAX_PAGES {
            return Err(Refused::TooLarge);
        }
        self.y = MARGIN;
        for open in &mut self.open {
            open.top = MARGIN - 4.0;
        }
        Ok(())
    }

    fn close(&mut self, depth: usize, bottom: f32) {
        let Some(Open { x, width, top, look }) = self.open.get(depth) else { return };
        let back = Back { rect: [*x, *top, *width, bottom - *top], look: *look, depth };
        if let Some(sheet) = self.sheets.last_mut().filter(|_| back.rect[3] > 0.0) {
            sheet.backs.push(back);
        }
    }

    fn begin(&mut self, (x, width): (f32, f32), look: Look, padding: f32) {
        self.open.push(Open { x, width, top: self.y, look });
        self.y += padding;
    }

    fn end(&mut self, padding: f32) {
        self.y += padding;
        let bottom = self.y;
        self.close(self.open.len().saturating_sub(1), bottom);
        self.open.pop();
    }

    fn text(&mut self, text: &str, style: Style<'_>) -> Result<(), Refused> {
        let setting = Setting { size: style.size, width: style.width, until: self.budget.until };
        let lines = shape::lines(self.fonts, text, setting, &mut self.undrawn).ok_or(Refused::TooSlow)?;
        for line in lines {
            self.line(line, style)?;
        }
        Ok(())
    }

    fn line(&mut self, line: Line, style: Style<'_>) -> Result<(), Refused> {
        self.room(line.height)?;
        let (y, height) = (self.y, line.height);
        let Style { x, colour, url, .. } = style;
        let link = url.filter(|_| line.right > line.left).map(|url| {
            let rect = [x + line.left, y, line.right - line.left, height];
            Item::Link { rect, url: url.to_owned() }
        });
        if let Some(sheet) = self.sheet() {
            sheet.items.push(Item::Line { x, y, line, colour });
            sheet.items.extend(link);
        }
        self.y += height;
        Ok(())
    }

    fn head(&mut self, document: &Document) -> Result<(), Refused> {
        let style = Style { size: 10.0, colour: GREY, x: MARGIN, width: WIDTH, url: None };
        self.text(&document.company, Style { size: 11.0, ..style })?;
        self.text(&document.title, Style { size: 20.0, colour: INK, ..style })?;
        self.y += 6.0;
        for (name, value) in &document.facts {
            self.text(&format!("{name}: {value}"), style)?;
        }
        self.y += 8.0;
        let y = self.y;
        if let Some(sheet) = self.sheet() {
            sheet.items.push(Item::Rule { y });
        }
        self.y += 6.0;
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Refused> {
        in_time(self.budget)?;
        let small = Style { size: 8.5, colour: GREY, x: MARGIN, width: WIDTH, url: None };
        match entry {
            Entry::Day(day) => {
                self.y += 10.0;
                self.room(40.0)?;
                self.text(day, Style { size: 10.0, ..small })?;
            }
            Entry::Note { at, text } => {
                self.y += 5.0;
                self.text(&format!("{at}  {text}"), small)?;
            }
            Entry::Said { name, at, own, parts } => {
                const INDENT: f32 = 60.0;
                let x = if *own { MARGIN + INDENT } else { MARGIN };
                self.y += 8.0;
                // A name does not stand alone at the end of a page.
                self.room(48.0)?;
                self.text(&format!("{name} · {at}"), Style { x, width: WIDTH - INDENT, ..small })?;
                self.y += 1.0;
                let fill = if *own { OWN } else { THEIRS };
                self.begin((x, WIDTH - INDENT), Look { fill, border: None }, 5.0);
                self.parts(parts, x + 9.0, WIDTH - INDENT - 18.0)?;
                self.end(5.0);
            }
        }
        Ok(())
    }

    fn parts(&mut self, parts: &[Part], x: f32, width: f32) -> Result<(), Refused> {
        let style = Style { size: 10.0, colour: INK, x, width, url: None };
        let small = Style { size: 9.0, colour: GREY, ..style };
        for part in parts {
            match part {
                Part::Text(text) => self.text(text, style)?,
                Part::Title(text) => self.text(text, Style { size: 11.5, ..style })?,
                Part::Small(text) => self.text(text, small)?,
                Part::Link { label, url } => self.text(label, Style { colour: LINK, url: Some(url), ..style })?,
                Part::Answer { question, answer } => {
                    self.text(question, small)?;
                    self.text(answer, style)?;
                }
                Part::Buttons(buttons) => {
                    for (title, is_taken) in buttons {
                        self.button(title, *is_taken, style)?;
                    }
                }
                Part::Card(parts) => {
                    self.y += 4.0;
                    self.room(40.0)?;
                    self.begin((x, width), Look { fill: WHITE, border: Some(RULE) }, 6.0);
                    self.parts(parts, x + 9.0, width - 18.0)?;
                    self.end(6.0);
                }
                Part::Picture { media_id } => self.picture(*media_id, x, width)?,
            }
        }
        Ok(())
    }

    fn button(&mut self, title: &str, is_taken: bool, style: Style<'_>) -> Result<(), Refused> {
        let label = if is_taken { format!("{title} {}", self.chosen) } else { title.to_owned() };
        let (fill, colour) = if is_taken { (LINK, WHITE) } else { (WHITE, LINK) };
        let setting = Setting { size: 9.5, width: style.width - 20.0, until: self.budget.until };
        let lines = shape::lines(self.fonts, &label, setting, &mut self.undrawn).ok_or(Refused::TooSlow)?;
        let left = lines.iter().map(|line| line.left).fold(f32::INFINITY, f32::min);
        let right = lines.iter().map(|line| line.right).fold(0.0, f32::max);
        if left >= right {
            return Ok(());
        }
        self.y += 4.0;
        self.room(24.0)?;
        self.begin((style.x + left, right - left + 20.0), Look { fill, border: Some(LINK) }, 3.0);
        for line in lines {
            self.line(line, Style { x: style.x + 10.0, colour, ..style })?;
        }
        self.end(3.0);
        Ok(())
    }

    fn picture(&mut self, media_id: u64, x: f32, width: f32) -> Result<(), Refused> {
        in_time(self.budget)?;
        let Some(picture) = self.pictures.remove(&media_id) else { return Ok(()) };
        self.weight = self.weight.saturating_add(picture.bytes.len());
        if self.weight > self.budget.max_bytes {
            return Err(Refused::TooLarge);
        }
        let (across, down) = (points(picture.width), points(picture.height));
        // A point is as large as a pixel on a screen; nothing is blown up.
        let scale = (PICTURE_WIDTH.min(width) / across).min(PICTURE_HEIGHT / down).min(1.0);
        let (across, down) = (across * scale, down * scale);
        let Ok(image) = Image::from_jpeg(picture.bytes.into(), true) else { return Ok(()) };
        self.room(down + 6.0)?;
        let rect = [x, self.y + 2.0, across, down];
        if let Some(sheet) = self.sheet() {
            sheet.items.push(Item::Picture { rect, image });
        }
        self.y += down + 6.0;
        Ok(())
    }
}

fn points(pixels: u32) -> f32 {
    f32::from(u16::try_from(pixels).unwrap_or(u16::MAX)).max(1.0)
}

fn draw(pdf: &mut krilla::Document, sheet: Sheet, foot: Vec<Line>, fonts: &mut Fonts) -> Result<(), Refused> {
    let settings = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).ok_or(Refused::Broken)?;
    let mut page = pdf.start_page_with(settings);
    let Sheet { mut backs, items } = sheet;
    backs.sort_by_key(|back| back.depth);
    let mut links = Vec::new();
    let mut surface = page.surface();
    for back in &backs {
        rectangle(&mut surface, back.rect, back.look);
    }
    for item in items {
        match item {
            Item::Line { x, y, line, colour } => glyphs(&mut surface, fonts, &line, (x, y), colour),
            Item::Picture { rect: [x, y, width, height], image } => {
                let size = Size::from_wh(width, height).ok_or(Refused::Broken)?;
                surface.push_transform(&Transform::from_translate(x, y));
                surface.draw_image(image, size);
                surface.pop();
            }
            Item::Rule { y } => rectangle(&mut surface, [MARGIN, y, WIDTH, 0.75], Look { fill: RULE, border: None }),
            Item::Link { rect, url } => links.push((rect, url)),
        }
    }
    let mut y = PAGE_HEIGHT - MARGIN;
    for line in foot {
        let height = line.height;
        glyphs(&mut surface, fonts, &line, (MARGIN, y), GREY);
        y += height;
    }
    surface.finish();
    for ([x, y, width, height], url) in links {
        let rect = Rect::from_xywh(x, y, width, height).ok_or(Refused::Broken)?;
        let target = Target::Action(Action::Link(LinkAction::new(url)));
        page.add_annotation(Annotation::new_link(LinkAnnotation::new(rect, target), None));
    }
    page.finish();
    Ok(())
}

fn fill((red, green, blue): Colour) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}

fn rectangle(surface: &mut Surface<'_>, [x, y, width, height]: [f32; 4], look: Look) {
    let Some(rect) = Rect::from_xywh(x, y, width, height) else { return };
    let mut path = PathBuilder::new();
    path.push_rect(rect);
    let Some(path) = path.finish() else { return };
    surface.set_fill(Some(fill(look.fill)));
    surface.set_stroke(look.border.map(|(red, green, blue)| Stroke {
        paint: rgb::Color::new(red, green, blue).into(),
        width: 0.75,
        ..Stroke::default()
    }));
    surface.draw_path(&path);
    surface.set_stroke(None);
}

fn glyphs(surface: &mut Surface<'_>, fonts: &mut Fonts, line: &Line, (x, y): (f32, f32), colour: Colour) {
    surface.set_fill(Some(fill(colour)));
    surface.set_stroke(None);
    for run in &line.runs {
        let Some(font) = fonts.embedded(run.font) else { continue };
        let start = Point::from_xy(x + run.x, y + line.baseline);
        surface.draw_glyphs(start, &run.glyphs, font, &line.text, run.size, false);
    }
}
