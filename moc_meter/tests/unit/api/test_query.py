# SPDX-License-Identifier: Apache-2.0

import datetime

import pytest
import webob.multidict

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, query
from moc_meter.model import period
from moc_meter.model.query import Field, MetadataRule

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
ADMIN = Caller(project_id=None, user_id=None, sees_all=True,
               service_url='http://here')
MINUTE = datetime.timedelta(minutes=1)


def rules(url: str) -> tuple[arguments.Rule, ...]:
    request = webob.Request.blank(f'/?{url}')
    read: tuple[arguments.Rule, ...] = arguments.read(
        request.GET, [arguments.RULES])['q']
    return read


def rule(field: str, op: str, value: object, kind: str = '') -> str:
    return f'q.field={field}&q.op={op}&q.value={value}&q.type={kind}&'


def asked(url: str, fields: frozenset[str] = query.SAMPLES) -> query.Asked:
    return query.asked(rules(url), fields, ADMIN)


def complaint(url: str, fields: frozenset[str] = query.SAMPLES) -> str:
    with pytest.raises(errors.MeterError) as refusal:
        asked(url, fields)
    return str(refusal.value)


def test_rules_are_paired_by_position_wherever_they_stand() -> None:
    found = rules('q.op=ge&q.field=timestamp&q.value=1&q.value=2&q.type='
                  '&q.field=user&q.type=string&q.op=')
    assert [(one.field, one.op, one.value) for one in found] == [
        ('timestamp', 'ge', '1'), ('user', 'eq', '2')]


def test_operators_and_types_may_be_missing_altogether() -> None:
    [found] = rules('q.field=user&q.value=u')
    assert (found.op, found.type) == ('eq', None)


@pytest.mark.parametrize('left_out', ['q.op=ge', 'q.type=string'])
def test_a_list_that_does_not_say_which_rule_it_means_is_refused(
        left_out: str) -> None:
    assert 'for each of the 2 rules' in complaint(
        f'q.field=a&q.value=1&q.field=b&q.value=2&{left_out}')


@pytest.mark.parametrize('url', [
    'q.field=user', 'q.value=u', 'q.field=&q.value=u', 'q.op=eq',
    'q.field=user&q.value=1&q.field=source', 'q.type=string',
])
def test_a_rule_without_field_or_value_is_refused(url: str) -> None:
    assert 'Mandatory field missing' in complaint(url)


def test_every_rule_on_a_field_counts() -> None:
    found = asked('q.field=user&q.value=u1&q.field=user_id&q.value=u2')
    assert found.selection.series == ((Field.USER, 'u1'), (Field.USER, 'u2'))


def test_an_empty_value_is_compared_like_any_other() -> None:
    found = asked('q.field=resource&q.value=')
    assert found.selection.series == ((Field.RESOURCE, ''),)


def test_none_selects_what_has_no_user_or_project() -> None:
    found = asked(''.join(rule(field, 'eq', 'None') for field in (
        'user', 'project_id', 'source')))
    assert found.selection.series == (
        (Field.USER, None), (Field.PROJECT, None), (Field.SOURCE, 'None'))


def test_the_meter_of_the_path_and_a_rule_on_it_must_both_hold() -> None:
    found = query.asked(rules('q.field=meter&q.value=b'), query.SAMPLES,
                        ADMIN, meter='a')
    assert found.selection.series == ((Field.METER, 'a'), (Field.METER, 'b'))


def test_two_message_ids_select_nothing() -> None:
    found = asked(rule('message_id', 'eq', 'a') + rule('message_id', '', 'b'))
    assert found.selection.start == found.selection.end == period.EPOCH


def test_metadata_is_addressed_under_both_names() -> None:
    found = asked(rule('metadata.a.b', 'eq', 'x')
                  + rule('resource_metadata.tags[0]', '', 'y', 'string'))
    assert found.selection.metadata == (
        MetadataRule(path='a.b', values=(('text', 'x'),)),
        MetadataRule(path='tags[0]', values=(('text', 'y'),)))


@pytest.mark.parametrize(('op', 'start', 'end'), [
    ('ge', NOON, None), ('gt', NOON + period.MICROSECOND, None),
    ('lt', None, NOON), ('le', None, NOON + period.MICROSECOND),
])
def test_every_bound_becomes_half_open(
        op: str, start: datetime.datetime | None,
        end: datetime.datetime | None) -> None:
    found = asked(rule('timestamp', op, '2026-03-01T12:00'))
    assert (found.selection.start, found.selection.end) == (start, end)


def test_a_bound_is_also_kept_as_it_was_given() -> None:
    found = asked(rule('timestamp', 'gt', '2026-03-01T12:00')
                  + rule('timestamp', 'le', '2026-03-01T13:00%2B01:00'))
    assert (found.start, found.end) == (NOON, NOON)


