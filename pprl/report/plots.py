"""The plots, as SVG images inside the page.

Inline SVG would bring style attributes, which the page's policy forbids; an image is a document of its own. It cannot
know the page's colours or width, so the page has every plot four times: light and dark, wide and narrow. Text stays
text, in the browser's own font. It is measured in DejaVu Sans, which comes with matplotlib and is wider than most
fonts, so the bytes are the same on every machine.

Colours are Okabe and Ito's (2008), lightened for dark backgrounds; shape and labels say the same.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pprl.report.fields import Estimate, Number

MOST_ROWS = 30  # of a forest plot; the table has all rows
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pprl",
    "text.parse_math": False,  # a label may hold a dollar sign
    "font.family": "DejaVu Sans",
    "axes.unicode_minus": True,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Ink:
    """The colours on one background."""

    text: str
    faint: str
    rule: str
    people: str
    decoys: str
    accent: str


LIGHT = Ink(text="#1c1c1a", faint="#5c5c57", rule="#d9d8d2", people="#0b5c96", decoys="#b35309", accent="#1c1c1a")
DARK = Ink(text="#ecebe6", faint="#adaca5", rule="#45453f", people="#6cb8ec", decoys="#f0a35c", accent="#ecebe6")
ON_DARK = dict(zip(astuple(LIGHT), astuple(DARK), strict=True))  # each colour of LIGHT is used for one thing only


@dataclass(frozen=True)
class Size:
    """The width of a drawing in CSS pixels, and the size of its text, which is the page's."""

    width: int
    text: float
    label: int  # characters of a label before it is cut


WIDE = Size(width=680, text=13, label=40)
NARROW = Size(width=340, text=12, label=14)


@dataclass(frozen=True)
class Plot:
    """One plot in its four drawings, each a data address for the page."""

    light: str
    dark: str
    narrow_light: str
    narrow_dark: str


Draw = Callable[["Sheet"], None]


@dataclass(frozen=True)
class Sheet:
    """The axes to draw on, with colours and size."""

    axes: Axes
    ink: Ink
    size: Size
    stacked: bool = False

    def name(self, row: int, label: str, colour: str, weight: str = "normal") -> None:
        """The name of a row: left of the axes, or above the row where there is no room."""
        most = 44 if self.stacked else self.size.label
        text = label if len(label) <= most else label[: most - 1] + "…"
        shift, y, side = (0, row - 0.36, "left") if self.stacked else (-10, row, "right")
        self.axes.annotate(
            text,
            (0, y),
            (shift, 0),
            xycoords=self.axes.get_yaxis_transform(),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=self.size.text,
            color=colour,
            fontweight=weight,
        )


def plot(height: int, draw: Draw, *, left: Sequence[str] = ()) -> Plot:
    """Draw wide and narrow, each on both backgrounds. ``height`` is in CSS pixels; ``left`` are the names of rows,
    which need room."""
    ink = LIGHT  # drawn in these colours, which are then replaced by those of the dark background
    longest = max(map(len, left), default=0)

    def drawing(size: Size) -> str:
        stacked = size is NARROW and longest > size.label
        tall = height + 14 * len(left) * stacked
        with mpl.rc_context(), warnings.catch_warnings():
            mpl.rcdefaults()  # whatever settings the user has
            mpl.rcParams.update(SETTINGS)
            warnings.simplefilter("ignore")  # a letter that DejaVu lacks; the browser has a font for it
            figure = Figure(figsize=(size.width / 72, tall / 72), dpi=72)
            FigureCanvasSVG(figure)
            figure.patch.set_alpha(0)
            if stacked:
                margin = 16.0
            else:
                margin = 20 + min(longest, size.label) * size.text * 0.62 if left else 12 + 3.4 * size.text
            bottom = (14 + 3.0 * size.text) / tall
            axes = figure.add_axes(
                (margin / size.width, bottom, 1 - (margin + 28) / size.width, 1 - bottom - 2.2 * size.text / tall)
            )
            axes.patch.set_alpha(0)
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
            axes.spines["bottom"].set_color(ink.rule)
            axes.tick_params(colors=ink.faint, labelsize=size.text - 1, length=0, pad=6)
            axes.set_axisbelow(True)
            draw(Sheet(axes, ink, size, stacked))
            out = io.StringIO()
            figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return out.getvalue().replace("'DejaVu Sans'", FONT).replace('pt"', '"', 2)  # its width and height, in pixels

    wide, narrow = drawing(WIDE), drawing(NARROW)
    return Plot(_address(wide), _address(_on_dark(wide)), _address(narrow), _address(_on_dark(narrow)))


