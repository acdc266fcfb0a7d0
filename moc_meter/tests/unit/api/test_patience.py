# SPDX-License-Identifier: Apache-2.0
"""Who has waited too long is told to come again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import webob

from moc_meter.api.patience import WAITED, patient

NOW = 1_700_000_000.0


def answer(behind_proxy: bool = False, started: str | None = None,
           waited: float | None = None) -> Any:
    def application(_environ: dict[str, Any], start: Callable[..., Any]
                    ) -> Iterable[bytes]:
        start('200 OK', [])
        return []

    request = webob.Request.blank(
        '/v2/meters', environ={} if waited is None else {WAITED: waited})
    if started is not None:
        request.headers['X-Request-Start'] = started
    return request.get_response(patient(
        application, 10, behind_proxy=behind_proxy, clock=lambda: NOW))


@pytest.mark.parametrize(('waited', 'status'), [
    (0.0, 200), (10.0, 200), (10.001, 503), (3600.0, 503)])
def test_who_waited_longer_than_allowed_comes_again(waited: float,
                                                    status: int) -> None:
    found = answer(waited=waited)
    assert found.status_int == status
    if status == 503:
        assert int(found.headers['Retry-After']) > 0
        assert f'{waited:.1f} seconds' in (
            json.loads(found.body)['error_message']['faultstring'])


@pytest.mark.parametrize(('started', 'status'), [
    ('t=1699999989.999', 503), ('1699999989.999', 503), ('1699999980', 503),
    ('t=1699999990.000', 200), ('t=1700000005.000', 200), ('', 200),
    ('t=', 200), ('yesterday', 200), ('-1', 200), ('nan', 200),
    ('t=1e9', 200), ('t=' + 50 * '1', 200)])
def test_a_proxy_is_believed_when_it_had_the_request(started: str,
                                                     status: int) -> None:
    assert answer(True, started).status_int == status


def test_without_a_proxy_nobody_says_when_it_had_the_request() -> None:
    assert answer(False, 't=1').status_int == 200


def test_the_longer_of_both_counts() -> None:
    assert answer(True, f't={NOW}', waited=11.0).status_int == 503
