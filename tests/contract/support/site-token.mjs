// What the server of a site of its own company signs: tokens for end users, and custom data that agents can trust.
import { createHmac } from "node:crypto";

/** The secret of the companies that these tests configure. */
export const SECRET = "a secret of the tests, long enough";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT (HS256) with these claims, good for an hour. */
export function sign(claims, secret = SECRET) {
  const nowS = Math.floor(Date.now() / 1000);
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: nowS - 5, exp: nowS + 3600, ...claims })}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}
