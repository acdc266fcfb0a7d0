# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: it waits for ever for what lies outside."""

from __future__ import annotations

import threading

threading.Event().wait()
