"use strict";
// Where scripts run, a form is sent once, however often its button is pressed. Every page works without.

const underWay = new WeakSet();
const PATIENCE = 10_000; // milliseconds after which an answer is no longer waited for

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (underWay.has(form)) {
    event.preventDefault();
    return;
  }
  underWay.add(form);
  setTimeout(() => underWay.delete(form), PATIENCE);
});

// A page that comes back whole when a visitor goes back has sent nothing yet.
addEventListener("pageshow", () => {
  for (const form of document.forms) underWay.delete(form);
});
