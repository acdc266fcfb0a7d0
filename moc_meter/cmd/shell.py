# SPDX-License-Identifier: Apache-2.0
"""moc-meter: the command of those who use a service, or check one."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from moc_meter import errors
from moc_meter.cmd import truth

NAME = 'moc-meter'


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; what is wrong is one line on stderr and status 2."""
    asked = parser().parse_args(argv)
    try:
        status: int = asked.run(asked)
        sys.stdout.flush()
    except errors.MeterError as fault:
        print(f'{NAME}: {fault}', file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Who reads our output has read enough; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception:
        # A fault of ours; status 1 would say something of the service.
        traceback.print_exc()
        return 2
    return status


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=NAME, description='Metering and accounting for OpenStack '
                               'clouds, from the command line.')
    commands = made.add_subparsers(title='commands', required=True,
                                   metavar='COMMAND')
    truth.commands(commands)
    return made


if __name__ == '__main__':
    sys.exit(main())
