"""All addresses: sign-in, the way in, and everything of a practice under `/<practice>/`."""

from __future__ import annotations

from django.urls import include, path

from daysheet.staff import entrance
from daysheet.web import errors

_practice = [
    path("", include("daysheet.staff.organization.urls")),
    path("", include("daysheet.staff.organization.activity")),
    path("", include("daysheet.staff.urls")),
    path("", include("daysheet.help.urls")),
    path("", include("daysheet.clients.urls")),
    path("", include("daysheet.mail.urls")),
    path("", include("daysheet.services.urls")),
    path("", include("daysheet.schedule.urls")),
    path("", include("daysheet.invoicing.urls")),
    path("", include("daysheet.payments.urls")),
    path("", include("daysheet.cards.urls")),
    path("", include("daysheet.claims.urls")),
    path("", include("daysheet.automation.urls")),
    path("", include("daysheet.reports.urls")),
    path("", include("daysheet.documents.urls")),
    path("", include("daysheet.mailings.urls")),
    path("", include("daysheet.imports.urls")),
    path("", include("daysheet.first_hour.urls")),
]

urlpatterns = [
    path("", entrance.home, name="home"),
    path("", include("daysheet.operations.urls")),
    path("welcome/", entrance.welcome, name="welcome"),
    # The library's page for several addresses of one login: a login has one, shown on the practice's account page.
    path("account/email/", entrance.home, name="account_email"),
    path("account/", include("allauth.urls")),
    path("<slug:practice>/", include(_practice)),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
