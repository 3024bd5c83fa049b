//! Which modules a browser fetches together with an entry module: those it imports statically, and theirs.
//!
//! Reads just enough JavaScript for that: comments, strings, templates and regular expressions are stepped over. `import()` is lazy
//! and does not count.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The entry and everything that is fetched with it, as paths relative to `folder`.
pub(crate) fn closure(folder: &Path, entry: &str) -> Result<BTreeSet<PathBuf>> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![PathBuf::from(entry)];
    while let Some(module) = waiting.pop() {
        if !reached.insert(module.clone()) {
            continue;
        }
        let path = folder.join(&module);
        let source = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        for specifier in static_specifiers(&source) {
            waiting.push(resolve(&module, &specifier)?);
        }
    }
    Ok(reached)
}

fn resolve(importer: &Path, specifier: &str) -> Result<PathBuf> {
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        bail!("{} imports `{specifier}`: the package has no runtime dependencies", importer.display());
    }
    let mut path = importer.parent().unwrap_or(Path::new("")).to_owned();
    for component in Path::new(specifier).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            Component::Normal(name) => path.push(name),
            _ => bail!("{} imports `{specifier}`, which is outside the package", importer.display()),
        }
    }
    Ok(path)
}

/// The module names in a source's static `import` and `export … from` statements.
fn static_specifiers(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            Token::Word("import") => found.extend(import_specifier(after)),
            Token::Word("export") => found.extend(reexport_specifier(after)),
            // `a.import` and `a.export` are properties.
            Token::Sign('.') => rest = after.split_first().map_or(after, |(_, after)| after),
            _ => {}
        }
    }
    found
}

/// After `import`: a name at once, or a clause and `from` and a name. `import(…)` and `import.meta` are neither.
fn import_specifier(after: &[Token<'_>]) -> Option<String> {
    match after.first()? {
        Token::Text(name) => Some((*name).to_owned()),
        Token::Sign('{' | '*') | Token::Word(_) => from_specifier(after),
        _ => None,
    }
}

/// After `export`: only a list or a star can be followed by `from`.
fn reexport_specifier(after: &[Token<'_>]) -> Option<String> {
    matches!(after.first()?, Token::Sign('{' | '*')).then(|| from_specifier(after))?
}

/// The name after the `from` that closes the clause; a clause holds only names, commas, braces and a star.
fn from_specifier(clause: &[Token<'_>]) -> Option<String> {
    let mut before = None;
    for token in clause {
        match (before, token) {
            (Some(Token::Word("from")), Token::Text(name)) => return Some((*name).to_owned()),
            (_, Token::Word(_) | Token::Text(_) | Token::Sign('{' | '}' | ',' | '*')) => before = Some(*token),
            _ => return None,
        }
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'source> {
    Word(&'source str),
    Text(&'source str),
    Sign(char),
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let (token, length) = if next.is_whitespace() {
            (None, next.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if next == '"' || next == '\'' {
            let length = quoted_length(rest, next, false);
            (rest.get(1..length.saturating_sub(1)).map(Token::Text), length)
        } else if next == '`' {
            // What is inside a template's `${}` cannot be a static import.
            (Some(Token::Sign('`')), template_length(rest))
        } else if next == '/' && expression_may_start(tokens.last()) {
            (Some(Token::Sign('/')), quoted_length(rest, '/', true))
        } else if is_word(next) {
            let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            (rest.get(..length).map(Token::Word), length)
        } else {
            (Some(Token::Sign(next)), next.len_utf8())
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#')
}

/// Whether a `/` here begins a regular expression and does not divide.
fn expression_may_start(last: Option<&Token<'_>>) -> bool {
    match last {
        None => true,
        Some(Token::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '`' | '/'),
        Some(Token::Word(word)) => {
            matches!(*word, "return" | "typeof" | "case" | "in" | "of" | "void" | "await" | "yield")
        }
        Some(Token::Text(_)) => false,
    }
}

/// The length of a text or a regular expression, its quotes included. In a class of a regular expression the quote means itself.
fn quoted_length(source: &str, quote: char, has_classes: bool) -> usize {
    let mut escaped = false;
    let mut in_class = false;
    for (at, letter) in source.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if has_classes => in_class = true,
            ']' if has_classes => in_class = false,
            _ if letter == quote && !in_class => return at + letter.len_utf8(),
            _ => {}
        }
    }
    source.len()
}

/// The length of a template, with the templates inside its `${}`.
fn template_length(source: &str) -> usize {
    let mut escaped = false;
    // For each template that is open: how many braces are open in its `${}`; none while in its text.
    let mut open: Vec<Option<u32>> = Vec::new();
    let mut before = ' ';
    for (at, letter) in source.char_indices() {
        match (open.last_mut(), letter) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(None), '`') => {
                open.pop();
                if open.is_empty() {
                    return at + 1;
                }
            }
            (Some(state @ None), '{') if before == '$' => *state = Some(1),
            (Some(Some(_)) | None, '`') => open.push(None),
            (Some(Some(braces)), '{') => *braces += 1,
            (Some(state @ Some(1)), '}') => *state = None,
            (Some(Some(braces)), '}') => *braces -= 1,
            _ => {}
        }
        before = letter;
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_static_form_is_found() {
        let source = "import './side.js';\nimport all from \"./default.js\"\nimport { a,\n  b as c } from './named.js';import * as d from './star.js';\n\
                      export { e } from './again.js'; export * from './all.js'; export * as f from './names.js';\n\
                      import g, { from } from './both.js';import{h}from'./minified.js';";
        assert_eq!(
            static_specifiers(source),
            [
                "./side.js",
                "./default.js",
                "./named.js",
                "./star.js",
                "./again.js",
                "./all.js",
                "./names.js",
                "./both.js",
                "./minified.js"
            ]
        );
    }

    #[test]
    fn lazy_imports_and_lookalikes_do_not_count() {
        let source = "const lazy = () => import('./lazy.js'); import.meta.url; export { a }; export const b = 'x';\n\
                      // import './comment.js'\n/* export * from './comment.js' */\n\
                      const text = \"import './text.js'\"; const c = `import './template.js' ${`${'}'}`} `;\n\
                      const quote = /['\"]/.test(d) ? 1 / 2 : e.import; f.export * g; export default { from: './object.js' };";
        assert!(static_specifiers(source).is_empty(), "{:?}", static_specifiers(source));
    }

    #[test]
    fn an_import_after_a_misleading_regular_expression_is_found() {
        assert_eq!(static_specifiers("const a = b.replace(/[/'`]/g, '');\nimport './after.js';"), ["./after.js"]);
        assert_eq!(static_specifiers("const a = `${b / 2}` / 3;\nimport './after.js';"), ["./after.js"]);
    }

    #[test]
    fn paths_are_resolved_inside_the_package_only() {
        let importer = Path::new("parts/one.js");
        assert_eq!(resolve(importer, "./two.js").unwrap(), Path::new("parts/two.js"));
        assert_eq!(resolve(importer, "../index.js").unwrap(), Path::new("index.js"));
        assert!(resolve(importer, "../../outside.js").is_err());
        assert!(resolve(importer, "left-pad").is_err());
    }
}
