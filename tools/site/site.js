// What scrolls inside of its place (wide tables and drawings, long lines of code) scrolls with the keyboard too.
// Material lets code be reached only where there is a pointer that hovers, the others never, and it makes and changes
// them after the page is there.
const BOXES = ".md-typeset__scrollwrap, .md-typeset pre > code, .md-typeset p:has(> img[src$='.svg'])";
const reach = () => {
  for (const box of document.querySelectorAll(BOXES))
    if (box.scrollWidth > box.clientWidth && !box.hasAttribute("tabindex")) box.tabIndex = 0;
};
new MutationObserver(reach).observe(document.body, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["tabindex"],
});
addEventListener("resize", reach);
addEventListener("load", reach);
