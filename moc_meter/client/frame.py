# SPDX-License-Identifier: Apache-2.0
"""Answers as a table of pandas."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable
from typing import Any

from moc_meter import errors


def frame(rows: Iterable[Any]) -> Any:
    """A pandas.DataFrame: a row an answer, a column a field.

    Numbers stay exact Decimals; where that is not wanted, astype(float).

    rows: of one kind, as any list of a Client: frame(client.samples()).
    Raises MissingLibrary, which says what to install.
    """
    try:
        pandas = importlib.import_module('pandas')
    except ImportError as fault:
        raise errors.MissingLibrary(
            'a table needs pandas: pip install pandas') from fault
    return pandas.DataFrame([
        {field.name: getattr(row, field.name)
         for field in dataclasses.fields(row)} for row in rows])
