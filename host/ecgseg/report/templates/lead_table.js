// Sorts and filters the table of leads, and opens their strips.
const table = document.getElementById("leads"), body = table.tBodies[0], filters = document.getElementById("filters");
const headings = [...table.tHead.rows[0].cells];
const collator = new Intl.Collator("en", {numeric: true});
let sortedBy;

// A dash, which stands for what is not known, is no number and comes last.
const number = cell => parseFloat(cell.textContent.replace("−", "-").replace(/[^\d.-]/g, ""));
const KINDS = {
  name: cell => cell.textContent, most: cell => -number(cell), least: number, size: cell => -Math.abs(number(cell)),
};

function sortBy(heading) {
  const column = headings.indexOf(heading), key = KINDS[heading.dataset.sort];
  const turned = sortedBy?.heading === heading && !sortedBy.turned;
  sortedBy = {heading, turned};
  const rows = [...body.rows].map(row => [key(row.cells[column]), row]);
  rows.sort(([one], [other]) => {
    if (typeof one === "string") return collator.compare(one, other) * (turned ? -1 : 1);
    return Number.isNaN(one) - Number.isNaN(other) || (one - other || 0) * (turned ? -1 : 1);
  });
  body.append(...rows.map(([, row]) => row));
  const falls = ["most", "size"].includes(heading.dataset.sort) !== turned;
  for (const other of headings) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
}

function filter() {
  const value = name => filters.elements[name].value.trim();
  const record = value("record").toLowerCase(), same = (row, name) => !value(name) || row.dataset[name] === value(name);
  let listed = 0;
  for (const row of body.rows) {
    const differs = row.cells[2].textContent.startsWith("≠");
    const wanted = row.dataset.record.toLowerCase().includes(record) && same(row, "lead") && same(row, "rhythm") &&
      (differs || !filters.elements.differs.checked);
    row.hidden = !wanted;
    listed += wanted;
  }
  document.getElementById("listed").textContent = `${listed} of ${body.rows.length} leads`;
}

for (const heading of headings) {
  const text = heading.textContent;
  heading.replaceChildren(button(text, () => sortBy(heading)));
}
for (const row of rowsByStrip.values()) {
  const head = row.cells[0], opens = () => openStrip(Number(row.dataset.strip), sortedBy?.heading.dataset.point);
  head.replaceChildren(button(head.textContent, opens));
}
for (const name of ["lead", "rhythm"]) {
  const values = new Set([...body.rows].map(row => row.dataset[name]).filter(Boolean));
  filters.elements[name].append(...[...values].sort(collator.compare).map(value => new Option(value, value)));
}
for (const link of document.querySelectorAll("a[data-opens]")) {
  link.addEventListener("click", event => {
    const is = ({dataset}) => dataset.record === link.dataset.record && dataset.lead === link.dataset.opens;
    const row = drawable.find(is);
    if (!row) return;
    event.preventDefault();
    openStrip(Number(row.dataset.strip), undefined, true);
  });
}
filters.addEventListener("input", filter);
filters.addEventListener("submit", event => event.preventDefault());
filter();
document.documentElement.classList.add("is-scripted");
