# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pwd

from moc_meter.cmd.manage import retention


def test_who_drops_is_said_by_name_or_else_by_number() -> None:
    named = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}
    nobody = next(uid for uid in range(12345, 99999) if uid not in named)
    assert retention.user(nobody) == f'uid {nobody}'
    assert retention.user(0) == named[0]
