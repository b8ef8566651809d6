"""Whatever happens between two pages, a walk meets what was there throughout, and meets it once."""

from typing import Any, Final, Literal, get_args

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.people import People, Person
from tests.walks import walk

# Few, so that many tasks have the same.
TITLES: Final = st.sampled_from(["a", "B", "b", "\u00e9", "\u0416", '"'])
SORTS: Final = ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]

Kind = Literal["create", "delete", "clear", "retitle", "describe", "complete"]
# What happens, to which task, and a title for it; `clear`: to all that the walk has met.
Change = tuple[Kind, int, str]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CHANGES: Final = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 6), TITLES), min_size=1, max_size=3
)
# Those of a kind move a task in a list that is sorted or filtered by what they change.
MOVES: Final[dict[str, set[Kind]]] = {
    "created_at": {"delete", "clear"},
    "updated_at": {"delete", "clear", "retitle", "describe", "complete"},
    "title": {"delete", "clear", "retitle"},
}


def happens(alice: Person, kind: Kind, task_id: int, title: str) -> None:
    address = f"/api/tasks/{task_id}"
    match kind:
        case "create":
            alice.creates(title)
        case "delete" | "clear":
            alice.http.delete(address)
        case "retitle":
            alice.http.patch(address, json={"title": title})
        case "describe":
            alice.http.patch(address, json={"description": title})
        case "complete":
            alice.http.patch(f"{address}/complete")


# Without shrinking, which takes long where every try is a walk: the examples are small.
@settings(max_examples=80, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(
    titles=st.lists(TITLES, min_size=4, max_size=7),
    together=st.integers(0, 7),
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, 3),
    relation=st.sampled_from(["next", "prev"]),
    asked=st.sampled_from([{}, {"completed": "false"}]),
    changes=st.lists(CHANGES, min_size=1, max_size=5),
)
def test_a_walk_meets_what_was_there_throughout_and_meets_it_once(
    server: str,
    titles: list[str],
    together: int,
    sort: str,
    limit: int,
    relation: str,
    asked: dict[str, str],
    changes: list[list[Change]],
) -> None:
    people = People(server)
    alice = people.person("alice")
    if several := [{"title": title} for title in titles[:together]]:  # of the same moment
        assert alice.http.post("/api/tasks/bulk", json=several).status_code == 201
    for title in titles[together:]:
        alice.creates(title)
    ids = [task["id"] for task in alice.lists(sort=sort)]
    moving = MOVES[sort.removeprefix("-")] | ({"complete"} if asked else set())
    moved: set[int] = set()

    start = alice.http.get("/api/tasks", params={"sort": sort, "limit": limit, **asked})
    if relation == "prev":
        *_, start = walk(alice, "next", start)
    pages: list[list[Any]] = []
    for answer in walk(alice, relation, start):
        pages.append(answer.json())
        for kind, which, title in changes.pop() if changes else []:
            met = [task["id"] for page in pages for task in page]
            for task_id in met if kind == "clear" else [ids[which % len(ids)]]:
                happens(alice, kind, task_id, title)
                if kind in moving:
                    moved.add(task_id)
    people.leave()

    met = [task["id"] for page in (pages if relation == "next" else pages[::-1]) for task in page]
    throughout = [task_id for task_id in ids if task_id not in moved]
    assert [task_id for task_id in met if task_id in throughout] == throughout
