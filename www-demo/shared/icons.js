// The pages' icons, as path data: they are there without a request, also while the gateway that serves this page is down.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  alert: ["M12 4l9 16H3z", "M12 10v4.5M12 17.2v.1"],
  back: ["M19 12H6M12 5l-7 7 7 7"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 .01 0z", "M12 7.5V12l3 2"],
  close: ["M6 6l12 12M18 6L6 18"],
  down: ["M12 5v13M5 12l7 7 7-7"],
  clip: ["M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3 3 0 0 1 4.3 4.3l-7.7 7.7a1.5 1.5 0 0 1-2.1-2.1l6.9-6.9"],
  download: ["M12 4v11M7 10.5l5 5 5-5M5 19.5h14"],
  file: ["M7 3.5h7l4.5 4.5v12.5H7z", "M14 3.5V8h4.5"],
  form: ["M6 3.5h12v17H6z", "M9 8.5h6M9 12h6M9 15.5h3.5"],
  person: ["M12 4.4a3.6 3.6 0 1 0 .01 0z", "M4.8 20c.8-3.8 3.7-5.6 7.2-5.6s6.4 1.8 7.2 5.6"],
  phone: ["M6.5 4h3l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5v3a2 2 0 0 1-2.2 2A16 16 0 0 1 4.5 6.2 2 2 0 0 1 6.5 4z"],
  play: ["M8 5.5l10 6.5-10 6.5z"],
  screen: ["M3.5 5h17v11.5h-17z", "M8.5 20h7M12 16.5V20"],
  send: ["M5 12h13M12 5l7 7-7 7"],
  shield: ["M12 3.5l7 2.6v5.4c0 4.4-2.8 7.4-7 9-4.2-1.6-7-4.6-7-9V6.1z"],
  star: ["M12 3.6l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z"],
  transfer: ["M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4"],
  theme: ["M12 3.5a8.5 8.5 0 1 0 .01 0z", "M12 4a8 8 0 0 1 0 16zM14 5v14M16 6.5v11M18 8.5v7"],
  ticket: ["M4 6h16v4a2 2 0 0 0 0 4v4H4v-4a2 2 0 0 0 0-4z", "M10 9.5v5"],
};

/** An icon. Always decoration: the words beside it, or the button's label, say the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  for (const data of PATHS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}

/** Puts the icons into the places of the page that ask for one with `data-icon`. */
export function placeIcons() {
  for (const place of document.querySelectorAll("[data-icon]")) place.replaceWith(icon(place.dataset.icon));
}
