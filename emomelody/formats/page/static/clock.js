// Time: steps of the grid to seconds and back, by the tempos of a melody.

class Clock {
  constructor(melody) {
    this.parts = []; // of one tempo each: its first step, the second of that, and the seconds per step
    for (const [step, tempo] of melody.tempos) {
      this.parts.push({ step, second: this.parts.length ? this.second(step) : 0, length: 15 / tempo });
    }
    this.end = this.second(melody.steps);
  }

  second(step) {
    const part = this.parts.findLast((each) => each.step <= step);
    return part.second + (step - part.step) * part.length;
  }

  step(second) {
    const part = this.parts.findLast((each) => each.second <= second) ?? this.parts[0];
    return part.step + (second - part.second) / part.length;
  }
}
