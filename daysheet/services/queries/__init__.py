"""Reads about service types and prices."""

from .agreements import ClientServiceRow, client_service, client_services, services_without_agreement
from .income_amounts import (
    IncomeAmount,
    ScaleRow,
    StepGroup,
    StepRow,
    amounts_by_income,
    income_scale,
    income_scales,
    scale_terms,
)
from .payer_prices import (
    PayerPrices,
    PayerRateRow,
    PayerRuleRow,
    PricedPayer,
    get_payer_rate,
    get_payer_rule,
    payer_prices,
    payer_rates,
    payer_rules,
    priced_payer,
    priced_payers,
)
from .schedule_table import fee_schedule_table
from .service_types import default_service_type_ids, get_service_type, service_choices, service_types

__all__ = [
    "ClientServiceRow",
    "IncomeAmount",
    "PayerPrices",
    "PayerRateRow",
    "PayerRuleRow",
    "PricedPayer",
    "ScaleRow",
    "StepGroup",
    "StepRow",
    "amounts_by_income",
    "client_service",
    "client_services",
    "default_service_type_ids",
    "fee_schedule_table",
    "get_payer_rate",
    "get_payer_rule",
    "get_service_type",
    "income_scale",
    "income_scales",
    "payer_prices",
    "payer_rates",
    "payer_rules",
    "priced_payer",
    "priced_payers",
    "scale_terms",
    "service_choices",
    "service_types",
    "services_without_agreement",
]
