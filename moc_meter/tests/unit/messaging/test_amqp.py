# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.messaging import amqp


@pytest.mark.parametrize(('url', 'complaint'), [
    ('', "scheme=''"),
    ('redis://user:secret@host/', "scheme='redis'"),
    ('amqp://user:secret@/vhost', 'host=None'),
    ('amqp://user:secret@host:port/', 'port'),
    ('amqp://a/v;http://user:secret@b/v', "host='b'"),
    ('amqps://user:secret@host/', 'certificates'),
])
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(
        url: str, complaint: str) -> None:
    with pytest.raises(errors.InvalidConfiguration,
                       match=complaint) as seen:
        amqp.connect(url=url)
    assert 'secret' not in str(seen.value)


def test_certificates_without_tls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='certificates'):
        amqp.connect(url='amqp://host/', ssl_ca_file=tmp_path / 'ca.pem')


@pytest.mark.parametrize('content', [None, 'no certificate'])
def test_certificates_that_cannot_be_read_are_refused(
        tmp_path: Path, content: str | None) -> None:
    path = tmp_path / 'ca.pem'
    if content:
        path.write_text(content)
    with pytest.raises(errors.InvalidConfiguration, match=r'ca\.pem'):
        amqp.connect(url='amqps://host/', ssl_ca_file=path)
