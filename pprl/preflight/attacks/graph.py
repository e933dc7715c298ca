"""Graph matching: who is similar to whom names people, without one known pair or with a few.

Any encoding that preserves similarity can be compared with the same people in clear: the graph of who is similar to
whom has the same shape on both sides, and matching the two graphs names the people (Vidanage and others 2020; Schäfer,
Armknecht and Heng 2024).

The observed similarity B of two encodings of length L is the covariance C that the scheme gives to their people, plus
noise of variance 1/L. So a matching X, with X_ie = 1 where person i has encoding e, has the log-likelihood
−½ Σ L (B − C)² over matched pairs of people, up to a constant

    f(X) = ⟨U, X⟩ + ½⟨Σ L C X B, X⟩ − ¼ sᵀ(Σ L C²)s − ¼ rᵀ(Σ L B²)r

where Σ is over the views, s and r are the sums of X over encodings and over people, and U is what people with known
encodings contribute. Squares of a side on which everybody is matched are constant and left out; without any this is
the quadratic assignment problem. The search is FAQ (Vogelstein and others 2015): Frank-Wolfe over doubly stochastic X
with exact line search, known pairs as seeds (Fishkind and others 2019), and partial matchings where one side has more
people than the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.known_pairs import log_likelihoods
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, View

PEOPLE = 800  # takes seconds; the time grows with their cube
IN_DOUBLE = 1_000  # more people are computed in single precision: half the memory and time
PROFILE, NEAR = 30, 10  # highest similarities of a person, and of those similar to them
OWN_KEYS = 8
SHARPNESS = (1.0, 0.5, 0.25)  # of a start, in turn: log-likelihood for each standard deviation of a feature
SCALINGS = 60
SOFT_ROUNDS, HARD_ROUNDS, MEAN_FIELD_ROUNDS, CHAIN_ROUNDS = 60, 15, 15, 2
FEW = 30  # known pairs, with which the start uses both what they predict and the shape of the graphs
FEWEST_SURE = 3
SMALLEST_STEP, SMALLEST_GAIN = 1e-3, 1e-3
NOISY = 40  # log-likelihood for each person up to which the likeliest matching fits noise
NEARLY = 0.95  # share of the best fit that a matching by posterior keeps where its assumptions hold
ASSUMES = "holds {people} in clear{pairs}, and knows how the encodings are made and beside whom relatives stand; no key"
TRIED = (
    "Frank-Wolfe over doubly stochastic matchings, started from how each person is placed among the others under keys "
    "of the attacker's own, or from what known pairs predict; then whole assignments; pairs on which two tries agree "
    "are taken as known"
)
MATRIX_BYTES, SECONDS_PER_CUBE = 110, 1e-8
SOURCE = (
    "Vogelstein and others (PLoS ONE 2015), with seeds Fishkind and others (Pattern Recognition 2019). A lower bound: "
    "more people and more tries name more"
)


def graph_matching(
    pool: CandidatePool,
    views: Sequence[View],
    draws: RandomStream,
    *,
    held: int = PEOPLE,
    encoded: int | None = None,
    known: int = 0,
    tries: int = 1,
) -> AttackResult:
    """How many people are named by the pattern of their similarities, all views together.

    The attacker has in clear the first ``held`` targets of the pool and the encodings of the first ``encoded``, and
    knows which of these belong to the first ``known``. Each of ``tries`` starts elsewhere. The attacker sees which try
    fits best, and so does this function.
    """
    held = min(held, pool.target_count)
    encoded = held if encoded is None else min(encoded, pool.target_count)
    encodings = known + draws.permutation(encoded - known)  # their order must not show whose they are
    puzzle = Puzzle(views, np.arange(known, held), encodings, np.arange(known))
    matching = search(puzzle, draws, tries)
    named = puzzle.people[matching.people] == encodings[matching.encodings]
    return AttackResult(
        attack="graph matching",
        tried=TRIED if tries == 1 else f"{TRIED}; up to {tries} tries, keeping the best fit",
        assumes=ASSUMES.format(people=_whom(held, encoded), pairs=f" and {known:,} known pairs" if known else ""),
        source=SOURCE,
        attacked=min(held, encoded) - known,
        named=int(named.sum()),
        candidates=held - known,
        known=known or None,
        partial=held != encoded,
    )


class Cost(NamedTuple):
    """What an attack takes, about: most memory in bytes, and seconds on one core."""

    memory: int
    seconds: int


def cost(people: int, *, views: int = 1, tries: int = 1) -> Cost:
    """What `graph_matching` takes where no pair is known, by its matrices of people × people and what was measured."""
    return Cost(
        memory=round((MATRIX_BYTES + 8 * views) * people**2),
        seconds=round(SECONDS_PER_CUBE * views * tries * people**3),
    )


def _whom(held: int, encoded: int) -> str:
    if held == encoded:
        return f"exactly these {held:,} people"
    if held > encoded:
        return f"{held:,} people, among them the {encoded:,} who were encoded,"
    return f"{held:,} of the {encoded:,} people who were encoded"


@dataclass(frozen=True)
class Matching:
    """Person and encoding of each matched pair, the log-likelihood that each pair of a person and an encoding would add
    to it, and its own."""

    people: Indices
    encodings: Indices
    gains: Floats
    fit: float


@dataclass(frozen=True)
class Graphs:
    """Two graphs without names in common: people in clear, and encodings whose person is unknown.

    ``clear`` has L C for each view, people × people, ``seen`` has B, encodings × encodings. ``known`` is U, people ×
    encodings. ``clear_squares`` and ``seen_squares`` are Σ L C² and Σ L B², None where they are constant.
    ``information`` is the log-likelihood that each person's edges give the right matching on average.
    """

    clear: tuple[Floats, ...]
    seen: tuple[Floats, ...]
    known: Floats
    clear_squares: Floats | None
    seen_squares: Floats | None
    information: float

    def spread(self, people: Indices, encodings: Indices) -> Floats:
        """Σ L C X B of a matching."""
        spread = np.zeros_like(self.known)
        for clear, seen in zip(self.clear, self.seen, strict=True):
            spread += clear[:, people] @ seen[encodings]
        return spread

    def spread_of(self, soft: Floats) -> Floats:
        """Σ L C X B of any X."""
        spread = np.zeros_like(self.known)
        for clear, seen in zip(self.clear, self.seen, strict=True):
            spread += clear @ soft @ seen
        return spread

    def gains(self, spread: Floats, people: Floats, encodings: Floats) -> Floats:
        """The gradient of f, where X has the sums ``people`` and ``encodings``."""
        gains = self.known + spread
        if self.clear_squares is not None:
            gains -= (self.clear_squares @ people)[:, None] / 2
        if self.seen_squares is not None:
            gains -= (self.seen_squares @ encodings)[None, :] / 2
        return np.asarray(gains)

    def squares(self, people: Floats, encodings: Floats) -> float:
        """The part of f that depends on the sums of X alone."""
        total = 0.0
        for squares, sums in ((self.clear_squares, people), (self.seen_squares, encodings)):
            total -= float(sums @ squares @ sums) / 4 if squares is not None else 0.0
        return total

    def matching(self, people: Indices, encodings: Indices) -> Matching:
        spread = self.spread(people, encodings)
        sums = self.sums(people, encodings)
        known, pairs = (float(part[people, encodings].sum(dtype=np.float64)) for part in (self.known, spread))
        return Matching(people, encodings, self.gains(spread, *sums), known + pairs / 2 + self.squares(*sums))

    def sums(self, people: Indices, encodings: Indices) -> tuple[Floats, Floats]:
        """1 for each person and each encoding that a matching has, else 0."""
        ones = np.zeros(self.known.shape[0], self.known.dtype), np.zeros(self.known.shape[1], self.known.dtype)
        ones[0][people], ones[1][encodings] = 1, 1
        return ones


def best_matching(graphs: Graphs, scores: Floats) -> Matching:
    """From scores, people × encodings, by Frank-Wolfe to a matching, which whole assignments then improve."""
    soft = _frank_wolfe(graphs, doubly_stochastic(scores).astype(graphs.known.dtype))
    best = matching = graphs.matching(*linear_sum_assignment(soft, maximize=True))
    for _ in range(HARD_ROUNDS):
        before, matching = matching, graphs.matching(*linear_sum_assignment(matching.gains, maximize=True))
        if matching.fit > best.fit:
            best = matching
        if np.array_equal(matching.encodings, before.encodings) and np.array_equal(matching.people, before.people):
            break
    return best


def _frank_wolfe(graphs: Graphs, soft: Floats) -> Floats:
    spread = graphs.spread_of(soft)
    for _ in range(SOFT_ROUNDS):
        sums = soft.sum(axis=1), soft.sum(axis=0)
        gains = graphs.gains(spread, *sums)
        corner = linear_sum_assignment(gains, maximize=True)
        slope = float(gains[corner].sum(dtype=np.float64) - np.vdot(gains, soft))
        change = graphs.spread(*corner) - spread
        bend = float(change[corner].sum(dtype=np.float64) - np.vdot(change, soft)) / 2
        bend += graphs.squares(*(new - old for new, old in zip(graphs.sums(*corner), sums, strict=True)))
        step = 1.0 if bend >= 0 else min(1.0, -slope / (2 * bend))  # f changes by slope · step + bend · step²
        soft, spread = soft * (1 - step), spread + change * step
        soft[corner] += step
        if step < SMALLEST_STEP or slope < SMALLEST_GAIN * abs(float(gains[corner].sum())):
            break
    return soft


def doubly_stochastic(scores: Floats) -> Floats:
    """exp(scores), scaled until rows and columns sum to 1, or to at most 1 on the side that has more (Sinkhorn)."""
    weights = np.exp(np.maximum(scores - scores.max(axis=1, keepdims=True), -60).astype(np.float64))
    weights = np.maximum(weights / weights.max(axis=0), 1e-26)
    rows: Floats = np.ones(len(weights))
    columns: Floats = np.ones(weights.shape[1])
    for _ in range(SCALINGS):
        rows = _scaled(weights @ columns, at_most=weights.shape[0] > weights.shape[1])
        columns = _scaled(rows @ weights, at_most=weights.shape[0] < weights.shape[1])
    return np.asarray(rows[:, None] * weights * columns)


def _scaled(sums: Floats, *, at_most: bool) -> Floats:
    return np.minimum(1, 1 / sums) if at_most else 1 / sums


def posterior(graphs: Graphs, matching: Matching) -> Matching:
    """The matching that names most people on average, not the most likely one: mean-field rounds, then assignment.

    Where noise is large, many matchings are as likely as the right one, and the likeliest fits noise. Each round gives
    a person their encodings in proportion to the likelihood under the round before (Gold and Rangarajan 1996), at
    half its weight, since a mean field is too certain.
    """
    soft: Floats = np.zeros_like(graphs.known)
    soft[matching.people, matching.encodings] = 1
    for _ in range(MEAN_FIELD_ROUNDS):
        gains = graphs.gains(graphs.spread_of(soft), soft.sum(axis=1), soft.sum(axis=0))
        soft = (soft + doubly_stochastic(gains / 2).astype(soft.dtype)) / 2
    return graphs.matching(*linear_sum_assignment(soft, maximize=True))


def _features(similarity: Floats, columns: Indices) -> Floats:
    """How each person is placed among those of ``columns``: highest similarities, and those of similar people."""
    similarity = similarity[:, columns]
    profile = -np.sort(-similarity, axis=1)[:, :PROFILE]
    weights = np.maximum(similarity, 0) ** 3
    weights /= weights.sum(axis=1, keepdims=True) + 1e-9
    near = weights @ profile[columns, :NEAR]
    return np.hstack([profile, near, weights @ near[columns]])


@dataclass(frozen=True)
class Puzzle:
    """What the attacker has: people in clear and encodings by their numbers in the pool, some known to be the same."""

    views: Sequence[View]
    people: Indices
    encodings: Indices
    known: Indices

    def graphs(self) -> Graphs:
        """Rows and columns are in the order of ``people`` and ``encodings``."""
        kind = np.float64 if max(len(self.people), len(self.encodings)) <= IN_DOUBLE else np.float32
        everyone, all_encodings = (np.concatenate([part, self.known]) for part in (self.people, self.encodings))
        people, encodings = len(self.people), len(self.encodings)
        clear: list[Floats] = []
        seen: list[Floats] = []
        known: Floats = np.zeros((people, encodings), dtype=kind)
        clear_squares: Floats | None = np.zeros((people, people), kind) if people > encodings else None
        seen_squares: Floats | None = np.zeros((encodings, encodings), kind) if encodings > people else None
        information = 0.0
        for view in self.views:
            rows = view.seen(all_encodings)
            length = rows.shape[1]
            covariance: Floats = view.covariance(everyone, everyone).astype(kind)
            np.fill_diagonal(covariance, 0)
            similarity: Floats = _similarity(rows, view.mean(everyone).mean()).astype(kind)
            to_known, of_known = covariance[:people, people:], similarity[encodings:, :encodings]
            known += length * (to_known @ of_known)
            clear.append(length * covariance[:people, :people])
            seen.append(np.ascontiguousarray(similarity[:encodings, :encodings]))
            if clear_squares is not None:
                known -= length / 2 * (to_known**2).sum(axis=1)[:, None]
                clear_squares += clear[-1] ** 2 / length
            if seen_squares is not None:
                known -= length / 2 * (of_known**2).sum(axis=0)[None, :]
                seen_squares += length * seen[-1] ** 2
            information += length * float((covariance[:people] ** 2).sum()) / (2 * people)
        return Graphs(tuple(clear), tuple(seen), known, clear_squares, seen_squares, information)

    def start(self, graphs: Graphs, number: int, draws: RandomStream) -> Floats:
        """Log-likelihoods to start from, people × encodings, by what is known and by the shape of the graphs.

        Where enough is known, only starts after the first look at the shape.
        """
        nobody = np.empty(0, dtype=np.int64)
        scores = np.zeros(graphs.known.shape)
        if len(self.known):
            scores += self.predicted(nobody, nobody)
        if len(self.known) < FEW or number:
            scores += self._by_shape(graphs, range(OWN_KEYS * number, OWN_KEYS * (number + 1)), draws)
        return scores

    def predicted(self, people: Indices, encodings: Indices) -> Floats:
        """Log-likelihoods from known pairs, people × encodings, once these pairs are known too."""
        known, seen = (np.concatenate([self.known, more]) for more in (people, encodings))
        return log_likelihoods(self.views, known, seen, self.people, self.encodings).T

    def _by_shape(self, graphs: Graphs, own_keys: range, draws: RandomStream) -> Floats:
        """How close the features of each person, encoded under keys of the attacker's own, are to each encoding's.

        Where one side has more people, the features are those among as many as the other side has, drawn at random.
        """
        fewest = min(graphs.known.shape)

        def columns(count: int) -> Indices:
            return np.sort(draws.permutation(count)[:fewest])

        samples, seen = [], []
        for number in own_keys:
            own, among = [], columns(len(self.people))
            for view in self.views:
                similarity = _similarity(view.own(self.people, number), view.mean(self.people).mean())
                np.fill_diagonal(similarity, 0)
                own.append(_features(similarity, among))
            samples.append(np.hstack(own))
            among = columns(len(self.encodings))
            seen.append(np.hstack([_features(similarity, among) for similarity in graphs.seen]))
        expected = np.mean(samples, axis=0)
        deviation = np.sqrt(((np.array(samples) - expected) ** 2).mean(axis=(0, 1))) + 1e-9
        return -cdist(expected / deviation, np.mean(seen, axis=0) / deviation, "cityblock")


def _similarity(rows: Floats, mean: float) -> Floats:
    rows = (rows - mean).astype(np.float32)
    similarity = rows @ rows.T / np.float32(rows.shape[1])
    np.fill_diagonal(similarity, 0)
    return np.asarray(similarity)


def search(puzzle: Puzzle, draws: RandomStream, tries: int) -> Matching:
    """The best of several tries. Pairs on which two tries agree are taken as known, and the next one starts from what
    they predict. If two tries agree on most pairs, both have succeeded."""
    graphs = puzzle.graphs()
    best: Matching | None = None
    start = graphs.known
    for number in range(tries):
        number_of_start, sharpness = divmod(number, len(SHARPNESS))
        if not sharpness:
            start = puzzle.start(graphs, number_of_start, draws)
        found = best_matching(graphs, start * SHARPNESS[sharpness])
        before, best = best, found if best is None or found.fit > best.fit else best
        if before is not None:
            sure = _agreed(before, found)
            if 2 * len(sure[0]) > len(found.people):
                break
            best = _chained(puzzle, graphs, best, sure)
    assert best is not None
    if graphs.information > NOISY:
        return best
    softer = posterior(graphs, best)
    return softer if softer.fit >= NEARLY * best.fit else best


def _chained(puzzle: Puzzle, graphs: Graphs, best: Matching, sure: tuple[Indices, Indices]) -> Matching:
    """From sure pairs to what they predict, from there to a matching, and again from what stays the same."""
    for _ in range(CHAIN_ROUNDS):
        if len(sure[0]) < FEWEST_SURE:
            break
        scores = puzzle.predicted(puzzle.people[sure[0]], puzzle.encodings[sure[1]])
        found = best_matching(graphs, scores)
        if found.fit <= best.fit:
            break
        best, sure = found, _agreed(best, found)
    return best


def _agreed(left: Matching, right: Matching) -> tuple[Indices, Indices]:
    """The pairs that both have."""
    encoding_of = np.full(max(left.people.max(), right.people.max()) + 1, -1)
    encoding_of[left.people] = left.encodings
    same = encoding_of[right.people] == right.encodings
    return right.people[same], right.encodings[same]
