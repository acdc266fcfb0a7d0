# SPDX-License-Identifier: Apache-2.0
"""Statistics drawn to a file: SVG or PNG, by matplotlib."""

from __future__ import annotations

import io
import itertools
import math
import warnings
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moc_meter import errors
from moc_meter.client import readable
from moc_meter.client.plot import Series, bounds, over_time
from moc_meter.client.times import Period

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS: Final = ('.svg', '.png')
_WIDTH: Final = 9.0             # inches
_HEIGHT: Final = 4.5            # of one unit
_BAR: Final = 0.3               # of one group
_NAME: Final = 0.22             # of one group beside a course of time
#: The same figures give the same bytes, and names are not formulas.
_SETTINGS: Final[dict[Any, Any]] = {
    'svg.hashsalt': 'moc_meter', 'svg.fonttype': 'none',
    'text.parse_math': False}
_METADATA: Final[dict[str, dict[str, str | None]]] = {
    '.svg': {'Date': None, 'Creator': 'moc_meter'},
    '.png': {'Software': 'moc_meter'}}


def check() -> None:
    """Raise MissingLibrary where none can be drawn; to ask before all else."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise errors.MissingLibrary(
            'a plot in a file needs matplotlib',
            install="pip install 'moc_meter[plot]'") from None


def write(drawn: Sequence[Series], path: Path, *, title: str,
          within: Period) -> None:
    """Draw to a file: over time, or, without a course of it, by group.

    within: what was asked for.
    path: ends in one of FORMATS.
    Raises what check() does, and InvalidQuery where it cannot be written.
    """
    check()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    units = list(dict.fromkeys(one.unit for one in drawn))
    high = (max(_HEIGHT, 1 + _NAME * len(drawn)) if over_time(drawn)
            else 1.5 + _BAR * len(drawn))
    made, ending = io.BytesIO(), path.suffix.lower()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A font need not have every letter of a name.
        warnings.filterwarnings('ignore', r'Glyph \d+', UserWarning)
        figure = Figure(figsize=(_WIDTH, high * max(1, len(units))),
                        layout='constrained')
        figure.suptitle(title)
        for place, unit in enumerate(units):
            axes = figure.add_subplot(len(units), 1, place + 1)
            same = [one for one in drawn if one.unit == unit]
            if over_time(drawn):
                _course(axes, same, within)
            else:
                _groups(axes, same)
        figure.savefig(made, format=ending[1:], metadata=_METADATA[ending])
    try:
        path.write_bytes(made.getvalue())
    except OSError as fault:
        raise errors.InvalidQuery('the plot cannot be written',
                                  path=str(path), reason=fault.strerror
                                  ) from fault


def _course(axes: Axes, drawn: Sequence[Series], within: Period) -> None:
    from matplotlib import dates

    lines, unit, zone = [], _unit(drawn), within.zone
    for one in drawn:
        times, values = zip(*_steps(one, unit, zone), strict=True)
        lines += axes.plot(times, values, drawstyle='steps-post')
    locator = dates.AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        dates.ConciseDateFormatter(  # type: ignore[no-untyped-call]
            locator, tz=zone))
    limits: Any = bounds([bar for one in drawn for bar in one.bars], within)
    axes.set_xlim(*limits)
    axes.set_xlabel(within.zone_name)
    axes.yaxis.set_major_formatter(_named(unit))
    axes.grid(alpha=0.3)
    if any(one.label for one in drawn):
        axes.legend(lines, [one.label for one in drawn],
                    loc='center left', bbox_to_anchor=(1, 0.5))


def _unit(drawn: Sequence[Series]) -> str:
    """In which the figures are short, and ticks at round numbers of it."""
    return readable.suiting(max(
        abs(bar.value) for one in drawn for bar in one.bars), drawn[0].unit)


def _steps(one: Series, unit: str, zone: zoneinfo.ZoneInfo
           ) -> Iterator[tuple[object, float]]:
    """Points of a line that has a gap where there are no samples."""
    for bar, later in itertools.zip_longest(one.bars, one.bars[1:]):
        value = float(readable.convert(bar.value, one.unit, unit))
        yield bar.start.astimezone(zone), value
        if not later or later.start > bar.end:
            yield bar.end.astimezone(zone), value
            yield bar.end.astimezone(zone), math.nan


def _groups(axes: Axes, drawn: Sequence[Series]) -> None:
    places, unit = range(len(drawn)), _unit(drawn)
    axes.barh(places, [float(readable.convert(bar.value, one.unit, unit))
                       for one in drawn for bar in one.bars])
    axes.set_yticks(places, [one.label for one in drawn])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(_named(unit))


def _named(unit: str) -> Callable[[float, object], str]:
    """Ticks are at round numbers, of which a float is a little off."""
    return lambda value, _: (
        f'{readable.number(Decimal(f"{value:.12g}"))} {unit}'.rstrip())
