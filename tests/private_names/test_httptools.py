"""httptools: how its parser ends."""

import httptools
import pytest

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class Told:
    """Notes what the parser tells."""

    parser: httptools.HttpRequestParser

    def __init__(self) -> None:
        self.body = b""
        self.seen: tuple[bytes, str, bool] | None = None

    def on_headers_complete(self) -> None:
        self.seen = (
            self.parser.get_method(),
            self.parser.get_http_version(),
            self.parser.should_upgrade(),
        )

    def on_body(self, body: bytes) -> None:
        self.body += body


def parser_of(told: Told) -> httptools.HttpRequestParser:
    told.parser = httptools.HttpRequestParser(told)
    told.parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return told.parser


def test_method_version_and_upgrade_are_still_known_when_the_head_has_ended() -> None:
    told = Told()
    parser_of(told).feed_data(HEAD + b"\r\n")
    assert told.seen == (b"GET", "1.1", False)


def test_a_callback_that_raises_still_ends_the_parser_with_an_error_of_its_own() -> None:
    class Refusing(Told):
        def on_headers_complete(self) -> None:
            raise ValueError

    with pytest.raises(httptools.HttpParserError):
        parser_of(Refusing()).feed_data(HEAD + b"\r\n")


def test_an_upgrade_still_ends_the_parser_and_says_where_the_rest_begins() -> None:
    told = Told()
    head = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n"
    with pytest.raises(httptools.HttpParserUpgrade) as wish:
        parser_of(told).feed_data(head + b"{}")
    assert told.seen == (b"GET", "1.1", True)
    assert (head + b"{}")[wish.value.args[0] :] == b"{}"
    assert told.body == b"", "or the body would be read twice"
