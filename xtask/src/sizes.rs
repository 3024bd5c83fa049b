//! What the package weighs for a browser, and the budget that it must keep.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::static_imports;

/// Brotli bytes that a page with a text chat downloads: facade, loader, glue and wasm.
const TEXT_CHAT_BUDGET_BYTES: u64 = 60_000;
/// Brotli bytes until the first wasm byte is needed: the facade and its static imports.
const BEFORE_WASM_BUDGET_BYTES: u64 = 5_000;

const ENTRY: &str = "index.js";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl std::ops::Add for Size {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), |sum, size| sum + size)
    }
}

/// When a browser fetches a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    AtOnce,
    WithTheChat,
    Lazily,
}

pub(crate) struct Sizes {
    files: Vec<(PathBuf, When, Size)>,
}

impl Sizes {
    /// Weighs the JavaScript and the wasm in `package`; `glue` is what wasm-bindgen made.
    pub(crate) fn of(package: &Path, glue: &str, wasm: &str) -> Result<Self> {
        let at_once = static_imports::closure(package, ENTRY)?;
        let mut with_the_chat = static_imports::closure(package, glue)?;
        with_the_chat.insert(wasm.into());
        let mut files = Vec::new();
        for file in downloads(package)? {
            let when = when(&file, &at_once, &with_the_chat);
            let bytes = fs::read(package.join(&file)).with_context(|| format!("reading {}", file.display()))?;
            files.push((file, when, weigh(&bytes)?));
        }
        files.sort_by_key(|(file, when, _)| (*when as u8, file.clone()));
        Ok(Self { files })
    }

    fn before_wasm(&self) -> Size {
        self.total(|when| when == When::AtOnce)
    }

    fn text_chat(&self) -> Size {
        self.total(|when| when != When::Lazily)
    }

    fn total(&self, counts: impl Fn(When) -> bool) -> Size {
        self.files.iter().filter(|(_, when, _)| counts(*when)).map(|(_, _, size)| *size).sum()
    }

    /// The table: one line per file, then the totals.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{:<52} {:>9} {:>9} {:>9}\n", "bytes", "raw", "gzip -9", "brotli 11");
        for (file, when, size) in &self.files {
            let note = match when {
                When::AtOnce | When::WithTheChat => "",
                When::Lazily => "  (only when used, in no total)",
            };
            table.push_str(&row(&format!("{}{note}", file.display()), *size));
        }
        table.push_str(&row("text chat (glue + wasm), facade included", self.text_chat()));
        table.push_str(&row("before the first wasm byte (facade + loader)", self.before_wasm()));
        table
    }

    pub(crate) fn judge(&self) -> Result<()> {
        over("text chat", self.text_chat(), TEXT_CHAT_BUDGET_BYTES)?;
        over("what is needed before the first wasm byte", self.before_wasm(), BEFORE_WASM_BUDGET_BYTES)
    }

    pub(crate) fn budget() -> String {
        format!("{TEXT_CHAT_BUDGET_BYTES} and {BEFORE_WASM_BUDGET_BYTES} bytes of brotli")
    }
}

fn when(file: &Path, at_once: &BTreeSet<PathBuf>, with_the_chat: &BTreeSet<PathBuf>) -> When {
    if at_once.contains(file) {
        When::AtOnce
    } else if with_the_chat.contains(file) {
        When::WithTheChat
    } else {
        When::Lazily
    }
}

fn row(name: &str, size: Size) -> String {
    format!("{name:<52} {:>9} {:>9} {:>9}\n", size.raw, size.gzip, size.brotli)
}

fn over(what: &str, size: Size, budget: u64) -> Result<()> {
    if size.brotli > budget {
        bail!("over the budget: {what} is {} bytes of brotli, allowed are {budget}", size.brotli);
    }
    Ok(())
}

/// The files of the package that a browser can fetch.
fn downloads(package: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(package.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| ["js", "mjs", "wasm"].iter().any(|known| kind == *known)) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn weigh(bytes: &[u8]) -> Result<Size> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    let gzip = gzip.finish()?;
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut brotli, &parameters)?;
    Ok(Size { raw: bytes.len() as u64, gzip: gzip.len() as u64, brotli: brotli.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(before_wasm: u64, rest: u64, lazy: u64) -> Sizes {
        let brotli = |brotli| Size { raw: 0, gzip: 0, brotli };
        Sizes {
            files: vec![
                ("index.js".into(), When::AtOnce, brotli(before_wasm)),
                ("core_bg.wasm".into(), When::WithTheChat, brotli(rest)),
                ("lazy.js".into(), When::Lazily, brotli(lazy)),
            ],
        }
    }

    #[test]
    fn the_budget_is_kept_to_the_byte_and_lazy_chunks_are_free() {
        assert!(sizes(5_000, 55_000, 90_000).judge().is_ok());
        assert!(sizes(5_001, 10_000, 0).judge().is_err());
        assert!(sizes(5_000, 55_001, 0).judge().is_err());
    }

    #[test]
    fn each_file_counts_where_it_is_fetched() {
        let at_once = BTreeSet::from([PathBuf::from("index.js"), "loader.js".into()]);
        let with_the_chat = BTreeSet::from([PathBuf::from("core.js"), "core_bg.wasm".into()]);
        let when = |file: &str| when(Path::new(file), &at_once, &with_the_chat);
        assert_eq!(when("loader.js"), When::AtOnce);
        assert_eq!(when("core_bg.wasm"), When::WithTheChat);
        assert_eq!(when("screen-share.js"), When::Lazily);
    }

    #[test]
    fn compressed_sizes_are_those_of_the_standard_tools() {
        let size = weigh("Sportello ".repeat(1000).as_bytes()).unwrap();
        assert_eq!(size.raw, 10_000);
        assert!(size.brotli < size.gzip && size.gzip < 100, "{size:?}");
    }
}
