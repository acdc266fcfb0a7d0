# SPDX-License-Identifier: Apache-2.0
"""Options into objects: the REST API."""

from __future__ import annotations

import functools
import ipaddress
import socket
from pathlib import Path

from oslo_config import cfg
from oslo_policy import policy as oslo_policy

from moc_meter import conf as options
from moc_meter import errors, plugins
from moc_meter.api import app, identity, policy
from moc_meter.api.v1 import components
from moc_meter.cmd import build
from moc_meter.cmd.web import WebServer
from moc_meter.messaging.base import Sender
from moc_meter.storage.samples.base import SampleStore

_NAME = 'moc-meter-api'


def application(conf: cfg.ConfigOpts, store: SampleStore, sender: Sender
                ) -> app.Application:
    door, domains = _doors(conf)
    admission = build.admission(conf)
    return app.make_app(
        store=store, sender=sender, admission=admission,
        clock=build.now, identity=door,
        policy=policy.Policy(_rules(conf), domains),
        components=components.Components(
            admission.definitions,
            components.carried(plugins.installed())),
        default_limit=conf.api.default_api_return_limit,
        groupby_metadata_keys=conf.api.groupby_metadata_keys,
        sample_source=conf.sample_source,
        max_body=conf.api.max_body_mib * 2 ** 20, signer=build.signer(conf),
        behind_proxy=conf.api.behind_proxy,
        allowed_origins=conf.api.allowed_origins,
        patience=conf.api.patience)


def server(conf: cfg.ConfigOpts, application: app.Application) -> WebServer:
    """What serves the API in this process; it listens already."""
    return WebServer(application, address(conf), threads=conf.api.threads,
                     max_body=conf.api.max_body_mib * 2 ** 20,
                     behind_proxy=conf.api.behind_proxy,
                     path_prefix=conf.api.path_prefix)


def address(conf: cfg.ConfigOpts) -> tuple[str, int]:
    """Where to listen; refuses to be reached by everybody by accident."""
    found = _resolved(conf.api.host)
    if not found.is_loopback:
        check_open(conf)
    return str(found), conf.api.port


def check_open(conf: cfg.ConfigOpts) -> None:
    """Refuse to serve those whom nobody has asked who they are."""
    if (conf.api.auth_strategy == 'noauth'
            and not conf.api.insecure_listen_anywhere):
        raise errors.InvalidConfiguration(
            'callers are not authenticated, so only loopback may be listened '
            'on; set [api] auth_strategy to basic or keystone, or '
            'insecure_listen_anywhere = true (--insecure-listen-anywhere) to '
            'serve everybody who can reach it', host=conf.api.host)


def enforcer() -> oslo_policy.Enforcer:
    """The policy of this machine's API, for the tools of oslo.policy."""
    return _rules(options.load(_NAME, []))


def _rules(conf: cfg.ConfigOpts) -> oslo_policy.Enforcer:
    file = conf.oslo_policy.policy_file
    return policy.enforcer(Path(file) if file else None)


def _doors(conf: cfg.ConfigOpts) -> tuple[identity.Identity, policy.Domains]:
    """Who finds out who asks, and who knows the projects of a domain."""
    if conf.api.auth_strategy == 'keystone':
        # With its libraries; nobody else needs them.
        from moc_meter.api import keystone
        build.required(conf, keystone.SECTION, 'auth_url')
        settings = keystone.settings(dict(conf[keystone.SECTION]))
        return (functools.partial(keystone.Keystone, conf=settings),
                keystone.Directory(settings, build.now).projects)
    if conf.api.auth_strategy == 'basic':
        users = identity.Users(
            Path(build.required(conf, 'api', 'users_file')))
        return functools.partial(identity.Basic, users=users), (
            policy.no_domains)
    anywhere = conf.api.insecure_listen_anywhere or conf.api.behind_proxy
    hosts = None if anywhere else (conf.api.host.lower(),)
    return functools.partial(identity.noauth, hosts=hosts), policy.no_domains


def _resolved(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the address to listen on is not known', host=host,
            reason=str(fault)) from fault
    return ipaddress.ip_address(str(found[0][4][0]))
