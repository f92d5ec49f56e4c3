"""Weights files: a model with its configuration, its vocabulary, its emotion plane and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.plane import Plane
from emomelody.emotions.plans import Plans
from emomelody.errors import BadWeights, EmomelodyError
from emomelody.harmony.model import HarmonyModel
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Vocabulary
from emomelody.weights import container
from emomelody.weights.config import BUFFERS, ModelConfig, VAConfig
from emomelody.weights.container import Arrays
from emomelody.weights.upgrade import upgrade

FORMAT = "emomelody-1"
VA = "emoreg-va"
NAMES = ("base", "emoreg", VA)
SUFFIX = ".safetensors"
# The names of arrays that are no tensors of the model: and the number of the style, and the array's own.
PLANS, HARMONY = "plans.", "harmony."
_INSTALLED = Path(__file__).parent  # where a wheel puts them
_CHECKOUT = Path(__file__).parents[2] / "weights"  # beside the package, in a checkout


@dataclass(frozen=True, eq=False)  # compared, and hashed, as an object: arrays have no hash
class Checkpoint:
    """A trained model with everything that sampling and evaluation need.

    ``training`` describes the run: its options, data fingerprint, last loss, and per split and emotion the
    placement accuracy as a share of 1.
    """

    name: str  # base, emoreg or emoreg-va
    config: ModelConfig | VAConfig
    tensors: Arrays  # by their names in torch, with the shapes of ``config.shapes()``
    vocabulary: Vocabulary
    plane: Plane
    training: dict[str, Any]
    styles: tuple[StyleDistribution, ...] = ()  # of the training melodies of emoreg-va
    harmony: HarmonyModel | None = None  # of the chords of chorales; None where the data had none
    checksum: str = ""  # SHA-256 in hexadecimal; empty for a checkpoint that was not read from a file

    @property
    def parameter_count(self) -> int:
        """The number of trained parameters."""
        return sum(array.size for name, array in self.tensors.items() if name not in BUFFERS)

    @property
    def meters(self) -> tuple[Meter, ...]:
        """The meters that were learned; 4/4 by the paper's models."""
        return tuple(dict.fromkeys(known.meter for known in self.styles)) or (Meter.FOUR_FOUR,)

    def distribution(self, style: Style | None, meter: Meter) -> StyleDistribution | None:
        """How the training melodies of a style and meter are distributed; None for the paper's models.

        Without a style, it is the first that emoreg-va has learned in the meter. Raises EmomelodyError for
        one that it has not learned.
        """
        if self.name != VA:
            return None
        for known in self.styles:
            if known.meter is meter and style in (None, known.style):
                return known
        names = ", ".join(known.name for known in self.styles)
        raise EmomelodyError(f"the model has learned {names}, but no {style or 'melodies in'} {meter}")


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a weights file, whole or not at all. Raises BadInput if it cannot be written."""
    description = {
        "format": FORMAT,
        "name": checkpoint.name,
        "config": asdict(checkpoint.config),
        "vocabulary": checkpoint.vocabulary.pitches,
        "plane": checkpoint.plane.to_json(),
        "training": checkpoint.training,
        "styles": [style.to_json() for style in checkpoint.styles],
    }
    arrays = {f"{PLANS}{number}": style.plans.rows for number, style in enumerate(checkpoint.styles)}
    if checkpoint.harmony:
        description["chords"] = [chord.name() for chord in checkpoint.harmony.chords]
        arrays |= {f"{HARMONY}{name}": array for name, array in checkpoint.harmony.arrays().items()}
    container.write(path, {**checkpoint.tensors, **arrays}, description)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a weights file. Raises BadWeights if it is missing, damaged or not one of emomelody's."""
    tensors, description, checksum = container.read(path)
    try:
        return _build(description, tensors, checksum)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadWeights(path, f"not usable by this version of emomelody ({reason})") from error


