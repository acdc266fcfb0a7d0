# SPDX-License-Identifier: Apache-2.0
"""A connection to libvirt that is made anew when it is lost, or hangs.

No call of libvirt can be interrupted, so each is given some time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from moc_meter import errors
from moc_meter.agent.calls import Calls

Answer = TypeVar('Answer')

# libvirt's numbers: virErrorNumber, and one virErrorDomain.
_INTERNAL, _SYSTEM, _NO_DOMAIN, _NOT_RUNNING = 1, 38, 42, 55
_FROM_RPC = 7
#: What is said of a guest that has vanished, or was turned off.
GONE = (_NO_DOMAIN, _NOT_RUNNING)


class Connection:
    """Asks one libvirt, for reading only."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before the first question.

        Raises InvalidConfiguration where the binding is not installed.
        """
        try:
            self.library: Any = importlib.import_module('libvirt')
        except ImportError as fault:
            raise errors.MissingLibrary(
                'polling libvirt needs its Python binding; install '
                'libvirt-python', url=url, reason=str(fault)) from fault
        # Otherwise the library writes every fault to stderr by itself.
        self.library.registerErrorHandler(lambda _context, _fault: None,
                                          None)
        self._url = url
        self._calls = Calls('libvirt')
        self._connection: Any = None

    @property
    def hanging(self) -> frozenset[str]:
        """The keys whose questions were given up and have no end yet."""
        return self._calls.hanging

    def ask(self, key: str, question: Callable[[Any], Answer],
            seconds: float) -> Answer:
        """The answer; on a lost connection, that of a new one.

        question: is given the connection; what was had of an earlier one
            is of no use on it.
        seconds: that libvirt may take.
        Raises InstanceGone where a guest vanished, or was turned off since
        its state was read; HypervisorUnavailable after the second try;
        TimeoutError.
        """
        lost = ''
        for _ in range(2):
            try:
                return self._calls.call(
                    key, lambda: question(self._connected()), seconds)
            except TimeoutError:
                # A daemon serves few calls of one connection at a time.
                self._connection = None
                raise
            except self.library.libvirtError as fault:
                if fault.get_error_code() in GONE:
                    raise errors.InstanceGone(str(fault)) from fault
                # Whether a connection lives is only seen by using it.
                if not self.is_lost(fault):
                    raise
                lost = str(fault)
                self._connection = None
        raise errors.HypervisorUnavailable('libvirt does not answer',
                                           url=self._url, reason=lost)

    def _connected(self) -> Any:
        if self._connection is None:
            try:
                self._connection = self.library.openReadOnly(self._url)
            except self.library.libvirtError as fault:
                raise errors.HypervisorUnavailable(
                    'libvirt cannot be reached', url=self._url,
                    reason=str(fault)) from fault
        return self._connection

    def is_lost(self, fault: Any) -> bool:
        """Whether a fault is that of the connection, and of no guest."""
        return (fault.get_error_code() in (_INTERNAL, _SYSTEM)
                and fault.get_error_domain() == _FROM_RPC)
