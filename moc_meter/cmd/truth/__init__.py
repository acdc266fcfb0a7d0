# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth: a made-up cloud of which every figure is known.

Each command is a module: TITLE, ABOUT and EPILOG say what it does, arguments()
what it may be told, and run() does it and returns the exit status.
"""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from moc_meter.cmd.truth import ask, check, make, send, worlds

_ABOUT = ('A made-up research cloud, of which every figure is known before '
          'anything is sent: make it, send it to a service, and check what '
          'the service says of it. The same seed is the same cloud, '
          'everywhere.')


def commands(commands: Any) -> None:
    """Add 'truth' and its verbs to the commands of a parser."""
    parser = commands.add_parser('truth', help='a made-up cloud, to check a '
                                               'service with',
                                 description=_ABOUT)
    verbs = parser.add_subparsers(title='verbs', required=True,
                                  metavar='VERB')
    for name, module in (('make', make), ('send', send), ('check', check),
                         ('ask', ask)):
        verb = verbs.add_parser(
            name, help=module.TITLE, epilog=module.EPILOG,
            description=textwrap.fill(module.ABOUT, 78),
            formatter_class=argparse.RawDescriptionHelpFormatter)
        worlds.arguments(verb)
        module.arguments(verb)
        verb.set_defaults(run=module.run)
