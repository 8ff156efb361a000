"""The front door `/`: to the first-run page, the sign-in page, the practice's agenda, or a list of practices."""

from __future__ import annotations

from contextlib import suppress
from zoneinfo import available_timezones

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from daysheet.kit.dates import utc_now
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.models import Practice, User
from daysheet.practices.rules import is_address, propose_address, time_zone_order
from daysheet.web.views import refused, render_page, see_other

from .actions import NewOwner, create_first_practice
from .actors import entrances_of
from .logins import NewPasswordField, check_new_password, sign_in, to_sign_in


class WelcomeForm(forms.Form):
    """The first practice and its owner."""

    name = forms.CharField(label="Practice name", max_length=120)
    slug = forms.CharField(
        label="Address",
        max_length=60,
        required=False,
        help_text="Small letters, digits and hyphens: juniper-counseling. Left empty, it is made from the name.",
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in time_zone_order(available_timezones())],
        help_text="Days of service, licenses and reports follow it.",
    )
    first_name = forms.CharField(label="Your first name", max_length=60)
    last_name = forms.CharField(label="Your last name", max_length=60)
    email = forms.EmailField(label="Your e-mail", max_length=254, help_text="You sign in with it.")
    password = NewPasswordField(label="Password")

    def clean_slug(self) -> str:
        """The address typed, or the one that the name proposes."""
        slug: str = self.cleaned_data["slug"].lower() or propose_address(self.cleaned_data.get("name", ""))
        if not is_address(slug):
            raise forms.ValidationError("Use small letters, digits and hyphens, such as juniper-counseling.")
        return slug

    def clean(self) -> None:
        """The password must not be a common one or the person's own name."""
        check_new_password(self, User(email=self.cleaned_data.get("email", "")))


def home(request: HttpRequest) -> HttpResponse:
    """Where a person belongs."""
    if not request.user.is_authenticated:
        return to_sign_in(request) if Practice.objects.exists() else redirect("welcome")
    entrances = entrances_of(request.user.pk)
    if len(entrances) == 1:
        return redirect(_first_page(entrances[0].practice.slug))
    choices = [(entrance.practice.name, _first_page(entrance.practice.slug)) for entrance in entrances]
    return render_page(request, "practices/choose.html", {"choices": choices})


def welcome(request: HttpRequest) -> HttpResponse:
    """The first-run page; 404 once a practice exists."""
    if Practice.objects.exists():
        raise Http404("This installation has a practice already")
    form = WelcomeForm(request.POST or None)
    if request.method != "POST":
        return render_page(request, "practices/welcome.html", {"form": form})
    if not form.is_valid():
        return refused(request, form, "practices/welcome.html")
    try:
        practice = _create(form)
    except NotFound as missing:
        raise Http404(missing.message) from missing
    except Refusal as refusal:
        return refused(request, form, "practices/welcome.html", message=str(refusal))
    sign_in(request, User.objects.get(email__iexact=form.cleaned_data["email"]))
    return see_other(request, _page_of(practice.slug, "first_hour:guide", "schedule:agenda"))


def _first_page(slug: str) -> str:
    """A practice opens on its Agenda."""
    return _page_of(slug, "schedule:agenda")


def _page_of(slug: str, *names: str) -> str:
    """The first of these pages of higher slices that there is."""
    for name in (*names, "practices:my_account"):
        with suppress(NoReverseMatch):
            return reverse(name, kwargs={"practice": slug})
    raise NoReverseMatch(f"a practice has none of the pages {names}")


def _create(form: WelcomeForm) -> Practice:
    typed = form.cleaned_data
    owner = NewOwner(typed["email"], typed["first_name"], typed["last_name"], typed["password"])
    return create_first_practice(
        slug=typed["slug"], name=typed["name"], time_zone=typed["time_zone"], owner=owner, now=utc_now()
    )
