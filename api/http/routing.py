"""How a request finds its route, and how a user's route takes it: who asks, what is asked, then the
database.

FastAPI reads the body before it looks at the token, echoes input in its errors, takes `"yes"` for
true and ignores what it does not know. A `UserRoute` keeps FastAPI's signature and OpenAPI
document, and reads the request itself, once and strictly.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from copy import copy
from functools import lru_cache
from inspect import signature
from typing import Annotated, Any, Final, Self

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, _effective_route_context_var, request_response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from api.auth.authenticator import Authenticator, Unauthorized, User
from api.database.session import Database, Transaction
from api.http.body import Body, names, read, values
from api.http.fields import NoParameters, ParsedBy
from api.http.problems import MAX_ERRORS, InputError, InvalidInput
from api.http.rate_limits import RateLimits
from api.http.timing import AUTH, DATABASE, timed

# Queries whose parameters are remembered, and their length: what is valid can yet be padded.
_QUERY_CACHE_SIZE: Final = 256
_QUERY: Final = 100  # bytes

_BEARER: Final = HTTPBearer(bearerFormat="JWT", scheme_name="bearer", auto_error=False)


async def authenticated(
    scope: Scope, limits: RateLimits, authenticator: Authenticator, authorization: list[str]
) -> User:
    """Who is asking, unless that was asked too often. Raises `Failure`, and what the authenticator
    raises."""
    limits.admit(scope)
    try:
        user = await authenticator.user(authorization)
    except Unauthorized:
        await limits.refused(scope)
        raise
    await limits.count(scope, user)
    return user


async def caller(request: Request, _: Annotated[object, Depends(_BEARER)]) -> User:
    """The dependency that is the user whom the request's token names. Raises what `authenticated`
    raises."""
    scope, state = request.scope, request.app.state
    authorization = values(scope, b"authorization")
    with timed(scope, AUTH):
        return await authenticated(scope, state.rate_limits, state.authenticator, authorization)


# In a signature: the transaction of the caller.
Tx = Annotated[Transaction, Depends(caller)]

Handler = Callable[[Scope, Receive], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose function takes the request and answers it, without contexts around it.

    `answer` is the short way to it; FastAPI's leads through `get_route_handler`.
    """

    answer: Handler
    takes: set[str]  # methods
    before: "Sequence[Route]" = ()  # what one of these matches is not for this route

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.takes = set(self.methods or ())
        self.answer = self._built()

    def _built(self) -> Handler:
        async def answer(scope: Scope, receive: Receive) -> Response:
            response: Response = await self.endpoint(Request(scope, receive))
            return response

        return answer

    def of(self, app: FastAPI, before: "Iterable[Route]") -> Self:
        """The same as a route of this application, whose first routes these are.

        It takes HEAD where it takes GET: the server leaves out the body.
        """
        route = copy(self)
        route.before = [one for one in before if one.path != self.path]
        if "GET" in self.takes:
            route.takes = self.takes | {"HEAD"}
        route.dependency_overrides_provider = app
        route.app = request_response(route.get_route_handler())
        return route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `find` has it."""
        match, found = super().matches(scope)
        if match is Match.NONE or any(
            super(Route, one).matches(scope)[0] is not Match.NONE for one in self.before
        ):
            return Match.NONE, {}
        return (Match.FULL if scope["method"] in self.takes else match), found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["method"] in self.takes - (self.methods or set()):
            await self.app(scope, receive, send)
        else:
            await super().handle(scope, receive, send)


def find(routes: Iterable[Route], scope: Scope) -> Route | None:
    """The one that takes this request, if one does. Its path's parameters are left in the scope.

    An address is the first path's that matches it: `bulk` is not the id of a task, whatever the
    method.
    """
    path = ""
    for route in routes:
        if (found := route.path_regex.match(scope["path"])) and path in ("", route.path):
            path = route.path
            if scope["method"] in route.takes:
                scope["route"], scope["path_params"] = route, found.groupdict()
                return route
    return None


class UserRoute(Route):
    """A route whose function takes `tx: Tx` and any of: parameters of its path and headers, each
    with a `ParsedBy` in its annotation, a query model, a body."""

    def _built(self) -> Handler:
        call: Callable[..., Awaitable[Response]] = self.endpoint
        reads = "GET" in self.takes
        query, body = (
            next(((p.name, p.field_info) for p in fields), None)
            for fields in (self.dependant.query_params, self.dependant.body_params)
        )
        path = [(p.name, _parser(p)) for p in self.dependant.path_params]
        headers = [
            (p.name, p.alias.lower().encode(), _parser(p)) for p in self.dependant.header_params
        ]
        query_model: Any = query[1].annotation if query else NoParameters
        # with the field: how many there may be stands beside the annotation
        body_model = Body(Annotated[body[1].annotation, body[1]]) if body else None

        @lru_cache(_QUERY_CACHE_SIZE)
        def parameters(query_string: bytes) -> Any:
            return _parameters(query_string, query_model)

        async def answer(
            scope: Scope, receive: Receive, user: User | None = None, /, **arguments: Any
        ) -> Any:
            state = scope["app"].state
            database: Database = state.database
            if user is None:
                authorization = values(scope, b"authorization")
                with timed(scope, AUTH):
                    user = await authenticated(
                        scope, state.rate_limits, state.authenticator, authorization
                    )
            for name, parsed in path:
                arguments[name] = parsed(scope["path_params"][name])
            query_string = scope["query_string"]
            if len(query_string) <= _QUERY:
                given = parameters(query_string)
            else:
                given = _parameters(query_string, query_model)
            if query:
                arguments[query[0]] = given
            for name, header, parsed in headers:
                if lines := values(scope, header):
                    arguments[name] = parsed(", ".join(lines))
            if body and body_model:
                content = await read(scope, receive, body_model.max_bytes, state.body_deadlines)
                if content or body[1].is_required():
                    arguments[body[0]] = body_model.parsed(content)
            with timed(scope, DATABASE):
                return await database.run(
                    user, lambda tx: call(tx, **arguments), reads=reads, slow=given.is_slow
                )

        return answer

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls. It solves the dependencies, of which that of `Tx` is the user, and
        makes the response if the function returns something else; what is in between is `answer`.
        """
        included = _effective_route_context_var.get()  # with the dependencies of `include_router`
        route: Any = self if included is None or included.original_route is not self else included
        takes, body_field = route.dependant, route.body_field
        tx = next(iter(signature(self.endpoint).parameters), "")
        if not any(one.name == tx and one.call is caller for one in takes.dependencies):
            raise TypeError(f"what {self.path} takes first is not a Tx")
        request_name = takes.request_param_name or "_request"

        async def call(**solved: Any) -> Any:
            request: Request = solved[request_name]
            if takes.request_param_name is None:
                del solved[request_name]
            answer: Callable[..., Awaitable[Any]] = self.answer
            return await answer(request.scope, request.receive, solved.pop(tx), **solved)

        asked = copy(takes)
        asked.call, asked.request_param_name = call, request_name
        asked.path_params = asked.query_params = asked.header_params = asked.body_params = []
        route.dependant, route.body_field = asked, None
        try:
            return super().get_route_handler()
        finally:
            route.dependant, route.body_field = takes, body_field


def _parser(field: Any) -> Callable[[str], Any]:
    """What the annotation of a header or a path's parameter says that makes it of its text."""
    for part in field.field_info.metadata:
        if isinstance(part, ParsedBy):
            return part.parse
    raise TypeError(f"say in the annotation of {field.name} what it is ParsedBy")


def _parameters(query_string: bytes, model: type[BaseModel]) -> BaseModel:
    known = list(model.model_fields)
    # Among more than there are to be given and to be named, there is as much at fault.
    fields = [field for field in query_string.split(b"&") if field][: len(known) + MAX_ERRORS + 1]
    items = QueryParams(b"&".join(fields)).multi_items()
    times = Counter(name for name, _ in items)
    errors: list[InputError] = []
    for name, number in times.items():
        if name not in known:
            errors.append({"detail": f"An unknown parameter; known are: {names(known)}."})
        elif number > 1:
            errors.append({"detail": "Given more than once.", "parameter": name})
    if errors:
        raise InvalidInput(errors)
    try:
        return model.model_validate(dict(items))
    except ValidationError as error:
        raise InvalidInput(
            [
                {"detail": f"{fault['msg']}.", "parameter": str(fault["loc"][0])}
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from None
