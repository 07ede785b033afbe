"use strict";
// With this script a form is sent once, however often its button is pressed. Every page works without it.

const underWay = new WeakSet();
const PATIENCE = 10_000; // milliseconds after which the form can be sent again

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

// A page from the back/forward cache has sent nothing yet.
addEventListener("pageshow", () => {
  for (const form of document.forms) underWay.delete(form);
});
