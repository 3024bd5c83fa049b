// Runs files of tests one after the other, each in a process of its own: `node run.mjs --minutes=15 browser/*.test.mjs`. A file has failed where one
// of its tests did, where its time is up, or where it ends without its summary.
//
// Not `node --test`: that waits for a process to exit, and a process that has compiled much sometimes never does, long after its last test
// (https://github.com/nodejs/node/issues/54918). What counts here is the summary; who is still there a while after it is ended, and that is said.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How long a process may take to exit after its summary. */
const FAREWELL_MS = 15_000;
/** The last line of a file's own summary. */
const SUMMARY_END = /^# duration_ms /u;
const COUNT = /^# (pass|fail|cancelled) (\d+)$/u;

/** Runs them, and gives those that failed. */
export async function runFiles(files, { minutes, env = {} }) {
  const failed = [];
  for (const file of files) {
    const problem = await runFile(file, { minutes, env });
    if (problem) failed.push(`${relative(process.cwd(), file)}: ${problem}`);
  }
  if (failed.length > 0) console.error(`${failed.length} of ${files.length} files failed:\n${failed.join("\n")}`);
  return failed;
}

/** Why the file failed; undefined where it passed. */
async function runFile(file, { minutes, env }) {
  console.log(`# file ${relative(process.cwd(), file)}`);
  const child = spawn(process.execPath, ["--test-reporter=tap", file], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  const ended = once(child, "close");
  let stopped;
  const stop = (why) => {
    stopped = why;
    child.kill("SIGKILL");
  };
  const timers = [setTimeout(() => stop(`not done after ${minutes} minutes`), minutes * 60_000)];
  const counts = {};
  let isSummed = false;
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    const [, word, number] = COUNT.exec(line) ?? [];
    if (word) counts[word] = Number(number);
    if (!SUMMARY_END.test(line)) continue;
    isSummed = true;
    timers.push(setTimeout(() => stop("stayed after its last test"), FAREWELL_MS));
  }
  const [code] = await ended;
  timers.forEach(clearTimeout);
  if (isSummed && counts.pass > 0 && counts.fail === 0 && counts.cancelled === 0 && (code === 0 || stopped)) {
    if (stopped) console.log(`# ${relative(process.cwd(), file)} ${stopped}: ended`);
    return undefined;
  }
  // A failure without a summary is counted, too.
  if (!(counts.fail > 0 || counts.cancelled > 0)) console.log("# fail 1");
  return stopped ?? (isSummed ? `${counts.fail} failed, ${counts.cancelled} cancelled` : `ended with ${code} before its summary`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, ...files] = process.argv.slice(2);
  const minutes = Number(/^--minutes=(\d+)$/u.exec(first)?.[1]);
  if (!(minutes > 0) || files.length === 0) throw new Error("usage: node run.mjs --minutes=N FILE…");
  process.exitCode = (await runFiles(files, { minutes })).length > 0 ? 1 : 0;
}
