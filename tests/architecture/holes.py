"""All addresses, and one of each kind of hole: what test_seeded_holes.py lets the suite find."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db import connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from daysheet.clients.models import Client
from daysheet.config import urls
from daysheet.config.urls import handler400, handler403, handler404, handler500
from daysheet.database.scope import practice_transaction
from daysheet.ledger.models import Entry
from daysheet.payments.models import Payment
from daysheet.practices.models import Practice
from daysheet.schedule.models import Appointment
from daysheet.staff.middleware import Door, public_in_practice
from daysheet.web.requests import actor_of

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def permission(request: HttpRequest) -> HttpResponse:
    """Money, and nobody asks for Billing."""
    return HttpResponse(str(Entry.objects.count()))


@public_in_practice(Door())
def sign_in(request: HttpRequest) -> HttpResponse:
    """Money, and nobody asks who it is."""
    return HttpResponse(str(Entry.objects.count()))


def assigned(request: HttpRequest, client: UUID) -> HttpResponse:
    """A client of the practice, whoever is assigned."""
    return HttpResponse(Client.objects.get(pk=client).last_name)


def scope(request: HttpRequest, client: UUID) -> HttpResponse:
    """A client of whatever practice."""
    actor_of(request)
    for practice in Practice.objects.all():
        with practice_transaction(practice.pk):
            if found := Client.objects.filter(pk=client).first():
                return HttpResponse(found.last_name)
    return HttpResponse(status=404)


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """Takes any form from any site."""
    return HttpResponse(request.method)


def raises(request: HttpRequest) -> HttpResponse:
    """Takes for granted that numbers are numbers."""
    return HttpResponse(str(int(request.GET.get("page", "1"))))


def slow(request: HttpRequest) -> HttpResponse:
    """Lets the database work for as long as it takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.3)")
    return HttpResponse()


def half(request: HttpRequest) -> HttpResponse:
    """Writes, and refuses afterwards."""
    if request.method == "POST":
        Client.objects.create(first_name="Half", last_name="Written")
        return HttpResponse(status=422)
    return HttpResponse()


def changes(request: HttpRequest) -> HttpResponse:
    """Changes what is there, and refuses afterwards: no row more, no row less."""
    if request.method == "POST":
        Client.objects.filter(first_name="Zoe").update(last_name="Changed")
        return HttpResponse(status=422)
    return HttpResponse()


def elsewhere(request: HttpRequest) -> HttpResponse:
    """Changes what is there, and tells on the next page that it could not."""
    if request.method == "POST":
        Client.objects.filter(first_name="Zoe").update(last_name="Changed")
        messages.error(request, "Not done.")
        return HttpResponse(status=303, headers={"Location": "/"})
    return HttpResponse()


def books(request: HttpRequest) -> HttpResponse:
    """Gives a payment a cent that nobody paid."""
    if request.method == "POST":
        Payment.objects.filter(unapplied_cents__lt=F("amount_cents")).update(unapplied_cents=F("unapplied_cents") + 1)
        return HttpResponse(status=303, headers={"Location": "/"})
    return HttpResponse()


def others(request: HttpRequest) -> HttpResponse:
    """Takes a client from the form, whoever is assigned."""
    if request.method == "POST":
        Client.objects.filter(pk=request.POST["client"]).update(phone="1")
        return HttpResponse(Client.objects.get(pk=request.POST["client"]).last_name)
    return HttpResponse()


def moves(request: HttpRequest) -> HttpResponse:
    """Takes an appointment from the form, whosever it is: the row itself names no client."""
    if request.method == "POST":
        Appointment.objects.filter(pk=request.POST["appointment"]).update(ends_at=F("ends_at") + timedelta(minutes=5))
    return HttpResponse()


_holes = (
    [
        path("permission", permission, name="permission"),
        path("sign-in", sign_in, name="sign_in"),
        path("assigned/<uuid:client>", assigned, name="assigned"),
        path("scope/<uuid:client>", scope, name="scope"),
        path("token", token, name="token"),
        path("raises", raises, name="raises"),
        path("slow", slow, name="slow"),
        path("half", half, name="half"),
        path("changes", changes, name="changes"),
        path("elsewhere", elsewhere, name="elsewhere"),
        path("books", books, name="books"),
        path("others", others, name="others"),
        path("moves", moves, name="moves"),
    ],
    "hole",
)
urlpatterns = [path("<slug:practice>/hole/", include(_holes)), *urls.urlpatterns]
