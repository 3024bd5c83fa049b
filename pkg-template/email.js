// A message to a queue by e-mail, with its files. Loaded with the first of them. Looks at what it was given and not at what is in it: what may be attached, and how
// much, the gateway says.

const refuse = (message) => {
  throw Object.assign(new Error(message), { code: "invalid_argument" });
};
const check = (holds, message) => holds || refuse(`createEmail(menuId, data): ${message}`);

/** More than any gateway takes; a list that only says how long it is does not fill the memory. */
const MOST_FILES = 1_000;

const failed = (reason) => ({ id: 0, type: "email", status: "failed", fail_reason: reason, attachment_count: 0 });

/** The newest message of which nobody knows whether it arrived: the same again is the same message. */
let unanswered = {};

function keyOf(question) {
  if (unanswered.question !== question) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    unanswered = { question, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return unanswered.key;
}

/** The plan of `createEmail(menuId, data)`. Where the gateway refuses or cannot be reached, the call resolves to a message that failed, as documented. */
export function plan([menuId, data], lang) {
  check(/^\d{1,15}$/.test(typeof menuId === "symbol" ? "" : `${menuId}`), "menuId must be a whole number, or a string of digits.");
  check(typeof data === "object" && data !== null, "data must be an object.");
  const fields = {};
  for (const name of ["name", "email", "content", "lang", "recaptcha"]) {
    const value = data[name] ?? undefined;
    const isNeeded = name === "email" || name === "content";
    check(typeof value === "string" || (value === undefined && !isNeeded), `${name} must be a string.`);
    fields[name] = value;
  }
  fields.lang ??= lang ?? undefined;
  const given = data.files ?? [];
  const isList = typeof given === "object" && Number.isInteger(given.length) && given.length >= 0 && given.length <= MOST_FILES;
  check(isList, "files must be a FileList, or an array of files.");
  const files = Array.from(given);
  // A file of another frame is one too.
  check(files.every((file) => /^\[object (File|Blob)\]$/.test(Object.prototype.toString.call(file))), "files must be files.");

  const { recaptcha, ...same } = fields;
  const about = files.map(({ name, size, type, lastModified }) => [name, size, type, lastModified]);
  const question = JSON.stringify([menuId, same, about]);
  const form = new FormData();
  form.append("data", JSON.stringify({ client_id: keyOf(question), ...fields }));
  for (const file of files) form.append("files[]", file, file.name ?? "file");

  const finish = async (answer, error) => {
    if (!error) {
      unanswered = {};
      const text = await answer.text();
      try {
        return JSON.parse(text);
      } catch {
        return failed("protocol");
      }
    }
    // The caller's own doing is no outcome of the message.
    if (error.code === "aborted" || error.code === "closed") throw error;
    if (!error.retryable) unanswered = {};
    return failed(error.code);
  };
  return { verb: "POST", path: `/menus/${menuId}/emails`, body: form, answer: "file", finish };
}