def _on_dark(svg: str) -> str:
    """The same drawing in the colours of a dark background; inside tags only, so that labels stay as they are."""

    def tag(found: re.Match[str]) -> str:
        return re.sub("#[0-9a-f]{6}", lambda colour: ON_DARK.get(colour[0], colour[0]), found[0])

    return re.sub("<[^>]*>", tag, svg)


def _address(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@dataclass(frozen=True)
class Histogram:
    """Counts of people and of decoys between the same edges."""

    edges: Sequence[Number]
    real: Sequence[Number]
    decoys: Sequence[Number]


@dataclass(frozen=True, kw_only=True)
class HistogramLabels:
    people: str
    decoys: str
    threshold: str
    axis: str


def histogram(
    data: Histogram,
    *,
    threshold: Number | None,
    count: Callable[[float], str],
    similarity: Callable[[float], str],
    labels: HistogramLabels,
) -> Plot:
    """People as filled steps, decoys as a line over them, each labelled at its own peak."""

    def draw(sheet: Sheet) -> None:
        axes, ink, edges = sheet.axes, sheet.ink, data.edges
        top = max(*data.real, *data.decoys, 1)
        axes.stairs(data.real, edges, fill=True, color=ink.people, alpha=0.3)
        axes.stairs(data.real, edges, color=ink.people, linewidth=1.6)
        axes.stairs(data.decoys, edges, color=ink.decoys, linewidth=1.8, linestyle=(0, (4, 2)))
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, top * 1.24)
        _grid(sheet, "y")
        _peak_labels(sheet, data, top, threshold, labels)
        if threshold is not None and edges[0] <= threshold <= edges[-1]:
            _mark(sheet, threshold, labels.threshold, top=True)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        _similarity_axis(sheet, similarity)
        _x_label(sheet, labels.axis)

    return plot(300, draw)


def _peak_labels(sheet: Sheet, data: Histogram, top: Number, threshold: Number | None, labels: HistogramLabels) -> None:
    """Each curve's name over its highest step, clear of the threshold, of the edges and of the other name."""
    axes, ink, size, edges = sheet.axes, sheet.ink, sheet.size, data.edges
    pixel = (edges[-1] - edges[0]) / (size.width * axes.get_position().width)
    taken: list[tuple[float, float, float]] = []
    for counts, label, colour in ((data.real, labels.people, ink.people), (data.decoys, labels.decoys, ink.decoys)):
        peak = max(range(len(counts)), key=lambda i: (counts[i], i))
        x, y = (edges[peak] + edges[peak + 1]) / 2, counts[peak] + top * 0.04
        half = len(label) * size.text * 0.39 * pixel
        side = 0.0  # −1: the label ends at x, 1: it begins there, 0: it is centred
        if threshold is not None and abs(x - threshold) < half:  # beside the line, not across it
            side = 1.0 if x >= threshold else -1.0
            x = threshold + 4 * pixel * side
        elif x + half > edges[-1]:
            side, x = -1.0, edges[-1] + 24 * pixel
        elif x - half < edges[0]:
            side, x = 1.0, edges[0]
        for other, width, height in taken:
            if abs(x + side * half - other) < half + width and abs(y - height) < top * 0.1:
                y = height + top * 0.1
        taken.append((x + side * half, half, y))
        alignment = ("right", "center", "left")[round(side) + 1]
        axes.text(x, y, label, color=colour, ha=alignment, fontsize=size.text, fontweight="bold")


@dataclass(frozen=True, kw_only=True)
class CurveLabels:
    asked: str
    used: str
    axis: str


