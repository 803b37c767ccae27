// A lead as ecgseg.report.embedded writes it: unpacked when it is opened, so that a page with hundreds opens at once.
const LEAD_OFF = -32768;
let strips;

async function unpack(index) {
  strips ??= JSON.parse(document.getElementById("strips").textContent);
  const packed = Uint8Array.from(atob(strips[index]), character => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = await new Response(stream).arrayBuffer();
  const size = new DataView(data).getUint32(0, true);
  const lead = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size)));
  lead.signal = signalOf(new Uint8Array(data, 4 + size), lead.samples);
  lead.seconds = lead.length / 100;
  lead.rows = lead.rows.map(([name, lengths]) => ({name, spans: spansOf(lengths)}));
  lead.device = lead.rows.at(-1).spans.filter(span => span.label > 0);
  [lead.low, lead.high] = rangeOf(lead.signal);
  return lead;
}

function signalOf(planes, count) {
  const signal = new Int16Array(count);
  for (let i = 0, value = 0; i < count; i++) {
    const counted = planes[i] | planes[count + i] << 8;
    value += (counted >>> 1) ^ -(counted & 1);
    signal[i] = value;  // Modulo 2^16, as it was written.
    value = signal[i];
  }
  return signal;
}

// Runs of a class in seconds; a wave reaches from half a sample before its first to half a sample behind its last one.
function spansOf(lengths) {
  const spans = [];
  for (let i = 0, first = 0; i < lengths.length; first += lengths[i + 1], i += 2) {
    const begin = Math.max(first - 0.5, 0) / 100, end = (first + lengths[i + 1] - 0.5) / 100;
    if (lengths[i]) spans.push({label: lengths[i], begin, end});
  }
  return spans;
}

// Microvolts between which all but single spikes lie.
function rangeOf(signal) {
  const step = Math.max(1, Math.floor(signal.length / 20000));
  const known = signal.filter((value, i) => i % step === 0 && value !== LEAD_OFF).sort();
  if (!known.length) return [-500, 500];
  const at = share => known[Math.min(known.length - 1, Math.floor(share * known.length))];
  return [at(0.0005), at(0.9995)];
}
