"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const list = byId("case-list");
  const cards = [...list.children];
  const tagsOf = new Map(cards.map((card) => [card, readTags(card.dataset.tags)]));
  const select = byId("filter");
  const search = byId("search");
  const state = { tag: "" };

  function readTags(text) {
    const pairs = text.split(" ").filter(Boolean).map((part) => part.split("="));
    return new Map(pairs.map(([tag, value]) => [tag, value === undefined ? -Infinity : Number(value)]));
  }

  function show() {
    const words = search.value.trim().toLowerCase();
    const fits = (card) =>
      (!state.tag || tagsOf.get(card).has(state.tag)) && (!words || card.textContent.toLowerCase().includes(words));
    const kept = cards.filter(fits);
    if (state.tag) kept.sort((a, b) => tagsOf.get(a).get(state.tag) - tagsOf.get(b).get(state.tag));
    const shown = new Set(kept);
    for (const card of cards) card.hidden = !shown.has(card);
    list.append(...kept, ...cards.filter((card) => !shown.has(card)));
    const label = state.tag ? `, behind “${select.selectedOptions[0].dataset.label}”, lowest value first` : "";
    byId("status").textContent = `${kept.length} of ${cards.length} cases shown${label}${words ? `, with “${words}”` : ""}.`;
    byId("reset").hidden = !state.tag && !words;
  }

  function choose(tag, jump) {
    const known = [...select.options].some((option) => option.value === tag);
    state.tag = known ? tag : "";
    select.value = state.tag;
    show();
    if (jump) {
      byId("traces").scrollIntoView();
      byId("status").focus({ preventScroll: true });
    }
  }

  function follow() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (name.startsWith("list-")) choose(name.slice(5), true);
    const card = name && byId(name) && byId(name).closest("details.case");
    if (card) {
      if (card.hidden) { search.value = ""; choose("", false); }
      card.open = true;
      card.scrollIntoView();
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-tag]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", `#list-${link.dataset.tag}`);
    search.value = "";
    choose(link.dataset.tag, true);
  });
  select.addEventListener("change", () => {
    history.replaceState(null, "", select.value ? `#list-${select.value}` : "#traces");
    choose(select.value, false);
  });
  search.addEventListener("input", show);
  byId("reset").addEventListener("click", () => {
    history.replaceState(null, "", "#traces");
    search.value = "";
    choose("", false);
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("popstate", follow);

  const toggle = byId("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { toggle.textContent = dark() ? "Light colours" : "Dark colours"; };
  toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
  show();
  follow();
})();
