// A listening test: melodies in an order of their own for each listener, four questions about each.

const SETTINGS = { tempo: 1, semitones: 0, sound: "soft", volume: 0.8 };
const STEP = 0.1; // of the plane, by an arrow key
const ANSWERING = 15; // seconds for a melody, beside its own
const QUESTIONS = {
  emotion: ["happy", "angry", "sad", "relaxed"].map((name) => [name, name]),
  musical: [1, 2, 3, 4, 5, 6, 7].map((number) => [number, String(number)]),
  human: [[true, "a human"], [false, "a machine"]],
};
const MISSING = {
  heard: "listen to the melody", emotion: "choose an emotion", place: "place it on the plane",
  musical: "say how musical it is", human: "say who composed it",
};

// The numbers 0 … count − 1 in an order that only the text decides.
function shuffled(count, text) {
  let state = crc32(new TextEncoder().encode(text)) || 1;
  const order = Array.from({ length: count }, (_, n) => n);
  for (let last = count - 1; last > 0; last--) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5; // xorshift (Marsaglia 2003)
    const other = (state >>> 0) % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

class ListeningTest {
  constructor(root, { test, melodies, hidden }) {
    this.find = (name) => root.querySelector(`.${name}`);
    // What a listener is not to know is not readable in the page's source.
    [this.test, this.melodies, this.hidden] = [test, melodies, JSON.parse(new TextDecoder().decode(fromBase64(hidden)))];
    this.state = this.load() ?? this.fresh();
    this.speaker = new Speaker();
    const axes = { right: "negative ↔ positive", up: "calm ↔ excited", names: false };
    this.plane = new Plane(this.find("plane"), [], axes);
    for (const [name, choices] of Object.entries(QUESTIONS)) {
      choices.forEach(([value, text]) => this.find(name).append(this.choice(name, value, text)));
    }
    this.find("total").textContent = melodies.length;
    const seconds = melodies.reduce((sum, melody) => sum + new Clock(melody).end + ANSWERING, 0);
    this.find("minutes").textContent = Math.ceil(seconds / 60);
    this.listen();
    this.show();
  }

  // A listener who has not begun. Answers that were downloaded, those before `locked`, cannot be changed any
  // more: the file says where the melodies are from.
  fresh() {
    const letters = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
    return { listener: letters.join(""), at: null, locked: 0, answers: {} };
  }

  // What this browser has kept of the test; null for nothing, or what another program has put there.
  load() {
    try {
      const state = JSON.parse(localStorage.getItem(`emomelody-${this.test}`));
      return state.listener && state.answers && Number.isInteger(state.locked) && state.at !== undefined ? state : null;
    } catch {
      return null;
    }
  }

  get order() {
    return shuffled(this.melodies.length, this.test + this.state.listener);
  }

  keep() {
    try {
      localStorage.setItem(`emomelody-${this.test}`, JSON.stringify(this.state));
    } catch {
      // The answers are lost when the page is closed; they can still be downloaded.
    }
  }

  get id() {
    return this.order[this.state.at];
  }

  get answer() {
    return (this.state.answers[this.id] ??= {});
  }

  choice(name, value, text) {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value });
    input.addEventListener("change", () => this.set({ [name]: value }));
    label.append(input, text);
    return label;
  }

  set(change) {
    Object.assign(this.answer, change);
    this.keep();
    this.update();
  }

  missing(answer) {
    return Object.keys(MISSING).filter((name) => answer?.[name] === undefined);
  }

  get finished() {
    return this.order.filter((id) => this.missing(this.state.answers[id]).length === 0);
  }

  go(at) {
    this.speaker.stop();
    this.state.at = at;
    this.keep();
    this.show();
    this.find(at < this.order.length ? "number" : "end h2").focus();
  }

  // Show the introduction, a melody or the end.
  show() {
    const { at } = this.state;
    this.find("intro").hidden = at !== null;
    this.find("trial").hidden = at === null || at >= this.order.length;
    this.find("end").hidden = at === null || at < this.order.length;
    this.find("sending").hidden = at === null;
    if (!this.find("trial").hidden) {
      this.find("number").textContent = `Melody ${at + 1} of ${this.order.length}`;
      this.find("back").disabled = at <= this.state.locked;
      for (const name of Object.keys(QUESTIONS)) {
        this.find(name).querySelectorAll("input").forEach((input) => {
          input.checked = input.value === String(this.answer[name]);
        });
      }
      this.update();
    }
    this.count();
  }

  update() {
    const { place } = this.answer;
    const { marker } = this.plane;
    marker.setAttribute("visibility", place ? "visible" : "hidden");
    if (place) [["cx", place[0]], ["cy", -place[1]]].forEach(([name, value]) => marker.setAttribute(name, value));
    const side = (value, low, high) => `${Math.round(100 * Math.abs(value))} % ${value < 0 ? low : high}`;
    this.find("placed").textContent =
      place ? `${side(place[0], "negative", "positive")}, ${side(place[1], "calm", "excited")}` : "";
    const missing = this.missing(this.answer);
    this.find("next").disabled = missing.length > 0;
    this.find("missing").textContent = missing.length ? `To go on, ${missing.map((name) => MISSING[name]).join(", ")}.` : "";
    this.count();
  }

  count() {
    const done = this.finished.length;
    const progress = this.find("progress");
    [progress.max, progress.value] = [this.order.length, done];
    this.find("saved").textContent = `${done} of ${this.order.length} answered`;
    this.find("save").disabled = done === 0;
    this.find("review").disabled = this.state.locked >= this.order.length;
    this.find("another").disabled = this.state.locked < this.order.length;
  }

  place([valence, arousal]) {
    const rounded = (value) => Math.round(100 * clamp(value, -1, 1)) / 100;
    this.set({ place: [rounded(valence), rounded(arousal)] });
  }

  toggle() {
    if (this.speaker.playing) this.speaker.stop();
    else this.speaker.start(this.melodies[this.id], SETTINGS, 0);
    if (this.speaker.playing) this.set({ heard: true });
    this.draw();
  }

  draw() {
    if (this.speaker.ended) this.speaker.stop();
    const playing = this.speaker.playing !== null;
    this.find("play").textContent = playing ? "Stop" : "Play";
    this.find("play").setAttribute("aria-pressed", playing);
    if (playing) setTimeout(() => this.draw(), 100);
  }

  save() {
    const answers = this.finished.map((id) => {
      const { emotion, place, musical, human } = this.state.answers[id];
      return { ...this.hidden[id], answer: { emotion, valence: place[0], arousal: place[1], musical, human } };
    });
    const file = {
      format: "emomelody listening test", version: 1, test: this.test, listener: this.state.listener,
      total: this.order.length, answers,
    };
    const text = new TextEncoder().encode(JSON.stringify(file, null, 1) + "\n");
    this.state.locked = answers.length;
    this.keep();
    this.show();
    download(text, `answers-${this.test}-${this.state.listener.slice(0, 8)}.json`, "application/json");
  }

  listen() {
    const on = (name, event, act) => this.find(name).addEventListener(event, act);
    on("begin", "click", () => this.go(0));
    on("back", "click", () => this.go(this.state.at - 1));
    on("next", "click", () => this.go(this.state.at + 1));
    on("review", "click", () => this.go(this.state.at - 1));
    on("another", "click", () => {
      this.state = this.fresh();
      this.keep();
      this.show();
    });
    on("play", "click", () => this.toggle());
    on("save", "click", () => this.save());
    on("plane", "pointerdown", (event) => this.place(this.plane.at(event)));
    on("plane", "pointermove", (event) => event.buttons && this.place(this.plane.at(event)));
    on("plane", "keydown", (event) => {
      if (!(event.key in ARROWS)) return;
      const [x, y] = this.answer.place ?? [0, 0];
      const [dx, dy] = ARROWS[event.key];
      this.place([x + STEP * dx, y + STEP * dy]);
      event.preventDefault();
    });
  }
}

new ListeningTest(document.querySelector(".test"), JSON.parse(document.getElementById("test").textContent));
