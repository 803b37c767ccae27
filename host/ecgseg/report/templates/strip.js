// The open strip: which lead, what is seen of it, which beat is chosen; pointer and keys.
const part = name => document.getElementById(`strip-${name}`);
const panel = document.getElementById("strip"), canvas = part("drawing"), box = part("view");
const drawable = [...document.querySelectorAll("#leads [data-strip]")];
const rowsByStrip = new Map(drawable.map(row => [Number(row.dataset.strip), row]));
let lead, view, opened;

async function openStrip(index, point, difference) {
  const row = rowsByStrip.get(index);
  opened = index;
  const unpacked = await unpack(index);
  if (opened !== index) return;
  lead = unpacked;
  panel.hidden = false;
  part("name").textContent = `Record ${row.dataset.record}, lead ${row.dataset.lead}`;
  const beats = `${lead.beats.length} beats in ${clock(lead.seconds)}`;
  part("about").textContent = row.dataset.rhythm ? `${row.dataset.rhythm}; ${beats}` : beats;
  const differs = lead.differs.length || row.cells[2].textContent.startsWith("≠");
  part("badge").textContent = differs ? "device ≠ Python" : "device = Python";
  part("badge").className = `badge ${differs ? "differs" : "equal"}`;
  part("differs").hidden = !lead.differs.length;
  view = {start: 0, speed: SPEED, beat: -1, mark: null, point: worstPoint(point)};
  part("worst").hidden = !view.point;
  fillPoints();
  mark(view.point);
  if (difference && lead.differs.length) goTo(lead.differs[0][0] / 100);
  else tell();
  show();
  document.querySelectorAll("#leads [aria-current]").forEach(other => other.removeAttribute("aria-current"));
  row.setAttribute("aria-current", "true");
  panel.scrollIntoView({block: "start"});
  part("name").focus({preventScroll: true});
}

function closeStrip() {
  panel.hidden = true;
  const row = rowsByStrip.get(opened);
  opened = undefined;
  row?.querySelector("button")?.focus();
}

// The point that was asked for, or the one that is furthest off.
function worstPoint(name) {
  const found = lead.points.filter(point => point.length > 6);
  return found.find(point => point[0] === name) ?? found.sort((one, other) => Math.abs(other[6]) - Math.abs(one[6]))[0];
}

const signed = (value, digits = 0) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

function mark(point) {
  view.mark = point ? {at: point[7] / 1000, error: point[6] / 1000, text: `${point[0]} ${signed(point[6])} ms`} : null;
}

function goToWorst(point = view.point) {
  view.point = point;
  mark(point);
  goTo(view.mark.at);
  chooseNear(view.mark.at);
}

function goTo(seconds) {
  view.start = seconds - seen() / 2;
  show();
}

const seen = () => (canvas.clientWidth - LEFT - RIGHT) / view.speed;

function show() {
  const slowest = (canvas.clientWidth - LEFT - RIGHT) / lead.seconds;
  view.speed = Math.min(Math.max(view.speed, Math.min(slowest, SPEED)), 8 * SPEED);
  view.start = Math.max(0, Math.min(view.start, lead.seconds - seen()));
  const {gain, end} = drawStrip(canvas, lead, view);
  const place = part("place");
  place.hidden = seen() >= lead.seconds;
  place.max = Math.max(lead.seconds - seen(), 0);
  place.value = view.start;
  place.setAttribute("aria-valuetext", `${clock(view.start)} of ${clock(lead.seconds)}`);
  part("scale").textContent = `${(view.speed / PX_A_MM).toPrecision(3)} mm/s, ${Number(gain.toPrecision(3))} mm/mV. ` +
    "The tint behind the ECG is the device's mask; hatched is not annotated.";
  const last = clock(Math.min(end, lead.seconds));
  canvas.setAttribute("aria-label", `ECG and masks from ${clock(view.start)} to ${last}`);
}

function zoom(factor, at = view.start + seen() / 2) {
  const share = (at - view.start) / seen();
  view.speed *= factor;
  const slowest = (canvas.clientWidth - LEFT - RIGHT) / lead.seconds;
  view.speed = Math.min(Math.max(view.speed, Math.min(slowest, SPEED)), 8 * SPEED);
  view.start = at - share * seen();
  show();
}

function choose(index) {
  if (!lead.beats.length) return;
  view.beat = Math.max(0, Math.min(index, lead.beats.length - 1));
  const at = lead.beats[view.beat][0] / 1000;
  if (at < view.start || at > view.start + seen()) goTo(at);
  tell();
  show();
}

