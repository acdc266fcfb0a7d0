# SPDX-License-Identifier: Apache-2.0
"""Every option of moc_meter, one module per section of the file."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterable, Sequence
from types import ModuleType

from oslo_config import cfg
from oslo_log import _options as log_options
from oslo_log import log

from moc_meter import errors
from moc_meter.conf import (
    admission,
    agent,
    api,
    collector,
    database,
    default,
    jobs,
    keystone,
    messaging,
    notification,
    policy,
    polling,
    retention,
)

#: Where oslo.config found a value, in words of its own.
_PLACE = re.compile(r' from LocationInfo\(.*\)(?= is)')
_Options = list[tuple[str, list[cfg.Opt]]]

#: The sections that each process reads; its file in etc/ has these.
PROCESSES: dict[str, tuple[ModuleType, ...]] = {
    'moc-meter-agent': (default, agent, notification, polling, messaging,
                        admission),
    'moc-meter-collector': (default, messaging, collector, admission,
                            database),
    'moc-meter-jobs': (default, jobs, retention, database),
    'moc-meter-api': (default, api, keystone, policy, messaging, admission,
                      database),
    'moc-meter-all-in-one': (default, agent, notification, polling,
                             collector, admission, jobs, retention, api,
                             keystone, policy),
}
#: Defaults that differ in a process.
_OVERRIDES = {
    'moc-meter-all-in-one': {
        ('DEFAULT', 'state_dir'): '~/.local/state/moc_meter',
        ('polling', 'interval'): 10},
}
_MODULES = tuple(dict.fromkeys(
    module for modules in PROCESSES.values() for module in modules))


def list_opts(process: str) -> _Options:
    """Sections and options of a process, for the sample file's generator."""
    return _options(process, PROCESSES[process])


def _options(process: str, modules: Iterable[ModuleType]) -> _Options:
    changed = _OVERRIDES.get(process, {})
    found: _Options = []
    for module in modules:
        options = [copy.copy(option) for option in module.OPTIONS]
        for option in options:
            option.default = changed.get((module.SECTION, option.name),
                                         option.default)
        found.append((module.SECTION, options))
    return found


list_agent_opts = functools.partial(list_opts, 'moc-meter-agent')
list_collector_opts = functools.partial(list_opts, 'moc-meter-collector')
list_jobs_opts = functools.partial(list_opts, 'moc-meter-jobs')
list_api_opts = functools.partial(list_opts, 'moc-meter-api')
list_all_in_one_opts = functools.partial(list_opts, 'moc-meter-all-in-one')


def load(process: str, argv: Sequence[str], *, version: str = '',
         cli: Sequence[cfg.Opt] = (),
         files: list[str] | None = None) -> cfg.ConfigOpts:
    """Read the options of one process.

    Each process calls this once, at its entry point, and hands values on;
    there is no global configuration object.
    files: instead of those in the usual places (/etc/moc_meter/PROCESS.conf).
    Raises InvalidConfiguration for a value out of its range and for an
    option that no process has: a misspelt one must not be passed over.
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    for section, options in _options(process, _MODULES):
        conf.register_opts(options, group=_group(section))
    conf.register_cli_opts(cli)
    try:
        # The usage without its 30 options: it stands before every refusal.
        conf(list(argv), project='moc_meter', prog=process, version=version,
             usage='%(prog)s [OPTION ...]', default_config_files=files)
        _refuse_unknown(conf)
        _read_all(conf)
    except SystemExit as left:
        # --help is a success; a wrong value is no other case than an unknown
        # option, though oslo.config answers it with another status.
        raise SystemExit(2 if left.code else 0) from None
    except cfg.ConfigFilesNotFoundError as fault:
        raise errors.InvalidConfiguration(
            'a configuration file cannot be read',
            files=fault.config_files) from fault
    except (cfg.Error, ValueError) as fault:
        raise errors.InvalidConfiguration(' '.join(str(fault).split())
                                          ) from fault
    return conf


def _group(section: str) -> str | None:
    """oslo.config's name of a section: its [DEFAULT] has none."""
    return None if section == 'DEFAULT' else section


def _read_all(conf: cfg.ConfigOpts) -> None:
    """A wrong value shows when an option is read: so read them all now."""
    for module in _MODULES:
        for option in module.OPTIONS:
            try:
                (conf[module.SECTION] if _group(module.SECTION) else conf)[
                    option.dest]
            except (cfg.Error, ValueError) as fault:
                raise errors.InvalidConfiguration(
                    'an option has a wrong value', section=module.SECTION,
                    option=option.name,
                    reason=_PLACE.sub('', str(fault))) from fault


def _refuse_unknown(conf: cfg.ConfigOpts) -> None:
    known = {(module.SECTION, name) for module in _MODULES
             for option in module.OPTIONS
             for name in (option.name, option.dest)}
    known |= {('DEFAULT', name) for _, options in log_options.list_opts()
              for option in options for name in (option.name, option.dest)}
    sections = {section for section, _ in known}
    for file in conf.config_file or ():
        found: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(file, found).parse()
        for section, options in found.items():
            for option in options:
                if (section, option) not in known:
                    raise errors.InvalidConfiguration(
                        'no such option' if section in sections
                        else 'no such section', file=file, section=section,
                        option=option)
