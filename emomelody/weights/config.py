"""The sizes of the models, and the shapes of the tensors that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from emomelody.music.emotion import Emotion
from emomelody.music.melody import BARS, STEPS_PER_BAR, WINDOW_STEPS

LATENT = 2  # latent dimensions of the emotion plane
LABELS = len(Emotion)
POSITION_UNITS = 16  # size of the embedding of the position in the bar
HALF_BAR = STEPS_PER_BAR // 2
HALVES = WINDOW_STEPS // HALF_BAR  # half bars in a window, 8
OUTLINE = 2 * HALVES + 1  # features of a melody's outline, see ``models.emoreg_va.EmoregVA.outline``
LEAST_RANGE = 0.05  # octaves, added to the standard deviation: an almost flat melody has almost no shape

BUFFERS = ("chroma", "heights", "learned")  # tensors that are not trained
WHOLE_NUMBERS = ("chroma", "learned")  # tensors of int64; the others are float32
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
    decoder: int = 256  # H: units of the decoding GRU
    condition: int = 64  # units of the condition of each bar
    content: int = 16  # C: latent dimensions besides valence and arousal
    dropout: float = 0.5
    attributes: int = 0  # D: attributes of the melody, inputs of the decoder, see ``music.attributes``
    pitch_classes: int = 0  # 12 where how long each has sounded is an input of the decoder, else 0
    learned: int = 0  # number of training melodies

    def shapes(self) -> Shapes:
        """The shape of every tensor by its name."""
        size = self.embedding + POSITION_UNITS
        return {
            "tokens.weight": (self.classes + 1, self.embedding),  # the last row: no previous token
            "places.weight": (STEPS_PER_BAR, POSITION_UNITS),
            **_linear("step.0", size, self.encoder),
            **_linear("emotion.0", 2 * self.encoder, self.encoder),
            **_linear("emotion.2", self.encoder, 2 * LATENT),
            **_linear("content.0", OUTLINE, self.encoder),
            **_linear("content.2", self.encoder, 2 * self.content),
            **_linear("condition", LATENT + self.content + self.attributes, BARS * self.condition),
            **_gru("decoder", size + self.condition + self.pitch_classes, self.decoder),
            **_linear("output", self.decoder + self.condition, self.classes),
            "heights": (self.classes,),  # the staff height of each class, see ``models.emoreg_va``
            **({"chroma": (self.classes,)} if self.pitch_classes else {}),  # each class's pitch class
            "learned": (self.learned,),  # fingerprints of the training melodies, sorted
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
