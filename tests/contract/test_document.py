"""What is committed for front ends is what the program says of itself today."""

from tests import openapi


def test_the_committed_document_is_the_program_s() -> None:
    assert openapi.FILE.read_text() == openapi.text(), "openapi.json is old: run `make openapi`"
