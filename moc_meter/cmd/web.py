# SPDX-License-Identifier: Apache-2.0
"""Serving a WSGI application with waitress."""

from __future__ import annotations

import threading
import time
from typing import Any

import waitress

from moc_meter import errors
from moc_meter.api.app import Application

_FLUSH_SECONDS = 5.0


class WebServer:
    """Listens from the moment that it is made; answers while it runs."""

    def __init__(self, application: Application, address: tuple[str, int], *,
                 threads: int, max_body: int) -> None:
        """Raises InvalidConfiguration where the address is taken."""
        host, port = address
        try:
            self._server: Any = waitress.create_server(
                application, host=host, port=port, threads=threads,
                max_request_body_size=max_body, ident=None,
                clear_untrusted_proxy_headers=True)
        except OSError as fault:
            raise errors.InvalidConfiguration(
                'cannot listen there; is another process using the port?',
                host=host, port=port,
                reason=fault.strerror or str(fault)) from fault
        shown = f'[{host}]' if ':' in host else host
        self.url = f'http://{shown}:{self._server.effective_port}'

    def run(self, stop: threading.Event) -> None:
        """Answer until stop is set; then finish the requests in hand."""
        serving = threading.Thread(target=self._server.run, name='web',
                                   daemon=True)
        serving.start()
        while serving.is_alive() and not stop.wait(0.5):
            pass
        self._server.accepting = False
        self._server.task_dispatcher.shutdown()
        end = time.monotonic() + _FLUSH_SECONDS
        while self._is_busy() and time.monotonic() < end:
            serving.join(0.05)
        self._server.close()

    def _is_busy(self) -> bool:
        """Whether an answer has not gone out yet."""
        return any(channel.requests or channel.total_outbufs_len
                   for channel in list(self._server.active_channels.values()))
