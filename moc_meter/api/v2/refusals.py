# SPDX-License-Identifier: Apache-2.0
"""The sentences in which this API refuses a request; clients know them."""

from __future__ import annotations

from moc_meter import errors


def invalid(field: str, value: object, reason: str) -> errors.InvalidQuery:
    """A field, an attribute or a parameter has a value that it cannot."""
    return errors.InvalidQuery(
        f'Invalid input for field/attribute {field}. '
        f"Value: '{value}'. {reason}")


def missing(field: str) -> errors.InvalidQuery:
    """A mandatory field is not there."""
    return invalid(field, None, 'Mandatory field missing.')


def unknown(name: str, reason: str = '') -> errors.InvalidQuery:
    """There is no such argument, or not here."""
    return errors.InvalidQuery(
        f'Unknown argument: "{name}"' + (f': {reason}' if reason else ''))
