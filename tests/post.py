"""Clients who owe, each an amount that nobody else owes; and reading back, page by page and message by message, what
they were sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.message import EmailMessage
from uuid import UUID, uuid4

import pypdfium2

from daysheet.clients.actions import add_client
from daysheet.documents.papers import Kind
from daysheet.documents.rules import Period
from daysheet.invoicing.batches import BatchRequest, run_batch, start_batch
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.kit.money import Money
from daysheet.mailings.actions import MailingRequest, start_mailing
from daysheet.mailings.queries.earlier import earlier_runs
from daysheet.mailings.rules import EMAIL_TEXTS, Ways
from daysheet.practices.actor import Actor
from tests.billing import DAY, Clinic

_NAME = re.compile(r"Ana Owes(\d{5})")


@dataclass(frozen=True)
class Debtor:
    """Number `n` is called Ana Owes0000n and owes $100.00 and n cents."""

    number: int
    client_id: UUID

    @property
    def name(self) -> str:
        return f"Ana Owes{self.number:05d}"

    @property
    def cents(self) -> int:
        return 10_000 + self.number

    @property
    def address(self) -> str:
        return f"owes{self.number:05d}@clients.example"


@dataclass
class Post:
    """A clinic whose clients are sent documents."""

    clinic: Clinic
    biller: Actor
    debtors: dict[int, Debtor] = field(default_factory=dict)
    day: date = DAY

    def bill(self, count: int, *, without_address: Iterable[int] = (), on_paper: Iterable[int] = ()) -> None:
        """So many clients more, billed by one batch for a visit of `day`."""
        bare, paper = set(without_address), set(on_paper)
        first = len(self.debtors) + 1
        items = []
        for number in range(first, first + count):
            client = add_client(
                self.clinic.owner, first_name="Ana", last_name=f"Owes{number:05d}",
                email="" if number in bare else f"owes{number:05d}@clients.example",
                documents_by="paper" if number in paper else "",
            )  # fmt: skip
            self.debtors[number] = debtor = Debtor(number, client.pk)
            _, services = self.clinic.visit(client.pk, self.clinic.letter, day=self.day, rates=(debtor.cents,))
            items.append(BatchRequest(client.pk, services))
        batch_id = start_batch(
            self.biller, batch_id=uuid4(), from_on=self.day, to_on=self.day, items=items, expected_count=count,
            expected_cents=0,
        )  # fmt: skip
        run_batch(RunningJob(self.biller.practice, JobRun.objects.get(subject_id=batch_id).pk, batch_id,
                             clock=lambda: self.biller.now))  # fmt: skip
        JobRun.objects.filter(subject_id=batch_id).update(state="done", finished_at=self.biller.now)

    def start_statements(self, ways: Ways, *, clients: Iterable[UUID] | None = None, at_least_cents: int = 1) -> UUID:
        """A run of statements to everybody, or to these."""
        wanted = list(clients) if clients is not None else [debtor.client_id for debtor in self.debtors.values()]
        request = MailingRequest(
            Kind.STATEMENT, Period(self.day - timedelta(days=30), self.biller.today), ways,
            EMAIL_TEXTS["statement"], at_least_cents=at_least_cents,
        )  # fmt: skip
        invoices: dict[UUID, list[UUID]] = {pk: [] for pk in wanted}
        earlier = earlier_runs(self.biller, request.kind, request.period, invoices)
        return start_mailing(
            self.biller, mailing_id=uuid4(), request=request, invoices=invoices,
            expected_count=len(wanted), expected_cents=0, told_of=[run.id for run in earlier],
        )  # fmt: skip


def read_pages(pdf: bytes) -> list[int]:
    """Whose statement each page is of, by number: every page is opened and read, names one client and what the client
    owes, and nobody else."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    try:
        for page in document:
            text = " ".join(page.get_textpage().get_text_range().split())
            numbers = {int(number) for number in _NAME.findall(text)}
            assert len(numbers) == 1, f"a page of {numbers}"
            (number,) = numbers
            assert str(Money(10_000 + number)) in text, f"not the amount of {number}"
            found.append(number)
    finally:
        document.close()
    return found


def read_messages(messages: Iterable[EmailMessage]) -> Counter[int]:
    """How many messages each client got, by number: the address, the greeting and every page of the attachment are of
    the same one."""
    found: Counter[int] = Counter()
    for message in messages:
        number = int(str(message["To"]).removeprefix("owes").partition("@")[0])
        body = message.get_body(("plain",))
        assert body is not None and f"Dear Ana Owes{number:05d}," in body.get_content()
        assert "Owes" not in str(message["Subject"])
        (attachment,) = message.iter_attachments()
        assert attachment.get_content_type() == "application/pdf"
        assert set(read_pages(attachment.get_content())) == {number}
        found[number] += 1
    return found
