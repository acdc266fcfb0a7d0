# SPDX-License-Identifier: Apache-2.0
"""Lists are written by hand; what WSME would have written stays the rule."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import simplejson
import webob
from hypothesis import given, settings
from hypothesis import strategies as st
from wsme import types as wtypes
from wsme.rest import json as restjson

from moc_meter.api import negotiation
from moc_meter.api.v1.discovery import MeterName
from moc_meter.api.v1.figures import Duration, Volume
from moc_meter.api.v2 import types, writing
from moc_meter.api.v2.events import Event, Trait

TYPES = [types.OldSample, types.Sample, types.Meter, types.Resource,
         types.ResourceState, types.Statistics, types.Outcome, types.Link,
         Event, Trait, MeterName, Volume, Duration]
TEXT = st.text(max_size=20)
VALUES = {
    wtypes.text: TEXT, int: st.integers(), bool: st.booleans(),
    types.NUMBER: st.decimals(allow_nan=False, allow_infinity=False,
                              min_value=-10 ** 28, max_value=10 ** 28),
    types.VOLUME: st.decimals(allow_nan=False, allow_infinity=False,
                              min_value=-10 ** 28, max_value=10 ** 28),
    types.TIMESTAMP: st.datetimes(min_value=datetime.datetime(1, 1, 2),
                                  max_value=datetime.datetime(9999, 12, 30),
                                  timezones=st.just(datetime.UTC))}


def said(datatype: Any) -> st.SearchStrategy[Any]:
    """Values of a type of WSME."""
    if isinstance(datatype, wtypes.DictType):
        return st.dictionaries(TEXT, said(datatype.value_type), max_size=3)
    if isinstance(datatype, wtypes.ArrayType):
        return st.lists(said(datatype.item_type), max_size=3)
    if datatype in TYPES:
        return items(datatype)
    return VALUES[datatype]


def items(datatype: Any) -> st.SearchStrategy[Any]:
    """Items with any of their fields said, null, or not said."""
    fields = {one.key: st.one_of(said(one.datatype), st.none())
              for one in wtypes.list_attributes(datatype)}
    return st.fixed_dictionaries({}, optional=fields).map(
        lambda chosen: datatype(**chosen))


def shown(value: Any) -> Any:
    """The same without objects of WSME's."""
    if isinstance(value, list):
        return [*map(shown, value)]
    if not isinstance(value, wtypes.Base):
        return value
    return {one.key: shown(said)
            for one in wtypes.list_attributes(type(value))
            if (said := getattr(value, one.key)) is not wtypes.Unset}


def written(given: list[Any], array: Any, content_type: str) -> bytes:
    answer = writing.response(webob.Request.blank('/'), iter(given), array,
                              content_type, 200)
    return bytes(answer.body)


@pytest.mark.parametrize('datatype', TYPES, ids=lambda one: one.__name__)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_list_has_the_bytes_that_wsme_would_have_written(
        datatype: Any, data: st.DataObject) -> None:
    given = data.draw(st.lists(items(datatype), max_size=3))
    array = wtypes.ArrayType(datatype)
    plain = simplejson.dumps(restjson.tojson(array, given)).encode()
    assert written(given, array, negotiation.JSON) == plain
    assert written(shown(given), array, negotiation.JSON) == plain
    assert written(shown(given), array, negotiation.XML) == (
        written(given, array, negotiation.XML))


@pytest.mark.parametrize('length', [100, 101, 250])
def test_a_list_that_is_written_in_parts_is_one_list(length: int) -> None:
    given = [{'rel': str(number)} for number in range(length)]
    assert written(given, wtypes.ArrayType(types.Link), negotiation.JSON) == (
        simplejson.dumps(given).encode())


def test_every_type_that_is_shown_is_compared() -> None:
    made = {one for one in wtypes.Base.__subclasses__()
            if one.__module__.startswith('moc_meter.api')
            and 'of' in vars(one)}
    assert made <= set(TYPES)
