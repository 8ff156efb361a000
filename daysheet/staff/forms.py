"""The shape of what is typed about staff members and their logins."""

from __future__ import annotations

from typing import Any

from django import forms

from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.practices.permissions import GRANTABLE, Permission
from daysheet.web.fields import IdInAdvance

from .logins import NewPasswordField, check_new_password
from .models import StaffMember
from .organization.forms import NpiField


class StaffFilterForm(forms.Form):
    """What the list shows."""

    q = forms.CharField(label="Name, e-mail or NPI", required=False)
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "Active"), ("inactive", "Inactive"), ("all", "All")]
    )

    @property
    def active(self) -> bool | None:
        """True, False, or None for everybody."""
        return {"inactive": False, "all": None}.get(self.data.get("show", ""), True)


class StaffMemberForm(forms.Form):
    """A staff member as they are edited. What the editor may not change is shown and not sent."""

    first_name = forms.CharField(label="First name", max_length=60)
    last_name = forms.CharField(label="Last name", max_length=60)
    credentials = forms.CharField(
        label="Credentials", max_length=40, required=False, help_text="As printed after the name, such as LCSW."
    )
    email = forms.EmailField(label="E-mail", max_length=254, required=False, help_text="Invitations go there.")
    npi = NpiField(required=False)
    taxonomy = forms.RegexField(
        r"^[0-9A-Z]{9}X$",
        label="Taxonomy",
        max_length=10,
        required=False,
        help_text="Ten characters, such as 1041C0700X.",
        error_messages={"invalid": "A taxonomy code has ten characters and ends with X, such as 1041C0700X."},
    )
    is_provider = forms.BooleanField(
        label="Renders services", required=False, help_text="May be chosen for appointments and invoices."
    )
    cpt_access = forms.BooleanField(
        label="CPT Code Access",
        required=False,
        initial=True,
        help_text="On: the CPT license renews on January 1. Off revokes nothing.",
    )
    is_active = forms.BooleanField(label="Active", required=False, initial=True)
    permissions = forms.MultipleChoiceField(
        label="Permissions",
        required=False,
        choices=[(permission.value, permission.label) for permission in GRANTABLE],
        widget=forms.CheckboxSelectMultiple,
        help_text="Everybody has Default: agenda, calendar, client details, a visit's status.",
    )
    limited_to_assigned = forms.BooleanField(label="Limit access to only assigned clients", required=False)

    def __init__(self, *args: Any, actor: Actor, person: StaffMember | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.locked_because = _lock_reason(actor, person)
        if self.locked_because:
            for name in ("permissions", "limited_to_assigned", "is_active"):
                del self.fields[name]
        elif not actor.may(Permission.ORGANIZATION_ADMINISTRATOR):
            self.fields["permissions"].choices = [  # type: ignore[attr-defined]
                (permission.value, permission.label)
                for permission in GRANTABLE
                if permission is not Permission.ORGANIZATION_ADMINISTRATOR
            ]

    def clean_permissions(self) -> list[Permission]:
        """What was ticked."""
        return [Permission(value) for value in self.cleaned_data["permissions"]]


class NewStaffMemberForm(StaffMemberForm):
    """A staff member who is being added."""

    staff_member_id = IdInAdvance()


class InviteForm(forms.Form):
    """The button that sends a link."""

    invitation_id = IdInAdvance()


class JoinForm(forms.Form):
    """Choosing the password of a new login."""

    password = NewPasswordField(label="Password")

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean(self) -> None:
        """The password must not be a common one."""
        check_new_password(self, User(email=self.email))


def _lock_reason(actor: Actor, person: StaffMember | None) -> str:
    if person is None:
        return ""
    if person.pk == actor.staff_member_id:
        return "Nobody changes their own permissions. Ask another administrator."
    is_owner = Permission.ORGANIZATION_ADMINISTRATOR.value in person.permissions
    if is_owner and not actor.may(Permission.ORGANIZATION_ADMINISTRATOR):
        return "Only an Organization Administrator changes the permissions of one."
    return ""
