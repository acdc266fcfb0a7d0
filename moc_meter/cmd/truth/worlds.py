# SPDX-License-Identifier: Apache-2.0
"""Which world is meant: the options that all commands about one share."""

from __future__ import annotations

import argparse

from moc_meter import errors
from moc_meter.truth.scale import SCALES
from moc_meter.truth.world import World


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        'which world', 'The same options name the same world.')
    group.add_argument(
        '--seed', type=int, default=1, metavar='N',
        help='any whole number; another seed is another world (default: '
             '%(default)s)')
    group.add_argument(
        '--scale', default='small', metavar='SCALE',
        help=f'how large it is: one of {", ".join(SCALES)}, or numbers of '
             "your own: 'instances=50,days=30' (default: %(default)s)")
    group.add_argument(
        '--decimals', action='store_true',
        help='volumes with decimal digits, which no binary number holds; '
             'otherwise every volume is one that a double holds exactly')
    group.add_argument(
        '--source', metavar='NAME',
        help='the source that its samples name (default: truth-SEED)')


def world(asked: argparse.Namespace) -> World:
    """Raises InvalidConfiguration where there is no such world."""
    try:
        return World(asked.seed, asked.scale, decimals=asked.decimals,
                     source=asked.source)
    except ValueError as fault:
        raise errors.InvalidConfiguration(
            'there is no such world; --help names the scales',
            option='--scale', value=asked.scale, reason=str(fault)) from None
