# SPDX-License-Identifier: Apache-2.0
"""A service that answers as it should, or with a fault that is asked for."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from moc_meter.truth import answers, compare, selection
from moc_meter.truth.forms import Sample
from moc_meter.truth.questions import Kind, Question, parse
from moc_meter.truth.selection import Selection

Answers = Callable[[Question, Selection], answers.Answer]


def right(question: Question, chosen: Selection) -> answers.Answer:
    return answers.blank(question, chosen)


class Pretender:
    """Serves samples at ``url`` as long as it is entered.

    judge: the empty answer to a question, a wrong one if need be.
    counted: the samples that statistics are of, where these are others.
    bodies: answers to some paths, whatever they are.
    odd: what every sample of a list says instead; '1e400' is that number.
    """

    def __init__(self, samples: Sequence[Sample], judge: Answers = right, *,
                 number: Callable[[Fraction], str] = compare.decimal_text,
                 counted: Sequence[Sample] | None = None,
                 bodies: Mapping[str, bytes] | None = None,
                 odd: Mapping[str, object] | None = None) -> None:
        self._bodies, self._odd = bodies or {}, odd or {}
        self._samples = samples
        self._counted = samples if counted is None else counted
        self._judge, self._number = judge, number
        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,))
        self.url = f'http://127.0.0.1:{self._server.server_address[1]}'

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> bytes:
        if path in self._bodies:
            return self._bodies[path]
        question = parse(path)
        answer = self._judge(question, selection.of(question))
        answers.collect([answer], self._counted if question.kind
                        == Kind.STATISTICS else self._samples)
        shown = self._shown(answer.shown())
        if question.kind == Kind.SAMPLES:
            shown = [{**one, **self._odd} for one in shown]
        text = re.sub(r'"#(.*?)#"', r'\1', json.dumps(shown))
        return text.replace('"1e400"', '1e400').encode()

    def _shown(self, value: Any) -> Any:
        """As JSON has it: figures with all their digits, links as objects."""
        match value:
            case Fraction() | Decimal():
                return f'#{self._number(Fraction(value))}#'
            case list():
                return [self._shown(one) for one in value]
            case dict():
                return {name: [dict(zip(('rel', 'href'), link.split(' ', 1),
                                        strict=True)) for link in one]
                        if name == 'links' else self._shown(one)
                        for name, one in value.items()}
        return value

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        pretender = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            wbufsize = -1       # an answer leaves in one piece

            def do_GET(self) -> None:
                content = pretender.answer(self.path)
                self.send_response(404 if content == b'null' else 200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        return Handler
