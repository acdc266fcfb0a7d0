# SPDX-License-Identifier: Apache-2.0
"""Who asks: a session of Keystone, of HTTP's basic scheme, or of nobody."""

from __future__ import annotations

import os
import urllib.parse
import warnings
from typing import TYPE_CHECKING, Any

from moc_meter import errors
from moc_meter.client import faults
from moc_meter.client.client import Client
from moc_meter.client.connection import SERVICE_TYPE, Connection

if TYPE_CHECKING:
    # Large, and of use to those only who ask something.
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

#: Variables that say that somebody asks; the other OS_* say more of it.
_SAYS_WHO = ('OS_CLOUD', 'OS_AUTH_TYPE', 'OS_AUTH_URL')


def connect(url: str | None = None, *, cloud: str | None = None,
            session: Session | None = None, username: str | None = None,
            password: str | None = None, ca_file: str | None = None,
            interface: str | None = None, region: str | None = None,
            timeout: float = 60.0, patience: float = 30.0) -> Client:
    """A client of the service; nothing is asked of it yet.

    Who asks: the session; else username and password, or those of
        http://NAME:WORD@HOST, by HTTP's basic scheme; else the cloud of
        clouds.yaml or the variables OS_*; else nobody.
    url: where the service is; as the catalogue of Keystone has it without.
    ca_file: whom to believe that the server is the one that it says.
    interface, region: of the catalogue; as the cloud says, else 'public'.
    timeout: seconds without a byte after which an answer is given up.
    patience: seconds for which a question is asked again that may be.
    Raises NoService where nobody says where it is, InvalidConfiguration
    where what is said cannot be.
    """
    if url is not None:
        url, name, word = _parted(url)
        username, password = username or name, password or word
    if session is None and not username and (cloud or environment_says_who()):
        found = cloud_region(cloud, region, ca_file)
        session = found.get_session()
        url = url or found.get_endpoint(SERVICE_TYPE)
        interface = interface or _one(found.get_interface(SERVICE_TYPE))
        region = region or found.get_region_name(SERVICE_TYPE) or None
    elif session is None:
        if url is None:
            raise faults.NoService('nobody has said where the service is')
        session = _without_keystone(username, password, ca_file)
    return Client(Connection(
        session=session, url=url, region=region, timeout=timeout,
        interface=interface or 'public', patience=patience))


def environment_says_who() -> bool:
    """Whether the variables OS_* say who asks."""
    return any(os.environ.get(name) for name in _SAYS_WHO)


def cloud_region(cloud: str | None = None, region: str | None = None,
                 ca_file: str | None = None) -> CloudRegion:
    """A cloud of clouds.yaml, or the one that the variables OS_* say.

    Raises InvalidConfiguration where there is no such, or it does not say
    all that Keystone wants.
    """
    from keystoneauth1.exceptions import ClientException
    from openstack.config import loader
    from openstack.exceptions import SDKException
    more: dict[str, Any] = {name: value for name, value in (
        ('region_name', region), ('cacert', ca_file)) if value}
    try:
        with warnings.catch_warnings():
            # It warns of a feature of its own that nobody has asked for.
            warnings.simplefilter('ignore', PendingDeprecationWarning)
            return loader.OpenStackConfig().get_one(cloud, **more)
    except (SDKException, ClientException) as fault:
        raise errors.InvalidConfiguration(
            'clouds.yaml or the variables OS_* do not say who asks',
            cloud=cloud or os.environ.get('OS_CLOUD'),
            reason=str(fault)) from fault


def _without_keystone(username: str | None, password: str | None,
                      ca_file: str | None) -> Session:
    from keystoneauth1 import http_basic, noauth, session
    auth = (http_basic.HTTPBasicAuth(username=username,
                                     password=password or '')
            if username else noauth.NoAuth())
    return session.Session(auth=auth, verify=ca_file or True,
                           app_name='moc_meter')


def _parted(url: str) -> tuple[str, str | None, str | None]:
    """The URL, and the name and the word before its '@', if any.

    Raises InvalidConfiguration, which does not show them.
    """
    try:
        found = urllib.parse.urlsplit(url)
        sound = (found.scheme in ('http', 'https') and found.hostname
                 and found.port != 0
                 # Raises where it can be no name, as a..b.
                 and found.hostname.encode('idna'))
    except ValueError:
        sound = False
    if not sound:
        raise errors.InvalidConfiguration(
            'not the URL of a service; http://HOST:8777 is',
            url=url.rpartition('@')[2])
    name, word = (text and urllib.parse.unquote(text)
                  for text in (found.username, found.password))
    return found._replace(netloc=found.netloc.rpartition('@')[2],
                          query='', fragment='').geturl(), name, word


def _one(said: list[str] | str | None) -> str | None:
    """The interface; of several that would do, the first."""
    return said[0] if isinstance(said, list) else said
