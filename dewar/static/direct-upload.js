"use strict";
// Sends the file of a form to the storage itself, and the form with a ticket in its place. If anything fails, and without this
// script, the form carries the file.

{
  // The browser computes the SHA-256 of a file up to this size: it needs all of it in memory.
  const HASHED = 64 * 1024 * 1024;
  // How long a request may make no progress, in milliseconds. Then the form carries the file.
  const PATIENCE = 30_000;
  const underWay = new WeakSet();

  addEventListener("submit", (event) => {
    const form = event.target;
    if (underWay.has(form)) {
      event.preventDefault();
      return;
    }
    const inputs = [...form.querySelectorAll("input[type=file][data-tickets]")].filter(
      (input) => !input.disabled && input.files.length > 0,
    );
    if (event.defaultPrevented || inputs.length === 0 || event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    underWay.add(form);
    send(form, inputs, event.submitter);
  });

  // A page from the back/forward cache has sent nothing yet.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const added of document.querySelectorAll("[data-direct-upload]")) added.remove();
    for (const input of document.querySelectorAll("input[type=file][data-tickets]")) input.disabled = false;
    for (const form of document.forms) underWay.delete(form);
  });

  async function send(form, inputs, submitter) {
    const token = form.querySelector("input[name=csrf_token]")?.value ?? "";
    for (const input of inputs) {
      const tickets = [];
      try {
        for (const file of input.files) tickets.push(await upload(input, file, token));
      } catch {
        continue;
      }
      for (const ticket of tickets) hide(form, input.name, ticket);
      input.disabled = true;
    }
    if (submitter?.name) hide(form, submitter.name, submitter.value);
    // A field may be called `submit`.
    HTMLFormElement.prototype.submit.call(form);
  }

  function hide(form, name, value) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    input.dataset.directUpload = "";
    form.append(input);
  }

  // The ticket of a file that has arrived.
  async function upload(input, file, token) {
    const fields = new URLSearchParams({ csrf_token: token, name: file.name, size: file.size });
    if (file.size <= HASHED) fields.set("sha256", await sha256(file));
    const headers = { accept: "application/json" };
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(input.dataset.tickets, { method: "POST", headers, body: fields, signal });
    if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
    const ticket = await answer.json();
    if (!ticket.address) throw new Error("the form carries the file");
    await put(ticket, file, progress(input));
    return ticket.ticket;
  }

  async function sha256(file) {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function progress(input) {
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", input.labels?.[0]?.textContent.trim() || input.name);
    bar.dataset.directUpload = "";
    input.after(bar);
    return bar;
  }

  // `fetch` tells nobody how much it has sent.
  function put(ticket, file, bar) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      let patience;
      const wait = () => {
        clearTimeout(patience);
        patience = setTimeout(() => request.abort(), PATIENCE);
      };
      request.open("PUT", ticket.address);
      for (const { name, value } of ticket.headers) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => {
        wait();
        if (event.lengthComputable) bar.value = event.loaded / event.total;
      };
      request.onload = () => (request.status === 200 ? done() : failed(new Error(`not taken: ${request.status}`)));
      request.onerror = () => failed(new Error("not sent"));
      request.onabort = () => failed(new Error("no progress"));
      request.onloadend = () => {
        clearTimeout(patience);
        bar.remove();
      };
      wait();
      request.send(file);
    });
  }
}
