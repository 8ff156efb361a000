from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "daysheet.documents"

    def ready(self) -> None:
        from daysheet.invoicing.registry import WarningSource, register_statements, register_warnings
        from daysheet.staff.registry import register_settings_section

        from .estimates.warnings import warnings_of_invoice, warnings_of_lines, warnings_of_visits
        from .queries.made import on_statements
        from .sections import look_section

        register_settings_section(look_section)
        register_warnings(WarningSource(warnings_of_invoice, warnings_of_lines, warnings_of_visits))
        register_statements(on_statements)
