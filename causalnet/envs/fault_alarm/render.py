"""A picture of the fault-alarm network that a person can read: the devices where their links put them, alarms as dots.

Left: the topology; around each device one dot per present alarm type, larger with the count. Right: the device-by-type
grid of counts, and the legend of the types with their totals. The cell repaired last is ringed.
"""

from __future__ import annotations

import colorsys
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ...base.arrays import AnyArray, Array
from .core import FaultAlarm

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from .instance import Instance

WIDTH, HEIGHT, MAP, TOP = 1120, 760, 690, 64  # pixels; MAP: width of the topology
INK, FAINT, PALE = (32, 36, 44), (150, 156, 166), (222, 225, 230)


def draw_frame(core: FaultAlarm, action: int | None) -> NDArray[np.uint8]:
    """A frame (760, 1120, 3) of the first copy of the batch; ``action`` is the cell repaired last."""
    from PIL import Image, ImageDraw

    counts = core.counts_now()[0]
    image = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    instance, colours = core.instance, _colours(core.instance.n_types)
    _headline(draw, core, counts, action)
    _map(draw, instance, counts, colours, action)
    _legend(draw, instance, counts, colours)
    _grid(draw, instance, counts, colours, action)
    return np.asarray(image)


def _headline(draw: ImageDraw, core: FaultAlarm, counts: AnyArray, action: int | None) -> None:
    state = core.state_dict()
    step, clock, total = int(state["steps"][0]), int(state["clock"][0]), int(counts.sum())
    word = "alarm" if total == 1 else "alarms"
    where = f"on {int((counts.sum(axis=1) > 0).sum())} of {len(counts)} devices"
    draw.text((20, 12), f"step {step} of {core.max_steps}    {total} {word} {where}    t = {clock} s", INK, _font(20))
    text = "no repair yet"
    if action is not None:
        device, kind = divmod(action, core.instance.n_types)
        text = f"repaired last: {core.variables[kind]} on device {core.instance.devices[device]} (ringed)"
    draw.text((20, 38), text, FAINT, _font(14))


