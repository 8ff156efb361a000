"""A later version of Daysheet, as far as the tables go: `python -m tests.faults.next_version` is its start."""
