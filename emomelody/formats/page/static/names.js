// The names of keys and chords.

const TONICS = {
  major: ["C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"],
  minor: ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "G♯", "A", "B♭", "B"],
};

// A key as it is written, [pitch class, mode, name], moved by semitones.
const keyName = ([tonic, mode, name], semitones) =>
  semitones ? `${TONICS[mode][(tonic + semitones + 12) % 12]} ${mode}` : name;
// A chord as it is written, [step, pitch class, root, quality], moved by semitones.
const chordName = ([, root, name, quality], semitones) =>
  (semitones ? TONICS.major[(root + semitones + 12) % 12] : name) + quality;

const LINE = 1.4; // em
const MOST_LINES = 5;

// Write the names of a melody's chords into an element as wide as its piano roll, each at its step: on one
// line, or where they have no room there on several by turns.
function writeChords(place, { chords = [], steps }, semitones) {
  const names = chords.map((chord) => {
    const name = document.createElement("span");
    name.textContent = chordName(chord, semitones);
    name.style.left = `${(100 * chord[0]) / steps}%`;
    return name;
  });
  place.replaceChildren(...names);
  place.hidden = !chords.length;
  for (let lines = 1; lines <= MOST_LINES; lines++) {
    names.forEach((name, i) => {
      const end = chords[i + lines]?.[0] ?? steps;
      name.style.top = `${LINE * (i % lines)}em`;
      name.style.width = `${(100 * (end - chords[i][0])) / steps}%`; // what is longer ends in …
    });
    place.style.height = `${LINE * lines}em`;
    if (names.every((name) => name.scrollWidth <= name.clientWidth)) break;
  }
}
