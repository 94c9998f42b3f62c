// Everything works without this file; it adds keys, the images of the next question, and the time an answer took.
"use strict";
const form = document.querySelector("form[data-question]");

// A page that "back" took from the browser's memory may be answered already: ask the server what is due.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

for (const link of document.querySelectorAll("input.link")) link.addEventListener("focus", () => link.select());

// A double click sends once. The server keeps one answer all the same.
for (const each of document.forms) {
  each.addEventListener("submit", (event) => {
    if (each.dataset.sent) { event.preventDefault(); return; }
    each.dataset.sent = "yes";
    const button = each.querySelector("button");
    if (button) button.disabled = true;
  });
}

if (form) {
  let start = performance.now();
  window.addEventListener("load", () => {
    start = performance.now();
    for (const link of form.dataset.preload.split(" ").filter(Boolean)) new Image().src = link;
  });
  form.addEventListener("submit", () => {
    form.elements.response_ms.value = Math.min(99999999, Math.round(performance.now() - start));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const radio = [...form.querySelectorAll("input[data-keys]")].find((one) => one.dataset.keys.split(" ").includes(event.key));
    if (radio) {
      event.preventDefault();
      radio.checked = true;
      radio.focus({ preventScroll: true, focusVisible: true });
    } else if (event.key === "Enter" && event.target.tagName !== "SUMMARY") {
      event.preventDefault();
      if (!form.dataset.sent) form.requestSubmit();
    }
  });
}
