// The player: a plane, a piano roll and a list of melodies, of which one is chosen and may sound.

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

const time = (seconds) => {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

class Player {
  constructor(root, { melodies }) {
    this.find = (name) => root.querySelector(`.${name}`);
    this.melodies = melodies;
    [this.scores, this.places] = [[], []]; // where there are any, they come later
    this.clocks = melodies.map((melody) => new Clock(melody));
    this.plane = new Plane(this.find("plane"), melodies);
    this.roll = new PianoRoll(this.find("roll"));
    this.speaker = new Speaker();
    this.second = 0; // where the chosen melody is while none sounds, at the tempo of the settings
    this.list = melodies.map((melody, index) => this.listed(melody, index));
    this.find("list").append(...this.list);
    this.find("sound").append(...Object.keys(SOUNDS).map((name) => new Option(name)));
    this.find("sound").value = melodies[0].sound;
    this.find("key").append(...Array.from({ length: 12 }, (_, n) => new Option("", n - 5, false, n === 5)));
    for (const name of ["save-midis", "save-wavs", "all", "previous", "next"]) {
      this.find(name).hidden = melodies.length < 2;
    }
    this.choose(0);
    this.listen();
  }

  get melody() {
    return this.melodies[this.index];
  }

  get settings() {
    return {
      tempo: this.find("tempo").value / 100,
      semitones: Number(this.find("key").value),
      sound: this.find("sound").value,
      volume: this.find("volume").value / 100,
    };
  }

  listed(melody, index) {
    const item = document.createElement("li");
    const about = document.createElement("small");
    about.textContent = melody.about;
    item.append(melody.title, about);
    item.id = `melody-${index}`;
    item.setAttribute("role", "option");
    item.className = melody.emotion;
    item.addEventListener("click", () => this.choose(index, true));
    return item;
  }

  // Choose a melody, and play it where `play` is set, or where another one sounds; that one fades out.
  choose(index, play = false) {
    const sounds = this.speaker.playing !== null;
    if (index === this.index) {
      if (play && !sounds) this.play();
      return;
    }
    // The next melody goes on at the same place of its bar.
    const step = sounds && this.clocks[this.index].step(this.speaker.second * this.settings.tempo) % this.melody.bar;
    this.index = index;
    this.second = 0;
    this.plane.choose(index, this.melody);
    this.list.forEach((item, i) => item.setAttribute("aria-selected", i === index));
    this.find("list").setAttribute("aria-activedescendant", `melody-${index}`);
    const [list, item] = [this.find("list"), this.list[index]];
    list.scrollTop = clamp(list.scrollTop, item.offsetTop + item.offsetHeight - list.offsetTop - list.clientHeight, item.offsetTop - list.offsetTop);
    this.describe();
    if (sounds) this.play(this.clocks[index].second(step % this.melody.steps) / this.settings.tempo, FADE);
    else if (play) this.play();
    else this.show();
  }

  describe() {
    const { melody, settings, index } = this;
    this.find("name").textContent = melody.title;
    const place = melody.point.map((x) => x.toFixed(2)).join(", ");
    const keys = melody.keys.map((key) => keyName(key, settings.semitones)).join(" → ");
    this.find("about").textContent =
      `${melody.about} · at ${place} · ${keys} · ${melody.meter} · ${this.tempo} · ` +
      time(this.clocks[index].end / settings.tempo);
    this.find("tempo-shown").textContent = `${this.find("tempo").value} %`;
    [...this.find("key").options].forEach((option) => {
      option.textContent = keyName(melody.keys[0], Number(option.value)) + (option.value === "0" ? " (own)" : "");
    });
    this.roll.draw(melody, settings.semitones);
    writeChords(this.find("chords"), melody, settings.semitones);
    const score = this.scores[index];
    this.find("score").hidden = !score;
    if (score) this.find("score").firstChild.src = `data:image/svg+xml,${encodeURIComponent(score)}`;
    const changed = settings.semitones !== 0 || settings.tempo !== 1;
    this.find("as-written").textContent = score && changed ? "The score shows the melody's own key and tempo." : "";
  }

  // The tempo in beats per minute at the beginning; on a path from the slowest to the fastest.
  get tempo() {
    const { melody, settings } = this;
    const beats = melody.tempos.map(([, tempo]) => Math.round((tempo * settings.tempo * 4) / melody.beat));
    const shown = melody.path ? [...new Set([Math.min(...beats), Math.max(...beats)])].join("–") : beats[0];
    return `${melody.beat === 6 ? "♩." : "♩"} = ${shown}`.replaceAll(" ", "\u00a0");
  }

  play(second = this.second, fade = 0) {
    const end = this.clocks[this.index].end / this.settings.tempo;
    this.speaker.start(this.melody, this.settings, second < end ? second : 0, fade);
    this.find("status").textContent = `Playing ${this.melody.title}`;
    this.show();
    if (!this.drawing) this.draw();
  }

  pause() {
    this.second = this.speaker.second ?? this.second;
    this.speaker.stop();
    this.playAll(false);
    this.find("status").textContent = "";
    this.show();
  }

  toggle() {
    if (this.speaker.playing) this.pause();
    else this.play();
  }

  // Show where the melody is, as long as it sounds.
  draw() {
    this.drawing = this.speaker.playing !== null;
    if (!this.drawing) return;
    if (this.speaker.ended) this.finished();
    this.show();
    requestAnimationFrame(() => this.draw());
  }

  finished() {
    this.second = 0;
    this.speaker.stop();
    this.find("status").textContent = "";
    if (this.repeats) this.play();
    else if (!this.playsAll) return;
    else if (this.index + 1 < this.melodies.length) this.choose(this.index + 1, true);
    else this.playAll(false);
  }

  show() {
    const { second, playing } = this.speaker;
    const at = (second ?? this.second) * this.settings.tempo;
    let step = playing || at > 0 ? this.clocks[this.index].step(at) : null;
    if (step !== null && CALM.matches) step -= step % this.melody.beat; // no smooth movement
    this.roll.mark(step);
    this.markScore(step);
    this.plane.mark(this.melody, step);
    this.find("position").value = (1000 * at) / this.clocks[this.index].end;
    this.find("play").textContent = playing ? "Pause" : "Play";
    this.find("play").setAttribute("aria-pressed", playing !== null);
  }

  // Put the cursor of the score at the note of a step; null hides it.
  markScore(step) {
    const place = this.places[this.index]?.findLast(([onset]) => step !== null && onset <= step);
    const { style } = this.find("at");
    style.display = place ? "block" : "none";
    if (!place) return;
    const [left, top, bottom] = place.slice(1).map((share) => `${100 * share}%`);
    Object.assign(style, { left, top, height: `calc(${bottom} - ${top})` });
  }

  playAll(on) {
    this.playsAll = on;
    this.find("all").setAttribute("aria-pressed", on);
    if (!on || this.speaker.playing) return;
    if (this.index + 1 < this.melodies.length) this.play();
    else this.choose(0, true);
  }

  repeat(on) {
    this.repeats = on;
    this.find("repeat").setAttribute("aria-pressed", on);
  }

  // Go to a share of the melody, 0 to 1.
  seek(share) {
    this.second = (share * this.clocks[this.index].end) / this.settings.tempo;
    if (this.speaker.playing) this.play();
    else this.show();
  }

  // After a change of the settings, a melody that sounds goes on at the same step.
  changed(before) {
    const second = ((this.speaker.second ?? this.second) * before) / this.settings.tempo;
    this.describe();
    this.second = second;
    if (this.speaker.playing) this.play();
    else this.show();
  }

  step(by) {
    this.choose(clamp(this.index + by, 0, this.melodies.length - 1));
  }

  nearest([x, y]) {
    const distances = this.melodies.map(({ point }) => Math.hypot(point[0] - x, point[1] - y));
    return distances.indexOf(Math.min(...distances));
  }

  // The nearest melody in a direction (dx, dy), not further to the side than ahead; of those at one point the next.
  towards([dx, dy]) {
    const [x, y] = this.melody.point;
    let [best, least] = [this.index, Infinity];
    this.melodies.forEach(({ point }, index) => {
      const [right, up] = [point[0] - x, point[1] - y];
      const [ahead, aside] = [right * dx + up * dy, Math.abs(right * dy) + Math.abs(up * dx)];
      if (ahead > 1e-6 && aside <= ahead && ahead + aside < least) [best, least] = [index, ahead + aside];
    });
    return best;
  }

  listen() {
    const on = (name, event, act) => this.find(name).addEventListener(event, act);
    on("play", "click", () => this.toggle());
    on("all", "click", () => this.playAll(!this.playsAll));
    on("repeat", "click", () => this.repeat(!this.repeats));
    on("previous", "click", () => this.step(-1));
    on("next", "click", () => this.step(1));
    on("position", "input", () => this.seek(this.find("position").value / 1000));
    on("roll", "click", (event) => this.seek(event.offsetX / this.find("roll").clientWidth));
    let tempo = this.settings.tempo;
    for (const name of ["tempo", "key", "sound"]) {
      on(name, "input", () => {
        this.changed(tempo);
        tempo = this.settings.tempo;
      });
    }
    on("volume", "input", () => (this.speaker.volume = this.settings.volume));
    on("plane", "pointerdown", (event) => {
      this.find("plane").setPointerCapture(event.pointerId);
      this.choose(this.nearest(this.plane.at(event)), true);
    });
    on("plane", "pointermove", (event) => {
      const nearest = event.buttons ? this.nearest(this.plane.at(event)) : this.index;
      if (nearest !== this.index) this.choose(nearest, true);
    });
    on("plane", "keydown", (event) => this.pressed(event, (arrow) => this.towards(arrow)));
    on("list", "keydown", (event) => {
      this.pressed(event, ([dx, dy]) => clamp(this.index + dx - dy, 0, this.melodies.length - 1));
    });
    on("save-midi", "click", () => download(fromBase64(this.melody.midi), `${this.melody.title}.mid`, "audio/midi"));
    on("save-wav", "click", () => this.saveWav());
    on("save-midis", "click", () => {
      this.saveAll("mid", this.melodies.map(({ title, midi }) => [`${title}.mid`, fromBase64(midi)]));
    });
    on("save-wavs", "click", () => this.saveWavs());
  }

  pressed(event, next) {
    if (event.key === " " || event.key === "Enter") this.toggle();
    else if (event.key in ARROWS) this.choose(next(ARROWS[event.key]));
    else return;
    event.preventDefault();
  }

  async saveWav() {
    const { melody, settings } = this;
    download(toWav(await render(melody, settings)), `${melody.title}.wav`, "audio/wav");
  }

  async saveWavs() {
    const [files, settings] = [[], this.settings];
    for (const [n, melody] of this.melodies.entries()) {
      this.find("status").textContent = `Rendering ${n + 1} of ${this.melodies.length}`;
      files.push([`${melody.title}.wav`, toWav(await render(melody, settings))]);
    }
    this.find("status").textContent = "";
    this.saveAll("wav", files);
  }

  saveAll(suffix, files) {
    download(toZip(files), `melodies-${suffix}.zip`, "application/zip");
  }
}
