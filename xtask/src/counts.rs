//! How many tests passed and failed, read from what the runners print.

use std::fmt;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// Adds up every summary in a runner's output: libtest's (also that of wasm-bindgen's runner) and node:test's.
    pub(crate) fn read(output: &str) -> Self {
        output.lines().filter_map(|line| libtest(line).or_else(|| node_test(line))).fold(Self::default(), Self::plus)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; …`
fn libtest(line: &str) -> Option<Counts> {
    let (_, numbers) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let number =
        |word: &str| numbers.split(';').find_map(|part| part.trim().strip_suffix(word)?.trim().parse::<u64>().ok());
    Some(Counts { passed: number("passed")?, failed: number("failed")? })
}

/// `ℹ pass 12` or `# pass 12`, and the same with `fail` and `cancelled`; each stands alone.
fn node_test(line: &str) -> Option<Counts> {
    let summary = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
    let (word, number) = summary.trim().split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Counts { passed: number, failed: 0 }),
        "fail" | "cancelled" => Some(Counts { passed: 0, failed: number }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_several_libtest_programs_add_up() {
        let output = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        assert_eq!(Counts::read(output), Counts { passed: 5, failed: 2 });
    }

    #[test]
    fn the_summary_of_wasm_bindgens_runner_counts_without_its_last_fields() {
        let output = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out";
        assert_eq!(Counts::read(output), Counts { passed: 7, failed: 0 });
    }

    #[test]
    fn node_test_counts_once_in_both_of_its_forms() {
        for mark in ["ℹ", "#"] {
            let output = format!(
                "{mark} tests 9\n{mark} suites 2\n{mark} pass 7\n{mark} fail 1\n{mark} cancelled 1\n{mark} skipped 0\n"
            );
            assert_eq!(Counts::read(&output), Counts { passed: 7, failed: 2 });
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Counts::read("12 passed\n# a heading\nℹ pass many\ntest result: unknown"), Counts::default());
    }

    #[test]
    fn the_last_line_is_made_for_machines() {
        assert_eq!(Counts { passed: 41, failed: 0 }.to_string(), "41 passed, 0 failed");
    }
}
