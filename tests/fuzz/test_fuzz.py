"""Generated input to every form: never a server error, never half a write, never for long.

`make test` tries a few seconds of the same examples; `FUZZ_SECONDS=600` (make test-slow) ten minutes of new ones.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st

from daysheet.practices.permissions import Permission
from tests.architecture.methods import OUTSIDE

from . import seeds
from .fuzzer import Fuzzer
from .hostile import EDGES, query_of
from .roles import Role, limited
from .running import EXAMPLES, SECONDS, check, run, some
from .sending import edges_of, is_id, send_something, spoilt
from .targets import Target, all_targets

#: Forms that the world has nothing for, so that they can only be answered by a 4xx: why.
NOTHING_TO_TAKE = {"cards:webhook": "unsigned; test_messages_of_the_card_processor signs"}
#: Forms that change nothing in this world when they are sent as a person would send them: why.
WRITES_NOTHING_HERE = {
    **NOTHING_TO_TAKE,
    "cards:ask": "the outcome of the charge is known",
    "cards:client_cards": "the processor is asked for a page, and there is none in this process",
    "cards:look": "looks at a card that is stored already",
    "cards:mark_charged": "the outcome of the charge is known",
    "cards:mark_not_charged": "the outcome of the charge is known",
    "cards:mark_not_refunded": "the outcome of the refund is known",
    "cards:mark_refunded": "the outcome of the refund is known",
    "cards:processor": "the processor is asked whether it knows the key, and there is none in this process",
    "cards:refund": "the payment is cash",
    "cards:retry": "nothing was declined",
    "clients:move_diagnosis_up": "the only diagnosis is the first already",
    "clients:unassign_staff": "nobody is assigned",
    "imports:upload": "keeps a file; tables are written by imports:confirm",
    "invoicing:continue_batch": "the batch is done",
    "invoicing:retry_batch": "the batch is done, and refused nothing",
    "invoicing:visit_price": "shows a price",
    "mail:mark_sent": "the message is sent",
    "mail:send_again": "the message is sent",
    "mail:withdraw": "the message is sent",
    "mailings:continue": "the run is done",
    "mailings:remake_file": "the file is there",
    "mailings:send_failed": "nothing failed",
    "schedule:calendar_feed": "the owner has no calendar of her own",
    "schedule:stop_calendar_feed": "the owner has no calendar of her own",
    "schedule:stop_feed_of": "the front desk has no calendar",
    "staff:invite": "they can sign in already",
    "staff:withdraw_invitation": "they can sign in already",
}
#: After these the person's way in is another one: nothing can follow.
LAST = {"staff:edit", "staff:add", "practices:sign_in_rules", "staff:join"}

#: One worker: each would learn all forms for itself.
pytestmark = [pytest.mark.timeout(max(300, 2 * SECONDS)), pytest.mark.xdist_group("fuzz")]


def posts(fuzzer: Fuzzer) -> list[Target]:
    return [target for target in fuzzer.targets if target.method == "POST"]


def test_every_form_is_heard(owner: Fuzzer) -> None:
    """The floor under all the others: what a page sends is taken, or refused in words, at every form of the practice,
    and changes something there. Where all answers came from the sign-in page, or every page only drew itself anew,
    nothing here would have tried anything."""
    owner.record = owner.learnt
    check(owner)
    assert set(owner.never_heard()) == set(NOTHING_TO_TAKE)
    inside = {f"POST {target.name}" for target in posts(owner) if target.name not in OUTSIDE}
    assert inside - set(owner.record.wrote) == {f"POST {name}" for name in WRITES_NOTHING_HERE}
    assert owner.record.books_read > 20


def test_what_once_broke_something(owner: Fuzzer) -> None:
    urls = {(target.name, target.method): target for target in owner.targets}
    for name, fields in seeds.QUERIES:
        owner.send(name, "GET", f"{urls[name, 'GET'].url}?{query_of(fields)}")
    for name, fields in seeds.FORMS:
        target = urls[name, "POST"]
        # Where nothing is pressed: the page as it was opened, and behind a search.
        for form in {"?" in each.url: each for each in target.forms if not each.button[0]}.values():
            owner.press(target, spoilt(form, fields))
    owner.send("clients:list", "GET", urls["clients:list", "GET"].url, is_part=True)
    check(owner)
    assert "imports:preview" in owner.record.opened, "the file was not put back"


def test_forms(owner: Fuzzer) -> None:
    def example(data: st.DataObject) -> None:
        with owner.taken_back():
            send_something(data, owner, data.draw(st.sampled_from(posts(owner))))

    run(example, "forms")
    check(owner)


def test_forms_one_after_another(owner: Fuzzer) -> None:
    """Each on top of what those before have done; often the same once more, with the same keys and something else."""
    inside = [target for target in posts(owner) if target.name not in OUTSIDE and target.name not in LAST]

    def example(data: st.DataObject) -> None:
        with owner.taken_back():
            for target in data.draw(st.lists(st.sampled_from(inside), min_size=1, max_size=3)):
                for _ in range(data.draw(st.integers(1, 3))):
                    send_something(data, owner, target)

    run(example, "forms in a row", examples=EXAMPLES // 2)
    check(owner)


def test_each_field_of_a_form_at_its_edges(owner: Fuzzer) -> None:
    for number, (target, name, edge) in some(edges_of(posts(owner)), "edges of forms", every=5 * len(EDGES) + 1):
        owner.press(target, spoilt(target.form(number), [(name, edge)]))
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
    for number, (target, name, each) in some(list(enumerate(cases)), "ids", every=len(cases) // EXAMPLES):
        owner.press(target, spoilt(target.form(number), [(name, each)]))
    check(owner)


def _narrow(owner: Fuzzer, role: Role) -> tuple[Fuzzer, list[Target]]:
    """The role with all that the owner has learnt, at the owner's addresses and at those of its own client's."""
    fuzzer = Fuzzer(owner.world, role=role)
    own = replace(owner.world, ids={**owner.world.ids, "client": role.own[0]})
    before, after = str(owner.world.ids["client"]), str(role.own[0])
    known = {(each.name, each.method): each for each in owner.targets}
    at_own = [
        known[each.name, each.method].moved(each.url, before, after) for each in all_targets(own) if after in each.url
    ]
    fuzzer.ids += [str(role.own[0])]
    return fuzzer, [*owner.targets, *at_own]


@pytest.mark.parametrize(
    ("name", "held"),
    [("carol", {Permission.PROVIDER}), ("bob", {Permission.BILLING}), ("dan", {Permission.ADMINISTRATOR})],
)
def test_narrow_roles(owner: Fuzzer, name: str, held: set[Permission]) -> None:
    """Limited to assigned clients, and one is: what is sent never lets them in where they may not, nor writes into or
    shows a client of others, though all forms name those."""
    with owner.taken_back():
        fuzzer, targets = _narrow(owner, limited(owner.world, getattr(owner.world.cast, name), held))
        inside = [target for target in targets if target.name not in OUTSIDE]
        for target in (each for each in inside if each.method == "POST"):
            fuzzer.press(target, target.sent)

        def example(data: st.DataObject) -> None:
            with fuzzer.taken_back():
                send_something(data, fuzzer, data.draw(st.sampled_from(inside)))

        run(example, "narrow roles", part=1 / 3, examples=EXAMPLES // 2)
        check(fuzzer)
        assert len(fuzzer.record.taken()) > 5
