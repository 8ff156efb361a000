"""For the journey of automation: what Birch Practice needs to have something to bill, and its next night, lived through
today. Runs in a process of its own, in the database that DATABASE_URL names."""

from __future__ import annotations

import sys
from datetime import time, timedelta

import django


def prepare() -> None:
    """Two clients who were seen today: one for a letter, one for talk, which nobody is licensed to bill."""
    from daysheet.clients.actions import add_client
    from daysheet.kit.ids import new_id
    from daysheet.practices.actor import system_actor
    from daysheet.practices.models import Practice
    from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
    from daysheet.services.actions import add_service_type
    from daysheet.staff.actions import add_staff_member
    from daysheet.staff.organization.actions import add_location

    facts = Practice.objects.get(slug="birch").facts
    with practice_transaction(facts.id):
        actor = system_actor(facts, utc_now(), name="Journey")
        place = add_location(actor, location_id=new_id(), name="Annex", place_of_service="11")
        person = add_staff_member(actor, first_name="Nils", last_name="Night", is_provider=True)
        for last_name, code, kind in (("Letterman", "LETTR", "non_cpt"), ("Talker", "9N001", "cpt")):
            service = add_service_type(actor, code=code, name=last_name, kind=kind, rate_cents=4000)
            client = add_client(actor, first_name="Nora", last_name=last_name)
            slot = Slot(actor.today, time(0, 5), 5, person.pk, place.pk)
            add_appointment(actor, slot=slot, members={client.pk: [ServiceChoice(service.pk)]})


def night() -> None:
    """Tomorrow's clock, today, and no earlier than the hour of the night; the server's worker does the rest."""
    from daysheet.automation.nights import tend
    from daysheet.kit.dates import NIGHT_HOUR
    from daysheet.practices.models import Practice

    tend(Practice.objects.get(slug="birch").facts, utc_now() + timedelta(days=1, hours=NIGHT_HOUR))


if __name__ == "__main__":
    django.setup()
    from daysheet.database.scope import practice_transaction
    from daysheet.kit.dates import utc_now

    {"prepare": prepare, "night": night}[sys.argv[1]]()
