// What a process holds, as Linux tells it.

import { readdir, readFile, readlink } from "node:fs/promises";

/** Resident memory in MB. */
export async function residentMb(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)[1]) * 1024) / 1e6;
}

/** Open sockets. */
export async function socketsOf(pid) {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => "")));
  return links.filter((link) => link.startsWith("socket:")).length;
}
