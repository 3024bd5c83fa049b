// The agent's pointer on the shared page, with the agent's name. Shows and does nothing else: it cannot be hit, takes no room, and is neither read out nor recorded.

const STYLE = `
:host { all: initial; position: fixed; inset: 0 auto auto 0; width: 0; height: 0; margin: 0; padding: 0; border: 0; overflow: visible; background: none; pointer-events: none;
  z-index: 2147483647; visibility: hidden; --x: 0px; --y: 0px; }
:host(.here) { visibility: visible; }
.pointer { position: absolute; left: 0; top: 0; pointer-events: none; transform: translate(var(--x), var(--y)); }
svg { display: block; width: 24px; height: 24px; filter: drop-shadow(0 1px 2px #0008); }
.name { position: absolute; left: 18px; top: 18px; max-width: 40vw; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding: 2px 8px; border-radius: 8px;
  font: 600 13px/1.4 system-ui, sans-serif; background: #b3142b; color: #fff; }
.name:empty { display: none; }
.ripple { position: absolute; left: -20px; top: -20px; width: 40px; height: 40px; border-radius: 50%; border: 3px solid #b3142b; opacity: 0; box-sizing: border-box; }
.down .ripple { opacity: 1; }
@media (prefers-reduced-motion: no-preference) {
  .pointer { transition: transform 0.05s linear; }
  .ripple.go { animation: ripple 0.6s ease-out; }
  @keyframes ripple { from { opacity: 1; transform: scale(0.3); } to { opacity: 0; transform: scale(1.4); } }
}
`;

const SVG = "http://www.w3.org/2000/svg";

function arrow() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1 1l7.5 19 2.6-7.9L19 9.5z");
  path.setAttribute("fill", "#b3142b");
  path.setAttribute("stroke", "#fff");
  path.setAttribute("stroke-width", "1.5");
  svg.append(path);
  return svg;
}

/** `{ move(x, y, isDown), leave(), dispose() }`; `name()` gives the agent's name, `x` and `y` are CSS pixels of the viewport. */
export function createPointer({ name, root }) {
  const host = document.createElement("div");
  host.setAttribute("data-sportello-screen", "");
  host.setAttribute("aria-hidden", "true");
  if ("popover" in host) host.popover = "manual";
  const shadow = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];
  const at = sheet.cssRules[0].style;
  const [pointer, ripple, label] = ["pointer", "ripple", "name"].map((className) => Object.assign(document.createElement("div"), { className }));
  pointer.append(ripple, arrow(), label);
  shadow.append(pointer);
  let wasDown = false;

  /** Above everything, also above a dialog that was opened meanwhile. */
  function raise() {
    const place = root?.isConnected ? root : document.documentElement;
    if (!host.isConnected) place.append(host);
    if (!host.popover) return;
    if (host.matches(":popover-open")) host.hidePopover();
    host.showPopover();
  }

  return {
    move(x, y, isDown) {
      if (!host.isConnected || !host.classList.contains("here") || (isDown && !wasDown)) raise();
      label.textContent = name();
      at.setProperty("--x", `${x}px`);
      at.setProperty("--y", `${y}px`);
      host.classList.add("here");
      pointer.classList.toggle("down", isDown);
      if (isDown && !wasDown) {
        ripple.classList.remove("go");
        // Begins the animation anew.
        void ripple.offsetWidth;
        ripple.classList.add("go");
      }
      wasDown = isDown;
    },
    leave() {
      host.classList.remove("here");
      pointer.classList.remove("down");
      wasDown = false;
    },
    dispose() {
      host.remove();
    },
  };
}
