# SPDX-License-Identifier: Apache-2.0
"""Metering and accounting for OpenStack clouds."""

import logging

from oslo_service import backend

# Whoever imports oslo.messaging: without this choice its service library
# falls back to eventlet. Being asked for it costs nothing before that, and
# that it was asked is no news.
backend.register_backend_default_hook(lambda: backend.BackendType.THREADING)
logging.getLogger('oslo_service.backend').setLevel(logging.WARNING)
