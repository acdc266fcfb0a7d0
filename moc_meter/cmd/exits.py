# SPDX-License-Identifier: Apache-2.0
"""With which status moc-meter ends, and what its last line says.

That of an interruption is in shell.py: this module may not be loaded yet.
"""

from __future__ import annotations

from moc_meter import errors
from moc_meter.client import faults
from moc_meter.terminal import sentence

DONE = 0
#: What "moc-meter truth" says of a service, and "sample create" of a sample.
DIFFERENT = 1
REFUSED = 2
MISSING = 3
UNAUTHORIZED = 4
UNREACHABLE = 5
BROKEN = 6
PIPE = 141

#: The first that fits.
_STATUS = (
    (faults.NotFound, MISSING),
    (faults.Unauthorized, UNAUTHORIZED), (faults.Forbidden, UNAUTHORIZED),
    (faults.Overloaded, UNREACHABLE), (faults.Unreachable, UNREACHABLE),
    (faults.ServerFault, BROKEN), (faults.NotAnApi, BROKEN))

#: The next step of whoever types, where it is not that of a program.
_ADVICE = (
    (faults.NoService, 'Give --url or --os-cloud, or set OS_CLOUD'),
    (faults.Unauthorized, (
        'See who asks, by --os-cloud, the variables OS_*, or --username and '
        '--password-file; and whose project is asked for')),
    (faults.Untrusted, 'Name the authority that signed it: --ca-file'))


def status(fault: Exception) -> int:
    """Of a command that ended by this."""
    return next((number for kind, number in _STATUS
                 if isinstance(fault, kind)), REFUSED)


def foreseen(fault: Exception) -> bool:
    """Whether its message alone says what to do."""
    return isinstance(fault, errors.MeterError | OSError)


def line(fault: Exception) -> str:
    """One line, whatever is in it, that ends with what to do next."""
    for kind, advice in _ADVICE:
        if isinstance(fault, kind) and fault.next_step == kind.advice:
            fault.next_step = advice
    return sentence(str(fault))
