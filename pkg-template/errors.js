// The errors of the facade; those of the core look the same. Known by name and code: `instanceof` fails across frames and copies of the package.
export function sportelloError(code, message, cause) {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  error.name = "SportelloError";
  error.code = code;
  error.retryable = code === "wasm_load_failed";
  return error;
}

export const isSportelloError = (value) =>
  value?.name === "SportelloError" && typeof value.code === "string";
