// Everything works without this file; it adds keys, the images of the next question, and the time an answer took.
// It is loaded before the page is shown: a key that is pressed at once counts.
"use strict";
const question = () => document.querySelector("form[data-question]");
let start = performance.now();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const form = question();
  if (form) answerByKey(form, event);
  else if (event.key === "Enter" && event.target === document.body) document.querySelector("[autofocus]")?.click();
});

function answerByKey(form, event) {
  const radio = [...form.querySelectorAll("input[data-keys]")].find((one) => one.dataset.keys.split(" ").includes(event.key));
  if (radio) {
    event.preventDefault();
    radio.checked = true;
    radio.focus({ preventScroll: true, focusVisible: true });
  } else if (event.key === "Enter" && event.target.tagName !== "SUMMARY") {
    event.preventDefault();
    if (!form.dataset.sent) form.requestSubmit();
  }
}

// A double click sends once. The server keeps one answer all the same.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  const button = form.querySelector("button");
  if (button) button.disabled = true;
  if (form === question()) form.elements.response_ms.value = Math.min(99999999, Math.round(performance.now() - start));
});

document.addEventListener("focusin", (event) => { if (event.target.matches("input.link")) event.target.select(); });

// A page that "back" took from the browser's memory may be answered already: ask the server what is due.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

window.addEventListener("load", () => {
  start = performance.now();
  for (const link of question()?.dataset.preload.split(" ").filter(Boolean) ?? []) new Image().src = link;
});
