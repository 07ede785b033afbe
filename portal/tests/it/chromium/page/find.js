// The first visible-or-not element of a CSS selector, or of `text=…`: what can be pressed and says exactly that.
(selector) => {
  if (!selector.startsWith("text=")) return document.querySelector(selector);
  const wanted = selector.slice("text=".length);
  const says = (element) => (element.innerText || element.value || "").trim().replace(/\s+/g, " ");
  return [...document.querySelectorAll("a, button, summary, label, input[type=submit]")]
    .find((element) => says(element) === wanted) ?? null;
}
