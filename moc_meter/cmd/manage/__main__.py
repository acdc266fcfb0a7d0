# SPDX-License-Identifier: Apache-2.0
"""python -m moc_meter.cmd.manage"""

from __future__ import annotations

import sys

from moc_meter.cmd import manage

sys.exit(manage.main())
