# SPDX-License-Identifier: Apache-2.0
"""What is exposed, and how it is read and written: JSON, or XML.

WSME's own decorator is not used: it pairs query lists that are not whole,
reads numbers as binary floats and bodies of any depth, and answers faults by
itself. Its types and its two formats are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pecan
import webob
from wsme.types import registry

from moc_meter.api.v2 import arguments, reading, writing
from moc_meter.api.v2.paging import Pages

#: ``ask(self, caller, *path, **arguments)``: one question of a controller.
Ask = Callable[..., Any]


def expose(answer: object, *parameters: arguments.Parameter,
           rule: str | None, body: reading.Body | None = None,
           status: int = 200, key: str | None = None) -> Callable[[Ask], Ask]:
    """Make a method of a controller answer requests.

    answer: the WSME type of what it returns.
    parameters: what the query string may hold; anything else is refused.
    rule: of the policy, without its namespace; None lets everybody ask who
        got so far.
    body: what the request's body holds, which the method is given; its
        controller says in ``max_body`` how many bytes it takes.
    key: where the answer is an object with one list, the list's name there.
    """
    answer = registry.resolve_type(answer)

    def decorate(ask: Ask) -> Ask:
        @functools.wraps(ask)
        def controller(self: Any, request: webob.Request,
                       _: webob.Response, *path: str) -> webob.Response:
            given = arguments.read(request.GET, parameters)
            if body is not None:
                given[body.name] = reading.read(request, body, self.max_body)
            result = ask(self, request.context['caller'], *path, **given)
            made = writing.response(request, result, answer,
                                    request.pecan['content_type'], status,
                                    key)
            if isinstance(result, Pages) and (link := result.link(request)):
                made.headers['Link'] = link
            return made

        pecan.expose(content_type=None)(controller)
        controller.rule = rule          # type: ignore[attr-defined]
        return controller

    return decorate
