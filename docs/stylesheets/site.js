// what the theme leaves out for keyboards and screen readers
const name = (parts, nameOf) => parts.forEach((part, place) => {
  part.removeAttribute("aria-labelledby");
  part.ariaLabel = nameOf(part, place + 1);
});
const reachWideTables = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap"))
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0; // a wide table is scrolled with the keyboard too
};
addEventListener("resize", reachWideTables);
document$.subscribe(() => {
  reachWideTables();
  for (const input of document.querySelectorAll("input[aria-hidden]")) input.tabIndex = -1; // the scheme follows the system
  name(document.querySelectorAll("nav.md-nav--primary nav.md-nav:not(.md-nav--secondary)"), (part) => `${part.querySelector(".md-nav__title")?.textContent.trim()}: pages`);
  name(document.querySelectorAll("nav.md-code__nav"), (_part, number) => `Block of code ${number}`);
});
