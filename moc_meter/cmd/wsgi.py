# SPDX-License-Identifier: Apache-2.0
"""The REST API for a WSGI server: ``moc_meter.cmd.wsgi:application``.

Importing this reads /etc/moc_meter/moc-meter-api.conf, as the server's worker
is the process.
"""

from __future__ import annotations

from moc_meter import conf
from moc_meter.cmd import api

application = api.application(conf.load(api.NAME, []))
