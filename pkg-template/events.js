// The event stream as server-sent events through `fetch`: loaded only where WebSockets do not get through. Speaks once, then only listens.

/** `send` takes the first frame; `heard` gets each parsed frame (undefined where it is no JSON), `ended` comes once, unless closed before. */
export function open(url, heard, ended) {
  const controller = new AbortController();
  const { signal } = controller;
  let open = true;
  const end = () => {
    if (open) ended();
    open = false;
  };
  return {
    send(frame) {
      listen(url, frame, signal, heard).then(end, end);
    },
    close() {
      open = false;
      controller.abort();
    },
  };
}

async function listen(url, body, signal, heard) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body, signal, cache: "no-store" });
  if (!response.ok || !response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop();
    // A frame is one line of JSON; the empty line after it, comments and other fields say nothing here.
    for (const line of lines) {
      if (signal.aborted) return;
      if (line.startsWith("data:")) heard(parse(line.slice(5)));
    }
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
