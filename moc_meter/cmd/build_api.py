# SPDX-License-Identifier: Apache-2.0
"""Options into objects: the REST API."""

from __future__ import annotations

import ipaddress
import socket

from oslo_config import cfg

from moc_meter import errors
from moc_meter.api import app
from moc_meter.cmd import build
from moc_meter.messaging.base import Sender
from moc_meter.storage.samples.base import SampleStore


def application(conf: cfg.ConfigOpts, store: SampleStore, sender: Sender
                ) -> app.Application:
    return app.make_app(
        store=store, sender=sender, admission=build.admission(conf),
        clock=build.now,
        default_limit=conf.api.default_api_return_limit,
        groupby_metadata_keys=conf.api.groupby_metadata_keys,
        sample_source=conf.sample_source,
        max_body=conf.api.max_body_mib * 2 ** 20, signer=build.signer(conf))


def address(conf: cfg.ConfigOpts) -> tuple[str, int]:
    """Where to listen; refuses to be reached by everybody by accident."""
    found = _resolved(conf.api.host)
    if not (conf.api.insecure_listen_anywhere or found.is_loopback):
        raise errors.InvalidConfiguration(
            'callers are not authenticated, so only loopback may be listened '
            'on; set [api] insecure_listen_anywhere = true (or '
            '--insecure-listen-anywhere) to serve everybody who can reach '
            'it', host=conf.api.host)
    return str(found), conf.api.port


def _resolved(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the address to listen on is not known', host=host,
            reason=str(fault)) from fault
    return ipaddress.ip_address(str(found[0][4][0]))
