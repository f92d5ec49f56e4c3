"""The sizes of the models, and the shapes of the tensors that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.emotion import Emotion
from emomelody.music.form import Repetition
from emomelody.music.melody import BARS, WINDOW_STEPS
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Floats, Tokens

LATENT = 2  # latent dimensions of the emotion plane
LABELS = len(Emotion)
POSITION_UNITS = 16  # size of the embedding of the position in the bar
HALVES = 2 * BARS  # half bars in four bars
OUTLINE = 2 * HALVES + 1  # features of a melody's outline, see ``models.encoder.Encoder.outline``
LEAST_RANGE = 0.05  # octaves, added to the standard deviation: an almost flat melody has almost no shape
PITCH_CLASSES = 12
BAR_SCALE = 16  # steps: the unit of how long a pitch class has sounded
PLACES = sum(meter.bar for meter in Meter)  # positions in the bar, of all meters
KIND_UNITS = 8  # size of the embedding of the kind of a repetition
WIDEST = 16  # semitones: larger intervals count as this one
ELAPSED = 16  # bars before a bar; more count as this many
# Bars from a bar to the end, itself included; more count as one more than these. 0 is beyond the end.
REMAINING = 16
# The degree of each pitch class in C, the same in major and minor.
DEGREES = (0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)

BUFFERS = ("learned", "pitches")  # tensors that are not trained, of int64; the others are float32
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of base and emoreg, by default the paper's. The field names are part of the file format."""

    classes: int  # V: the pitches in use, rest and hold
    steps: int = WINDOW_STEPS
    hidden: int = 512  # units of each GRU
    bottleneck: int = 100  # units of the layer between the encoder's last state and the latent space

    def shapes(self) -> Shapes:
        """The shape of every tensor by its name, all float32."""
        return {
            **_linear("label_sequence", LABELS, self.steps * LABELS),
            **_gru("encoder", self.classes + LABELS, self.hidden),
            **_linear("bottleneck", self.hidden, self.bottleneck),
            **_linear("mu", self.bottleneck, LATENT),
            **_linear("log_variance", self.bottleneck, LATENT),
            **_gru("decoder", LATENT + LABELS, self.hidden),
            **_linear("output", self.hidden, self.classes),
        }


@dataclass(frozen=True)
class VAConfig:
    """The sizes of emoreg-va. The field names are part of the file format."""

    classes: int  # V: the pitches in use, rest and hold
    embedding: int = 64  # size of a token's embedding
    encoder: int = 128  # E: units of each encoding layer
    decoder: int = 384  # H: units of the decoding GRU
    condition: int = 64  # units of the condition of each bar
    content: int = 16  # C: latent dimensions besides valence and arousal
    repeated: int = 32  # size of the embedding of the repeated bar's token
    dropout: float = 0.1
    learned: int = 0  # number of fingerprints
    without_content: bool = True  # whether the decoder was also trained without the content

    def shapes(self) -> Shapes:
        """The shape of every tensor by its name."""
        token = self.embedding + POSITION_UNITS
        given = LATENT + self.content + 1 + len(NAMES)
        features = self.decoder + self.condition
        inputs = token + self.embedding + self.condition + PITCH_CLASSES + self.repeated + KIND_UNITS + 1
        return {
            "tokens.weight": (self.classes + 1, self.embedding),  # the last row: no token
            "places.weight": (PLACES, POSITION_UNITS),
            **_linear("step.0", token, self.encoder),
            **_linear("emotion.0", 2 * self.encoder, self.encoder),
            **_linear("emotion.2", self.encoder, 2 * LATENT),
            **_linear("content.0", OUTLINE, self.encoder),
            **_linear("content.2", self.encoder, 2 * self.content),
            **_linear("condition", given, BARS * self.condition),
            "styles.weight": (len(Style), self.condition),
            "meters.weight": (len(Meter), self.condition),
            "elapsed.weight": (ELAPSED + 1, self.condition),
            "remaining.weight": (REMAINING + 2, self.condition),
            "repeated.weight": (self.classes + 1, self.repeated),
            "kinds.weight": (len(Repetition), KIND_UNITS),
            **_gru("decoder", inputs, self.decoder),
            **_linear("output", features, self.classes),
            "intervals.weight": (2 * WIDEST + 1, features),
            "copy": (len(Repetition), 2, self.classes + 1, self.classes),
            "pitches": (self.classes - 2,),  # MIDI pitches of the vocabulary
            "learned": (self.learned,),  # fingerprints of the training melodies and their passages, sorted
        }


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _gru(name: str, inputs: int, hidden: int) -> Shapes:
    """The four tensors of ``torch.nn.GRU``, with the gates r, z, n one below the other."""
    return {
        f"{name}.weight_ih_l0": (3 * hidden, inputs),
        f"{name}.weight_hh_l0": (3 * hidden, hidden),
        f"{name}.bias_ih_l0": (3 * hidden,),
        f"{name}.bias_hh_l0": (3 * hidden,),
    }


def first_place(meter: Meter) -> int:
    """The number of the first position in a bar of a meter, among those of all meters."""
    meters = list(Meter)
    return sum(before.bar for before in meters[: meters.index(meter)])


def interval_columns(pitches: Tokens) -> Tokens:
    """The column of the interval layer for each token after each last pitch, (V + 1, V).

    ``pitches`` (V − 2,) are those of the vocabulary. Rest, hold, and the first pitch have no interval; their
    column is one more than the layer has.
    """
    count = len(pitches)
    columns = np.full((count + 3, count + 2), 2 * WIDEST + 1)
    columns[:count, :count] = np.clip(pitches - pitches[:, None], -WIDEST, WIDEST) + WIDEST
    return columns


def staff_heights(pitches: Tokens) -> Floats:
    """The staff height of each MIDI pitch in C, in octaves from B5, the same in major and minor."""
    return pitches // 12 + np.array(DEGREES)[pitches % 12] / 7 - 6.86
