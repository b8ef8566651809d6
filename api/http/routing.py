"""Routing: matches a request to its route, authenticates it, parses it and runs its transaction.

FastAPI reads the body before it verifies the token, echoes input in its errors, takes `"yes"` for
true and ignores unknown parameters. A `UserRoute` keeps FastAPI's signature and OpenAPI document,
and parses the request itself, once and strictly.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from copy import copy
from functools import lru_cache
from inspect import iscoroutinefunction, signature
from typing import Annotated, Any, Final, Self

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, _effective_route_context_var, request_response
from fastapi.security import HTTPBearer
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from api.auth.authenticator import Authenticator, Unauthorized, User
from api.database.session import Database, Transaction
from api.http.body import Body, read, values
from api.http.fields import NoParameters, ParsedBy
from api.http.prefix import prefixed
from api.http.query import query_parameters
from api.http.rate_limits import RateLimits
from api.http.timing import AUTH, DATABASE, timed

# Cached query strings, and their maximum length: a valid one can be padded to any length.
_QUERY_CACHE_SIZE: Final = 256
_MAX_CACHED_QUERY: Final = 100  # bytes

_BEARER: Final = HTTPBearer(
    bearerFormat="JWT",
    scheme_name="bearer",
    description="A JWT whose user id says whose tasks they are. A front end gets it from its Better"
    " Auth server, by the jwt plugin: `GET /api/auth/token` with the session's cookie. For"
    " development, `task-api token alice` signs one.",
    auto_error=False,
)


async def authenticated(
    scope: Scope, limits: RateLimits, authenticator: Authenticator, authorization: list[str]
) -> User:
    """Authenticate the request and count it against the rate limits. Raises `Failure`, and what the
    authenticator raises."""
    limits.admit(scope)
    try:
        user = await authenticator.user(authorization)
    except Unauthorized:
        await limits.refused(scope)
        raise
    await limits.count(scope, user)
    return user


async def caller(request: Request, _: Annotated[object, Depends(_BEARER)]) -> User:
    """FastAPI dependency: the user whom the request's token names. Raises what `authenticated`
    raises."""
    scope, state = request.scope, request.app.state
    authorization = values(scope, b"authorization")
    with timed(scope, AUTH):
        return await authenticated(scope, state.rate_limits, state.authenticator, authorization)


# In the signature of a route: the transaction of the authenticated user.
Tx = Annotated[Transaction, Depends(caller)]

Handler = Callable[[Scope, Receive], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose function takes the request and returns the response.

    `answer` calls it directly; FastAPI's own stack calls it through `get_route_handler`.
    """

    answer: Handler
    takes: set[str]  # methods
    before: "Sequence[Route]" = ()  # a path that one of these matches is not this route's

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.takes = set(self.methods or ())
        self.answer = self._unprefixed = self._built()

    def _built(self) -> Handler:
        async def answer(scope: Scope, receive: Receive) -> Response:
            response: Response = await self.endpoint(Request(scope, receive))
            return response

        return answer

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that FastAPI calls: it adds the request's path prefix to the headers."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            response = await handle(request)
            root = request.scope.get("root_path", "")
            return prefixed(response, root) if root else response

        return handler

    def of(self, app: FastAPI, before: "Iterable[Route]", root: str = "") -> Self:
        """A copy of the route for this application, in which the routes `before` take precedence.

        It takes HEAD where it takes GET: the server leaves out the body. `root`: the path prefix of
        the application, which `answer` adds to its headers.
        """
        route = copy(self)
        route.before = [one for one in before if one.path != self.path]
        if "GET" in self.takes:
            route.takes = self.takes | {"HEAD"}
        route.dependency_overrides_provider = app
        route.app = request_response(route.get_route_handler())
        if root:
            route.answer = _with_prefix(self._unprefixed, root)
        return route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by the same rules as `find`."""
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


def _with_prefix(answer: Handler, root: str) -> Handler:
    async def answer_with_prefix(scope: Scope, receive: Receive) -> Response:
        return prefixed(await answer(scope, receive), root)

    return answer_with_prefix


def find(routes: Iterable[Route], scope: Scope) -> Route | None:
    """The route that takes this request, or None. Puts `route` and `path_params` into the scope.

    The first path that matches wins, whatever the method: `bulk` is not the id of a task.
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
    """A route of an authenticated user. Its function takes `tx: Tx` and any of: path parameters and
    headers, each with a `ParsedBy` in its annotation, a query model, a body."""

    def _built(self) -> Handler:
        call: Callable[..., Awaitable[Response]] = self.endpoint
        if not iscoroutinefunction(call):
            raise TypeError(f"write async def for {self.path}: its transaction belongs to a task")
        reads = self.takes <= {"GET", "HEAD"}
        query, body = (
            _only((p.name, p.field_info) for p in fields)
            for fields in (self.dependant.query_params, self.dependant.body_params)
        )
        path = [(p.name, _parser(p)) for p in self.dependant.path_params]
        headers = [
            (p.name, p.alias.lower().encode(), _parser(p)) for p in self.dependant.header_params
        ]
        query_model: Any = query[1].annotation if query else NoParameters
        if not (isinstance(query_model, type) and issubclass(query_model, NoParameters)):
            raise TypeError(f"the query of {self.path} is one model, derived from NoParameters")
        # the field holds the maximum length of a list
        body_model = Body(Annotated[body[1].annotation, body[1]]) if body else None

        @lru_cache(_QUERY_CACHE_SIZE)
        def parameters(query_string: bytes) -> Any:
            return query_parameters(query_string, query_model)

        async def answer(
            scope: Scope, receive: Receive, user: User | None = None, /, **arguments: Any
        ) -> Any:
            state = scope["app"].state
            if user is None:
                authorization = values(scope, b"authorization")
                with timed(scope, AUTH):
                    user = await authenticated(
                        scope, state.rate_limits, state.authenticator, authorization
                    )
            for name, parsed in path:
                arguments[name] = parsed(scope["path_params"][name])
            query_string = scope["query_string"]
            if len(query_string) <= _MAX_CACHED_QUERY:
                given = parameters(query_string)
            else:
                given = query_parameters(query_string, query_model)
            if query:
                arguments[query[0]] = given
            for name, header, parsed in headers:
                if lines := values(scope, header):
                    arguments[name] = parsed(", ".join(lines))
            if body and body_model:
                content = await read(scope, receive, body_model.max_bytes, state.body_deadlines)
                if content or body[1].is_required():
                    arguments[body[0]] = body_model.parsed(content)
            return await self._run(
                scope,
                user,
                lambda tx: call(tx, **arguments),
                reads=reads and not given.writes,
                slow=given.is_slow,
            )

        return answer

    async def _run(
        self,
        scope: Scope,
        user: User,
        call: Callable[[Any], Awaitable[Response]],
        *,
        reads: bool,
        slow: bool,
    ) -> Response:
        """Call the function in a transaction of the user; then wake the user's streams."""
        state = scope["app"].state
        database: Database = state.database
        with timed(scope, DATABASE):
            response = await database.run(user, call, reads=reads, slow=slow)
        if not reads:
            state.hub.changed(user.id)
        return response

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that FastAPI calls: it solves the dependencies, of which that of `Tx` is the
        user, calls `answer`, and serializes a result that is not a response.
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
            answer: Callable[..., Awaitable[Any]] = self._unprefixed
            return await answer(request.scope, request.receive, solved.pop(tx), **solved)

        bare = copy(takes)
        bare.call, bare.request_param_name = call, request_name
        bare.path_params = bare.query_params = bare.header_params = bare.body_params = []
        route.dependant, route.body_field = bare, None
        try:
            return super().get_route_handler()
        finally:
            route.dependant, route.body_field = takes, body_field


def _only(found: Iterable[tuple[str, Any]]) -> tuple[str, Any] | None:
    several = list(found)
    if len(several) > 1:
        raise TypeError("a route takes one query model and one body")
    return several[0] if several else None


def _parser(field: Any) -> Callable[[str], Any]:
    """The `ParsedBy` function in the annotation of a header or path parameter."""
    for part in field.field_info.metadata:
        if isinstance(part, ParsedBy):
            return part.parse
    raise TypeError(f"say in the annotation of {field.name} what it is ParsedBy")
