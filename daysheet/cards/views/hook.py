"""The processor's messages. No session and no CSRF token: the signature over the body is the key."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from daysheet.database.scope import practice_transaction
from daysheet.kit.numbers import whole_number
from daysheet.staff.middleware import Door, public_in_practice
from daysheet.web.requests import missed_too_often, too_many

from ..webhooks import MessageRefused, hear, is_account

#: A processor's message has a few kilobytes; what is larger is not read.
LARGEST_BODY = 64 * 1024
#: Messages taken in a minute from one address and for one account; a processor sends the others again later.
MOST_A_MINUTE = 600
_log = logging.getLogger("daysheet.cards")


def _asked_too_often(request: HttpRequest, now: datetime, account: UUID) -> bool:
    """Of accounts that exist: what anybody makes up must not fill the place where counts are kept."""
    is_message = request.method == "POST" and not _is_too_large(request)
    with practice_transaction(request.practice.id):  # type: ignore[attr-defined]
        is_counted = is_message and is_account(account)
    return is_counted and too_many(f"card-webhook-{account}", MOST_A_MINUTE, now)


def _is_too_large(request: HttpRequest) -> bool:
    return whole_number(request.META.get("CONTENT_LENGTH") or "0", most=LARGEST_BODY) is None


@csrf_exempt
@public_in_practice(Door(asked=_asked_too_often, missed=missed_too_often("card-webhook")))
@require_POST
def webhook(request: HttpRequest, account: UUID) -> HttpResponse:
    """200 once it is worked off, or was before; 400 unsigned; 413 too large; 429 too many."""
    if _is_too_large(request):
        return JsonResponse({"error": "too large"}, status=413)
    signature = request.headers.get("Processor-Signature") or request.headers.get("Stripe-Signature") or ""
    try:
        outcome = hear(request.practice, account, request.body, signature)  # type: ignore[attr-defined]
    except MessageRefused as refusal:
        _log.warning("account %s: a message was refused: %s", account, refusal.message)
        return JsonResponse({"error": "refused"}, status=400)
    _log.info("account %s: a message was heard: %s", account, outcome)
    return JsonResponse({"heard": True})
