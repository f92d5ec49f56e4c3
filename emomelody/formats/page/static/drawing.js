// SVG: Russell's plane and the piano roll.

function element(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const QUADRANTS = { happy: [1, 1], angry: [-1, 1], sad: [-1, -1], relaxed: [1, -1] };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The quadrant of a point.
const quadrant = ([valence, arousal]) =>
  valence < 0 ? (arousal < 0 ? "sad" : "angry") : arousal < 0 ? "relaxed" : "happy";

// The plane of valence (right) and arousal (up), −1 to 1, with a point for each melody.
class Plane {
  constructor(svg, melodies, { right = "valence →", up = "arousal →", names = true } = {}) {
    this.svg = svg;
    svg.setAttribute("viewBox", "-1.16 -1.16 2.32 2.32");
    for (const [name, [x, y]] of Object.entries(QUADRANTS)) {
      svg.append(
        element("rect", { x: Math.min(x, 0), y: Math.min(-y, 0), width: 1, height: 1, class: `field ${name}` }),
        element("text", { x: 0.5 * x, y: -0.92 * y + 0.02, class: "quadrant" }, names ? name : ""),
      );
    }
    svg.append(
      element("path", { d: "M-1 0H1M0 -1V1", class: "axis" }),
      element("text", { x: 0, y: 1.11, class: "label" }, right),
      element("text", { x: 0, y: -1.06, class: "label", transform: "rotate(-90)" }, up),
    );
    this.path = element("polyline", { class: "path" });
    const size = clamp(0.32 / Math.sqrt(melodies.length), 0.02, 0.05);
    this.points = melodies.map((melody) => {
      const [cx, cy] = [melody.point[0], -melody.point[1]];
      return element("circle", { cx, cy, r: size, class: `point ${melody.emotion}` });
    });
    this.marker = element("circle", { r: size * 1.5, class: "marker", visibility: "hidden" });
    svg.append(this.path, ...this.points, this.marker);
  }

  choose(index, melody) {
    this.points.forEach((point, i) => point.classList.toggle("chosen", i === index));
    this.svg.insertBefore(this.points[index], this.marker); // above the others
    this.path.setAttribute("points", (melody.path ?? []).map(([x, y]) => `${x},${-y}`).join(" "));
    this.mark(melody, null);
  }

  // Show where on its path a melody is at a step.
  mark(melody, step) {
    const shown = step !== null && melody.path;
    this.marker.setAttribute("visibility", shown ? "visible" : "hidden");
    if (!shown) return;
    const bar = step / melody.bar;
    const [first, second] = [Math.floor(bar), Math.floor(bar) + 1].map(
      (n) => melody.path[clamp(n, 0, melody.path.length - 1)],
    );
    const share = bar - Math.floor(bar);
    this.marker.setAttribute("cx", first[0] + share * (second[0] - first[0]));
    this.marker.setAttribute("cy", -(first[1] + share * (second[1] - first[1])));
  }

  // The point of the plane under a pointer.
  at(event) {
    const box = this.svg.createSVGPoint();
    [box.x, box.y] = [event.clientX, event.clientY];
    const { x, y } = box.matrixTransform(this.svg.getScreenCTM().inverse());
    return [clamp(x, -1, 1), clamp(-y, -1, 1)];
  }
}

// The notes of a melody: steps to the right, pitch up, louder notes darker, and a line where it is. Those of its
// chords are pale.
class PianoRoll {
  constructor(svg) {
    this.svg = svg;
  }

  draw(melody, semitones) {
    const chords = melody.accompaniment ?? [];
    const pitches = [...melody.notes, ...chords].map((note) => note[2]);
    const [low, high] = [Math.min(...pitches) - 2, Math.max(...pitches) + 3];
    this.height = high - low;
    this.svg.setAttribute("viewBox", `0 0 ${melody.steps} ${this.height}`);
    const rows = [];
    for (let pitch = low; pitch < high; pitch++) {
      const black = [1, 3, 6, 8, 10].includes((pitch + semitones + 12) % 12);
      if (black) rows.push(element("rect", { x: 0, y: high - 1 - pitch, width: melody.steps, height: 1, class: "row" }));
    }
    const bars = Array.from({ length: melody.steps / melody.bar + 1 }, (_, n) => `M${n * melody.bar} 0V${this.height}`);
    const beats = Array.from({ length: melody.steps / melody.beat }, (_, n) => `M${n * melody.beat} 0V${this.height}`);
    this.notes = melody.notes.map(([onset, duration, pitch, velocity, length]) =>
      element("rect", {
        x: onset, y: high - 1 - pitch, width: Math.max(duration * length, 0.3), height: 1, rx: 0.2,
        class: `note ${melody.path ? quadrant(melody.path[Math.floor(onset / melody.bar)]) : melody.emotion}`,
        "fill-opacity": (0.45 + (0.55 * velocity) / 127).toFixed(2),
      }),
    );
    const pale = chords.map(([onset, duration, pitch, , length]) =>
      element("rect", {
        x: onset, y: high - 1 - pitch, width: Math.max(duration * length, 0.3), height: 1, class: "chord",
      }),
    );
    this.onsets = melody.notes.map(([onset, duration]) => [onset, onset + duration]);
    this.cursor = element("path", { class: "cursor", visibility: "hidden" });
    this.svg.replaceChildren(
      ...rows,
      element("path", { d: beats.join(""), class: "beats" }),
      element("path", { d: bars.join(""), class: "bars" }),
      ...pale,
      ...this.notes,
      this.cursor,
    );
  }

  // Put the cursor at a step; null hides it.
  mark(step) {
    this.cursor.setAttribute("visibility", step === null ? "hidden" : "visible");
    if (step !== null) this.cursor.setAttribute("d", `M${step.toFixed(2)} 0V${this.height}`);
    this.onsets.forEach(([onset, end], i) => {
      this.notes[i].classList.toggle("sounding", step !== null && onset <= step && step < end);
    });
  }
}
