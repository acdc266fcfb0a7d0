# SPDX-License-Identifier: Apache-2.0
"""Texts of others on a terminal, which shows them and does not obey."""

from __future__ import annotations


def harmless(text: str) -> str:
    """The text with every character spelled that is not shown; on one line."""
    return ''.join(one if one.isprintable() else repr(one)[1:-1]
                   for one in text)


def sentence(text: str) -> str:
    """The same of words, whose line breaks are blanks."""
    return harmless(' '.join(text.split()))