def curve(
    points: Sequence[tuple[Number, Number]],
    *,
    asked: Number | None,
    used: Number | None,
    percent: Callable[[float], str],
    number: Callable[[float], str],
    labels: CurveLabels,
) -> Plot:
    """The false-match rate by threshold; a horizontal line is the rate asked for, a vertical one the threshold."""

    def draw(sheet: Sheet) -> None:
        axes, ink, size = sheet.axes, sheet.ink, sheet.size
        xs, ys = [x for x, _ in points], [y for _, y in points]
        top = min(1.0, max(*ys, 1.5 * (asked or 0), 0.02) * 1.15)
        low, high = min(xs), max(xs)
        room = (high - low) * 0.03 or 0.01
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(0, top)
        _grid(sheet, "y")
        axes.plot(xs, ys, color=ink.people, linewidth=2, marker="o", markersize=3.5, clip_on=False)
        if asked is not None:
            axes.axhline(asked, color=ink.decoys, linewidth=1.4, linestyle=(0, (4, 2)))
            axes.text(high + room, asked + top * 0.02, labels.asked, color=ink.decoys, ha="right", va="bottom",
                      fontsize=size.text, fontweight="bold")  # fmt: skip
        if used is not None and low <= used <= high:
            _mark(sheet, used, labels.used, top=True)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        _similarity_axis(sheet, lambda value: number(round(value, 6)))
        _x_label(sheet, labels.axis)

    return plot(280, draw)


def _similarity_axis(sheet: Sheet, number: Callable[[float], str]) -> None:
    sheet.axes.xaxis.set_major_locator(MaxNLocator(5 if sheet.size is NARROW else 9))
    sheet.axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


@dataclass(frozen=True)
class Row:
    """A line of a forest plot: an estimate, a remark instead of one, or a heading over the lines below it."""

    label: str
    estimate: Estimate | None = None
    remark: str = ""
    heading: bool = False


def forest(
    rows: Sequence[Row],
    *,
    reference: Number | None,
    reference_label: str,
    number: Callable[[float], str],
    axis: str,
    limits: tuple[float, float] | None = None,
) -> Plot:
    """Estimates with their intervals, one below the other, and a vertical line for the reference."""
    rows = rows[:MOST_ROWS]

    def draw(sheet: Sheet) -> None:
        axes, size = sheet.axes, sheet.size
        axes.set_xlim(*(limits or _limits(rows, reference)))
        axes.set_ylim(len(rows) - 0.5, -0.75 if sheet.stacked else -0.6)
        _grid(sheet, "x")
        if reference is not None:
            _mark(sheet, reference, reference_label, top=False)
        for y, row in enumerate(rows):
            _draw_row(sheet, y, row)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 6))))
        _x_label(sheet, axis)

    return plot(90 + 28 * len(rows), draw, left=[row.label for row in rows])


def _limits(rows: Sequence[Row], reference: Number | None) -> tuple[float, float]:
    """From 0, or the lowest end, to the highest end of all intervals."""
    ends = [end for row in rows for end in row.estimate or () if end is not None]
    ends += [] if reference is None else [reference]
    low, high = min(0, *ends, 0), max(*ends, 0, 0)
    return float(low * 1.05), float(high * 1.05 or 1)


def _draw_row(sheet: Sheet, y: int, row: Row) -> None:
    axes, ink, estimate = sheet.axes, sheet.ink, row.estimate
    if row.heading:
        sheet.name(y, row.label, ink.faint, "bold")
    else:
        sheet.name(y, row.label, ink.text)
    if row.remark:
        axes.text(0.01, y, row.remark, transform=axes.get_yaxis_transform(), ha="left", va="center",
                  fontsize=sheet.size.text - 1, color=ink.faint, fontstyle="italic")  # fmt: skip
    if estimate is None:
        return
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [y, y], color=ink.people, linewidth=2, solid_capstyle="butt")
    axes.plot([estimate.value], [y], color=ink.people, marker="o", markersize=7, clip_on=False)


@dataclass(frozen=True)
class Pair:
    """What was observed and what chance gives, on one line."""

    label: str
    seen: Number
    chance: Number | None


def dumbbell(
    pairs: Sequence[Pair], *, seen_label: str, chance_label: str, percent: Callable[[float], str], axis: str
) -> Plot:
    """Agreement and chance: a filled circle, a hollow one, and a line between them."""
    pairs = pairs[:MOST_ROWS]

    def draw(sheet: Sheet) -> None:
        axes = sheet.axes
        axes.set_xlim(0, 1)
        axes.set_ylim(len(pairs) - 0.4, -1.1 if sheet.stacked else -0.75)
        _grid(sheet, "x")
        for y, pair in enumerate(pairs):
            _draw_pair(sheet, y, pair)
        _name_ends(sheet, pairs[0], seen_label, chance_label)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 6))))
        _x_label(sheet, axis)

    return plot(100 + 36 * len(pairs), draw, left=[pair.label for pair in pairs])


