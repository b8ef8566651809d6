"""Which connection has to go when there are too many, or too much of what they sent is unread."""

import pytest

from api.serving.connections import Connections, Place


class Client:
    """A connection that notes how it ended."""

    def __init__(self, unsent: int = 0) -> None:
        self.unsent, self.ended = unsent, ""

    def make_room(self) -> None:
        self.ended = "made room"

    def abort(self) -> None:
        self.ended = "aborted"


def joining(connections: Connections, *clients: Client, address: str | None = None) -> list[Place]:
    return [connections.join(client, address) for client in clients]


def ended(clients: list[Client]) -> list[str]:
    return [client.ended for client in clients]


def test_who_has_been_silent_longest_makes_room() -> None:
    clients = [Client() for _ in range(4)]
    places = joining(Connections(2, None, 100), *clients, address=None)
    assert ended(clients) == ["made room", "made room", "", ""]
    assert places[3].is_admitted


def test_who_has_asked_stays_before_who_is_silent_and_who_asked_last_stays_longest() -> None:
    connections, clients = Connections(3, None, 100), [Client() for _ in range(3)]
    places = joining(connections, *clients)
    for place in (places[1], places[0]):
        place.work()
        place.idle()
    joining(connections, Client())
    assert ended(clients) == ["", "", "made room"]
    late = Client()
    (place,) = joining(connections, late)
    place.work()
    joining(connections, Client())
    assert ended(clients) == ["", "made room", "made room"]
    assert late.ended == ""


def test_who_still_takes_an_answer_makes_room_last() -> None:
    connections, clients = Connections(2, None, 100), [Client(unsent=7), Client()]
    for place in joining(connections, *clients):
        place.work()
        place.idle()
    joining(connections, Client())
    assert ended(clients) == ["", "made room"]


def test_where_all_are_at_work_the_newcomer_is_not_admitted_until_one_leaves() -> None:
    connections, clients = Connections(2, None, 100), [Client(), Client()]
    places = joining(connections, *clients)
    for place in places:
        place.work()
        place.idle()
        place.work()
    (late,) = joining(connections, Client())
    assert not late.admit()
    places[0].leave()
    places[0].leave()  # twice changes nothing
    assert late.admit()
    assert late.is_admitted
    assert ended(clients) == ["", ""]


def test_an_address_makes_room_among_its_own() -> None:
    connections = Connections(8, None, 100)
    others, own = [Client() for _ in range(2)], [Client() for _ in range(3)]
    joining(connections, *others, address="198.51.100.1")
    joining(connections, *own, address="203.0.113.9")
    assert ended(others) == ["", ""]
    assert ended(own) == ["made room", "", ""]


@pytest.mark.parametrize(("most", "cut"), [(100, 0), (29, 1), (20, 1), (19, 2), (5, 3)])
def test_the_oldest_unsent_bytes_go_until_there_are_few_enough(most: int, cut: int) -> None:
    connections, clients = Connections(9, None, most), [Client(unsent=10) for _ in range(3)]
    for place in joining(connections, *clients):
        connections.unread(place)
        connections.unread(place)
    assert ended(clients) == ["aborted"] * cut + [""] * (3 - cut)


def test_who_has_taken_them_meanwhile_is_the_youngest_again() -> None:
    connections, clients = Connections(9, None, 25), [Client(unsent=10) for _ in range(3)]
    places = joining(connections, *clients)
    connections.unread(places[0])
    connections.unread(places[1])
    connections.read(places[0])
    connections.unread(places[0])
    connections.unread(places[2])
    assert ended(clients) == ["", "aborted", ""]
