# SPDX-License-Identifier: Apache-2.0
"""What every test run has: the servers, and the refusal to leave tests out."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ['moc_meter.tests.fixtures']


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--complete', action='store_true',
        help='fail where a test was skipped, deselected or expected to fail')


def pytest_configure(config: pytest.Config) -> None:
    # A shell has what it starts in the background ignore it, and so would
    # every process that a test starts and interrupts.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes tells of the machine, and not of us.
    settings.register_profile(
        'untimed', deadline=None,
        suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile('untimed')
    if config.getoption('complete'):
        config.pluginmanager.register(_Complete(), 'complete')


class _Complete:
    """Counts what did not run, and makes a run of it that failed."""

    def __init__(self) -> None:
        self._left_out: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._left_out += [f'deselected {item.nodeid}' for item in items]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped or hasattr(report, 'wasxfail'):
            self._left_out.append(f'skipped {report.nodeid}')

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._left_out.append(f'skipped {report.nodeid}')

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
            self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._left_out:
            terminalreporter.line(f'left out: {line}', red=True)
