"""Which front ends may read the answers."""

from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send


class CORS(CORSMiddleware):
    """Starlette's, which decides once for each answer instead of taking its headers apart."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._exposed = [
            (name.lower().encode(), value.encode()) for name, value in self.simple_headers.items()
        ]

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Answer, and say who may read it. Without an origin the answer differs by it, too."""
        origin = request_headers.get("origin")
        headers = [(b"vary", b"Origin")]
        if origin is not None:
            headers += self._exposed
            if self.is_allowed_origin(origin):
                headers.append((b"access-control-allow-origin", origin.encode("latin-1")))

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self.app(scope, receive, tell)
