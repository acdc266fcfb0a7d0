# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth make: the world as files."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from moc_meter import errors
from moc_meter.cmd.truth import worlds
from moc_meter.progress import Progress
from moc_meter.truth import files
from moc_meter.truth.world import World

TITLE = 'write the world to files'
ABOUT = ('Write the world to files, a JSON object a line: samples.jsonl as '
         '"moc-meter-manage sample load" reads them, notifications.jsonl as '
         '"moc-meter-manage notification replay" does, and readings.jsonl, '
         'what pollers see. world.json says what the world is made of.')
EPILOG = ('example:\n'
          '  moc-meter truth make --seed 7 --to /tmp/world\n\n'
          'Exit status: 0: written; 2: refused, with the reason on stderr.')

#: Writes a file of a world, and tells how many lines there are so far.
Write = Callable[[World, TextIO, Callable[[int], None]], int]
WRITERS: Mapping[str, Write] = {
    'samples': files.write_samples,
    'notifications': files.write_notifications,
    'readings': files.write_readings}
_WORLD = 'world.json'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--to', required=True, type=Path, metavar='FOLDER',
                        help='where the files go; made where there is none')
    parser.add_argument('--what', type=_what, default=list(WRITERS),
                        metavar='NAME,…',
                        help=f'of {", ".join(WRITERS)} (default: all)')
    parser.add_argument('--force', action='store_true',
                        help='write over files that are there')


def run(asked: argparse.Namespace) -> int:
    world = worlds.world(asked)
    paths = {name: asked.to / f'{name}.jsonl' for name in asked.what}
    _prepare(asked.to, [*paths.values()], asked.force)
    counts: dict[str, int] = {}
    try:
        kept = _kept(world, asked.to, asked.force)
        for name, path in paths.items():
            counts[path.name] = _written(world, WRITERS[name], path)
        with (asked.to / _WORLD).open('w', encoding='utf-8') as file:
            files.write_world(world, {**kept, **counts}, file)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'a file cannot be written; name another folder', option='--to',
            value=str(asked.to), reason=fault.strerror) from fault
    for name, count in counts.items():
        print(f'{count:,} lines in {asked.to / name}')
    return 0


def _prepare(folder: Path, paths: list[Path], force: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the folder cannot be made; name another one', option='--to',
            value=str(folder), reason=fault.strerror) from fault
    there = [path.name for path in paths if path.exists()]
    if there and not force:
        raise errors.InvalidConfiguration(
            'files are there already; say --force to write over them, or '
            'name another folder', option='--to', value=str(folder),
            files=there)


def _kept(world: World, folder: Path, force: bool) -> dict[str, int]:
    """Lines of the files that are there already, of the same world.

    Raises InvalidConfiguration where they are of another one.
    """
    path = folder / _WORLD
    if not path.exists():
        return {}
    try:
        there: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        counts = dict(there['counts'])
    except (ValueError, TypeError, KeyError):
        there, counts = {}, {}
    wanted = io.StringIO()
    files.write_world(world, counts, wanted)
    if there == json.loads(wanted.getvalue()):
        return {name: count for name, count in counts.items()
                if (folder / name).exists()}
    if force:
        return {}
    raise errors.InvalidConfiguration(
        'files of another world are there; say --force to write over them, '
        'or name another folder', option='--to', value=str(folder),
        files=[_WORLD])


def _written(world: World, write: Write, path: Path) -> int:
    done = 0
    with path.open('w', encoding='utf-8') as file, Progress(None) as bar:
        def advance(count: int) -> None:
            nonlocal done
            bar.advance(count - done)
            done = count

        return write(world, file, advance)


def _what(text: str) -> list[str]:
    names = text.split(',')
    unknown = [name for name in names if name not in WRITERS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f'no such thing: {", ".join(unknown)}; there are '
            f'{", ".join(WRITERS)}')
    return names
