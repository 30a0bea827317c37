"""A road network as one piece of inline SVG: roads, lights, the lanes that are open, and the queues before them."""

from __future__ import annotations

from html import escape

import numpy as np

from ....base.arrays import Array, Ints
from ....base.asked import asks
from ....report.curves import COLOURS, Chart, picture
from .network import RoadNetwork

ROAD, OPEN_LANE, QUEUE = "currentColor", COLOURS[2], COLOURS[1]
SPACE = 7.5  # metres that a standing vehicle takes
WIDTH, HEIGHT, EDGE, TOP = 620.0, 560.0, 16.0, 34.0


@asks()
def draw_roads(network: RoadNetwork, queue: Array, phase: Ints, title: str) -> Chart:
    """queue (n, m): vehicles standing on each lane of a light; phase (n,): what each shows."""
    corners = np.concatenate(list(network.shapes.values()))
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = min((WIDTH - 2 * EDGE) / max(high[0] - low[0], 1.0), HEIGHT / max(high[1] - low[1], 1.0))

    def at(points: Array) -> Array:  # north is up
        return np.column_stack([EDGE + (points[:, 0] - low[0]) * scale, TOP + (high[1] - points[:, 1]) * scale])

    parts = [f'<g fill="none" stroke="{ROAD}" stroke-width="1" opacity=".28">']
    parts += [f'<path d="{_line(at(shape))}"/>' for shape in network.shapes.values()]
    parts.append('</g><g fill="none" stroke-width="2">')
    spots = []
    for i, light in enumerate(network.lights):
        stops = []
        for j, lane in enumerate(light.lanes):
            shape = at(network.shapes[lane])
            stops.append(shape[-1])
            if network.green[i, phase[i], j]:
                parts.append(f'<path d="{_line(_last(shape, 12.0))}" stroke="{OPEN_LANE}"/>')
            if queue[i, j] >= 0.5:
                line = _last(shape, max(4.0, SPACE * float(queue[i, j]) * scale))
                told = f"<title>{queue[i, j]:.0f} stand on {escape(lane)}</title>"
                parts.append(f'<path d="{_line(line)}" stroke="{QUEUE}" stroke-width="3.4">{told}</path>')
        spots.append(np.mean(stops, axis=0))
    parts.append("</g>")
    for i, light in enumerate(network.lights):
        x, y = spots[i]
        told = f"light {light.name}: phase {phase[i]} of {len(light.phases)}, {queue[i].sum():.0f} vehicles stand"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{COLOURS[0]}"><title>{escape(told)}</title></circle>'
        )
    height = TOP + (high[1] - low[1]) * scale + EDGE
    return picture(2 * EDGE + (high[0] - low[0]) * scale, height, title, parts)


def _line(points: Array) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _last(points: Array, length: float) -> Array:
    """The last piece, ``length`` long, of a line in pixels."""
    kept = [points[-1]]
    for start, end in zip(points[-2::-1], points[:0:-1], strict=True):
        step = float(np.hypot(*(end - start)))
        if step >= length:
            kept.append(end + (start - end) * (length / max(step, 1e-9)))
            break
        kept.append(start)
        length -= step
    return np.array(kept[::-1])
