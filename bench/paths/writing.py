"""Everything that writes, on a copy of the practice; at the end `verify` looks at what product and floors have done."""

from __future__ import annotations

from collections.abc import Iterator

from daysheet.config.verify import verify_practice

from ..loading.pool import Pool
from ..measuring import Path
from .batches import add_invoice_paths, batch_paths
from .bench import Bench
from .documents import document_paths
from .importing import import_paths
from .posting import posting_paths


def writing_paths(bench: Bench, sizes: tuple[int, ...]) -> Iterator[Path]:
    """Batches first: they leave the open lines that the payments pay."""
    pool = Pool(bench.loaded)
    yield from batch_paths(bench, pool, sizes)
    yield from add_invoice_paths(bench, pool)
    yield from posting_paths(bench)
    yield from document_paths(bench)
    yield from import_paths(bench)
    verified = verify_practice(bench.loaded.practice, bench.loaded.now)
    assert verified.difference_count == 0, [found for found in verified.results if found.count]
