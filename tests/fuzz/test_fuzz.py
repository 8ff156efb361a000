"""Generated input to every form, query string and address: never a server error, never half a write, never for long.

`make test` tries a few seconds of the same examples; `FUZZ_SECONDS=600` (make test-slow) ten minutes of new ones.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import strategies as st

from daysheet.practices.permissions import Permission
from tests.architecture.methods import OUTSIDE
from tests.architecture.world import address, practice_urls

from . import seeds
from .fuzzer import Fuzzer
from .hostile import EDGES, VALUES, body_of, query_of, values
from .roles import Role, limited
from .running import EXAMPLES, SECONDS, check, run, some
from .sending import fields_for, is_id, send_form
from .targets import Target, all_targets

#: Forms that the world has nothing for, so that they can only be answered by a 4xx: why.
NOTHING_TO_TAKE = {"cards:webhook": "unsigned; test_messages_of_the_card_processor signs"}
#: After these the person's way in is another one: nothing can follow.
LAST = {"staff:edit", "staff:add", "practices:sign_in_rules", "staff:join"}

#: One worker: each would learn all forms for itself.
pytestmark = [pytest.mark.timeout(max(300, 2 * SECONDS)), pytest.mark.xdist_group("fuzz")]


def posts(fuzzer: Fuzzer) -> list[Target]:
    return [target for target in fuzzer.targets if target.method == "POST"]


def test_every_form_is_heard(owner: Fuzzer) -> None:
    """The floor under all the others: what a page sends is taken, or refused in words, at every form of the practice,
    and most of it is taken. Where all answers came from the sign-in page, nothing here would have tried anything."""
    for target in posts(owner):
        for fields in target.forms or [[]]:
            owner.send(target.name, "POST", target.url, **body_of("form", fields))
    check(owner)
    assert set(owner.never_heard()) == set(NOTHING_TO_TAKE)
    inside = [target for target in posts(owner) if target.name not in OUTSIDE]
    assert len(owner.taken()) > 0.7 * len(inside), sorted({f"POST {each.name}" for each in inside} - owner.taken())
    assert owner.books_read > 20


def test_what_once_broke_something(owner: Fuzzer) -> None:
    urls = {(target.name, target.method): target for target in owner.targets}
    for name, fields in seeds.QUERIES:
        owner.send(name, "GET", f"{urls[name, 'GET'].url}?{query_of(fields)}")
    for name, fields in seeds.FORMS:
        target = urls[name, "POST"]
        rest = [each for each in target.sent if each[0] not in dict(fields)]
        owner.send(name, "POST", target.url, **body_of("form", [*rest, *fields]))
    owner.send("clients:list", "GET", urls["clients:list", "GET"].url, is_part=True)
    check(owner)


def test_forms(owner: Fuzzer) -> None:
    def example(data: st.DataObject) -> None:
        with transaction.atomic():
            send_form(data, owner, data.draw(st.sampled_from(posts(owner))))
            transaction.set_rollback(True)

    run(example)
    check(owner)


def test_forms_one_after_another(owner: Fuzzer) -> None:
    """Each on top of what those before have done; often the same once more, with the same keys and something else."""
    inside = [target for target in posts(owner) if target.name not in OUTSIDE and target.name not in LAST]

    def example(data: st.DataObject) -> None:
        with transaction.atomic():
            for target in data.draw(st.lists(st.sampled_from(inside), min_size=1, max_size=3)):
                for _ in range(data.draw(st.integers(1, 3))):
                    send_form(data, owner, target)
            transaction.set_rollback(True)

    run(example, examples=EXAMPLES // 2)
    check(owner)


def test_query_strings(owner: Fuzzer) -> None:
    targets = [target for target in owner.targets if target.method == "GET"]

    def example(data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(targets))
        is_part = data.draw(st.integers(0, 3)) == 0
        url = f"{target.url}?{query_of(fields_for(data, target, owner.ids))}"
        owner.send(target.name, "GET", url, is_part=is_part)

    run(example)
    check(owner)


def edges_of(fuzzer: Fuzzer, method: str) -> list[tuple[Target, str, str]]:
    """Chance rarely puts the last day there is into the one field that adds a day to it: each field with each edge."""
    targets = [target for target in fuzzer.targets if target.method == method]
    cases = [(target, name, edge) for target in targets for name in target.fields for edge in EDGES]
    assert len(cases) > 1000
    return cases


def test_each_field_of_a_query_at_its_edges(owner: Fuzzer) -> None:
    for target, name, edge in some(edges_of(owner, "GET"), every=3 * len(EDGES) + 1):
        owner.send(target.name, "GET", f"{target.url}?{query_of([(name, edge)])}")
    check(owner)


def test_each_field_of_a_form_at_its_edges(owner: Fuzzer) -> None:
    for target, name, edge in some(edges_of(owner, "POST"), every=5 * len(EDGES) + 1):
        fields = [each for each in target.sent if each[0] != name]
        owner.send(target.name, "POST", target.url, **body_of("form", [*fields, (name, edge)]))
    check(owner)


def test_each_id_of_a_form_in_place_of_another(owner: Fuzzer) -> None:
    """Ids that exist, of every kind, where another kind's or a new one's belongs: the id that a form brings in advance
    is taken already, a payer is a client, a line is of another invoice."""
    ids = [each for each in owner.ids if is_id(each)]
    cases = [
        (target, name, each)
        for target in posts(owner)
        for name in target.fields
        if any(map(is_id, target.sane[name]))
        for each in ids
    ]
    assert len(cases) > 1000
    for target, name, each in some(cases, every=len(cases) // EXAMPLES):
        fields = [field for field in target.sent if field[0] != name]
        owner.send(target.name, "POST", target.url, **body_of("form", [*fields, (name, each)]))
    check(owner)


def test_addresses(owner: Fuzzer) -> None:
    """Ids that are none, numbers that no column holds, bytes that no text holds."""
    urls = {name: params for name, params in practice_urls().items() if len(params) > 1}

    def example(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(urls)))
        param = data.draw(st.sampled_from(sorted(set(urls[name]) - {"practice"})))
        value = data.draw(st.one_of(st.sampled_from([*VALUES, *owner.ids]), values))
        # The last: a number or a word may stand further ahead as well.
        before, _, after = address(name, "alder", urls[name], owner.world.ids).rpartition(str(owner.world.ids[param]))
        spoilt = before + query_of([("", value)])[1:] + after
        owner.send(name, data.draw(st.sampled_from(["GET", "POST"])), spoilt)

    run(example)
    check(owner)


def _narrow(owner: Fuzzer, role: Role) -> tuple[Fuzzer, list[Target]]:
    """The role with all that the owner has learnt, at the owner's addresses and at those of its own client's."""
    fuzzer = Fuzzer(owner.world, role=role)
    own = replace(owner.world, ids={**owner.world.ids, "client": role.own[0]})
    at_own = [each for each in all_targets(own) if str(role.own[0]) in each.url]
    for target in at_own:
        like = next(each for each in owner.targets if (each.name, each.method) == (target.name, target.method))
        target.forms, target.sane, target.files, target.asked = like.forms, like.sane, like.files, like.asked
    fuzzer.ids += [str(role.own[0])]
    return fuzzer, [*owner.targets, *at_own]


@pytest.mark.parametrize(
    ("name", "held"),
    [("carol", {Permission.PROVIDER}), ("bob", {Permission.BILLING}), ("dan", {Permission.ADMINISTRATOR})],
)
def test_narrow_roles(owner: Fuzzer, name: str, held: set[Permission]) -> None:
    """Limited to assigned clients, and one is: what is sent never lets them in where they may not, nor writes into or
    shows a client of others, though all forms name those."""
    with transaction.atomic():
        fuzzer, targets = _narrow(owner, limited(owner.world, getattr(owner.world.cast, name), held))
        inside = [target for target in targets if target.name not in OUTSIDE]
        for target in (each for each in inside if each.method == "POST"):
            fuzzer.send(target.name, target.method, target.url, **body_of("form", target.sent))

        def example(data: st.DataObject) -> None:
            target = data.draw(st.sampled_from(inside))
            with transaction.atomic():
                if target.method == "POST":
                    send_form(data, fuzzer, target)
                else:
                    url = f"{target.url}?{query_of(fields_for(data, target, fuzzer.ids))}"
                    fuzzer.send_and_keep(target.name, "GET", url)
                transaction.set_rollback(True)

        run(example, part=1 / 3, examples=EXAMPLES // 2)
        check(fuzzer)
        assert len(fuzzer.taken()) > 5
        transaction.set_rollback(True)
