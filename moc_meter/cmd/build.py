# SPDX-License-Identifier: Apache-2.0
"""Options into objects: what every process has."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from moc_meter import errors, plugins
from moc_meter.model import meter
from moc_meter.model.admission import Admission

if TYPE_CHECKING:
    # Its library is large, and of use to those who sign only.
    from moc_meter import signing


def now() -> datetime.datetime:
    """The one clock of a process."""
    return datetime.datetime.now(datetime.UTC)


def settle(check: Callable[[], None]) -> None:
    """Do a check of the start of a process.

    What does not fit stops the start, since an operator has to mend it. What
    is away does not: it is waited for, and whoever needs it says so.
    """
    with contextlib.suppress(errors.BusUnavailable, errors.StoreUnavailable):
        check()


def definitions(conf: cfg.ConfigOpts) -> meter.Definitions:
    return meter.load(Path(conf.admission.meters_dir))


def admission(conf: cfg.ConfigOpts) -> Admission:
    return Admission(
        definitions=definitions(conf), strict=conf.admission.strict,
        max_future=datetime.timedelta(seconds=conf.admission.max_future))


def bus(conf: cfg.ConfigOpts) -> Any:
    """The bus between processes."""
    given: dict[str, Any] = {}
    if conf.messaging.ca_file:
        given['ssl_ca_file'] = Path(conf.messaging.ca_file)
    return plugins.load('moc_meter.bus', ['amqp'])['amqp'](
        url=required(conf, 'messaging', 'url'), queue=conf.messaging.queue,
        batch_messages=conf.collector.batch_messages,
        batch_seconds=conf.collector.batch_seconds, **given)


def signer(conf: cfg.ConfigOpts) -> signing.Signer | None:
    if not conf.messaging.signing_key:
        return None
    from moc_meter import signing
    return signing.load_signer(Path(conf.messaging.signing_key))


def state_file(conf: cfg.ConfigOpts, name: str) -> Path:
    return Path(conf.state_dir) / name


def required(conf: cfg.ConfigOpts, section: str, option: str) -> str:
    value = conf[section][option]
    if not value:
        raise errors.InvalidConfiguration(
            'an option must be set', section=section, option=option,
            files=conf.config_file)
    return str(value)
