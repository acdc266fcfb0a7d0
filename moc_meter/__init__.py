# SPDX-License-Identifier: Apache-2.0
"""Metering and accounting for OpenStack clouds."""

from oslo_service import backend

# Before anything imports oslo.messaging: without this choice its service
# library falls back to eventlet.
backend.init_backend(backend.BackendType.THREADING)
