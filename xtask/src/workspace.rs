//! Where things are: the checkout, Cargo's build folder, the user's cache folder; and the environment that every command gets.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::exec;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's build folder.
    pub(crate) target: PathBuf,
    /// The pinned toolchain's folder.
    pub(crate) sysroot: PathBuf,
    /// Tools kept by version, shared by all checkouts of this user.
    pub(crate) tools: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").context("start this through Cargo: `cargo xtask …` in the checkout")?;
        let root = Path::new(&manifest).parent().context("xtask has no parent folder")?.to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()?.join(folder),
            None => root.join("target"),
        };
        let sysroot = exec::output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&root))?;
        Ok(Self {
            root,
            target,
            sysroot: PathBuf::from(sysroot.trim()),
            tools: cache_folder()?.join("sportello/tools"),
        })
    }

    /// A command that runs in the checkout, with the pinned toolchain's programs and `extra` folders first on its path.
    pub(crate) fn command(&self, program: impl AsRef<Path>, extra: &[PathBuf]) -> Result<Command> {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root).env("PATH", self.path(extra)?);
        // Output is read by this program as well as by people.
        command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").env_remove("FORCE_COLOR");
        Ok(command)
    }

    pub(crate) fn cargo(&self) -> Result<Command> {
        self.command("cargo", &[])
    }

    fn path(&self, extra: &[PathBuf]) -> Result<OsString> {
        let mut folders = extra.to_vec();
        folders.push(self.sysroot.join("bin"));
        if let Some(path) = env::var_os("PATH") {
            folders.extend(env::split_paths(&path));
        }
        Ok(env::join_paths(folders)?)
    }

    /// The version of a package in `Cargo.lock`.
    pub(crate) fn locked_version(&self, package: &str) -> Result<String> {
        let path = self.root.join("Cargo.lock");
        let lock = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        match locked_versions(&lock, package).as_slice() {
            [version] => Ok((*version).to_owned()),
            [] => bail!("Cargo.lock has no package `{package}`"),
            several => bail!("Cargo.lock has {} versions of `{package}`; there must be one", several.len()),
        }
    }
}

/// The first program of these names on the path.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))))
        .find(|candidate| candidate.is_file())
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let home = env::home_dir().context("there is no home folder: set HOME or XDG_CACHE_HOME")?;
    Ok(home.join(".cache"))
}

fn locked_versions<'lock>(lock: &'lock str, package: &str) -> Vec<&'lock str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while lines.any(|line| line == name) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        versions.extend(version);
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"wasm-bindgen\"\n\
                        version = \"0.2.130\"\n\n[[package]]\nname = \"bitflags\"\nversion = \"1.0.0\"\n\n[[package]]\n\
                        name = \"bitflags\"\nversion = \"2.0.0\"\n";

    #[test]
    fn the_locked_version_is_the_one_of_exactly_that_package() {
        assert_eq!(locked_versions(LOCK, "wasm-bindgen"), ["0.2.130"]);
        assert_eq!(locked_versions(LOCK, "bitflags"), ["1.0.0", "2.0.0"]);
        assert!(locked_versions(LOCK, "wasm").is_empty());
    }
}
