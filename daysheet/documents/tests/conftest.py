from daysheet.reports.tests.conftest import bob, limited, shop, sign_in, week

__all__ = ["bob", "limited", "shop", "sign_in", "week"]
