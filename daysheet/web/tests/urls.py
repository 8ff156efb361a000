"""A few addresses for the tests of menus and pages."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from daysheet.web.errors import handler400, handler403, handler404, handler500
from daysheet.web.views import render_page

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def page(request: HttpRequest, **kwargs: str) -> HttpResponse:
    return render_page(request, "web/base.html")


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("This needs the permission “Billing”.")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


_clients = [path("", page, name="list"), path("search", page, name="search"), path("<client>", page, name="details")]
_reports = [path("", page, name="index")]
_invoicing = [path("batch", page, name="batch"), path("unbilled", page, name="unbilled")]
urlpatterns = [
    path("denied", denied),
    path("broken", broken),
    path("<slug:practice>/clients/", include((_clients, "clients"))),
    path("<slug:practice>/ledger/", include(([path("<client>", page, name="ledger")], "payments"))),
    path("<slug:practice>/billing/", include((_invoicing, "invoicing"))),
    path("<slug:practice>/reports/", include((_reports, "reports"))),
]
