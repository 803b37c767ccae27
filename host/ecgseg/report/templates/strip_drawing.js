// Draws what is seen of a lead: ECG on its paper, below it the masks, then the intervals of each beat.
const PX_A_MM = 96 / 25.4, SPEED = 25 * PX_A_MM, LEFT = 92, RIGHT = 8, TOP = 18;
const ROW = 20, GAP = 7, AXIS = 22, LINE = 13;
const WAVES = {2: ["", "qrs"], 4: ["", "pwave", "qrs", "twave"]};
const LETTERS = {pwave: "P", qrs: "QRS", twave: "T"};

function drawStrip(canvas, lead, view) {
  const width = canvas.clientWidth, trace = width < 600 ? 200 : 260;
  const below = TOP + trace + 8, beats = below + lead.rows.length * (ROW + GAP) + 4;
  const bottom = beats + (lead.beats.length ? 3 * LINE + 6 : 0), height = bottom + AXIS;
  const dense = window.devicePixelRatio || 1;
  canvas.style.setProperty("--least", `${height}px`);
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
  const paint = {
    pen, lead, view, width, trace, below, beats, bottom,
    colour: name => style.getPropertyValue(`--${name}`).trim(),
    font: (size, weight = 400) => { pen.font = `${weight} ${size}px ${style.fontFamily}`; },
    x: seconds => LEFT + (seconds - view.start) * view.speed,
    end: view.start + (width - LEFT - RIGHT) / view.speed,
    ...scaleOf(lead, trace),
  };
  pen.scale(dense, dense);
  pen.fillStyle = paint.colour("card");
  pen.fillRect(0, 0, width, height);
  drawPaper(paint);
  clipped(paint, () => {
    drawBands(paint);
    drawTrace(paint);
    drawRows(paint);
    drawBeats(paint);
    drawMark(paint);
  });
  drawLabels(paint);
  return {gain: paint.gain, end: paint.end};
}

function clipped({pen, width}, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT - RIGHT, 9999);
  pen.clip();
  draw();
  pen.restore();
}

// Millimetres a millivolt, as on paper: the most that fit.
function scaleOf(lead, trace) {
  const range = Math.max(lead.high - lead.low, 100) / 1000;
  const most = trace * 0.94 / range / PX_A_MM;
  const gain = [40, 20, 10, 5, 2.5, 1, 0.5].find(mm => mm <= most) ?? most;
  const middle = (lead.low + lead.high) / 2, px = gain * PX_A_MM / 1000;
  const centre = TOP + trace / 2;
  return {gain, middle, px, y: microvolts => Math.min(Math.max(centre - (microvolts - middle) * px, TOP), TOP + trace)};
}

function drawPaper(paint) {
  const {pen, lead, trace, width, view, x, end, y, px} = paint;
  const steps = [0.04, 0.2, 1, 5, 30, 150, 600].filter(step => step * view.speed >= 3.5);
  const levels = [100, 500, 1000, 5000].filter(step => step * px >= 3.5);
  // On whole pixels, so that all lines are alike; no paper behind the end.
  const upright = at => { pen.moveTo(Math.round(at) + 0.5, TOP); pen.lineTo(Math.round(at) + 0.5, TOP + trace); };
  const right = Math.min(width - RIGHT, x(lead.seconds));
  const flat = at => { pen.moveTo(LEFT, Math.round(at) + 0.5); pen.lineTo(right, Math.round(at) + 0.5); };
  for (const [which, name] of [[0, "grid"], [1, "grid-major"]]) {
    pen.beginPath();
    const step = steps[which] ?? steps.at(-1), level = levels[which] ?? levels.at(-1);
    for (let n = Math.ceil(view.start / step); n * step <= Math.min(end, lead.seconds); n++) upright(x(n * step));
    for (const microvolts of levelsOf(paint, level)) flat(y(microvolts));
    pen.strokeStyle = paint.colour(name);
    pen.lineWidth = 1;
    pen.stroke();
  }
}

