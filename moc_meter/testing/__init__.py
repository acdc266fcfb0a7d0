# SPDX-License-Identifier: Apache-2.0
"""The test kit for those who write plugins: one suite for each seam.

A suite is a class whose fixtures a subclass fills in; pytest then runs the
whole of the contract against that implementation. Ours are tested so too.
"""

import pytest

for _seam in ('bus', 'dispatcher', 'hypervisor', 'notification', 'polling',
              'publisher', 'store'):
    pytest.register_assert_rewrite(f'{__name__}.{_seam}')