def _map(draw: ImageDraw, instance: Instance, counts: AnyArray, colours: list[Any], action: int | None) -> None:
    """The topology: grey links, a disc per device, a coloured dot per alarm type around it."""
    where = _layout(instance)
    index = {name: i for i, name in enumerate(instance.devices)}
    for a, b in instance.topology.edges:
        draw.line([tuple(where[index[a]]), tuple(where[index[b]])], fill=PALE, width=2)
    many = instance.n_devices > 120
    size = 2 if many else 9
    for device, (x, y) in enumerate(where):
        alarmed = counts[device].any()
        outline = INK if alarmed else FAINT
        draw.ellipse([x - size, y - size, x + size, y + size], fill=(255, 255, 255), outline=outline, width=1)
        if not many:
            draw.text((x, y), str(device), outline, _font(10), anchor="mm")
        kinds = np.flatnonzero(counts[device])
        for k, kind in enumerate(kinds):
            turn = 2 * math.pi * k / max(len(kinds), 6) - math.pi / 2
            far = 3 if many else size + 7
            px, py = x + far * math.cos(turn), y + far * math.sin(turn)
            r = (2.0 if many else 4.0) + min(math.sqrt(counts[device, kind] - 1) * 1.6, 5.0)
            draw.ellipse([px - r, py - r, px + r, py + r], fill=colours[kind])
    if action is not None:
        x, y = where[action // instance.n_types]
        r = size + 15
        draw.ellipse([x - r, y - r, x + r, y + r], outline=(200, 30, 30), width=2)


def _legend(draw: ImageDraw, instance: Instance, counts: AnyArray, colours: list[Any]) -> None:
    """One line a type, causes first: colour, name, alarms."""
    pitch = min(19, 350 // instance.n_types)
    draw.text((MAP + 20, TOP + 6), "alarm types, causes first", FAINT, _font(12))
    for row, kind in enumerate(instance.order):
        y, n = TOP + 28 + row * pitch, int(counts[:, kind].sum())
        if pitch >= 12:
            draw.rectangle([MAP + 20, y, MAP + 32, y + pitch - 6], fill=colours[kind])
            draw.text((MAP + 42, y - 3), instance.types[kind], INK if n else FAINT, _font(13))
            draw.text((MAP + 290, y - 3), str(n) if n else "-", INK if n else FAINT, _font(13), anchor="ra")


def _grid(draw: ImageDraw, instance: Instance, counts: AnyArray, colours: list[Any], action: int | None) -> None:
    """Types down, causes first, devices across: a coloured square where there are alarms."""
    d, v = counts.shape
    row = np.argsort(instance.order)  # (V,) place of each type
    left, top = MAP + 20, TOP + 410
    wide, high = (WIDTH - left - 16) / d, (HEIGHT - top - 20) / v
    draw.text((left, top - 22), f"{v} types (rows, as above) by {d} devices (columns)", FAINT, _font(12))
    draw.rectangle([left - 1, top - 1, left + wide * d, top + high * v], outline=PALE)
    for device, kind in np.argwhere(counts > 0):
        x, y = left + wide * device, top + high * row[kind]
        draw.rectangle([x, y, x + max(wide - 1, 1), y + max(high - 1, 1)], fill=colours[kind])
    if action is not None:
        x, y = left + wide * (action // v), top + high * row[action % v]
        draw.rectangle([x - 2, y - 2, x + wide + 1, y + high + 1], outline=(200, 30, 30), width=2)


def _colours(n: int) -> list[tuple[int, ...]]:
    """n distinct colours, neighbours far apart."""
    hues = [(k * 0.618034) % 1.0 for k in range(n)]
    light = (0.42, 0.58, 0.34)
    return [tuple(int(255 * c) for c in colorsys.hls_to_rgb(h, light[k % 3], 0.72)) for k, h in enumerate(hues)]


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


@lru_cache(maxsize=4)
def _layout(instance: Instance) -> Array:
    """(D, 2) pixels: each connected part laid out alone, the parts packed in rows, largest first."""
    parts = sorted(nx.connected_components(instance.topology), key=lambda part: (-len(part), sorted(part)))
    index = {name: i for i, name in enumerate(instance.devices)}
    where = np.zeros((instance.n_devices, 2))
    box = np.array([MAP - 40.0, HEIGHT - TOP - 50.0])
    rest = len(parts) - 1
    strip = min(0.4, 0.16 * math.ceil(rest / 7))  # share of the height for the rest
    columns = 7 if rest <= 14 else math.ceil(math.sqrt(2 * rest))
    for k, part in enumerate(parts):
        corner, area = np.array([20.0, TOP + 10.0]), box * (1.0, 1.0 - strip)
        if k > 0:
            corner[1] += area[1]
            area = box * (1.0 / columns, strip / math.ceil(rest / columns))
            corner += area * divmod(k - 1, columns)[::-1]
        names = sorted(part, key=index.__getitem__)
        links = nx.to_scipy_sparse_array(instance.topology, names, weight=None)  # in order: a subgraph is a set
        spot = _place(nx.from_scipy_sparse_array(links))
        where[[index[name] for name in names]] = corner + area * (0.08 + 0.84 * spot)
    return where


def _place(links: nx.Graph) -> Array:
    """(n, 2) positions in the unit square: by stress for up to 300 devices, else by springs."""
    if len(links) == 1:
        return np.full((1, 2), 0.5)
    small = len(links) <= 300
    found = nx.kamada_kawai_layout(links) if small else nx.spring_layout(links, seed=0, iterations=15)
    spot = np.array([found[i] for i in range(len(links))])
    low, high = spot.min(axis=0), spot.max(axis=0)
    return np.where(high - low > 1e-9, (spot - low) / np.maximum(high - low, 1e-9), 0.5)
