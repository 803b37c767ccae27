// What scrolls inside of its place, a wide table or long lines of code, scrolls with the keyboard too: Material lets
// code be reached only where there is a pointer that hovers, tables never. It makes and changes them after the page is
// there.
const reach = () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code"))
    if (box.scrollWidth > box.clientWidth && !box.hasAttribute("tabindex")) box.tabIndex = 0;
};
new MutationObserver(reach).observe(document.body, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["tabindex"],
});
addEventListener("resize", reach);
addEventListener("load", reach);
