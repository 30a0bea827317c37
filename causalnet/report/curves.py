"""Curves with intervals as one piece of inline SVG: returns by episode, F1 by episode, cost by size."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array
from ..base.asked import asks
from ..base.checks import entries, instance, numbers
from ..errors import DataError

# Okabe, Ito: eight colours that colour-blind readers tell apart; dashes repeat the distinction without colour
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a3457f", "#8a6d00", "#56b4e9", "#5a6470", "#c44e00")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "12 4", "1 3", "6 2 1 2")
WIDTH, HEIGHT = 640.0, 340.0
# where the axes are; right of EDGE stand the names of the lines, as wide as need be
LEFT, EDGE, TOP, FLOOR = 64.0, 490.0, 34.0, HEIGHT - 46.0
FEW = 12  # points of a curve up to which each is marked
LETTER, LONGEST = 6.2, 34  # pixels a character of a name, and characters after which it is shortened


@dataclass(frozen=True)
class Curve:
    """y over x, both (k,), with an optional band from low to high, each (k,); NaN points are left out."""

    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None


@dataclass(frozen=True, repr=False)
class Chart:
    """A drawn chart: notebooks show it, ``.svg`` is the picture."""

    svg: str

    def __repr__(self) -> str:
        return "Chart(shown in notebooks; .svg holds the picture)"

    def _repr_html_(self) -> str:
        return self.svg


@asks("curves", "title", "x_label", "y_label", "levels", "log_x", "log_y")
def chart(
    curves: Mapping[str, Curve],
    title: str,
    x_label: str,
    y_label: str,
    *,
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    y_range: tuple[float, float] | None = None,
    names: Sequence[str] = (),
) -> Chart:
    """Draw the curves on one pair of axes, each with its band and its name at its end.

    levels: named horizontal lines (a published figure, a control). y_range: cuts the view, not the data.
    names: the curves of several charts in one order, which gives a name the same colour in all of them.
    """
    y_range = None if y_range is None else (*numbers("y_range", y_range, (2,)).tolist(),)
    if y_range is not None and not y_range[0] < y_range[1]:
        raise DataError(f"y_range is {y_range}, and must be the least and then the greatest height")
    if not curves:
        raise DataError(f"the chart {title!r} has no curve to draw")
    levels = levels or {}
    for name, value in levels.items():
        if not math.isfinite(value):
            raise DataError(f"the level {name!r} of the chart {title!r} is {value}; leave it out")
    clean = {name: _clean(name, c) for name, c in curves.items()}
    heights = np.concatenate([*(y for _, *of_curve in clean.values() for y in of_curve), [*levels.values()]])
    x_axis = _Axis.over(np.concatenate([x for x, *_ in clean.values()]), log_x, LEFT, EDGE)
    y_axis = _Axis.over(heights if y_range is None else np.array(y_range), log_y, FLOOR, TOP)
    longest = max(min(len(name), LONGEST) for name in (*curves, *levels))
    width = max(WIDTH, EDGE + 12 + LETTER * longest)
    uid = f"c{zlib.crc32(repr((title, *curves)).encode())}"
    parts = [
        f'<clipPath id="{uid}"><rect x="{LEFT:g}" y="{TOP:g}" width="{EDGE - LEFT:g}" height="{FLOOR - TOP:g}"/></clipPath>',
        *_frame(x_axis, y_axis, x_label + " (log)" * log_x, y_label + " (log)" * log_y),
    ]
    ends: list[tuple[float, str, str]] = []
    order = list(dict.fromkeys((*map(str, entries("names", names, "names")), *curves)))
    for name, (x, y, low, high) in clean.items():
        k = order.index(name)
        colour, dash = COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]
        px, py = x_axis.at(x), y_axis.at(y)
        parts += _curve(px, py, y_axis.at(low), y_axis.at(high), f'clip-path="url(#{uid})"', colour, dash)
        ends.append((float(np.clip(py[-1], TOP, FLOOR)), name, colour))
    for name, value in levels.items():
        h = float(np.clip(y_axis.at(np.array([value]))[0], TOP, FLOOR))
        parts.append(
            f'<path d="M{LEFT:g} {h:.1f}H{EDGE:g}" stroke="currentColor" stroke-dasharray="2 4" opacity=".7"/>'
        )
        ends.append((h, name, "currentColor"))
    parts += [
        f'<text x="{EDGE + 6:g}" y="{h + 4:.1f}" fill="{colour}">{_shortened(name)}</text>'
        for h, name, colour in _spread(ends)
    ]
    return picture(width, HEIGHT, title, parts, LEFT)


def picture(width: float, height: float, title: str, parts: Sequence[str], left: float = 10.0) -> Chart:
    """Pieces of SVG under a title that starts ``left`` of the edge."""
    width = max(width, left + 7.2 * len(title) + 10)
    return Chart(
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title, quote=True)}" '
        f'style="max-width:{1.15 * width:.0f}px;width:100%;font:11.5px system-ui,sans-serif;color:inherit">'
        f'<text x="{left:g}" y="17" font-size="13" font-weight="600" fill="currentColor">{escape(title)}</text>'
        f"{''.join(parts)}</svg>"
    )


def _curve(x: Array, y: Array, low: Array, high: Array, clip: str, colour: str, dash: str) -> list[str]:
    """A line in pixels, its band if it has one, and its points where they are few."""
    parts = []
    if not (np.array_equal(low, y) and np.array_equal(high, y)):
        band = [*zip(x, low, strict=True), *zip(x[::-1], high[::-1], strict=True)]
        parts.append(f'<path {clip} d="{_path(band)}Z" fill="{colour}" opacity=".16"/>')
    parts.append(
        f'<path {clip} d="{_path(zip(x, y, strict=True))}" fill="none" stroke="{colour}" '
        f'stroke-width="1.9" stroke-dasharray="{dash}"/>'
    )
    few = zip(x, y, strict=True) if len(x) <= FEW else ()
    dot = '<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'
    return [*parts, *(dot.format(a, b, colour) for a, b in few if TOP <= b <= FLOOR)]


def _clean(name: str, curve: Curve) -> tuple[Array, Array, Array, Array]:
    instance(f"the curve {name!r}", curve, Curve, "a Curve(x, y)")
    x, y = np.asarray(curve.x, dtype=float), np.asarray(curve.y, dtype=float)
    low = y if curve.low is None else np.asarray(curve.low, dtype=float)
    high = y if curve.high is None else np.asarray(curve.high, dtype=float)
    if not x.shape == y.shape == low.shape == high.shape or x.ndim != 1:
        raise DataError(f"the curve {name!r} needs x, y, low and high of one length, got {x.shape}, {y.shape}")
    keep = np.isfinite(x) & np.isfinite(y)
    if not keep.any():
        raise DataError(f"the curve {name!r} has no finite point")
    x, y, low, high = x[keep], y[keep], low[keep], high[keep]
    return x, y, np.where(np.isfinite(low), low, y), np.where(np.isfinite(high), high, y)


@dataclass(frozen=True)
class _Axis:
    """Maps data to pixels, with round ticks."""

    low: float
    high: float
    log: bool
    start: float
    end: float

    @classmethod
    def over(cls, values: Array, log: bool, start: float, end: float) -> _Axis:
        if log and (values <= 0).any():
            raise DataError("a logarithmic axis needs positive values")
        v = np.log10(values) if log else values
        low, high = float(v.min()), float(v.max())
        pad = 0.04 * (high - low) or 0.5
        return cls(low if start < end else low - pad, high + pad, log, start, end)

    def at(self, values: Array) -> Array:
        v = np.log10(np.maximum(values, 1e-300)) if self.log else values
        return self.start + (v - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """(value, label) at round numbers inside the range."""
        if self.log:
            marks = (1,) if self.high - self.low > 2 else (1, 2, 5)
            values = [m * 10.0**p for p in range(math.floor(self.low), math.ceil(self.high) + 1) for m in marks]
            values = [v for v in values if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]
            if self.start < self.end and (  # an x axis starts at its first point: named unless a tick is near
                not values or math.log10(values[0]) - self.low > 0.08 * (self.high - self.low)
            ):
                values.insert(0, 10**self.low)
            return [(v, f"{v:g}") for v in values]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step = next(s for m in (1, 2, 5, 10) if (self.high - self.low) / (s := m * step) <= 6)
        first = math.ceil(self.low / step)
        return [(n * step, f"{n * step:g}") for n in range(first, math.floor(self.high / step) + 1)]


def _frame(x_axis: _Axis, y_axis: _Axis, x_label: str, y_label: str) -> list[str]:
    parts = []
    for value, label in y_axis.ticks():
        h = y_axis.at(np.array([value]))[0]
        parts.append(f'<path d="M{LEFT:g} {h:.1f}H{EDGE:g}" stroke="currentColor" opacity=".13"/>')
        parts.append(f'<text x="{LEFT - 6:g}" y="{h + 4:.1f}" text-anchor="end" fill="currentColor">{label}</text>')
    for value, label in x_axis.ticks():
        w = x_axis.at(np.array([value]))[0]
        parts.append(f'<path d="M{w:.1f} {FLOOR:g}v4" stroke="currentColor"/>')
        parts.append(f'<text x="{w:.1f}" y="{FLOOR + 17:g}" text-anchor="middle" fill="currentColor">{label}</text>')
    middle = (LEFT + EDGE) / 2
    return [
        *parts,
        f'<path d="M{LEFT:g} {TOP:g}V{FLOOR:g}H{EDGE:g}" fill="none" stroke="currentColor"/>',
        f'<text x="{middle:g}" y="{HEIGHT - 10:g}" text-anchor="middle" fill="currentColor">{escape(x_label)}</text>',
        f'<text transform="translate(11 {(TOP + FLOOR) / 2:g}) rotate(-90)" text-anchor="middle" '
        f'fill="currentColor">{escape(y_label)}</text>',
    ]


def _path(points: Sequence[tuple[float, float]] | zip[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _shortened(name: str) -> str:
    """A name as SVG text: past ``LONGEST`` characters an ellipsis, and the whole name where the pointer rests."""
    if len(name) <= LONGEST:
        return escape(name)
    return f"<title>{escape(name)}</title>{escape(name[: LONGEST - 1].rstrip())}…"


def _spread(ends: list[tuple[float, str, str]], gap: float = 13.5) -> list[tuple[float, str, str]]:
    """Names at the ends of lines moved apart until none covers another, in the order of the lines."""
    placed: list[tuple[float, str, str]] = []
    for h, name, colour in sorted(ends):
        placed.append((max(h, placed[-1][0] + gap) if placed else h, name, colour))
    limit = HEIGHT - 8
    for k, (h, name, colour) in reversed([*enumerate(placed)]):  # where the lowest reach past the edge: back up
        placed[k] = (min(h, limit), name, colour)
        limit = placed[k][0] - gap
    return placed
