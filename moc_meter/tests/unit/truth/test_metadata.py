# SPDX-License-Identifier: Apache-2.0
"""Metadata: how it is shown, and what rules find."""

from __future__ import annotations

import pytest

from moc_meter.tests.unit.truth.made import rows, sample
from moc_meter.truth import metadata

_SAID = {'size': 1, 'ratio': 0.5, 'text': '1', 'beta': True, 'none': None,
         'disk': {'kind': 'ssd', 'a.b': 'x'}, 'tags': ['x', {'y': 'z'}]}


def test_it_is_shown_without_nesting() -> None:
    assert metadata.flattened({
        'properties': {'p': {'q': 1}}, 'net': {'if.$0': {'$mtu': 1500}},
        'tags': ['a', 'b'], 'empty': {}, 'none': None}) == {
        'properties.p:q': '1', 'net.if:$0:$mtu': '1500',
        'tags': "['a', 'b']", 'none': 'None'}


@pytest.mark.parametrize(('field', 'value', 'kind', 'found'), [
    ('size', '1', '', True), ('size', '1.0', '', True),
    ('size', '1', 'integer', True), ('size', '1', 'string', False),
    ('size', 'True', '', False), ('text', '1', '', True),
    ('text', '1', 'integer', False), ('text', "'1'", '', True),
    ('ratio', '5e-1', 'float', True), ('beta', 'True', '', True),
    ('beta', 'yes', 'boolean', True), ('beta', '1', '', False),
    ('none', 'None', '', True), ('absent', 'None', '', False),
    ('disk.kind', 'ssd', '', True), ('disk.a.b', 'x', '', True),
    ('tags[0]', 'x', 'string', True), ('tags[1].y', 'z', '', True),
    ('tags', 'x', '', False)])
def test_rules_find_by_path_and_type(field: str, value: str, kind: str,
                                     found: bool) -> None:
    said = [sample('10:00', 1, metadata=_SAID)]
    assert bool(rows(f'/v2/samples?q.field=metadata.{field}&q.value={value}'
                     f'&q.type={kind}', said)) == found


def test_every_scalar_is_found_at_its_path() -> None:
    scalars = list(metadata.scalars(_SAID))
    assert len(scalars) == 9
    for path, value in scalars:
        assert [metadata.scalar(found) for found
                in metadata.at(_SAID, path)] == [value]


@pytest.mark.parametrize('path', ['siz', 'size.x', 'tags', 'tags[2]', 'disk',
                                  'tags[1]', 'disk.a', 'tags[1]y', '[0]'])
def test_there_is_nothing_at_other_paths(path: str) -> None:
    assert list(metadata.at(_SAID, path)) == []


@pytest.mark.parametrize(('value', 'kind'), [
    ('17.3', 'integer'), ('perhaps', 'boolean'), ('1.2.3', 'float'),
    ('1', 'colour')])
def test_what_is_not_of_its_type_is_refused(value: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        metadata.alternatives(value, kind)
