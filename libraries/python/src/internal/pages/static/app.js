// Small behaviour on top of pages that work without it: sorting, filtering, dialogs, the colour scheme, and parts of
// the page that are fetched again.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// colour scheme: system, light, dark
const order = ["system", "light", "dark"];
const button = $("#theme");
const name = () => document.documentElement.dataset.theme || "system";
const say = () => button?.setAttribute("aria-label", `Colour scheme: ${name() === "system" ? "as the system" : name()}`);
button?.addEventListener("click", () => {
  const next = order[(order.indexOf(name()) + 1) % 3];
  if (next === "system") { delete document.documentElement.dataset.theme; localStorage.removeItem("theme"); }
  else { document.documentElement.dataset.theme = next; localStorage.setItem("theme", next); }
  say(); document.dispatchEvent(new Event("scheme"));
});
say();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("scheme")));

// the current page's link in sight
$(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// sorting: a click on a heading sorts the rows inside each body
const value = (row, index) => {
  const cell = row.cells[index], text = cell?.dataset.sort ?? cell?.textContent.trim().replace("−", "-").replace(/[$,\s%]/g, "") ?? "";
  return /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(text) ? parseFloat(text) : text;
};
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
function sort(table, head) {
  const direction = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
  $$("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", direction);
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
    rows.sort((a, b) => compare(value(a, head.cellIndex), value(b, head.cellIndex)) * (direction === "ascending" ? 1 : -1));
    body.append(...rows);
  }
}
const makeSortable = (root) => $$("table.sortable", root).forEach((table) => $$("thead tr:first-child th", table).forEach((head) => {
  if (!head.textContent.trim() || $("button, a", head)) return;
  const press = document.createElement("button");
  press.type = "button"; press.append(...head.childNodes); head.append(press);
  press.addEventListener("click", () => sort(table, head));
}));

// filtering: words in the search field, and one status
function filter(table) {
  const words = ($(`[data-filters="${table.id}"]`)?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const status = $(`[data-chips="${table.id}"] [aria-pressed="true"]`)?.dataset.status ?? "";
  let shown = 0;
  for (const row of $$("tbody tr[data-text]", table)) {
    const text = row.dataset.text.toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (!status || row.dataset.status === status);
    row.hidden = !fits; shown += fits;
  }
  const empty = $(".empty", table.parentElement);
  if (empty) empty.hidden = shown > 0;
}
document.addEventListener("input", (event) => {
  const table = document.getElementById(event.target.dataset?.filters ?? "");
  if (table) filter(table);
});
document.addEventListener("submit", (event) => { if ($("[data-filters]", event.target)) event.preventDefault(); });
document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-chips] button");
  if (!pressed) return;
  const group = pressed.closest("[data-chips]");
  $$("button", group).forEach((one) => one.setAttribute("aria-pressed", String(one === pressed)));
  filter(document.getElementById(group.dataset.chips));
});

// dialogs: what opens one is a link or a button; without the dialog a link is followed
const open = (id) => { const dialog = document.getElementById(id); dialog?.showModal(); if (dialog && id === "jump") { $("#jump-input").value = ""; jump(); } return dialog; };
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && !(event.ctrlKey || event.metaKey || event.shiftKey) && open(opener.dataset.opens)) event.preventDefault();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  if (event.target.matches?.("dialog")) event.target.close();
});

// forms that a typed word confirms: each choice names its word and its consequence; the server checks the word too
for (const form of $$("form[data-confirm]")) {
  if (!$("input[type=radio]", form)) continue; // who may change nothing is offered a sign-in instead
  const weigh = () => {
    const chosen = $("input[type=radio]:checked", form), same = !chosen || "present" in chosen.dataset;
    $(".confirm", form).hidden = same;
    $("[data-word-shown]", form).textContent = chosen?.dataset.word ?? "";
    $(".consequence", form).textContent = chosen?.dataset.consequence ?? "";
    $("[data-submit]", form).disabled = same || $("input[name=word]", form).value.trim() !== chosen.dataset.word;
  };
  form.addEventListener("input", weigh); weigh();
}

// jump: Control K, then a page, or anything else to search the forecasts for
const places = JSON.parse($("#places")?.textContent ?? "[]");
let chosen = 0, found = [];
function jump() {
  const typed = $("#jump-input").value.trim(), text = typed.toLowerCase();
  found = places.filter((place) => `${place.name} ${place.about}`.toLowerCase().includes(text));
  if (typed) found.push({ name: typed.toUpperCase(), about: "among the forecasts", kind: "Ticker", href: `/forecasts?q=${encodeURIComponent(typed)}` });
  chosen = 0;
  $("#jump-list").replaceChildren(...found.map((place, number) => {
    const item = document.createElement("li"); item.setAttribute("role", "option"); item.id = `place-${number}`;
    for (const [tag, words] of [["b", place.name], ["span", place.about], ["i", place.kind]]) { const part = document.createElement(tag); part.textContent = words; item.append(part); }
    item.addEventListener("click", () => go(place)); return item;
  }));
  mark();
}
const mark = () => $$("#jump-list li").forEach((item, number) => { item.setAttribute("aria-selected", String(number === chosen)); if (number === chosen) { item.scrollIntoView({ block: "nearest" }); $("#jump-input").setAttribute("aria-activedescendant", item.id); } });
const go = (place) => { if (place) location.href = place.href; };
$("#jump-input")?.addEventListener("input", jump);
$("#jump-input")?.addEventListener("keydown", (event) => {
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) { chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length; mark(); event.preventDefault(); }
  if (event.key === "Enter") { go(found[chosen]); event.preventDefault(); }
});
document.addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && open("jump")) event.preventDefault(); });

// parts of the page that htmx fetches again: none while nobody sees the page
makeSortable(document);
document.addEventListener("htmx:beforeRequest", (event) => { if (document.hidden && event.detail.elt.hasAttribute("data-refresh")) event.preventDefault(); });
for (const failure of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(failure, (event) => {
  const said = $("[data-failed]", event.detail.elt);
  if (said) { said.hidden = false; $("[data-waiting]", event.detail.elt).hidden = true; }
  else if (event.detail.elt.href) location.assign(event.detail.elt.href); // a link whose answer was to be shown here
});
document.addEventListener("htmx:load", (event) => makeSortable(event.detail.elt.parentElement ?? document));
