// Values in words for the developer tools: JSON where that says something, and a name for what JSON cannot hold.

const LIMIT = 4_000;

/** `value` as text, at most `limit` characters of it. */
export function describe(value, limit = LIMIT) {
  if (value === undefined) return "undefined";
  const text = JSON.stringify(value, readable(), 2) ?? String(value);
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/** A list of arguments in one line. */
export function describeLine(args, limit = 120) {
  const text = args.map((arg) => describe(arg, 2 * limit).replace(/\s+/gu, " ")).join(", ");
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

function readable() {
  const seen = new Set();
  return (_, value) => {
    if (value instanceof Error) return { error: value.code ?? value.name, status: value.status, message: value.message, retryable: value.retryable };
    if (value instanceof Blob) return `${value.constructor.name} ${value.name ?? ""} (${value.size} bytes)`;
    if (typeof value === "function") return "function";
    if (value instanceof AbortSignal) return "AbortSignal";
    if (value instanceof Node) return `<${value.localName ?? value.nodeName}>`;
    if (value === null || typeof value !== "object") return value;
    if (seen.has(value)) return "(again)";
    seen.add(value);
    // A chat shows itself by its state.
    return value.state?.id !== undefined && typeof value.sendMessage === "function" ? { chat: value.state } : value;
  };
}
