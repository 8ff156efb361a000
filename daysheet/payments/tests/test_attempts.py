"""Corrections and credit attacked over HTTP: odd amounts, pages that are out of date, two clicks, the way back, a
permission or a client gone meanwhile, closed days. Each ends in words that say what to do, and the books hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
import time_machine
from django.test import Client as Browser

from daysheet.clients.actions import archive_client
from daysheet.clients.queries import get_client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import Entry
from daysheet.payments.models import Payment
from daysheet.payments.queries.figures import balance_tiles, next_appointment_tile
from daysheet.payments.queries.ledger import (
    ledger_activity,
    ledger_invoices,
    ledger_payments,
    unapplied_payments,
)
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.staff.actions import edit_staff_member
from tests.architecture.world import browser_of
from tests.billing import Clinic, build_clinic
from tests.invariants.books import INVARIANTS
from tests.pages import filled, words_of
from tests.people import NOW, Cast

from .desk import pay
from .pages import agreed, done

#: What is typed, and what is answered; None: it is taken as $5.00.
AMOUNTS: dict[str, str | None] = {
    " 5 ": None,
    "$5": None,
    "5.00": None,
    "1.000,00": "“1.000,00” is not an amount such as 125.00",
    "5,00": "“5,00” is not an amount such as 125.00",
    "5.001": "“5.001” is not an amount such as 125.00",
    "-5": "An amount cannot be less than nothing.",
    "1e3": "“1e3” is not an amount such as 125.00",
    "５": "“５” is not an amount such as 125.00",  # the sums on the page would leave it out
    "five": "“five” is not an amount such as 125.00",
    "0": "Enter an amount above zero",
    "1,000.00": "Nothing was changed",  # an amount, and more than there is
    "99999999999": "“99999999999” is more than $10,000,000.00",
    "9" * 40: "at most 16 characters",
    "": "This field is required.",
}


@dataclass(frozen=True)
class Desk:
    """A line of $150.00 with $25.00 of it for the client, and $60.00 of the client's by check that are credit."""

    clinic: Clinic
    client: UUID
    line: UUID
    payment: UUID
    bob: Browser

    @property
    def writing_off(self) -> str:
        return f"/alder/lines/{self.line}/write-off/"

    @property
    def moving(self) -> str:
        return f"/alder/lines/{self.line}/responsibility/"

    def of_payment(self, verb: str) -> str:
        return f"/alder/payments/{self.payment}/{verb}/"


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client(insured=True, copay_cents=2_500)
        bill_visit(clinic.biller, visit_id=clinic.visit(client, clinic.talk)[0])
        paid = pay(clinic.biller, client, 6_000, applications={}).payment_id
        yield Desk(clinic, client, InvoiceLine.objects.get().pk, paid, browser_of(cast.bob))
        found = {rule.__name__: wrong for rule in INVARIANTS if (wrong := rule(clinic.biller))}
        assert found == {}


@pytest.mark.parametrize("typed", AMOUNTS)
def test_an_odd_amount_of_a_correction_is_refused_in_words(desk: Desk, typed: str) -> None:
    before, answer = Entry.objects.count(), AMOUNTS[typed]
    for url in (desk.writing_off, desk.moving, desk.of_payment("refund")):
        page = desk.bob.post(url, filled(desk.bob.get(url).text, reason="Because", amount=typed))
        if answer is None:
            assert page.status_code == 200 and "What this does" in page.text, url
            continue
        assert page.status_code == 422 and answer in words_of(page), (url, words_of(page))
        assert filled(page.text)["amount"] == typed.strip() or typed == "", "what was typed is there to be corrected"
    url = f"/alder/clients/{desk.client}/credit/"
    page = desk.bob.post(url, filled(desk.bob.get(url).text, **{f"apply-{desk.line}": typed}))
    if answer is None:
        assert page.status_code == 303 and Entry.objects.count() == before + 1
        return
    assert page.status_code == (303 if typed == "" else 422), words_of(page)
    assert Entry.objects.count() == before + (typed == "")


