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

// Write the names of a melody's chords into an element as wide as its piano roll, each at its step.
function writeChords(place, { chords = [], steps }, semitones) {
  const names = chords.map((chord, i) => {
    const name = document.createElement("span");
    name.textContent = chordName(chord, semitones);
    const end = chords[i + 1]?.[0] ?? steps;
    name.style.left = `${(100 * chord[0]) / steps}%`;
    name.style.width = `${(100 * (end - chord[0])) / steps}%`; // what is longer is cut
    return name;
  });
  place.hidden = !chords.length;
  place.replaceChildren(...names);
}
