"""How a request finds its route, and how a user's route takes it: who asks, what is asked, then the
database.

FastAPI reads the body before it looks at the token, echoes input in its errors, takes `"yes"` for
true and ignores what it does not know. A `UserRoute` keeps FastAPI's signature and OpenAPI
document, and reads the request itself, once and strictly.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope

from api.auth.authenticator import Authenticator, Unauthorized, User
from api.database.session import Database, Transaction
from api.http.body import Body, names, read, values
from api.http.fields import NoParameters, ParsedBy
from api.http.problems import MAX_ERRORS, Failure, InputError, InvalidInput, Kind
from api.http.rate_limits import RateLimits
from api.http.timing import AUTH, DATABASE, timed

# Queries whose parameters are remembered, and their length: what is valid can yet be padded.
_QUERIES: Final = 256
_QUERY: Final = 100  # bytes

# In a signature: the transaction of the user whom the request's token names.
Tx = Annotated[Transaction, Depends(HTTPBearer(bearerFormat="JWT", scheme_name="bearer"))]

Handler = Callable[[Scope, Receive], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose function takes the request and answers it, without contexts around it."""

    answer: Handler

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.takes = set(self.methods or ())
        if "GET" in self.takes:
            self.takes.add("HEAD")  # the server leaves out the body
        self.answer = self._built()

    def _built(self) -> Handler:
        async def answer(scope: Scope, receive: Receive) -> Response:
            response: Response = await self.endpoint(Request(scope, receive))
            return response

        return answer


def find(routes: Iterable[Route], scope: Scope) -> Route:
    """The route that takes this request; its path's parameters are left in the scope.

    An address is the first path's that matches it: `bulk` is not the id of a task, whatever the
    method. Raises `Failure`.
    """
    path, allowed = "", set[str]()
    for route in routes:
        if (found := route.path_regex.match(scope["path"])) and path in ("", route.path):
            path, scope["route"] = route.path, route
            if scope["method"] in route.takes:
                scope["path_params"] = found.groupdict()
                return route
            allowed |= route.takes
    if not allowed:
        raise Failure(Kind.NO_SUCH_ADDRESS, "There is nothing at this address.")
    methods = ", ".join(sorted(allowed))
    raise Failure(
        Kind.METHOD_NOT_ALLOWED, f"This address takes {methods}.", headers={"Allow": methods}
    )


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

        @lru_cache(_QUERIES)
        def parameters(query_string: bytes) -> Any:
            return _parameters(query_string, query_model)

        async def answer(scope: Scope, receive: Receive) -> Response:
            state = scope["app"].state
            authenticator: Authenticator = state.authenticator
            database: Database = state.database
            limits: RateLimits = state.rate_limits
            with timed(scope, AUTH):
                user = await authenticated(
                    scope, limits, authenticator, values(scope, b"authorization")
                )
            arguments: dict[str, Any] = {}
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
                content = await read(scope, receive, body_model.most, state.body_deadlines)
                if content or body[1].is_required():
                    arguments[body[0]] = body_model.parsed(content)
            with timed(scope, DATABASE):
                return await database.run(
                    user, lambda tx: call(tx, **arguments), reads=reads, slow=given.is_slow
                )

        return answer


def _parser(field: Any) -> Callable[[str], Any]:
    """What the annotation of a header or a path's parameter says that makes it of its text."""
    for part in field.field_info.metadata:
        if isinstance(part, ParsedBy):
            return part.parse
    raise TypeError(f"say in the annotation of {field.name} what it is ParsedBy")


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
