"""Organization → Import: upload, look at the verdict of every row, confirm."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import refused, render_page, see_other

from . import actions
from .forms import UploadForm
from .guide import blank_template
from .layouts import LAYOUTS
from .plans import Verdict
from .queries import imported_files
from .uploads import forget_upload, keep_upload, read_upload

_ROWS = 100
_FILES = 20


@dataclass(frozen=True, slots=True)
class VerdictTab:
    """One verdict of a preview, as `web/parts/tabs.html` shows it."""

    label: str
    url: str
    active: bool
    count: int


def upload(request: HttpRequest) -> HttpResponse:
    """The upload form, the templates and what was imported. A good file goes on to its preview."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    initial = {"kind": request.GET.get("kind", "")}
    form = UploadForm(request.POST or None, request.FILES or None, actor=actor, initial=initial)
    context = _upload_context(request, actor)
    if request.method != "POST":
        return render_page(request, "imports/upload.html", context | {"form": form})
    if not form.is_valid():
        return refused(request, form, "imports/upload.html", context)
    kind, file = form.cleaned_data["kind"], form.cleaned_data["file"]
    content = file.read()
    try:
        actions.check_readable(actor, kind=kind, content=content)
    except (NotAllowed, NotFound):
        raise
    except Refusal as refusal:
        return refused(request, form, "imports/upload.html", context, message=str(refusal))
    address = practice_url(actor, "imports:preview", kind=kind, sha256=keep_upload(actor, content))
    request.session[f"import {kind}"] = file.name[-200:]
    return see_other(request, address)


@require_safe
def preview(request: HttpRequest, kind: str, sha256: str) -> HttpResponse:
    """The verdict of every row, a hundred a page."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)  # also where the file is gone
    content = read_upload(actor, sha256)
    if content is None:
        return _gone(request, actor)
    seen = actions.preview(actor, kind=kind, file_name=_file_name(request, kind), content=content)
    return render_page(request, "imports/preview.html", _preview_context(request, actor, seen))


@require_POST
def confirm(request: HttpRequest, kind: str, sha256: str) -> HttpResponse:
    """Take the file in; where a row has an error by now, back to the preview that shows it."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)  # also where the file is gone
    content = read_upload(actor, sha256)
    if content is None:
        return _gone(request, actor)
    try:
        done = actions.import_file(actor, kind=kind, file_name=_file_name(request, kind), content=content)
    except actions.ImportRefused as refusal:
        seen = actions.preview(actor, kind=kind, file_name=_file_name(request, kind), content=content)
        context = _preview_context(request, actor, seen) | {"refusal": str(refusal)}
        return render_page(request, "imports/preview.html", context, status=422)
    forget_upload(actor, sha256)
    messages.success(
        request,
        f"{LAYOUTS[kind].label} imported: {done.created_count:,} new, {done.changed_count:,} changed, "
        f"{done.unchanged_count:,} unchanged.",
    )
    return see_other(request, practice_url(actor, "imports:upload"))


@require_safe
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """A blank template to fill in."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    layout = actions.layout_of(kind)
    answer = HttpResponse(blank_template(layout).encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{layout.kind}.csv"'
    return answer


def _upload_context(request: HttpRequest, actor: Actor) -> dict[str, object]:
    page = page_number(request)
    files = imported_files(actor, offset=(page - 1) * _FILES, limit=_FILES + 1)
    return {
        "layouts": [layout for layout in LAYOUTS.values() if actions.may_import(actor, layout)],
        "files": files[:_FILES],
        "page": page,
        "newer": page - 1 or None,
        "older": page + 1 if len(files) > _FILES else None,
    }


def _preview_context(request: HttpRequest, actor: Actor, seen: actions.Preview) -> dict[str, object]:
    wanted = request.GET.get("show", "")
    rows = [row for row in seen.rows if not wanted or row.verdict == wanted]
    page = page_number(request)
    first = (page - 1) * _ROWS
    shown = rows[first : first + _ROWS]
    address = practice_url(actor, "imports:preview", kind=seen.kind, sha256=seen.sha256)
    return {
        "preview": seen,
        "layout": LAYOUTS[seen.kind],
        "tabs": _tabs(address, wanted, seen),
        "rows": shown,
        "label": f"Rows {first + 1:,}–{first + len(shown):,} of {len(rows):,}" if shown else "",
        "previous": page - 1 or None,
        "next": page + 1 if len(rows) > first + _ROWS else None,
        "to_write": seen.count(Verdict.NEW) + seen.count(Verdict.CHANGED),
        "problem_count": len(seen.problems),
        "confirm_url": practice_url(actor, "imports:confirm", kind=seen.kind, sha256=seen.sha256),
    }


def _tabs(address: str, wanted: str, seen: actions.Preview) -> list[VerdictTab]:
    labels = {Verdict.ERROR: "Errors", Verdict.NEW: "New", Verdict.CHANGED: "Changed", Verdict.UNCHANGED: "Unchanged"}
    every = VerdictTab("All rows", address, wanted == "", len(seen.rows))
    return [every] + [
        VerdictTab(label, f"{address}?show={verdict}", wanted == verdict, seen.count(verdict))
        for verdict, label in labels.items()
    ]


def _file_name(request: HttpRequest, kind: str) -> str:
    return str(request.session.get(f"import {kind}", f"{kind}.csv"))


def _gone(request: HttpRequest, actor: Actor) -> HttpResponse:
    messages.error(
        request, "That upload is no longer here: it was imported, or is more than a day old. Choose it again."
    )
    return see_other(request, practice_url(actor, "imports:upload"))
