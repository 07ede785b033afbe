"use strict";
{
  const chat = document.getElementById("chat");
  const [by, text] = chat.querySelectorAll("input");
  chat.addEventListener("live-message", ({ detail }) => {
    const line = document.createElement("li");
    line.textContent = `${detail.by}: ${detail.text}`;
    chat.querySelector("ul").append(line);
  });
  chat.querySelector("button").addEventListener("click", () => {
    const detail = { by: by.value, text: text.value };
    const wasSent = chat.dispatchEvent(new CustomEvent("live-send", { detail, cancelable: true }));
    if (wasSent) text.value = "";
  });
}
