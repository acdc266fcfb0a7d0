# SPDX-License-Identifier: Apache-2.0
"""Who may do what, and whose rows they see.

A rule says whether a request goes on; the row scope, found here once a
request, goes into the query. No answer is filtered afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import webob
from oslo_config import cfg
from oslo_policy import policy
from pecan import hooks

from moc_meter import errors
from moc_meter.api import context
from moc_meter.api.context import Caller, Credentials

_NAMESPACE = 'telemetry:'
_ALL, _ADMIN, _DOMAIN = 'segregation', 'context_is_admin', 'domain_manager'
_CREATE = 'create_samples'
_FOR_OTHERS, _DIRECTLY = 'create_samples_for_others', 'create_samples_directly'
_EVENTS, _EVENT = 'events:index', 'events:show'

#: ``(domain, environment of the request)`` to the projects of the domain.
Domains = Callable[[str, Mapping[str, Any]], frozenset[str]]

_PERSONAS = (
    policy.RuleDefault(
        _ADMIN, 'role:admin', 'An administrator of the cloud.',
        scope_types=['system', 'project']),
    policy.RuleDefault(
        _ALL, f'rule:{_ADMIN} or (role:reader and system_scope:all)',
        'Sees the rows of all projects. Whoever does not sees those of the '
        'project, or of the domain, of the token.',
        scope_types=['system', 'project']),
    policy.RuleDefault(
        _DOMAIN, 'role:manager and domain_id:%(domain_id)s',
        'Sees the rows of all projects of the domain of the token.',
        scope_types=['domain']),
    policy.RuleDefault(
        'project_reader', 'role:reader and project_id:%(project_id)s',
        'Reads what belongs to the project of the token.',
        scope_types=['project']),
    policy.RuleDefault(
        'project_member', 'role:member and project_id:%(project_id)s',
        'Works in the project of the token.', scope_types=['project']))
_READER = f'rule:{_ALL} or rule:{_DOMAIN} or rule:project_reader'
_POSTER = f'rule:{_ADMIN} or role:service'


def _read(name: str, about: str, *paths: str, verb: str = 'GET'
          ) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        _NAMESPACE + name, _READER, about,
        [{'method': verb, 'path': path} for path in paths],
        scope_types=['system', 'domain', 'project'])


def _post(name: str, check: str, about: str, *paths: str
          ) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        _NAMESPACE + name, check, about,
        [{'method': 'POST', 'path': path} for path in paths],
        scope_types=['system', 'project'])


def _event(name: str, about: str, path: str) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        _NAMESPACE + name, f'rule:{_ADMIN} or rule:project_reader', about,
        [{'method': 'GET', 'path': path}], scope_types=['project'])


_RULES = (
    _read('get_meters', 'List meters.', '/v2/meters'),
    _read('get_samples', 'List samples.', '/v2/meters/{name}',
          '/v2/samples'),
    _read('get_sample', 'Show a sample.', '/v2/samples/{id}'),
    _read('query_sample', 'Search samples.', '/v2/query/samples',
          verb='POST'),
    _read('compute_statistics', 'Compute statistics of a meter.',
          '/v2/meters/{name}/statistics'),
    _read('get_resources', 'List resources.', '/v2/resources'),
    _read('get_resource', 'Show a resource.', '/v2/resources/{id}'),
    _event(_EVENTS, 'List events.', '/v2/events'),
    _event(_EVENT, 'Show an event.', '/v2/events/{id}'),
    _post(_CREATE, f'{_POSTER} or rule:project_member',
          'Post samples, of the own project unless '
          f'{_NAMESPACE}{_FOR_OTHERS} allows more.', '/v2/meters/{name}',
          '/v2/ingest'),
    _post(_FOR_OTHERS, _POSTER, 'Post samples of any project; what comes to '
          '/v2/ingest keeps its source.', '/v2/meters/{name}', '/v2/ingest'),
    _post(_DIRECTLY, f'rule:{_NAMESPACE}{_CREATE}',
          'Have posted samples stored before the answer (direct=True).',
          '/v2/meters/{name}'))


def list_rules() -> list[policy.RuleDefault]:
    """Every rule with its default, for the generator of the sample file."""
    return [*_PERSONAS, *_RULES]


def enforcer(file: Path | None) -> policy.Enforcer:
    """The rules, with those of a file in place of the built-in ones.

    Raises InvalidConfiguration where the file is not there, names a rule of
    ours that there is not, or does not hold together.
    """
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    file = file or Path('/dev/null')
    made = policy.Enforcer(conf, policy_file=str(file))
    conf.set_override('policy_dirs', [], group='oslo_policy')
    made.register_defaults(list_rules())
    try:
        file.read_bytes()       # the library passes over one that is not there
        made.load_rules(force_reload=True)
        made.check_rules(raise_on_violation=True)
    except (OSError, ValueError, policy.InvalidDefinitionError) as fault:
        raise errors.InvalidConfiguration(
            'the policy file cannot be used', file=str(file),
            reason=' '.join(str(fault).split())) from fault
    unknown = [name for name in made.file_rules
               if name.startswith(_NAMESPACE)
               and name not in made.registered_rules]
    if unknown:
        raise errors.InvalidConfiguration(
            'no such policy rule', file=str(file), rules=unknown)
    return made


def no_domains(_: str, __: Mapping[str, Any]) -> frozenset[str]:
    """The projects of a domain where there is no Keystone to list them."""
    return frozenset()


class Policy(hooks.PecanHook):          # type: ignore[misc]
    """Lets a request go on to its controller, with its caller, or not.

    Each controller names its rule in ``rule``, without the namespace; None is
    for everybody who got so far.
    """

    def __init__(self, rules: policy.Enforcer, domains: Domains) -> None:
        self._rules = rules
        self._domains = domains

    def before(self, state: Any) -> None:
        """Raises Forbidden where the rule of the controller says so."""
        request: webob.Request = state.request
        request.context['caller'] = self.caller(
            state.controller.rule, request.environ, request.application_url)

    def caller(self, rule: str | None, environ: Mapping[str, Any],
               service_url: str) -> Caller:
        """The caller of a request, who may do what the rule is about.

        Raises Forbidden; IdentityUnavailable where the projects of a domain
        are not known and cannot be asked for.
        """
        found = context.read(environ)
        allows = self._judge(found)
        if rule and not allows(_NAMESPACE + rule):
            raise errors.Forbidden(
                f'Policy does not allow {_NAMESPACE}{rule} to this caller')
        managed = None
        if rule and found.domain_id and allows(_DOMAIN):
            managed = self._domains(found.domain_id, environ)
        # Each answer takes time: what is of no concern here is not asked.
        posts = rule == _CREATE
        return Caller(
            project_id=found.project_id, user_id=found.user_id,
            sees_all=allows(_ALL), domain_projects=managed,
            admin=rule in (None, _EVENTS, _EVENT) and allows(_ADMIN),
            posts_for_others=posts and allows(_NAMESPACE + _FOR_OTHERS),
            posts_directly=posts and allows(_NAMESPACE + _DIRECTLY),
            service_url=service_url)

    def _judge(self, caller: Credentials) -> Callable[[str], bool]:
        """Says of a rule whether it lets the caller.

        What is not known is left out on both sides, since the library takes
        None for the equal of None.
        """
        scope = {name: value for name, value in (
            ('user_id', caller.user_id), ('project_id', caller.project_id),
            ('domain_id', caller.domain_id)) if value}
        credentials = {
            **scope, 'roles': sorted(caller.roles),
            'system': caller.system_scope,
            'system_scope': caller.system_scope}
        return lambda rule: bool(
            self._rules.enforce(rule, scope, credentials))
