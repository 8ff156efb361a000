"""Practices, their locations, and who may sign in to which. `user`, `practice` and `membership` are shared tables."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from daysheet.database.models import TenantModel

from .actor import PracticeFacts


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail address, whatever its capitals."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A login; without a password it can only be used through an invitation or a reset."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A login. Belongs to no practice; memberships say where it may go."""

    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    #: Counted up to end all sessions of this login (P2): part of the session hash.
    session_epoch = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def get_session_auth_hash(self) -> str:
        """A change of password or epoch ends every session of this login."""
        secret = f"{self.password}:{self.session_epoch}"
        return salted_hmac("daysheet.practices.User", secret, algorithm="sha256").hexdigest()

    def _legacy_get_session_auth_hash(self) -> None:
        return None

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.email


class Practice(models.Model):
    """The organisation; the tenant."""

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    npi = models.CharField(max_length=10, blank=True)
    tax_id = models.CharField(max_length=10, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    address_1 = models.CharField(max_length=80, blank=True)
    address_2 = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    #: What the AMA charges for one CPT licence and year, as the practice was told it.
    cpt_license_fee_cents = models.BigIntegerField(default=0)
    #: Whether its people need a second step to sign in: who has none sets it up before anything else.
    requires_two_step = models.BooleanField(default=False, db_default=False)
    #: After so many minutes without a request, the next one asks for the password.
    idle_minutes = models.PositiveSmallIntegerField(default=30, db_default=30)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cpt_license_fee_cents__gte=0), name="practice_fee_not_negative"),
            models.CheckConstraint(
                condition=models.Q(idle_minutes__gte=5) & models.Q(idle_minutes__lte=480), name="practice_idle_minutes"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def facts(self) -> PracticeFacts:
        """The part of a practice that every request and job carries."""
        return PracticeFacts(self.pk, self.slug, self.name, self.time_zone)


class Membership(models.Model):
    """That a login works for a practice, and as which staff member. A directory only: what the person may do there
    stands on the staff member, inside the practice. `staff_member_id` is a bare id: no shared table points at a
    tenant table."""

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    staff_member_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "user"], name="membership_once"),
            models.UniqueConstraint(fields=["practice", "staff_member_id"], name="membership_staff_once"),
        ]


class Location(TenantModel):
    """Where services are rendered, with its place-of-service code (CMS-1500 box 24B)."""

    name = models.CharField(max_length=80)
    place_of_service = models.CharField(max_length=2, default="11")
    npi = models.CharField(max_length=10, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    address_1 = models.CharField(max_length=80, blank=True)
    address_2 = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    external_id = models.CharField(max_length=100, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("practice", Lower("name"), name="location_name_once"),
            models.UniqueConstraint(fields=["practice", "external_id"], name="location_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(place_of_service__regex=r"^[0-9]{2}$"), name="location_pos_digits"
            ),
        ]
