# SPDX-License-Identifier: Apache-2.0
"""The API behind its own web server, on a real socket."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from moc_meter.cmd.web import WebServer


@contextlib.contextmanager
def served(api: Any) -> Iterator[str]:
    """Where the application of a client (wiring.py) answers meanwhile."""
    server = WebServer(api.app, ('127.0.0.1', 0), threads=4,
                       max_body=2 ** 20)
    others = set(threading.enumerate())
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield server.url
    finally:
        stop.set()
        thread.join()
        # It hears last that a client has closed a connection.
        for one in set(threading.enumerate()) - others:
            if one.name == 'web':
                one.join(60)
