"use strict";
// Keys for what the buttons do; the page works without.
(() => {
  const form = document.getElementById("answer");
  const undo = document.getElementById("undo");
  const help = document.getElementById("help");
  const note = document.getElementById("note");
  const score = document.getElementById("score");
  const keys = document.getElementById("keys");
  const guide = document.getElementById("guide");
  let sent = false;

  // One page sends one form: a key that is held, or pressed twice, must not answer the next item as well.
  document.addEventListener("submit", (event) => {
    if (event.target.method === "dialog") return;
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });

  const press = (button) => {
    if (!button || button.disabled || sent) return;
    button.form.requestSubmit(button);
  };

  const toggleHelp = () => (help.open ? help.close() : help.showModal());

  const actions = {
    s: () => press(document.querySelector('button[name="skip"]')),
    u: () => press(undo && undo.querySelector("button")),
    n: () => { note.focus(); note.scrollIntoView({ block: "center" }); },
    "?": toggleHelp,
  };

  const typing = (target) => target.matches("input:not([type=hidden]), textarea, select");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    const key = event.key.toLowerCase();
    if (event.target === note || event.target === score) {
      if (key === "escape") event.target.blur();
      return;
    }
    if (typing(event.target)) return;
    if (help && help.open && key !== "?") return;
    const choice = [...document.querySelectorAll("[data-keys]")].find((b) => b.dataset.keys.split(" ").includes(key));
    if (choice) {
      event.preventDefault();
      press(choice);
    } else if (score && /^[0-9-]$/.test(key)) {
      score.focus();
      score.select();
    } else if (actions[key] && (form || key === "u")) {
      event.preventDefault();
      actions[key]();
    }
  });

  if (keys && help) {
    keys.hidden = false;
    keys.addEventListener("click", toggleHelp);
  }

  // The guide stays folded for who has folded it, until the tab is closed.
  if (guide) {
    try {
      guide.open = sessionStorage.getItem("guide") !== "folded";
      guide.addEventListener("toggle", () => sessionStorage.setItem("guide", guide.open ? "open" : "folded"));
    } catch { /* no storage: the guide is open on each page */ }
  }
})();
