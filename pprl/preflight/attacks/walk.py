"""The walk: from known pairs to people similar to them, from these to others, however many people there are.

Who shares rare values with somebody (kin, namesakes, neighbours) is similar to them in clear and in the encodings. If
nearly everybody has somebody like that, an attacker who holds everybody walks from a few known pairs to most of them
(percolation graph matching: Yartseva and Grossglauser 2013). Here the marks that a pair gets from pairs already taken
are weighed by likelihood: in each round the people about whom the taken ones say most are predicted from those most
similar to them, by the best linear prediction of `known_pairs`, and those who fit one encoding with near certainty,
both ways, are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.graph import PEOPLE, Puzzle, search
from pprl.preflight.attacks.known_pairs import MIN_VARIANCE, RIDGE
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, View

NEAR = 150  # taken people from whom somebody is predicted
AT_ONCE = 1_000  # people tried in one round
MORE = 1.1  # by how much more must be known about somebody before they are tried again
CERTAINTY = 0.99
MOST = 10_000  # people taken after whom the walk ends: it does not stop by itself any more
BLOCK, SOLVED, ROWS = 200, 50, 4_096  # people whose covariance, and whose prediction, is worked out; encodings compared
DRAWN_PEOPLE, DRAWN_ENCODINGS, MAX_BITS = 2_000, 20_000, 2_048
TRIES, SUREST = 2, 8  # of graph matching, of whose pairs one in eight is kept
ASSUMES = "holds exactly these {held:,} people in clear, knows how the encodings are made, and {known:,} pairs; no key"
TRIED = (
    f"in rounds, the best linear prediction from the {NEAR} most similar people taken so far; those named with "
    f"{CERTAINTY:.0%} certainty, among people and among encodings, are taken; if that ends soon, also from the surest "
    f"eighth of pairs when the {PEOPLE} people and encodings most similar to everybody are matched as graphs"
)
SOURCE = "percolation graph matching (Yartseva and Grossglauser, COSN 2013), with likelihoods instead of marks"


@dataclass(frozen=True)
class Walk:
    """People and encodings in the order in which they were taken, beginning with the ``known`` pairs that were given.

    ``result`` is about the people attacked, of whom those not taken are given the encoding that fits them best.
    """

    people: Indices
    encodings: Indices
    known: int
    result: AttackResult

    @property
    def right(self) -> int:
        """How many pairs were taken rightly, beyond the known ones."""
        return int((self.people == self.encodings)[self.known :].sum())

    @property
    def wrong(self) -> int:
        return len(self.people) - self.known - self.right


@dataclass(frozen=True)
class Hubs:
    """People and encodings from the one most similar to everybody on, by the mean square of their similarities.

    Many of the first people own one of the first encodings, so graph matching of these two groups gives pairs to walk
    from where few or none are known.
    """

    people: Indices
    encodings: Indices

    @classmethod
    def of(cls, pool: CandidatePool, view: View, draws: RandomStream, count: int = PEOPLE) -> Hubs:
        """The first ``count`` of each, measured on drawn people, and on up to ``MAX_BITS`` bits of drawn encodings."""
        people = np.arange(pool.target_count)
        mean = float(view.mean(people).mean())
        drawn = np.sort(draws.permutation(len(people))[:DRAWN_PEOPLE])
        clear: Floats = np.zeros(len(people))
        for some in _blocks(drawn, BLOCK):
            covariance = view.covariance(some, people)
            covariance[np.arange(len(some)), some] = 0
            clear += np.square(covariance).sum(axis=0)

        def rows(encodings: Indices) -> Floats:
            return np.asarray(view.seen(encodings)[:, :MAX_BITS], dtype=np.float32) - np.float32(mean)

        drawn = np.sort(draws.permutation(len(people))[:DRAWN_ENCODINGS])
        of_bits: Floats = np.sum([rows(some).T @ rows(some) for some in _blocks(drawn, ROWS)], axis=0)
        seen = [np.einsum("ij,ij->i", rows(some) @ of_bits, rows(some)) for some in _blocks(people, ROWS)]
        by_seen, by_clear = (np.argsort(-central, kind="stable") for central in (np.concatenate(seen), clear))
        return cls(by_clear[:count], by_seen[:count])

    def matched(self, view: View, known: Indices, draws: RandomStream) -> tuple[Indices, Indices]:
        """The surest pairs of the best matching: those whose similarities to all others correlate most."""
        people, encodings = (np.setdiff1d(side, known) for side in (self.people, self.encodings))
        encodings = encodings[draws.permutation(len(encodings))]  # their order must not show whose they are
        puzzle = Puzzle([view], people, encodings, known)
        found, graphs = search(puzzle, draws, TRIES), puzzle.graphs()
        clear = graphs.clear[0][np.ix_(found.people, found.people)]
        seen = graphs.seen[0][np.ix_(found.encodings, found.encodings)]
        alike = [
            np.corrcoef(np.delete([a, b], at, axis=1))[0, 1] for at, (a, b) in enumerate(zip(clear, seen, strict=True))
        ]
        surest = np.argsort(-np.array(alike), kind="stable")[: len(alike) // SUREST]
        return people[found.people[surest]], encodings[found.encodings[surest]]


def walk(
    pool: CandidatePool,
    view: View,
    known: Indices,
    targets: Indices,
    draws: RandomStream,
    *,
    hubs: Hubs | None = None,
    most: int = MOST,
) -> Walk:
    """How many of ``targets`` are named by a walk from the ``known``, both numbers of targets of the pool.

    The attacker holds all targets of the pool in clear and all their encodings, and nobody else's. If the walk ends
    before ``most`` people are taken, another one begins from the known and from matched ``hubs``. Many of these may be
    wrong, so the attacker keeps that walk only if it does not stop by itself before half of all people. Person and
    encoding of the same number belong together, which nothing here uses but the count at the end.
    """
    taken = _Taken.walked(pool, view, (known, known), most)
    if taken.walked_over < most:
        hubs = hubs or Hubs.of(pool, view, draws)
        pairs = [np.concatenate([known, more]) for more in hubs.matched(view, known, draws)]
        other = _Taken.walked(pool, view, (pairs[0], pairs[1]), most)
        if other.walked_over >= min(most, pool.target_count // 2):
            taken = other
    left = np.setdiff1d(targets, taken.people)
    best = np.concatenate([left[:0], *(_best(taken, some) for some in _blocks(left, AT_ONCE))])
    in_walk = np.isin(targets, taken.people[taken.people == taken.encodings])
    result = AttackResult(
        attack="walk",
        tried=TRIED,
        assumes=ASSUMES.format(held=pool.target_count, known=len(known)),
        source=SOURCE,
        attacked=len(targets),
        named=int(in_walk.sum() + (best == left).sum()),
        candidates=pool.target_count - len(known),
        known=len(known) or None,
    )
    return Walk(taken.people, taken.encodings, len(known), result)


def _blocks(numbers: Indices, size: int) -> list[Indices]:
    return [numbers[top : top + size] for top in range(0, len(numbers), size)]


class _Taken:
    """The pairs taken so far, and for everybody the most similar of these people."""

    def __init__(self, view: View, count: int) -> None:
        self.view, self.count = view, count
        self.people, self.encodings = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self.free = np.ones(count, dtype=bool)  # encodings
        self.mean = view.mean(np.arange(count)).astype(np.float32)
        self.average = np.mean([rows.mean(axis=0) for _, rows in self._rows()], axis=0)  # of all encodings
        self.length = len(self.average)
        self._bits = np.empty((0, self.length), dtype=np.float32)  # of the taken, less what is expected of anybody
        self._between = np.empty((0, 0), dtype=np.float32)  # covariance of the taken
        self._near = np.zeros((count, NEAR), dtype=np.int32)  # numbers of the taken
        self._covariance = np.zeros((count, NEAR), dtype=np.float32)
        self._tried = np.zeros(count)
        self.walked_over = 0  # how many were taken after the beginning

    @classmethod
    def walked(cls, pool: CandidatePool, view: View, begin: tuple[Indices, Indices], most: int) -> _Taken:
        """From the pairs of a beginning until nobody is certain, or ``most`` are taken besides."""
        taken = cls(view, pool.target_count)
        taken.add(*begin)
        while taken.walked_over < most and len(tried := taken.promising()):
            pairs = _certain(taken, tried)
            taken.add(*pairs)
            taken.walked_over += len(pairs[0])
        return taken

    def add(self, people: Indices, encodings: Indices) -> None:
        for top in range(0, len(people), BLOCK):
            self._add(people[top : top + BLOCK], encodings[top : top + BLOCK])

    def _add(self, people: Indices, encodings: Indices) -> None:
        numbers = np.arange(len(self.people), len(self.people) + len(people), dtype=np.int32)
        self.people = np.concatenate([self.people, people])
        self.encodings = np.concatenate([self.encodings, encodings])
        self.free[encodings] = False
        bits = self.view.seen(encodings).astype(np.float32) - self.mean[people, None]
        self._bits = np.concatenate([self._bits, bits])
        self._between = np.pad(self._between, (0, len(people)))
        self._between[numbers] = self.view.covariance(people, self.people)
        self._between[:, numbers] = self._between[numbers].T
        for top in range(0, self.count, 20 * ROWS):
            part = slice(top, min(top + 20 * ROWS, self.count))
            new = self.view.covariance(np.arange(part.start, part.stop), people).astype(np.float32)
            values = np.concatenate([self._covariance[part], new], axis=1)
            both = np.concatenate([self._near[part], np.broadcast_to(numbers, new.shape)], axis=1)
            keep = np.argpartition(-values, NEAR - 1, axis=1)[:, :NEAR]
            self._covariance[part] = np.take_along_axis(values, keep, axis=1)
            self._near[part] = np.take_along_axis(both, keep, axis=1)
        self._covariance[self.people] = 0  # nobody is looked for twice

    def promising(self) -> Indices:
        """Whom to try next: those about whom the taken say most, if it may be enough to tell them from all others."""
        told = self.length / 2 * np.einsum("ij,ij->i", self._covariance, self._covariance)  # log-likelihood, at most
        told[(told < np.log(self.count) / 2) | (told < MORE * self._tried)] = 0
        chosen = np.argsort(-told, kind="stable")[:AT_ONCE]
        chosen = chosen[told[chosen] > 0]
        self._tried[chosen] = told[chosen]
        return np.asarray(chosen)

    def predicted(self, people: Indices) -> tuple[Floats, Floats]:
        """The bits expected of some people, shape (people, length), and their variance, shape (people,)."""
        mean = self.mean[people]
        if not len(self.people):
            return np.repeat(mean[:, None], self.length, axis=1), 1 - mean**2
        near, covariance = self._near[people], self._covariance[people].astype(np.float64)
        weights = np.empty(covariance.shape)
        for top in range(0, len(people), SOLVED):
            some = near[top : top + SOLVED]
            between = self._between[some[:, :, None], some[:, None, :]].astype(np.float64) + RIDGE * np.eye(NEAR)
            part = covariance[top : top + SOLVED]
            between *= (part > 0)[:, :, None] & (part > 0)[:, None, :]
            between += np.eye(NEAR) * (part <= 0)[:, None, :]
            weights[top : top + SOLVED] = np.linalg.solve(between, part[:, :, None])[:, :, 0]
        starts = np.arange(0, near.size + 1, NEAR)
        of_taken = sparse.csr_array(
            (weights.ravel().astype(np.float32), near.ravel(), starts), shape=(len(people), len(self.people))
        )
        variance = np.maximum(1 - mean**2 - (weights * covariance).sum(axis=1), MIN_VARIANCE)
        return of_taken @ self._bits + mean[:, None], variance

    def scores(self, people: Indices) -> Iterator[tuple[Indices, Floats]]:
        """How much likelier free encodings are if they belong to each of these people than to just anybody: a block of
        encodings, and logarithms of shape (people, encodings)."""
        predicted, variance = self.predicted(people)
        anybody = float(np.mean(1 - self.average**2))
        slopes = (predicted / variance[:, None] - self.average / anybody).astype(np.float32).T
        level = (self.length + np.square(self.average).sum()) / (2 * anybody) + self.length / 2 * np.log(anybody)
        level -= (self.length + np.square(predicted).sum(axis=1)) / (2 * variance) + self.length / 2 * np.log(variance)
        for encodings, rows in self._rows():
            free = self.free[encodings]
            if free.any():
                yield encodings[free], (rows[free] @ slopes + level.astype(np.float32)).T

    def _rows(self) -> Iterator[tuple[Indices, Floats]]:
        for top in range(0, self.count, ROWS):
            encodings = np.arange(top, min(top + ROWS, self.count))
            yield encodings, self.view.seen(encodings).astype(np.float32)


def _certain(taken: _Taken, people: Indices) -> tuple[Indices, Indices]:
    """Those of ``people`` whose encoding is certain, and it: likelier than all others together, and its person likelier
    than all others together, of whom those not tried are just anybody."""
    best, encoding = np.full(len(people), -np.inf), np.zeros(len(people), dtype=np.int64)
    total, others = np.full(len(people), -np.inf), np.zeros(len(people))
    for encodings, scores in taken.scores(people):
        at = scores.argmax(axis=1)
        top = scores[np.arange(len(people)), at].astype(np.float64)
        rivals = np.logaddexp(_log_sum(scores[:, at], axis=0), np.log(taken.count))
        total = np.logaddexp(total, _log_sum(scores, axis=1))
        better = top > best
        best, encoding, others = (
            np.where(better, new, old) for new, old in ((top, best), (encodings[at], encoding), (rivals, others))
        )
    sure = best - np.maximum(total, others) > np.log(CERTAINTY)
    return people[sure], encoding[sure]


def _best(taken: _Taken, people: Indices) -> Indices:
    """The encoding that fits each person best."""
    best, encoding = np.full(len(people), -np.inf), np.zeros(len(people), dtype=np.int64)
    for encodings, scores in taken.scores(people):
        at = scores.argmax(axis=1)
        top = scores[np.arange(len(people)), at]
        encoding, best = np.where(top > best, encodings[at], encoding), np.maximum(top, best)
    return encoding


def _log_sum(scores: Floats, axis: int) -> Floats:
    """The logarithm of the sum of exp(scores)."""
    most = scores.max(axis=axis, keepdims=True)
    return np.asarray(most.squeeze(axis) + np.log(np.exp(scores - most).sum(axis=axis, dtype=np.float64)))