def _draw_pair(sheet: Sheet, y: int, pair: Pair) -> None:
    axes, ink = sheet.axes, sheet.ink
    sheet.name(y, pair.label, ink.text)
    if pair.chance is not None:
        axes.plot([pair.chance, pair.seen], [y, y], color=ink.rule, linewidth=3, solid_capstyle="butt")
        axes.plot([pair.chance], [y], color=ink.decoys, marker="o", markersize=8, markerfacecolor="none",
                  markeredgewidth=2, clip_on=False)  # fmt: skip
    axes.plot([pair.seen], [y], color=ink.people, marker="o", markersize=9, clip_on=False)


def _name_ends(sheet: Sheet, first: Pair, seen_label: str, chance_label: str) -> None:
    """The names of the two circles over the first pair, apart where the circles are close."""
    axes, ink, size = sheet.axes, sheet.ink, sheet.size
    room = len(max(seen_label, chance_label, key=len)) * size.text * 0.36 / size.width
    apart = first.chance is None or abs(first.seen - first.chance) > 2.2 * room
    for x, other, label, colour in (
        (first.seen, first.chance, seen_label, ink.people),
        (first.chance, first.seen, chance_label, ink.decoys),
    ):
        if x is None:
            continue
        shift = 0.0 if apart or other is None else 1.1 * room * (1 if x >= other else -1)
        centre = min(max(x + shift, room), 1 - room)
        axes.text(centre, -0.62 if sheet.stacked else -0.42, label, color=colour, ha="center", va="bottom",
                  fontsize=size.text, fontweight="bold")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A curve with its name at its end; ``points`` are x, share, low, high."""

    label: str
    points: Sequence[tuple[Number, Number, Number, Number]]
    stressed: bool = False


def ladder(
    lines: Sequence[Line], *, percent: Callable[[float], str], number: Callable[[float], str], axis: str
) -> Plot:
    """Shares on a logarithmic axis, each curve with its interval and its name."""

    def draw(sheet: Sheet) -> None:
        axes, ink, size = sheet.axes, sheet.ink, sheet.size
        steps = sorted({x for line in lines for x, *_ in line.points})
        axes.set_xscale("log")
        axes.set_xlim(steps[0] / 1.15, steps[-1] * (1.45 if size is NARROW else 1.3))
        axes.set_ylim(0, 1)
        _grid(sheet, "y")
        taken: list[float] = []
        for i, line in enumerate(lines):
            colour = ink.people if line.stressed else ink.faint
            xs, shares, lows, highs = zip(*line.points, strict=True)
            axes.fill_between(xs, lows, highs, color=colour, alpha=0.15, linewidth=0)
            axes.plot(xs, shares, color=colour, linewidth=2.4 if line.stressed else 1.4, marker="osD^"[i % 4],
                      markersize=4.5, linestyle="-" if line.stressed else (0, (4, 2)), clip_on=False)  # fmt: skip
            y = shares[-1]
            while any(abs(y - other) < 0.07 for other in taken):
                y -= 0.01
            taken.append(y)
            axes.text(xs[-1] * 1.06, y, line.label, color=colour, va="center", fontsize=size.text,
                      fontweight="bold" if line.stressed else "normal")  # fmt: skip
        axes.set_xticks(steps, [number(step) for step in steps])
        axes.set_xticks([], minor=True)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 6))))
        _x_label(sheet, axis)

    return plot(320, draw)


def _grid(sheet: Sheet, which: str) -> None:
    getattr(sheet.axes, f"{which}axis").grid(True, color=sheet.ink.rule, linewidth=0.8)


def _mark(sheet: Sheet, x: Number, label: str, *, top: bool) -> None:
    """A vertical line at x with its label above the axes, on the side where there is room."""
    axes, ink, size = sheet.axes, sheet.ink, sheet.size
    low, high = axes.get_xlim()
    axes.axvline(x, color=ink.accent, linewidth=1.2, linestyle="-" if top else (0, (1, 2)))
    position = (x - low) / (high - low)
    half = len(label) * size.text * 0.3 / size.width
    side = "left" if position < half else "right" if position > 1 - half else "center"
    axes.text(x, 1.015, label, transform=axes.get_xaxis_transform(), ha=side, va="bottom", fontsize=size.text,
              color=ink.accent)  # fmt: skip


def _x_label(sheet: Sheet, text: str) -> None:
    sheet.axes.set_xlabel(text, color=sheet.ink.faint, fontsize=sheet.size.text - 1, labelpad=8)
