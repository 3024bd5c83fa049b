// Stands in for the recorder: says what the test says, and notes what it is told.
export function record(options) {
  const made = { options, calls: [], emit: options.emit, fail: options.onError };
  for (const name of ["stop", "pause", "resume", "resync"]) {
    made[name] = () => {
      made.calls.push(name);
      // Going on and beginning anew both give the whole picture.
      if (name === "resume" || name === "resync") options.emit([{ type: 2, data: name }]);
    };
  }
  (globalThis.recorders ??= []).push(made);
  if (globalThis.recorderRefuses) throw Object.assign(new Error("a selector cannot be read"), { code: "invalid_argument" });
  options.emit([{ type: 2, data: "first" }]);
  return made;
}