function chooseNear(seconds) {
  const away = index => Math.abs(lead.beats[index][0] / 1000 - seconds);
  let best = 0;
  for (let index = 1; index < lead.beats.length; index++) if (away(index) < away(best)) best = index;
  choose(best);
}

function tell() {
  if (view.beat < 0) {
    const how = "Choose a beat with the arrow keys, or point at it.";
    part("told").textContent = lead.beats.length ? how : "No beat was found.";
    return;
  }
  const [r, ...told] = lead.beats[view.beat];
  const words = ["PR", "QRS", "QT"].map((name, n) => interval(name, told[n], told[n + 3])).filter(Boolean).join(", ");
  part("told").textContent = `Beat ${view.beat + 1} of ${lead.beats.length} at ${(r / 1000).toFixed(2)} s: ${words}`;
}

function interval(name, device, annotated) {
  if (device === null && annotated === null) return "";
  const found = device === null ? "not found" : `${Math.round(device)} ms`;
  if (annotated === null) return `${name} ${found}`;
  const error = device === null ? "" : `, ${signed(device - annotated)}`;
  return `${name} ${found} (annotated ${Math.round(annotated)}${error})`;
}

function fillPoints() {
  part("points").closest(".scroll").hidden = !lead.points.length;
  part("points").tBodies[0].replaceChildren(...lead.points.map(point => {
    const [name, found, all, invented, mean, deviation, worst] = point;
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    const error = found ? `${signed(mean, 1)} ± ${deviation.toFixed(1)}` : "–";
    const cells = [`${found} of ${all}`, invented, error];
    for (const text of cells) row.insertCell().textContent = text;
    const last = row.insertCell();
    if (worst === undefined) last.textContent = "–";
    else last.append(button(`${signed(worst)}, show`, () => goToWorst(point)));
    for (const cell of row.querySelectorAll("td")) cell.className = "number";
    return row;
  }));
}

function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", action);
  return made;
}

function neighbour(step) {
  const listed = [...document.querySelectorAll("#leads tbody [data-strip]:not([hidden])")];
  const at = listed.indexOf(rowsByStrip.get(opened));
  const row = listed[(at + step + listed.length) % listed.length];
  if (row) openStrip(Number(row.dataset.strip), view.point?.[0]);
}

function nextDifference() {
  if (!lead.differs.length) return;
  const middle = view.start + seen() / 2 + 0.001;
  goTo((lead.differs.find(([first]) => first / 100 > middle) ?? lead.differs[0])[0] / 100);
}

const ACTIONS = {
  previous: () => neighbour(-1), next: () => neighbour(1), in: () => zoom(2), out: () => zoom(0.5),
  all: () => { view.speed = 0; show(); }, worst: () => goToWorst(), differs: nextDifference, close: closeStrip,
};
for (const [name, action] of Object.entries(ACTIONS)) part(name).addEventListener("click", action);
part("place").addEventListener("input", event => { view.start = Number(event.target.value); show(); });

const KEYS = {
  ArrowLeft: () => choose(view.beat - 1), ArrowRight: () => choose(view.beat + 1),
  PageUp: () => { view.start -= 0.9 * seen(); show(); }, PageDown: () => { view.start += 0.9 * seen(); show(); },
  Home: () => { view.start = 0; show(); }, End: () => { view.start = lead.seconds; show(); },
  "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), "0": ACTIONS.all,
  w: () => view.point && goToWorst(), d: nextDifference, n: ACTIONS.next, p: ACTIONS.previous, Escape: closeStrip,
};
panel.addEventListener("keydown", event => {
  if (event.target.type === "range" && event.key !== "Escape") return;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});

let held;
box.addEventListener("pointerdown", event => {
  held = {x: event.clientX, start: view.start, moved: false};
  box.setPointerCapture(event.pointerId);
});
box.addEventListener("pointermove", event => {
  if (!held) return;
  held.moved ||= Math.abs(event.clientX - held.x) > 3;
  view.start = held.start - (event.clientX - held.x) / view.speed;
  show();
});
box.addEventListener("pointerup", event => {
  const pointed = view.start + (event.clientX - canvas.getBoundingClientRect().left - LEFT) / view.speed;
  if (held && !held.moved) chooseNear(pointed);
  held = undefined;
});
box.addEventListener("pointercancel", () => { held = undefined; });
box.addEventListener("wheel", event => {
  if (!event.ctrlKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
  event.preventDefault();
  if (event.ctrlKey) zoom(2 ** (-event.deltaY / 200));
  else { view.start += event.deltaX / view.speed; show(); }
}, {passive: false});

const again = () => { if (!panel.hidden) show(); };
new ResizeObserver(again).observe(box);
for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", again);