// Multiples of so many microvolts that are seen.
function levelsOf({trace, middle, px}, level) {
  const first = Math.ceil((middle - trace / 2 / px) / level), last = Math.floor((middle + trace / 2 / px) / level);
  return Array.from({length: Math.max(last - first + 1, 0)}, (_, n) => (first + n) * level);
}

function drawBands(paint) {
  const {pen, lead, view, x, end, trace} = paint;
  pen.globalAlpha = 0.13;
  for (const span of lead.device.filter(span => span.end > view.start && span.begin < end)) {
    pen.fillStyle = paint.colour(WAVES[lead.classes]?.[span.label] ?? "hatch");
    pen.fillRect(x(span.begin), TOP, (span.end - span.begin) * view.speed, trace);
  }
  pen.globalAlpha = 1;
}

function drawTrace(paint) {
  const {pen, lead, view, x, y, end} = paint, {signal, rate} = lead;
  const first = Math.max(0, Math.floor(view.start * rate) - 1);
  const last = Math.min(signal.length - 1, Math.ceil(end * rate) + 1);
  const each = Math.max(1, Math.floor(rate / view.speed / 2));
  pen.beginPath();
  let down = false;
  const put = i => {
    if (down) pen.lineTo(x(i / rate), y(signal[i]));
    else pen.moveTo(x(i / rate), y(signal[i]));
    down = true;
  };
  for (let i = first; i <= last; i += each) {
    let low = -1, high = -1;
    for (let j = i; j < i + each && j <= last; j++) {
      if (signal[j] === LEAD_OFF) { down = false; continue; }
      if (low < 0 || signal[j] < signal[low]) low = j;
      if (high < 0 || signal[j] > signal[high]) high = j;
    }
    if (low >= 0) {
      put(Math.min(low, high));
      if (low !== high) put(Math.max(low, high));
    }
  }
  pen.strokeStyle = paint.colour("ink");
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.stroke();
}

function drawRows(paint) {
  const {pen, lead, view, x, end, below} = paint;
  lead.rows.forEach((row, index) => {
    const top = below + index * (ROW + GAP);
    pen.fillStyle = paint.colour("track");
    pen.fillRect(x(0), top, lead.seconds * view.speed, ROW);
    for (const span of row.spans.filter(span => span.end > view.start && span.begin < end)) drawSpan(paint, span, top);
  });
  const top = below + (lead.rows.length - 1) * (ROW + GAP);
  pen.strokeStyle = paint.colour("bad");
  pen.lineWidth = 2;
  for (const [first, last] of lead.differs) {
    const left = x((first - 0.5) / 100) - 1, wide = (last - first + 1) / 100 * view.speed + 2;
    if (left + wide > LEFT && first / 100 <= end) pen.strokeRect(left, top - 2, Math.max(wide, 4), ROW + 4);
  }
}

function drawSpan(paint, span, top) {
  const {pen, lead, view, x} = paint, left = x(span.begin), wide = (span.end - span.begin) * view.speed;
  const name = WAVES[lead.classes]?.[span.label];
  if (!name) {
    hatch(paint, left, top, wide);
    return;
  }
  pen.fillStyle = paint.colour(name);
  pen.fillRect(left, top, Math.max(wide, 1), ROW);
  paint.font(10, 700);
  const letter = LETTERS[name];
  if (wide < pen.measureText(letter).width + 3) return;
  pen.fillStyle = paint.colour("on-wave");
  pen.textAlign = "center";
  pen.fillText(letter, left + wide / 2, top + 14);
}

// What nobody annotated.
function hatch(paint, left, top, wide) {
  const {pen, width} = paint, from = Math.max(left, LEFT), to = Math.min(left + wide, width);
  pen.save();
  pen.beginPath();
  pen.rect(from, top, to - from, ROW);
  pen.clip();
  pen.beginPath();
  for (let at = Math.floor(from / 7) * 7 - ROW; at < to; at += 7) {
    pen.moveTo(at, top + ROW);
    pen.lineTo(at + ROW, top);
  }
  pen.strokeStyle = paint.colour("hatch");
  pen.lineWidth = 3;
  pen.stroke();
  pen.restore();
}

