# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: what it needs is not there."""

raise RuntimeError('the library of the mail server is missing')
