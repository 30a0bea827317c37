"""Charts of a comparison as inline SVG: accuracy against runtime with its front, and mean ranks with the critical difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640.0, 330.0
LEFT, RIGHT, TOP, FLOOR = 52.0, 16.0, 14.0, 284.0


@dataclass(frozen=True)
class Point:
    """A method: seconds, its score between 0 and 1, what chance scores at its size (low, high), whether it is a control."""

    name: str
    seconds: float
    value: float
    chance: tuple[float, float]
    control: bool = False


def find_front(points: Sequence[Point]) -> list[Point]:
    """Methods, fastest first, to which no other is both as fast and better; a control is no part of it."""
    front: list[Point] = []
    for point in sorted((p for p in points if not p.control), key=lambda p: (p.seconds, -p.value)):
        if not front or point.value > front[-1].value:
            front.append(point)
    return front


def chart_pareto(points: Sequence[Point], metric: str, uid: str) -> str:
    """Score against seconds (logarithmic), the front as a stair, a grey bar from 5 % to 95 % of what chance scores; '' of none."""
    known = [p for p in points if math.isfinite(p.value) and math.isfinite(p.seconds)]
    if not known:
        return ""
    logs = [math.log10(max(p.seconds, 1e-6)) for p in known]
    low, high = math.floor(min(logs)), math.ceil(max(logs) + 1e-9)
    high = max(high, low + 1)

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT - 90) * (math.log10(max(seconds, 1e-6)) - low) / (high - low)

    def y(value: float) -> float:
        return FLOOR - (FLOOR - TOP) * min(max(value, 0.0), 1.0)

    edge = WIDTH - RIGHT
    parts = [_axes([(x(10.0**k), f"{10.0**k:g}") for k in range(low, high + 1)], y, edge, metric)]
    for p in known:
        if all(map(math.isfinite, p.chance)):
            bottom, top = y(p.chance[0]), y(p.chance[1])
            parts.append(
                f'<rect class="c" x="{x(p.seconds) - 5:.1f}" y="{top:.1f}" width="10" height="{bottom - top:.1f}"/>'
            )
    front = find_front(known)
    if front:
        stair = f"M{x(front[0].seconds):.1f},{y(front[0].value):.1f}"
        stair += "".join(f"H{x(p.seconds):.1f}V{y(p.value):.1f}" for p in front[1:])
        parts.append(f'<path class="front" d="{stair}H{edge:.1f}"/>')
    labels = _spread([(y(p.value), p) for p in known])
    for height, p in labels:
        told = f"{p.name}: {metric} {p.value:.3f} in {p.seconds:.3g} s"
        kind = "hollow" if p.control else "d"
        parts.append(
            f'<g class="pt"><title>{escape(told)}</title><circle class="{kind}" cx="{x(p.seconds):.1f}" cy="{y(p.value):.1f}" r="4.5"/>'
            f'<text x="{x(p.seconds) + 8:.1f}" y="{height + 4:.1f}">{escape(_cut(p.name))}</text></g>'
        )
    return _svg("".join(parts), HEIGHT, uid, f"{metric} against seconds of learning", "Up and to the left is better.")


def chart_ranks(
    methods: Sequence[str], means: Sequence[float], apart: float, groups: Sequence[tuple[int, int]], uid: str
) -> str:
    """Mean ranks on a line from 1, best to the left; a bar joins methods that are not told apart (Demsar 2006, figure 1)."""
    k = len(methods)
    half = (k + 1) // 2
    line = 66.0 + 11.0 * len(groups)
    height = line + 20.0 * half + 16.0
    left, right = 170.0, WIDTH - 170.0

    def x(rank: float) -> float:
        return left + (right - left) * (rank - 1) / max(k - 1, 1)

    parts = [f'<path class="ax" d="M{left:g},36H{right:g}"/>']
    for rank in range(1, k + 1):
        parts.append(
            f'<path class="ax" d="M{x(rank):.1f},36v-5"/><text class="m" x="{x(rank):.1f}" y="27">{rank}</text>'
        )
    end = min(x(1 + apart), WIDTH - 4)
    parts.append(f'<path class="front" d="M{left:g},8H{end:.1f}M{left:g},4v8M{end:.1f},4v8"/>')
    parts.append(f'<text x="{left - 8:g}" y="12" text-anchor="end">critical difference {apart:.2f}</text>')
    for g, (first, last) in enumerate(groups):
        at = 46.0 + 11.0 * g
        parts.append(f'<path class="tie" d="M{x(means[first]) - 3:.1f},{at:g}H{x(means[last]) + 3:.1f}"/>')
    for i, (name, mean) in enumerate(zip(methods, means, strict=True)):
        row = i if i < half else k - 1 - i
        at, to, anchor = line + 20.0 * row, (left - 10 if i < half else right + 10), "end" if i < half else "start"
        text = to - 4 if i < half else to + 4
        parts.append(
            f'<path class="ax" d="M{x(mean):.1f},36V{at:g}H{to:g}"/>'
            f'<text x="{text:g}" y="{at + 4:g}" text-anchor="{anchor}"><title>{escape(name)}</title>{escape(_cut(name))} {mean:.2f}</text>'
        )
    told = "Methods under one bar are closer than the critical difference."
    return _svg("".join(parts), height, uid, "Mean ranks over the data sets", told)


def _axes(ticks: Sequence[tuple[float, str]], y: object, edge: float, metric: str) -> str:
    assert callable(y)
    parts = [f'<path class="ax" d="M{LEFT:g},{TOP:g}V{FLOOR:g}H{edge:g}"/>']
    for v in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<path class="grid" d="M{LEFT:g},{y(v):.1f}H{edge:g}"/><text class="t" x="{LEFT - 6:g}" y="{y(v) + 4:.1f}">{v:g}</text>'
        )
    for at, label in ticks:
        parts.append(
            f'<path class="ax" d="M{at:.1f},{FLOOR:g}v5"/><text class="m" x="{at:.1f}" y="{FLOOR + 18:g}">{label}</text>'
        )
    middle = (TOP + FLOOR) / 2
    parts.append(f'<text class="m" x="{(LEFT + edge) / 2:g}" y="{HEIGHT - 8:g}">seconds of learning</text>')
    parts.append(f'<text class="m" transform="translate(13 {middle:g}) rotate(-90)">{escape(metric)}</text>')
    return "".join(parts)


def _svg(inside: str, height: float, uid: str, title: str, desc: str) -> str:
    return (
        f'<svg class="chart own" role="img" aria-labelledby="{uid}-t {uid}-d" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {WIDTH:g} {height:g}" style="max-width:{WIDTH:g}px"><title id="{uid}-t">{escape(title)}</title>'
        f'<desc id="{uid}-d">{escape(desc)}</desc>{inside}</svg>'
    )


def _cut(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _spread(found: list[tuple[float, Point]], gap: float = 12.0) -> list[tuple[float, Point]]:
    """Heights of the names moved apart until none covers another."""
    placed: list[tuple[float, Point]] = []
    for height, point in sorted(found, key=lambda item: item[0]):
        placed.append((max(height, placed[-1][0] + gap) if placed else height, point))
    limit = FLOOR - 2
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = (min(placed[k][0], limit), placed[k][1])
        limit = placed[k][0] - gap
    return placed
