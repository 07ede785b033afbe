// Asks again every five seconds for the part of a page that changes.
const part = document.querySelector("[data-live]");

async function refresh() {
  const answer = await fetch(part.dataset.live, { redirect: "error" });
  if (answer.ok) {
    part.innerHTML = await answer.text();
  }
}

setInterval(() => refresh().catch(() => {}), 5000);
