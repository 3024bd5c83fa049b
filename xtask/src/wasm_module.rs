//! What the toolchain says about WebAssembly, and a look into the module that was built.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use wasmparser::{Parser, Payload};

use crate::{exec, tools::WASM_TARGET, workspace::Workspace};

/// The flags that allow `wasm-opt` exactly the features that rustc enables.
pub(crate) fn optimiser_features(workspace: &Workspace) -> Result<Vec<&'static str>> {
    let configuration =
        exec::output(workspace.command("rustc", &[])?.args(["--print", "cfg", "--target", WASM_TARGET]))?;
    features_in(&configuration)
}

fn features_in(configuration: &str) -> Result<Vec<&'static str>> {
    configuration
        .lines()
        .filter_map(|line| line.strip_prefix("target_feature=\"")?.strip_suffix('"'))
        .map(|feature| {
            Ok(match feature {
                "bulk-memory" => "--enable-bulk-memory",
                "multivalue" => "--enable-multivalue",
                "mutable-globals" => "--enable-mutable-globals",
                "nontrapping-fptoint" => "--enable-nontrapping-float-to-int",
                "reference-types" => "--enable-reference-types",
                "sign-ext" => "--enable-sign-ext",
                "simd128" => "--enable-simd",
                other => bail!("rustc enables the wasm feature `{other}`, for which no wasm-opt flag is known here"),
            })
        })
        .collect()
}

/// Fails where the module wants anything from a module `env`: that is native code which slipped in, and no browser has it.
pub(crate) fn refuse_native_imports(wasm: &[u8]) -> Result<()> {
    let imports = imports(wasm)?;
    let native: Vec<&str> =
        imports.iter().filter(|(module, _)| module == "env").map(|(_, name)| name.as_str()).collect();
    if !native.is_empty() {
        bail!("the wasm module imports native code from `env`: {}", native.join(", "));
    }
    Ok(())
}

fn imports(wasm: &[u8]) -> Result<BTreeSet<(String, String)>> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload.context("the wasm module is malformed")? {
            for import in section.into_imports() {
                let import = import.context("the wasm module's imports are malformed")?;
                found.insert((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module whose one import is the function `name` of `module`.
    fn module_importing(module: &str, name: &str) -> Vec<u8> {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let entry = [&[1][..], &text(module), &text(name), &[0, 0]].concat();
        let types = [1, 4, 1, 0x60, 0, 0];
        [&b"\0asm\x01\0\0\0"[..], &types, &[2, entry.len() as u8], &entry].concat()
    }

    #[test]
    fn an_import_from_env_is_refused_by_name() {
        assert!(refuse_native_imports(&module_importing("./sportello_core_bg.js", "__wbg_now")).is_ok());
        let refused = refuse_native_imports(&module_importing("env", "clock_gettime")).unwrap_err().to_string();
        assert!(refused.contains("clock_gettime"), "{refused}");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(refuse_native_imports(b"<!doctype html>").is_err());
    }

    #[test]
    fn each_enabled_feature_has_a_flag_and_an_unknown_one_is_refused() {
        let known = "target_arch=\"wasm32\"\ntarget_feature=\"bulk-memory\"\ntarget_feature=\"sign-ext\"\n";
        assert_eq!(features_in(known).unwrap(), ["--enable-bulk-memory", "--enable-sign-ext"]);
        assert!(features_in("target_feature=\"telepathy\"").is_err());
    }
}
