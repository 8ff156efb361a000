"""Generated query strings and addresses for every page: never a server error, no write by looking, never for long."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.architecture.methods import OUTSIDE
from tests.architecture.world import World, address, practice_urls

from .fuzzer import Fuzzer
from .hostile import EDGES, VALUES, query_of, values
from .running import SECONDS, check, run, some
from .sending import edges_of, send_something
from .targets import Target

#: Addresses that never answer with a page when their pages are opened as they come: why.
OPENS_NOTHING_HERE = {"invoicing:batch_edit": "a part of a page, of the date of service that a script asks for"}

pytestmark = [pytest.mark.timeout(max(300, 2 * SECONDS)), pytest.mark.xdist_group("fuzz pages")]


@pytest.fixture(scope="module")
def learnt_reader(whole_world: World) -> Fuzzer:
    """The owner, who has opened everything and sent nothing."""
    fuzzer = Fuzzer(whole_world)
    fuzzer.learn_pages()
    return fuzzer


@pytest.fixture
def reader(learnt_reader: Fuzzer) -> Fuzzer:
    """She has found nothing yet."""
    learnt_reader.begin()
    return learnt_reader


def pages(fuzzer: Fuzzer) -> list[Target]:
    return [target for target in fuzzer.targets if target.method == "GET"]


def test_every_page_is_opened(reader: Fuzzer) -> None:
    """Else its query strings would be tried on what is not there."""
    reader.record = reader.learnt
    check(reader)
    inside = {target.name for target in pages(reader) if target.name not in OUTSIDE}
    assert inside - reader.record.opened == set(OPENS_NOTHING_HERE)


def test_query_strings(reader: Fuzzer) -> None:
    def example(data: st.DataObject) -> None:
        with reader.taken_back():
            send_something(data, reader, data.draw(st.sampled_from(pages(reader))))

    run(example, "query strings")
    check(reader)


def test_each_field_of_a_query_at_its_edges(reader: Fuzzer) -> None:
    for _, (target, name, edge) in some(edges_of(pages(reader)), "edges of queries", every=3 * len(EDGES) + 1):
        reader.send(target.name, "GET", f"{target.url}?{query_of([(name, edge)])}")
    check(reader)


def test_addresses(reader: Fuzzer) -> None:
    """Ids that are none, numbers that no column holds, bytes that no text holds."""
    urls = {name: params for name, params in practice_urls().items() if len(params) > 1}

    def example(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(urls)))
        param = data.draw(st.sampled_from(sorted(set(urls[name]) - {"practice"})))
        value = data.draw(st.one_of(st.sampled_from([*VALUES, *reader.ids]), values))
        # The last: a number or a word may stand further ahead as well.
        before, _, after = address(name, "alder", urls[name], reader.world.ids).rpartition(str(reader.world.ids[param]))
        spoilt = before + query_of([("", value)])[1:] + after
        reader.send(name, data.draw(st.sampled_from(["GET", "POST"])), spoilt)

    run(example, "addresses")
    check(reader)
