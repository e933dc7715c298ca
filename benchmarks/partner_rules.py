"""The rules that were tried for assigning partners and estimating chance, on the same candidates.

They show why the package has its rule. Each rule gives partners of the real rows and the number of matches expected by
chance at each threshold; the lowest threshold with (factor · (chance + 1)) / matched at most 5% is used.

- joint runs: one decoy per row is assigned together with all real rows, 20 times.
- mutual best: partners are each other's best among real rows and decoys.
- one assignment: all decoys in one assignment with the real rows, one decoy per row.
- arrivals: each decoy joins the finished assignment of the real rows alone; with π0 this is the package's rule.
- mix-max: the same, and present people whose own row lies below a stranger's are counted too (Keich, Kertesz-Farkas &
  Noble 2015, J. Proteome Res. 14:3148): if a person's partner at s is a stranger, their own row is below s with
  probability H(s) / G(s) − π0, where H and G are the shares of real rows and of decoys below s.
"""

from __future__ import annotations

import numpy as np

from pprl.judge import assignment as p
from pprl.judge.error_rates import estimate_pi0, rank_among_own_decoys
from pprl.judge.labels import open_labels
from pprl.judge.matches import FLOOR

RULES = ("joint runs", "joint runs × π0", "mutual best", "one assignment", "arrivals", "arrivals × π0", "mix-max")
RUNS = 20
RATE = 0.05


def compare(scores, rows, their_rows, truth, people_of_registry) -> dict[str, tuple[float, float, float, float]]:
    """F1, true false-match rate, net found and how many of the found are present, by rule."""
    rows, case, handles = open_labels(scores, rows)
    real, decoys = case.real, case.decoys
    place = {handle.tobytes(): row for handle, row in zip(their_rows.handles, their_rows.rows.tolist(), strict=True)}
    known = np.append([people_of_registry[place[handle.tobytes()]] for handle in handles], -2)
    own_truth = truth[rows.rows[case.records]]
    floor = float(np.quantile(decoys.best(), FLOOR))
    floors = np.full(len(real), floor), np.full(len(decoys), floor)
    alone = p.assign(real, floors[0])
    dealt = deal(case.owner, len(real))
    pi0 = estimate_pi0(rank_among_own_decoys(real.best(), decoys.best(), case.owner, 0.5).sum(), len(real), 0.5)
    joint = np.concatenate([together(real, decoys, floors, chosen)[1] for chosen in dealt])
    first_partners, first_decoys = together(real, decoys, floors, dealt[0])
    mutual_real, mutual_decoys = mutual_best(real, decoys, floor)
    arrived = p.lone_arrivals(decoys, floors[1], p.prices(real, floors[0], alone))
    tried = {
        "joint runs": (alone, joint, 1.0),
        "joint runs × π0": (alone, joint, pi0),
        "mutual best": (mutual_real, mutual_decoys, 1.0),
        "one assignment": (first_partners, first_decoys, 1.0),
        "arrivals": (alone, arrived, 1.0),
        "arrivals × π0": (alone, arrived, pi0),
        "mix-max": (alone, arrived, pi0 + overtaken(alone.dice, arrived)),
    }
    return {rule: outcome(*tried[rule], own_truth, known) for rule in RULES}


def outcome(partners, chance, factor, truth, known):
    thresholds = np.unique(partners.dice[partners.dice > 0])
    found = np.array([(partners.dice >= threshold).sum() for threshold in thresholds])
    order = np.argsort(-chance)
    counted = np.append(0.0, np.cumsum(np.broadcast_to(factor, chance.shape)[order])) / len(chance) * len(truth)
    reached = np.searchsorted(-chance[order], -thresholds, side="right")
    false = counted[reached] + np.min(factor)
    meets = np.flatnonzero(false / found <= RATE)
    if not len(meets):
        return 0.0, 0.0, 0.0, 0.0
    chosen = partners.dice >= thresholds[meets[0]]
    right = int((chosen & (truth >= 0) & (known[partners.ids] == truth)).sum())
    count = int(chosen.sum())
    f1 = 2 * right / (count + int((truth >= 0).sum()))
    return f1, 1 - right / count, max(0.0, count - false[meets[0]]), int((chosen & (truth >= 0)).sum())


def overtaken(dice, chance):
    """For each decoy the share of real rows whose own row lies below it, beyond those who have none (at the median)."""

    def below(limits):
        real = np.searchsorted(np.sort(dice), limits) / len(dice)
        return real / np.maximum(1, np.searchsorted(np.sort(chance), limits)) * len(chance)

    return np.maximum(0.0, np.minimum(1.0, below(chance)) - below(np.median(chance)))


def deal(person, people):
    """Decoys dealt into runs, one of each person a run."""
    order = np.argsort(person, kind="stable")
    counts = np.bincount(person, minlength=people)
    turn = np.empty(len(person), dtype=int)
    turn[order] = np.arange(len(person)) - (np.cumsum(counts) - counts)[person[order]]
    return [np.flatnonzero(turn == run) for run in range(min(RUNS, int(counts.max())))]


def together(real, decoys, floors, chosen):
    """One assignment of real rows and chosen decoys: partners of the former, similarities of the latter."""
    both = p.Candidates(
        np.concatenate([real.ids, decoys.ids[chosen]]), np.concatenate([real.dice, decoys.dice[chosen]])
    )
    partners = p.assign(both, np.concatenate([floors[0], floors[1][chosen]]))
    n = len(real)
    return p.Partners(partners.ids[:n], partners.dice[:n]), partners.dice[n:]


def mutual_best(real, decoys, floor):
    """Partners that are each other's best among all rows; ties go to nobody."""
    ids = np.concatenate([real.ids, decoys.ids])
    dice = np.concatenate([real.dice, decoys.dice])
    best = np.zeros(ids.max() + 2)
    np.maximum.at(best, ids.ravel(), dice.ravel())
    top = (ids[:, 0] != p.NONE) & (dice[:, 0] > floor) & (dice[:, 0] == best[ids[:, 0]])
    suitors = np.bincount(ids[top, 0], minlength=len(best))
    mutual = top & (suitors[ids[:, 0]] == 1)
    n = len(real)
    partners = p.Partners(np.where(mutual[:n], ids[:n, 0], p.NONE), np.where(mutual[:n], dice[:n, 0], 0.0))
    return partners, np.where(mutual[n:], dice[n:, 0], 0.0)
