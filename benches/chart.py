"""The ratios of a run as horizontal bars, in SVG: right of 1 Watchword is faster, left of 1 slower."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from libraries import BARE, CACHED
from measured import Measured
from rounds import Times, ratio

WIDTH, MARGIN, LABELS, ROW = 900, 16, 250, 20
#: Room for a figure beside the longest bar.
FIGURE = 64

STYLE = """
  text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .section { font-weight: 600 } .quiet { fill: #59636e }
  .paper { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #59636e }
  .faster { fill: #0969da } .slower { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .paper { fill: #0d1117 } .grid { stroke: #3d444d } .one { stroke: #9198a1 }
    .faster { fill: #4493f8 } .slower { fill: #db6d28 }
  }
"""


@dataclass(frozen=True)
class Bar:
    label: str
    value: float


Section = tuple[str, list[Bar]]


def draw(measured: Measured, machine: dict[str, Any]) -> str:
    """Return the chart of the groups that ran."""
    drawn = [(name, bars) for name, bars in _sections(measured) if bars]
    return _svg(drawn, machine) if drawn else ""


def _sections(measured: Measured) -> Iterator[Section]:
    for algorithm in ("EdDSA", "ES256", "RS256", "PS256"):
        # RSA has no tables.
        others = ["Watchword, cold key"] if algorithm.startswith("E") else []
        others += ["PyJWT", "joserfc", "Authlib", "jwcrypto", "python-jose", BARE]
        bars = _bars(measured.get(("verify", algorithm), {}), "Watchword", {name: name for name in others})
        yield f"{algorithm}: a whole verification from Python", bars
    for name, title in (("Ed25519", "Ed25519"), ("P-256", "P-256"), ("RSA-2048 PKCS#1", "RSA-2048")):
        for state, ours in (("prepared", "Watchword"), ("never seen", "Watchword, from the key's bytes")):
            found = measured.get((f"signature in Rust, key {state}", name), {})
            crates = {other: other for other in found if not other.startswith("Watchword")}
            yield f"{title}: signature in Rust, key {state}", _bars(found, ours, crates)
    cached = measured.get(("cached token", "EdDSA"), {})
    yield "A token that was verified before", _bars(cached, CACHED, {"fast-jwt, token cached": "fast-jwt's cache"})
    many = {
        "Watchword verify_many, 1 thread": "verify_many on 1 thread",
        "PyJWT in a loop": "PyJWT in a loop",
        "PyJWT in two threads' loops": "PyJWT in two threads' loops",
    }
    batch = measured.get(("batch of 512", "EdDSA"), {})
    yield "512 tokens, EdDSA, verify_many on 2 threads", _bars(batch, "Watchword verify_many, 2 threads", many)
    yield "Other packages' own verbs", list(_verbs(measured))


def _verbs(measured: Measured) -> Iterator[Bar]:
    for question, peer in (("resource: allows", "authpi-idp"), ("slot: covers", "agentwrit")):
        for number in (1, 20):
            label = {peer: f"{question}, {number} held: {peer}"}
            yield from _bars(measured.get((f"scopes, {question}", f"{number} held"), {}), "Watchword", label)
    for state in ("never seen", "seen before"):
        label = {f"authgent, key {state}": f"DPoP proof, key {state}: authgent"}
        yield from _bars(measured.get(("DPoP proof", "ES256"), {}), f"Watchword, key {state}", label)


def _bars(found: Times, ours: str, labels: dict[str, str]) -> list[Bar]:
    if ours not in found:
        return []
    return [Bar(label, ratio(found, name, ours)) for name, label in labels.items() if name in found]


class _Scale:
    """Return the position of a ratio: logarithmic, so that half as fast is as far from 1 as twice as fast."""

    def __init__(self, values: list[float]) -> None:
        self._low, self._high = math.log(min(0.5, *values)), math.log(max(2, *values))
        self._left = MARGIN + LABELS + FIGURE
        self._width = WIDTH - MARGIN - FIGURE - self._left

    def x(self, value: float) -> float:
        return round(self._left + (math.log(value) - self._low) / (self._high - self._low) * self._width, 1)

    def marks(self) -> Iterator[float]:
        for power in range(-3, 5):
            for step in (1, 2, 5):
                value = step * 10.0**power
                if self._low - 1e-9 <= math.log(value) <= self._high + 1e-9:
                    yield value


def _svg(sections: list[Section], machine: dict[str, Any]) -> str:
    scale = _Scale([bar.value for _, bars in sections for bar in bars])
    body: list[str] = []
    top = y = 84
    for name, bars in sections:
        y += ROW
        body.append(_text(MARGIN, y, name, "section"))
        for bar in bars:
            y += ROW
            body += _bar(scale, bar, y)
        y += ROW // 2
    grid = [_mark(scale, value, top, y) for value in scale.marks()]
    ran_on = ", ".join(machine[name] for name in ("processor", "python", "rust") if machine[name])
    caption = f"{ran_on}, {machine['when'][:10]}; medians of interleaved rounds"
    legend = "To the right of 1 Watchword is the faster, to the left the slower. The scale is logarithmic."
    height = y + 2 * ROW
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            _text(MARGIN, 28, "How many times as long as Watchword they take", "title"),
            _text(MARGIN, 48, legend, "quiet"),
            *grid,
            *body,
            _text(MARGIN, height - 14, caption, "quiet"),
            "</svg>\n",
        ]
    )


def _bar(scale: _Scale, bar: Bar, y: int) -> list[str]:
    one, end = scale.x(1), scale.x(bar.value)
    faster = bar.value >= 1
    left, width = min(one, end), max(abs(end - one), 1)
    figure = (
        f"{bar.value:.0f} ×" if bar.value >= 100 else f"{bar.value:.2g} ×" if bar.value < 1 else f"{bar.value:.3g} ×"
    )
    return [
        _text(MARGIN + LABELS, y, bar.label, anchor="end"),
        f'<rect class="{"faster" if faster else "slower"}" x="{left}" y="{y - 11}" width="{width:.1f}" height="13"/>',
        _text(end + (6 if faster else -6), y, figure, anchor="start" if faster else "end"),
    ]


def _mark(scale: _Scale, value: float, top: int, bottom: int) -> str:
    x, kind = scale.x(value), "one" if value == 1 else "grid"
    line = f'<line class="{kind}" x1="{x}" y1="{top - 8}" x2="{x}" y2="{bottom}"/>'
    return line + _text(x, top - 14, f"{value:g}", "quiet", anchor="middle")


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(text)}</text>'
