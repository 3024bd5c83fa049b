// Checks what `new Client` was given, so that a mistake is thrown where it is made. The core reads the options itself.
import { sportelloError } from "./errors.js";

const text = (value) => typeof value === "string";
const positive = (value) => Number.isInteger(value) && value > 0;
const object = (value) => typeof value === "object";

const OPTIONAL = {
  tenant: text,
  host: (value) => text(value) && /^(https?:\/\/)?(\[[^\]]+\]|[^/:]+)(:\d+)?(\/|$)/.test(value),
  lang: text,
  bridge: text,
  cobrowse: object,
  sendTimeoutMs: positive,
  callTimeoutMs: positive,
  historyLimit: positive,
  storage: (value) => ["getItem", "setItem", "removeItem", "key"].every((name) => typeof value[name] === "function"),
  reconnect: (value) => object(value) && ["initialMs", "maxMs", "connectTimeoutMs", "probeTimeoutMs"].every((name) => positive(value[name] ?? 1)),
};

export function checkOptions(options) {
  const check = (name, accepts) => {
    if (!accepts(options?.[name])) throw sportelloError("invalid_argument", `new Client: ${name} is missing or malformed.`);
  };
  check("companyId", (value) => text(value) && value !== "");
  check("authenticate", (value) => typeof value === "function");
  for (const name in OPTIONAL) check(name, (value) => value == null || OPTIONAL[name](value));
}
