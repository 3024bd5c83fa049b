// Pictures, videos, sound and documents: by link, or as files of the conversation, which `media.load(message)` fetches. What cannot be shown
// is named. Nothing large is fetched before somebody asks for it.

import { el, fill } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../language.js";
import { sizeWords } from "../words.js";
import { safeLink, webAddress } from "./safe-text.js";

/** The content of a message that shows a file or links to one. `media` is `{ base, streams, load }`; see `renderMessage`. */
export function mediaNode(message, tools) {
  const link = linkOf(message);
  if (isAttachment(message, link)) return attachment(message, tools);
  if (!link) return placeholder(t(`media.${kindOf(message)}.missing`));
  return linked(kindOf(message), link, altOf(message), tools);
}

/** A picture by its link; where the link is none, or does not load, words. An empty `alt` is a decoration. */
export function linkedPicture(link, alt, { media, onResize }) {
  const src = webAddress(link, media?.base);
  if (!src) return placeholder(t("media.picture.missing"));
  return picture(src, alt ?? t("media.picture.unnamed"), onResize, { loading: "lazy", referrerpolicy: "no-referrer" });
}

/** `picture`, `video`, `audio` or `document`: a document that is a recording is played, not only offered for download. */
export function kindOf(message) {
  if (message.type === "photo" || message.type === "image") return "picture";
  if (message.type === "video" || message.type === "audio") return message.type;
  return message.media?.content_type?.startsWith("audio/") ? "audio" : "document";
}

function linked(kind, link, alt, tools) {
  if (kind === "picture") return linkedPicture(link, alt || undefined, tools);
  const src = webAddress(link, tools.media?.base);
  if (!src) return placeholder(t(`media.${kind}.missing`));
  if (kind === "document") return el("p", { class: "file" }, icon("file"), safeLink(src, alt || t("media.document.unnamed")));
  return player(kind, src, alt, tools.onResize);
}

function attachment(message, tools) {
  const { media } = tools;
  const kind = kindOf(message);
  const name = message.media?.name ?? t(`media.${kind}.unnamed`);
  if (!media?.load) return placeholder(t(`media.${kind}.missing`));
  const box = el("div", { class: `attachment is-${kind}` });
  const load = async () => {
    box.setAttribute("aria-busy", "true");
    // No answer at all is shown like a refusal: it can be tried again.
    const url = await Promise.resolve(media.load(message)).catch(() => null);
    box.removeAttribute("aria-busy");
    return url;
  };
  const failed = (again) => {
    const retry = el("button", { type: "button", class: "link-button" }, t("media.again"));
    retry.addEventListener("click", again);
    fill(box, placeholder(t("media.failed", { name })), retry);
  };
  const showNow = async () => {
    const url = await load();
    if (!url) return failed(showNow);
    fill(box, kind === "picture" ? picture(url, name, tools.onResize) : player(kind, url, name, tools.onResize));
    tools.onResize?.();
  };
  if (kind === "document") {
    if (media.streams) Promise.resolve(media.load(message)).then((href) => fill(box, downloadLink(href, message, name)));
    else fill(box, downloadButton(message, name, load));
  } else if (kind === "picture" || media.streams) {
    fill(box, placeholder(t("media.loading", { name })));
    showNow();
  } else {
    const button = el("button", { type: "button", class: "button is-quiet" }, icon("play"), t(`media.${kind}.play`, { name: nameAndSize(message, name) }));
    button.addEventListener("click", showNow);
    fill(box, button);
  }
  return box;
}

function picture(src, alt, onResize, attributes = {}) {
  const image = el("img", { class: "picture", src, alt, ...attributes });
  image.addEventListener("load", () => onResize?.());
  image.addEventListener("error", () => image.replaceWith(placeholder(t("media.failed", { name: alt || t("media.picture.unnamed") }))));
  return image;
}

function player(kind, src, label, onResize) {
  const node = el(kind, { class: "player", src, controls: true, preload: "metadata", "aria-label": label || t(`media.${kind}.unnamed`) });
  node.addEventListener("loadedmetadata", () => onResize?.());
  node.addEventListener("error", () => node.replaceWith(placeholder(t("media.failed", { name: label || t(`media.${kind}.unnamed`) }))));
  return node;
}

function downloadLink(href, message, name) {
  return el("a", { class: "file", href, download: name }, icon("file"), nameAndSize(message, name));
}

/** Where the file needs a session to be read, a link is not enough: it is fetched, then handed to the browser as a download. */
function downloadButton(message, name, load) {
  const button = el("button", { type: "button", class: "file link-button" }, icon("file"), nameAndSize(message, name));
  button.addEventListener("click", async () => {
    const url = await load();
    if (!url) return button.after(placeholder(t("media.failed", { name })));
    el("a", { href: url, download: name }).click();
  });
  return button;
}

function nameAndSize(message, name) {
  const bytes = message.media?.size;
  return Number.isFinite(bytes) ? `${name} (${sizeWords(bytes)})` : name;
}

/** Where a message links to: the web knows several places for it. */
function linkOf(message) {
  const content = typeof message.content === "string" && webAddress(message.content) ? message.content : null;
  return message.url ?? message.document?.url ?? message.images?.[0]?.url ?? message.videos?.[0]?.url ?? message.documents?.[0]?.url ?? content;
}

function altOf(message) {
  const named = message.text ?? message.title ?? message.images?.[0]?.text ?? message.videos?.[0]?.text ?? message.documents?.[0]?.text;
  return named || (message.content && !webAddress(message.content) ? String(message.content) : "");
}

/** Files of the conversation have a number, or an address of the API that only the reader's session opens. */
function isAttachment(message, link) {
  return message.media_id !== undefined || /^\/(?:desk\/)?api\//u.test(link ?? "");
}

function placeholder(text) {
  return el("p", { class: "placeholder" }, text);
}
