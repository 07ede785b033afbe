"use strict";
// Keeps every element with `data-live="/path"` up to date. Without this script a page stays as it was loaded.
// Opens a WebSocket for every element with `data-live-socket="/path"` and `data-live-token`: the element gets the event `live-open`
// when the connection opens, and again when it comes back, and `live-message` for each message; the event `live-send` on it sends its
// detail.
// The attribute `data-live-state` says how it stands: `open`, `waiting` (the connection comes back by itself) or `over`
// (the reader may no longer see it: only a reload of the page says why).
{
  const FIRST = 1_000; // milliseconds before it comes back
  const MOST = 60_000;
  const SILENCE = 45_000; // the server says something at least every 15 seconds
  const PARTS = 2 * 1024 * 1024; // characters of one event
  const WAITING = 1024 * 1024; // bytes that wait to be sent

  // The server's templates have escaped what is in it, as in the page itself. Nobody outside this block can use the policy.
  const policy = globalThis.trustedTypes?.createPolicy("dewar-live", { createHTML: (html) => html });
  // Scripts in it do not run: a parsed document has none that do.
  const parse = (html) => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html").body;

  const FIELDS = "input, select, textarea";
  const entry = (field) => JSON.stringify([field.value, field.checked, [...field.selectedOptions ?? []].map((option) => option.index)]);
  // Somebody who types in the element is not disturbed: the part waits while they are in a field, and while a field holds what they
  // typed. The same markup, parsed anew, has the fields as they were.
  const isTyping = (element) => {
    if (element.contains(document.activeElement) && document.activeElement.matches(FIELDS)) return true;
    const fields = [...element.querySelectorAll(FIELDS)];
    if (fields.length === 0) return false;
    const usual = parse(element.innerHTML).querySelectorAll(FIELDS);
    return fields.some((field, place) => usual[place] && entry(field) !== entry(usual[place]));
  };

  const put = (element, html) => {
    const part = parse(html);
    if (part.innerHTML.trim() === element.innerHTML.trim()) return;
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    const same = (other) => other.id ? other.id === focused.id : other.matches("a[href]") && other.href === focused.href;
    element.replaceChildren(...part.childNodes);
    if (focused) [...element.querySelectorAll("[id], a[href]")].find(same)?.focus({ preventScroll: true });
  };

  // Reads the events of a response until its end.
  const read = async (answer, heard) => {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard(null);
      text += value;
      if (text.length > PARTS) throw new Error("an event is too large");
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = { name: "message", data: [] };
        for (const line of block.split("\n")) {
          const colon = line.indexOf(":");
          const field = colon < 0 ? line : line.slice(0, colon);
          const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
          if (field === "event") event.name = value;
          if (field === "data") event.data.push(value);
          if (field === "retry") event.retry = Number(value);
        }
        heard(event);
      }
    }
  };

  const follow = (element) => {
    const address = new URL(element.dataset.live, location.href);
    if (address.origin !== location.origin) return;
    let first = FIRST; // or what the server says
    let wait = FIRST;
    let latest = null;
    let controller = null;
    let timer = 0;
    const state = (name) => { element.dataset.liveState = name; };
    const show = () => {
      if (latest === null || isTyping(element)) return;
      put(element, latest);
      latest = null;
    };
    for (const name of ["change", "focusout", "reset"]) element.addEventListener(name, () => setTimeout(show));

    const again = (after) => {
      state("waiting");
      clearTimeout(timer);
      timer = setTimeout(connect, after * (0.5 + Math.random()));
      wait = Math.min(wait * 2, MOST);
    };
    const connect = async () => {
      if (!element.isConnected) return;
      const own = controller = new AbortController();
      let silent = setTimeout(() => own.abort(), SILENCE);
      let after = null;
      const heard = (event) => {
        clearTimeout(silent);
        silent = setTimeout(() => own.abort(), SILENCE);
        if (event?.retry) first = Math.min(event.retry, MOST);
        if (event?.name !== "page") return;
        wait = first; // only now: a connection that brings no part makes the next one wait longer
        latest = event.data.join("\n");
        show();
      };
      try {
        const answer = await fetch(address, { headers: { accept: "text/event-stream" }, cache: "no-store", redirect: "error", signal: own.signal });
        const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
        if (answer.ok && isStream) {
          state("open");
          await read(answer, heard);
        } else if ([400, 401, 403, 404, 405, 410].includes(answer.status)) {
          state("over");
          return;
        } else {
          after = Number(answer.headers.get("retry-after")) * 1_000 || null;
        }
      } catch {
        // The connection broke, or the server is away: it comes back.
      } finally {
        clearTimeout(silent);
        own.abort();
      }
      if (controller === own) again(Math.max(after ?? 0, wait));
    };

    // A page in the back/forward cache holds no connection.
    addEventListener("pagehide", () => {
      clearTimeout(timer);
      const own = controller;
      controller = null;
      own?.abort();
    });
    addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
    connect();
  };

  const talk = (element) => {
    const page = new URL(element.dataset.liveSocket, location.href);
    if (page.origin !== location.origin) return;
    const address = Object.assign(new URL(page), { protocol: "wss:" });
    let wait = FIRST;
    let socket = null;
    let timer = 0;
    let silent = 0;
    const state = (name) => { element.dataset.liveState = name; };
    const tell = (name, detail) => element.dispatchEvent(new CustomEvent(name, { detail }));

    const again = () => {
      state("waiting");
      clearTimeout(timer);
      timer = setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, MOST);
    };
    // A script does not see why a handshake was refused, so it asks without one: 400 says that it may come back.
    const isOver = async () => {
      const answer = await fetch(page, { cache: "no-store", redirect: "error" }).catch(() => null);
      return [401, 403, 404, 405, 410].includes(answer?.status);
    };
    const connect = () => {
      if (!element.isConnected) return;
      // The token stands in no address, which logs and histories keep.
      const own = socket = new WebSocket(address, ["dewar", element.dataset.liveToken]);
      let wasOpen = false;
      const close = async (code, reason) => {
        if (socket !== own) return;
        socket = null;
        clearTimeout(silent);
        own.close();
        if ((code === 1008 && reason === "over") || (!wasOpen && await isOver())) state("over");
        else again();
      };
      const heard = () => {
        clearTimeout(silent);
        silent = setTimeout(() => close(0, "silent"), SILENCE);
      };
      own.addEventListener("open", () => {
        wasOpen = true;
        state("open");
        heard();
        tell("live-open");
      });
      own.addEventListener("message", ({ data }) => {
        wait = FIRST; // only now: a connection that brings nothing makes the next one wait longer
        heard();
        if (data !== "") tell("live-message", JSON.parse(data)); // the empty one is a heartbeat
      });
      own.addEventListener("close", ({ code, reason }) => close(code, reason));
      heard();
    };
    // Prevented if it was not sent: the connection is away, or too much waits.
    element.addEventListener("live-send", (event) => {
      if (socket?.readyState !== WebSocket.OPEN || socket.bufferedAmount > WAITING) event.preventDefault();
      else socket.send(JSON.stringify(event.detail));
    });

    addEventListener("pagehide", () => {
      clearTimeout(timer);
      clearTimeout(silent);
      const own = socket;
      socket = null;
      own?.close();
    });
    addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
    connect();
  };

  for (const element of document.querySelectorAll("[data-live]")) follow(element);
  for (const element of document.querySelectorAll("[data-live-socket][data-live-token]")) talk(element);
}
