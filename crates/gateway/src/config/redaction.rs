//! What of a message only its author reads, as it stands in the configuration. Refuses what cannot be searched for in bounded time and memory.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// Rules of one company.
const MAX_RULES: usize = 50;
/// Bytes of a pattern, and of a replacement.
const MAX_TEXT_BYTES: usize = 500;
/// Memory of one compiled pattern.
const MAX_COMPILED_BYTES: usize = 256 * 1024;
/// Memory in which one search may keep what it learned.
const MAX_CACHE_BYTES: usize = 512 * 1024;

/// One thing that is replaced: either a pattern or something built in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redaction {
    /// A regular expression in the syntax of the crate `regex`.
    pub pattern: Option<String>,
    /// What stands in place of a match; `$1` or `${name}` is a group of the pattern, `$$` a dollar.
    pub replacement: Option<String>,
    /// What the gateway finds by itself.
    pub builtin: Option<Builtin>,
}

/// What the gateway finds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// The numbers of payment cards: 13 to 19 digits whose check digit is right, of which the last four stay.
    Card,
}

/// The compiled form of a pattern; the error says what is wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_TEXT_BYTES {
        return Err(format!("it has more than {MAX_TEXT_BYTES} bytes"));
    }
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_CACHE_BYTES).build();
    let regex = compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it needs too much memory; repeat less".to_owned(),
        other => other.to_string(),
    })?;
    if regex.is_match("") {
        return Err("it matches the empty text, so it would match everywhere".to_owned());
    }
    Ok(regex)
}

pub(super) fn check_redaction(rules: &[Redaction]) -> Result<(), String> {
    if rules.len() > MAX_RULES {
        return Err(format!("redaction has more than {MAX_RULES} rules"));
    }
    for (position, rule) in rules.iter().enumerate() {
        let number = position.saturating_add(1);
        match rule {
            Redaction { pattern: None, replacement: None, builtin: Some(_) } => {}
            Redaction { pattern: Some(pattern), replacement: Some(replacement), builtin: None } => {
                compile(pattern).map_err(|text| format!("redaction {number}, pattern {pattern:?}: {text}"))?;
                if replacement.len() > MAX_TEXT_BYTES {
                    return Err(format!("redaction {number}: replacement has more than {MAX_TEXT_BYTES} bytes"));
                }
            }
            _ => {
                return Err(format!(
                    "redaction {number} must have `pattern` and `replacement`, or only `builtin = \"card\"`"
                ));
            }
        }
    }
    Ok(())
}
