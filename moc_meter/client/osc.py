# SPDX-License-Identifier: Apache-2.0
"""The plugin of OpenStackClient: "openstack metering …".

Its commands are those of moc-meter; the client finds this module by the entry
point ``openstack.cli.extension`` and reads the names in capitals.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from moc_meter.client.client import Client

DEFAULT_API_VERSION: Final = '2'
API_VERSION_OPTION: Final = 'os_metering_api_version'
API_NAME: Final = 'metering'
API_VERSIONS: Final = ('2',)
#: Seconds for which somebody who waits would ask again.
_PATIENCE: Final = 5.0


def make_client(instance: Any) -> Client:
    """What commands find as ``app.client_manager.metering``.

    instance: the client's manager; it has a session and where to go with it.
    """
    # OpenStackClient imports every plugin, whatever it is asked.
    from moc_meter import client
    place = {'interface': instance.interface or 'public',
             'region_name': instance.region_name}
    return client.connect(
        instance.get_endpoint_for_service_type(API_NAME, **place),
        session=instance.session, patience=_PATIENCE)


def build_option_parser(parser: argparse.ArgumentParser
                        ) -> argparse.ArgumentParser:
    """Add the options that the plugin has for all commands."""
    parser.add_argument(
        '--os-metering-api-version', metavar='<metering-api-version>',
        default=os.environ.get('OS_METERING_API_VERSION',
                               DEFAULT_API_VERSION),
        help='Version of the metering API, default: '
             f'{DEFAULT_API_VERSION} (Env: OS_METERING_API_VERSION)')
    return parser
