# SPDX-License-Identifier: Apache-2.0
"""A notification that is set aside, as it goes to quarantine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moc_meter import contracts, errors
from moc_meter.agent.notification import message
from moc_meter.model.sample import Refused

_ORIGIN = 'agent notification'


def refusal(name: str, source: str, flat: Mapping[str, Any],
            fault: Exception) -> Refused:
    """The notification, and who could not use it for which reason.

    With its source, which no notification names: released under another one,
    its samples would be there twice.
    """
    # A stranger's own error may have anything for its code.
    code = errors.InvalidMessage.code
    if (isinstance(fault, errors.MeterError)
            and type(fault).__module__ == errors.__name__):
        code = fault.code
    return Refused(
        content=_content(flat), code=code, origin=_ORIGIN, source=source,
        reason=f'{name}: {contracts.told(fault)}')


def _content(flat: Mapping[str, Any]) -> bytes:
    """The message as it came, but without what its context may hold."""
    kept = {key: value for key, value in flat.items()
            if not key.startswith('_context_')
            or key.removeprefix('_context_') in message.CONTEXT}
    try:
        return json.dumps(kept).encode()
    except RecursionError:
        # Nested so deeply that it could just be read: this tells which it is.
        return json.dumps({key: value for key, value in kept.items()
                           if isinstance(value, str)}).encode()
