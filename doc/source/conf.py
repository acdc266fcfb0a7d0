# SPDX-License-Identifier: Apache-2.0
"""Sphinx."""

project = 'moc_meter'
copyright = 'the moc_meter authors'  # noqa: A001 - Sphinx's name
extensions: list[str] = []
html_theme = 'alabaster'
exclude_patterns: list[str] = []
