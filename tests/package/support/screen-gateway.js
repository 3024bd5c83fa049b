// The gateway inside the page (tests/client/support/fake-gateway.js) with the routes of screen share, as far as the package's side is concerned; what it keeps
// outlives a reload of the page. Whether the rules are right is tested against the real gateway.
import { FakeGateway } from "/fake-gateway.js";

const json = (status, body) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const refusal = (status, code) => json(status, { error: { code, message: "refused" } });

async function unpacked(blob) {
  return JSON.parse(await new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

export class ScreenGateway extends FakeGateway {
  constructor(origin) {
    super(origin);
    this.viewers = 1;
    this.batches = []; // { share, page, epoch, seq, events }
    this.patches = [];
    this.created = [];
    this.polls = new Set();
    this.signals = [];
    this.next = 0;
    this.resync = false;
    this.shareRefusals = [];
    this.heldShares = [];
    this.holdingShare = null;
    const kept = JSON.parse(localStorage.getItem("screen-gateway") ?? "null");
    this.shares = kept?.shares ?? [];
    this.chat = kept?.chat ?? null;
    addEventListener("pagehide", () => localStorage.setItem("screen-gateway", JSON.stringify({ shares: this.shares, chat: this.chat })));
  }

  get share() {
    return this.shares.at(-1);
  }

  /** The next requests whose "METHOD rest" starts with this are refused; status 0 means that the network fails. */
  refuseShare(start, status, code, times = 1) {
    for (let time = 0; time < times; time += 1) this.shareRefusals.push({ start, status, code });
  }

  /** Requests whose "METHOD rest" starts with this wait until `releaseShares()`. */
  holdShares(start) {
    this.holdingShare = start;
  }

  releaseShares() {
    this.holdingShare = null;
    for (const go of this.heldShares.splice(0)) go();
  }

  /** The share moves on, and the stream says so. */
  moveShare(patch) {
    Object.assign(this.share, patch);
    this.tellShare();
  }

  tellShare() {
    if (this.chat) this.change(JSON.stringify({ screen_share: { ...this.share, page: undefined, client_id: undefined } }));
    this.answerPolls();
  }

  signal(...signals) {
    this.signals.push(...signals);
    this.answerPolls();
  }

  answerPolls() {
    for (const poll of this.polls) poll();
    this.polls.clear();
  }

  async serve(request, url) {
    const found = /^\/api\/v1\/chats\/7\/screen_shares(?:\/(\d+))?(\/\w+)?$/.exec(url.pathname);
    if (!found) return super.serve(request, url);
    const [, id, rest = ""] = found;
    const ask = `${request.method} ${rest}`;
    this.log.push(`${request.method} ${url.pathname}${url.search}`);
    const type = request.headers.get("content-type");
    const blob = await request.blob();
    if (this.holdingShare !== null && ask.startsWith(this.holdingShare)) await new Promise((resolve) => this.heldShares.push(resolve));
    if (this.down) throw new TypeError("Failed to fetch");
    const at = this.shareRefusals.findIndex(({ start }) => ask.startsWith(start));
    if (at >= 0) {
      const [{ status, code }] = this.shareRefusals.splice(at, 1);
      if (status === 0) throw new TypeError("Failed to fetch");
      return refusal(status, code);
    }
    if (request.headers.get("authorization") !== `Bearer s${this.endUserId}`) return refusal(401, "unauthorized");
    const shown = (share) => ({ ...share, page: undefined, client_id: undefined });
    if (id === undefined) return this.#create(JSON.parse(await blob.text()), shown);
    const share = this.shares.find((share) => share.id === Number(id));
    if (!share) return refusal(404, "not_found");
    const page = url.searchParams.get("page_id");
    const isHere = share.status === "active" && share.page === page;
    switch (ask) {
      case "GET ":
        return json(200, { share: shown(share) });
      case "PATCH ": {
        const body = JSON.parse(await blob.text());
        this.patches.push(body);
        if (body.status === "ended") {
          if (share.status !== "ended") Object.assign(share, { status: "ended", ended_reason: body.reason ?? "device_ended", ended_at_ms: Date.now() });
        } else {
          if (!["authorizing", "active"].includes(share.status)) return refusal(409, "conflict");
          Object.assign(share, { status: "active", page: body.page_id, activated_at_ms: share.activated_at_ms ?? Date.now() });
        }
        this.tellShare();
        return json(200, { share: shown(share) });
      }
      case "POST /records": {
        if (!isHere) return refusal(409, "conflict");
        const [epoch, seq] = ["epoch", "seq"].map((name) => Number(url.searchParams.get(name)));
        this.batches.push({ share: share.id, page, epoch, seq, type, events: await unpacked(blob) });
        const { resync } = this;
        this.resync = false;
        return json(200, { share: shown(share), viewers: this.viewers, resync });
      }
      case "GET /signals": {
        if (!isHere) return refusal(409, "conflict");
        const after = Number(url.searchParams.get("after"));
        if (url.searchParams.has("after") && this.signals.length <= after) {
          await new Promise((resolve, reject) => {
            this.polls.add(resolve);
            request.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
          });
        }
        if (share.page !== page) return refusal(409, "conflict");
        return json(200, { share: shown(share), viewers: this.viewers, next: this.signals.length, signals: this.signals.slice(after) });
      }
      default:
        return refusal(404, "not_found");
    }
  }

  #create(body, shown) {
    this.created.push(body);
    const open = this.share?.status !== "ended" ? this.share : undefined;
    if (open?.status === "active") return open.page === body.page_id ? json(200, { share: shown(open), code: null }) : refusal(409, "conflict");
    if (open) Object.assign(open, { status: "ended", ended_reason: "replaced" });
    const share = {
      id: this.shares.length + 1, status: body.from === "code" ? "pending" : "authorizing", from: body.from, provider: body.provider ?? "rrweb",
      agent: { id: 3, name: "Ada" }, capabilities: ["view", "pointer"], created_at_ms: Date.now(), expires_at_ms: Date.now() + 300_000, page: body.page_id,
    };
    this.shares.push(share);
    this.tellShare();
    return json(201, { share: shown(share), code: body.from === "code" ? "123456" : null });
  }
}
