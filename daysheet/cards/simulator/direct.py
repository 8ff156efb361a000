"""The adapter and the simulated processor in one process, without HTTP: for tests and for loading the demo."""

from __future__ import annotations

import json
from typing import Any

from daysheet.cards.gateways.base import AnswerLost, GatewayRefused
from daysheet.cards.gateways.http import NotThere
from daysheet.cards.gateways.simulated import SimulatedGateway

from .core import NoAnswer, Processor, Refused


class DirectGateway(SimulatedGateway):
    """Speaks with a `Processor` by function calls; failures are named as over HTTP."""

    def __init__(self, processor: Processor, api_key: str, webhook_path: str = "/hook/") -> None:
        super().__init__("", api_key, webhook_path)
        self._processor = processor

    def _call(self, method: str, path: str, asked: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        try:
            answer = self._processor.act(self._api_key, method, path, asked or {}, key, self._webhook_path)
        except NoAnswer as lost:
            raise AnswerLost("The answer was lost.") from lost
        except Refused as refused:
            raise (NotThere if refused.status == 404 else GatewayRefused)(refused.message) from refused
        return dict(json.loads(json.dumps(answer)))
