# SPDX-License-Identifier: Apache-2.0
"""How far it is; what is measured goes to standard output."""

from __future__ import annotations

import sys
import time


def say(what: str) -> None:
    print(f'{time.strftime("%H:%M:%S")} {what}', file=sys.stderr, flush=True)
