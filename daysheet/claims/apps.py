from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "daysheet.claims"

    def ready(self) -> None:
        from daysheet.invoicing.registry import ClaimKeeper, register_claims

        from . import actions, queries

        register_claims(
            ClaimKeeper(
                queue=actions.queue_claims,
                claimed=queries.claimed_lines,
                withdraw=actions.withdraw_lines,
                replace=actions.replace_line,
            )
        )
