# SPDX-License-Identifier: Apache-2.0
"""Sphinx."""

project = 'moc_meter'
copyright = 'the moc_meter authors'  # noqa: A001 - Sphinx's name
extensions = ['cliff.sphinxext']
# All commands have these; they are told once.
autoprogram_cliff_ignored = [
    '--help', '--format', '--column', '--quote', '--noindent', '--max-width',
    '--fit-width', '--print-empty', '--sort-column', '--sort-ascending',
    '--sort-descending', '--timezone', '--long']
html_theme = 'alabaster'
# They are parts of performance.rst.
exclude_patterns = ['reference/performance-findings*.rst']
