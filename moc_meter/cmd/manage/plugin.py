# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage plugin …: what is installed, and whether it is sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oslo_config import cfg

from moc_meter import contracts, plugins
from moc_meter.agent.calls import Calls
from moc_meter.agent.notification import probe
from moc_meter.agent.plain import plainly
from moc_meter.cmd.manage import output
from moc_meter.cmd.manage.arguments import Group
from moc_meter.plugins import Installed
from moc_meter.terminal import harmless

_COLUMNS = ('namespace', 'name', 'package', 'version', 'options')
_WIDTHS = (22, 22, 14, 16)
#: Longest that a plugin may take to be loaded, and to be made, in seconds.
_PATIENCE = 5.0
#: What of the configuration rules the plugins of a namespace.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    'moc_meter.notification': ('[notification] plugins',
                               '[notification] profiles'),
    'moc_meter.poll.compute': ('[polling] compute', '[polling] interval'),
    'moc_meter.poll.hardware': ('[polling] hardware', '[polling] interval'),
    'moc_meter.hypervisor': ('[polling] hypervisor',
                             '[polling] libvirt_uri'),
    'moc_meter.bus': ('[messaging] url', '[messaging] queue',
                      '[messaging] ca_file', '[collector] batch_messages',
                      '[collector] batch_seconds'),
    'moc_meter.dispatcher': ('[collector] dispatchers',),
}


def commands(group: Group) -> None:
    list_ = group.add_command(
        'list', show_list, 'Show every plugin that is installed, the package '
        'that it is from, and the options that rule it.')
    check_ = group.add_command(
        'check', check, 'Load and make every plugin, and say which does not '
        'keep its contract, and what to do.',
        '0: all are sound; 1: one is not')
    for parser in (list_, check_):
        parser.add_argument('--json', action='store_true',
                            help='one JSON object a plugin')


def show_list(conf: cfg.ConfigOpts) -> int:
    if not conf.command.json:
        print(output.row(_COLUMNS, _WIDTHS))
    for one in plugins.installed():
        facts = {**_named(one), 'options': _OPTIONS.get(one.namespace, ())}
        print(output.line({**facts, 'target': one.target})
              if conf.command.json else output.row(
                  [*_named(one).values(), ', '.join(facts['options'])],
                  _WIDTHS))
    return 0


def check(conf: cfg.ConfigOpts) -> int:
    """Status 1 where one is broken."""
    everything = plugins.installed()
    calls = Calls('plugin-check')
    broken = 0
    for one in everything:
        wrong = [*_clashes(one, everything), *_wrong(one, calls)]
        broken += bool(wrong)
        if conf.command.json:
            print(output.line({**_named(one), 'ok': not wrong,
                               'wrong': wrong}))
            continue
        print(f'{"BROKEN" if wrong else "ok    "} {one.namespace} {one.name} '
              f'({one.package} {one.version})')
        for sentence in wrong:
            print(f'       {harmless(sentence)}')
    return 1 if broken else 0


def _named(one: Installed) -> dict[str, Any]:
    return {'namespace': one.namespace, 'name': one.name,
            'package': one.package, 'version': one.version}


def _clashes(one: Installed, everything: Sequence[Installed]
             ) -> Iterator[str]:
    others = sorted({other.package for other in everything
                     if (other.namespace, other.name) == (
                         one.namespace, one.name) and other != one})
    if others:
        yield (f'its name is taken by {", ".join(others)} too: no process '
               'that uses it starts; rename the entry point, or uninstall '
               'one of the packages')


def _wrong(one: Installed, calls: Calls) -> Iterator[str]:
    """What is wrong with a plugin, and the next step; as far as it goes."""
    seam = contracts.SEAMS.get(one.namespace)
    if seam is None:
        yield (f'there is no such namespace, so nobody loads it; use one of '
               f'{", ".join(sorted(contracts.SEAMS))}')
        return
    try:
        named, wrong = calls.call(f'loading {one}',
                                  lambda: plainly(lambda: _loaded(one)),
                                  _PATIENCE)
    except TimeoutError:
        yield (f'{one.target} is not loaded after {_PATIENCE:g} s; importing '
               'it must do nothing but define')
        return
    except Exception as fault:
        yield (f'{one.target} cannot be loaded: {fault!r}; install what it '
               'needs, or uninstall its package')
        return
    if not wrong and seam.made_with is not None:
        wrong = _made_wrong(one, named, seam.made_with, calls)
    for sentence in wrong:
        yield f'{one.target}: {sentence}'


def _loaded(one: Installed) -> tuple[Any, list[str]]:
    named = one.load()
    return named, contracts.complaints(one.namespace, named)


def _made_wrong(one: Installed, make: Any, made_with: Sequence[str],
                calls: Calls) -> list[str]:
    """The same, of what comes of calling it as its host would."""
    try:
        made, wrong = calls.call(
            f'making {one}', lambda: plainly(
                lambda: _made(one.namespace, make, made_with)), _PATIENCE)
    except TimeoutError:
        return [(f'it is not made after {_PATIENCE:g} s; only questions may '
                 'wait for what lies outside, making it must not')]
    except Exception as fault:
        return [(f'it cannot be made: {fault!r}; only questions may need '
                 'what lies outside, making it must not')]
    if one.namespace == 'moc_meter.notification' and not wrong:
        return probe.complaints(made)
    return wrong


def _made(namespace: str, make: Any, made_with: Sequence[str]
          ) -> tuple[Any, list[str]]:
    made = make(*['test:///default' if name == 'uri' else object()
                  for name in made_with])
    return made, contracts.complaints(namespace, made)
