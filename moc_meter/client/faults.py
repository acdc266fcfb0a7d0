# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a caller and a service, and what to do next.

Each says what the service said, with the HTTP status and the id of the
request, by which the log of the service knows it; and the next step, for
whoever reads it at night.
"""

from __future__ import annotations

from typing import ClassVar

from moc_meter import errors
from moc_meter.terminal import sentence


class ClientFault(errors.MeterError):
    """Root of the family: what a service, or the way to it, refused."""

    code = 'moc_meter.client'
    #: What to do next, where nothing more is known.
    advice: ClassVar[str] = ''

    def __init__(self, message: str, *, status: int | None = None,
                 server_code: str | None = None, field: str | None = None,
                 value: str | None = None, request_id: str | None = None,
                 retry_after: float | None = None,
                 next_step: str | None = None, **facts: object) -> None:
        """
        message: may be what a server said; on one line, and harmless to a
            terminal and to a log, it is told.
        status: of the HTTP answer; None where there was none.
        server_code: what the service calls it: 'Client' or 'Server'.
        field, value: what of the question it complains of, where it says so.
        request_id: 'req-…', as its log has it.
        retry_after: seconds after which it wants to be asked again.
        """
        self.status = status
        self.server_code = server_code
        self.field = field
        self.value = value
        self.request_id = request_id
        self.retry_after = retry_after
        self.next_step = self.advice if next_step is None else next_step
        known = {'status': status, 'request_id': request_id, **facts}
        super().__init__(sentence(message), **{
            name: fact for name, fact in known.items() if fact is not None})

    def __str__(self) -> str:
        said = super().__str__()
        return f'{said}. {self.next_step}' if self.next_step else said


class BadRequest(ClientFault):
    """The service does not understand the question, or does not allow it."""

    code = 'moc_meter.client.bad_request'
    advice = 'Ask in another way; the same question is refused again'


class Unauthorized(ClientFault):
    """Nobody known asks, or for a project that is not the caller's."""

    code = 'moc_meter.client.unauthorized'
    advice = ('See who asks: cloud=, the variables OS_*, or username= and '
              'password=; and whose project is asked for')


class Forbidden(ClientFault):
    """The policy of the service does not let this caller do it."""

    code = 'moc_meter.client.forbidden'
    advice = 'Ask as somebody with another role, or in another project'


class NotFound(ClientFault):
    """There is no such thing that this caller may see."""

    code = 'moc_meter.client.not_found'
    advice = 'Look for it in the list of its kind'


class Conflict(ClientFault):
    """Something else is there already."""

    code = 'moc_meter.client.conflict'
    advice = 'Look at what is there before sending it again'


class ServerFault(ClientFault):
    """The service failed; its log says more."""

    code = 'moc_meter.client.server_fault'
    advice = 'The log of the service knows the request by its id'


class Overloaded(ClientFault):
    """The service cannot answer now: too much is asked, or a part is away."""

    code = 'moc_meter.client.overloaded'
    retryable = True
    advice = 'Try again later'


class Unreachable(ClientFault):
    """There was no answer, or no whole one."""

    code = 'moc_meter.client.unreachable'
    retryable = True
    advice = 'Is the service running there, and does a network lead to it?'


class BrokenOff(Unreachable):
    """A list broke off between two pages; what came before is right.

    ``received``: so many items were handed out.
    """

    code = 'moc_meter.client.broken_off'

    def __init__(self, fault: ClientFault, received: int) -> None:
        self.received = received
        super().__init__(
            'the list broke off: ' + fault.message, status=fault.status,
            request_id=fault.request_id, retry_after=fault.retry_after,
            received=received,
            next_step='What was received is right, and not all; ask again')


class NotAnApi(ClientFault):
    """Something answered that is no metering service."""

    code = 'moc_meter.client.not_an_api'
    advice = ('Is this the URL of the metering API, as http://HOST:8777, '
              'without the path of a page?')


class Untrusted(ClientFault):
    """The certificate of the server is not one that is believed."""

    code = 'moc_meter.client.untrusted'
    advice = 'Name the authority that signed it: ca_file='


class NoService(ClientFault):
    """Nobody has said where the service is."""

    code = 'moc_meter.client.no_service'
    advice = ("Say where it is: url='http://HOST:8777'; or in whose catalogue "
              'it is: cloud=, OS_CLOUD, OS_AUTH_URL')