def find_weights(name_or_path: str) -> Path:
    """The weights file meant by the name of a bundled model, a path, or the path of a run folder.

    Raises BadWeights, which lists the bundled models, for anything else.
    """
    bundled = bundled_weights()
    if name_or_path in bundled:  # takes precedence over a folder of that name, which ./NAME still means
        return bundled[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        return path / f"model{SUFFIX}"
    if path.suffix == SUFFIX or path.is_file() or len(path.parts) > 1:
        return path
    raise BadWeights(
        name_or_path, f"no such model: use {', '.join(bundled)}, or a {SUFFIX} file or run folder"
    )


def bundled_weights() -> dict[str, Path]:
    """The weights files that are part of the installation, by model name."""
    paths = [*_INSTALLED.glob(f"*{SUFFIX}")] or [*_CHECKOUT.glob(f"*{SUFFIX}")]
    return {path.stem: path for path in sorted(paths)}


def make_config(name: str, fields: Mapping[str, Any]) -> ModelConfig | VAConfig:
    """The configuration of a model of that name. Raises TypeError for unknown or missing fields."""
    return VAConfig(**fields) if name == VA else ModelConfig(**fields)


def _build(description: dict[str, Any], tensors: Arrays, checksum: str) -> Checkpoint:
    if description["format"] != FORMAT:
        raise ValueError(f"format {description['format']}, expected {FORMAT}")
    vocabulary = Vocabulary(tuple(map(int, description["vocabulary"])))
    description, tensors = upgrade(description, tensors)
    if description["name"] not in NAMES or len(vocabulary) != description["config"]["classes"]:
        raise ValueError("unknown model name, or a vocabulary of another size than the model's")
    config = make_config(description["name"], description["config"])
    styles = tuple(
        StyleDistribution.from_json(style, Plans.from_array(tensors[f"{PLANS}{number}"]))
        for number, style in enumerate(description["styles"])
    )
    known = [f"{PLANS}{number}" for number in range(len(styles))]
    harmony = _harmony(description, tensors)
    known += [f"{HARMONY}{name}" for name in (harmony.arrays() if harmony else ())]
    tensors = {name: tensor for name, tensor in tensors.items() if name not in known}
    _check_tensors(tensors, config)
    if bool(styles) != isinstance(config, VAConfig):
        raise ValueError("the model has no styles, or they do not belong to it")
    return Checkpoint(
        description["name"],
        config,
        tensors,
        vocabulary,
        Plane.from_json(description["plane"]),
        _training_summary(description["training"]),
        styles,
        harmony,
        checksum,
    )


def _harmony(description: dict[str, Any], tensors: Arrays) -> HarmonyModel | None:
    """The model of chords in a weights file; None in one of version 0.7 and before, or without chorales."""
    if "chords" not in description:
        return None
    length = len(HARMONY)
    arrays = {name[length:]: array for name, array in tensors.items() if name.startswith(HARMONY)}
    return HarmonyModel.of(description["chords"], arrays)


def _check_tensors(tensors: Arrays, config: ModelConfig | VAConfig) -> None:
    """Raise ValueError where these are not the tensors of a model of these sizes."""
    shapes = config.shapes()
    if tensors.keys() != shapes.keys():
        raise ValueError(f"tensors missing or unknown: {', '.join(sorted(tensors.keys() ^ shapes.keys()))}")
    for name, tensor in tensors.items():
        expected = np.dtype(np.int64 if name in BUFFERS else np.float32)
        if tensor.shape != shapes[name] or tensor.dtype != expected:
            raise ValueError(f"{name} is {tensor.dtype} {tensor.shape}, expected {expected} {shapes[name]}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} has values that are not finite")


def _training_summary(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary with shares of 1: weights without a held-out loss are older, and have percent."""
    if "reconstruction_held_out" in summary:
        return summary
    converted = dict(summary)
    for key in {"placement_training", "placement_held_out"} & set(summary):
        percent = summary[key].items()
        converted[key] = {code: None if value is None else round(value / 100, 4) for code, value in percent}
    return converted
