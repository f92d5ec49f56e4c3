// Sound: the notes of a melody as oscillators, live or rendered to a buffer.

const RATE = 44100; // samples per second
const RINGING = 1; // seconds of sound after the end of a melody
const PEAK = 0.8; // of full scale, at velocity 127
const WITH_CHORDS = 0.45; // the gain of a melody with chords, whose voices together would clip
const FADE = 0.25; // seconds from one melody to another

// Amplitudes of the partials, and seconds: to full level, to half of it (Infinity: it stays), to silence.
const SOUNDS = {
  soft: { partials: [1, 0.5, 0.3, 0.2, 0.12, 0.08], attack: 0.015, half: 1.2, release: 0.08 },
  plucked: { partials: [1, 0.6, 0.4, 0.3, 0.2, 0.15, 0.1], attack: 0.004, half: 0.25, release: 0.05 },
  flute: { partials: [1, 0.15, 0.06, 0.02], attack: 0.05, half: Infinity, release: 0.08 },
  clarinet: { partials: [1, 0.02, 0.5, 0.02, 0.25, 0.02, 0.12], attack: 0.03, half: Infinity, release: 0.06 },
  strings: { partials: [1, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15], attack: 0.12, half: Infinity, release: 0.15 },
  organ: { partials: [1, 0.8, 0.1, 0.6, 0.05, 0.1, 0.05, 0.4], attack: 0.01, half: Infinity, release: 0.04 },
};

const frequency = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

// Schedule the notes of a melody and of its chords that sound from a second on. `settings`: tempo (a factor),
// semitones, sound (of the melody). Returns the gain that all of them go through.
function schedule(context, melody, settings, from, at) {
  const output = context.createGain();
  const mix = new GainNode(context, { gain: melody.accompaniment ? WITH_CHORDS : 1 });
  mix.connect(output);
  const clock = new Clock(melody);
  const when = (step) => at + clock.second(step) / settings.tempo - from;
  const play = (notes, name) => {
    const sound = { ...SOUNDS[name], wave: toWave(context, SOUNDS[name].partials) };
    for (const [onset, duration, pitch, velocity, length] of notes) {
      const stop = when(onset + duration * length);
      if (stop <= at) continue;
      const start = Math.max(when(onset), at);
      playNote(context, mix, sound, { start, stop, pitch: pitch + settings.semitones, velocity });
    }
  };
  play(melody.notes, settings.sound);
  if (melody.accompaniment) play(melody.accompaniment, melody.accompanimentSound);
  return output;
}

const toWave = (context, partials) =>
  context.createPeriodicWave(
    new Float32Array([0, ...partials.map(() => 0)]),
    new Float32Array([0, ...partials]),
  );

// One note, from a second to another.
function playNote(context, output, { wave, attack, half, release }, { start, stop, pitch, velocity }) {
  const oscillator = new OscillatorNode(context, {
    type: "custom",
    periodicWave: wave,
    frequency: frequency(pitch),
  });
  const envelope = context.createGain();
  const level = PEAK * (velocity / 127) ** 2; // the level of a synthesiser grows with the square
  const top = Math.min(start + attack, stop);
  const rest = half === Infinity ? level : level * 2 ** (-(stop - top) / half);
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(level, top);
  envelope.gain.exponentialRampToValueAtTime(rest, Math.max(stop, top + 0.001));
  envelope.gain.setTargetAtTime(0, Math.max(stop, top + 0.001), release / 3);
  oscillator.connect(envelope).connect(output);
  oscillator.start(start);
  oscillator.stop(stop + 3 * release);
}

// A melody as it sounds with these settings, as an AudioBuffer.
function render(melody, settings) {
  const seconds = new Clock(melody).end / settings.tempo + RINGING;
  const context = new OfflineAudioContext(1, Math.ceil(seconds * RATE), RATE);
  const output = schedule(context, melody, settings, 0, 0);
  output.gain.value = settings.volume;
  output.connect(context.destination);
  return context.startRendering();
}

// An AudioBuffer of one channel as the bytes of a WAV file with samples of 16 bits.
function toWav(buffer) {
  const samples = buffer.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, buffer.sampleRate, true);
  view.setUint32(28, 2 * buffer.sampleRate, true); // bytes per second
  view.setUint16(32, 2, true); // bytes per sample
  view.setUint16(34, 16, true); // bits per sample
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true);
  });
  return new Uint8Array(view.buffer);
}

// What sounds: at most one melody, which the next one fades out.
class Speaker {
  constructor() {
    this.context = null; // browsers allow one after a gesture
    this.playing = null;
  }

  // Play a melody from a second on, at the tempo of the settings.
  start(melody, settings, from, fade = 0) {
    this.context ??= new AudioContext();
    this.context.resume();
    this.stop(fade);
    const now = this.context.currentTime + 0.05;
    const output = schedule(this.context, melody, settings, from, now);
    output.gain.setValueAtTime(fade ? 0 : settings.volume, now);
    if (fade) output.gain.linearRampToValueAtTime(settings.volume, now + fade);
    output.connect(this.context.destination);
    this.playing = { output, from, now, end: new Clock(melody).end / settings.tempo };
  }

  stop(fade = 0.02) {
    if (!this.playing) return;
    const { output } = this.playing;
    this.playing = null;
    output.gain.cancelScheduledValues(this.context.currentTime);
    output.gain.setTargetAtTime(0, this.context.currentTime, fade / 3 || 0.005);
    setTimeout(() => output.disconnect(), 1000 * fade + 200);
  }

  set volume(volume) {
    this.playing?.output.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  // The second of the melody that sounds now, at the tempo of its settings; null where none does.
  get second() {
    if (!this.playing) return null;
    const { from, now, end } = this.playing;
    return Math.min(Math.max(from, from + this.context.currentTime - now), end);
  }

  get ended() {
    return this.playing !== null && this.second >= this.playing.end;
  }
}
