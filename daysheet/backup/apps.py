from django.apps import AppConfig


class BackupConfig(AppConfig):
    name = "daysheet.backup"
