# SPDX-License-Identifier: Apache-2.0
"""moc-meter, from its first moment on: application.py is what it does.

Loading that takes a while, in which somebody may think better of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status, see exits.py."""
    try:
        from moc_meter.cmd import application
        return application.Shell().run(
            sys.argv[1:] if argv is None else [*argv])
    except KeyboardInterrupt:
        print('moc-meter: interrupted', file=sys.stderr)
        return INTERRUPTED


if __name__ == '__main__':
    sys.exit(main())