def test_what_was_agreed_to_is_what_is_done_or_it_is_shown_anew(desk: Desk) -> None:
    """Two tabs showed the same write-off, and both were confirmed: the second said 25.00 → 15.00 and made it 5.00."""
    first, second = (agreed(desk.bob, desk.writing_off, side="client", amount="10") for _ in range(2))
    assert desk.bob.post(desk.writing_off, first).status_code == 303
    told = desk.bob.post(desk.writing_off, second)
    assert told.status_code == 422
    assert "Nothing was changed yet. The figures have moved since they were shown" in words_of(told)
    assert "Client Balance Due $15.00 $5.00" in words_of(told)
    assert InvoiceLine.objects.get().client_open_cents == 1_500
    again = filled(told.text, confirmed="1")
    assert [desk.bob.post(desk.writing_off, again).status_code for _ in range(2)] == [303, 303]
    assert InvoiceLine.objects.get().client_open_cents == 500


def test_what_was_applied_meanwhile_does_not_come_off_with_the_rest(desk: Desk) -> None:
    """The page said: 10.00 are on a line. By the time of Yes it was 25.00."""
    _apply(desk, "10")
    taking_off = agreed(desk.bob, desk.of_payment("unapply"))
    _apply(desk, "15")
    told = desk.bob.post(desk.of_payment("unapply"), taking_off)
    assert told.status_code == 422 and "The figures have moved" in words_of(told)
    assert Payment.objects.get().unapplied_cents == 3_500


def _apply(desk: Desk, amount: str) -> None:
    url = f"/alder/clients/{desk.client}/credit/"
    sent = filled(desk.bob.get(url).text, **{f"apply-{desk.line}": amount})
    assert desk.bob.post(url, sent).status_code == 303


def test_going_back_to_a_form_that_was_saved_says_so(desk: Desk) -> None:
    url = desk.writing_off
    typed = filled(desk.bob.get(url).text, side="client", amount="10", reason="Kind")
    yes = filled(desk.bob.post(url, typed).text, confirmed="1")
    assert desk.bob.post(url, yes).status_code == 303
    before = Entry.objects.count()
    back = desk.bob.post(url, typed, follow=True)
    assert back.redirect_chain[-1][1] == 303
    assert "This form had been saved already. Nothing was done twice." in words_of(back)
    other = desk.bob.post(url, typed | {"amount": "11"})
    assert other.status_code == 409 and "open the form anew for another one" in words_of(other)
    assert Entry.objects.count() == before


def test_a_payment_edited_in_two_tabs_keeps_what_the_first_one_wrote_unless_told(desk: Desk) -> None:
    url = desk.of_payment("edit")
    stale = filled(desk.bob.get(url).text, reason="The method", method="cash")
    done(desk.bob, url, number="881", notes="Signed by the son")
    told = desk.bob.post(url, stale)
    assert told.status_code == 422
    assert "It is now Check 881 of 11/16/2026, notes “Signed by the son”. Nothing was changed" in words_of(told)
    assert Payment.objects.get().number == "881"
    mended = filled(told.text, number="881", notes="Signed by the son")
    assert mended["method"] == "cash", "what was typed is still there"
    yes = filled(desk.bob.post(url, mended).text, confirmed="1")
    assert [desk.bob.post(url, yes).status_code for _ in range(2)] == [303, 303]
    paid = Payment.objects.get()
    assert (paid.method, paid.number, paid.notes) == ("cash", "881", "Signed by the son")


def test_pages_of_a_payment_that_another_tab_has_used_say_what_to_do(desk: Desk) -> None:
    refunding = agreed(desk.bob, desk.of_payment("refund"), amount="60")
    deleting = agreed(desk.bob, desk.of_payment("delete"))
    crediting = f"/alder/clients/{desk.client}/credit/"
    applying = filled(desk.bob.get(crediting).text, pay_all="on")
    done(desk.bob, desk.of_payment("refund"), amount="50")
    _apply(desk, "10")
    for url, sent, why in (
        (desk.of_payment("refund"), refunding, "Only $0.00 of the payment is not applied."),
        (desk.of_payment("delete"), deleting, "A part of this payment is applied or refunded. Unapply it first;"),
        (crediting, applying, "no credit"),
    ):
        told = desk.bob.post(url, sent)
        assert told.status_code == 422 and why in words_of(told), (url, words_of(told))
        assert "Nothing was" in words_of(told)


