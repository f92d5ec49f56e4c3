"""Fitting the model of chords to harmonised tunes, with torch.

B tunes of at most S slots, F features, K chords.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from emomelody.harmony.model import MODES, HarmonyModel, shapes
from emomelody.harmony.slots import NOTES, ChordExample
from emomelody.music.chords import Chord

LEAST = 10  # a chord that occurs in fewer slots is replaced by the most similar one
FEWEST_TUNES = 10
EPOCHS, BATCH = 20, 32  # tunes
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 0.05, 0.01, 0.3


def fit(tunes: Sequence[ChordExample], seed: int = 0, epochs: int = EPOCHS) -> HarmonyModel:
    """The model that makes the chords of these tunes likely, by AdamW on the negative log-likelihood."""
    vocabulary = _vocabulary(tunes)
    numbers = _numbers(tunes, vocabulary)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Network(vocabulary)
        rng = np.random.default_rng(seed)
        steps = epochs * -(-len(tunes) // BATCH)
        optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
        for _ in range(epochs):
            for batch in _batches(tunes, rng):
                optimiser.zero_grad()
                loss = network(*_pad(batch, numbers))
                loss.backward()
                optimiser.step()
                schedule.step()
    return network.model(vocabulary)


def perplexity(model: HarmonyModel, tunes: Sequence[ChordExample]) -> float:
    """The perplexity per chord of tunes: of how many chords the model is as uncertain as of equal ones."""
    numbers = _numbers(tunes, model.chords)
    total = sum(
        model.log_likelihood(tune.features, tune.mode, np.array([numbers[chord] for chord in tune.chords]))
        for tune in tunes
    )
    return float(np.exp(-total / sum(len(tune.chords) for tune in tunes)))


class _Network(nn.Module):
    """The negative log-likelihood of ``HarmonyModel``.

    ``clash`` is learned for all chords together: how much a note counts that is not one of the chord's.
    """

    def __init__(self, vocabulary: Sequence[Chord]) -> None:
        super().__init__()
        sizes = shapes(len(vocabulary))
        self.fit, self.moves, self.stays = (
            nn.Parameter(torch.zeros(sizes[name])) for name in ("fit", "moves", "stays")
        )
        self.clash = nn.Parameter(torch.zeros(2, 1, NOTES))
        foreign = [[number not in chord.pitch_classes for number in range(12)] for chord in vocabulary]
        self.foreign = torch.tensor(foreign).float().repeat(1, NOTES // 12)  # (K, 24)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, features: Tensor, chords: Tensor, within: Tensor, minor: Tensor) -> Tensor:
        """Nats per slot of features (B, S, F), chords (B, S) in slots ``within`` (B, S), modes (B,)."""
        scores = torch.einsum("bkf,bsf->bsk", self.fit[minor], self.dropout(features))  # (B, S, K)
        clash = (self.clash * self.foreign)[minor]  # (B, K, 24)
        scores = scores - torch.einsum("bkf,bsf->bsk", clash, features[:, :, :NOTES])
        stays = torch.einsum("bf,bsf->bs", self.stays[minor], features)  # (B, S)
        moves = self.moves[minor]  # (B, K, K)
        moving = moves.exp()
        staying = moving.diagonal(dim1=1, dim2=2)  # (B, K)
        sums, path = scores[:, 0], scores[:, 0].gather(1, chords[:, :1])[:, 0]  # (B, K), (B,)
        rows = torch.arange(len(scores))
        for slot in range(1, scores.shape[1]):
            inside, before, now = within[:, slot], chords[:, slot - 1], chords[:, slot]
            highest = sums.amax(1, keepdim=True).detach()  # (B, 1)
            shares = (sums - highest).exp()
            # A chord that stays adds to one of the K² pairs, so that the sum over them is a matrix product.
            more = shares * staying * stays[:, slot, None].expm1()
            following = (torch.einsum("bk,bkj->bj", shares, moving) + more).log() + highest
            sums = torch.where(inside[:, None], following + scores[:, slot], sums)
            own = scores[rows, slot, now] + moves[rows, before, now] + stays[:, slot] * (before == now)
            path = path + own * inside
        return (torch.logsumexp(sums, 1) - path).sum() / within.sum()

    def model(self, vocabulary: Sequence[Chord]) -> HarmonyModel:
        """The model with these weights, in which ``clash`` is part of the fit of each chord."""
        fit = self.fit.detach().double()
        fit[:, :, :NOTES] -= (self.clash * self.foreign).detach()
        others = (array.detach().double().numpy() for array in (self.moves, self.stays))
        return HarmonyModel(tuple(vocabulary), fit.numpy(), *others)


def _batches(tunes: Sequence[ChordExample], rng: np.random.Generator) -> list[list[ChordExample]]:
    """The tunes in batches of about equal length, because padding takes time; the batches in random order."""
    shuffled = [tunes[number] for number in rng.permutation(len(tunes))]
    shuffled.sort(key=lambda tune: len(tune.chords) // BATCH)
    batches = [shuffled[first : first + BATCH] for first in range(0, len(tunes), BATCH)]
    return [batches[number] for number in rng.permutation(len(batches))]


def _vocabulary(tunes: Sequence[ChordExample]) -> list[Chord]:
    """The chords that occur often, or all where none does."""
    counts = Counter(chord for tune in tunes for chord in tune.chords)
    return sorted(chord for chord, count in counts.items() if count >= LEAST) or sorted(counts)


def _numbers(tunes: Sequence[ChordExample], vocabulary: Sequence[Chord]) -> dict[Chord, int]:
    """The number of each chord of the tunes, or that of the most similar one in the vocabulary."""
    return {chord: _nearest(chord, vocabulary) for chord in {c for tune in tunes for c in tune.chords}}


def _nearest(chord: Chord, vocabulary: Sequence[Chord]) -> int:
    """The number of a chord, or of the one that has most of its notes, preferably with its root."""
    notes = set(chord.pitch_classes)

    def likeness(other: Chord) -> tuple[bool, int, bool]:
        return other == chord, len(notes & set(other.pitch_classes)), other.root == chord.root

    return max(range(len(vocabulary)), key=lambda number: likeness(vocabulary[number]))


def _pad(tunes: Sequence[ChordExample], numbers: Mapping[Chord, int]) -> tuple[Tensor, ...]:
    """The tunes as arrays: features, chords, slots that exist, modes."""
    longest = max(len(tune.chords) for tune in tunes)
    features = torch.zeros(len(tunes), longest, tunes[0].features.shape[1])
    chords = torch.zeros(len(tunes), longest, dtype=torch.long)
    within = torch.zeros(len(tunes), longest, dtype=torch.bool)
    for row, tune in enumerate(tunes):
        slots = len(tune.chords)
        features[row, :slots] = torch.from_numpy(tune.features)
        chords[row, :slots] = torch.tensor([numbers[chord] for chord in tune.chords])
        within[row, :slots] = True
    return features, chords, within, torch.tensor([MODES.index(tune.mode) for tune in tunes])