function drawBeats(paint) {
  const {pen, lead, view, x, end, beats} = paint;
  pen.textAlign = "center";
  lead.beats.forEach(([r, ...told], index) => {
    const at = r / 1000;
    if (at < view.start - 0.5 || at > end + 0.5) return;
    const chosen = index === view.beat;
    pen.fillStyle = paint.colour(chosen ? "accent" : "qrs");
    pen.beginPath();
    pen.moveTo(x(at) - 5, 4);
    pen.lineTo(x(at) + 5, 4);
    pen.lineTo(x(at), TOP - 2);
    pen.fill();
    const next = index + 1 < lead.beats.length ? lead.beats[index + 1][0] / 1000 : at + 1;
    if ((next - at) * view.speed < 52) return;
    paint.font(11, chosen ? 700 : 400);
    pen.fillStyle = paint.colour(chosen ? "ink" : "soft");
    ["PR", "QRS", "QT"].forEach((name, n) => {
      if (told[n] !== null) pen.fillText(`${name} ${Math.round(told[n])}`, x(at), beats + (n + 1) * LINE - 2);
    });
  });
}

// The largest error of a point: where it is annotated, and where the device has it.
function drawMark(paint) {
  const {pen, view, x, below, lead} = paint;
  if (!view.mark) return;
  const bottom = below + lead.rows.length * (ROW + GAP);
  const annotated = x(view.mark.at), device = x(view.mark.at + view.mark.error);
  pen.fillStyle = paint.colour("bad");
  pen.globalAlpha = 0.18;
  pen.fillRect(Math.min(annotated, device), TOP, Math.abs(device - annotated), bottom - TOP);
  pen.globalAlpha = 1;
  pen.strokeStyle = paint.colour("bad");
  pen.lineWidth = 1.5;
  for (const [at, dash] of [[annotated, []], [device, [5, 3]]]) {
    pen.beginPath();
    pen.setLineDash(dash);
    pen.moveTo(at, TOP);
    pen.lineTo(at, bottom);
    pen.stroke();
  }
  pen.setLineDash([]);
  paint.font(12, 700);
  // Where there is room: beside the device's line, or on the other side of both.
  const wide = pen.measureText(view.mark.text).width + 5, before = Math.min(annotated, device);
  const isLeft = before - wide > LEFT && (device < annotated || device + wide > paint.width - RIGHT);
  pen.textAlign = isLeft ? "right" : "left";
  pen.fillStyle = paint.colour("bad");
  pen.fillText(view.mark.text, isLeft ? before - 5 : Math.max(annotated, device) + 5, TOP + 13);
}

function drawLabels(paint) {
  const {pen, lead, view, width, trace, below, bottom, x, end, y, px} = paint;
  paint.font(13, 600);
  pen.fillStyle = paint.colour("ink");
  pen.textAlign = "right";
  lead.rows.forEach((row, index) => pen.fillText(row.name, LEFT - 8, below + index * (ROW + GAP) + 15));
  paint.font(12);
  pen.fillStyle = paint.colour("soft");
  if (lead.beats.length) pen.fillText("Beats, ms", LEFT - 8, paint.beats + 2 * LINE - 2);
  const level = [500, 1000, 5000].find(step => step * px >= 24) ?? 10000;
  for (const microvolts of levelsOf(paint, level)) {
    const at = y(microvolts);
    if (at > TOP + 8 && at < TOP + trace - 2) pen.fillText(`${(microvolts / 1000).toFixed(1)} mV`, LEFT - 8, at + 4);
  }
  const step = [0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600].find(step => step * view.speed >= 60) ?? 1800;
  pen.textAlign = "center";
  for (let n = Math.ceil(view.start / step); n * step <= Math.min(end, lead.seconds); n++) {
    if (x(n * step) < width - 18) pen.fillText(clock(n * step), x(n * step), bottom + 16);
  }
}

function clock(seconds) {
  const digits = Number.isInteger(Math.round(seconds * 1000) / 1000) ? 0 : 1;
  if (seconds < 60) return `${seconds.toFixed(digits)} s`;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(digits).padStart(digits ? 4 : 2, "0")}`;
}
