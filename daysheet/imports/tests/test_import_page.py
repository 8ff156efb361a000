"""Organization → Import over HTTP: upload, preview, confirm; who may not; files that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.imports.models import ImportedFile
from daysheet.practices.models import User
from tests.people import Cast, Person

from .files import CLIENTS, csv_file

URL = "/alder/import/"


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path
    return tmp_path


def browser(person: Person) -> Browser:
    opened = Browser()
    opened.force_login(User.objects.get(pk=person.user_id))
    return opened


def send(opened: Browser, rows: list[dict[str, str]] | bytes, kind: str = "clients") -> Any:
    content = rows if isinstance(rows, bytes) else csv_file(rows)
    return opened.post(URL, {"kind": kind, "file": SimpleUploadedFile("our clients.csv", content)})


def clients(cast: Cast) -> int:
    with practice_transaction(cast.alder.id):
        return Client.objects.count()


def test_upload_preview_and_confirm(cast: Cast, data_folder: Path) -> None:
    alice = browser(cast.alice)
    answer = send(alice, CLIENTS)
    assert answer.status_code == 303
    preview = answer["Location"]
    assert clients(cast) == 0
    page = alice.get(preview).content.decode()
    assert "our clients.csv" in page and "Import 2 rows" in page and "Oakes, Finn" in page
    [kept] = [path for path in data_folder.rglob("*") if path.is_file()]
    assert kept.stat().st_mode & 0o777 == 0o600
    done = alice.post(f"{preview}import", follow=True)
    assert "Clients imported: 2 new, 0 changed, 0 unchanged." in done.content.decode()
    assert clients(cast) == 2 and not kept.exists()
    again = alice.post(f"{preview}import", follow=True)
    assert "no longer here" in again.content.decode() and clients(cast) == 2


def test_a_file_with_errors_shows_them_and_cannot_be_confirmed(cast: Cast) -> None:
    alice = browser(cast.alice)
    preview = send(alice, [CLIENTS[0], CLIENTS[1] | {"Birth Date": "soon"}])["Location"]
    page = alice.get(preview).content.decode()
    assert "1 problem." in page and "Column Birth Date" in page and "confirm-import" not in page
    assert "Pratt" in alice.get(f"{preview}?show=error").content.decode()
    assert "Pratt" not in alice.get(f"{preview}?show=new").content.decode()
    answer = alice.post(f"{preview}import")
    assert answer.status_code == 422 and "Nothing was imported" in answer.content.decode()
    assert clients(cast) == 0


def test_what_is_no_table_is_refused_at_once(cast: Cast, data_folder: Path) -> None:
    alice = browser(cast.alice)
    for content in (b"\xff\xfe", b"PK\x03\x04"):
        assert send(alice, content).status_code == 422
    assert alice.post(URL, {"kind": "clients"}).status_code == 422
    assert not [path for path in data_folder.rglob("*") if path.is_file()]


def test_a_file_that_changes_nothing_says_so(cast: Cast) -> None:
    alice = browser(cast.alice)
    alice.post(f"{send(alice, CLIENTS)['Location']}import")
    page = alice.get(send(alice, CLIENTS)["Location"]).content.decode()
    assert "is here already" in page and "confirm-import" not in page


def test_templates_and_history(cast: Cast, django_assert_max_num_queries: Any) -> None:
    alice = browser(cast.alice)
    blank = alice.get(f"{URL}templates/clients.csv")
    assert blank["Content-Disposition"] == 'attachment; filename="clients.csv"'
    assert blank.content.decode("utf-8-sig").startswith("ID,First Name")
    assert alice.get(f"{URL}templates/ledgers.csv").status_code == 404
    assert "Nothing imported yet" in alice.get(URL).content.decode()
    alice.post(f"{send(alice, CLIENTS)['Location']}import")
    with practice_transaction(cast.alder.id):
        assert ImportedFile.objects.get().file_name == "our clients.csv"
    with django_assert_max_num_queries(12):
        assert "our clients.csv" in alice.get(URL).content.decode()


def test_strangers_get_404_and_people_without_the_permission_403(cast: Cast, data_folder: Path) -> None:
    alice = browser(cast.alice)
    preview = send(alice, CLIENTS)["Location"]
    for person, status in ((cast.charlie, 404), (cast.dan, 403), (cast.bob, 403)):
        opened = browser(person)
        for url in (URL, preview, f"{URL}templates/clients.csv"):
            assert opened.get(url).status_code == status, url
        assert opened.post(f"{preview}import").status_code == status
        assert send(opened, CLIENTS).status_code == status
    for path in data_folder.rglob("*"):
        path.unlink() if path.is_file() else None
    for opened in (browser(cast.dan), browser(cast.bob)):  # also where the file is gone by now
        assert (opened.get(preview).status_code, opened.post(f"{preview}import").status_code) == (403, 403)
    assert clients(cast) == 0
    elsewhere = browser(cast.charlie).get(preview.replace("/alder/", "/birch/"), follow=True)
    assert "no longer here" in elsewhere.content.decode()
