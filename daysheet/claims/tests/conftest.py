from daysheet.invoicing.tests.conftest import bob, shop

__all__ = ["bob", "shop"]
