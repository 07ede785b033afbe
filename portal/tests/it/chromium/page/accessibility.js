// What can be told by machine about WCAG 2.2 AA and is not in the browser's accessibility tree.
() => {
  const barriers = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const show = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);

  if (!document.documentElement.lang) barriers.push("the page does not say its language (3.1.1)");
  if (all("main").length !== 1) barriers.push(`the page has ${all("main").length} <main> (1.3.1)`);
  if (all("h1").length !== 1) barriers.push(`the page has ${all("h1").length} <h1> (1.3.1)`);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    barriers.push(`the page is wider than its window: ${document.documentElement.scrollWidth} px (1.4.10)`);

  let before = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) barriers.push(`a level is skipped before ${show(heading)} (1.3.1)`);
    before = level;
  }
  const ids = new Set();
  for (const element of all("[id]")) {
    if (ids.has(element.id)) barriers.push(`two elements are #${element.id} (4.1.2)`);
    ids.add(element.id);
  }
  for (const field of all("input:not([type=hidden], [type=submit], [type=button], [hidden]), select, textarea"))
    if (!field.labels?.length && !field.ariaLabel && !field.getAttribute("aria-labelledby"))
      barriers.push(`no label: ${show(field)} (3.3.2)`);
  for (const picture of all("img:not([alt])")) barriers.push(`no alt: ${show(picture)} (1.1.1)`);

  // Contrast (1.4.3). Every colour notation becomes numbers by being painted.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([red, green, blue]) => {
    const linear = (part) => ((part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  const blank = document.createElement("i");
  blank.style.backgroundColor = "Canvas";
  document.body.append(blank);
  const canvasColour = getComputedStyle(blank).backgroundColor;
  blank.remove();
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element)) continue;
    seen.add(element);
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(":disabled")) continue;
    const layers = [];
    let picture = false;
    for (let above = element; above; above = above.parentElement) {
      layers.unshift(getComputedStyle(above).backgroundColor);
      picture ||= getComputedStyle(above).backgroundImage !== "none";
    }
    if (picture) continue; // what is behind cannot be told
    const style = getComputedStyle(element);
    const ground = [canvasColour, ...layers];
    const [light, dark] = [luminance(paint(...ground)), luminance(paint(...ground, style.color))]
      .sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5))
      barriers.push(`contrast ${ratio.toFixed(2)}: ${show(element)} (1.4.3)`);
  }
  return barriers;
}
