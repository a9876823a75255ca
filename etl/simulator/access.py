"""Which calls an account has. Undocumented ones are refused as `REFUSALS` says; enterprise calls need that access."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from etl.simulator.answers.envelopes import HELP_PAGE, ActionResult, Answer, Array, PagedAnswer, Whole
from etl.simulator.collection import encode
from etl.simulator.faults.request_faults import html, refusal
from etl.simulator.routes import ASSUMED, BY_NAME, ROUTES, Route
from etl.simulator.settings import SimulatorSettings

#: Calls that no documentation and no integration knows; their fields are assumed too.
ASSUMED_CALLS = tuple(route.name for route in ROUTES if route.assumed)
ENTERPRISE_CALLS = tuple(route.name for route in ROUTES if route.enterprise)
#: Calls that are known, though nobody published the fields of their items.
ASSUMED_FIELDS = tuple(route.name for route in ROUTES if route.levels.fields == ASSUMED and not route.assumed)
#: Calls that an ordinary account does not have: `offered` opens each of them by name.
EXTRA_CALLS = ASSUMED_CALLS + ENTERPRISE_CALLS
FAILED = ActionResult(None, None, None, success=False).body()


def other_envelope(answer: Answer) -> Answer:
    """Return an answer in another envelope than its call has: a page as a bare array, anything else as an action."""
    if isinstance(answer, PagedAnswer):
        return Array(answer.items)
    if isinstance(answer, Array):
        return PagedAnswer(answer.items, 1, len(answer.items), len(answer.items), 1, "")
    return Array((encode(answer.item),)) if isinstance(answer, Whole) else Whole(answer.result)


#: How a call that is not offered may be answered, by name; `other-envelope` answers, but not as assumed.
REFUSALS: dict[str, Callable[[], web.Response] | None] = {
    "help-page": lambda: html(404, HELP_PAGE),
    "not-found": lambda: refusal(404, "No HTTP resource was found that matches the request URI."),
    "bad-request": lambda: refusal(400, "The request is invalid."),
    "server-error": lambda: refusal(500, "An error has occurred."),
    "not-implemented": lambda: refusal(501, "The requested functionality is not implemented."),
    "bad-gateway": lambda: html(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "login-redirect": lambda: web.Response(status=302, headers={"Location": "/Account/Login"}),
    "plain-text": lambda: web.Response(text="This feature is not enabled for your agency."),
    "failed": lambda: web.Response(body=FAILED, content_type="application/json", charset="utf-8"),
    "other-envelope": None,
}


@dataclass(frozen=True, slots=True)
class Access:
    """The calls that the account of a simulator has."""

    settings: SimulatorSettings

    def __post_init__(self) -> None:
        """Check the names in the settings; ValueError names what is wrong and what is possible."""
        if self.settings.undocumented_answer not in REFUSALS:
            raise ValueError(
                f"There is no refusal {self.settings.undocumented_answer!r}. Choose one of: {', '.join(REFUSALS)}"
            )
        for name in (*self.settings.offered, *self.settings.refused):
            if name not in BY_NAME:
                raise ValueError(f"There is no call {name!r}. Choose from: {', '.join(BY_NAME)}")

    def is_offered(self, route: Route) -> bool:
        """Return whether the account has a call; enterprise access is another question."""
        if route.name in self.settings.refused:
            return False
        return not (self.settings.documented_only and route.assumed) or route.name in self.settings.offered

    def needs_enterprise(self, route: Route) -> bool:
        """Return whether a call refuses a bearer token."""
        return route.enterprise and route.name not in self.settings.offered

    def refuse(self) -> web.Response | None:
        """Return the answer in place of a call that is not offered; None when the call answers in another envelope."""
        make = REFUSALS[self.settings.undocumented_answer]
        return make() if make else None

    def refuse_bearer(self) -> web.Response:
        """Return the answer of an enterprise call to a bearer token."""
        return refusal(self.settings.enterprise_refusal, "Enterprise API access is required for this request.")
