"""The shared look: base page, parts, error pages and template tags. It knows no business area above it."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "daysheet.web"
    label = "web"