def test_a_write_off_taken_back_in_another_tab_is_not_taken_back_twice(desk: Desk) -> None:
    done(desk.bob, desk.writing_off, side="client", amount="10")
    entry = Entry.objects.get(debit_account="write_off")
    url = f"{desk.writing_off.removesuffix('write-off/')}write-offs/{entry.pk}/"
    first, second = (agreed(desk.bob, url) for _ in range(2))
    assert [desk.bob.post(url, first).status_code for _ in range(2)] == [303, 303]
    told = desk.bob.post(url, second)
    assert told.status_code == 422 and "taken back before. Nothing was changed." in words_of(told)


def test_what_was_moved_or_paid_meanwhile_is_not_moved_again(desk: Desk) -> None:
    stale = agreed(desk.bob, desk.moving, to_side="insurance", amount="25")
    _apply(desk, "20")
    told = desk.bob.post(desk.moving, stale)
    assert told.status_code == 422 and "Only $5.00 is still unpaid on that side of the line." in words_of(told)


def test_a_client_archived_meanwhile_keeps_a_ledger_that_can_be_put_right(desk: Desk) -> None:
    waiting = agreed(desk.bob, desk.writing_off, side="client", amount="10")
    archive_client(desk.clinic.owner, desk.client)
    assert desk.bob.post(desk.writing_off, waiting).status_code == 303
    _apply(desk, "5")
    done(desk.bob, desk.of_payment("unapply"))
    done(desk.bob, desk.of_payment("refund"), amount="60")
    assert InvoiceLine.objects.get().client_open_cents == 1_500


def test_who_lost_the_permission_meanwhile_is_told_so_and_nothing_is_saved(desk: Desk) -> None:
    cast, url = desk.clinic.cast, desk.writing_off
    waiting = agreed(desk.bob, url, side="client", amount="10")
    before = Entry.objects.count()
    edit_staff_member(desk.clinic.owner, cast.bob.staff_member_id, permissions=[])
    answer = desk.bob.post(url, waiting, follow=True)
    assert "sign in" in words_of(answer).lower()
    assert "What you had not saved was not saved." in words_of(answer)
    late = Browser().post(url, waiting, follow=True)  # the session is gone for another reason: nobody is signed in
    assert "You were signed out meanwhile, so what you sent was not saved." in words_of(late)
    back = browser_of(cast.bob).post(url, waiting)
    assert back.status_code == 403 and "permission" in words_of(back)
    assert Entry.objects.count() == before


def test_corrections_after_a_day_was_closed_meanwhile_stand_on_the_first_open_day(desk: Desk) -> None:
    """The refund was shown for the 16th; by the time of Yes that day is closed."""
    refunding = agreed(desk.bob, desk.of_payment("refund"), amount="20", refunded_on="2026-11-16")
    editing = agreed(desk.bob, desk.of_payment("edit"), method="cash")
    _close(desk)
    told = desk.bob.post(desk.of_payment("edit"), editing)
    assert told.status_code == 422 and "a day that is closed (through 11/16/2026)" in words_of(told)
    assert "Unapply and delete it, then enter it again." in words_of(told)
    told = desk.bob.post(desk.of_payment("refund"), refunding, follow=True)
    assert "11/16/2026 is closed: this is posted on 11/17/2026, the first open day." in words_of(told)
    refund = Entry.objects.get(debit_account="credit", credit_account="cash")
    assert refund.effective_on.isoformat() == "2026-11-17"


def _close(desk: Desk) -> None:
    day = NOW.date()
    totals = day_sheet(desk.clinic.biller, day).totals
    close_day(
        desk.clinic.biller, day=day, expected_closing_cents=totals.closing_cents,
        expected_entry_count=totals.entry_count,
    )  # fmt: skip


def test_the_effect_says_what_was_typed_and_leads_back_to_it(desk: Desk) -> None:
    url = desk.writing_off
    typed = filled(desk.bob.get(url).text, side="client", amount="$ 10", reason="Kind")
    shown = desk.bob.post(url, typed).text
    assert "Side Client Amount $10.00 Reason Kind What this does" in words_of(shown)
    back = desk.bob.post(url, filled(shown, change="1"))
    assert back.status_code == 200 and "Show the effect" in back.text and "What this does" not in back.text
    assert (filled(back.text)["amount"], filled(back.text)["reason"]) == ("$ 10", "Kind")
    assert not Entry.objects.filter(debit_account="write_off").exists()
    refund = desk.of_payment("refund")
    asked = filled(desk.bob.get(refund).text, amount="5", refunded_on="2026-11-16", reason="Too much")
    assert "Amount $5.00 Date 11/16/2026 Reason Too much" in words_of(desk.bob.post(refund, asked).text)


