# SPDX-License-Identifier: Apache-2.0
"""Serving a WSGI application with waitress."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import waitress
from waitress import channel, parser, task

from moc_meter import errors
from moc_meter.api import edge, faults, patience
from moc_meter.api.app import Application

_FLUSH_SECONDS = 5.0
#: How long a request that was refused may still be sent to us.
_LINGER_SECONDS = 30.0
#: Who opens a connection and says nothing loses it after so many seconds.
_IDLE_SECONDS = 30
_CONNECTIONS = 1000


class WebServer:
    """Listens from the moment that it is made; answers while it runs."""

    def __init__(self, application: Application, address: tuple[str, int], *,
                 threads: int, max_body: int, behind_proxy: bool = False,
                 path_prefix: str = '') -> None:
        """Raises InvalidConfiguration where the address is taken.

        behind_proxy: whether the application is told what a proxy says.
        path_prefix: what stands before the application's own paths.
        """
        host, port = address
        try:
            self._server: Any = waitress.create_server(
                application, host=host, port=port, threads=threads,
                max_request_body_size=max_body, ident=None,
                connection_limit=_CONNECTIONS, channel_timeout=_IDLE_SECONDS,
                clear_untrusted_proxy_headers=not behind_proxy,
                url_prefix=path_prefix)
        except OSError as fault:
            raise errors.InvalidConfiguration(
                'cannot listen there; is another process using the port?',
                host=host, port=port,
                reason=fault.strerror or str(fault)) from fault
        self._server.channel_class = _Channel
        self._closing = False
        shown = f'[{host}]' if ':' in host else host
        self.url = f'http://{shown}:{self._server.effective_port}'

    def run(self, stop: threading.Event) -> None:
        """Answer until stop is set; then finish the requests in hand."""
        serving = threading.Thread(target=self._serve, name='web',
                                   daemon=True)
        serving.start()
        while serving.is_alive() and not stop.wait(0.5):
            pass
        self._server.accepting = False
        self._server.task_dispatcher.shutdown()
        end = time.monotonic() + _FLUSH_SECONDS
        while self._is_busy() and time.monotonic() < end:
            serving.join(0.05)
        self._closing = True
        self._server.close()

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:
            # It waited for a socket that close() took away.
            if not self._closing:
                raise

    def _is_busy(self) -> bool:
        """Whether an answer has not gone out yet."""
        return any(channel.requests or channel.total_outbufs_len
                   for channel in list(self._server.active_channels.values()))


class _Refusal(task.ErrorTask):             # type: ignore[misc]
    """What waitress refuses by itself, in the one shape of all our faults."""

    def execute(self) -> None:
        fault = self.request.error
        said = faults.response(faults.Answer(
            status=fault.code, text=f'{fault.reason}: {fault.body}'),
            xml=False)
        self.status = said.status
        self.response_headers.extend(
            (name, value) for name, value in said.headers.items()
            if name.lower() != 'content-length')
        self.response_headers.append((edge.HEADER, edge.new_id()))
        self.content_length = len(said.body)
        self.set_close_on_finish()
        self.write(said.body)


class _Request(parser.HTTPRequestParser):   # type: ignore[misc]
    """Knows since when it has been there whole."""

    since = 0.0

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        self.since = time.monotonic()
        return taken


class _Answer(task.WSGITask):               # type: ignore[misc]
    """Tells the application how long its request has waited."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ.setdefault(patience.WAITED,
                           time.monotonic() - self.request.since)
        return environ


class _Channel(channel.HTTPChannel):        # type: ignore[misc]
    """Hears a refused request out.

    Closed at once, with a body still on its way, the connection would be
    reset, and the client would never read why.
    """

    parser_class = _Request
    task_class = _Answer
    error_task_class = _Refusal
    _refused = False
    _leave_by = 0.0

    def service(self) -> None:
        self._refused = bool(self.requests and self.requests[0].error)
        super().service()

    def handle_close(self) -> None:
        if not self._refused or self._leave_by or not self.connected:
            super().handle_close()
            return
        self._leave_by = time.monotonic() + _LINGER_SECONDS
        self.will_close = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def readable(self) -> bool:
        return bool(self._leave_by or super().readable())

    def writable(self) -> bool:
        if self._leave_by:
            # Asked at every turn, so this is where a late one is seen.
            return time.monotonic() > self._leave_by
        return bool(super().writable())

    def handle_write(self) -> None:
        if self._leave_by:
            super().handle_close()
        else:
            super().handle_write()

    def handle_read(self) -> None:
        if not self._leave_by:
            super().handle_read()
            return
        try:
            self.recv(65536)            # closes where the other side has
        except OSError:
            super().handle_close()
