# SPDX-License-Identifier: Apache-2.0
"""Keystone: whose token it is, and which projects a domain has."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable, Mapping
from importlib import util
from typing import Any

import webob
from keystoneauth1 import adapter, exceptions, loading
from keystonemiddleware import auth_token
from oslo_config import cfg

from moc_meter import errors
from moc_meter.api import context, faults
from moc_meter.api.identity import NEEDED, Application, Door

LOG = logging.getLogger(__name__)

SECTION = 'keystone_authtoken'
#: How long the projects of a domain are taken for known.
_KNOWN_FOR = datetime.timedelta(seconds=60)
_TOKENS = ('HTTP_X_AUTH_TOKEN', 'HTTP_X_SERVICE_TOKEN')
_AWAY = 'Keystone does not answer'


def settings(values: Mapping[str, object]) -> cfg.ConfigOpts:
    """The options of the middleware, as its library wants to be given them.

    values: as section [keystone_authtoken] has them, by name; None is not
        set.
    Raises InvalidConfiguration where there is no such way to authenticate,
    or MissingLibrary.
    """
    if values['memcached_servers'] and not util.find_spec('memcache'):
        raise errors.MissingLibrary(
            'install python-memcached to remember tokens there',
            section=SECTION, option='memcached_servers')
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    try:
        ways = loading.get_auth_plugin_conf_options(
            str(values['auth_type']))
    except exceptions.NoMatchingPlugin as fault:
        raise errors.InvalidConfiguration(
            'there is no such way to authenticate', section=SECTION,
            option='auth_type', reason=str(fault)) from fault
    for section, options in auth_token.list_opts():
        conf.register_opts(options, group=section)
    conf.register_opts(ways, group=SECTION)
    for name, value in values.items():
        if value is not None and name in conf[SECTION]:
            conf.set_override(name, value, group=SECTION)
    # Who is not known is refused here, and told where to get a token.
    conf.set_override('delay_auth_decision', False, group=SECTION)
    if not values['www_authenticate_uri']:
        conf.set_override('www_authenticate_uri', values['auth_url'],
                          group=SECTION)
    return conf


class Keystone(Door):
    """Lets those in whose token Keystone knows."""

    def __init__(self, application: Application, conf: cfg.ConfigOpts
                 ) -> None:
        """Connects to nothing yet.

        Raises InvalidConfiguration where an option is missing.
        """
        super().__init__(application)
        try:
            self._protocol = auth_token.AuthProtocol(
                _accepted, {'oslo_config_config': conf})
        except exceptions.ClientException as fault:
            raise errors.InvalidConfiguration(
                'the service cannot authenticate to Keystone',
                section=SECTION, reason=str(fault)) from fault

    def refusal(self, environ: dict[str, Any]) -> faults.Answer | None:
        if not all(environ.get(header, '').isprintable()
                   for header in _TOKENS):
            # No token; and Keystone's answer would look like one of trouble.
            environ.update(dict.fromkeys(_TOKENS, ''))
        try:
            said = webob.Request(environ).get_response(self._protocol)
        except exceptions.ClientException as fault:
            return _away(environ, str(fault))
        if said.status_int == 200:
            # Only what we read is left, in the form in which we write it.
            context.write(environ, context.read(environ))
            return None
        if said.status_int != 401:
            return _away(environ, said.status)
        return faults.Answer(
            status=401, text=NEEDED, headers={
                'WWW-Authenticate': said.headers['WWW-Authenticate']})


def _accepted(_: dict[str, Any], start: Callable[..., Any]
              ) -> Iterable[bytes]:
    """What is behind the middleware: its own answers are told from ours."""
    start('200 OK', [])
    return []


def _away(environ: Mapping[str, Any], reason: str) -> faults.Answer:
    asked = f'{environ["REQUEST_METHOD"]} {environ.get("PATH_INFO", "")}'
    return faults.answer(
        errors.IdentityUnavailable(_AWAY, reason=reason), asked)


class Directory:
    """Which projects a domain has."""

    def __init__(self, conf: cfg.ConfigOpts,
                 clock: Callable[[], datetime.datetime]) -> None:
        chosen = conf[SECTION]
        self._keystone = adapter.Adapter(
            loading.session.Session().load_from_options(
                insecure=chosen.insecure, cacert=chosen.cafile,
                cert=chosen.certfile, key=chosen.keyfile,
                timeout=chosen.http_connect_timeout),
            service_type='identity', interface=chosen.interface,
            region_name=chosen.region_name, min_version='3.0',
            max_version='3.latest')
        self._clock = clock
        self._known: dict[str, tuple[datetime.datetime, frozenset[str]]] = {}

    def projects(self, domain_id: str, environ: Mapping[str, Any]
                 ) -> frozenset[str]:
        """The projects of a domain; what was said is known for a minute.

        environ: of a request that the middleware has let in; Keystone is
            asked with its token, so that no right of ours is lent.
        Raises IdentityUnavailable.
        """
        now = self._clock()
        until, known = self._known.get(domain_id, (now, frozenset()))
        if now < until:
            return known
        found = self._listed(domain_id, environ['keystone.token_auth'])
        self._known[domain_id] = now + _KNOWN_FOR, found
        return found

    def _listed(self, domain_id: str, token: object) -> frozenset[str]:
        try:
            answer = self._keystone.get(
                '/projects', params={'domain_id': domain_id}, auth=token,
                headers={'Accept': 'application/json'}).json()
        except exceptions.ClientException as fault:
            raise errors.IdentityUnavailable(
                _AWAY, reason=str(fault)) from fault
        if answer.get('truncated') or answer['links'].get('next'):
            raise errors.IdentityUnavailable(
                'Keystone does not list all projects of a domain; raise its '
                'list_limit', domain_id=domain_id)
        return frozenset(one['id'] for one in answer['projects'])