def test_the_narrowest_bounds_count() -> None:
    found = asked(rule('timestamp', 'ge', '2026-03-01')
                  + rule('timestamp', 'gt', '2026-03-01T12:00')
                  + rule('timestamp', 'lt', '2026-03-01T12:01')
                  + rule('timestamp', 'lt', '2026-03-02'))
    assert found.selection.start == NOON + period.MICROSECOND
    assert found.selection.end == NOON + MINUTE


def test_an_offset_widens_the_selection_only() -> None:
    found = asked(rule('search_offset', 'eq', 2)
                  + rule('timestamp', 'ge', '2026-03-01T12:00')
                  + rule('timestamp', 'lt', '2026-03-01T12:01'))
    assert found.selection.start == NOON - 2 * MINUTE
    assert found.selection.end == NOON + 3 * MINUTE
    assert (found.start, found.end) == (NOON, NOON + MINUTE)


def test_an_offset_ends_where_the_calendar_does() -> None:
    found = asked(rule('search_offset', '', '9' * 18)
                  + rule('timestamp', 'ge', '2026-03-01')
                  + rule('timestamp', 'le', '9999-12-31T23:59:59.999999'))
    assert found.selection.start == datetime.datetime(
        1, 1, 1, tzinfo=datetime.UTC)
    assert found.selection.end == datetime.datetime(
        9999, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.UTC)


@pytest.mark.parametrize('field', [
    'user', 'project_id', 'resource', 'source', 'meter', 'message_id',
    'metadata.a', 'resource_metadata.a', 'search_offset'])
@pytest.mark.parametrize('op', ['lt', 'le', 'ne', 'ge', 'gt', 'like'])
def test_equality_is_all_that_most_fields_have(field: str, op: str) -> None:
    assert complaint(rule(field, op, '1')) == (
        f"Invalid input for field/attribute op. Value: '{op}'. "
        f'unimplemented operator for {field}')


@pytest.mark.parametrize('op', ['', 'eq', 'ne', '=~'])
def test_timestamps_are_not_compared_for_equality(op: str) -> None:
    good = rule('timestamp', 'ge', '2026-03-01')
    assert complaint(good + rule('timestamp', op, '2026-03-01')) == (
        f"Invalid input for field/attribute op. Value: '{op or 'eq'}'. "
        'unimplemented operator for timestamp')


def test_an_offset_alone_is_refused() -> None:
    assert complaint(rule('search_offset', '', 1)) == (
        "Invalid input for field/attribute field. Value: 'search_offset'. "
        'search_offset cannot be used without timestamp')


@pytest.mark.parametrize('value', ['x', '', '1.5', '-1', '9' * 19])
def test_an_offset_is_a_number_of_minutes(value: str) -> None:
    assert 'number of minutes' in complaint(
        rule('timestamp', 'ge', '2026-03-01')
        + rule('search_offset', '', value))


@pytest.mark.parametrize('field', [
    'counter_name', 'id', 'limit', 'metaquery', 'unique', 'metadata'])
def test_an_unknown_field_is_refused_before_its_operator(field: str) -> None:
    assert complaint(rule(field, 'gt', 'v', 'string')) == (
        f'Unknown argument: "{field}": unrecognized field in query: '
        f"[<Query '{field}' gt 'v' string>], valid keys: ['message_id', "
        "'meter', 'project', 'resource', 'search_offset', 'source', "
        "'timestamp', 'user']")


@pytest.mark.parametrize('field', ['timestamp', 'search_offset'])
def test_meters_know_no_time(field: str) -> None:
    assert complaint(rule(field, 'ge', '1'), query.METERS) == (
        f'Unknown argument: "{field}": not valid for this resource')


@pytest.mark.parametrize('fields', [query.METERS, query.RESOURCES])
def test_only_samples_are_selected_by_meter_or_id(
        fields: frozenset[str]) -> None:
    assert 'unrecognized field' in complaint(rule('meter', '', 'm'), fields)
    assert 'unrecognized field' in complaint(
        rule('message_id', '', 'm'), fields)


@pytest.mark.parametrize('value', ['', 'now', '1425200000'])
def test_a_bad_timestamp_is_refused(value: str) -> None:
    assert complaint(rule('timestamp', 'ge', value)) == (
        f"Invalid input for field/attribute timestamp. Value: '{value}'. "
        'invalid timestamp format')


@pytest.mark.parametrize('url', [
    rule('user', '', 'a%00b'), rule('metadata.%00', '', 'a')])
def test_what_no_database_can_compare_is_refused(url: str) -> None:
    assert 'NUL' in complaint(url)


def test_a_type_is_checked_wherever_it_is_given() -> None:
    assert 'data type nonsense is not supported' in complaint(
        rule('user', '', 'u', 'nonsense'))


def test_the_selection_carries_what_the_caller_may_see() -> None:
    limited = Caller(project_id='p', user_id=None, sees_all=False,
                     service_url='http://here')
    found = query.asked(rules('q.field=project&q.value=p'), query.SAMPLES,
                        limited)
    assert found.selection.projects == frozenset('p')
    with pytest.raises(errors.NotAuthorized):
        query.asked(rules(rule('project', '', 'p') + rule('project', '', 'q')),
                    query.SAMPLES, limited)
