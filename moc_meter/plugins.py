# SPDX-License-Identifier: Apache-2.0
"""Loading plugins by their entry points; the only place to know stevedore."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from stevedore import extension

from moc_meter import contracts, errors


def load(namespace: str, names: Sequence[str] | None = None
         ) -> dict[str, Any]:
    """What the entry points of a namespace name, by name.

    names: those that are wanted, in their order; None is all there are.
    Raises InvalidPlugin for a name that is unknown or taken twice, and for a
    plugin that cannot be imported or is no such thing at all: a plugin that
    is wanted and missing must stop the process at its start.
    """
    faults: dict[str, BaseException] = {}

    def failed(_manager: object, entry: Any, fault: BaseException) -> None:
        faults[entry.name] = fault

    manager: Any = extension.ExtensionManager(
        namespace, on_load_failure_callback=failed)
    known = [found.name for found in manager]
    wanted = sorted({*known, *faults}) if names is None else list(names)
    for name in wanted:
        if name in faults:
            raise errors.InvalidPlugin(
                'a plugin cannot be loaded', namespace=namespace, name=name,
                reason=repr(faults[name]))
        if known.count(name) != 1 or wanted.count(name) != 1:
            raise errors.InvalidPlugin(
                'no such plugin' if name not in known
                else 'a plugin is named twice', namespace=namespace,
                name=name, known=sorted(known))
    plugins = {found.name: found.plugin for found in manager}
    for name in wanted:
        for complaint in contracts.complaints(namespace, plugins[name]):
            raise errors.InvalidPlugin(
                'a plugin does not keep its contract', namespace=namespace,
                name=name, reason=complaint)
    return {name: plugins[name] for name in wanted}


def package(namespace: str, name: str) -> str:
    """The package of an entry point that was loaded."""
    return next(found.package for found in installed()
                if (found.namespace, found.name) == (namespace, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An entry point, whether it can be loaded or not."""

    namespace: str
    name: str
    package: str
    version: str
    target: str                     # 'package.module:Class'

    def load(self) -> Any:
        """What it names; raises whatever its module raises."""
        return metadata.EntryPoint(self.name, self.target,
                                   self.namespace).load()


def _package(name: str) -> str:
    """Its normal form: builders spell one name in several ways."""
    return re.sub(r'[-_.]+', '-', name).lower()


def installed() -> list[Installed]:
    """Every entry point of every namespace of ours, in their order."""
    return sorted((
        Installed(namespace=entry.group, name=entry.name, target=entry.value,
                  package=_package(entry.dist.name) if entry.dist else '',
                  version=entry.dist.version if entry.dist else '')
        for group in metadata.entry_points().groups
        if group.startswith('moc_meter.')
        for entry in metadata.entry_points(group=group)), key=repr)
