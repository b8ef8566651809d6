"""Whose request it is, behind proxies."""

import pytest

from api.forwarded import Proxies, network, unmapped

ALICE = "203.0.113.9"


@pytest.mark.evidence("forwarded-address")
@pytest.mark.parametrize(
    ("said", "client"),
    [
        ([ALICE], ALICE),
        ([f"198.51.100.1, {ALICE}"], ALICE),
        ([f"198.51.100.1,{ALICE},10.0.0.2"], ALICE),
        (["198.51.100.1", f"{ALICE}, 10.0.0.2", "10.0.0.3"], ALICE),
        ([f"10.0.0.9, 198.51.100.1, {ALICE}"], ALICE),
        ([f"{ALICE}:4711"], ALICE),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:db8::1%eth0"], "2001:db8::1"),
        ([f"::ffff:{ALICE}"], ALICE),
        ([f" {ALICE} "], ALICE),
        # all are proxies that are trusted: the one that the peer itself names
        (["10.0.0.8, 10.0.0.2"], "10.0.0.2"),
        (["::ffff:10.0.0.2"], "10.0.0.2"),
        # what is no address
        (["unknown"], None),
        (["_hidden"], None),
        ([""], None),
        ([f"{ALICE},"], None),
        ([f"{ALICE}, unknown, 10.0.0.2"], None),
        ([f"{ALICE}, <script>"], None),
        (["1.2.3"], None),
        (["1.2.3.4:http"], None),
        (["[2001:db8::1"], None),
        (["[2001:db8::1]x"], None),
        (["[2001:db8::1]:"], None),
        (["x" * 50_000], None),
        (["\xe4\xb8\xad"], None),
        (["2001:db8::1%" + "x" * 1000], None),
    ],
)
def test_the_rightmost_address_that_no_trusted_proxy_has_counts(
    said: list[str], client: str | None
) -> None:
    values = [value.encode("latin-1") for value in said]
    assert Proxies("10.0.0.0/8").client(values) == client


def test_what_was_said_left_of_it_counts_for_nobody() -> None:
    """The client wrote it, and may write what it likes."""
    for told in (b"192.0.2.1", b"unknown", b"10.0.0.7", b"x" * 1000):
        forwarded = [told + b", " + ALICE.encode()]
        for trusted in ("10.0.0.1", "10.0.0.0/8", "*"):
            assert Proxies(trusted).client(forwarded) == ALICE


@pytest.mark.parametrize(
    ("trusted", "peer", "is_trusted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8, 127.0.0.1", "10.255.0.1", True),
        ("10.0.0.7/8", "10.255.0.1", True),
        ("::1", "::1", True),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "10.0.0.1", False),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.0/104", "10.9.9.9", True),
        ("*", "203.0.113.1", True),
        ("", "127.0.0.1", False),
    ],
)
def test_who_is_trusted(trusted: str, peer: str, *, is_trusted: bool) -> None:
    assert Proxies(trusted).trusts(peer) is is_trusted


@pytest.mark.parametrize("trusted", ["nginx", "127.0.0.1;10.0.0.1", "10.0.0.0/33", "1.2.3", "**"])
def test_what_is_no_address_cannot_be_trusted(trusted: str) -> None:
    with pytest.raises(ValueError, match=r"address|network|octets|Only"):
        Proxies(trusted)


def test_an_ipv4_address_is_itself_in_both_families() -> None:
    assert unmapped("::ffff:127.0.0.1") == unmapped("::FFFF:7f00:1") == "127.0.0.1"
    assert unmapped("2001:db8::1") == "2001:db8::1"
    assert network("::ffff:127.0.0.1") == "127.0.0.1"
    assert network("2001:db8::1") == network("2001:db8::2") == "2001:db8::/64"