def test_two_services_of_one_day_have_names_of_their_own_when_they_are_billed_again(desk: Desk) -> None:
    clinic = desk.clinic
    bill_visit(clinic.biller, visit_id=clinic.visit(clinic.client("Two"), clinic.talk, clinic.letter)[0])
    one, two = (words_of(desk.bob.get(f"/alder/invoices/{number}/rebill/").text) for number in (1, 2))
    assert "Service on 11/02/2026 " in one and "Service on 11/02/2026," not in one
    assert "Service on 11/02/2026, 9T001 Talk" in two and "Units on 11/02/2026, LETTER Letter" in two


def test_an_edit_on_an_old_page_is_told_of_the_other_tabs_also_after_a_mistake_or_a_change_of_mind(desk: Desk) -> None:
    url = desk.of_payment("edit")
    old = filled(desk.bob.get(url).text, number="1", reason="")
    changed_mind = filled(desk.bob.post(url, old | {"reason": "Typed wrong"}).text, change="1")
    done(desk.bob, url, number="881", notes="From the other tab")
    without_reason = desk.bob.post(url, old)
    assert without_reason.status_code == 422
    back = desk.bob.post(url, changed_mind)
    for page in (without_reason, back):
        told = desk.bob.post(url, filled(page.text, reason="Typed wrong"))
        assert told.status_code == 422 and "corrected meanwhile" in words_of(told)
        assert Payment.objects.get(pk=desk.payment).number == "881"
    shown = desk.bob.post(url, filled(told.text))  # who was told, and sends it again, means it
    assert desk.bob.post(url, filled(shown.text, confirmed="1")).status_code == 303
    assert Payment.objects.get(pk=desk.payment).number == "1"


def test_nobody_says_yes_to_what_was_not_shown(desk: Desk) -> None:
    first = agreed(desk.bob, desk.writing_off, side="client", amount="10")
    for nothing in ("", "x"):
        page = desk.bob.post(desk.writing_off, first | {"agreed": nothing})
        assert "What this does" in page.text and page.status_code in (200, 422)
    assert not Entry.objects.filter(debit_account="write_off").exists()
    edit = filled(desk.bob.get(desk.of_payment("edit")).text, number="5", reason="Typed wrong", seen="")
    assert desk.bob.post(desk.of_payment("edit"), edit).status_code == 422


def test_what_posts_nothing_says_nothing_of_closed_days(desk: Desk) -> None:
    day = Payment.objects.get(pk=desk.payment).received_on
    totals = day_sheet(desk.clinic.biller, day).totals
    close_day(
        desk.clinic.biller, day=day, expected_closing_cents=totals.closing_cents,
        expected_entry_count=totals.entry_count,
    )  # fmt: skip
    url = desk.of_payment("edit")
    shown = desk.bob.post(url, filled(desk.bob.get(url).text, notes="Only a note", reason="Forgotten"))
    said = desk.bob.post(url, filled(shown.text, confirmed="1"), follow=True)
    assert said.redirect_chain and "is closed" not in words_of(shown) + words_of(said)


@pytest.mark.parametrize(
    "read",
    [
        lambda bob, client: ledger_invoices(bob, client, is_open=True),
        ledger_payments,
        ledger_activity,
        unapplied_payments,
        balance_tiles,
        next_appointment_tile,
    ],
)
def test_a_clients_row_that_somebody_else_has_found_opens_nothing(desk: Desk, read: Callable[..., object]) -> None:
    """The queries take a row so that it is read once; whose it is they check all the same (P1)."""
    found = get_client(desk.clinic.owner, desk.client)
    bob = replace(desk.clinic.biller, limited_to_assigned=True)
    with pytest.raises(NotFound):
        read(bob, found)
    read(desk.clinic.owner, found)
