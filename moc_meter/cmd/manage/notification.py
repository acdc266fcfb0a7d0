# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage notification …"""

from __future__ import annotations

import argparse
import http.client
import importlib.resources
import json
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from oslo_config import cfg

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.cmd import build
from moc_meter.model import quantity
from moc_meter.model.sample import Sample

_TIMEOUT = 60.0
_BATCH = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``replay``."""
    parser.add_argument(
        'files', nargs='*', type=Path, metavar='FILE',
        help='notifications as JSON lines, flat or in an oslo v2 envelope')
    parser.add_argument(
        '--example', action='store_true',
        help='the packaged life of an instance: create, resize, delete')
    parser.add_argument(
        '--url', default='http://127.0.0.1:8777',
        help='where the all-in-one listens (default: %(default)s)')


def replay(conf: cfg.ConfigOpts) -> int:
    """Make samples as an agent would, post them, and count the answers."""
    asked = conf.command
    if not asked.files and not asked.example:
        raise errors.InvalidConfiguration(
            'name files of notifications, or --example')
    host = build.plugin_host(conf)
    counts: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    for samples, refused in _batches(conf, host, _lines(asked)):
        counts['refused'] += refused
        for sample, answer in zip(samples, _post(asked.url, samples),
                                  strict=True):
            counts[answer['status']] += 1
            touched[sample.meter] += 1
    print(', '.join(f'{counts[name]} {name}' for name in (
        'stored', 'duplicate', 'conflict', 'refused')))
    for meter in sorted(touched):
        row = _ask(asked.url, f'/v2/meters/{meter}/statistics')[0]
        print(f'  {meter}: sum {row["sum"]:g} {row["unit"]} of '
              f'{row["count"]} sample{"s" * (row["count"] != 1)}')
    return 1 if counts['refused'] or counts['conflict'] else 0


def _lines(asked: argparse.Namespace) -> Iterator[bytes]:
    if asked.example:
        packaged = importlib.resources.files('moc_meter.agent.notification')
        yield from (packaged / 'examples' / 'instance-life.jsonl'
                    ).read_bytes().splitlines()
    for path in asked.files:
        try:
            with path.open('rb') as file:
                yield from file
        except OSError as fault:
            raise errors.InvalidConfiguration(
                'a file cannot be read', file=str(path),
                reason=fault.strerror) from fault


def _batches(conf: cfg.ConfigOpts, host: Any, lines: Iterable[bytes]
             ) -> Iterator[tuple[list[Sample], int]]:
    """Samples to be posted together, and what could not be used."""
    samples: list[Sample] = []
    refused = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            outcome = host.take(conf.sample_source, message.flat(line))
        except errors.InvalidMessage as fault:
            refused += 1
            print(f'refused: line {number}: {fault}', file=sys.stderr)
            continue
        samples += outcome.samples
        refused += len(outcome.refused)
        for one in outcome.refused:
            print(f'refused: {one.reason}', file=sys.stderr)
        while len(samples) >= _BATCH:
            yield samples[:_BATCH], refused
            samples, refused = samples[_BATCH:], 0
    yield samples, refused


def _post(url: str, samples: list[Sample]) -> list[dict[str, Any]]:
    if not samples:
        return []
    answers: list[dict[str, Any]] = _ask(
        url, '/v2/ingest', json.dumps([_said(one) for one in samples]))
    return answers


def _said(sample: Sample) -> dict[str, object]:
    return {'message_id': sample.message_id, 'source': sample.source,
            'counter_name': sample.meter, 'counter_type': sample.kind.value,
            'counter_unit': sample.unit,
            'counter_volume': quantity.text(sample.volume),
            'resource_id': sample.resource_id,
            'project_id': sample.project_id, 'user_id': sample.user_id,
            'timestamp': sample.timestamp.isoformat(),
            'resource_metadata': sample.metadata}


def _ask(url: str, path: str, body: str | None = None) -> Any:
    if not url.startswith(('http://', 'https://')):
        raise errors.InvalidConfiguration('not an http or https URL', url=url)
    request = urllib.request.Request(  # noqa: S310 - checked above
        url.rstrip('/') + path, data=body.encode() if body else None,
        headers={'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(  # noqa: S310 - checked above
                request, timeout=_TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        raise errors.InvalidQuery(
            'the service refused', url=url + path, status=fault.code,
            answer=fault.read(1000).decode(errors='replace')) from fault
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise errors.StoreUnavailable(
            'the service does not answer; is it running there?', url=url,
            reason=str(fault)) from fault
